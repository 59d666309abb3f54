"""The buyer's side of the negotiation protocol, ready to be given to a mailbox."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from sqlmodel import Session, col, select

from agents.negotiation.bargain import Agree, Bargain, Leave, Move, Propose
from agents.negotiation.errors import BadStep
from agents.negotiation.judgement import Objection, Reason
from agents.negotiation.mandate import BuyerMandate
from agents.negotiation.position import Need, buyer_position
from agents.negotiation.transcript import NO_HASH, StepKind, negotiation_id
from agents.net.errors import MessageRefused
from agents.protocols.desk import ROUNDS, Desk, Proposal, quality_json, terms_of
from agents.protocols.messages import Confirm, Counter, Decline, Offer, Step
from agents.protocols.records import (
    OPEN,
    Deal,
    NegotiationRow,
    bargain_of,
    committed_e18,
    deal_of,
    keep_bargain,
    keep_terms,
)
from governance.domain.market import Kind, Terms


class Buyer(Protocol):
    """What a buyer's role knows; called inside transactions, so nothing here may wait for the chain."""

    def mandate(self) -> BuyerMandate:
        """Return the operator's limits, as they are now."""

    def veto(self, terms: Terms) -> str:
        """Return the names of the rules that terms break, or empty."""

    def agreed(self, session: Session, deal: Deal) -> None:
        """Both sides signed: make the agreement on chain."""

    def ended(self, session: Session, row: NegotiationRow) -> None:
        """Hear that a negotiation ended without a deal; ``row.reason`` says why."""


