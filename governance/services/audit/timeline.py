"""Values as they stood at any moment of the chain's history."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from governance.ports import Event

K = TypeVar("K")
V = TypeVar("V")

Moment = tuple[int, int]
"""Block and index of a log in it."""


def moment_of(event: Event) -> Moment:
    """Return when an event happened."""
    return (event.block, event.log_index)


@dataclass(slots=True)
class Timeline(Generic[K, V]):
    """The values of each key, in the order in which they were set."""

    _steps: dict[K, list[tuple[Moment, V]]] = field(default_factory=dict)

    def set(self, moment: Moment, key: K, value: V) -> None:
        """Note a value; moments of a key must not run back."""
        self._steps.setdefault(key, []).append((moment, value))

    def before(self, moment: Moment, key: K) -> V | None:
        """Return the value that stood just before a moment."""
        steps = self._steps.get(key, [])
        place = bisect_left(steps, moment, key=lambda step: step[0])
        return steps[place - 1][1] if place else None

    def last(self, key: K) -> V | None:
        """Return the value that stands now."""
        steps = self._steps.get(key)
        return steps[-1][1] if steps else None

    def __iter__(self) -> Iterator[K]:
        """Yield all keys in the order in which they first appeared."""
        return iter(self._steps)
