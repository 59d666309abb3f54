"""Events of the chain, read once each."""

from collections.abc import Sequence

from governance.ports import Chain, Event


class Feed:
    """Named events of one contract, in order; each call reads only what is new.

    Events within ``REORG_BLOCKS`` of the head are read anew each time, so that a block that was
    replaced leaves nothing behind.
    """

    REORG_BLOCKS = 12

    def __init__(self, chain: Chain, contract: str, names: Sequence[str]) -> None:
        self._chain = chain
        self._contract = contract
        self._names = tuple(names)
        self._next = chain.first_block
        self._events: list[Event] = []

    def read(self) -> Sequence[Event]:
        """Return all events so far."""
        head = self._chain.block_number()
        start = max(self._chain.first_block, self._next - self.REORG_BLOCKS)
        settled = [event for event in self._events if event.block < start]
        fresh = self._chain.events(self._contract, self._names, from_block=start, to_block=head)
        self._events = settled + fresh
        self._next = head + 1
        return tuple(self._events)
