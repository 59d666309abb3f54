"""Keys that took another one's place, and suspensions: who asked, how long they waited, and what the members voted."""

from typing import Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from governance.ports import Event
from governance.services import reading
from governance.services.audit.context import Context, place
from governance.services.audit.report import Examination
from governance.services.audit.timeline import moment_of
from governance.services.audit.world import NO_CHANGE, KeyChange

WHERE: Final = "AgentRegistry"
DAY_S: Final = 86_400
AGENT_WAIT_S: Final = 2 * DAY_S
OPERATOR_WAIT_S: Final = 16 * DAY_S
WINDOW_S: Final = 30 * DAY_S
LONGEST_SUSPENSION_S: Final = 90 * DAY_S


def check_keys(context: Context, exam: Examination) -> None:
    """Replay every change of a key and every suspension."""
    for event in context.events(WHERE, "RotationAsked", "OperatorAsked"):
        wait_s = AGENT_WAIT_S if event.name == "RotationAsked" else OPERATOR_WAIT_S
        expected = context.time_s(event) + wait_s
        exam.equal(place(event), "its wait", expected=expected, found=event.values["fromS"])
        if event.name == "OperatorAsked":
            _check_asker(context, exam, event)
    for event in context.events(WHERE, "AgentRotated"):
        asked = context.world.rotations.before(moment_of(event), reading.address(event.values["agent"]))
        _check_due(context, exam, event, asked=asked, taken=event.values["next"])
        _check_unused(context, exam, event)
    for event in context.events(WHERE, "OperatorChanged"):
        number = reading.number(event.values["organisation"])
        asked = context.world.operator_changes.before(moment_of(event), number)
        _check_due(context, exam, event, asked=asked, taken=event.values["operator"])
    for event in context.events(WHERE, "OrganisationSuspended", "OrganisationReinstated"):
        _check_voted(context, exam, event)
    _check_now(context, exam)


def _check_asker(context: Context, exam: Examination, event: Event) -> None:
    where, number = place(event), reading.number(event.values["organisation"])
    known = context.world.organisations.before(moment_of(event), number)
    keys = (known.member, known.operator) if known else ()
    by = reading.address(event.values["by"])
    exam.holds(where, "its member or operator asked", condition=by in keys, found=by)
    before = context.world.operator_changes.before(moment_of(event), number) or NO_CHANGE
    overruled = before.by_member and known is not None and by != known.member
    exam.holds(where, "the operator changes nothing that the member asked for", condition=not overruled)


def _check_due(context: Context, exam: Examination, event: Event, *, asked: KeyChange | None, taken: object) -> None:
    where, change = place(event), asked or NO_CHANGE
    exam.equal(where, "the key that was announced", expected=change.next, found=taken)
    in_time = change.from_s <= context.time_s(event) <= change.from_s + WINDOW_S
    exam.holds(where, "after its wait, and in the 30 days from then on", condition=in_time)


def _check_unused(context: Context, exam: Examination, event: Event) -> None:
    """Require that the new key served nobody before, and that no other key stands in the old one's place already."""
    where, moment = place(event), moment_of(event)
    old, new = reading.address(event.values["agent"]), reading.address(event.values["next"])
    known = context.world.organisations
    keys = [each for number in known if (each := known.before(moment, number)) is not None]
    served = {key for each in keys for key in (each.member, each.operator)}
    fresh = context.world.agents.before(moment, new) is None and new not in served
    exam.holds(where, "a key that was never used takes the place", condition=fresh, found=new)
    earlier = [each for each in context.events(WHERE, "AgentRotated") if moment_of(each) < moment]
    taken = any(reading.address(each.values["agent"]) == old for each in earlier)
    exam.holds(where, "no other key stands in that place", condition=not taken, found=old)


def _check_voted(context: Context, exam: Examination, event: Event) -> None:
    where, number = place(event), event.values["organisation"]
    call = keccak(b"reinstate(uint32)")[:4] + encode(["uint32"], [number])
    if event.name == "OrganisationSuspended":
        until_s = reading.number(event.values["untilS"])
        left_s = until_s - context.time_s(event)
        exam.holds(where, "for 90 days at most", condition=0 < left_s <= LONGEST_SUSPENSION_S, found=left_s)
        arguments = [number, until_s, event.values["reason"]]
        call = keccak(b"suspend(uint32,uint64,bytes32)")[:4] + encode(["uint32", "uint64", "bytes32"], arguments)
        exam.remark(f"the members suspended organisation {number} until {until_s} (block {event.block})")
    made = [
        done.values["data"]
        for done in context.events("Timelock", "CallExecuted")
        if done.transaction == event.transaction and done.values["target"] == context.address(WHERE)
    ]
    exam.holds(where, "the members voted for it", condition=call in made)


def _check_now(context: Context, exam: Examination) -> None:
    world = context.world
    for agent in world.rotations:
        change = world.rotations.last(agent) or NO_CHANGE
        _compare(context, exam, f"agent {agent}", change=change, call=(WHERE, "rotation", agent))
    for number in world.organisations:
        change = world.operator_changes.last(number) or NO_CHANGE
        _compare(context, exam, f"organisation {number}", change=change, call=(WHERE, "operatorChange", number))


def _compare(context: Context, exam: Examination, where: str, *, change: KeyChange, call: tuple[object, ...]) -> None:
    expected = (change.next, change.from_s, change.by_member)
    context.state(exam, where, "key that is to come", expected=expected, call=call)
