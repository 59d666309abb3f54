"""Changes that wait: staged by a vote, ratified by a second one where they must be, activated in their time."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak

from governance.domain.amendment import Amendment, AmendmentState
from governance.domain.market import Address
from governance.domain.policy import Direction
from governance.errors import ContractRefused, PolicyError
from governance.policy import changes_of, policy_from_chain
from governance.policy.encoding import SET_TYPE
from governance.ports import Event
from governance.services import reading
from governance.services.amendments import amendment_id, read_amendment
from governance.services.audit.ballots import read_proposals
from governance.services.audit.checks.constitution import policy_at
from governance.services.audit.context import Context, place
from governance.services.audit.report import Examination
from governance.services.audit.sources import AnswerMissing

WHERE: Final = "Amendments"
DAY_S: Final = 86_400
WINDOW_S: Final = 30 * DAY_S
AMEND: Final = keccak(text=f"amend({SET_TYPE})")[:4]
WAIT_S: Final = {Direction.TIGHTEN: 2 * DAY_S, Direction.LOOSEN: 14 * DAY_S, Direction.CONSTITUTIONAL: 30 * DAY_S}
LOOSENING: Final = frozenset(
    {
        ("AgentRegistry", keccak(b"admit(string,address,address)")[:4]),
        ("AgentRegistry", keccak(b"remove(uint32)")[:4]),
        ("AgentRegistry", keccak(b"setMember(uint32,address)")[:4]),
        ("AgreementBook", keccak(b"setFee(uint16)")[:4]),
    }
)
OVER: Final = frozenset({AmendmentState.WITHDRAWN, AmendmentState.ACTIVATED})
STAGE: Final = keccak(b"stage(address,bytes)")[:4]
RATIFY: Final = keccak(b"ratify(bytes32,bytes32)")[:4]
WITHDRAW: Final = keccak(b"withdraw(bytes32)")[:4]


@dataclass(frozen=True, slots=True)
class Change:
    """A staged change, replayed."""

    record: Amendment
    call: bytes
    staged: Event
    opened: Event | None = None


def activated_calls(context: Context) -> Iterator[tuple[str, Address, bytes]]:
    """Yield transaction, target and call of every change that was carried out."""
    staged = {event.values["id"]: event for event in context.events(WHERE, "Staged")}
    for event in context.events(WHERE, "Activated"):
        origin = staged.get(event.values["id"])
        if origin is not None:
            target, call = reading.address(origin.values["target"]), reading.raw(origin.values["call"])
            yield event.transaction, target, call


def check_amendments(context: Context, exam: Examination) -> None:
    """Replay every change and compare it with what stands of it."""
    changes: dict[bytes, Change] = {}
    for event in context.events(WHERE):
        key = reading.raw(event.values["id"])
        if event.name == "Staged":
            changes[key] = _staged(context, exam, event, sequence=len(changes) + 1)
        elif exam.holds(place(event), "it was staged", condition=key in changes):
            changes[key] = STEPS[event.name](context, exam, event, changes[key])
    context.state(exam, WHERE, "number of changes", expected=len(changes), call=(WHERE, "count"))
    for key, change in changes.items():
        _compare(context, exam, key, change)


def _compare(context: Context, exam: Examination, key: bytes, change: Change) -> None:
    where = f"change 0x{key.hex()}"
    context.state(exam, where, "its call", expected=change.call, call=(WHERE, "callOf", key))
    try:
        found = read_amendment(key, context.read(WHERE, "amendment", key))
    except ContractRefused as refusal:
        exam.fault(where, "what stands of it", found=str(refusal))
        return
    exam.equal(where, "what stands of it", expected=replace(change.record, code_hash=found.code_hash), found=found)
    head, target = context.history.head.number, change.record.target
    pin = _code_hash(context, target, change.staged.block)
    if pin is None:
        # The node has forgotten that state; code of contracts like ours never changes.
        pin = keccak(context.witness.code(target, head))
    exam.equal(where, "code of its target when it was staged", expected=pin, found=found.code_hash)
    if found.state not in OVER:
        now = _code_hash(context, target, head)
        exam.equal(where, "code of its target now, while it waits", expected=found.code_hash, found=now)


def _code_hash(context: Context, target: Address, block: int) -> bytes | None:
    try:
        return keccak(context.witness.code(target, block))
    except AnswerMissing:
        return None


def _staged(context: Context, exam: Examination, event: Event, *, sequence: int) -> Change:
    where, values, time_s = place(event), event.values, context.time_s(event)
    target, call = reading.address(values["target"]), reading.raw(values["call"])
    contract, chain_id = context.address(WHERE), context.history.chain_id
    key = amendment_id(target, call, sequence, chain_id=chain_id, contract=contract)
    exam.equal(where, "its id", expected=key, found=values["id"])
    direction = Direction(reading.number(values["direction"]))
    exam.holds(
        where, "which way it goes", condition=direction in _directions(context, event, target, call), found=direction
    )
    from_s = time_s + WAIT_S.get(direction, WINDOW_S)
    exam.equal(where, "its wait", expected=from_s, found=values["fromS"])
    exam.equal(where, "its end", expected=from_s + WINDOW_S, found=values["untilS"])
    _require_voted(context, exam, event, STAGE + encode(["address", "bytes"], [target, call]))
    record = Amendment(
        id=key,
        state=AmendmentState.STAGED,
        direction=direction,
        target=target,
        from_s=from_s,
        until_s=from_s + WINDOW_S,
        code_hash=b"",
        call_hash=keccak(call),
        nonce=bytes(32),
    )
    return Change(record, call, event)


def _directions(context: Context, event: Event, target: Address, call: bytes) -> frozenset[Direction]:
    names = {address: name for name, address in context.history.addresses.items()}
    if (names.get(target, ""), call[:4]) == ("PolicyRegistry", AMEND):
        return _policy_directions(context, event, call)
    loosens = (names.get(target, ""), call[:4]) in LOOSENING
    return frozenset({Direction.LOOSEN if loosens else Direction.CONSTITUTIONAL})


def _policy_directions(context: Context, event: Event, call: bytes) -> frozenset[Direction]:
    try:
        [(document_hash, facts, tiers, rules)] = decode([SET_TYPE], call[4:])
        before = policy_at(context, event)
        since = policy_from_chain(before.version + 1, document_hash, tiers, rules, facts=facts)
        return frozenset({Direction(changes_of(before, since).direction)})
    except (DecodingError, PolicyError):
        # The contract would have refused to stage it, so whatever it says is a finding.
        return frozenset()


def _opened(context: Context, exam: Examination, event: Event, change: Change) -> Change:
    where, record = place(event), change.record
    exam.holds(where, "it may be opened", condition=record.waits_for_its_vote, found=record.state)
    _require_in_time(context, exam, event, record)
    before = context.history.hashes.get(event.block - 1)
    nonce = reading.raw(event.values["nonce"])
    if before is not None:
        exam.equal(where, "its nonce", expected=keccak(encode(["bytes32"] * 2, [record.id, before])), found=nonce)
    until_s = context.time_s(event) + WINDOW_S
    exam.equal(where, "its end", expected=until_s, found=event.values["untilS"])
    return replace(
        change, record=replace(record, state=AmendmentState.OPENED, nonce=nonce, until_s=until_s), opened=event
    )


def _ratified(context: Context, exam: Examination, event: Event, change: Change) -> Change:
    where, record = place(event), change.record
    exam.equal(where, "it was open", expected=AmendmentState.OPENED, found=record.state)
    _require_in_time(context, exam, event, record)
    _require_voted(context, exam, event, RATIFY + encode(["bytes32"] * 2, [record.id, record.nonce]))
    asked = [proposal for proposal in read_proposals(context).values() if _executed_in(proposal.executed, event)]
    opened = change.opened
    later = opened is not None and all(proposal.created.block >= opened.block for proposal in asked)
    exam.holds(where, "its vote was called after the wait", condition=bool(asked) and later)
    until_s = context.time_s(event) + WINDOW_S
    exam.equal(where, "its end", expected=until_s, found=event.values["untilS"])
    return replace(change, record=replace(record, state=AmendmentState.RATIFIED, until_s=until_s))


def _withdrawn(context: Context, exam: Examination, event: Event, change: Change) -> Change:
    record = change.record
    open_ = record.state not in OVER
    exam.holds(place(event), "it was not over", condition=open_, found=record.state)
    _require_voted(context, exam, event, WITHDRAW + encode(["bytes32"], [record.id]))
    return replace(change, record=replace(record, state=AmendmentState.WITHDRAWN))


def _activated(context: Context, exam: Examination, event: Event, change: Change) -> Change:
    record = change.record
    exam.holds(place(event), "it may be activated", condition=record.waits_for_activation, found=record.state)
    _require_in_time(context, exam, event, record)
    return replace(change, record=replace(record, state=AmendmentState.ACTIVATED))


STEPS: Final = {
    "RatificationOpened": _opened,
    "Ratified": _ratified,
    "Withdrawn": _withdrawn,
    "Activated": _activated,
}


def _require_in_time(context: Context, exam: Examination, event: Event, record: Amendment) -> None:
    time_s = context.time_s(event)
    exam.holds(place(event), "it waited, and not too long", condition=record.from_s <= time_s <= record.until_s)


def _require_voted(context: Context, exam: Examination, event: Event, call: bytes) -> None:
    asked = {
        done.values["data"]
        for done in context.events("Timelock", "CallExecuted")
        if done.transaction == event.transaction and done.values["target"] == context.address(WHERE)
    }
    exam.holds(place(event), "a vote asked for it", condition=call in asked)


def _executed_in(executed: Event | None, event: Event) -> bool:
    return executed is not None and executed.transaction == event.transaction
