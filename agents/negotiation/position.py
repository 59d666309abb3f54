"""Where a side stands: what it wants, what it must not go beyond, and what a proposal is worth to it.

Everything is in integers; a utility is in millionths, 0 at a side's limits and 1,000,000 at its wishes.
"""

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Final, Self

from agents.negotiation.mandate import BuyerMandate, SellerMandate, Tactic
from governance.domain.market import Kind, Terms

FULL: Final = 1_000_000
PRICE_LEVELS: Final = 41
EPSILON_LEVELS: Final = 8
DEADLINE_LEVELS: Final = 5
TENTH_OF_CENT_E18: Final = 10**15
HUNDREDTH_MICROS: Final = 10**4


class Side(StrEnum):
    """Who one is in a negotiation."""

    BUYER = "buyer"
    SELLER = "seller"


@dataclass(frozen=True, slots=True)
class Point:
    """What is negotiated; all other terms stand in the frame."""

    price_e18: int
    epsilon_micros: int
    deadline_s: int


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing to bargain over."""

    worst: int
    """Limit of this side: not to be crossed."""
    best: int
    """Wish of this side: where it opens; better is welcome and worth no more."""
    weight: int
    wants_more: bool
    """Direction of the wish; limit and wish may coincide and cannot tell."""
    step: int = 1
    """Proposals between the two are multiples of it."""

    def allows(self, value: int) -> bool:
        """Say whether a value does not cross the limit."""
        return value >= self.worst if self.wants_more else value <= self.worst

    def worth(self, value: int) -> int:
        """Return 0 to 1,000,000: how near a value is to the wish."""
        if self.best == self.worst:
            return FULL if self.allows(value) else 0
        share = (value - self.worst) * FULL // (self.best - self.worst)
        return max(0, min(FULL, share))

    def levels(self, count: int) -> tuple[int, ...]:
        """Return at most ``count`` values from limit to wish, both included."""
        if self.best == self.worst:
            return (self.worst,)
        between = (
            (self.worst + (self.best - self.worst) * place // (count - 1)) // self.step * self.step
            for place in range(1, count - 1)
        )
        kept = {value for value in between if self.worth(value) > 0 and self.allows(value)}
        return tuple(sorted({self.worst, self.best} | kept))


@dataclass(frozen=True, slots=True)
class Span:
    """What a job can live with, both ends included."""

    least: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a buyer is looking for."""

    frame: Terms
    """All that is not negotiated; ``rows`` says how many are needed at least, and the seller names its own."""
    epsilon_micros: Span
    deadline_s: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """What a seller has for one demand."""

    rows: int = 0
    data_root: bytes = bytes(32)
    epsilon_left_micros: int = 0
    """For life, less what is already promised."""
    earliest_s: int = 0
    """Chain time by which the work could be done at the earliest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One side's limits, wishes and weights in one negotiation; it never leaves the agent."""

    side: Side
    price: Issue
    epsilon: Issue
    deadline: Issue
    price_per_epsilon_e18: int
    min_rows: int
    tactic: Tactic

    def price_limit_e18(self, epsilon_micros: int) -> int:
        """Return the limit of the price at an epsilon, rounded against this side's temptation."""
        return self.price.worst - (-epsilon_micros * self.price_per_epsilon_e18 // FULL)

    def broken_limit(self, terms: Terms) -> str:
        """Return which limit terms cross, in words without the limit itself; empty when none."""
        price = replace(self.price, worst=self.price_limit_e18(terms.epsilon_micros))
        checks = (
            (price.allows(terms.price_e18), "price"),
            (self.epsilon.allows(terms.epsilon_micros), "epsilon"),
            (self.deadline.allows(terms.deadline_s), "deadline"),
            (terms.rows >= self.min_rows, "rows"),
        )
        return next((name for holds, name in checks if not holds), "")

    def utility(self, point: Point) -> int:
        """Return what a point is worth, 0 to 1,000,000; 0 also for what crosses a limit."""
        floor_e18 = self.price_limit_e18(point.epsilon_micros)
        price = self.price.worth(point.price_e18 - (floor_e18 - self.price.worst))
        parts = (
            (self.price.weight, price),
            (self.epsilon.weight, self.epsilon.worth(point.epsilon_micros)),
            (self.deadline.weight, self.deadline.worth(point.deadline_s)),
        )
        total = sum(weight for weight, _ in parts)
        return sum(weight * worth for weight, worth in parts) // max(1, total)

    def points(self) -> tuple[Point, ...]:
        """Return everything this side may propose."""
        return tuple(
            Point(price, epsilon, deadline)
            for epsilon in self.epsilon.levels(EPSILON_LEVELS)
            for price in self._prices(epsilon)
            for deadline in self.deadline.levels(DEADLINE_LEVELS)
        )

    def last_resort(self) -> Point:
        """Return this side's limit on every issue: the most it may give."""
        epsilon = self.epsilon.worst
        return Point(self.price_limit_e18(epsilon), epsilon, self.deadline.worst)

    def to_json(self) -> dict[str, object]:
        """Return the position as JSON values, for the agent's own database only."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, object]) -> Self:
        """Read what :meth:`to_json` wrote."""
        issues = {name: Issue(**document[name]) for name in ("price", "epsilon", "deadline")}  # type: ignore[arg-type]
        rest = {name: value for name, value in document.items() if name not in issues}
        rest |= {"side": Side(str(rest["side"])), "tactic": Tactic(str(rest["tactic"]))}
        return cls(**issues, **rest)  # type: ignore[arg-type]

    def _prices(self, epsilon_micros: int) -> tuple[int, ...]:
        limit = self.price_limit_e18(epsilon_micros)
        if self.side is Side.BUYER:
            return self.price.levels(PRICE_LEVELS)
        return replace(self.price, worst=limit, best=max(limit, self.price.best)).levels(PRICE_LEVELS)


@lru_cache(maxsize=64)
def outcomes(position: Position) -> tuple[tuple[int, Point], ...]:
    """Return everything a side may propose with what it is worth to it."""
    return tuple((position.utility(point), point) for point in position.points())


def buyer_position(mandate: BuyerMandate, need: Need, *, left_e18: int) -> Position:
    """Return where a buyer stands: low price, much epsilon, an early deadline.

    Parameters
    ----------
    left_e18
        What may still be spent on this kind, in 1e-18 credit.
    """
    kind = need.frame.kind
    most = min(left_e18, mandate.max_price_e18.get(kind, left_e18), mandate.max_spend_e18.get(kind, 0))
    target = min(most, mandate.target_price_e18.get(kind, _round_below(most)))
    weights = mandate.weights
    return Position(
        side=Side.BUYER,
        price=Issue(most, target, weights.get("price", 0), wants_more=False, step=TENTH_OF_CENT_E18),
        epsilon=_more(need.epsilon_micros.least, need.epsilon_micros.most, weights.get("epsilon", 0)),
        deadline=_less(need.deadline_s.most, need.deadline_s.least, weights.get("deadline", 0)),
        price_per_epsilon_e18=0,
        min_rows=need.frame.rows,
        tactic=mandate.tactic,
    )


def seller_position(mandate: SellerMandate, supply: Supply, demand: Terms) -> Position:
    """Return where a seller stands: high price, little epsilon, a late deadline.

    Parameters
    ----------
    demand
        The buyer's opening terms: its wish for epsilon and deadline.
    """
    floor = mandate.floors_e18[demand.kind]
    is_data = demand.kind is Kind.DATA
    per_epsilon = mandate.price_per_epsilon_e18 if is_data else 0
    cap = min(mandate.max_epsilon_micros, supply.epsilon_left_micros, demand.epsilon_micros) if is_data else 0
    latest_floor = floor + per_epsilon * cap // FULL
    ask = max(latest_floor, mandate.asks_e18.get(demand.kind, _round_above(latest_floor)))
    soonest = max(supply.earliest_s, demand.deadline_s)
    weights = mandate.weights
    return Position(
        side=Side.SELLER,
        price=Issue(floor, ask, weights.get("price", 0), wants_more=True, step=TENTH_OF_CENT_E18),
        epsilon=replace(_less(cap, -(-cap // 8), weights.get("epsilon", 0)), step=HUNDREDTH_MICROS),
        deadline=_more(soonest, soonest + 3600, weights.get("deadline", 0)),
        price_per_epsilon_e18=per_epsilon,
        min_rows=0,
        tactic=mandate.tactic,
    )


def _more(worst: int, best: int, weight: int) -> Issue:
    # Where nothing can move there is nothing to weigh.
    return Issue(worst, best, weight if worst != best else 0, wants_more=True)


def _less(worst: int, best: int, weight: int) -> Issue:
    return Issue(worst, best, weight if worst != best else 0, wants_more=False)


def _round_above(amount_e18: int) -> int:
    """Return 1, 2 or 5 times a power of ten, at least twice the amount.

    Coarse on purpose: an opening price computed from the floor must not give the floor away.
    """
    return _round_figures(2 * amount_e18, above=True)


def _round_below(amount_e18: int) -> int:
    """Return 1, 2 or 5 times a power of ten, at most half the amount."""
    return _round_figures(amount_e18 // 2, above=False)


def _round_figures(amount: int, *, above: bool) -> int:
    if amount <= 0:
        return 0
    power: int = 10 ** (len(str(amount)) - 1)
    figures = [power * digit for digit in (1, 2, 5, 10)]
    return (
        next(figure for figure in figures if figure >= amount)
        if above
        else max(figure for figure in figures if figure <= amount)
    )
