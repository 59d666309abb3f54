"""The chain as it stood when a step began, so that no role asks a node twice for the same answer."""

import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar, cast

from governance.domain.market import Address
from governance.ports import Chain, Event, Receipt, Signer

Answer = TypeVar("Answer")


class StillChain:
    """Remembers what was read within a step, until its next transaction. Fits the port ``Chain``.

    What a role decides on is never older than its step; whoever sends on a stale answer is refused by
    the contract, as with any answer that another transaction overtakes. The time is always asked for anew,
    and so is everything outside a step: a mail may tell of what came on chain while one went on.
    """

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._here = threading.local()

    @contextmanager
    def step(self) -> Iterator[None]:
        """Remember what this thread reads until the block is left."""
        self._here.known = {}
        try:
            yield
        finally:
            del self._here.known

    @property
    def chain_id(self) -> int:
        return self._chain.chain_id

    @property
    def first_block(self) -> int:
        return self._chain.first_block

    def address(self, contract: str) -> Address:
        return self._chain.address(contract)

    def now_s(self) -> int:
        return self._chain.now_s()

    def block_number(self) -> int:
        return self._once("head", self._chain.block_number)

    def read(self, contract: str, function: str, *arguments: object) -> object:
        key = (contract, function, repr(arguments))
        return self._once(key, lambda: self._chain.read(contract, function, *arguments))

    def encode(self, contract: str, function: str, *arguments: object) -> bytes:
        return self._chain.encode(contract, function, *arguments)

    def events(
        self, contract: str, names: Sequence[str], *, from_block: int, to_block: int | None = None
    ) -> list[Event]:
        key = (contract, tuple(names), from_block, to_block)
        found = self._once(key, lambda: self._chain.events(contract, names, from_block=from_block, to_block=to_block))
        return list(found)

    def send(self, signer: Signer, contract: str, function: str, arguments: Sequence[object]) -> Receipt:
        try:
            return self._chain.send(signer, contract, function, arguments)
        finally:
            # Also after a refusal: somebody else's transaction may be why.
            if self._known is not None:
                self._known.clear()

    @property
    def _known(self) -> dict[Hashable, object] | None:
        return cast("dict[Hashable, object] | None", getattr(self._here, "known", None))

    def _once(self, key: Hashable, ask: Callable[[], Answer]) -> Answer:
        known = self._known
        if known is None:
            return ask()
        if key not in known:
            known[key] = ask()
        return cast("Answer", known[key])
