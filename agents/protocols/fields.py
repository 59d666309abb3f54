"""Types of the fields on the wire: strict, and bounded in size. Their bounds are part of each message's digest."""

import re

from pydantic.v1 import ConstrainedInt, ConstrainedStr


class MsgId(ConstrainedStr):
    """Deterministic id of a message, unique per sender."""

    strict = True
    max_length = 160
    regex = re.compile(r"^[A-Za-z0-9:_.-]+\Z")


class Address(ConstrainedStr):
    """EVM address."""

    strict = True
    regex = re.compile(r"^0x[0-9a-fA-F]{40}\Z")


class Bytes32(ConstrainedStr):
    """32 bytes."""

    strict = True
    regex = re.compile(r"^0x[0-9a-f]{64}\Z")


class Sha256(ConstrainedStr):
    """SHA-256 in hex."""

    strict = True
    regex = re.compile(r"^[0-9a-f]{64}\Z")


class Signature(ConstrainedStr):
    """65 bytes r, s, v."""

    strict = True
    regex = re.compile(r"^0x[0-9a-f]{130}\Z")


class Word(ConstrainedStr):
    """A code or name."""

    strict = True
    regex = re.compile(r"^[a-z0-9_]{1,64}\Z")


class Text(ConstrainedStr):
    """A short text for people."""

    strict = True
    max_length = 200


class TermsJson(ConstrainedStr):
    """Canonical JSON of terms."""

    strict = True
    max_length = 4096


class TaskJson(ConstrainedStr):
    """Canonical JSON of a task."""

    strict = True
    max_length = 16_000


class RequestJson(ConstrainedStr):
    """Canonical JSON of the model so far and its preprocessing; empty for statistics."""

    strict = True
    max_length = 16_000


class PackedNanos(ConstrainedStr):
    """Integers of 64 bits, 16 hex digits each."""

    strict = True
    max_length = 32_000
    regex = re.compile(r"^([0-9a-f]{16})*\Z")


class Base64(ConstrainedStr):
    """Bytes in base64."""

    strict = True
    max_length = 44_000
    regex = re.compile(r"^[A-Za-z0-9+/]*={0,2}\Z")


class OptionalSha256(ConstrainedStr):
    """SHA-256 in hex, or nothing."""

    strict = True
    regex = re.compile(r"^([0-9a-f]{64})?\Z")


class Index(ConstrainedInt):
    """A position, counted from zero."""

    strict = True
    ge = 0
    lt = 2**32


class Rounds(ConstrainedInt):
    """Most proposals of each side."""

    strict = True
    ge = 2
    le = 200


class Seconds(ConstrainedInt):
    """Chain time."""

    strict = True
    ge = 0
    lt = 2**63


class Int128(ConstrainedInt):
    """A figure as the chain holds it."""

    strict = True
    ge = -(2**127)
    lt = 2**127
