"""A second small network for tests of the audit: what is held against rounds, scores, and anchors.

One job in each mode. In the coupled one a coordinator leaves an owner out of a round and puts a stranger in its place,
is late with a leaf of the next round, and counts an owner twice there; in the overlapped one owners score each other;
in the decoupled one a single anchor holds all rounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eth_utils.crypto import keccak

from folkmoot.constitution import DAY_S
from governance.adapters.evm import KeySigner
from governance.domain import evidence
from governance.domain.line import line_from
from governance.domain.market import IntegrationMode, Kind, Mandate
from governance.domain.receipt import UpdateReceipt
from governance.domain.scores import seal
from governance.services.challenges import Challenges
from governance.services.market import Market, RoundClaim
from governance.services.registry import Registry
from tests.audit_cast import (
    CENTRE,
    INSTITUTE,
    LABORATORIES,
    OWNERS,
    SUPPLY_E18,
    Story,
    agent,
    operator,
    running_network,
)
from tests.audit_job import EPSILON_MICROS, Plan, commit_rows, make_agreements, open_job
from tests.audit_story import prepare

COUPLED = Plan(1, ("plain",))
OVERLAPPED = Plan(2, ("plain",), IntegrationMode.OVERLAPPED)
DECOUPLED = Plan(3, ("plain",), IntegrationMode.DECOUPLED)
STRANGER = LABORATORIES[0]
SCORES = ((0, 90, 40), (80, 0, 60), (70, 20, 0))
"""Of each owner for all; the last one never opens its own."""
SHARES = (90, 95, 50)
"""By hand: the larger middle of {80} and {90}; who opens nothing gets the base."""


@contextmanager
def running_modes(folder: Path) -> Iterator[Story]:
    """Start a node, play the three jobs on it, and stop the node at the end."""
    with running_network(folder) as story:
        prepare(story)
        _allow_three_jobs(story)
        story.job = _open(story, COUPLED)
        _play_coupled(story)
        _play_overlapped(story, _open(story, OVERLAPPED))
        _play_decoupled(story, _open(story, DECOUPLED))
        yield story


def _allow_three_jobs(story: Story) -> None:
    for name in OWNERS:
        limits = Mandate(
            max_spend_e18=SUPPLY_E18,
            max_agreements=50,
            floors_e18=(0, 1, 1, 1, 1),
            max_epsilon_micros=EPSILON_MICROS,
            lifetime_epsilon_micros=3 * EPSILON_MICROS,
            purposes=1,
            valid_until_s=story.chain.now_s() + 365 * DAY_S,
        )
        Registry(story.chain).set_mandate(operator(name), agent(name).address, limits)


def _open(story: Story, plan: Plan) -> bytes:
    if plan.number > 1:
        commit_rows(story, plan)
    job = open_job(story, plan)
    make_agreements(story, plan, job)
    return job


def _leaf(story: Story, job: bytes, number: int, name: str, value: int = 3) -> evidence.Leaf:
    document = evidence.update_document(job, number, agent(name).address, [value])
    return evidence.Leaf(agent=agent(name).address, digest=story.store.put(document))


def _round(story: Story, job: bytes, number: int, *leaves: evidence.Leaf) -> evidence.RoundEvidence:
    """Close a round with the data centre's sum over these leaves."""
    values = [
        evidence.numbers(evidence.read_document(story.store.get(leaf.digest), "update")["update_nanos"])
        for leaf in leaves
    ]
    total = [sum(column) for column in zip(*values, strict=True)]
    provider = agent(CENTRE).address
    document = evidence.aggregate_document(job, number, provider, sum_nanos=total, owners=leaves)
    own = evidence.Leaf(agent=provider, digest=story.store.put(document))
    found = evidence.RoundEvidence(job=job, round_number=number, leaves=(*leaves, own))
    story.store.put(found.document())
    return found


def _post(story: Story, found: evidence.RoundEvidence) -> None:
    market, leaves = Market(story.chain), len(found.leaves)
    market.post_round(agent(INSTITUTE), found.job, found.round_number, root=found.root(), leaves=leaves)


def _receipt(story: Story, leaf: evidence.Leaf, number: int) -> tuple[UpdateReceipt, bytes]:
    receipt = UpdateReceipt(
        job=story.job,
        round_number=number,
        owner=leaf.agent,
        digest=leaf.digest,
        deadline_s=story.chain.now_s() - 1,
    )
    return receipt, agent(INSTITUTE).sign_digest(receipt.signed_digest(Challenges(story.chain).domain))


