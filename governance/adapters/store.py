"""Evidence and artifacts on disk, each file under the SHA-256 of its bytes."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from governance.domain.record import sha256
from governance.errors import EvidenceMissing, StoreDamaged


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
            If the file is not there.
        StoreDamaged
            If its bytes have another digest.
        """
        path = self.path(digest)
        try:
            data = path.read_bytes()
        except FileNotFoundError as missing:
            raise EvidenceMissing(f"{digest.hex()} is not in the store {self.folder}") from missing
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
