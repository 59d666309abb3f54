"""How a job's rounds are counted: one of statistics, then those of each candidate in turn."""

from dataclasses import dataclass
from typing import Literal

RoundKind = Literal["statistics", "update"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundName:
    """One round, as messages name it."""

    candidate: int
    index: int
    """Within the candidate, from 0."""
    kind: RoundKind

    def number(self, rounds_per_candidate: int) -> int:
        """Return the round's number on chain."""
        if self.kind == "statistics":
            return 0
        return 1 + self.candidate * rounds_per_candidate + self.index


def name_round(number: int, rounds_per_candidate: int) -> RoundName:
    """Return how messages name the round of this number on chain."""
    if number == 0:
        return RoundName(candidate=0, index=0, kind="statistics")
    candidate, index = divmod(number - 1, rounds_per_candidate)
    return RoundName(candidate=candidate, index=index, kind="update")