class BuyerDesk:
    """Makes demands and bargains about what is offered.

    Parameters
    ----------
    desk
        Our address, signer, clock and mailbox.
    buyer
        Mandate and policy.
    """

    def __init__(self, desk: Desk, buyer: Buyer) -> None:
        self._desk = desk
        self._buyer = buyer

    def register(self) -> None:
        """Take offers, counter-offers and confirmations from the mailbox.

        An agent that also sells registers a :class:`agents.protocols.dealing.Dealer` instead.
        """
        mailbox = self._desk.mailbox
        mailbox.handle(Offer, self.on_offer)
        mailbox.handle(Counter, self.on_counter)
        mailbox.handle(Confirm, self.on_confirm)
        mailbox.handle(Decline, self.on_decline)

    def open(self, session: Session, need: Need, *, max_rounds: int = ROUNDS) -> str:
        """Call for an offer, and return the negotiation's id; opening the same frame again changes nothing.

        Parameters
        ----------
        need
            Its frame names both agents, job, kind and nonce.
        max_rounds
            Proposals of each side, 2 to 200.
        """
        identity = negotiation_id(need.frame)
        if session.get(NegotiationRow, identity) is not None:
            return identity
        row = self._new_row(need.frame, max_rounds)
        position = buyer_position(self._buyer.mandate(), need, left_e18=self.left_e18(session, need.frame.kind))
        bargain, move = Bargain(position=position, frame=need.frame, max_rounds=max_rounds).open(self._buyer.veto)
        keep_bargain(row, bargain)
        if isinstance(move, Propose):
            self._desk.demand(session, row, move.terms)
        elif isinstance(move, Leave):
            row.state, row.reason, row.detail = "declined", str(move.objection.reason), move.objection.detail
            session.add(row)
            self._buyer.ended(session, row)
        return identity

    def left_e18(self, session: Session, kind: Kind) -> int:
        """Return what may still be spent on a kind, in 1e-18 credit."""
        mandate = self._buyer.mandate()
        now_s = self._desk.now_s()
        spent, _ = committed_e18(session, kind, now_s=now_s)
        _, count = committed_e18(session, None, now_s=now_s)
        allowed = mandate.max_spend_e18.get(kind, 0) if count < mandate.max_agreements else 0
        return max(0, allowed - spent)

    def on_offer(self, session: Session, sender: str, message: Offer) -> None:
        """Answer a seller's first proposal, which names its rows."""
        row = self._desk.take(session, sender, message, side="buyer")
        terms, bargain = terms_of(message), bargain_of(row)
        frame = replace(bargain.frame, rows=terms.rows, data_root=terms.data_root)
        self._answer(session, row, message, replace(bargain, frame=frame))

    def on_counter(self, session: Session, sender: str, message: Counter) -> None:
        """Answer a counter-offer."""
        row = self._desk.take(session, sender, message, side="buyer")
        self._answer(session, row, message, bargain_of(row))

    def on_confirm(self, session: Session, sender: str, message: Confirm) -> None:
        """Keep the seller's signature: the deal is made."""
        row = self._desk.take(session, sender, message, side="buyer")
        terms = terms_of(message)
        if message.terms_json != row.terms_json or not self._desk.has_signed(sender, terms, message):
            raise MessageRefused("the seller's signature does not fit the accepted terms")
        row.seller_signature = message.terms_signature
        self._desk.reply(row, message, None)
        self._buyer.agreed(session, deal_of(row))

    def on_decline(self, session: Session, sender: str, message: Decline) -> None:
        """Close a negotiation that the seller left."""
        row = self._desk.take(session, sender, message, side="buyer")
        row.reason, row.detail = message.reason, message.detail
        self._desk.reply(row, message, None)
        self._buyer.ended(session, row)

    def expire(self, session: Session) -> Sequence[NegotiationRow]:
        """Close negotiations whose time is over; terms we signed stay counted until they are void."""
        statement = select(NegotiationRow).where(
            NegotiationRow.side == "buyer",
            col(NegotiationRow.state).in_(OPEN),
            NegotiationRow.valid_until_s < self._desk.now_s(),
        )
        rows = session.exec(statement).all()
        for row in rows:
            row.state, row.reason = "expired", str(Reason.EXPIRED)
            session.add(row)
            self._buyer.ended(session, row)
        return rows

    def void(self, session: Session, deal_id: str, reason: str) -> None:
        """Note that the chain refused a deal; its price is free again when its signatures are void."""
        row = session.get(NegotiationRow, deal_id)
        if row is not None:
            row.state, row.detail = "void", reason[:200]
            session.add(row)

    def _new_row(self, frame: Terms, max_rounds: int) -> NegotiationRow:
        return NegotiationRow(
            negotiation_id=negotiation_id(frame),
            side="buyer",
            peer=frame.seller,
            kind=int(frame.kind),
            job="0x" + frame.job.hex(),
            state="called",
            max_rounds=max_rounds,
            frame_json="",
            position_json="",
            head_hash=NO_HASH,
            valid_until_s=frame.valid_until_s,
        )

    def _answer(self, session: Session, row: NegotiationRow, message: Proposal, bargain: Bargain) -> None:
        try:
            bargain, move = bargain.answer(terms_of(message), self._buyer.veto)
        except BadStep as error:
            raise MessageRefused(str(error)) from error
        keep_bargain(row, bargain)
        self._move(session, row, message, self._within_budget(session, move))

    def _move(self, session: Session, row: NegotiationRow, message: Step, move: Move) -> None:
        if isinstance(move, Propose):
            self._desk.propose(session, row, StepKind.COUNTER, move.terms)
            self._desk.reply(row, message, "Counter")
        elif isinstance(move, Agree):
            row.buyer_signature = "0x" + self._desk.sign(session, row, StepKind.ACCEPT, move.terms).hex()
            keep_terms(row, move.terms)
            row.quality_json = quality_json(bargain_of(row), move.terms)
            self._desk.reply(row, message, "Accept")
        else:
            self._desk.decline(session, row, move.objection)
            self._desk.reply(row, message, "Decline")
            self._buyer.ended(session, row)

    def _within_budget(self, session: Session, move: Move) -> Move:
        """Leave instead of agreeing to what other deals have spent meanwhile, or after the mandate's end."""
        if not isinstance(move, Agree):
            return move
        if move.terms.price_e18 > self.left_e18(session, move.terms.kind):
            return Leave(Objection(Reason.BUDGET, "the buyer's budget is spent"))
        if self._desk.now_s() > self._buyer.mandate().until_s:
            return Leave(Objection(Reason.MANDATE_OVER, "the buyer's mandate is over"))
        return move
