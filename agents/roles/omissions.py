"""An owner holds the coordinator to its receipts: an acknowledged round is proven on chain, or paid without a proof."""

import logging

from sqlmodel import Field, Session, SQLModel, select

from agents.net.errors import MessageRefused
from agents.net.mailbox import Outcome
from agents.net.signing import recover
from agents.protocols.messages import SignedReceipt
from agents.roles.claims import proven_rounds
from agents.roles.desk import Desk, Plans, each, merge
from agents.roles.owner_records import RoundReceipt, TaskReceived, answer_digest
from governance.domain.market import Address, Kind
from governance.domain.receipt import UpdateReceipt
from governance.errors import ContractRefused
from governance.services.challenges import Challenges, ChallengeState

LOGGER = logging.getLogger(__name__)
LONGEST_S = 3 * 86_400
"""A receipt that promises the leaf later than this is worth nothing within the time for claims."""


class Acknowledged(SQLModel, table=True):
    """A receipt that the coordinator signed for one of our updates."""

    __tablename__ = "owner_acknowledged"

    job: str = Field(primary_key=True)
    round_number: int = Field(primary_key=True)
    digest: str
    deadline_s: int
    signature: str
    settled: bool = False


class Omissions:
    """Challenges, by itself, every acknowledged round whose leaf was not shown in time."""

    tables = (Acknowledged,)

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._challenges = Challenges(desk.chain)
        desk.mailbox.handle(SignedReceipt, self._on_receipt)

    def step(self) -> Plans:
        """Challenge what is overdue, and settle what was not answered."""
        with self._desk.mailbox.reading() as session:
            rows = list(session.exec(select(Acknowledged).where(Acknowledged.settled == False)))  # noqa: E712 - SQL
            proven = {(row.job, row.round_number) for row in session.exec(select(RoundReceipt))}
        open_rows = [row for row in rows if (row.job, row.round_number) not in proven]
        return merge(each(open_rows, self._pursue, name=lambda row: f"receipt of round {row.round_number}"))

    def _on_receipt(self, session: Session, sender: Address, message: SignedReceipt) -> Outcome | None:
        job = bytes.fromhex(message.job[2:])
        if self._desk.agreements.job(job).coordinator != sender:
            raise MessageRefused("receipts come from the job's coordinator")
        answered = session.get(TaskReceived, (job.hex(), message.round_number))
        if answered is None or answer_digest(answered, self._desk.address).hex() != message.update_digest:
            raise MessageRefused("the receipt is for another update than ours")
        receipt = UpdateReceipt(
            job=job,
            round_number=message.round_number,
            owner=self._desk.address,
            digest=bytes.fromhex(message.update_digest),
            deadline_s=message.deadline_s,
        )
        signature = bytes.fromhex(message.signature[2:])
        if recover(receipt.signed_digest(self._challenges.domain), signature) != sender:
            raise MessageRefused("the receipt is not signed by the coordinator")
        if message.deadline_s > self._desk.chain.now_s() + LONGEST_S:
            raise MessageRefused("the receipt promises the round too late")
        session.merge(
            Acknowledged(
                job=job.hex(),
                round_number=message.round_number,
                digest=message.update_digest,
                deadline_s=message.deadline_s,
                signature=signature.hex(),
            )
        )
        return Outcome(after_commit=(self._desk.wake,))

    def _pursue(self, row: Acknowledged) -> Plans:
        now_s, job = self._desk.chain.now_s(), bytes.fromhex(row.job)
        if now_s <= row.deadline_s:
            return Plans(due_at_s=row.deadline_s + 1)
        agreement = self._desk.agreements.active(job, Kind.DATA, seller=self._desk.address)
        if agreement is None or agreement.next_unit > row.round_number:
            return self._leave(row)
        state, until_s = self._challenges.omission(agreement.id, row.round_number)
        if state is ChallengeState.NONE:
            self._challenge(row, agreement.id)
            return Plans()
        if state is not ChallengeState.OPEN:
            return self._leave(row)
        if now_s <= until_s:
            return Plans(due_at_s=until_s + 1)
        self._settle(row, agreement.id, agreement.next_unit)
        return Plans()

    def _challenge(self, row: Acknowledged, agreement: bytes) -> None:
        receipt = UpdateReceipt(
            job=bytes.fromhex(row.job),
            round_number=row.round_number,
            owner=self._desk.address,
            digest=bytes.fromhex(row.digest),
            deadline_s=row.deadline_s,
        )
        try:
            self._challenges.challenge_omission(self._desk.signer, agreement, receipt, bytes.fromhex(row.signature))
        except ContractRefused as refusal:
            LOGGER.warning("our challenge of round %s: %s", row.round_number, refusal)

    def _settle(self, row: Acknowledged, agreement: bytes, next_unit: int) -> None:
        """Claim what is proven before this round, so that its turn comes, and settle it."""
        job = bytes.fromhex(row.job)
        before = [c for c in proven_rounds(self._desk, row.job) if next_unit <= c.round_number < row.round_number]
        try:
            if before:
                self._desk.market.claim_rounds(self._desk.signer, agreement, before, job=job)
            self._challenges.settle_omission(self._desk.signer, agreement, row.round_number)
        except ContractRefused as refusal:
            LOGGER.warning("round %s that we were left out of: %s", row.round_number, refusal)

    def _leave(self, row: Acknowledged) -> Plans:
        with self._desk.mailbox.transaction() as session:
            row.settled = True
            session.merge(row)
        return Plans()
