"""Canonical JSON: the one byte form of a record, so that equal records have equal digests.

Keys sorted by code point, no spaces, ASCII only, integers, strings, booleans, lists and
objects. No float ever: two machines print the same float differently, or round it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from governance.errors import RecordError

Record: TypeAlias = "int | str | bool | Sequence[Record] | Mapping[str, Record]"
"""What a record may hold; numbers are integers with the unit in the name of the field."""

MAX_DEPTH = 32


def canonical_json(record: Record) -> bytes:
    """Return the canonical JSON of a record, ASCII bytes without a line end.

    Tuples are written as lists. Keys are sorted by code point, as Python sorts strings.

    Raises
    ------
    RecordError
        If the record holds a float, ``None``, a key that is no string, any other type,
        or is nested more than 32 deep; the message names the place.
    """
    plain = _plain(record, path="$", depth=0)
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def parse_canonical_json(data: bytes) -> Record:
    """Read canonical JSON back, refusing any other spelling of the same record.

    A record whose bytes could be spelled in two ways would have two digests.

    Raises
    ------
    RecordError
        If the bytes are no JSON, hold what a record may not, or are not canonical.
    """
    try:
        record: Record = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"these {len(data)} bytes are no JSON: {error}") from error
    if canonical_json(record) != data:
        raise RecordError(
            "this JSON is not canonical (sorted unique keys, no spaces, ASCII): write it again with canonical_json"
        )
    return record


def sha256(data: bytes) -> bytes:
    """Return the SHA-256 of bytes, 32 bytes: the address of an artifact or a stored record."""
    return hashlib.sha256(data).digest()


def record_digest(record: Record) -> bytes:
    """Return the SHA-256 of the canonical JSON of a record, 32 bytes."""
    return sha256(canonical_json(record))


def _plain(value: object, *, path: str, depth: int) -> object:
    if depth > MAX_DEPTH:
        raise RecordError(f"{path}: nested more than {MAX_DEPTH} deep")
    # Exact types: an IntEnum or a numpy integer would be written differently elsewhere.
    if type(value) in {int, str, bool}:
        return value
    if isinstance(value, Mapping):
        return {_key(key, path): _plain(item, path=f"{path}.{key}", depth=depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, path=f"{path}[{index}]", depth=depth + 1) for index, item in enumerate(value)]
    raise RecordError(
        f"{path}: a record holds integers, strings, booleans, lists and objects, not {type(value).__name__}"
    )


def _key(key: object, path: str) -> str:
    if not isinstance(key, str):
        raise RecordError(f"{path}: key {key!r} is no string")
    return key
