"""The seller's side of the negotiation protocol, ready to be given to a mailbox."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from sqlmodel import Session, col, select

from agents.negotiation.bargain import Bargain, Leave, Move, Propose
from agents.negotiation.errors import BadStep
from agents.negotiation.judgement import Objection, Reason, judge, object_to_demand
from agents.negotiation.mandate import SellerMandate
from agents.negotiation.position import Supply, seller_position
from agents.negotiation.transcript import NO_HASH, StepKind, negotiation_id
from agents.net.errors import MessageRefused
from agents.protocols.desk import Desk, Proposal, quality_json, terms_of
from agents.protocols.messages import Accept, Counter, Decline, Demand, Step
from agents.protocols.records import (
    OPEN,
    Deal,
    NegotiationRow,
    bargain_of,
    deal_of,
    keep_bargain,
    keep_terms,
    open_with,
)
from governance.domain.market import Terms

LONGEST_OPEN_S = 86_400
"""What was agreed and is not on chain holds epsilon back; a buyer chooses for how long, up to this."""
MOST_OPEN = 32
"""Negotiations of one buyer that are not over."""


class Seller(Protocol):
    """What a seller's role knows; called inside transactions, so nothing here may wait for the chain."""

    def mandate(self) -> SellerMandate:
        """Return the operator's limits, as they are now."""

    def supply(self, session: Session, demand: Terms) -> Supply:
        """Return what there is for a demand; rows, root and the epsilon that is left for life."""

    def veto(self, terms: Terms) -> str:
        """Return the names of the rules that terms break, or empty."""

    def agreed(self, session: Session, deal: Deal) -> None:
        """Both sides signed; the buyer will make the agreement on chain."""

    def ended(self, session: Session, row: NegotiationRow) -> None:
        """Hear that a negotiation ended without a deal; ``row.reason`` says why."""


