"""How releases stand after their decision, as events tell it: suspended, revoked, recalled, and by their parents."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from governance.domain.release import Reason, RefusalReason, Status
from governance.ports import Event
from governance.services import reading
from governance.services.audit.consents import was_withdrawn
from governance.services.audit.context import Context
from governance.services.audit.records import Release

WHERE: Final = "ReleaseRegistry"
STEPS: Final = ("Suspended", "SuspensionLifted", "Rechecked", "Revoked", "Recalled")
NOTHING: Final = b"\0" * 32


@dataclass(slots=True, kw_only=True)
class Standing:
    """A candidate or release, decision and all."""

    status: Status
    """As it is stored: what suspends a release is told apart."""
    refusal: RefusalReason = RefusalReason.NONE
    withdrawn: bool = False
    """Consent was withdrawn by somebody whose terms give a veto."""
    fails_policy: bool = False
    suspended_until_s: int = 0
    parent: bytes = NOTHING

    def stopped(self, now_s: int) -> Reason:
        """Return what stops a release by itself, its parents aside."""
        if self.withdrawn:
            return Reason.WITHDRAWAL
        if self.fails_policy:
            return Reason.POLICY
        return Reason.GUARDIAN if now_s < self.suspended_until_s else Reason.NONE


def read_standings(context: Context) -> dict[bytes, Standing]:
    """Return how every candidate stands after all events."""
    found = {key: _decided(release) for key, release in context.records.releases.items()}
    for key, standing in found.items():
        standing.withdrawn = was_withdrawn(context, key)
    for event in context.events(WHERE, *STEPS):
        concerned = found.get(reading.raw(event.values["id"]))
        if concerned is not None:
            _note(concerned, event, context.time_s(event))
    return found


def stands(standings: Mapping[bytes, Standing], release: bytes, now_s: int) -> tuple[Status, Reason]:
    """Return what ``ReleaseRegistry.standing`` answers at a moment of chain time."""
    own = standings[release]
    if own.status is Status.REFUSED:
        return own.status, Reason(int(own.refusal))
    if own.status in (Status.REVOKED, Status.RECALLED):
        return own.status, Reason.MEMBERS
    if own.status is not Status.RELEASED:
        return own.status, Reason.NONE
    reason, line = own.stopped(now_s), own
    seen = {release}
    while reason is Reason.NONE and line.parent != NOTHING and line.parent not in seen:
        seen.add(line.parent)
        line = standings.get(line.parent, Standing(status=Status.NONE))
        if line.status is not Status.RELEASED or line.stopped(now_s) is not Reason.NONE:
            reason = Reason.PARENT
    return (Status.RELEASED if reason is Reason.NONE else Status.SUSPENDED), reason


def _decided(release: Release) -> Standing:
    decided, parent = release.decided, release.manifest.parent
    if decided is None:
        return Standing(status=Status.CANDIDATE, parent=parent)
    status = Status[decided.name.upper()]
    refused = status is Status.REFUSED
    refusal = RefusalReason(reading.number(decided.values["reason"])) if refused else RefusalReason.NONE
    return Standing(status=status, refusal=refusal, parent=parent)


def _note(standing: Standing, event: Event, time_s: int) -> None:
    match event.name:
        case "Suspended":
            standing.suspended_until_s = reading.number(event.values["untilS"])
        case "SuspensionLifted":
            standing.suspended_until_s = time_s
        case "Rechecked":
            standing.fails_policy = not reading.flag(event.values["holds"])
        case "Revoked":
            standing.status = Status.REVOKED
        case _:
            standing.status = Status.RECALLED
