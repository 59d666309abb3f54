"""Commitments to rows: per-row secret salts, leaves, and the root that goes on chain.

Rows are low in entropy (a patient is a dozen small numbers), so an unsalted hash could be
guessed. Each row gets 16 random bytes; destroying a salt makes its leaf say nothing.
A root proves that rows stayed the same. It does not prove that they are true.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from agents.training.canonical import Document, Json, expect_keys, read_list, read_text
from agents.training.errors import DataError, TaskError
from agents.training.rows import MAX_ROWS, Row, load_rows, parse_rows, row_text
from agents.training.schema import DataSchema
from governance.domain import merkle

SALT_BYTES = 16
LEAF_TYPES = ("bytes16", "bytes32")

SaltSource: TypeAlias = Callable[[str, int], bytes]
"""Gives the salt of one row: (name of the row set, place of the row) to 16 bytes."""


@dataclass(frozen=True, slots=True)
class SaltedRows:
    """Rows with the salts that open their commitment, in the same order."""

    rows: tuple[Row, ...]
    salts: tuple[bytes, ...]

    def __post_init__(self) -> None:
        if len(self.rows) != len(self.salts):
            raise DataError(f"{len(self.rows)} rows but {len(self.salts)} salts")

    @property
    def root(self) -> bytes:
        """Merkle root over the rows' leaves, 32 bytes."""
        return merkle.root(self.leaves)

    @property
    def leaves(self) -> list[bytes]:
        """One 32-byte leaf per row, in order."""
        return [row_leaf(row, salt) for row, salt in zip(self.rows, self.salts, strict=True)]

    def to_json(self) -> Document:
        """Return rows and salts as JSON, the form in which evaluation rows go to drawn jurors."""
        return {
            "rows": [list(row) for row in self.rows],
            "salts": [salt.hex() for salt in self.salts],
        }

    @classmethod
    def from_json(cls, document: Json, schema: DataSchema) -> "SaltedRows":
        """Read rows and salts that somebody else sent.

        Raises
        ------
        TaskError, DataError
            If the document is malformed or a row does not fit the schema.
        """
        fields = expect_keys(document, ("rows", "salts"), "salted rows")
        rows = parse_rows(read_list(fields, "rows", longest=MAX_ROWS), schema)
        salts = read_list(fields, "salts", longest=MAX_ROWS)
        return cls(rows=tuple(rows), salts=tuple(map(_salt, salts)))

    def opens(self, root: bytes) -> bool:
        """Say whether these are exactly the rows behind a committed root."""
        return bool(self.rows) and self.root == root


def row_leaf(row: Row, salt: bytes) -> bytes:
    """Return the leaf of a row: StandardMerkleTree over (bytes16 salt, bytes32 SHA-256 of the row).

    Parameters
    ----------
    row
        Canonical cells; ``rows.row_text`` gives the bytes that are hashed.
    salt
        16 secret bytes.
    """
    if len(salt) != SALT_BYTES:
        raise DataError(f"a salt is {SALT_BYTES} bytes, not {len(salt)}")
    return merkle.standard_leaf(LEAF_TYPES, (salt, hashlib.sha256(row_text(row)).digest()))


def system_salts(_name: str, _place: int) -> bytes:
    """Return 16 bytes of the operating system's randomness."""
    return secrets.token_bytes(SALT_BYTES)


def seeded_salts(seed: int) -> SaltSource:
    """Return a source of reproducible salts, for demonstrations on public data only."""

    def salt(name: str, place: int) -> bytes:
        text = f"folkmoot salt|{seed}|{name}|{place}"
        return hashlib.sha256(text.encode()).digest()[:SALT_BYTES]

    return salt


def salts_path(csv: Path) -> Path:
    """Return where the salts of a CSV lie: beside it, one line of hex per row."""
    return csv.with_suffix(".salts")


def write_salts(csv: Path, salts: Sequence[bytes]) -> None:
    """Write the salts of a CSV beside it, readable by its owner only."""
    path = salts_path(csv)
    path.touch(mode=0o600)
    path.write_text("".join(f"{salt.hex()}\n" for salt in salts), encoding="ascii")


def load_salted(csv: Path, schema: DataSchema) -> SaltedRows:
    """Read a CSV and the salts beside it.

    Raises
    ------
    DataError
        If either is missing or malformed, or there are more rows than salts or fewer.
    """
    path = salts_path(csv)
    try:
        salts = tuple(map(_salt, path.read_text(encoding="ascii").split()))
    except (OSError, UnicodeDecodeError, TaskError) as error:
        raise DataError(
            f"{path}: the rows' salts cannot be read ({error}); `folkmoot scenario build` and "
            f"`agents.training.prepare_owner` write them"
        ) from error
    rows = tuple(load_rows(csv, schema))
    if len(rows) != len(salts):
        raise DataError(f"{csv}: {len(rows)} rows but {len(salts)} salts in {path.name}")
    return SaltedRows(rows=rows, salts=salts)


def _salt(value: Json) -> bytes:
    text = read_text({"salt": value}, "salt", longest=2 * SALT_BYTES)
    try:
        salt = bytes.fromhex(text)
    except ValueError as error:
        raise TaskError("a salt is 32 hex digits") from error
    if len(salt) != SALT_BYTES:
        raise TaskError(f"a salt is {SALT_BYTES} bytes, not {len(salt)}")
    return salt
