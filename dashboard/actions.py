"""What a proposal would do, decoded from its calldata alone; the title of a proposal is never trusted.

Only these calls are reachable through the timelock. A call that is not listed here, or that goes to another
contract than the one it is listed for, is unknown and shown as a danger.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from dashboard.text import quote, short
from dashboard.times import span, utc
from governance.domain.market import Address

DESTRUCTIVE: Final = "This cannot be undone by the person who votes; read it twice."


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


@dataclass(frozen=True, slots=True)
class _Call:
    contract: str
    signature: str
    labels: tuple[str, ...]
    sentence: Callable[[Sequence[object]], str]

    @property
    def types(self) -> list[str]:
        inside = self.signature[self.signature.index("(") + 1 : -1]
        return inside.split(",") if inside else []

    @property
    def selector(self) -> bytes:
        return keccak(text=self.signature)[:4]


_CALLS: Final = (
    _Call(
        "ReleaseRegistry",
        "approve(bytes32,bytes32,bytes32,bytes32,uint64)",
        ("release", "manifest hash", "policy hash", "facts hash", "deadline"),
        lambda v: (
            f"Release candidate {_hex(v[0])[2:10]} for use, if the constitution still allows it when it is carried out "
            f"(at the latest {utc(_int(v[4]))})."
        ),
    ),
    _Call(
        "AgentRegistry",
        "admit(string,address,address)",
        ("name", "member", "operator"),
        lambda v: (
            f"Admit an organisation that calls itself {quote(str(v[0]))}, with one vote for the wallet "
            f"{_hex(v[1])[2:10]} and its agents administered by {_hex(v[2])[2:10]}."
        ),
    ),
    _Call(
        "AgentRegistry",
        "remove(uint32)",
        ("organisation",),
        lambda v: f"Remove organisation number {v[0]}, its vote and all its agents. {DESTRUCTIVE}",
    ),
    _Call(
        "EvaluatorCourt",
        "joinPanel(uint32)",
        ("organisation",),
        lambda v: f"Let organisation number {v[0]} be drawn as a juror.",
    ),
    _Call(
        "ModelGovernor",
        "setVotingDelay(uint48)",
        ("seconds",),
        lambda v: f"Change the time between a proposal and its vote to {span(_int(v[0]))}.",
    ),
    _Call(
        "ModelGovernor",
        "setVotingPeriod(uint32)",
        ("seconds",),
        lambda v: f"Change the time in which members may vote to {span(_int(v[0]))}.",
    ),
    _Call(
        "ModelGovernor",
        "setProposalThreshold(uint256)",
        ("votes",),
        lambda v: f"Change the votes that a member needs to propose to {v[0]}.",
    ),
    _Call(
        "ModelGovernor",
        "updateQuorumNumerator(uint256)",
        ("percent",),
        lambda v: f"Change the quorum of routine proposals to {v[0]} % of all votes.",
    ),
    _Call(
        "ModelGovernor",
        "setLateQuorumVoteExtension(uint48)",
        ("seconds",),
        lambda v: f"Change the least time to vote after a quorum is reached to {span(_int(v[0]))}.",
    ),
    _Call(
        "ModelGovernor",
        "updateTimelock(address)",
        ("timelock",),
        lambda v: f"Hand everything that the timelock owns to another contract, {_hex(v[0])}. {DESTRUCTIVE}",
    ),
    _Call(
        "ModelGovernor",
        "relay(address,uint256,bytes)",
        ("target", "value", "calldata"),
        lambda v: (
            f"Make the governor itself call {_hex(v[0])} with calldata that this page does not read. {DESTRUCTIVE}"
        ),
    ),
    _Call(
        "Timelock",
        "updateDelay(uint256)",
        ("seconds",),
        lambda v: f"Change the wait between a passed vote and its execution to {span(_int(v[0]))}.",
    ),
    _Call(
        "Timelock",
        "grantRole(bytes32,address)",
        ("role", "account"),
        lambda v: f"Give {_hex(v[1])} the power {_role(v[0])} over the timelock. {DESTRUCTIVE}",
    ),
    _Call(
        "Timelock",
        "revokeRole(bytes32,address)",
        ("role", "account"),
        lambda v: f"Take the power {_role(v[0])} over the timelock from {_hex(v[1])}. {DESTRUCTIVE}",
    ),
    _Call(
        "Credit",
        "transfer(address,uint256)",
        ("to", "amount in 1e-18 credit"),
        lambda v: f"Pay {credits_text(_int(v[1]))} from the timelock to {_hex(v[0])}.",
    ),
)
_BY_PLACE: Final = {(call.contract, call.selector): call for call in _CALLS}


def read_action(target: Address, value_wei: int, calldata: bytes, *, contracts: Mapping[str, Address]) -> Action:
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
    """
    names = {address.lower(): name for name, address in contracts.items()}
    name = names.get(target.lower())
    call = _BY_PLACE.get((name or "", calldata[:4]))
    values = None if call is None else _arguments(call, calldata)
    if call is None or values is None:
        return _unknown(target, name, value_wei, calldata)
    return Action(
        sentence=call.sentence(values) + _money(value_wei),
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
    inside = signature[signature.index("(") + 1 : -1]
    body = encode(inside.split(",") if inside else [], arguments)
    return "0x" + (keccak(text=signature)[:4] + body).hex()


def credits_text(amount_e18: int) -> str:
    """Return an amount of credit, exact, without trailing zeros."""
    whole, fraction = divmod(amount_e18, 10**18)
    digits = f"{fraction:018d}".rstrip("0")
    number = f"{whole:,}" + (f".{digits}" if digits else "")
    return f"{number} credit" if amount_e18 == 10**18 else f"{number} credits"


def credits_about(amount_e18: int) -> str:
    """Return an amount of credit to the nearest hundredth, for a table or a headline."""
    return f"{(amount_e18 + 5 * 10**15) // 10**16 / 100:,.2f}".removesuffix(".00")


def _arguments(call: _Call, calldata: bytes) -> Sequence[object] | None:
    try:
        values = decode(call.types, calldata[4:])
    except (DecodingError, UnicodeDecodeError, OverflowError):
        return None
    # Bytes after the arguments, or another spelling of them, are not what the sentence says.
    return values if encode(call.types, values) == calldata[4:] else None


def _approval(call: _Call, values: Sequence[object]) -> Approval | None:
    if not call.signature.startswith("approve("):
        return None
    release, manifest, policy, facts, deadline = values
    return Approval(
        release=bytes.fromhex(_hex(release)[2:]),
        manifest_hash=bytes.fromhex(_hex(manifest)[2:]),
        policy_hash=bytes.fromhex(_hex(policy)[2:]),
        facts_hash=bytes.fromhex(_hex(facts)[2:]),
        deadline_s=_int(deadline),
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


def _money(value_wei: int) -> str:
    return f" It also sends {value_wei} wei." if value_wei else ""


def _int(value: object) -> int:
    return int(str(value))


def _hex(value: object) -> str:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return to_checksum_address(str(value))


def _plain(kind: str, value: object) -> str:
    return _hex(value) if kind == "address" or isinstance(value, bytes) else str(value)


_ROLES: Final = {keccak(text=f"{name}_ROLE"): name.lower() for name in ("PROPOSER", "EXECUTOR", "CANCELLER")} | {
    b"\0" * 32: "admin"
}


def _role(value: object) -> str:
    raw = bytes.fromhex(_hex(value)[2:])
    return _ROLES.get(raw, short(_hex(value)))
