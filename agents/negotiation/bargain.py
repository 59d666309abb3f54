"""One side's view of one negotiation: pure, so that every rule of it can be tested without a network.

The buyer opens; then both propose in turn, each at most ``max_rounds`` times. A seller agrees by repeating
the buyer's terms; a buyer agrees by accepting. Every negotiation therefore ends after at most
2 × ``max_rounds`` proposals.
"""

from dataclasses import dataclass, replace

from agents.negotiation.errors import BadStep
from agents.negotiation.judgement import Objection, Reason, Veto, judge, point_of, same_frame, with_point
from agents.negotiation.position import FULL, Point, Position, Side
from agents.negotiation.tactics import proposals, target
from governance.domain.market import Terms


@dataclass(frozen=True, slots=True)
class Propose:
    """Say these terms."""

    terms: Terms


@dataclass(frozen=True, slots=True)
class Agree:
    """Take the other side's terms."""

    terms: Terms


@dataclass(frozen=True, slots=True)
class Leave:
    """End the negotiation."""

    objection: Objection


Move = Propose | Agree | Leave


@dataclass(frozen=True, slots=True, kw_only=True)
class Bargain:
    """Where one negotiation stands for one side."""

    position: Position
    frame: Terms
    """All terms that are not negotiated."""
    max_rounds: int
    mine: tuple[Point, ...] = ()
    theirs: tuple[Point, ...] = ()

    def open(self, veto: Veto) -> "tuple[Bargain, Move]":
        """Make the first proposal: what this side would like best."""
        return _counter(self, veto)

    def answer(self, terms: Terms, veto: Veto) -> "tuple[Bargain, Move]":
        """Judge the other side's proposal (policy, mandate, utility) and choose the reply.

        Raises
        ------
        BadStep
            If the terms change what is not negotiated, or the other side proposes too often.
        """
        if not same_frame(terms, self.frame):
            raise BadStep("the other side changed terms that are not negotiated")
        if len(self.theirs) >= self.max_rounds:
            raise BadStep(f"the other side proposed more than {self.max_rounds} times")
        # With the other side's point counted, the engine knows it when it trades off.
        bargain = replace(self, theirs=(*self.theirs, point_of(terms)))
        objection = judge(terms, self.position, veto)
        if objection is None and _accepts(bargain, terms):
            return _agree(bargain, terms)
        return _counter(bargain, veto, objection)

    @property
    def last_proposal(self) -> Terms | None:
        """What this side proposed last."""
        return with_point(self.frame, self.mine[-1]) if self.mine else None

    @property
    def rounds(self) -> int:
        """Proposals of the side that made more."""
        return max(len(self.mine), len(self.theirs))


def _accepts(bargain: Bargain, terms: Terms) -> bool:
    position, point, elapsed = bargain.position, point_of(terms), _elapsed(bargain)
    # Our own last words come back to us: the other side agreed to them.
    if elapsed >= FULL or (bargain.mine and point == bargain.mine[-1]):
        return True
    return position.utility(point) >= target(position, elapsed)


def _agree(bargain: Bargain, terms: Terms) -> tuple[Bargain, Move]:
    if bargain.position.side is Side.BUYER:
        return bargain, Agree(terms)
    return replace(bargain, mine=(*bargain.mine, point_of(terms))), Propose(terms)


def _counter(bargain: Bargain, veto: Veto, objection: Objection | None = None) -> tuple[Bargain, Move]:
    if len(bargain.mine) < bargain.max_rounds:
        for point in proposals(bargain.position, bargain.theirs, _elapsed(bargain)):
            terms = with_point(bargain.frame, point)
            if judge(terms, bargain.position, veto) is None:
                return replace(bargain, mine=(*bargain.mine, point)), Propose(terms)
    return bargain, Leave(objection or Objection(Reason.NO_ZONE, "no terms suit both sides"))


def _elapsed(bargain: Bargain) -> int:
    return len(bargain.mine) * FULL // (bargain.max_rounds - 1)
