"""Factories for negotiations, with defaults that have a zone of agreement."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from agents.negotiation.bargain import Agree, Bargain, Leave, Move, Propose
from agents.negotiation.judgement import Veto, point_of
from agents.negotiation.mandate import BuyerMandate, SellerMandate, Tactic
from agents.negotiation.position import Need, Point, Position, Span, Supply, buyer_position, seller_position
from governance.domain.market import AggregationPrivacy, Kind, PrivacyUnit, Terms

CREDIT = 10**18
MICROS = 10**6
NOW_S = 1_000_000
BUYER = "0x1a642f0E3c3aF545E7AcBD38b07251B3990914F1"
SELLER = "0x5050A4F4b3f9338C3472dcC01A87C76A144b3c9c"


def no_veto(_terms: Terms) -> str:
    return ""


def frame(**changes: Any) -> Terms:
    terms = Terms(
        kind=Kind.DATA,
        buyer=BUYER,
        seller=SELLER,
        job=b"\x01" * 32,
        price_e18=0,
        units=10,
        epsilon_micros=0,
        delta_e12=10**7,
        privacy_unit=PrivacyUnit.RECORD,
        aggregation_privacy=AggregationPrivacy.CLEAR,
        rows=50,
        data_root=bytes(32),
        purposes=0b1,
        compute_seconds=0,
        withdrawal_blocks=True,
        deadline_s=0,
        valid_until_s=NOW_S + 86_400,
        nonce=1,
    )
    return replace(terms, **changes)


def seller_mandate(*, floor: int = 40, tactic: Tactic = Tactic.LINEAR, **changes: Any) -> SellerMandate:
    mandate = SellerMandate(
        floors_e18={Kind.DATA: floor * CREDIT},
        max_epsilon_micros=8 * MICROS,
        lifetime_epsilon_micros=16 * MICROS,
        purposes=0b11,
        until_s=NOW_S + 10**7,
        tactic=tactic,
    )
    return replace(mandate, **changes)


def buyer_mandate(*, most: int = 150, tactic: Tactic = Tactic.LINEAR, **changes: Any) -> BuyerMandate:
    mandate = BuyerMandate(
        max_spend_e18={Kind.DATA: 1000 * CREDIT},
        max_price_e18={Kind.DATA: most * CREDIT},
        max_agreements=10,
        purposes=0b1,
        until_s=NOW_S + 10**7,
        tactic=tactic,
    )
    return replace(mandate, **changes)


def need(**changes: Any) -> Need:
    wanted = Need(
        frame=frame(),
        epsilon_micros=Span(2 * MICROS, 8 * MICROS),
        deadline_s=Span(NOW_S + 10_000, NOW_S + 20_000),
    )
    return replace(wanted, **changes)


def supply(**changes: Any) -> Supply:
    return replace(
        Supply(rows=100, data_root=b"\x02" * 32, epsilon_left_micros=16 * MICROS, earliest_s=NOW_S + 12_000), **changes
    )


@dataclass
class Talk:
    """How a whole negotiation went."""

    end: Move
    said: list[tuple[str, Terms]]
    seller: Position
    buyer: Position

    @property
    def deal(self) -> Terms | None:
        return self.end.terms if isinstance(self.end, Agree) else None

    @property
    def point(self) -> Point:
        assert self.deal is not None
        return point_of(self.deal)


def talk(
    seller: SellerMandate,
    buyer: BuyerMandate,
    *,
    max_rounds: int = 12,
    wanted: Need | None = None,
    has: Supply | None = None,
    veto: Veto = no_veto,
    listen: Callable[[str, Terms], None] = lambda _who, _terms: None,
) -> Talk:
    """Let two positions bargain to the end."""
    wanted, has = wanted or need(), has or supply()
    ours = buyer_position(buyer, wanted, left_e18=buyer.max_spend_e18[Kind.DATA])
    buying, move = Bargain(position=ours, frame=wanted.frame, max_rounds=max_rounds).open(veto)
    if isinstance(move, Leave):
        return Talk(move, [], ours, ours)
    assert isinstance(move, Propose)
    full = replace(move.terms, rows=has.rows, data_root=has.data_root)
    theirs = seller_position(seller, has, full)
    selling = Bargain(position=theirs, frame=full, max_rounds=max_rounds)
    buying = replace(buying, frame=full)
    said = [("buyer", full)]
    while True:
        listen(*said[-1])
        selling, move = selling.answer(said[-1][1], veto)
        if not isinstance(move, Propose):
            return Talk(move, said, theirs, ours)
        said.append(("seller", move.terms))
        listen(*said[-1])
        buying, move = buying.answer(move.terms, veto)
        if not isinstance(move, Propose):
            return Talk(move, said, theirs, ours)
        said.append(("buyer", move.terms))
