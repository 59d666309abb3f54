"""Who can do what: the code that stands, how it is wired, and every role of the timelock."""

from collections.abc import Mapping
from typing import Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from governance.domain.deployment import CONTRACTS
from governance.domain.market import NOBODY, Address
from governance.domain.signing import Domain
from governance.services import reading
from governance.services.audit.context import Context, place
from governance.services.audit.history import GETTERS
from governance.services.audit.report import Examination
from governance.services.audit.sources import Blueprint

ADMIN_ROLE: Final = b"\0" * 32
ROLES: Final = {
    ADMIN_ROLE: "DEFAULT_ADMIN_ROLE",
    keccak(b"PROPOSER_ROLE"): "PROPOSER_ROLE",
    keccak(b"EXECUTOR_ROLE"): "EXECUTOR_ROLE",
    keccak(b"CANCELLER_ROLE"): "CANCELLER_ROLE",
}
SIGNING_NAMES: Final = {
    "MemberToken": "Folkmoot Member",
    "ModelGovernor": "ModelGovernor",
    "AgentRegistry": "Folkmoot AgentRegistry",
    "AgreementBook": "Folkmoot AgreementBook",
    "RoundLedger": "Folkmoot RoundLedger",
}
"""Contracts that verify signatures keep parts of their EIP-712 domain in their code."""
CHOSEN: Final[Mapping[str, tuple[str, ...]]] = {
    "ReleaseRegistry": ("parentHead", "candidateBondE18"),
    "Consent": ("objectionStakeE18",),
    "Disputes": ("depositE18",),
}
"""Immutables that are no part of the wiring, by the view that tells them."""


def check_code(context: Context, exam: Examination) -> None:
    """Compare the code of every contract with ours, and its wiring with the addresses we came by."""
    for name in ("ReleaseRegistry", *GETTERS):
        _compare_code(context, exam, name)
        _compare_creation(context, exam, name)
    creators = {creation.creator for creation, _ in context.history.creations.values()}
    exam.holds("deployment", "one account created everything", condition=len(creators) <= 1, found=creators)
    context.state(
        exam, "ModelGovernor", "its votes", expected=context.address("MemberToken"), call=("ModelGovernor", "token")
    )
    context.state(
        exam, "ModelGovernor", "its timelock", expected=context.address("Timelock"), call=("ModelGovernor", "timelock")
    )


def check_roles(context: Context, exam: Examination) -> None:
    """Replay every role of the timelock and compare who holds it now."""
    governor, amendments = context.address("ModelGovernor"), context.address("Amendments")
    holders: dict[bytes, set[Address]] = {role: set() for role in ROLES}
    for event in context.events("Timelock", "RoleGranted", "RoleRevoked", "RoleAdminChanged"):
        role = reading.raw(event.values["role"])
        if event.name == "RoleAdminChanged":
            exam.fault(place(event), "a role got another administrator", found=event.values["newAdminRole"])
            continue
        account = reading.address(event.values["account"])
        held = holders.setdefault(role, set())
        (held.add if event.name == "RoleGranted" else held.discard)(account)
    for role, found in holders.items():
        wanted = {amendments} if role == ADMIN_ROLE else {governor} if role in ROLES else set()
        name = ROLES.get(role, "0x" + role.hex())
        exam.equal(f"Timelock, {name}", "holders, from all grants", expected=sorted(wanted), found=sorted(found))
        for account in sorted(found | _suspects(context)):
            context.state(
                exam,
                f"Timelock, {name}",
                f"is held by {account}",
                expected=account in found,
                call=("Timelock", "hasRole", role, account),
            )


def check_settings(context: Context, exam: Examination) -> None:
    """Compare waits, periods and the quorum with the events that set them."""
    for contract, event_name, value, getter in SETTINGS:
        events = list(context.events(contract, event_name))
        if exam.holds(contract, f"{event_name} was emitted", condition=bool(events)):
            expected = events[-1].values[value]
            context.state(exam, contract, getter, expected=expected, call=(contract, getter))
    if "Disputes" in context.history.creations:
        deposit = context.history.creations["Disputes"][1][1]
        context.state(exam, "Disputes", "deposit of a complaint", expected=deposit, call=("Disputes", "depositE18"))


