"""Cases of the court and their juries, as their events tell them."""

from dataclasses import dataclass, field

from governance.domain.market import Address
from governance.domain.release import MISSING
from governance.ports import Event
from governance.services import reading


@dataclass(slots=True, kw_only=True)
class Sitting:
    """One jury of a case: the first, or that of the appeal."""

    opened: Event
    """The opening of the case, or its appeal."""
    drawn: Event | None = None
    commits: dict[Address, Event] = field(default_factory=dict)
    reveals: dict[Address, Event] = field(default_factory=dict)
    final: Event | None = None
    settled: Event | None = None

    @property
    def jurors(self) -> list[Address]:
        """Return those who were drawn, in the order of the draw."""
        if self.drawn is None:
            return []
        return [reading.address(juror) for juror in reading.items(self.drawn.values["jurors"])]


@dataclass(slots=True, kw_only=True)
class Case:
    """A case of the court."""

    id: bytes
    job: bytes
    artifact: bytes
    roots: tuple[bytes, ...]
    excluded: tuple[int, ...]
    jury_size: int
    version: int
    """Of the settings that it was opened with."""
    sittings: list[Sitting]
    appeal_ended: Event | None = None
    lapsed: Event | None = None

    @property
    def opened(self) -> Event:
        """Return the event that opened it."""
        return self.sittings[0].opened

    @property
    def is_dispute(self) -> bool:
        """Say whether it answers a question instead of measuring rows."""
        return not self.roots

    @property
    def finals(self) -> list[Event]:
        """Return the results in order; the last one stands."""
        return [sitting.final for sitting in self.sittings if sitting.final is not None]

    @property
    def final(self) -> Event | None:
        """Return the result that stands."""
        return self.finals[-1] if self.finals else None

    @property
    def reveals(self) -> list[Event]:
        """Return what the jurors of all juries revealed."""
        return [event for sitting in self.sittings for event in sitting.reveals.values()]

    @property
    def served(self) -> set[Address]:
        """Return who revealed at least one value, in any jury."""
        return {reading.address(event.values["juror"]) for event in self.reveals if not is_abstention(event)}


def is_abstention(revealed: Event) -> bool:
    """Say whether a juror could give nothing at all."""
    return all(value == MISSING for value in reading.items(revealed.values["values"]))
