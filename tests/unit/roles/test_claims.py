"""An owner is paid for its rounds although no keeper lifts a finger."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

from agents.roles.claims import BEFORE_END_S, NEVER_S, Claims
from agents.roles.desk import Desk, Plans
from agents.roles.owner_records import RoundReceipt, TaskReceived
from governance.domain import evidence, merkle
from governance.services.market import RoundClaim
from tests.unit.roles.role_cases import CLEVELAND, COMPUTE, JOB, Chain, desk_of

END_S = 10_000_000


@dataclass
class Book:
    end_s: int = END_S
    paid: set[int] = field(default_factory=set)
    claimed: list[RoundClaim] = field(default_factory=list)

    def closable_from_s(self, _agreement: bytes) -> int:
        return self.end_s

    def claim_rounds(self, _signer: object, _agreement: bytes, claims: list[RoundClaim], *, job: bytes) -> None:
        assert job == JOB
        self.claimed += claims
        self.paid |= {claim.round_number for claim in claims}


def owner_with_receipts(home: Path, book: Book, chain: Chain) -> tuple[Desk, list[evidence.RoundEvidence]]:
    agreements = SimpleNamespace(
        active=lambda *_, **__: SimpleNamespace(id=JOB, job=JOB, next_unit=max(book.paid, default=-1) + 1),
    )
    desk = desk_of(home, CLEVELAND, chain, market=book, agreements=agreements)
    rounds = []
    for number in range(3):
        row = TaskReceived(
            job=JOB.hex(),
            round_number=number,
            candidate=0,
            round_index=0,
            kind="update",
            task_json="",
            request_json="",
            compute_agent=COMPUTE,
            update=f"{number:016x}",
        )
        digest = evidence.digest(evidence.update_document(JOB, number, CLEVELAND, [number]))
        leaves = (evidence.Leaf(agent=CLEVELAND, digest=digest), evidence.Leaf(agent=COMPUTE, digest=JOB))
        rounds.append(evidence.RoundEvidence(job=JOB, round_number=number, leaves=leaves))
        proof = json.dumps(["0x" + node.hex() for node in rounds[-1].proof(CLEVELAND)[1]])
        with desk.mailbox.transaction() as session:
            session.add(row)
            session.add(RoundReceipt(job=JOB.hex(), round_number=number, root="", proof=proof))
    return desk, rounds


def test_half_way_through_the_time_for_claims_an_owner_claims_what_is_unpaid(tmp_path: Path) -> None:
    book, chain = Book(paid={0}), Chain(time_s=END_S - BEFORE_END_S)
    desk, rounds = owner_with_receipts(tmp_path, book, chain)

    Claims(desk).step()

    assert [claim.round_number for claim in book.claimed] == [1, 2]
    for claim in book.claimed:
        leaf = evidence.Leaf(agent=CLEVELAND, digest=claim.digest).hashed(JOB, claim.round_number)
        assert merkle.verify(rounds[claim.round_number].root(), leaf, list(claim.proof))


def test_until_then_it_leaves_the_claim_to_a_keeper(tmp_path: Path) -> None:
    book, chain = Book(), Chain(time_s=END_S - BEFORE_END_S - 1)
    desk, _ = owner_with_receipts(tmp_path, book, chain)

    assert Claims(desk).step() == Plans(due_at_s=END_S - BEFORE_END_S)
    assert book.claimed == []


def test_it_waits_for_nothing_while_the_job_runs_or_when_all_is_paid(tmp_path: Path) -> None:
    book, chain = Book(end_s=NEVER_S), Chain(time_s=END_S)
    desk, _ = owner_with_receipts(tmp_path, book, chain)

    assert Claims(desk).step() == Plans()
    book.end_s, book.paid = END_S, {0, 1, 2}
    assert Claims(desk).step() == Plans()
    assert book.claimed == []
