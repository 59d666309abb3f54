"""What an audit needs from the outside: a node that may lie, and the code we were built from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from governance.domain.market import Address
from governance.errors import FolkmootError
from governance.ports import Event
from governance.services.audit.blocks import BlockHeader, RawLog, RawReceipt

UNFOLLOWABLE = (KeyError, ValueError, TypeError, IndexError, OverflowError)
"""What our code raises over a history or document that contradicts itself; the auditor hears of it as a finding."""


class AnswerWrong(FolkmootError):
    """The node answered something that no honest node answers: missing fields, wrong types, impossible numbers."""

    def __init__(self, where: str, problem: str) -> None:
        self.where = where
        self.problem = problem
        super().__init__(f"{where}: {problem}")


class AnswerMissing(FolkmootError):
    """The node refuses or no longer has what was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """A transaction that created a contract."""

    address: Address
    """Recomputed from sender and nonce, not taken from the node."""
    creator: Address
    code: bytes
    """Creation code followed by the encoded arguments of the constructor."""
    block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """One contract as we build it."""

    creation: bytes
    deployed: bytes
    immutables: tuple[tuple[int, int], ...]
    """Start and length of each place in ``deployed`` that the constructor fills."""


class Witness(Protocol):
    """One node's answers, unproven."""

    def chain_id(self) -> int: ...

    def head(self) -> int:
        """Return the number of the latest block."""
        ...

    def headers(self, first: int, last: int) -> Sequence[BlockHeader]:
        """Return blocks of a short range, both ends included."""
        ...

    def receipts(self, block: int) -> Sequence[RawReceipt]:
        """Return the receipts of a block in order."""
        ...

    def transactions(self, hashes: Sequence[bytes]) -> Sequence[bytes]:
        """Return transactions as they were signed and serialised (EIP-2718)."""
        ...

    def code(self, address: Address, block: int) -> bytes:
        """Return the code that stands at an address."""
        ...

    def account_proofs(self, addresses: Sequence[Address], block: int) -> Sequence[Sequence[bytes]]:
        """Return for each account the trie nodes from a block's state root to it (EIP-1186)."""
        ...

    def call(
        self, contract: str, address: Address, function: str, *, arguments: Sequence[object], block: int
    ) -> object:
        """Return the answer of a view at a block, decoded by our own interface of the contract.

        A single return value is returned bare, several as a tuple, structs as tuples.

        Raises
        ------
        ContractRefused, AnswerWrong, AnswerMissing, ChainUnreachable
        """
        ...


class Codebook(Protocol):
    """Our own contracts: how to read their words, and what their code must be."""

    def decode(self, contract: str, log: RawLog) -> tuple[str, Mapping[str, object]] | None:
        """Return name and values of an event, or None when the contract has no such event.

        Raises
        ------
        AnswerWrong
            If the log does not fit the event it says it is.
        """
        ...

    def creation(self, raw: bytes, block: int) -> Creation | None:
        """Return what a signed transaction creates, or None when it calls something."""
        ...

    def blueprint(self, contract: str) -> Blueprint:
        """Return what a contract of ours is built to be."""
        ...

    def constructor_arguments(self, contract: str, encoded: bytes) -> Sequence[object]:
        """Return the decoded arguments of a constructor.

        Raises
        ------
        AnswerWrong
            If they do not decode.
        """
        ...

    def event_arguments(self, event: Event) -> bytes:
        """Return abi.encode of all arguments of an event in their order, indexed or not."""
        ...
