"""How a side chooses its next proposal: a target that falls with time, and trade-offs at that target.

Time-dependent tactics are those of Faratin, Sierra and Jennings, "Negotiation decision functions for
autonomous agents" (Robotics and Autonomous Systems 24, 1998), section 3.1, with the exponents 4, 1 and 1/4.
The trade-off is theirs of 2002 ("Using similarity criteria to make issue trade-offs", Artificial
Intelligence 142) in a simple form: among proposals that are worth about the same to us, the one nearest to
what the other side keeps asking for, by a frequency model that ages.
"""

from collections.abc import Iterator, Sequence
from math import isqrt

from agents.negotiation.mandate import Tactic
from agents.negotiation.position import FULL, Point, Position, outcomes

BAND = 50_000
"""Proposals within five hundredths of the target count as worth the same."""
NEWEST, OLDEST = 100, 30
"""Weights of the other side's first and latest proposal: what it asked first it wants most."""


def conceded(tactic: Tactic, elapsed: int) -> int:
    """Return the share of the way from wish to limit that is given up, 0 to 1,000,000.

    Parameters
    ----------
    elapsed
        Share of the time that is over, 0 to 1,000,000.
    """
    elapsed = max(0, min(FULL, elapsed))
    if tactic is Tactic.BOULWARE:
        return int(elapsed**4 // FULL**3)
    if tactic is Tactic.CONCEDER:
        return isqrt(isqrt(elapsed * FULL**3))
    return elapsed


def target(position: Position, elapsed: int) -> int:
    """Return the utility that a side insists on at a moment."""
    worths = [worth for worth, _ in outcomes(position)]
    best, worst = max(worths), min(worths)
    return best - (best - worst) * conceded(position.tactic, elapsed) // FULL


def proposals(position: Position, theirs: Sequence[Point], elapsed: int) -> Iterator[Point]:
    """Yield what to propose at a moment, the preferred first; at the end of time our limits.

    Parameters
    ----------
    theirs
        What the other side proposed, oldest first.
    elapsed
        Share of the time that is over, 0 to 1,000,000.
    """
    if elapsed >= FULL:
        # Both sides want opposite things on every issue, so that our limits are what they like best.
        yield position.last_resort()
    everything = outcomes(position)
    goal = target(position, elapsed)
    good = [(worth, point) for worth, point in everything if worth >= goal]
    floor = min(worth for worth, _ in good)
    near = [point for worth, point in good if worth <= floor + BAND]
    model = OpponentModel([point for _, point in everything], theirs)
    yield from sorted(near, key=lambda point: (-model.score(point), position.utility(point), point.price_e18))
    yield from (point for worth, point in sorted(good, key=_by_worth) if worth > floor + BAND)
    # Only a veto of all the above brings us here: what is worth less than the target, the best first.
    yield from (point for worth, point in sorted(everything, key=_by_worth, reverse=True) if worth < goal)


class OpponentModel:
    """Guesses what the other side likes from how often it asked for it.

    Each issue scores the levels near to what was asked, by half per step of distance; an issue on which the
    other side never moves counts for more.
    """

    def __init__(self, points: Sequence[Point], theirs: Sequence[Point]) -> None:
        self._issues = tuple(
            _Issue(sorted({pick(point) for point in points}), [pick(point) for point in theirs]) for pick in PICKS
        )

    def score(self, point: Point) -> int:
        """Return how much we believe the other side likes a point; only comparisons mean anything."""
        return sum(issue.score(pick(point)) for issue, pick in zip(self._issues, PICKS, strict=True))


class _Issue:
    def __init__(self, levels: Sequence[int], asked: Sequence[int]) -> None:
        self._levels = levels
        counts = [0] * len(levels)
        for place, value in enumerate(asked):
            age = OLDEST + (NEWEST - OLDEST) * (len(asked) - place) // len(asked)
            counts[self._nearest(value)] += age
        total = sum(counts)
        self._firmness = max(counts) * 100 // total if total else 0
        self._scores = [
            sum(count * 1024 >> min(abs(place - other), 20) for other, count in enumerate(counts))
            for place in range(len(levels))
        ]

    def score(self, value: int) -> int:
        top = max(self._scores)
        return self._firmness * self._scores[self._nearest(value)] * 1000 // top if top else 0

    def _nearest(self, value: int) -> int:
        return min(range(len(self._levels)), key=lambda place: abs(self._levels[place] - value))


def _by_worth(outcome: tuple[int, Point]) -> int:
    return outcome[0]


def _price(point: Point) -> int:
    return point.price_e18


def _epsilon(point: Point) -> int:
    return point.epsilon_micros


def _deadline(point: Point) -> int:
    return point.deadline_s


PICKS = (_price, _epsilon, _deadline)
