"""An owner's last resort: it claims with its own receipts what no keeper has claimed for it.

Any keeper may claim for everybody, but only with the documents of the rounds, which the buyer's
side holds. Half-way through the time for claims an owner no longer waits for it.
"""

import json
import logging

from sqlmodel import col, select

from agents.roles.desk import Desk, Plans, each, merge
from agents.roles.owner_records import RoundReceipt, TaskReceived, answer_digest
from governance.domain.market import Kind
from governance.errors import ContractRefused
from governance.services.market import AgreementRecord, RoundClaim

LOGGER = logging.getLogger(__name__)
BEFORE_END_S = 302_400
"""Half of the seven days after a job in which the contract pays claims."""
NEVER_S = (1 << 64) - 1
CLAIMS_PER_TRANSACTION = 20


class Claims:
    """Looks after the pay of an owner's rounds."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._closed: set[str] = set()

    def step(self) -> Plans:
        """Claim what is still unpaid when the time for it runs out."""
        with self._desk.mailbox.reading() as session:
            jobs = set(session.exec(select(RoundReceipt.job)).all()) - self._closed
        return merge(each(sorted(jobs), self._job, name=lambda job: f"pay of job {job[:8]}"))

    def _job(self, job: str) -> Plans:
        agreement = self._desk.agreements.active(bytes.fromhex(job), Kind.DATA, seller=self._desk.address)
        if agreement is None:
            self._closed.add(job)
            return Plans()
        end_s = self._desk.market.closable_from_s(agreement.id)
        proven = [claim for claim in proven_rounds(self._desk, job) if claim.round_number >= agreement.next_unit]
        if end_s == NEVER_S or not proven:
            return Plans()
        if self._desk.chain.now_s() < end_s - BEFORE_END_S:
            return Plans(due_at_s=end_s - BEFORE_END_S)
        self._claim(agreement, proven)
        return Plans()

    def _claim(self, agreement: AgreementRecord, proven: list[RoundClaim]) -> None:
        market = self._desk.market
        for start in range(0, len(proven), CLAIMS_PER_TRANSACTION):
            part = proven[start : start + CLAIMS_PER_TRANSACTION]
            try:
                market.claim_rounds(self._desk.signer, agreement.id, part, job=agreement.job)
            except ContractRefused as refusal:
                LOGGER.warning("our claim: %s", refusal)


def proven_rounds(desk: Desk, job: str) -> list[RoundClaim]:
    """Return the rounds of a job that our receipts prove, in order."""
    with desk.mailbox.reading() as session:
        receipts = session.exec(
            select(RoundReceipt, TaskReceived)
            .where(
                RoundReceipt.job == job,
                TaskReceived.job == job,
                TaskReceived.round_number == RoundReceipt.round_number,
            )
            .order_by(col(RoundReceipt.round_number))
        ).all()
    return [
        RoundClaim(
            round_number=receipt.round_number,
            digest=answer_digest(task, desk.address),
            proof=tuple(bytes.fromhex(node[2:]) for node in json.loads(receipt.proof)),
        )
        for receipt, task in receipts
    ]
