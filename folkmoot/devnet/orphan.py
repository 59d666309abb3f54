"""A node whose supervisor was killed: take what it still knows, then end it."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import time
from contextlib import suppress

from folkmoot.devnet.folder import ChainFolder
from folkmoot.devnet.journal import Journal, read_journal
from folkmoot.devnet.node import Node
from governance.errors import FolkmootError

_GRACE_S = 5.0

log = logging.getLogger(__name__)


def end_orphan(folder: ChainFolder) -> None:
    """Journal the blocks that only the orphan has, then kill it; never any other process.

    Call it while holding the home's lock.
    """
    try:
        pid, port = map(int, folder.node_pid.read_text().split())
    except (OSError, ValueError):
        return
    if _is_ours(pid, folder):
        try:
            _drain(folder, Node(port))
        except (FolkmootError, OSError) as error:
            log.warning("the orphan of a killed supervisor told nothing: %s", error)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + _GRACE_S
        while _is_ours(pid, folder) and time.monotonic() < deadline:
            time.sleep(0.02)
    folder.node_pid.unlink(missing_ok=True)


def guard(folder: ChainFolder) -> None:
    """Fork a process that calls ``end_orphan`` when this one is gone, however that happens.

    It shares this process's lock on the home, so that nobody starts the chain before it is done.
    Call it before any thread is started.
    """
    heard, held = os.pipe()
    if os.fork() != 0:
        os.close(heard)
        # ``held`` stays open until this process ends; anvil does not inherit it.
        return
    try:
        os.close(held)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        os.read(heard, 1)
        end_orphan(folder)
    finally:
        os._exit(0)


def _drain(folder: ChainFolder, node: Node) -> None:
    node.stop_mining()
    path = folder.journal(folder.identity().epoch)
    with Journal(path) as journal:
        known = read_journal(path)
        number = node.head()[0]
        last = known[-1].number if known else 0
        if known and (number < last or node.head(hex(last))[2] != known[-1].hash):
            log.warning("the orphan of a killed supervisor tells another history; it is not used")
            return
        missing = [node.block(each) for each in range(last + 1, number + 1)]
        journal.append(missing)
        log.info("journaled %d blocks that a killed supervisor had not", len(missing))


def _is_ours(pid: int, folder: ChainFolder) -> bool:
    # The number may long belong to somebody else: only a command line with our genesis is ours.
    # A process that ended but is not yet collected has no command line.
    listed = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)],  # noqa: S607 - ps is where PATH says
        capture_output=True,
        text=True,
        check=False,
    )
    return "anvil" in listed.stdout and str(folder.genesis) in listed.stdout
