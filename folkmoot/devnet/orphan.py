"""Ending an anvil whose supervisor was killed, where the system does not do that by itself."""

from __future__ import annotations

import os
import signal
import subprocess

from folkmoot.devnet.folder import ChainFolder


def end_orphan(folder: ChainFolder) -> None:
    """Kill the anvil that a killed supervisor of this home left; never any other process.

    Only Linux ends a child with its parent. Call it while holding the home's lock.
    """
    try:
        pid = int(folder.node_pid.read_text())
    except (OSError, ValueError):
        return
    # The number may long belong to somebody else: only a command line with our genesis is ours.
    listed = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)],  # noqa: S607 - ps is where PATH says
        capture_output=True,
        text=True,
        check=False,
    )
    if "anvil" in listed.stdout and str(folder.genesis) in listed.stdout:
        os.kill(pid, signal.SIGKILL)
    folder.node_pid.unlink(missing_ok=True)
