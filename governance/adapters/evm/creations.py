"""The creations of a deployment: where each contract will stand, what it takes, and whether it stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

import rlp
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from governance.adapters.evm.artifacts import artifact
from governance.domain.deployment import CONTRACTS
from governance.domain.market import NOBODY, Address

WORD_GAS: Final = 22_100
"""A word of the constructor's arguments is stored about once: a cold write (EIP-2929)."""

Arguments = Mapping[str, tuple[object, ...]]
"""Constructor arguments by contract; ``WIRING`` stands where the addresses go."""

WIRING: Final = object()
"""Stands for the struct of all addresses, known only once the deployer's nonce is."""


class Journal(Protocol):
    """What a deployment has to remember to be carried on after an interruption."""

    @property
    def start(self) -> int | None:
        """Nonce of the first creation, once the deployment has begun."""

    def begin(self, start: int) -> None:
        """Remember the first nonce, before anything is sent."""

    def sent(self, contract: str) -> str | None:
        """Return the hash of the creation that was signed, if one was."""

    def note(self, contract: str, transaction: str) -> None:
        """Remember a creation that is signed, before it is sent."""


@dataclass(slots=True)
class MemoryJournal:
    """Remembers while the process lives."""

    start: int | None = None
    transactions: dict[str, str] = field(default_factory=dict)

    def begin(self, start: int) -> None:
        self.start = start

    def sent(self, contract: str) -> str | None:
        return self.transactions.get(contract)

    def note(self, contract: str, transaction: str) -> None:
        self.transactions[contract] = transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """One transaction of a deployment."""

    contract: str
    nonce: int
    address: Address
    """Where the contract will stand."""
    data: bytes
    """Code and encoded arguments."""


def matches(contract: str, code: bytes) -> bool:
    """Return whether code is what the committed source compiles to, constructor values apart."""
    compiled = artifact(contract)
    return blank(contract, code) == blank(contract, bytes.fromhex(str(compiled["deployedBytecode"])[2:]))


def blank(contract: str, code: bytes) -> bytes:
    """Return deployed code with zeros where the constructor wrote immutable values."""
    blanked = bytearray(code)
    for place in artifact(contract)["immutableReferences"]:
        start, length = int(place["start"]), int(place["length"])
        blanked[start : start + length] = bytes(length)
    return bytes(blanked)


def reckoned(creation: Creation) -> int:
    """Return about how much gas a creation takes, from the size of code and arguments."""
    compiled = artifact(creation.contract)
    deployed = len(bytes.fromhex(str(compiled["deployedBytecode"])[2:]))
    words = (len(creation.data) - len(bytes.fromhex(str(compiled["bytecode"])[2:]))) // 32
    return 53_000 + 16 * len(creation.data) + 200 * deployed + WORD_GAS * words


def wired(arguments: tuple[object, ...], addresses: Mapping[str, Address]) -> tuple[object, ...]:
    """Return arguments with the struct of all addresses where ``WIRING`` stands."""
    struct = tuple(addresses.get(name, NOBODY) for name in CONTRACTS)
    return tuple(struct if argument is WIRING else argument for argument in arguments)


def created_address(creator: Address, nonce: int) -> Address:
    """Return where a contract created by this account at this nonce will stand (yellow paper, section 7)."""
    raw = rlp.encode([bytes.fromhex(creator[2:]), nonce])
    return to_checksum_address(keccak(raw)[12:])
