"""What an owner does not let its coordinator do: rounds, receipts, privacy."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from sqlmodel import select

from agents.net.mailbox import MailReceived, Verdict
from agents.protocols.messages import (
    Receipt,
    Update,
)
from agents.protocols.messages import TrainingTask as TrainingTaskMessage
from agents.roles.desk import Desk, Plans
from agents.roles.owner import Owner, OwnerSetup, RowFile
from agents.roles.owner_records import PrivacySpent
from agents.training.client import NoisedSums, TrainingChild
from agents.training.preprocessing import statistics_length
from agents.training.task import TrainingTask
from governance.domain import evidence
from tests.training_cases import heart_schema
from tests.unit.roles.role_cases import (
    CLEVELAND,
    COMPUTE,
    COORDINATOR,
    JOB,
    JOB_HEX,
    ROWS,
    Chain,
    desk_of,
    rules_for,
    sent,
    signed,
    task,
    task_json,
)

LENGTH = statistics_length(task())
LARGEST = 2**63 - 1


class Child:
    """Answers as it is told to."""

    def __init__(self, value: int) -> None:
        self.value = value
        self.closed = 0

    def statistics(self, _task: TrainingTask) -> NoisedSums:
        return NoisedSums(values_nanos=(self.value,) * LENGTH, noise_is_seeded=False)

    def close(self) -> None:
        self.closed += 1


def owner_of(tmp_path: Path, chain: Chain, *, value: int = 3, **changes: object) -> tuple[Desk, Owner]:
    desk = desk_of(tmp_path, CLEVELAND, chain, **changes)
    rows = RowFile(path=tmp_path / "rows.csv", rows=ROWS, root=JOB)
    setup = OwnerSetup(schema=heart_schema(), training=rows, evaluation=(rows,), lifetime_epsilon_micros=10**8)
    return desk, Owner(desk, setup, cast("TrainingChild", Child(value)))


def asking(number: int, *, of: TrainingTask | None = None) -> TrainingTaskMessage:
    return TrainingTaskMessage(
        msg_id=f"task:{number}",
        job=JOB_HEX,
        candidate=0,
        round_index=max(0, number - 1),
        kind="update" if number else "statistics",
        task_json=task_json(of),
        request_json="",
        compute_agent=COMPUTE,
        deadline_s=2_000,
    )


def test_an_owner_spends_no_privacy_on_a_round_that_the_rules_in_force_forbid(tmp_path: Path) -> None:
    chain = Chain()
    desk, owner = owner_of(tmp_path, chain, policy=rules_for(least_owners=4))

    verdict = desk.mailbox.receive(COORDINATOR, asking(0))
    owner.step()

    assert verdict is Verdict.REFUSED
    with desk.mailbox.reading() as session:
        received = session.get(MailReceived, (COORDINATOR, "task:0"))
        assert session.exec(select(PrivacySpent)).all() == []
    assert received is not None
    assert received.refused == "the rules in force forbid this round: min-round-contributors"


def test_a_round_that_is_on_chain_is_not_answered_again_even_by_an_owner_without_memory(tmp_path: Path) -> None:
    chain = Chain(posted=[b"\x09" * 32])
    desk, _ = owner_of(tmp_path, chain)

    assert desk.mailbox.receive(COORDINATOR, asking(0)) is Verdict.REFUSED


def test_no_round_is_answered_before_its_turn(tmp_path: Path) -> None:
    desk, _ = owner_of(tmp_path, Chain())

    assert desk.mailbox.receive(COORDINATOR, asking(1)) is Verdict.NOT_YET


def test_without_a_receipt_for_the_round_before_there_is_no_next_one(tmp_path: Path) -> None:
    chain = Chain()
    desk, owner = owner_of(tmp_path, chain)
    desk.mailbox.receive(COORDINATOR, asking(0))
    owner.step()
    (update,) = sent(desk)
    assert isinstance(update, Update)
    mine = evidence.digest(evidence.update_document(JOB, 0, CLEVELAND, [3] * LENGTH))
    assert update.signature == "0x" + signed(evidence.Leaf(agent=CLEVELAND, digest=mine), 0).signature.hex()
    proof = evidence.RoundEvidence(job=JOB, round_number=0, leaves=(evidence.Leaf(agent=CLEVELAND, digest=mine),))
    chain.posted.append(proof.root())

    before = desk.mailbox.receive(COORDINATOR, asking(1))
    receipt = desk.mailbox.receive(COORDINATOR, receipt_for(mine, proof))
    after = desk.mailbox.receive(COORDINATOR, asking(1))

    assert (before, receipt, after) == (Verdict.NOT_YET, Verdict.TAKEN, Verdict.TAKEN)


def test_a_receipt_for_another_update_than_ours_is_none(tmp_path: Path) -> None:
    chain = Chain()
    desk, owner = owner_of(tmp_path, chain)
    desk.mailbox.receive(COORDINATOR, asking(0))
    owner.step()
    other = evidence.digest(evidence.update_document(JOB, 0, CLEVELAND, [4] * LENGTH))
    proof = evidence.RoundEvidence(job=JOB, round_number=0, leaves=(evidence.Leaf(agent=CLEVELAND, digest=other),))
    chain.posted.append(proof.root())

    assert desk.mailbox.receive(COORDINATOR, receipt_for(other, proof)) is Verdict.REFUSED


def receipt_for(digest: bytes, proof: evidence.RoundEvidence) -> Receipt:
    _, siblings = proof.proof(CLEVELAND)
    return Receipt(
        msg_id="receipt:" + digest.hex()[:8],
        job=JOB_HEX,
        round_number=0,
        update_digest=digest.hex(),
        round_root="0x" + proof.root().hex(),
        proof=["0x" + node.hex() for node in siblings],
    )


def test_a_plan_with_a_larger_delta_than_was_signed_is_refused(tmp_path: Path) -> None:
    loose = task(delta_e12=9 * 10**8)
    desk, _ = owner_of(tmp_path, Chain(plan=loose))

    assert desk.mailbox.receive(COORDINATOR, asking(0, of=loose)) is Verdict.REFUSED


def test_an_answer_that_does_not_fit_its_message_is_given_up(tmp_path: Path) -> None:
    desk, owner = owner_of(tmp_path, Chain(), value=2**70)
    desk.mailbox.receive(COORDINATOR, asking(0))

    owner.step()

    assert owner.step() == Plans()
    assert sent(desk) == []
