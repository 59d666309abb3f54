"""The anvil program: finding it, running it, ending it."""

from __future__ import annotations

import platform
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from folkmoot.devnet.errors import DevnetError, NodeMissing
from folkmoot.devnet.node import Node
from folkmoot.settings import CHECKOUT, Settings, child_environment
from governance.errors import ChainUnreachable

_START_TIMEOUT_S = 20.0
_PORT_TRIES = 5


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


class Anvil(Node):
    """One running anvil that we started."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        super().__init__(port)
        self.process = process

    @classmethod
    def start(cls, arguments: list[str], *, log: Path, port: int | None) -> Anvil:
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
