"""Evidence and artifacts on disk, each file under the SHA-256 of its bytes."""

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from governance.domain.record import sha256
from governance.errors import EvidenceMissing, StoreDamaged

MAX_BYTES: Final = 1 << 28
"""A quarter of a gibibyte, eight times what agents serve; a copy of a store may come from anybody."""


class FileStore:
    """A folder of files named by the hex of their SHA-256. Fits the port ``EvidenceStore``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, data: bytes) -> bytes:
        """Write the bytes if they are not there yet, all or nothing, and return their digest."""
        name = sha256(data)
        path = self.path(name)
        if path.exists():
            return name
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self.folder, prefix=".", delete=False) as handle:
            handle.write(data)
            handle.flush()
            # Evidence first: a digest on chain must never point at missing bytes.
            os.fsync(handle.fileno())
        Path(handle.name).replace(path)
        return name

    def get(self, digest: bytes) -> bytes:
        """Return the bytes of a digest.

        Raises
        ------
        EvidenceMissing
            If the file is not there, cannot be read, or is no file but a link, a pipe or a folder.
        StoreDamaged
            If its bytes have another digest, or are too many.
        """
        path = self.path(digest)
        try:
            data = _read(path)
        except OSError as missing:
            raise EvidenceMissing(f"{digest.hex()} is not in the store {self.folder}: {missing.strerror}") from missing
        if len(data) > MAX_BYTES:
            raise StoreDamaged(f"larger than {MAX_BYTES} bytes, which no evidence is: {path}")
        if sha256(data) != digest:
            raise StoreDamaged(f"altered: its bytes have another SHA-256 than its name says: {path}")
        return data

    def path(self, digest: bytes) -> Path:
        """Return where the file of a digest lies or would lie."""
        return self.folder / digest.hex()

    def digests(self) -> Iterator[bytes]:
        """Yield the digests that the store claims to hold, in order."""
        if not self.folder.is_dir():
            return
        for path in sorted(self.folder.iterdir()):
            # Whoever copies a store may leave notes in it.
            if len(path.name) == 64 and set(path.name) <= set("0123456789abcdef"):
                yield bytes.fromhex(path.name)


def _read(path: Path) -> bytes:
    """Return the bytes of a file, one more than allowed at most.

    Whoever gave us the folder may have put a link to another file there, or a pipe that never ends.
    """
    if not stat.S_ISREG(path.lstat().st_mode):
        raise FileNotFoundError(errno.ENOENT, "no file", str(path))
    # It may have been exchanged since: then neither is the link followed nor the pipe waited for.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(MAX_BYTES + 1)
