"""What an agent keeps about its negotiations: one row each, and every step of both sides."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import Field, Session, SQLModel, col, or_, select

from agents.negotiation.bargain import Bargain
from agents.negotiation.position import Point, Position
from agents.negotiation.quality import DealQuality
from agents.negotiation.transcript import ChainHead, read_terms, write_terms
from governance.domain.market import Kind, Terms

OPEN: Final = ("new", "called", "bargaining", "accepted")
"""States in which a negotiation can still go on."""


class NegotiationRow(SQLModel, table=True):
    """One negotiation as this agent sees it; it holds our limits and stays in our home."""

    __tablename__ = "negotiation"

    negotiation_id: str = Field(primary_key=True)
    side: str
    peer: str = Field(index=True)
    kind: int
    job: str = Field(index=True)
    state: str = Field(index=True)
    max_rounds: int
    frame_json: str
    position_json: str
    mine_json: str = "[]"
    theirs_json: str = "[]"
    head_seq: int = -1
    head_hash: str
    head_sender: str = ""
    valid_until_s: int
    terms_json: str = ""
    """Terms that were accepted."""
    price_e18: str = "0"
    epsilon_micros: int = 0
    buyer_signature: str = ""
    seller_signature: str = ""
    reason: str = ""
    detail: str = ""
    quality_json: str = ""
    is_settled: bool = False
    """Whether the agreement was found on chain."""


class NegotiationStep(SQLModel, table=True):
    """One step as it was sent or received: the evidence of how terms came about."""

    __tablename__ = "negotiation_step"

    negotiation_id: str = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    kind: str
    sender: str
    step_hash: str
    body: str


TABLES: Final[tuple[type[SQLModel], ...]] = (NegotiationRow, NegotiationStep)
"""To be opened with the mailbox."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """Terms that both sides signed: what ``createAgreement`` takes."""

    negotiation_id: str
    terms: Terms
    buyer_signature: bytes
    seller_signature: bytes
    quality: DealQuality


def bargain_of(row: NegotiationRow) -> Bargain:
    """Return the state of bargaining that a row holds."""
    return Bargain(
        position=Position.from_json(json.loads(row.position_json)),
        frame=read_terms(row.frame_json),
        max_rounds=row.max_rounds,
        mine=_points(row.mine_json),
        theirs=_points(row.theirs_json),
    )


def keep_bargain(row: NegotiationRow, bargain: Bargain) -> None:
    """Write the state of bargaining into a row."""
    row.frame_json = write_terms(bargain.frame)
    row.position_json = json.dumps(bargain.position.to_json())
    row.mine_json = _points_json(bargain.mine)
    row.theirs_json = _points_json(bargain.theirs)


def keep_terms(row: NegotiationRow, terms: Terms) -> None:
    """Write the accepted terms into a row."""
    row.terms_json = write_terms(terms)
    row.price_e18 = str(terms.price_e18)
    row.epsilon_micros = terms.epsilon_micros


def head_of(row: NegotiationRow) -> ChainHead:
    """Return where the chain of a negotiation ends."""
    return ChainHead(row.head_seq, row.head_hash, row.head_sender)


def keep_head(row: NegotiationRow, head: ChainHead) -> None:
    """Write where the chain of a negotiation ends."""
    row.head_seq, row.head_hash, row.head_sender = head.seq, head.hash, head.sender


def deal_of(row: NegotiationRow) -> Deal:
    """Return the deal of an agreed negotiation."""
    return Deal(
        negotiation_id=row.negotiation_id,
        terms=read_terms(row.terms_json),
        buyer_signature=bytes.fromhex(row.buyer_signature[2:]),
        seller_signature=bytes.fromhex(row.seller_signature[2:]),
        quality=DealQuality(**json.loads(row.quality_json)),
    )


def deals(session: Session, *, side: str, job: str = "") -> list[Deal]:
    """Return the deals of one side, of one job (0x hex) or of all."""
    statement = select(NegotiationRow).where(NegotiationRow.side == side, NegotiationRow.state == "agreed")
    if job:
        statement = statement.where(NegotiationRow.job == job)
    return [deal_of(row) for row in session.exec(statement)]


def committed_e18(session: Session, kind: Kind | None, *, now_s: int) -> tuple[int, int]:
    """Return what a buyer has signed to pay, in 1e-18 credit, and in how many agreements.

    A deal that failed after we signed counts until the signature is void: its seller could still use it.
    """
    statement = select(NegotiationRow.price_e18).where(
        NegotiationRow.side == "buyer",
        NegotiationRow.buyer_signature != "",
        or_(NegotiationRow.state == "agreed", NegotiationRow.valid_until_s >= now_s),
    )
    if kind is not None:
        statement = statement.where(NegotiationRow.kind == int(kind))
    prices = [int(price) for price in session.exec(statement)]
    return sum(prices), len(prices)


def reserved_epsilon_micros(session: Session) -> int:
    """Return the epsilon of a seller's signed deals that were not found on chain yet."""
    statement = select(NegotiationRow.epsilon_micros).where(
        NegotiationRow.side == "seller",
        NegotiationRow.state == "agreed",
        col(NegotiationRow.is_settled).is_(False),
    )
    return sum(session.exec(statement))


def open_with(session: Session, buyer: str) -> int:
    """Return how many negotiations of a buyer with us as the seller are not over."""
    statement = select(NegotiationRow.negotiation_id).where(
        NegotiationRow.side == "seller",
        NegotiationRow.peer == buyer,
        col(NegotiationRow.state).in_((*OPEN, "agreed")),
        col(NegotiationRow.is_settled).is_(False),
    )
    return len(session.exec(statement).all())


def _points(text: str) -> tuple[Point, ...]:
    return tuple(Point(*values) for values in json.loads(text))


def _points_json(points: Sequence[Point]) -> str:
    return json.dumps([[point.price_e18, point.epsilon_micros, point.deadline_s] for point in points])
