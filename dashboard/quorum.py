"""When a proposal passes, in numbers and in words; the rules are those of ``ModelGovernor``."""

from dataclasses import dataclass
from enum import Enum


class ProposalClass(Enum):
    """How much agreement a proposal needs; read from its calldata by the contract."""

    ROUTINE = "routine"
    CONSTITUTIONAL = "constitutional"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Votes counted so far."""

    in_favour: int = 0
    against: int = 0
    abstain: int = 0

    @property
    def cast(self) -> int:
        """Votes of every kind."""
        return self.in_favour + self.against + self.abstain


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Where a vote stands against what its class asks."""

    kind: ProposalClass
    tally: Tally
    supply: int
    """Votes that exist at the snapshot."""
    routine_quorum_percent: int = 50

    @property
    def needed(self) -> int:
        """Least number of votes that the class counts: For + Abstain (routine), For (constitutional)."""
        if self.kind is ProposalClass.ROUTINE:
            return -(-self.supply * self.routine_quorum_percent // 100)
        return -(-2 * self.supply // 3)

    @property
    def counted(self) -> int:
        """Votes that count towards ``needed``."""
        if self.kind is ProposalClass.ROUTINE:
            return self.tally.in_favour + self.tally.abstain
        return self.tally.in_favour

    @property
    def missing(self) -> int:
        """Votes that still lack; zero once enough are there."""
        return max(self.needed - self.counted, 0)

    @property
    def passes(self) -> bool:
        """Say whether it would pass if voting ended now."""
        if self.kind is ProposalClass.CONSTITUTIONAL:
            return self.tally.in_favour > 0 and self.missing == 0
        return self.missing == 0 and self.tally.in_favour > self.tally.against

    def rule(self) -> str:
        """Say what the class asks."""
        if self.kind is ProposalClass.ROUTINE:
            return (
                f"Routine (the release of one candidate): {self.needed} of {self.supply} votes must be For or Abstain, "
                "and For must exceed Against."
            )
        return (
            f"Constitutional (everything but a release): {self.needed} of {self.supply} votes must be For. "
            "Staying away counts like Against."
        )

    def standing(self) -> str:
        """Say what still lacks."""
        words = "For or Abstain" if self.kind is ProposalClass.ROUTINE else "For"
        so_far = f"{self.counted} of the {self.needed} needed"
        if self.missing:
            return f"Needs {self.missing} more {_votes(self.missing)} {words}: {so_far}."
        if self.passes:
            return f"Has what it needs: {self.counted} {words}, {self.needed} needed."
        tally = self.tally
        return f"Quorum is reached, but For ({tally.in_favour}) does not exceed Against ({tally.against})."


def _votes(count: int) -> str:
    return "vote" if count == 1 else "votes"