def _play_coupled(story: Story) -> None:
    challenges, market = Challenges(story.chain), Market(story.chain)
    leaves = [_leaf(story, story.job, 0, name) for name in OWNERS]
    first = _round(story, story.job, 0, *leaves[1:], _leaf(story, story.job, 0, STRANGER))
    _post(story, first)
    left_out, late = (story.agreements[f"{name} data"] for name in OWNERS[:2])
    challenges.challenge_omission(agent(OWNERS[0]), left_out, *_receipt(story, leaves[0], 0))
    for place in (0, 2):
        challenges.challenge_stranger(agent(OWNERS[0]), first, place, market=market)
    key = story.agreements[f"{OWNERS[1]} data"]
    coordinator = agent(INSTITUTE)
    challenges.answer_stranger(coordinator, story.job, number=0, agent=agent(OWNERS[1]).address, agreement=key)

    leaves = [_leaf(story, story.job, 1, name) for name in OWNERS]
    challenges.challenge_omission(agent(OWNERS[1]), late, *_receipt(story, leaves[1], 1))
    twin = _leaf(story, story.job, 1, OWNERS[2], 4)
    second = _round(story, story.job, 1, *leaves, twin)
    _post(story, second)
    _, proof = second.proof(agent(OWNERS[1]).address)
    challenges.answer_omission(coordinator, late, market=market, job=story.job, number=1, proof=proof)
    challenges.flag_equivocation(agent(OWNERS[0]), second, agent(OWNERS[2]).address, market=market)

    story.advance(DAY_S + 1)
    challenges.settle_omission(operator(CENTRE), left_out, 0)
    challenges.settle_stranger(operator(CENTRE), story.job, number=0, agent=agent(STRANGER).address)
    _claim(story, COUPLED, story.job, OWNERS[0], second)
    _claim(story, COUPLED, story.job, OWNERS[1], first, second)


def _claim(story: Story, plan: Plan, job: bytes, name: str, *rounds: evidence.RoundEvidence) -> None:
    claims = []
    for found in rounds:
        leaf, proof = found.proof(agent(name).address)
        claims.append(RoundClaim(round_number=found.round_number, digest=leaf.digest, proof=tuple(proof)))
    kind = Kind.COMPUTE if name == CENTRE else Kind.DATA
    key = story.agreements[plan.label(name, kind.word)]
    Market(story.chain).claim_rounds(operator(CENTRE), key, claims, job=job)


def _play_overlapped(story: Story, job: bytes) -> None:
    rounds = [_overlapped_round(story, job, number) for number in range(OVERLAPPED.rounds)]
    _claim(story, OVERLAPPED, job, OWNERS[0], *rounds)
    # The seller itself may leave a round out.
    leaf, proof = rounds[1].proof(agent(OWNERS[1]).address)
    claim = RoundClaim(round_number=1, digest=leaf.digest, proof=tuple(proof))
    Market(story.chain).claim_rounds(
        agent(OWNERS[1]), story.agreements[OVERLAPPED.label(OWNERS[1], "data")], [claim], job=job
    )


def _overlapped_round(story: Story, job: bytes, number: int) -> evidence.RoundEvidence:
    leaves = [_leaf(story, job, number, name) for name in OWNERS]
    for name, leaf in zip(OWNERS, leaves, strict=True):
        key = story.agreements[OVERLAPPED.label(name, "data")]
        _send(story, agent(name), "commitUpdate", key, number, leaf.digest)
    found = _round(story, job, number, *leaves)
    _post(story, found)
    salts = [keccak(text=f"scores {name} {number}") for name in OWNERS]
    ledger = story.deployment.contracts["RoundLedger"]
    for name, scores, salt in zip(OWNERS, SCORES, salts, strict=True):
        place = (job, number, agent(name).address)
        sealed = seal(scores, salt, chain_id=story.chain.chain_id, ledger=ledger, place=place)
        _send(story, agent(name), "commitScores", job, number, sealed)
    for name, scores, salt in list(zip(OWNERS, SCORES, salts, strict=True))[:2]:
        _send(story, agent(name), "revealScores", job, number, list(scores), salt)
    story.advance(2 * 3_600 + 1)
    _send(story, operator(CENTRE), "settleScores", job, number)
    return found


def _send(story: Story, signer: KeySigner, function: str, *arguments: object) -> None:
    story.chain.send(signer, "RoundLedger", function, arguments)


def _play_decoupled(story: Story, job: bytes) -> None:
    rounds = tuple(
        _round(story, job, number, *(_leaf(story, job, number, name) for name in OWNERS))
        for number in range(DECOUPLED.rounds)
    )
    anchor = evidence.AnchorEvidence(job=job, rounds=rounds)
    story.store.put(anchor.document())
    market, leaves = Market(story.chain), min(len(each.leaves) for each in rounds)
    market.post_round(agent(INSTITUTE), job, 0, root=anchor.root(), leaves=leaves)
    # The line starts with the anchor, whatever rounds its leaves name.
    line = line_from(job, market.rounds(job), 0).as_tuple()
    for name in (*OWNERS, CENTRE):
        proofs = [(each.round_number, *anchor.proof(agent(name).address, each.round_number)) for each in rounds]
        rows = [(number, leaf.digest, proof) for number, leaf, proof in proofs]
        kind = Kind.COMPUTE if name == CENTRE else Kind.DATA
        _send(story, operator(CENTRE), "claimRounds", story.agreements[DECOUPLED.label(name, kind.word)], line, rows)