SETTINGS: Final = (
    ("Timelock", "MinDelayChange", "newDuration", "getMinDelay"),
    ("ModelGovernor", "VotingDelaySet", "newVotingDelay", "votingDelay"),
    ("ModelGovernor", "VotingPeriodSet", "newVotingPeriod", "votingPeriod"),
    ("ModelGovernor", "ProposalThresholdSet", "newProposalThreshold", "proposalThreshold"),
    ("ModelGovernor", "QuorumNumeratorUpdated", "newQuorumNumerator", "quorumNumerator"),
    ("ModelGovernor", "LateQuorumVoteExtensionSet", "newVoteExtension", "lateQuorumVoteExtension"),
    ("ModelGovernor", "TimelockChange", "newTimelock", "timelock"),
)


def _suspects(context: Context) -> set[Address]:
    # Nobody but these ever had a chance to be given a role unseen; storage edits for strangers cannot be listed.
    creators = {creation.creator for creation, _ in context.history.creations.values()}
    members = {found.member for key in context.world.organisations if (found := context.world.organisations.last(key))}
    return (
        {NOBODY, *(context.address(name) for name in ("ModelGovernor", "Timelock", "Amendments"))} | creators | members
    )


def _compare_code(context: Context, exam: Examination, name: str) -> None:
    address = context.address(name)
    blueprint = context.codebook.blueprint(name)
    code = context.witness.code(address, context.history.head.number)
    where = f"{name} at {address}"
    exam.equal(where, "length of the code", expected=len(blueprint.deployed), found=len(code))
    same = _masked(code, blueprint) == _masked(blueprint.deployed, blueprint)
    if not exam.holds(where, "its code is the one we build", condition=same, found="0x" + keccak(code).hex()):
        return
    known = _known_words(context, name)
    for start, length in blueprint.immutables:
        word = code[start : start + length]
        exam.holds(where, f"byte {start} of the code names a part of this network", condition=word in known, found=word)


def _compare_creation(context: Context, exam: Examination, name: str) -> None:
    if name not in context.history.creations:
        return
    creation, arguments = context.history.creations[name]
    wired = next((item for item in arguments if isinstance(item, tuple) and len(item) == len(CONTRACTS)), None)
    where = f"{name}, created in block {creation.block}"
    expected = tuple(context.history.addresses.get(contract, NOBODY) for contract in CONTRACTS)
    exam.equal(where, "the addresses it was given", expected=expected, found=wired)


def _masked(code: bytes, blueprint: Blueprint) -> bytes:
    raw = bytearray(code)
    for start, length in blueprint.immutables:
        raw[start : start + length] = b"\0" * len(raw[start : start + length])
    return bytes(raw)


def _known_words(context: Context, name: str) -> set[bytes]:
    words = {bytes(12) + bytes.fromhex(address[2:]) for address in context.history.addresses.values()}
    # What was chosen at deployment, and can be read.
    words |= {_word(context.read(name, getter)) for getter in CHOSEN.get(name, ())}
    if name in SIGNING_NAMES:
        signing = SIGNING_NAMES[name]
        domain = Domain(name=signing, chain_id=context.history.chain_id, contract=context.address(name))
        words |= {
            domain.separator(),
            encode(["uint256"], [context.history.chain_id]),
            keccak(signing.encode()),
            keccak(b"1"),
            _short_string(signing),
            _short_string("1"),
        }
    return words


def _word(value: object) -> bytes:
    return value if isinstance(value, bytes) else encode(["uint256"], [value])


def _short_string(text: str) -> bytes:
    # OpenZeppelin ShortStrings: left aligned, length in the last byte.
    return text.encode().ljust(31, b"\0") + bytes([len(text)])
