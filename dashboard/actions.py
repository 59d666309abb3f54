"""What a proposal would do, decoded from its calldata alone; the title of a proposal is never trusted.

Only these calls are reachable through the timelock. A call that is not listed here, or that goes to another
contract than the one it is listed for, is unknown and shown as a danger.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak

from dashboard.calls import BY_PLACE, SECOND_VOTE, Call, argument_types
from dashboard.text import hexed, whole
from governance.domain.market import Address
from governance.domain.policy import PolicySet

__all__ = ["Action", "Approval", "Staged", "call_data", "credits_about", "read_action"]


@dataclass(frozen=True, slots=True)
class Staged:
    """A change that was staged."""

    target: Address
    call: bytes
    transaction: str = ""


NOTHING_STAGED: Final[Mapping[bytes, Staged]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Places:
    """What a calldata's addresses and bits stand for here."""

    contracts: Mapping[str, Address]
    words: PolicySet | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What ``approve`` binds a vote to."""

    release: bytes
    manifest_hash: bytes
    policy_hash: bytes
    facts_hash: bytes
    deadline_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One call of a proposal."""

    sentence: str
    """What it does, in plain words; names of strangers stand in quotation marks."""
    known: bool
    """False for a call that no sentence was written for."""
    target: Address
    target_name: str | None
    """Our name of the contract that is called."""
    value_wei: int
    signature: str
    """Solidity signature, empty when unknown."""
    arguments: tuple[tuple[str, str], ...]
    """Name and value as text."""
    calldata: bytes
    approval: Approval | None = None


def read_action(
    target: Address,
    value_wei: int,
    calldata: bytes,
    *,
    contracts: Mapping[str, Address],
    staged: Mapping[bytes, Staged] = NOTHING_STAGED,
    words: PolicySet | None = None,
) -> Action:
    """Return what one call of a proposal does.

    Parameters
    ----------
    target
        Address that is called.
    value_wei
        Money of the chain that is sent along.
    calldata
        Selector and arguments.
    contracts
        Our contracts by name.
    staged
        Changes that were staged, by id.
    words
        A set of rules that was in force here, with the names of purposes and licences.
    """
    places = _Places(contracts, words)
    action = _read(target, value_wei, calldata, places)
    call = _call_of(action)
    if call is None:
        return action
    if call.waits:
        return replace(action, sentence=f"{NOT_STAGED} {action.sentence}")
    return _about_change(action, _changed(call, calldata, staged), places) if call.about_change else action


def _changed(call: Call, calldata: bytes, staged: Mapping[bytes, Staged]) -> Staged | None:
    values = decode(call.types, calldata[4:])
    return Staged(str(values[0]), values[1]) if call.signature.startswith("stage(") else staged.get(values[0])


def _about_change(action: Action, change: Staged | None, places: _Places) -> Action:
    if change is None:
        return replace(action, known=False, sentence=f"{action.sentence} This page does not know that change.")
    inner = _read(change.target, 0, change.call, places)
    call = _call_of(inner)
    wait = (call.waits if call is not None else "") or SECOND_VOTE
    sentence = f"{action.sentence.removesuffix('.')} ({wait}): {inner.sentence}"
    return replace(action, sentence=sentence, known=action.known and call is not None and bool(call.waits))


def _call_of(action: Action) -> Call | None:
    return BY_PLACE.get((action.target_name or "", action.calldata[:4])) if action.signature else None


def _read(target: Address, value_wei: int, calldata: bytes, places: _Places) -> Action:
    names = {address.lower(): name for name, address in places.contracts.items()}
    name = names.get(target.lower())
    call = BY_PLACE.get((name or "", calldata[:4]))
    values = None if call is None else _arguments(call, calldata)
    if call is None or values is None:
        return _unknown(target, name, value_wei, calldata)
    return Action(
        sentence=call.told(values, places.words) + _money(value_wei),
        known=value_wei == 0,
        target=target,
        target_name=name,
        value_wei=value_wei,
        signature=call.signature,
        arguments=tuple(
            (label, _plain(kind, value)) for label, kind, value in zip(call.labels, call.types, values, strict=True)
        ),
        calldata=calldata,
        approval=_approval(call, values),
    )


def call_data(signature: str, *arguments: object) -> str:
    """Return the calldata of a call as 0x hex, for a wallet."""
    body = encode(argument_types(signature), arguments)
    return "0x" + (keccak(text=signature)[:4] + body).hex()


def credits_about(amount_e18: int) -> str:
    """Return an amount of credit to the nearest hundredth, for a table or a headline."""
    return f"{(amount_e18 + 5 * 10**15) // 10**16 / 100:,.2f}".removesuffix(".00")


def _arguments(call: Call, calldata: bytes) -> Sequence[object] | None:
    try:
        values = decode(call.types, calldata[4:])
    except (DecodingError, UnicodeDecodeError, OverflowError):
        return None
    # Bytes after the arguments, or another spelling of them, are not what the sentence says.
    return values if encode(call.types, values) == calldata[4:] else None


def _approval(call: Call, values: Sequence[object]) -> Approval | None:
    if not call.signature.startswith("approve("):
        return None
    release, manifest, policy, facts, deadline = values
    return Approval(
        release=bytes.fromhex(hexed(release)[2:]),
        manifest_hash=bytes.fromhex(hexed(manifest)[2:]),
        policy_hash=bytes.fromhex(hexed(policy)[2:]),
        facts_hash=bytes.fromhex(hexed(facts)[2:]),
        deadline_s=whole(deadline),
    )


def _unknown(target: Address, name: str | None, value_wei: int, calldata: bytes) -> Action:
    where = f"our contract {name}" if name else f"{target}, which is none of this network's contracts"
    return Action(
        sentence=(
            f"Unknown call 0x{calldata[:4].hex()} to {where}. This page cannot say what it does; "
            f"do not vote For unless you can.{_money(value_wei)}"
        ),
        known=False,
        target=target,
        target_name=name,
        value_wei=value_wei,
        signature="",
        arguments=(),
        calldata=calldata,
    )


NOT_STAGED: Final = "The contract will refuse this: only a change that was staged, and waited, may do it."


def _money(value_wei: int) -> str:
    return f" It also sends {value_wei} wei." if value_wei else ""


def _plain(kind: str, value: object) -> str:
    return hexed(value) if kind == "address" or isinstance(value, bytes) else str(value)
