"""ABI values that can be encoded again to the very same bytes, which hashes need."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from eth_abi.abi import encode
from eth_abi.codec import ABIDecoder
from eth_abi.decoding import StringDecoder
from eth_abi.registry import BaseEquals
from eth_abi.registry import registry as standard_types
from eth_utils.abi import collapse_if_tuple
from eth_utils.address import to_checksum_address


class _ExactText(StringDecoder):
    # Solidity does not check that a string is UTF-8. Lone bytes become surrogates, which lose nothing.
    def __init__(self) -> None:
        super().__init__(handle_string_errors="surrogateescape")  # type: ignore[no-untyped-call]


def _decoder() -> ABIDecoder:
    types = standard_types.copy()  # type: ignore[no-untyped-call]
    types.unregister_decoder("string")
    types.register_decoder(BaseEquals("string"), _ExactText, label="string")  # type: ignore[no-untyped-call]
    return ABIDecoder(types)


EXACT: Final = _decoder()


def decode_parts(parts: Sequence[Mapping[str, Any]], data: bytes, *, decoder: ABIDecoder = EXACT) -> tuple[object, ...]:
    """Return the values of ABI parameters; structs and lists are tuples, addresses checksummed.

    Raises
    ------
    eth_abi.exceptions.DecodingError, ValueError, OverflowError
        If the bytes do not fit.
    """
    values = decoder.decode([collapse_if_tuple(dict(part)) for part in parts], data)
    return tuple(_readable(part, value) for part, value in zip(parts, values, strict=True))


def encode_parts(parts: Sequence[Mapping[str, Any]], values: Sequence[object]) -> bytes:
    """Return the bytes that ``decode_parts`` read."""
    # A string is encoded exactly as its bytes are, and bytes may hold what is no UTF-8.
    types = [collapse_if_tuple(dict(part)).replace("string", "bytes") for part in parts]
    return encode(types, [_raw(part, value) for part, value in zip(parts, values, strict=True)])


def _readable(part: Mapping[str, Any], value: object) -> object:
    kind = str(part["type"])
    if kind.endswith("]"):
        inner = {**part, "type": kind[: kind.rindex("[")]}
        return tuple(_readable(inner, item) for item in cast("Sequence[object]", value))
    if kind == "tuple":
        parts = zip(part["components"], cast("Sequence[object]", value), strict=True)
        return tuple(_readable(component, item) for component, item in parts)
    return to_checksum_address(str(value)) if kind == "address" else value


def _raw(part: Mapping[str, Any], value: object) -> object:
    kind = str(part["type"])
    if kind.endswith("]"):
        inner = {**part, "type": kind[: kind.rindex("[")]}
        return [_raw(inner, item) for item in cast("Sequence[object]", value)]
    if kind == "tuple":
        parts = zip(part["components"], cast("Sequence[object]", value), strict=True)
        return tuple(_raw(component, item) for component, item in parts)
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) and kind == "string" else value
