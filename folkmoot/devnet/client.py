"""The development chain of a home, as everybody but its supervisor sees it."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from folkmoot.devnet.anvil import find_anvil
from folkmoot.devnet.control import ask
from folkmoot.devnet.errors import DevnetError, HomeTaken, NodeMissing, NotRunning
from folkmoot.devnet.folder import ChainFolder, Snapshot
from folkmoot.devnet.info import DevnetInfo, DevnetStatus, read_info
from folkmoot.devnet.rpc import Json
from folkmoot.devnet.supervisor import own
from folkmoot.files import storage_errors, write_json
from folkmoot.home import Home
from folkmoot.settings import CHECKOUT, Settings, child_environment, read_settings

_START_TIMEOUT_S = 300.0
"""A long journal may have to be replayed first."""
_STOP_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did."""

    snapshot: str
    chain_id: int
    old_chain_id: int


@dataclass(frozen=True, slots=True)
class Devnet:
    """Starts, asks and stops the supervisor of one home's development chain."""

    home: Home
    settings: Settings = field(default_factory=read_settings)

    def start(self, *, port: int | None = None) -> DevnetInfo:
        """Start the chain in its own process, or return what already runs.

        Parameters
        ----------
        port
            Where to listen; else where it listened last, else any free port.

        Raises
        ------
        NodeMissing
            If there is no anvil.
        StorageError
            If the home cannot be written.
        DevnetError
            If the chain does not come up; the message says why.
        """
        with suppress(NotRunning):
            self.status()
            return self.info()
        find_anvil(self.settings)
        home = Home.create(self.home.root)
        with storage_errors(home.chain):
            home.chain.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "folkmoot.devnet", str(home.root)]
        process = subprocess.Popen(
            command if port is None else [*command, str(port)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=CHECKOUT,
            env=self._environment(),
            start_new_session=True,
        )
        return self._wait(process)

    def _environment(self) -> dict[str, str]:
        given: dict[str, object] = {
            "ANVIL": self.settings.anvil,
            "FOLKMOOT_PASSWORD_FILE": self.settings.password_file,
            "FOLKMOOT_IDLE_BLOCK_S": self.settings.idle_block_s,
            "FOLKMOOT_CHAIN_HISTORY": self.settings.chain_history_blocks,
        }
        return child_environment(**{name: str(value or "") for name, value in given.items()})

    def _wait(self, process: subprocess.Popen[bytes]) -> DevnetInfo:
        said = _first_json_line(process)
        if "error" not in said:
            return read_info(self.home)
        process.wait(timeout=_STOP_TIMEOUT_S)
        kinds = {"HomeTaken": HomeTaken, "NodeMissing": NodeMissing}
        if said.get("kind") == "HomeTaken":
            with suppress(NotRunning):
                # Somebody else was quicker: two `up` at once are one chain.
                return self._wait_for_other()
        raise kinds.get(str(said.get("kind")), DevnetError)(str(said["error"]))

    def _wait_for_other(self) -> DevnetInfo:
        deadline = time.monotonic() + 10.0
        while time.monotonic() < deadline:
            with suppress(NotRunning):
                self.status()
                return self.info()
            time.sleep(0.1)
        raise NotRunning("the other start did not finish")

    def info(self) -> DevnetInfo:
        """Return where the chain answers.

        Raises
        ------
        NotRunning
            If it is down.
        """
        return read_info(self.home)

    def status(self) -> DevnetStatus:
        """Ask the supervisor how it is.

        Raises
        ------
        NotRunning
            If it is down.
        """
        said = cast("dict[str, Json]", self._ask("status"))
        names = said["snapshots"]
        return DevnetStatus(
            block=int(str(said["block"])),
            block_hash=str(said["block_hash"]),
            timestamp_s=int(str(said["timestamp_s"])),
            journaled=int(str(said["journaled"])),
            problem=None if said["problem"] is None else str(said["problem"]),
            history=str(said["history"]),
            snapshots=tuple(map(str, names)) if isinstance(names, list) else (),
        )

    def advance(self, seconds: int) -> int:
        """Move the chain's clock forward and return its new time, in seconds."""
        return int(str(self._ask("advance", seconds=seconds)))

    def advance_to(self, timestamp_s: int) -> int:
        """Move the chain's clock to ``timestamp_s`` unless it is there already; return its time."""
        now_s = self.status().timestamp_s
        return self.advance(timestamp_s - now_s) if timestamp_s > now_s else now_s

    def fund(self, addresses: Sequence[str], wei: int) -> int:
        """Send ``wei`` of gas money to each address; return how many got it."""
        return int(str(self._ask("fund", addresses=list(addresses), wei=wei)))

    def flush(self) -> int:
        """Wait until every block so far is on disk, and return the number of the last."""
        return int(str(self._ask("flush")))

    def snapshot(self) -> str:
        """Save the state now, and return the snapshot's name."""
        return str(self._ask("snapshot"))

    def snapshots(self) -> tuple[Snapshot, ...]:
        """Return what ``restore`` can go back to, oldest first; the chain may be down."""
        return ChainFolder(self.home).snapshots()

    def stop(self) -> bool:
        """Stop the chain; return whether it ran. Nothing of it is lost.

        Raises
        ------
        DevnetError
            If it does not end in time.
        """
        try:
            pid = self.info().pid
            self._ask("stop")
        except NotRunning:
            self.home.devnet_file.unlink(missing_ok=True)
            return False
        deadline = time.monotonic() + _STOP_TIMEOUT_S
        while time.monotonic() < deadline:
            with suppress(HomeTaken), own(ChainFolder(self.home)):
                return True
            time.sleep(0.05)
        raise DevnetError(f"the development chain (process {pid}) does not stop; kill it")

    def restore(self, name: str) -> Restored:
        """Go back to a snapshot, under a new chain id that voids every signature made since.

        The chain comes up again if it was up. Journal and snapshots of before stay in the home.

        Raises
        ------
        DevnetError
            If there is no such snapshot.
        """
        known = {one.name: one for one in self.snapshots()}
        if name not in known:
            raise DevnetError(f"no snapshot {name!r} in {self.home.chain}; there are: {', '.join(known) or 'none'}")
        was_up = self.stop()
        folder = ChainFolder(self.home)
        with own(folder):
            old = folder.identity().chain_id
            new = folder.begin_epoch(known[name]).chain_id
            _rename_chain(self.home.deployment_file, known[name], new)
        if was_up:
            self.start()
        return Restored(name, new, old)

    def _ask(self, operation: str, **fields: Json) -> Json:
        return ask(Path(read_info(self.home).control), {"op": operation, **fields})


def _first_json_line(process: subprocess.Popen[bytes]) -> dict[str, object]:
    """Read until the child says in JSON how its start went; everything else is its last words."""
    words = b""
    assert process.stdout is not None  # noqa: S101 - it was opened as a pipe
    with selectors.DefaultSelector() as ready, process.stdout:
        ready.register(process.stdout, selectors.EVENT_READ)
        while ready.select(_START_TIMEOUT_S):
            piece = os.read(process.stdout.fileno(), 65_536)
            words += piece
            for line in words.split(b"\n")[:-1]:
                with suppress(ValueError):
                    said = json.loads(line)
                    if isinstance(said, dict):
                        return said
            if not piece:
                break
    process.kill()
    text = words.decode(errors="replace").strip()
    return {"error": f"the development chain did not start: {text[-300:] or 'it said nothing'}"}


def _rename_chain(deployment_file: Path, snapshot: Snapshot, new: int) -> None:
    """Put the new chain id into the deployment file, or set it aside if it came after the snapshot."""
    if not deployment_file.exists():
        return
    with storage_errors(deployment_file):
        document = json.loads(deployment_file.read_text())
        if not isinstance(document, dict) or int(document.get("first_block", 0)) > snapshot.number:
            deployment_file.replace(deployment_file.with_suffix(".json.void"))
            return
    write_json(deployment_file, document | {"chain_id": new})
