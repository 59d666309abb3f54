"""How good a deal was: what one side can know by itself, and what both sides' positions tell a simulation."""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.negotiation.position import FULL, Point, Position


@dataclass(frozen=True, slots=True)
class DealQuality:
    """What an agent keeps about an agreement of its own; the figures never leave it."""

    rounds: int
    utility_micros: int
    """Worth of the deal to this side, 0 at its limits and 1,000,000 at its wishes."""
    opening_micros: int
    """Worth to this side of the other side's first proposal: what bargaining started from."""
    at_deadline: bool
    """Whether the last round was needed."""


@dataclass(frozen=True, slots=True)
class JointQuality:
    """What is known when both positions are: in a simulation, or before a mediator."""

    nash_ratio_micros: int
    """Product of both utilities over the largest product that any outcome has."""
    welfare_micros: int
    """Sum of both utilities."""
    is_pareto: bool
    """Whether no outcome is better for one side and not worse for the other."""


def deal_quality(
    position: Position, deal: Point, *, theirs: Sequence[Point], rounds: int, max_rounds: int
) -> DealQuality:
    """Return how good a deal is for one side.

    Parameters
    ----------
    theirs
        The other side's proposals, oldest first.
    """
    return DealQuality(
        rounds=rounds,
        utility_micros=position.utility(deal),
        opening_micros=position.utility(theirs[0]) if theirs else 0,
        at_deadline=rounds >= max_rounds,
    )


def joint_quality(seller: Position, buyer: Position, deal: Point) -> JointQuality:
    """Return how good a deal is for both, against all outcomes that either side might propose."""
    outcomes = {deal, *seller.points(), *buyer.points()}
    worths = [(seller.utility(point), buyer.utility(point)) for point in outcomes if _is_allowed(seller, buyer, point)]
    mine, yours = seller.utility(deal), buyer.utility(deal)
    best = max((one * other for one, other in worths), default=0)
    better = any(one >= mine and other >= yours and (one, other) != (mine, yours) for one, other in worths)
    return JointQuality(
        nash_ratio_micros=mine * yours * FULL // best if best else FULL,
        welfare_micros=mine + yours,
        is_pareto=not better,
    )


def _is_allowed(seller: Position, buyer: Position, point: Point) -> bool:
    return (
        all(
            side.epsilon.allows(point.epsilon_micros) and side.deadline.allows(point.deadline_s)
            for side in (seller, buyer)
        )
        and seller.price_limit_e18(point.epsilon_micros) <= point.price_e18 <= buyer.price.worst
    )
