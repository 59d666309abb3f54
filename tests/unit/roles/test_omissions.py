"""An owner holds a signed receipt against a coordinator that left it out; a coordinator answers with the leaf."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from agents.net.mailbox import Verdict
from agents.protocols.messages import SignedReceipt
from agents.roles.answers import Answers
from agents.roles.desk import Desk
from agents.roles.evidence import keep_round
from agents.roles.omissions import LONGEST_S, Acknowledged, Omissions
from agents.roles.owner_records import RoundReceipt, TaskReceived
from governance.domain import evidence
from governance.domain.receipt import UpdateReceipt, ledger_domain
from governance.ports import Event
from governance.services.challenges import ChallengeState
from tests.unit.roles.role_cases import CLEVELAND, COMPUTE, JOB, JOB_HEX, LEDGER, SIGNER, Chain, desk_of

AGREEMENT = b"\x05" * 32
DEADLINE_S = 2_000
DIGEST = evidence.digest(evidence.update_document(JOB, 0, CLEVELAND, [3]))


@dataclass
class Ledger:
    """What the chain says about one challenge, and what was sent to it."""

    state: ChallengeState = ChallengeState.NONE
    until_s: int = 0
    sent: list[str] = field(default_factory=list)

    def omission(self, _agreement: bytes, _number: int) -> tuple[ChallengeState, int]:
        return self.state, self.until_s

    def challenge_omission(self, *_: object) -> None:
        self.sent.append("challenge")

    def settle_omission(self, *_: object) -> None:
        self.sent.append("settle")

    def answer_omission(self, *_: object, **__: object) -> None:
        self.sent.append("answer")

    @property
    def domain(self) -> object:
        return ledger_domain(7, LEDGER)


def owner_of(home: Path, chain: Chain, ledger: Ledger, next_unit: int = 0) -> tuple[Desk, Omissions]:
    agreements = SimpleNamespace(
        job=lambda _job: SimpleNamespace(coordinator=SIGNER.address),
        active=lambda *_, **__: SimpleNamespace(id=AGREEMENT, job=JOB, next_unit=next_unit),
    )
    desk = desk_of(home, CLEVELAND, chain, agreements=agreements)
    with desk.mailbox.transaction() as session:
        session.add(
            TaskReceived(
                job=JOB.hex(),
                round_number=0,
                candidate=0,
                round_index=0,
                kind="update",
                task_json="",
                request_json="",
                compute_agent=COMPUTE,
                update=f"{3:016x}",
            )
        )
    omissions = Omissions(desk)
    omissions._challenges = ledger  # type: ignore[assignment]
    return desk, omissions


def signed(deadline_s: int = DEADLINE_S, digest: bytes = DIGEST) -> SignedReceipt:
    receipt = UpdateReceipt(job=JOB, round_number=0, owner=CLEVELAND, digest=digest, deadline_s=deadline_s)
    signature = SIGNER.sign_digest(receipt.signed_digest(ledger_domain(7, LEDGER)))
    return SignedReceipt(
        msg_id="signed",
        job=JOB_HEX,
        round_number=0,
        update_digest=digest.hex(),
        deadline_s=deadline_s,
        signature="0x" + signature.hex(),
    )


@pytest.mark.parametrize(
    ("now_s", "state", "until_s", "sent"),
    [
        (DEADLINE_S, ChallengeState.NONE, 0, []),
        (DEADLINE_S + 1, ChallengeState.NONE, 0, ["challenge"]),
        (DEADLINE_S + 9, ChallengeState.OPEN, DEADLINE_S + 9, []),
        (DEADLINE_S + 10, ChallengeState.OPEN, DEADLINE_S + 9, ["settle"]),
        (DEADLINE_S + 10, ChallengeState.ANSWERED, DEADLINE_S + 9, []),
    ],
)
def test_an_owner_challenges_what_is_overdue_and_settles_what_was_not_answered(
    tmp_path: Path, now_s: int, state: ChallengeState, until_s: int, sent: list[str]
) -> None:
    chain, ledger = Chain(), Ledger(state, until_s)
    desk, omissions = owner_of(tmp_path, chain, ledger)
    assert desk.mailbox.receive(SIGNER.address, signed()) is Verdict.TAKEN
    chain.time_s = now_s

    omissions.step()

    assert ledger.sent == sent


def test_a_round_that_is_proven_or_paid_is_not_challenged(tmp_path: Path) -> None:
    chain, ledger = Chain(), Ledger()
    desk, omissions = owner_of(tmp_path / "paid", chain, ledger, next_unit=1)
    desk.mailbox.receive(SIGNER.address, signed())
    other, proven = owner_of(tmp_path / "proven", chain, ledger)
    other.mailbox.receive(SIGNER.address, signed())
    with other.mailbox.transaction() as session:
        session.add(RoundReceipt(job=JOB.hex(), round_number=0, root="", proof="[]"))
    chain.time_s = DEADLINE_S + 1

    omissions.step()
    proven.step()

    assert ledger.sent == []


@pytest.mark.parametrize(
    ("sender", "message"),
    [
        (COMPUTE, signed()),
        (SIGNER.address, signed(digest=b"\x08" * 32)),
        (SIGNER.address, signed(deadline_s=1_001 + LONGEST_S)),
        (SIGNER.address, signed().copy(update={"deadline_s": DEADLINE_S + 1})),
    ],
)
def test_a_receipt_that_would_not_hold_is_refused(tmp_path: Path, sender: str, message: SignedReceipt) -> None:
    desk, _ = owner_of(tmp_path, Chain(), Ledger())

    assert desk.mailbox.receive(sender, message) is Verdict.REFUSED
    with desk.mailbox.reading() as session:
        assert session.get(Acknowledged, (JOB.hex(), 0)) is None


@pytest.mark.parametrize(("digest", "sent"), [(DIGEST, ["answer"]), (b"\x08" * 32, [])])
def test_a_coordinator_shows_the_leaf_that_it_has(tmp_path: Path, digest: bytes, sent: list[str]) -> None:
    found = evidence.RoundEvidence(
        job=JOB,
        round_number=0,
        leaves=(evidence.Leaf(agent=CLEVELAND, digest=DIGEST), evidence.Leaf(agent=COMPUTE, digest=JOB)),
    )
    values = {"agreement": AGREEMENT, "job": JOB, "round": 0, "owner": CLEVELAND, "digest": digest, "untilS": 3_000}
    event = Event(
        contract="RoundLedger", name="OmissionChallenged", values=values, block=1, log_index=0, transaction="0x01"
    )
    chain, ledger = Chain(posted=[found.root()], seen=[event]), Ledger(ChallengeState.OPEN, 3_000)
    agreements = SimpleNamespace(job=lambda _job: SimpleNamespace(coordinator=SIGNER.address))
    desk = desk_of(tmp_path, SIGNER.address, chain, agreements=agreements)
    with desk.mailbox.transaction() as session:
        keep_round(desk, session, found)
    answers = Answers(desk)
    answers._challenges = cast("object", ledger)  # type: ignore[assignment]

    answers.step()
    answers.step()

    assert ledger.sent == sent
