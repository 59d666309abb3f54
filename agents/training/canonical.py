"""Canonical JSON, and strict reading of JSON that somebody else wrote."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

from agents.training.errors import TaskError

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"
Document: TypeAlias = Mapping[str, Json]

MAX_INTEGER = 2**127 - 1
"""What fits an int128 on chain; nothing that we hash is larger."""


def canonical_json(value: Json) -> bytes:
    """Encode as JSON with sorted keys, no blanks, ASCII only and integers only.

    Raises
    ------
    TaskError
        If a float is inside: the same float prints differently in other languages.
    """
    _refuse_floats(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def sha256_hex(value: Json) -> str:
    """Return the SHA-256 of the canonical JSON, 64 lower-case hex digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def parse_document(text: str | bytes, what: str) -> Document:
    """Parse a JSON object; floats and repeated keys are refused.

    Raises
    ------
    TaskError
        If the text is not a JSON object; ``what`` names it in the message.
    """
    try:
        value = json.loads(text, parse_float=_no_float, parse_constant=_no_float, object_pairs_hook=_no_repeats)
    except (ValueError, RecursionError) as error:
        raise TaskError(f"{what}: not JSON that we accept: {str(error)[:200]}") from error
    if not isinstance(value, dict):
        raise TaskError(f"{what}: a JSON object is expected, not a {type(value).__name__}")
    return value


def expect_keys(document: Json, keys: Sequence[str], what: str) -> Document:
    """Return the document if it is an object with exactly these keys."""
    if not isinstance(document, Mapping):
        raise TaskError(f"{what}: a JSON object is expected, not a {type(document).__name__}")
    missing = sorted(set(keys) - set(document))
    unknown = sorted(set(document) - set(keys))
    if missing or unknown:
        raise TaskError(f"{what}: missing keys {missing}, unknown keys {unknown}"[:500])
    return document


def read_integer(document: Document, key: str, *, minimum: int = 0, maximum: int = MAX_INTEGER) -> int:
    """Return ``document[key]`` if it is an integer in the range (both ends included)."""
    return check_integer(document.get(key), key, minimum=minimum, maximum=maximum)


def check_integer(value: Json, what: str, *, minimum: int, maximum: int = MAX_INTEGER) -> int:
    """Return the value if it is an integer in the range; ``True`` is not an integer here."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TaskError(f"{what}: an integer is expected, not {str(value)[:40]!r}")
    if not minimum <= value <= maximum:
        raise TaskError(f"{what}: {value} is not within {minimum} and {maximum}")
    return value


def read_text(document: Document, key: str, *, longest: int = 200) -> str:
    """Return ``document[key]`` if it is a text of at most ``longest`` characters."""
    value = document.get(key)
    if not isinstance(value, str) or len(value) > longest:
        raise TaskError(f"{key}: a text of at most {longest} characters is expected")
    return value


def read_list(document: Document, key: str, *, longest: int = 10_000) -> Sequence[Json]:
    """Return ``document[key]`` if it is a list of at most ``longest`` entries."""
    value = document.get(key)
    if isinstance(value, str) or not isinstance(value, Sequence) or len(value) > longest:
        raise TaskError(f"{key}: a list of at most {longest} entries is expected")
    return value


def read_integers(
    document: Document, key: str, *, minimum: int = -MAX_INTEGER, longest: int = 10_000
) -> tuple[int, ...]:
    """Return ``document[key]`` if it is a list of integers, none below ``minimum``."""
    entries = read_list(document, key, longest=longest)
    return tuple(check_integer(entry, f"{key}[{place}]", minimum=minimum) for place, entry in enumerate(entries))


def read_texts(document: Document, key: str, *, longest: int = 200) -> tuple[str, ...]:
    """Return ``document[key]`` if it is a list of short texts."""
    entries = read_list(document, key)
    if not all(isinstance(entry, str) and len(entry) <= longest for entry in entries):
        raise TaskError(f"{key}: a list of texts of at most {longest} characters is expected")
    return tuple(str(entry) for entry in entries)


def canonical_decimal(text: str) -> str:
    """Write a finite decimal number the one way we hash it: no exponent, no trailing zeros.

    Raises
    ------
    ValueError
        If the text is not a finite number, or has more than 30 characters or digits.
    """
    if len(text) > 30:
        raise ValueError("a number of more than 30 characters")
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueError("not a number") from error
    # Decimal reads "nan", "1e9999" and digits of other scripts; we want none of them.
    if not number.is_finite() or not text.isascii() or "_" in text or abs(number.adjusted()) > 15:
        raise ValueError("not a finite number of ordinary size")
    plain = format(number, "f")
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return "0" if plain in ("-0", "") else plain


def _refuse_floats(value: Json) -> None:
    if isinstance(value, float):
        raise TaskError(f"a float ({value}) cannot be hashed; use an integer with its unit")
    if isinstance(value, Mapping):
        for entry in value.values():
            _refuse_floats(entry)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for entry in value:
            _refuse_floats(entry)


def _no_float(text: str) -> Json:
    raise ValueError(f"{text} is not an integer")


def _no_repeats(pairs: list[tuple[str, Json]]) -> Document:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key occurs twice")
    return document
