"""What the services need from the outside, as protocols; the adapters fit them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from governance.domain.market import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One decoded log entry of a contract."""

    contract: str
    name: str
    values: Mapping[str, object]
    block: int
    log_index: int
    transaction: str
    """Hash as 0x hex."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A transaction found on chain with status 1."""

    transaction: str
    """Hash as 0x hex."""
    block: int
    gas_used: int
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A block as far as history needs it; another hash at a number means that the chain was rewritten."""

    number: int
    hash: str
    """As 0x hex."""
    time_s: int


class Signer(Protocol):
    """A key that signs and never shows itself."""

    @property
    def address(self) -> Address: ...

    def sign_digest(self, digest: bytes) -> bytes:
        """Return the 65 bytes r, s, v of an EIP-712 digest."""
        ...

    def sign_transaction(self, transaction: Mapping[str, object]) -> bytes:
        """Return the raw signed transaction."""
        ...


class Clock(Protocol):
    """Time as the chain has it; the wall clock serves envelopes and sign-in only."""

    def now_s(self) -> int:
        """Return the time of the latest block, seconds since the epoch."""
        ...


class Chain(Clock, Protocol):
    """One network with Folkmoot on it; contracts go by their names in the deployment file."""

    @property
    def chain_id(self) -> int: ...

    @property
    def first_block(self) -> int:
        """Block from which history is read."""
        ...

    def address(self, contract: str) -> Address: ...

    def block_number(self) -> int: ...

    def read(self, contract: str, function: str, *arguments: object) -> object:
        """Call a view.

        Raises
        ------
        ContractRefused, ChainUnreachable
        """
        ...

    def encode(self, contract: str, function: str, *arguments: object) -> bytes:
        """Return the calldata of a call."""
        ...

    def send(self, signer: Signer, contract: str, function: str, arguments: Sequence[object]) -> Receipt:
        """Send a transaction and wait until it is on chain.

        Raises
        ------
        ContractRefused
            If it reverts, already at the estimate or in the block.
        ChainUnreachable
        """
        ...

    def events(
        self, contract: str, names: Sequence[str], *, from_block: int, to_block: int | None = None
    ) -> list[Event]:
        """Return the named events of a contract in the order of the chain."""
        ...


class EvidenceStore(Protocol):
    """Bytes by their SHA-256."""

    def put(self, data: bytes) -> bytes:
        """Keep the bytes and return their digest."""
        ...

    def get(self, digest: bytes) -> bytes:
        """Return the bytes of a digest.

        Raises
        ------
        EvidenceMissing, StoreDamaged
        """
        ...
