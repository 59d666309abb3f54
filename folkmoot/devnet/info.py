"""What the file ``devnet.json`` of a home says, and what a running chain says about itself."""

from __future__ import annotations

import json
from dataclasses import dataclass

from folkmoot.devnet.errors import NotRunning
from folkmoot.home import Home

WARNING = "development chain: its operator can rewrite everything"


@dataclass(frozen=True, slots=True)
class DevnetInfo:
    """Where the development chain of a home answers."""

    rpc_url: str
    chain_id: int
    pid: int
    """Process id of the supervisor."""
    anvil_pid: int
    control: str
    """Unix socket of the supervisor."""
    genesis: str
    """Hash of block 0."""
    history: str
    """How the chain came back at the last start, in one sentence."""


@dataclass(frozen=True, slots=True)
class DevnetStatus:
    """What the supervisor knows at this moment."""

    block: int
    block_hash: str
    timestamp_s: int
    """Time of the latest block; it may be ahead of the wall clock."""
    journaled: int
    """Last block that is on disk."""
    problem: str | None
    """Why blocks do not reach the disk; ``None`` when they do."""
    history: str
    snapshots: tuple[str, ...]


def read_info(home: Home) -> DevnetInfo:
    """Read ``devnet.json``.

    Raises
    ------
    NotRunning
        If it is missing or damaged; a chain that is up has it.
    """
    try:
        fields = json.loads(home.devnet_file.read_text())
        return DevnetInfo(
            rpc_url=str(fields["rpc_url"]),
            chain_id=int(fields["chain_id"]),
            pid=int(fields["pid"]),
            anvil_pid=int(fields["anvil_pid"]),
            control=str(fields["control"]),
            genesis=str(fields["genesis"]),
            history=str(fields["history"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotRunning(f"the development chain in {home.root} is down; `folkmoot up` starts it") from error
