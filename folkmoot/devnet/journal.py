"""Every block's raw transactions and time, on disk before anybody can rely on them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from folkmoot.devnet.errors import DevnetError
from folkmoot.devnet.node import Block
from folkmoot.files import storage_errors


class Journal:
    """Appends blocks to one file, one JSON line each, and reads them back.

    A line with a number that is already there replaces it and everything after it: that is how
    a chain that was rewound is told. A last line without its end is what a crash leaves, and is
    cut off; damage anywhere else is reported.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with storage_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self.torn_bytes = _cut_torn_line(path)
            self._file = path.open("ab", buffering=0)
            self._end = self._file.tell()

    def append(self, blocks: list[Block]) -> None:
        """Write blocks and wait until the disk has them.

        Raises
        ------
        StorageError
            If the disk is full; nothing half-written stays behind.
        """
        data = b"".join(_line(block) for block in blocks)
        with storage_errors(self._path):
            try:
                written = 0
                while written < len(data):
                    written += self._file.write(data[written:])
                os.fsync(self._file.fileno())
            except OSError:
                os.ftruncate(self._file.fileno(), self._end)
                raise
            self._end += len(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def read_journal(path: Path) -> list[Block]:
    """Return the blocks of a journal, in order and without gaps.

    Raises
    ------
    DevnetError
        If a line before the last is damaged, or a block is missing.
    """
    blocks: list[Block] = []
    with storage_errors(path):
        data = path.read_bytes() if path.exists() else b""
    for index, line in enumerate(data.split(b"\n")[:-1], start=1):
        block = _parse(line, f"line {index} of {path}")
        if blocks and block.number <= blocks[-1].number:
            blocks = [kept for kept in blocks if kept.number < block.number]
        if blocks and block.number != blocks[-1].number + 1:
            raise DevnetError(
                f"line {index} of {path} is block {block.number} after {blocks[-1].number}:"
                " blocks are missing; `folkmoot devnet restore` goes back to a snapshot"
            )
        blocks.append(block)
    return blocks


def _line(block: Block) -> bytes:
    fields = {"n": block.number, "t": block.timestamp_s, "h": block.hash, "x": block.transactions}
    return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


def _parse(line: bytes, where: str) -> Block:
    try:
        fields = json.loads(line)
        return Block(
            number=int(fields["n"]),
            timestamp_s=int(fields["t"]),
            hash=str(fields["h"]),
            transactions=tuple(str(raw) for raw in fields["x"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DevnetError(
            f"{where} is damaged: {error!r}; `folkmoot devnet restore` goes back to a snapshot before it"
        ) from error


def _cut_torn_line(path: Path) -> int:
    """Cut what follows the last end of line and return how many bytes that were."""
    if not path.exists():
        return 0
    data = path.read_bytes()
    torn = len(data) - (data.rfind(b"\n") + 1)
    if torn:
        os.truncate(path, len(data) - torn)
    return torn
