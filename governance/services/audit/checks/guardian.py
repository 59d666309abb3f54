"""The guardian: who it was when, and that it stopped nothing that it may not stop."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from governance.domain.market import Address
from governance.domain.release import ProposalState
from governance.domain.signing import read_short_text
from governance.ports import Event
from governance.services import reading
from governance.services.audit.ballots import NOBODY, Power, Proposal, read_power, read_proposals
from governance.services.audit.checks.amendments import RATIFY, STAGE, activated_calls
from governance.services.audit.checks.votes import may_propose, name_of
from governance.services.audit.context import Context, place
from governance.services.audit.report import Examination
from governance.services.audit.timeline import Moment, moment_of

WHERE: Final = "ReleaseRegistry"
SET_GUARDIAN: Final = keccak(b"setGuardian(address)")[:4]
TAKINGS: Final = {
    "OrganisationAdmitted": ("member", "operator"),
    "MemberChanged": ("member",),
    "OperatorChanged": ("operator",),
    "AgentBound": ("agent",),
}
"""Events by which a key becomes an organisation's, and where they name it."""
LIVE: Final = (ProposalState.PENDING, ProposalState.ACTIVE, ProposalState.SUCCEEDED, ProposalState.QUEUED)


def check_guardian(context: Context, exam: Examination) -> None:
    """Require that each guardian came by two votes, held no other key, and cancelled only what it might."""
    named = list(context.events(WHERE, "GuardianChanged"))
    if not exam.holds(WHERE, "a guardian was named", condition=bool(named)):
        return
    _check_office(context, exam, named)
    _check_keys(context, exam, named)
    proposals, power = read_proposals(context), read_power(context)
    stops = {reading.number(event.values["proposalId"]): event for event in context.events(WHERE, "VoteStopped")}
    for key, stop in stops.items():
        known = proposals.get(key)
        cancelled = known is not None and known.canceled is not None
        if exam.holds(place(stop), "the proposal it is about was cancelled", condition=cancelled) and known is not None:
            exam.remark(_told(stop, name_of(known)))
    for proposal in proposals.values():
        if proposal.canceled is None:
            continue
        if proposal.id in stops:
            _check_stop(context, exam, proposal, stop=stops[proposal.id], power=power, named=named)
        else:
            _check_own(context, exam, proposal)
    _check_repeats(context, exam, proposals, stopped=set(stops), power=power)


def _told(stop: Event, what: str) -> str:
    reason = read_short_text(reading.raw(stop.values["reason"]))
    why = f"“{reason}”" if reason else "no reason given"
    return f"the guardian {stop.values['guardian']} stopped {what} in block {stop.block}: {why}"


def _check_office(context: Context, exam: Examination, named: Sequence[Event]) -> None:
    carried = {(transaction, call) for transaction, _, call in activated_calls(context)}
    for event in named[1:]:
        call = SET_GUARDIAN + encode(["address"], [event.values["guardian"]])
        voted = (event.transaction, call) in carried
        exam.holds(place(event), "a change that was staged by vote and waited", condition=voted)
    last = named[-1].values["guardian"]
    context.state(exam, WHERE, "guardian", expected=last, call=(WHERE, "guardian"))
    governor = "ModelGovernor"
    context.state(exam, governor, "who may stop proposals", expected=last, call=(governor, "proposalGuardian"))


def _check_keys(context: Context, exam: Examination, named: Sequence[Event]) -> None:
    taken: dict[Address, Moment] = {}
    for event in context.events("AgentRegistry", *TAKINGS):
        guardian = guardian_before(named, moment_of(event))
        for field in TAKINGS[event.name]:
            key = reading.address(event.values[field])
            taken.setdefault(key, moment_of(event))
            exam.holds(place(event), f"the guardian is no {field}", condition=key != guardian, found=key)
    for event in named:
        key = reading.address(event.values["guardian"])
        held = key in taken and taken[key] < moment_of(event)
        exam.holds(place(event), "the guardian was no key of an organisation", condition=not held, found=key)


def guardian_before(named: Sequence[Event], moment: Moment) -> Address:
    """Return who held the office just before a moment."""
    index = bisect_left(named, moment, key=moment_of)
    return reading.address(named[index - 1].values["guardian"]) if index else NOBODY


def _check_stop(
    context: Context, exam: Examination, proposal: Proposal, *, stop: Event, power: Power, named: Sequence[Event]
) -> None:
    where = f"{name_of(proposal)}, stopped in {place(stop)}"
    holder = guardian_before(named, moment_of(stop))
    exam.equal(where, "who stopped it", expected=holder, found=stop.values["guardian"])
    state = replace(proposal, canceled=None).state_at(context.time_s(stop), power)
    exam.holds(where, "it had neither failed nor been carried out", condition=state in LIVE, found=state.name)
    replaces = replaces_guardian(context, proposal)
    exam.holds(where, "it did more than replace the guardian", condition=not replaces)


def _check_own(context: Context, exam: Examination, proposal: Proposal) -> None:
    if proposal.canceled is None:
        return
    where = f"{name_of(proposal)}, cancelled in {place(proposal.canceled)}"
    early = context.time_s(proposal.canceled) <= proposal.start_s
    exam.holds(where, "its proposer took it back before the vote", condition=early)
    exam.holds(where, "it asked for no release", condition=not proposal.routine)


def _check_repeats(
    context: Context, exam: Examination, proposals: dict[int, Proposal], *, stopped: set[int], power: Power
) -> None:
    for release in context.records.releases.values():
        asked = [reading.number(event.values["proposalId"]) for event in release.proposals]
        if len(asked) < 2:
            continue
        where = f"votes on release 0x{release.id.hex()}"
        exam.equal(where, "at most two", expected=2, found=len(asked))
        exam.holds(where, "the guardian stopped the first", condition=asked[0] in stopped)
        exam.holds(where, "nobody stopped the second", condition=asked[1] not in stopped)
        second = proposals.get(asked[1])
        asked_by_member = second is not None and may_propose(context, second, power)
        exam.holds(where, "a member asked for the second", condition=asked_by_member)


def replaces_guardian(context: Context, proposal: Proposal) -> bool:
    """Say whether every call of a proposal is a step to another guardian (``Amendments.replacesGuardian``)."""
    staged = {
        reading.raw(event.values["id"]): (reading.address(event.values["target"]), reading.raw(event.values["call"]))
        for event in context.events("Amendments", "Staged")
    }
    here, registry = context.address("Amendments"), context.address(WHERE)

    def step(call: bytes) -> bool:
        if call[:4] == RATIFY and len(call) == 4 + 64:
            target, change = staged.get(call[4:36], (NOBODY, b""))
            return target == registry and change[:4] == SET_GUARDIAN
        change = SET_GUARDIAN + call[104:136]
        return len(call) == 164 and call == STAGE + encode(["address", "bytes"], [registry, change])

    return all(target == here for target in proposal.targets) and all(step(call) for call in proposal.calldatas)
