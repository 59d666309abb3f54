"""Values of contract calls, which arrive untyped, read as what they must be."""

from collections.abc import Sequence
from typing import cast

from governance.domain.market import Address
from governance.errors import InvalidRecord


def number(value: object) -> int:
    """Return a whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidRecord(f"the chain answered {value!r} where a number belongs")
    return value


def flag(value: object) -> bool:
    """Return a truth value."""
    if not isinstance(value, bool):
        raise InvalidRecord(f"the chain answered {value!r} where a truth value belongs")
    return value


def raw(value: object) -> bytes:
    """Return bytes."""
    if not isinstance(value, bytes):
        raise InvalidRecord(f"the chain answered {value!r} where bytes belong")
    return bytes(value)


def text(value: object) -> str:
    """Return text."""
    if not isinstance(value, str):
        raise InvalidRecord(f"the chain answered {value!r} where text belongs")
    return value


def address(value: object) -> Address:
    """Return a checksummed address."""
    from eth_utils.address import to_checksum_address

    return to_checksum_address(text(value))


def row(value: object, width: int) -> Sequence[object]:
    """Return the fields of a struct."""
    if isinstance(value, str | bytes) or not isinstance(value, Sequence) or len(value) != width:
        raise InvalidRecord(f"the chain answered {value!r} where {width} fields belong")
    return cast("Sequence[object]", value)


def items(value: object) -> Sequence[object]:
    """Return a list."""
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise InvalidRecord(f"the chain answered {value!r} where a list belongs")
    return cast("Sequence[object]", value)
