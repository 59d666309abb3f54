"""Jurors measure who contributed what from the updates behind the roots on chain, and agree to the bit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from agents.net.errors import ArtifactError, NetError
from agents.roles.desk import Desk
from agents.roles.evaluator import ABSTAIN_S, Evaluator
from agents.roles.evidence import keep_round
from agents.roles.owner_shares import measure_shares, publish_rounds, rounds_of
from agents.training.card import ModelCard
from agents.training.client import TrainingChild
from agents.training.contributions import OwnersRound
from agents.training.errors import TaskError
from governance.domain import evidence
from governance.domain.evidence import CandidateRounds, PublishedRound
from governance.domain.income import WHOLE_PPB, share_root
from governance.domain.market import Address, AggregationPrivacy, Kind
from governance.domain.record import sha256
from governance.errors import InvalidRecord
from tests.training_cases import Alter, heart_release, pooled_evaluation, unaltered
from tests.unit.roles.role_cases import CLEVELAND, COMPUTE, COORDINATOR, HUNGARY, JOB, ZURICH, Chain, desk_of

VA = "0x00000000000000000000000000000000000000C5"
NAMES = {CLEVELAND: "cleveland", HUNGARY: "hungary", ZURICH: "switzerland", VA: "va-long-beach"}
ORGANISATIONS = {CLEVELAND: 4, HUNGARY: 2, ZURICH: 3, VA: 9}
AGENTS = {name: agent for agent, name in NAMES.items()}
ROUNDS, CASE = 2, b"\x05" * 32


@dataclass
class Submitted:
    """A candidate as the coordinator submitted it, and what it serves."""

    chain: Chain
    card: ModelCard
    served: dict[bytes, bytes] = field(default_factory=dict)
    privacy: AggregationPrivacy = AggregationPrivacy.CLEAR
    cited: tuple[Address, ...] = tuple(NAMES)

    def fetch(self, agent: Address, digest: bytes) -> bytes:
        assert agent == COORDINATOR
        if digest not in self.served:
            raise ArtifactError(f"{digest.hex()} is not served")
        return self.served[digest]

    def put(self, document: bytes) -> bytes:
        self.served[sha256(document)] = document
        return sha256(document)

    def desk(self, home: Path) -> Desk:
        data = [
            SimpleNamespace(kind=Kind.DATA, seller=agent, id=agent.encode(), organisation=ORGANISATIONS[agent])
            for agent in NAMES
        ]
        manifest = SimpleNamespace(
            job=JOB,
            candidate_index=0,
            card=sha256(self.card.to_bytes()),
            artifact=bytes.fromhex(self.card.artifact_sha256),
            agreements=tuple(agent.encode() for agent in self.cited),
        )
        return desk_of(
            home,
            ZURICH,
            self.chain,
            fetch=self.fetch,
            owner_name=NAMES.__getitem__,
            releases=SimpleNamespace(
                release=lambda _case: SimpleNamespace(job=JOB, proposer=COORDINATOR), manifest=lambda _case: manifest
            ),
            agreements=SimpleNamespace(
                of=lambda _job: data,
                aggregation_privacy=lambda _job: self.privacy,
                rounds_per_candidate=lambda _job: ROUNDS,
            ),
        )


def published(rounds: list[OwnersRound]) -> CandidateRounds:
    return CandidateRounds(
        job=JOB,
        rounds=tuple(
            PublishedRound(
                round_number=number,
                compute=COMPUTE,
                updates=tuple((AGENTS[o], u) for o, u in zip(each.owners, each.updates, strict=True)),
            )
            for number, each in enumerate(rounds)
        ),
    )


def submitted(alter: Alter = unaltered) -> Submitted:
    card, artifact, rounds = heart_release(alter, rounds=ROUNDS)
    known = published(rounds)
    chain = Chain(posted=[each.evidence(JOB).root() for each in known.rounds])
    found = Submitted(chain, replace(card, rounds_sha256=sha256(known.document()).hex()))
    for document in (known.document(), artifact, found.card.to_bytes()):
        found.put(document)
    return found


@pytest.fixture(scope="module")
def child() -> Iterator[TrainingChild]:
    with TrainingChild() as running:
        yield running


def test_three_jurors_reveal_one_root_and_the_shares_are_a_whole(tmp_path: Path, child: TrainingChild) -> None:
    candidate, rows = submitted(), pooled_evaluation()
    orders = (rows, rows[::-1], rows[40:] + rows[:40])

    found = [
        measure_shares(candidate.desk(tmp_path / str(place)), child, CASE, order) for place, order in enumerate(orders)
    ]

    assert len({share_root(CASE, shares) for shares in found}) == 1
    assert [share.organisation for share in found[0]] == sorted(ORGANISATIONS.values())
    assert sum(share.share_ppb for share in found[0]) == WHOLE_PPB
    assert all(share.share_ppb for share in found[0])


def test_who_harms_the_model_has_a_leaf_of_nothing(tmp_path: Path, child: TrainingChild) -> None:
    candidate = submitted(lambda o, u: tuple(-x for x in u) if o == "hungary" else u)

    found = measure_shares(candidate.desk(tmp_path), child, CASE, pooled_evaluation())

    assert {share.organisation: share.share_ppb for share in found}[ORGANISATIONS[HUNGARY]] == 0
    assert sum(share.share_ppb for share in found) == WHOLE_PPB


def test_what_the_manifest_does_not_cite_has_no_share(tmp_path: Path, child: TrainingChild) -> None:
    candidate = submitted()
    candidate.cited = (CLEVELAND, VA)

    found = measure_shares(candidate.desk(tmp_path), child, CASE, pooled_evaluation())

    assert [share.organisation for share in found] == [4, 9]
    assert sum(share.share_ppb for share in found) == WHOLE_PPB


@pytest.mark.parametrize("number", range(1 + ROUNDS))
def test_updates_that_are_not_behind_the_roots_on_chain_measure_nobody(
    tmp_path: Path, child: TrainingChild, number: int
) -> None:
    candidate = submitted()
    candidate.chain.posted[number] = b"\x09" * 32

    with pytest.raises(InvalidRecord, match=f"round {number} are not those behind its root"):
        measure_shares(candidate.desk(tmp_path), child, CASE, pooled_evaluation())


def test_rounds_of_another_candidate_measure_nobody(tmp_path: Path, child: TrainingChild) -> None:
    candidate = submitted()
    known = CandidateRounds.read(candidate.served[bytes.fromhex(candidate.card.rounds_sha256)])
    other = candidate.put(replace(known, rounds=known.rounds[:-1]).document())
    candidate.card = replace(candidate.card, rounds_sha256=other.hex())
    candidate.put(candidate.card.to_bytes())

    with pytest.raises(InvalidRecord, match="other rounds"):
        measure_shares(candidate.desk(tmp_path), child, CASE, pooled_evaluation())


@pytest.mark.parametrize("told", ["", "ab", "not hexadecimal"])
def test_a_card_without_updates_measures_nobody(tmp_path: Path, child: TrainingChild, told: str) -> None:
    candidate = submitted()
    candidate.card = replace(candidate.card, rounds_sha256=told)
    candidate.put(candidate.card.to_bytes())
    desk = candidate.desk(tmp_path)

    if told:
        with pytest.raises(TaskError, match="no SHA-256"):
            measure_shares(desk, child, CASE, pooled_evaluation())
    else:
        assert measure_shares(desk, child, CASE, pooled_evaluation()) == ()


@pytest.mark.parametrize("privacy", [AggregationPrivacy.MASKED, AggregationPrivacy.GROUPED])
def test_where_only_sums_are_seen_nobody_is_measured(
    tmp_path: Path, child: TrainingChild, privacy: AggregationPrivacy
) -> None:
    candidate = submitted()
    candidate.privacy = privacy

    assert measure_shares(candidate.desk(tmp_path), child, CASE, pooled_evaluation()) == ()


def test_updates_that_nobody_serves_are_no_reason_to_invent_any(tmp_path: Path, child: TrainingChild) -> None:
    candidate = submitted()
    del candidate.served[bytes.fromhex(candidate.card.rounds_sha256)]

    with pytest.raises(NetError):
        measure_shares(candidate.desk(tmp_path), child, CASE, pooled_evaluation())


@pytest.mark.parametrize("served", [True, False])
def test_a_juror_waits_for_updates_but_never_loses_its_stake_by_it(
    tmp_path: Path, child: TrainingChild, *, served: bool
) -> None:
    candidate, rows = submitted(), pooled_evaluation()
    late = candidate.served.pop(bytes.fromhex(candidate.card.rounds_sha256))
    desk = candidate.desk(tmp_path)
    desk.court = SimpleNamespace(case=lambda _case: SimpleNamespace(window_end_s=86_400))  # type: ignore[misc]
    juror = Evaluator(desk, child)
    candidate.chain.time_s = 86_400 - ABSTAIN_S - 1

    with pytest.raises(NetError):
        juror._shares(CASE, rows)
    candidate.chain.time_s += 1
    if served:
        candidate.put(late)

    assert bool(juror._shares(CASE, rows)) is served


def test_a_false_document_keeps_no_juror_from_the_facts(tmp_path: Path, child: TrainingChild) -> None:
    candidate = submitted()
    candidate.chain.posted[1] = b"\x09" * 32

    assert Evaluator(candidate.desk(tmp_path), child)._shares(CASE, pooled_evaluation()) == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"{", b"no JSON {"),
        (b'"job":', b'"job": '),
        (CLEVELAND.encode(), b"Cleveland"),
        (COMPUTE.encode(), b"the computer"),
        (b'"update_nanos":[', b'"update_nanos":["7",'),
        (b'"update_nanos":[', b'"update_nanos":[7,'),
    ],
)
def test_updates_that_nobody_can_read_keep_no_juror_from_the_facts(
    tmp_path: Path, child: TrainingChild, old: bytes, new: bytes
) -> None:
    candidate = submitted()
    document = candidate.served[bytes.fromhex(candidate.card.rounds_sha256)]
    assert old in document
    candidate.card = replace(candidate.card, rounds_sha256=candidate.put(document.replace(old, new, 1)).hex())
    candidate.put(candidate.card.to_bytes())

    assert Evaluator(candidate.desk(tmp_path), child)._shares(CASE, pooled_evaluation()) == ()


def test_the_coordinator_publishes_what_its_rounds_are_made_of(tmp_path: Path) -> None:
    _, _, rounds = heart_release(rounds=ROUNDS)
    known = published(rounds)
    chain = Chain(posted=[each.evidence(JOB).root() for each in known.rounds])
    desk = desk_of(tmp_path, COORDINATOR, chain)
    for each in known.rounds:
        for agent, values in each.updates:
            desk.store.put(evidence.update_document(JOB, each.round_number, agent, values))
        with desk.mailbox.transaction() as session:
            keep_round(desk, session, each.evidence(JOB))

    digest = publish_rounds(desk, JOB, rounds_of(0, ROUNDS))

    assert CandidateRounds.read(desk.store.read(digest)) == known
    assert publish_rounds(desk, JOB, rounds_of(1, ROUNDS)) == ""
