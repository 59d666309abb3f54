"""What both sides of a negotiation share: the chain of signed steps, and its place in the mailbox."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Final

from sqlmodel import Session

from agents.negotiation.bargain import Bargain
from agents.negotiation.errors import BadStep
from agents.negotiation.judgement import Objection, point_of
from agents.negotiation.quality import deal_quality
from agents.negotiation.transcript import ChainHead, StepKind, StepRecord, read_terms, write_terms
from agents.net.errors import MessageRefused
from agents.net.mailbox import Mailbox
from agents.net.signing import Signer
from agents.protocols.conversations import NEGOTIATION, IllegalMessage
from agents.protocols.messages import Accept, Confirm, Counter, Decline, Demand, Offer, Step
from agents.protocols.records import NegotiationRow, NegotiationStep, head_of, keep_head
from governance.domain.market import Terms

ROUNDS: Final = 12
"""Proposals of each side, unless the buyer asks for another number."""
Proposal = Offer | Counter
Signed = Accept | Confirm


class Desk:
    """Steps of one agent's negotiations, in and out.

    Parameters
    ----------
    mailbox
        Opened with :data:`agents.protocols.records.TABLES`.
    address
        EVM address of our agent key.
    signer
        Signs terms and steps with that key.
    now_s
        Chain time; called inside transactions, so it must not wait for the chain.
    """

    def __init__(self, mailbox: Mailbox, *, address: str, signer: Signer, now_s: Callable[[], int]) -> None:
        self.mailbox = mailbox
        self.address = address
        self.signer = signer
        self.now_s = now_s

    def take(self, session: Session, sender: str, step: Step, *, side: str) -> NegotiationRow:
        """Check that a step follows from its negotiation, and append it.

        Raises
        ------
        MessageRefused
            If the negotiation is unknown or the step is not its next one.
        """
        row = session.get(NegotiationRow, step.negotiation_id)
        if row is None or row.side != side:
            raise MessageRefused("no such negotiation")
        if row.peer != sender:
            raise MessageRefused(f"{sender} is not the other side of this negotiation")
        self.append(session, row, sender, step)
        return row

    def append(self, session: Session, row: NegotiationRow, sender: str, step: Step) -> None:
        """Check a step's signature, place and legality, and append it to a row's chain."""
        name = type(step).__name__
        record = _record(step, sender)
        try:
            NEGOTIATION.replies(row.side, row.state, name)
            head = head_of(row).follow(record, now_s=self.now_s())
        except (BadStep, IllegalMessage) as error:
            raise MessageRefused(str(error)) from error
        if self.signer.step_signer(record.hash(), bytes.fromhex(step.step_signature[2:])) != sender:
            raise MessageRefused("the step is not signed by its sender")
        _keep(session, row, head, step)

    def propose(self, session: Session, row: NegotiationRow, kind: StepKind, terms: Terms) -> None:
        """Say terms: an offer, or a counter-offer."""
        message = Offer if kind is StepKind.OFFER else Counter
        self._say(session, row, message, terms_json=write_terms(terms))

    def demand(self, session: Session, row: NegotiationRow, terms: Terms) -> None:
        """Open a negotiation."""
        self._say(session, row, Demand, terms_json=write_terms(terms), max_rounds=row.max_rounds)

    def sign(self, session: Session, row: NegotiationRow, kind: StepKind, terms: Terms) -> bytes:
        """Accept or confirm terms with our signature, which is returned."""
        signature = self.signer.sign_terms(terms)
        message = Accept if kind is StepKind.ACCEPT else Confirm
        signed = "0x" + signature.hex()
        self._say(session, row, message, terms_json=write_terms(terms), terms_signature=signed)
        return signature

    def decline(self, session: Session, row: NegotiationRow, objection: Objection) -> None:
        """End a negotiation with a reason."""
        row.reason, row.detail = str(objection.reason), objection.detail
        self._say(session, row, Decline, reason=row.reason, detail=objection.detail[:200])

    def reply(self, row: NegotiationRow, received: Step, reply: str | None) -> None:
        """Move a row's state by what was received and what is replied."""
        row.state = NEGOTIATION.advance(row.side, row.state, type(received).__name__, reply=reply)

    def has_signed(self, sender: str, terms: Terms, message: Signed) -> bool:
        """Say whether a sender's signature over terms is valid on chain."""
        return self.signer.terms_signer(terms, bytes.fromhex(message.terms_signature[2:])) == sender

    def _say(self, session: Session, row: NegotiationRow, message: type[Step], **content: str | int) -> None:
        seq = row.head_seq + 1
        draft = message(
            msg_id=f"{row.negotiation_id}:{seq}:{message.__name__.lower()}",
            negotiation_id=row.negotiation_id,
            seq=seq,
            prev_hash=row.head_hash,
            valid_until_s=row.valid_until_s,
            step_signature="0x" + "0" * 130,
            **content,
        )
        record = _record(draft, self.address)
        signature = "0x" + self.signer.sign_step(record.hash()).hex()
        step = message(**{**draft.dict(), "step_signature": signature})
        _keep(session, row, ChainHead(seq, "0x" + record.hash().hex(), self.address), step)
        self.mailbox.send(session, row.peer, step)


def quality_json(bargain: Bargain, terms: Terms) -> str:
    """Return our own figures about a deal as JSON."""
    quality = deal_quality(
        bargain.position,
        point_of(terms),
        theirs=bargain.theirs,
        rounds=bargain.rounds,
        max_rounds=bargain.max_rounds,
    )
    return json.dumps(asdict(quality))


def terms_of(step: Demand | Proposal | Signed) -> Terms:
    """Read the terms of a step; a peer's nonsense is refused.

    Raises
    ------
    MessageRefused
        If they are no canonical terms.
    """
    try:
        return read_terms(step.terms_json)
    except BadStep as error:
        raise MessageRefused(str(error)) from error


def _record(step: Step, sender: str) -> StepRecord:
    if isinstance(step, Decline):
        content = f"{step.reason}:{step.detail}"
    elif isinstance(step, Demand):
        content = f"{step.max_rounds}:{step.terms_json}"
    else:
        content = str(step.terms_json)
    return StepRecord(
        negotiation_id=step.negotiation_id,
        kind=StepKind(type(step).__name__.lower()),
        seq=step.seq,
        prev_hash=step.prev_hash,
        sender=sender,
        valid_until_s=step.valid_until_s,
        content=content,
    )


def _keep(session: Session, row: NegotiationRow, head: ChainHead, step: Step) -> None:
    keep_head(row, head)
    session.add(row)
    session.add(
        NegotiationStep(
            negotiation_id=row.negotiation_id,
            seq=head.seq,
            kind=type(step).__name__,
            sender=head.sender,
            step_hash=head.hash,
            body=step.json(),
        )
    )
