"""Every call that only a development node answers: what moves a chain's time or its state."""

from __future__ import annotations

import time
from dataclasses import dataclass

from folkmoot.devnet.errors import DevnetError, ReplayFailed, StrangerInBlock
from folkmoot.devnet.rpc import Json, RpcClient, RpcRefused


@dataclass(frozen=True, slots=True)
class Block:
    """One block as the journal keeps it."""

    number: int
    timestamp_s: int
    hash: str
    transactions: tuple[str, ...]
    """Signed and serialised (EIP-2718), hexadecimal, in the order of the block."""


class Node:
    """A development node that answers at ``http://127.0.0.1:PORT``."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.rpc = RpcClient(self.url)

    def stop_mining(self) -> None:
        """Mine no transaction from now on."""
        self.rpc.call("evm_setAutomine", False)  # noqa: FBT003 - JSON-RPC

    def head(self, tag: str = "latest") -> tuple[int, int, str]:
        """Return number, time and hash of the latest block (or of ``tag``)."""
        header = self.rpc.fields("eth_getBlockByNumber", tag, False)  # noqa: FBT003 - JSON-RPC
        return (
            int(str(header["number"]), 16),
            int(str(header["timestamp"]), 16),
            str(header["hash"]),
        )

    def block(self, number: int) -> Block:
        """Return one block with its raw transactions."""
        header = self.rpc.fields("eth_getBlockByNumber", hex(number), False)  # noqa: FBT003
        hashes = header["transactions"]
        names = [str(name) for name in hashes] if isinstance(hashes, list) else []
        raw = self.rpc.batch("eth_getRawTransactionByHash", names)
        return Block(
            number=number,
            timestamp_s=int(str(header["timestamp"]), 16),
            hash=str(header["hash"]),
            transactions=tuple(str(item) for item in raw),
        )

    def mine(self) -> None:
        """Mine one block, empty if nothing waits."""
        self.rpc.call("evm_mine")

    def begin_mining(self) -> None:
        """Set the clock past the latest block, then mine each transaction as it comes.

        A restored chain may be ahead of the wall clock (time was moved) while a fresh anvil
        starts at the wall clock: without this its next block would be older than its parent, and
        every timestamp checkpoint in it would revert.
        """
        _, timestamp_s, _ = self.head()
        self.rpc.call("evm_setTime", max(int(time.time()), timestamp_s + 1))
        self.rpc.call("evm_setAutomine", True)  # noqa: FBT003 - JSON-RPC
        self.mine()

    def advance(self, seconds: int) -> int:
        """Move the clock forward, mine a block there, and return its time."""
        self.rpc.call("evm_increaseTime", seconds)
        self.mine()
        return self.head()[1]

    def dump(self) -> tuple[int, str, bytes]:
        """Return number and hash of the head, and the state there as anvil packs it."""
        for _ in range(10):
            before = self.head()
            state = bytes.fromhex(str(self.rpc.call("anvil_dumpState")).removeprefix("0x"))
            if self.head() == before:
                return before[0], before[2], state
        raise DevnetError("no quiet moment for a snapshot; the chain mines without a pause")

    def load(self, state: bytes) -> None:
        """Put a dumped state into this fresh node."""
        self.rpc.call("anvil_loadState", "0x" + state.hex())

    def replay(self, block: Block) -> str:
        """Mine ``block`` again and return the hash that came out.

        Raises
        ------
        ReplayFailed
            If a transaction is refused.
        StrangerInBlock
            If another transaction got into the block.
        """
        try:
            # Agents that are still up keep sending; theirs come after the history is back.
            self.rpc.call("anvil_dropAllTransactions")
            for raw in block.transactions:
                self.rpc.call("eth_sendRawTransaction", raw)
            self.rpc.call("evm_setNextBlockTimestamp", block.timestamp_s)
            self.mine()
        except RpcRefused as error:
            raise ReplayFailed(f"block {block.number} cannot be replayed: {error}") from error
        header: dict[str, Json] = self.rpc.fields("eth_getBlockByNumber", "latest", False)  # noqa: FBT003
        mined = header["transactions"]
        if not isinstance(mined, list) or len(mined) != len(block.transactions):
            raise StrangerInBlock(f"block {block.number} came out with other transactions")
        return str(header["hash"])
