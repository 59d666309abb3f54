"""Writing a file so that a crash leaves either the old one or the new one, never half of it."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from governance.errors import FolkmootError

# The three faces of a full disk: no space, over quota, over the process's file size limit.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class StorageError(FolkmootError):
    """The disk or the folder will not take what we have to write."""


def explain_os_error(error: OSError, what: str) -> str:
    """Say in one sentence what the operating system refused and what to do about it."""
    where = error.filename or what
    if error.errno in _FULL:
        return f"the disk is full: cannot write {where}; free some space and run this again"
    if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
        return f"cannot write {where}: it is read-only for you; choose another --home"
    return f"cannot write {where}: {error.strerror or error}"


@contextmanager
def storage_errors(what: Path | str) -> Iterator[None]:
    """Turn an ``OSError`` of the block into a ``StorageError`` that says what to do."""
    try:
        yield
    except OSError as error:
        raise StorageError(explain_os_error(error, str(what))) from error


def write_atomically(path: Path, content: bytes | str, *, mode: int = 0o644) -> None:
    """Replace ``path`` by ``content``: temporary file, fsync, rename, fsync of the folder.

    Raises
    ------
    StorageError
        If the disk is full or the folder is read-only; ``path`` is then as it was.
    """
    data = content.encode() if isinstance(content, str) else content
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                os.fchmod(file.fileno(), mode)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def write_json(path: Path, value: object, *, mode: int = 0o644) -> None:
    """Write ``value`` as indented JSON with sorted keys, atomically."""
    write_atomically(path, json.dumps(value, indent=2, sort_keys=True) + "\n", mode=mode)


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable; a rename alone may not survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
