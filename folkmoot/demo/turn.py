"""One demonstration at a time in a home: a second one would set the first one's network aside."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from folkmoot.files import storage_errors
from governance.errors import FolkmootError


class HomeInUse(FolkmootError):
    """Another demonstration runs in this home."""


@contextmanager
def own_turn(root: Path) -> Iterator[None]:
    """Hold the lock of a home's demonstrations; the system lets go of it when the process dies.

    It lies beside the home, which is renamed when a demonstration starts over.

    Raises
    ------
    HomeInUse
        If another process holds it; the message names it.
    StorageError
        If the folder above the home cannot be written.
    """
    path = root.with_name(f".{root.name}.lock")
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 20).decode(errors="replace") or "unknown"
            raise HomeInUse(
                f"another demonstration (process {holder}) runs in {root}; wait for it, or choose another --home"
            ) from error
        with storage_errors(path):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)
