"""The buying side of a coordinator: calls for offers, bargains, and takes the deals to the chain."""

import hashlib
import logging
from dataclasses import dataclass

from sqlmodel import Session, select

from agents.negotiation.mandate import BuyerMandate
from agents.negotiation.position import Need, Span
from agents.net.signing import Signer as TermsSigner
from agents.protocols.buying import BuyerDesk
from agents.protocols.desk import Desk as Steps
from agents.protocols.records import OPEN, TABLES, Deal, NegotiationRow, deal_of
from agents.roles.desk import Desk
from agents.roles.veto import veto
from governance.domain.market import Address, JobTerms, Kind, PrivacyUnit, Terms
from governance.errors import ContractRefused
from governance.services.registry import AgentRecord, Role

LOGGER = logging.getLogger(__name__)
DAY_S = 86_400
OPEN_S = 180
"""Chain time until a silent seller is given up."""
ROUNDS = 6
"""Proposals of each side."""
COMPUTE_SECONDS = 600
LEAST_ROWS = {Kind.DATA: 10, Kind.EVALUATION_ROWS: 10}
SOLD_BY = {
    Kind.DATA: Role.OWNER,
    Kind.EVALUATION_ROWS: Role.OWNER,
    Kind.COMPUTE: Role.COMPUTE,
    Kind.EVALUATION: Role.EVALUATOR,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What one job needs of one seller."""

    job: bytes
    terms: JobTerms
    kind: Kind
    seller: Address


class Purchases:
    """Buys for a coordinator. Fits ``agents.protocols.buying.Buyer``."""

    tables = TABLES

    def __init__(self, desk: Desk, mandate: BuyerMandate, *, signer: TermsSigner) -> None:
        self._desk = desk
        self._mandate = mandate
        self._now_s = desk.chain.now_s()
        self._policy = desk.policy
        steps = Steps(desk.mailbox, address=desk.address, signer=signer, now_s=lambda: self._now_s)
        self._buying = BuyerDesk(steps, self)
        self._buying.register()

    def buy(self, job: bytes, terms: JobTerms) -> bool:
        """Bargain with everybody who could sell, make the agreements, and say whether all that is over."""
        self._now_s = self._desk.chain.now_s()
        self._policy = self._desk.policy
        with self._desk.mailbox.reading() as session:
            begun = (
                session.exec(select(NegotiationRow).where(NegotiationRow.job == "0x" + job.hex())).first() is not None
            )
        if not begun:
            self._call_for_offers(job, terms)
        with self._desk.mailbox.transaction() as session:
            self._buying.expire(session)
        rows = self._rows(job)
        settled = [self._settle(row) for row in rows if row.state == "agreed"]
        return bool(rows) and all(settled) and not any(row.state in OPEN for row in rows)

    def mandate(self) -> BuyerMandate:
        return self._mandate

    def veto(self, terms: Terms) -> str:
        return veto(self._policy, terms, now_s=self._now_s)

    def agreed(self, session: Session, deal: Deal) -> None:
        del session, deal
        self._desk.wake()

    def ended(self, session: Session, row: NegotiationRow) -> None:
        del session
        LOGGER.info("no deal with %s: %s %r", row.peer, row.reason, row.detail)
        self._desk.wake()

    def _call_for_offers(self, job: bytes, terms: JobTerms) -> None:
        own = self._desk.registry.organisation_of(self._desk.address)
        agents = [a for a in self._desk.registry.agents() if a.organisation != own and self._can_sell(a)]
        with self._desk.mailbox.transaction() as session:
            for kind, role in SOLD_BY.items():
                for agent in agents:
                    if agent.roles & role:
                        purchase = Purchase(job=job, terms=terms, kind=kind, seller=agent.address)
                        self._buying.open(session, self._need(purchase), max_rounds=ROUNDS)

    def _can_sell(self, agent: AgentRecord) -> bool:
        return agent.active and self._desk.registry.is_active(agent.address)

    def _need(self, purchase: Purchase) -> Need:
        job, kind = purchase.terms, purchase.kind
        data = kind is Kind.DATA
        deadline = Span(max(self._now_s + DAY_S, job.deadline_s - 30 * DAY_S), job.deadline_s)
        epsilon = job.epsilon_micros if data else 0
        frame = Terms(
            kind=kind,
            buyer=self._desk.address,
            seller=purchase.seller,
            job=purchase.job,
            price_e18=0,
            units=job.rounds if kind in {Kind.DATA, Kind.COMPUTE} else len(job.candidates),
            epsilon_micros=epsilon,
            delta_e12=job.delta_e12 if data else 0,
            privacy_unit=job.privacy_unit if data else PrivacyUnit.NONE,
            aggregation_privacy=job.aggregation_privacy,
            rows=LEAST_ROWS.get(kind, 0),
            data_root=bytes(32),
            purposes=job.purposes,
            compute_seconds=COMPUTE_SECONDS,
            withdrawal_blocks=data,
            deadline_s=deadline.least,
            valid_until_s=self._now_s + OPEN_S,
            nonce=_nonce(purchase),
        )
        return Need(frame=frame, epsilon_micros=Span(epsilon, epsilon), deadline_s=deadline)

    def _rows(self, job: bytes) -> list[NegotiationRow]:
        with self._desk.mailbox.reading() as session:
            return list(session.exec(select(NegotiationRow).where(NegotiationRow.job == "0x" + job.hex())))

    def _settle(self, row: NegotiationRow) -> bool:
        deal = deal_of(row)
        if self._desk.market.agreement(self._desk.market.terms_digest(deal.terms)) is not None:
            return True
        broken = self.veto(deal.terms)
        if broken:
            self._void(row, deal, f"the rules that came into force meanwhile forbid it: {broken}")
            return True
        try:
            self._desk.market.create_agreement(
                self._desk.signer,
                deal.terms,
                buyer_signature=deal.buyer_signature,
                seller_signature=deal.seller_signature,
            )
        except ContractRefused as refusal:
            if self._desk.market.agreement(self._desk.market.terms_digest(deal.terms)) is not None:
                return True  # an earlier try of ours was only slow
            self._void(row, deal, str(refusal))
        return True

    def _void(self, row: NegotiationRow, deal: Deal, why: str) -> None:
        LOGGER.warning("a deal with %s is void: %s", row.peer, why)
        with self._desk.mailbox.transaction() as session:
            self._buying.void(session, deal.negotiation_id, why)


def _nonce(purchase: Purchase) -> int:
    text = b"|".join([purchase.job, purchase.seller.encode(), str(int(purchase.kind)).encode()])
    return int.from_bytes(hashlib.sha256(text).digest()[:7])
