"""Shares of the owners behind a candidate: the coordinator publishes the updates, each juror measures by itself.

The jurors' root decides by whom bonus and income may be claimed, so nothing here is taken on trust: every update
follows from the round's root on chain, and the file that the rounds lead to is the one that was submitted.
"""

import logging
from collections.abc import Sequence

from agents.roles.desk import Desk
from agents.roles.evidence import known_rounds
from agents.training.card import ModelCard
from agents.training.client import TrainingChild
from agents.training.contributions import OwnersRound
from agents.training.errors import TaskError
from agents.training.rows import Row
from governance.domain.evidence import CandidateRounds, PublishedRound, numbers, read_document
from governance.domain.income import Share, shares_in_percents
from governance.domain.market import AggregationPrivacy, Kind
from governance.domain.release import Manifest
from governance.errors import FolkmootError, InvalidRecord

LOGGER = logging.getLogger(__name__)


def rounds_of(candidate: int, rounds_per_candidate: int) -> tuple[int, ...]:
    """Return the numbers of the rounds behind a candidate: the statistics, then its own."""
    return (0, *range(1 + candidate * rounds_per_candidate, 1 + (candidate + 1) * rounds_per_candidate))


def publish_rounds(desk: Desk, job: bytes, wanted: Sequence[int]) -> str:
    """Put the updates behind a candidate into our public store; return the SHA-256 as 64 hex digits.

    Empty if one of them is lost: a candidate whose contributions nobody can measure is better than none.
    """
    try:
        known = {each.round_number: each for each in known_rounds(desk, job)}
        published = tuple(
            PublishedRound(
                round_number=number,
                compute=known[number].leaves[-1].agent,
                updates=tuple(
                    (leaf.agent, _update(desk.store.read(leaf.digest.hex()))) for leaf in known[number].leaves[:-1]
                ),
            )
            for number in wanted
        )
    except (FolkmootError, KeyError) as problem:
        LOGGER.error("the updates of job %s are not published: %s", job.hex()[:8], problem)  # noqa: TRY400 - for the operator
        return ""
    return desk.store.put(CandidateRounds(job=job, rounds=published).document())


def measure_shares(desk: Desk, child: TrainingChild, case: bytes, rows: Sequence[Row]) -> tuple[Share, ...]:
    """Return the shares of the organisations behind a candidate; none where nothing can be, or is, measured.

    Parameters
    ----------
    rows
        The evaluation rows of the case, opened.

    Raises
    ------
    NetError
        If the coordinator does not serve card, file or updates now.
    TaskError, DataError, InvalidRecord
        If what it serves is not what stands behind the rounds on chain, or the rows are too few.
    """
    release, manifest = desk.releases.release(case), desk.releases.manifest(case)
    if desk.agreements.aggregation_privacy(release.job) is not AggregationPrivacy.CLEAR:
        LOGGER.info("case %s: only sums are published, so nobody's contribution can be measured", case.hex()[:8])
        return ()
    card_document = desk.fetch(release.proposer, manifest.card)
    card = ModelCard.from_bytes(card_document)
    if not card.rounds_sha256:
        LOGGER.warning("case %s: the card names no updates, so nobody's contribution can be measured", case.hex()[:8])
        return ()
    artifact = desk.fetch(release.proposer, manifest.artifact)
    published = CandidateRounds.read(desk.fetch(release.proposer, _digest(card.rounds_sha256)))
    _require_on_chain(desk, manifest, published)
    weights = child.weigh_owners(card_document, artifact, [_named(desk, each) for each in published.rounds], rows)
    organisations, owned = _by_organisation(desk, manifest, weights)
    shares = shares_in_percents(owned)
    if not shares:
        LOGGER.info("case %s: nobody's updates made the model better, so the signed prices decide", case.hex()[:8])
        return ()
    return tuple(
        Share(organisation=organisation, share_ppb=share)
        for organisation, share in zip(organisations, shares, strict=True)
    )


def _require_on_chain(desk: Desk, manifest: Manifest, published: CandidateRounds) -> None:
    wanted = rounds_of(manifest.candidate_index, desk.agreements.rounds_per_candidate(manifest.job))
    if published.job != manifest.job or tuple(each.round_number for each in published.rounds) != wanted:
        raise InvalidRecord("the document holds other rounds than those behind the candidate")
    for each in published.rounds:
        if each.evidence(manifest.job).root() != desk.market.round_root(manifest.job, each.round_number):
            raise InvalidRecord(f"the updates of round {each.round_number} are not those behind its root on chain")


def _named(desk: Desk, published: PublishedRound) -> OwnersRound:
    return OwnersRound(
        owners=tuple(desk.owner_name(agent) for agent, _ in published.updates),
        updates=tuple(values for _, values in published.updates),
    )


def _by_organisation(desk: Desk, manifest: Manifest, weights: dict[str, int]) -> tuple[list[int], list[int]]:
    """Return the organisations that may claim, in ascending order, and the weight of each."""
    cited = [a for a in desk.agreements.of(manifest.job) if a.kind is Kind.DATA and a.id in manifest.agreements]
    if not cited:
        raise InvalidRecord("the manifest cites no data")
    found = {a.organisation: weights.get(desk.owner_name(a.seller), 0) for a in cited}
    organisations = sorted(found)
    return organisations, [found[organisation] for organisation in organisations]


def _update(document: bytes) -> tuple[int, ...]:
    return tuple(numbers(read_document(document, "update").get("update_nanos")))


def _digest(text: str) -> bytes:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != 32:
        raise TaskError(f"rounds_sha256: {text[:70]!r} is no SHA-256")
    return found