class SellerDesk:
    """Answers demands.

    Parameters
    ----------
    desk
        Our address, signer, clock and mailbox.
    seller
        Mandate, supply and policy.
    """

    def __init__(self, desk: Desk, seller: Seller) -> None:
        self._desk = desk
        self._seller = seller

    def register(self) -> None:
        """Take demands, counter-offers and acceptances from the mailbox.

        An agent that also buys registers a :class:`agents.protocols.dealing.Dealer` instead.
        """
        mailbox = self._desk.mailbox
        mailbox.handle(Demand, self.on_demand)
        mailbox.handle(Counter, self.on_counter)
        mailbox.handle(Accept, self.on_accept)
        mailbox.handle(Decline, self.on_decline)

    def on_demand(self, session: Session, sender: str, message: Demand) -> None:
        """Open a negotiation, or decline at once."""
        terms = terms_of(message)
        row = self._new_row(session, sender, message, terms)
        self._desk.append(session, row, sender, message)
        mandate, supply = self._seller.mandate(), self._seller.supply(session, terms)
        objection = object_to_demand(mandate, supply, terms, now_s=self._desk.now_s())
        if objection is not None:
            self._decline(session, row, message, objection)
            return
        terms = replace(terms, rows=supply.rows, data_root=supply.data_root)
        position = seller_position(mandate, supply, terms)
        bargain = Bargain(position=position, frame=terms, max_rounds=message.max_rounds)
        self._answer(session, row, message, bargain.answer(terms, self._seller.veto))

    def on_counter(self, session: Session, sender: str, message: Proposal) -> None:
        """Answer a counter-offer."""
        row = self._desk.take(session, sender, message, side="seller")
        try:
            answer = bargain_of(row).answer(terms_of(message), self._seller.veto)
        except BadStep as error:
            raise MessageRefused(str(error)) from error
        self._answer(session, row, message, answer)

    def on_accept(self, session: Session, sender: str, message: Accept) -> None:
        """Sign what the buyer signed, if it is what we said and still within our limits."""
        row = self._desk.take(session, sender, message, side="seller")
        bargain, terms = bargain_of(row), terms_of(message)
        objection = self._object_to_accept(session, sender, message, bargain)
        if objection is not None:
            self._decline(session, row, message, objection)
            return
        row.buyer_signature = message.terms_signature
        row.seller_signature = "0x" + self._desk.sign(session, row, StepKind.CONFIRM, terms).hex()
        keep_terms(row, terms)
        row.quality_json = quality_json(bargain, terms)
        self._desk.reply(row, message, "Confirm")
        self._seller.agreed(session, deal_of(row))

    def on_decline(self, session: Session, sender: str, message: Decline) -> None:
        """Close a negotiation that the buyer left."""
        row = self._desk.take(session, sender, message, side="seller")
        row.reason, row.detail = message.reason, message.detail
        self._desk.reply(row, message, None)
        self._seller.ended(session, row)

    def expire(self, session: Session) -> Sequence[NegotiationRow]:
        """Close negotiations whose time is over, and release deals that never reached the chain.

        Call :meth:`settle` first for deals that were found on chain.
        """
        statement = select(NegotiationRow).where(
            NegotiationRow.side == "seller",
            col(NegotiationRow.state).in_((*OPEN, "agreed")),
            col(NegotiationRow.is_settled).is_(False),
            NegotiationRow.valid_until_s < self._desk.now_s(),
        )
        rows = session.exec(statement).all()
        for row in rows:
            row.state, row.reason = "expired", str(Reason.EXPIRED)
            session.add(row)
            self._seller.ended(session, row)
        return rows

    def settle(self, session: Session, deal_id: str) -> None:
        """Note that an agreement was found on chain: its epsilon is counted there from now on."""
        row = session.get(NegotiationRow, deal_id)
        if row is not None:
            row.is_settled = True
            session.add(row)

    def _new_row(self, session: Session, sender: str, message: Demand, terms: Terms) -> NegotiationRow:
        if session.get(NegotiationRow, message.negotiation_id) is not None:
            raise MessageRefused("this negotiation exists already")
        if (terms.buyer, terms.seller) != (sender, self._desk.address):
            raise MessageRefused("the demand names other parties than its sender and us")
        if message.negotiation_id != negotiation_id(terms):
            raise MessageRefused("the negotiation's id does not follow from its terms")
        if terms.valid_until_s > self._desk.now_s() + LONGEST_OPEN_S:
            raise MessageRefused("signatures are given for a day at most; they hold our epsilon until then")
        if open_with(session, sender) >= MOST_OPEN:
            raise MessageRefused(f"{MOST_OPEN} negotiations with one buyer are enough at a time")
        return NegotiationRow(
            negotiation_id=message.negotiation_id,
            side="seller",
            peer=sender,
            kind=int(terms.kind),
            job="0x" + terms.job.hex(),
            state="new",
            max_rounds=message.max_rounds,
            frame_json="",
            position_json="",
            head_hash=NO_HASH,
            valid_until_s=terms.valid_until_s,
        )

    def _answer(self, session: Session, row: NegotiationRow, message: Step, answer: tuple[Bargain, Move]) -> None:
        bargain, move = answer
        keep_bargain(row, bargain)
        if isinstance(move, Propose):
            kind = StepKind.OFFER if isinstance(message, Demand) else StepKind.COUNTER
            self._desk.propose(session, row, kind, move.terms)
            self._desk.reply(row, message, "Offer" if kind is StepKind.OFFER else "Counter")
        elif isinstance(move, Leave):
            self._decline(session, row, message, move.objection)

    def _decline(self, session: Session, row: NegotiationRow, message: Step, objection: Objection) -> None:
        self._desk.decline(session, row, objection)
        self._desk.reply(row, message, "Decline")
        self._seller.ended(session, row)

    def _object_to_accept(self, session: Session, sender: str, message: Accept, bargain: Bargain) -> Objection | None:
        terms = terms_of(message)
        if terms != bargain.last_proposal:
            return Objection(Reason.FRAME_CHANGED, "these are not the terms that were proposed")
        if not self._desk.has_signed(sender, terms, message):
            return Objection(Reason.SIGNATURE, "the buyer's signature does not fit the terms")
        # Everything is asked again: another deal may have spent the epsilon since we proposed.
        mandate, supply = self._seller.mandate(), self._seller.supply(session, terms)
        objection = object_to_demand(mandate, supply, terms, now_s=self._desk.now_s())
        if objection is not None:
            return objection
        if (supply.rows, supply.data_root) != (terms.rows, terms.data_root):
            return Objection(Reason.ROWS, "the rows have changed since")
        return judge(terms, seller_position(mandate, supply, terms), self._seller.veto)
