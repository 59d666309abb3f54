"""One living development chain: its node, its journal, and the lock that keeps them in step."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from folkmoot.devnet.anvil import Anvil, find_anvil
from folkmoot.devnet.errors import DevnetError
from folkmoot.devnet.folder import ChainFolder, Identity, Snapshot
from folkmoot.devnet.journal import Journal
from folkmoot.devnet.node import Block
from folkmoot.devnet.recovery import Recovered, clean_cache, recover
from folkmoot.files import StorageError, write_atomically
from folkmoot.settings import Settings

SNAPSHOT_EVERY_BLOCKS = 500
_CHUNK = 200
_STALLED_S = 30.0
"""Without any further transaction mined; how long all of them take depends on the machine."""
_QUIET_AFTER_S = 60.0
_QUIET_FACTOR = 4.0
_LONGEST_IDLE_S = 8.0
"""Under the promised 10 s by what a busy machine may be late."""

log = logging.getLogger(__name__)


def wait_until_mined(
    ask: Callable[[str, list[str]], Sequence[object]],
    hashes: list[str],
    *,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Return once all transactions are mined; a slow node is waited for as long as it gets on.

    Parameters
    ----------
    ask
        Asks the node a method for each argument.

    Raises
    ------
    DevnetError
        If one reverts, or none more is mined for half a minute.
    """
    mined, moved_at = 0, clock()
    while True:
        # The node answers before its miner has looked into the pool.
        receipts = ask("eth_getTransactionReceipt", hashes)
        failed = [each for each in receipts if isinstance(each, dict) and each["status"] != "0x1"]
        if failed:
            raise DevnetError(f"transaction {failed[0]['transactionHash']} reverted")
        found = sum(each is not None for each in receipts)
        if found == len(hashes):
            return
        if found > mined:
            mined, moved_at = found, clock()
        if clock() - moved_at >= _STALLED_S:
            first = next(digest for digest, each in zip(hashes, receipts, strict=True) if each is None)
            raise DevnetError(
                f"{mined} of {len(hashes)} transactions were mined, and none more for {_STALLED_S:g} s; "
                f"the first that waits is {first}. Is the machine out of memory or the disk full? See the node's log."
            )
        pause(0.005)


