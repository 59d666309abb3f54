"""The process that owns a home's development chain while it is up."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from folkmoot.devnet.chain import LivingChain
from folkmoot.devnet.control import ControlServer, Request, socket_path
from folkmoot.devnet.errors import DevnetError, HomeTaken
from folkmoot.devnet.folder import ChainFolder
from folkmoot.devnet.info import DevnetInfo
from folkmoot.devnet.orphan import end_orphan, guard
from folkmoot.devnet.rpc import Json, RpcRefused
from folkmoot.files import StorageError, storage_errors, write_json
from folkmoot.home import Home
from folkmoot.keystore import open_keystore
from folkmoot.settings import Settings
from governance.errors import ChainUnreachable

FAUCET = "faucet"
_SLICE_S = 0.25
"""How late a signal to stop may be noticed."""
_MAX_DEATHS = 5
_DEATHS_WINDOW_S = 60.0
_REVIVAL_S = 30.0
_REPEATABLE = {"status", "flush", "snapshot"}
"""What does no harm when it is done twice."""
_FUND_GAS = 21_000
_FUND_FEE_WEI = 10**11

log = logging.getLogger(__name__)


@contextmanager
def own(folder: ChainFolder, *, wait_s: float = 0.0) -> Iterator[None]:
    """Hold the home's lock; the system releases it however this process ends.

    Parameters
    ----------
    wait_s
        How long to wait for another process that is about to end.

    Raises
    ------
    HomeTaken
        If another process holds it.
    """
    with storage_errors(folder.lock):
        folder.root.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder.lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        deadline = time.monotonic() + wait_s
        while not _try_lock(handle):
            if time.monotonic() >= deadline:
                raise HomeTaken(f"another process owns the chain in {folder.root}")
            time.sleep(0.05)
        yield
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Supervisor:
    """Follows the chain's heads, mines when it is idle, and answers requests."""

    def __init__(self, home: Home, settings: Settings, *, port: int | None = None) -> None:
        self._home = home
        self._keys = open_keystore(home, settings)
        self._folder = ChainFolder(home)
        if not self._folder.exists:
            self._folder.create(self._keys.ensure(FAUCET))
        end_orphan(self._folder)
        guard(self._folder)
        self._stopping = threading.Event()
        self._deaths: list[float] = []
        self._chain = LivingChain(self._folder, self._folder.identity(), settings, port=port)

    def run(self, ready: Callable[[DevnetInfo], None]) -> None:
        """Serve until told to stop; ``ready`` is called once the chain answers."""
        control = ControlServer(socket_path(self._folder.root), self._handle)
        try:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: self._stopping.set())
            ready(self._publish(control.path))
            while not self._stopping.is_set():
                try:
                    self._follow()
                except (WebSocketException, OSError, ChainUnreachable, RpcRefused) as error:
                    self._node_died(error)
                    self._publish(control.path)
            self._last_snapshot()
        finally:
            self._home.devnet_file.unlink(missing_ok=True)
            control.close()
            self._chain.close()

    def _publish(self, control: Path) -> DevnetInfo:
        node, identity = self._chain.node, self._chain.identity
        info = DevnetInfo(
            rpc_url=node.url,
            chain_id=identity.chain_id,
            pid=os.getpid(),
            anvil_pid=node.process.pid,
            control=str(control),
            genesis=self._chain.head("0x0")[2],
            history=self._chain.history,
        )
        write_json(self._home.devnet_file, asdict(info))
        if identity.port != node.port:
            self._chain.identity = type(identity)(identity.chain_id, identity.epoch, node.port)
            self._folder.write(self._chain.identity)
        return info

    def _follow(self) -> None:
        with connect(self._chain.node.url.replace("http", "ws"), max_size=None) as heads:
            subscribe = {"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe"}
            heads.send(json.dumps(subscribe | {"params": ["newHeads"]}))
            self._chain.catch_up()
            while not self._stopping.is_set():
                wait_s = self._chain.idle_left_s()
                if wait_s <= 0:
                    self._chain.tick()
                    continue
                with suppress(TimeoutError):
                    heads.recv(timeout=min(wait_s, _SLICE_S))
                    self._chain.catch_up()
                if self._chain.snapshot_due():
                    self._last_snapshot()

    def _node_died(self, error: Exception) -> None:
        if self._chain.node.alive:
            log.warning("lost the line to anvil (%s)", error)
        now = time.monotonic()
        self._deaths = [then for then in self._deaths if now - then < _DEATHS_WINDOW_S] + [now]
        if len(self._deaths) > _MAX_DEATHS:
            raise DevnetError(f"anvil died {len(self._deaths)} times within a minute: {error}")
        if not self._stopping.is_set():
            self._chain.revive()
            log.warning("anvil died and is back: %s", self._chain.history)

    def _last_snapshot(self) -> None:
        try:
            self._chain.snapshot()
        except (StorageError, DevnetError, ChainUnreachable, RpcRefused) as error:
            log.warning("no snapshot: %s", error)

    def _handle(self, request: Request) -> Json:
        operations: dict[str, Callable[[Request], Json]] = {
            "status": self._status,
            "advance": lambda asked: self._chain.advance(_whole(asked, "seconds")),
            "fund": self._fund,
            "flush": self._flush,
            "snapshot": lambda _: self._chain.snapshot().name,
            "stop": self._stop,
        }
        operation = operations.get(str(request.get("op")))
        if operation is None:
            raise DevnetError(f"no operation {request.get('op')!r}; there are {[*operations]}")
        try:
            return operation(request)
        except ChainUnreachable:
            if not self._wait_for_revival() or request.get("op") not in _REPEATABLE:
                raise DevnetError(
                    "anvil died while it did this, and is started again; look what came of it, then ask again"
                ) from None
            return operation(request)

    def _wait_for_revival(self) -> bool:
        deadline = time.monotonic() + _REVIVAL_S
        while time.monotonic() < deadline and not self._stopping.is_set():
            with suppress(ChainUnreachable):
                self._chain.head()
                return True
            time.sleep(0.05)
        return False

    def _status(self, _: Request) -> Json:
        number, timestamp_s, block_hash = self._chain.head()
        return {
            "block": number,
            "block_hash": block_hash,
            "timestamp_s": timestamp_s,
            "journaled": self._chain.journaled,
            "problem": self._chain.problem,
            "history": self._chain.history,
            "snapshots": [one.name for one in self._folder.snapshots()],
        }

    def _fund(self, request: Request) -> Json:
        addresses, wei = request.get("addresses"), _whole(request, "wei")
        if not isinstance(addresses, list):
            raise DevnetError("fund needs a list of addresses")
        signer = self._keys.signer(FAUCET)
        nonce = self._chain.transactions_of(signer.address)
        signed = [
            signer.sign_transaction(
                {
                    "type": 2,
                    "chainId": self._chain.identity.chain_id,
                    "nonce": nonce + index,
                    "to": str(address),
                    "value": wei,
                    "gas": _FUND_GAS,
                    "data": b"",
                    "maxFeePerGas": _FUND_FEE_WEI,
                    "maxPriorityFeePerGas": 1,
                }
            )
            for index, address in enumerate(addresses)
        ]
        self._chain.send(["0x" + raw.hex() for raw in signed])
        return len(signed)

    def _flush(self, _: Request) -> Json:
        self._chain.catch_up()
        if self._chain.problem is not None:
            raise DevnetError(self._chain.problem)
        return self._chain.journaled

    def _stop(self, _: Request) -> Json:
        self._stopping.set()
        return True


def _whole(request: Request, field: str) -> int:
    value = request.get(field)
    # A bool is an int in Python, and true is no number of seconds.
    if isinstance(value, bool) or not isinstance(value, int):
        raise DevnetError(f"{field} is {value!r}; give a whole number")
    return value
