"""The development node: its binary, its process, and every call that only such a node answers."""

from __future__ import annotations

import ctypes
import platform
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from folkmoot.devnet.errors import DevnetError, NodeMissing, ReplayFailed, StrangerInBlock
from folkmoot.devnet.rpc import Json, RpcClient, RpcRefused
from folkmoot.settings import CHECKOUT, Settings, child_environment
from governance.errors import ChainUnreachable

_START_TIMEOUT_S = 20.0
_PORT_TRIES = 5
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Block:
    """One block as the journal keeps it."""

    number: int
    timestamp_s: int
    hash: str
    transactions: tuple[str, ...]
    """Signed and serialised (EIP-2718), hexadecimal, in the order of the block."""


def find_anvil(settings: Settings, checkout: Path = CHECKOUT) -> Path:
    """Return the anvil to run: ANVIL, else the packaged one, else the one on PATH.

    Raises
    ------
    NodeMissing
        If there is none; the message says what to install on this platform.
    """
    if settings.anvil is not None:
        found = shutil.which(settings.anvil)
        if found is None:
            raise NodeMissing(f"ANVIL names {settings.anvil}, which is no program")
        return Path(found)
    packaged = checkout / "node_modules" / ".bin" / "anvil"
    if packaged.exists():
        return packaged
    on_path = shutil.which("anvil")
    if on_path is None:
        raise NodeMissing(
            "the development chain needs anvil, and there is none: `make demo` installs it on"
            f" Linux x86-64; on {platform.system()} {platform.machine()} run"
            " `npm install --no-save @foundry-rs/anvil@1.7.1` or `foundryup`,"
            " or point ANVIL at the program"
        )
    return Path(on_path)


def free_port(wanted: int | None = None) -> int:
    """Return ``wanted`` if nobody listens there, else a free port of the loopback interface."""
    for port in (wanted, 0) if wanted else (0,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DevnetError("no free port on 127.0.0.1 for the development chain")


class Node:
    """One running anvil, and the calls that move its time or its state."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.rpc = RpcClient(self.url)

    @classmethod
    def start(cls, arguments: list[str], *, log: Path, port: int | None) -> Node:
        """Run anvil with mining switched off and wait until it answers.

        Raises
        ------
        DevnetError
            If it does not start; the message holds its last words.
        """
        for _ in range(_PORT_TRIES):
            chosen = free_port(port)
            with log.open("ab") as output:
                begin = output.tell()
                process = subprocess.Popen(
                    [*arguments, "--host", "127.0.0.1", "--port", str(chosen), "--no-mining"],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=child_environment(),
                    # It must not outlive us: an orphan would mine blocks that nobody journals.
                    preexec_fn=_die_with_parent,  # noqa: PLW1509 - one thread at this time
                )
            node = cls(process, chosen)
            if node._answers():
                return node
            words = log.read_bytes()[begin:].decode(errors="replace").strip()
            if "in use" not in words:
                break
        raise DevnetError(f"anvil did not start: {words[-300:] or 'it said nothing'}")

    def _answers(self) -> bool:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self.rpc.call("eth_chainId")
            except ChainUnreachable:
                time.sleep(0.02)
            else:
                # Somebody else may hold the port while our anvil is still on its way out.
                return self.process.poll() is None
        self.kill()
        return False

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def kill(self) -> None:
        """End the process at once; nothing in it is worth keeping that the journal has not."""
        self.rpc.close()
        if self.alive:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()

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


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
