"""One event of the index, and how its values are read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from eth_utils.address import to_checksum_address

from governance.domain.market import Address
from governance.domain.signing import read_short_text
from governance.errors import InvalidRecord

ZERO_ADDRESS: Address = "0x" + "00" * 20
NO_WORD = b"\0" * 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event, with the time of its block."""

    block: int
    log_index: int
    time_s: int
    """Chain time."""
    contract: str
    name: str
    subject: str
    transaction: str
    values: Mapping[str, object]

    @property
    def place(self) -> tuple[int, int]:
        """Order on the chain."""
        return self.block, self.log_index

    def number(self, field: str) -> int:
        """Return a whole number."""
        return number(self._value(field))

    def flag(self, field: str) -> bool:
        """Return a truth value."""
        return bool(self._value(field))

    def text(self, field: str) -> str:
        """Return text as it stands on the chain: hostile until cleaned."""
        return str(self._value(field))

    def address(self, field: str) -> Address:
        """Return an address with its checksum."""
        return address(self._value(field))

    def word(self, field: str) -> bytes:
        """Return bytes."""
        return word(self._value(field))

    def items(self, field: str) -> Sequence[object]:
        """Return a list, or the fields of a struct in the contract's order."""
        return items(self._value(field))

    def _value(self, field: str) -> object:
        try:
            return self.values[field]
        except KeyError as missing:
            raise InvalidRecord(f"the index holds a {self.name} without {field}; delete it to read again") from missing


def number(value: object) -> int:
    """Return a whole number of the index."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidRecord(f"the index holds {value!r} where a number belongs; delete it to read again")
    return value


def word(value: object) -> bytes:
    """Return bytes of the index."""
    try:
        return bytes.fromhex(str(value).removeprefix("0x"))
    except ValueError as problem:
        raise InvalidRecord(f"the index holds {value!r} where bytes belong; delete it to read again") from problem


def address(value: object) -> Address:
    """Return an address of the index with its checksum."""
    try:
        return to_checksum_address(str(value))
    except ValueError as problem:
        raise InvalidRecord(f"the index holds {value!r} where an address belongs; delete it to read again") from problem


def items(value: object) -> Sequence[object]:
    """Return a list of the index."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise InvalidRecord(f"the index holds {value!r} where a list belongs; delete it to read again")
    return cast("Sequence[object]", value)


def name(value: object) -> str:
    """Return the short text in 32 bytes of the index."""
    return read_short_text(word(value))
