"""Finding planted values in bytes, however somebody may have encoded them.

A sentinel is a decimal number with at least ten significant digits, so that it does not turn
up by chance. Text forms are found by their first nine digits, whatever power of ten they are
scaled by; binary forms as floats and integers of both byte orders; and all of that again
inside base64, hex, zlib and gzip.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

import numpy as np

DIGITS = 9
SCALES = (1.0, 1e-2, 1e-3, 1e2, 1e3, 1e6, 1e9)
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{12,}={0,2}")
_HEX = re.compile(rb"[0-9a-fA-F]{16,}")
_ZLIB_STARTS = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda", b"\x1f\x8b\x08")
MAX_DEPTH = 3
FIRST_BYTES = 4
BATCH_BYTES = 16_000_000
View: TypeAlias = tuple[tuple[str, ...], bytes]
"""Encodings on the way, and the bytes inside."""
Needle: TypeAlias = tuple[str, str, bytes]
"""Sentinel, encoding, and the bytes to look for, four or more."""


@dataclass(frozen=True, slots=True)
class Leak:
    """A sentinel found in some bytes."""

    sentinel: str
    encoding: str
    """Chain of encodings, outermost first, e.g. ``base64 > float32 little``."""


def find_leaks(blob: bytes, sentinels: Sequence[str]) -> list[Leak]:
    """Return every sentinel that occurs in the bytes, once per encoding.

    Parameters
    ----------
    blob
        Bytes that were sent or stored.
    sentinels
        Decimal numbers of at least ten significant digits.
    """
    needles = [(sentinel, name, needle) for sentinel in sentinels for name, needle in _needles(sentinel).items()]
    found = {
        Leak(sentinel, " > ".join([*path, name])): None
        for views in _batches(_views(blob, ()))
        for sentinel, name, needle in _likely(views, needles)
        for path, view in views
        if needle in view
    }
    return list(found)


def _batches(views: Iterable[View]) -> Iterator[list[View]]:
    batch, size = list[View](), 0
    for view in views:
        batch.append(view)
        size += len(view[1])
        if size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    yield batch


def _likely(views: Sequence[View], needles: Sequence[Needle]) -> list[Needle]:
    """Return the needles whose first bytes occur anywhere in the views; it leaves out none that is there.

    A home unfolds into millions of short views: one pass over all of them, joined, is many times
    faster than hundreds of searches in each.
    """
    joined = np.frombuffer(b"".join(view for _, view in views), dtype=np.uint8)
    if len(joined) < FIRST_BYTES or not needles:
        return []
    wanted = np.array([int.from_bytes(needle[:FIRST_BYTES], "big") for _, _, needle in needles], dtype=np.uint32)
    starts = np.zeros(1 << 16, dtype=bool)
    starts[wanted >> 16] = True
    pairs = joined[:-1].astype(np.uint16) << 8 | joined[1:]
    places = np.flatnonzero(starts[pairs[:-2]])
    there = pairs[places].astype(np.uint32) << 16 | pairs[places + 2]
    return [needles[place] for place in np.flatnonzero(np.isin(wanted, there))]


def clipped_forms(sentinel: str, *, lower: float, upper: float) -> list[str]:
    """Return the sentinel with its forms after mapping [lower, upper] to [0, 1] and [−1, 1]."""
    unit = (float(sentinel) - lower) / (upper - lower)
    return [sentinel, f"{unit:.12f}", f"{2 * unit - 1:.12f}"]


def _needles(sentinel: str) -> dict[str, bytes]:
    digits = "".join(map(str, Decimal(sentinel).as_tuple().digits)).lstrip("0")
    if len(digits) < DIGITS + 1:
        raise ValueError(f"{sentinel}: a sentinel needs {DIGITS + 1} significant digits")
    needles = {"digits": digits[:DIGITS].encode()}
    for scale in SCALES:
        value = float(sentinel) * scale
        label = "" if scale == 1 else f" x {scale:g}"
        for order, sign in (("little", "<"), ("big", ">")):
            needles[f"float64 {order}{label}"] = struct.pack(f"{sign}d", value)
            needles[f"float32 {order}{label}"] = struct.pack(f"{sign}f", value)
            if abs(value) >= 2**31:
                needles[f"int64 {order}{label}"] = struct.pack(f"{sign}q", math.trunc(value))
            if 2**24 < abs(value) < 2**31:
                needles[f"int32 {order}{label}"] = struct.pack(f"{sign}i", math.trunc(value))
        if abs(value) >= 2**31:
            needles[f"hex integer{label}"] = f"{abs(math.trunc(value)):x}".encode()
    return needles


def _views(blob: bytes, path: tuple[str, ...]) -> Iterator[View]:
    yield path, blob
    # Without the point, 317.1592365 and 3171592365 and 0.3171592365 have the same digits.
    if b"." in blob:
        yield path, blob.replace(b".", b"")
    if (lower := blob.lower()) != blob:
        yield path, lower
    if len(path) >= MAX_DEPTH:
        return
    for name, inner in (*_from_base64(blob), *_from_hex(blob), *_inflated(blob)):
        yield from _views(inner, (*path, name))


def _from_base64(blob: bytes) -> Iterator[tuple[str, bytes]]:
    # A database keeps many versions of a page: the same text is looked into once.
    for found in dict.fromkeys(_BASE64.findall(blob)):
        text = found.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
        for start in range(4):
            run = text[start:]
            run = run[: len(run) - (len(run) % 4 == 1)]
            try:
                yield "base64", base64.b64decode(run + b"=" * (-len(run) % 4))
            except binascii.Error:
                continue


def _from_hex(blob: bytes) -> Iterator[tuple[str, bytes]]:
    for found in dict.fromkeys(_HEX.findall(blob)):
        for start in range(2):
            run = found[start:]
            yield "hex", bytes.fromhex(run[: len(run) // 2 * 2].decode())


def _inflated(blob: bytes) -> Iterator[tuple[str, bytes]]:
    for start in _ZLIB_STARTS:
        place = blob.find(start)
        while place >= 0:
            # Both headers, and no more than a few megabytes of whatever is inside.
            with suppress(zlib.error):
                yield "zlib", zlib.decompressobj(wbits=47).decompress(blob[place:], 8_000_000)
            place = blob.find(start, place + 1)
