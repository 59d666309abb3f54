"""One process per agent key: a second one would sign a second story."""

import fcntl
import os
from pathlib import Path
from typing import Self

from agents.net.errors import AgentAlreadyRuns


class KeyLock:
    """An exclusive lock in the agent's home, released by the system when the process dies.

    Parameters
    ----------
    home
        The agent's folder.
    address
        EVM address of the agent key.
    """

    def __init__(self, home: Path, address: str) -> None:
        self._path = home / f"{address.lower()}.lock"
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        """Take the lock.

        Raises
        ------
        AgentAlreadyRuns
            If another process holds it; the message names its process id.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 20).decode(errors="replace") or "unknown"
            os.close(descriptor)
            raise AgentAlreadyRuns(f"process {holder} already runs this agent ({self._path}); stop it first") from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor
        return self

    def __exit__(self, *_: object) -> None:
        """Release the lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
