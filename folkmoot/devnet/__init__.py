"""The development chain: anvil under a supervisor that loses nothing.

Only this package moves a chain's time or state; the calls for it exist nowhere else.
"""

from __future__ import annotations

from folkmoot.devnet.anvil import find_anvil
from folkmoot.devnet.client import Devnet, Restored
from folkmoot.devnet.errors import (
    DevnetError,
    HomeTaken,
    NodeMissing,
    NotRunning,
    ReplayFailed,
)
from folkmoot.devnet.folder import Snapshot
from folkmoot.devnet.info import WARNING, DevnetInfo, DevnetStatus

__all__ = [
    "WARNING",
    "Devnet",
    "DevnetError",
    "DevnetInfo",
    "DevnetStatus",
    "HomeTaken",
    "NodeMissing",
    "NotRunning",
    "ReplayFailed",
    "Restored",
    "Snapshot",
    "find_anvil",
]
