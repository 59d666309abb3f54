"""The order of judgement for every proposal: policy veto, then mandate, then utility.

A proposal that breaks policy has no utility at all, however well it pays.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from agents.negotiation.mandate import SellerMandate
from agents.negotiation.position import Point, Position, Supply
from governance.domain.market import AggregationPrivacy, Kind, Terms

Veto = Callable[[Terms], str]
"""Asks the constitution about terms: the names of the rules they break, empty when none."""


class Reason(StrEnum):
    """Why a negotiation ends without an agreement; the code that travels."""

    POLICY = "policy"
    NOT_SOLD = "not_sold"
    PURPOSES = "purposes"
    MANDATE_OVER = "mandate_over"
    AGGREGATION_PRIVACY = "aggregation_privacy"
    EPSILON_SPENT = "epsilon_spent"
    ROWS = "rows"
    CONSENT = "consent"
    FRAME_CHANGED = "frame_changed"
    EXPIRED = "expired"
    SIGNATURE = "signature"
    BUDGET = "budget"
    NO_ZONE = "no_zone"
    """Neither side's limits were met in time."""


@dataclass(frozen=True, slots=True)
class Objection:
    """A reason, and a sentence for people that gives no limit away."""

    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AggregationWish:
    """What a job wants to do with updates, beside adding them."""

    owners: int
    robust_rule: bool = False
    """Median, trimmed mean, Krum and the like."""
    checks_each_update: bool = False
    """Norms, duplicates, scores of single updates."""


ROOM: Final = {AggregationPrivacy.GROUPED: 6}
"""Groups have at least three members and there must be two of them."""


def aggregation_conflict(privacy: AggregationPrivacy, wish: AggregationWish) -> str:
    """Return why an aggregation privacy contradicts what a job wants, or empty.

    Only sums leave a masked round, so nothing that looks at single updates is possible in it; groups allow
    it for groups. Everything but ``clear`` is refused by this version, whatever the wish.
    """
    if privacy is AggregationPrivacy.MASKED and (wish.robust_rule or wish.checks_each_update):
        return "masked updates can only be added: no robust rule and no check of single updates"
    if privacy is AggregationPrivacy.GROUPED and wish.checks_each_update:
        return "grouped updates hide the single one: no check of single updates"
    if wish.owners < ROOM.get(privacy, 1):
        return f"two groups of three need 6 owners, not {wish.owners}"
    if privacy is not AggregationPrivacy.CLEAR:
        return f"this version cannot aggregate {privacy.name.lower()} updates; ask for clear, protected by noise"
    return ""


def object_to_demand(mandate: SellerMandate, supply: Supply, demand: Terms, *, now_s: int) -> Objection | None:
    """Return why a seller does not even bargain about a demand, or None.

    Parameters
    ----------
    now_s
        Chain time.
    """
    conflict = aggregation_conflict(demand.aggregation_privacy, AggregationWish(owners=1))
    is_data = demand.kind is Kind.DATA
    checks = (
        (demand.kind not in mandate.floors_e18, Reason.NOT_SOLD, f"{demand.kind.word} is not sold here"),
        (now_s > mandate.until_s, Reason.MANDATE_OVER, "the seller's mandate is over"),
        (now_s > demand.valid_until_s, Reason.EXPIRED, "the demand is too old"),
        (
            not demand.purposes or demand.purposes & ~mandate.purposes != 0,
            Reason.PURPOSES,
            "a purpose is not allowed by the seller",
        ),
        (bool(conflict), Reason.AGGREGATION_PRIVACY, conflict),
        (
            mandate.withdrawal_blocks and is_data and not demand.withdrawal_blocks,
            Reason.CONSENT,
            "withdrawal must block",
        ),
        (supply.rows < demand.rows or supply.rows > mandate.max_rows, Reason.ROWS, "no rows for this demand"),
        (is_data and supply.epsilon_left_micros <= 0, Reason.EPSILON_SPENT, "no epsilon is left"),
        (is_data and demand.epsilon_micros <= 0, Reason.POLICY, "training needs an epsilon"),
        (demand.bond_e18 > 0, Reason.BUDGET, "no bond is put up here"),
    )
    return next((Objection(reason, detail) for holds, reason, detail in checks if holds), None)


def judge(terms: Terms, position: Position, veto: Veto) -> Objection | None:
    """Return why terms may not be agreed to, or None: policy first, then our own limits."""
    broken = veto(terms)
    if broken:
        return Objection(Reason.POLICY, f"breaks {broken}"[:200])
    limit = position.broken_limit(terms)
    # The issue is named, never the limit: reserve values do not leave the agent.
    return Objection(Reason.NO_ZONE, f"{limit} is out of reach") if limit else None


def point_of(terms: Terms) -> Point:
    """Return the negotiated part of terms."""
    return Point(terms.price_e18, terms.epsilon_micros, terms.deadline_s)


def with_point(frame: Terms, point: Point) -> Terms:
    """Return the frame with a point filled in."""
    return replace(
        frame,
        price_e18=point.price_e18,
        epsilon_micros=point.epsilon_micros,
        deadline_s=point.deadline_s,
    )


def same_frame(left: Terms, right: Terms) -> bool:
    """Say whether two terms differ in nothing but what is negotiated."""
    blank = Point(0, 0, 0)
    return with_point(left, blank) == with_point(right, blank)