class LivingChain:
    """A recovered node whose every block goes into the journal.

    All methods may be called from any thread.
    """

    def __init__(self, folder: ChainFolder, identity: Identity, settings: Settings, *, port: int | None) -> None:
        self.folder = folder
        self.identity = identity
        self._settings = settings
        self._gate = threading.RLock()
        self._port = port or identity.port
        self._recovered = self._recover()
        self._journal = Journal(folder.journal(identity.epoch))
        self.problem: str | None = None
        """Why blocks do not reach the disk at the moment; ``None`` when they do."""
        self._busy_until = 0.0
        self._last_block = time.monotonic()
        self._since_snapshot = self._recovered.replayed
        with self._gate:
            self.node.begin_mining()
            self.catch_up()

    @property
    def node(self) -> Anvil:
        """The running node."""
        return self._recovered.node

    @property
    def history(self) -> str:
        """How the chain came back, in one sentence."""
        return self._recovered.sentence()

    @property
    def journaled(self) -> int:
        """Number of the last block that is on disk."""
        return self._journaled

    def _recover(self) -> Recovered:
        clean_cache(self.folder)
        arguments = self._arguments()
        recovered = recover(
            self.folder,
            self.identity,
            history=self._settings.chain_history_blocks,
            start_node=lambda: self._start_node(arguments),
        )
        self._port = recovered.node.port
        self._hashes = dict(recovered.hashes)
        self._journaled = max(self._hashes, default=recovered.node.head()[0])
        if recovered.differs_from is not None:
            # What came out differently is written again, over the old lines.
            self._forget_from(recovered.differs_from)
        log.info("%s", recovered.sentence())
        return recovered

    def _start_node(self, arguments: list[str]) -> Anvil:
        node = Anvil.start(arguments, log=self.folder.node_log, port=self._port)
        write_atomically(self.folder.node_pid, f"{node.process.pid} {node.port}\n")
        return node

    def _arguments(self) -> list[str]:
        return [
            *(str(find_anvil(self._settings)), "--quiet", "--accounts", "0"),
            *("--init", str(self.folder.genesis), "--chain-id", str(self.identity.chain_id)),
            # The contracts are compiled for it, and a journal replays on the rules it ran on.
            *("--hardfork", "prague"),
            # By fee, two blocks with the same transactions may differ in their order.
            *("--order", "fifo"),
            "--no-request-size-limit",
            # Each old state is a file that holds every block hash: without a bound an idle chain
            # writes more than ten gigabytes a day.
            *("--max-persisted-states", str(self._settings.chain_history_blocks)),
            *("--cache-path", str(self.folder.cache)),
        ]

    def revive(self) -> None:
        """Start the node again after it died, on the same port."""
        with self._gate:
            self.node.kill()
            self._recovered = self._recover()
            self.node.begin_mining()
            self.catch_up()

    def catch_up(self) -> None:
        """Journal every block that is not journaled yet."""
        with self._gate:
            number, _, _ = self.node.head()
            first = self._common_ancestor(number) + 1
            if first > number:
                return
            self._forget_from(first)
            for start in range(first, number + 1, _CHUNK):
                end = min(start + _CHUNK, number + 1)
                if not self._write([self.node.block(each) for each in range(start, end)]):
                    return

    def _write(self, blocks: list[Block]) -> bool:
        try:
            self._journal.append(blocks)
        except StorageError as error:
            self._report(str(error))
            return False
        self._report(None)
        self._hashes.update({block.number: block.hash for block in blocks})
        self._journaled = blocks[-1].number
        self._last_block = time.monotonic()
        self._since_snapshot += len(blocks)
        if any(block.transactions for block in blocks):
            self._busy_until = self._last_block + _QUIET_AFTER_S
        return True

    def idle_left_s(self) -> float:
        """Return the seconds until an empty block is due; not positive when it is.

        A chain that nobody uses mines more slowly, so that its history stays readable longer.
        """
        idle = self._settings.idle_block_s
        if time.monotonic() > self._busy_until:
            idle = max(idle, min(idle * _QUIET_FACTOR, _LONGEST_IDLE_S))
        return self._last_block + idle - time.monotonic()

    def tick(self) -> None:
        """Mine an empty block and journal it."""
        with self._gate:
            self.node.mine()
            self.catch_up()
            # Also when the disk is full: the chain goes on, its promise of a block does too.
            self._last_block = time.monotonic()

    def advance(self, seconds: int) -> int:
        """Move the clock, and return the chain's time in seconds."""
        if not 1 <= seconds <= 10 * 365 * 86_400:
            raise DevnetError(f"cannot advance by {seconds} s; give 1 s to ten years")
        with self._gate:
            now = self.node.advance(seconds)
            self.catch_up()
            return now

    def send(self, transactions: Sequence[str]) -> None:
        """Send signed transactions; they are mined and journaled when this returns.

        Raises
        ------
        DevnetError
            If one reverts, or the node stops mining them.
        """
        with self._gate:
            sent = [str(self.node.rpc.call("eth_sendRawTransaction", raw)) for raw in transactions]
            wait_until_mined(self.node.rpc.batch, sent)
            self.catch_up()

    def transactions_of(self, address: str) -> int:
        """Return the next nonce of ``address``."""
        with self._gate:
            return self.node.rpc.number("eth_getTransactionCount", address, "pending")

    def head(self, tag: str = "latest") -> tuple[int, int, str]:
        """Return number, time and hash of the latest block (or of ``tag``)."""
        with self._gate:
            return self.node.head(tag)

    def snapshot_due(self) -> bool:
        """Tell whether enough blocks have passed since the last snapshot."""
        return self._since_snapshot >= SNAPSHOT_EVERY_BLOCKS and self.problem is None

    def snapshot(self) -> Snapshot:
        """Save the state; the journal has every block of it first.

        Raises
        ------
        StorageError
            If the disk does not take it; older snapshots and the journal are as they were.
        """
        with self._gate:
            self._since_snapshot = 0
            number, block_hash, state = self.node.dump()
            self.catch_up()
            if self.problem is not None:
                raise StorageError(self.problem)
            return self.folder.save(self.identity.epoch, number=number, block_hash=block_hash, state=state)

    def close(self) -> None:
        """End the node and close the journal."""
        with self._gate:
            self.node.kill()
            self._journal.close()
            Path(self.folder.node_pid).unlink(missing_ok=True)

    def _common_ancestor(self, number: int) -> int:
        """Return the last journaled block that the node still has; fewer after a rewind."""
        last = min(self.journaled, number)
        while last in self._hashes and self.node.head(hex(last))[2] != self._hashes[last]:
            last -= 1
        if last < self.journaled:
            log.warning("the chain was rewound behind our back to block %d", last)
        return last

    def _forget_from(self, number: int) -> None:
        for each in range(number, self._journaled + 1):
            self._hashes.pop(each, None)
        self._journaled = min(self._journaled, number - 1)

    def _report(self, problem: str | None) -> None:
        if problem != self.problem:
            log.warning("%s", problem or "blocks reach the disk again")
        self.problem = problem
