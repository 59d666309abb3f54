"""Values of raw logs; whatever bytes a stranger put into an event, history stays readable."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from eth_abi.codec import ABIDecoder
from eth_abi.decoding import StringDecoder
from eth_abi.registry import BaseEquals
from eth_abi.registry import registry as standard_types
from eth_utils.abi import collapse_if_tuple
from eth_utils.address import to_checksum_address


class _TolerantText(StringDecoder):
    # Solidity does not check that a string is UTF-8, so a hostile title must not stop whoever reads history.
    def __init__(self) -> None:
        super().__init__(handle_string_errors="replace")  # type: ignore[no-untyped-call]


def _decoder() -> ABIDecoder:
    types = standard_types.copy()  # type: ignore[no-untyped-call]
    types.unregister_decoder("string")
    types.register_decoder(BaseEquals("string"), _TolerantText, label="string")  # type: ignore[no-untyped-call]
    return ABIDecoder(types)


DECODER: Final = _decoder()


def decode_values(entry: Mapping[str, Any], log: Mapping[str, Any]) -> dict[str, object]:
    """Return the values of an event by name.

    Structs become tuples, indexed strings stay hashes, and bytes of a string that are no UTF-8 become U+FFFD.
    """
    topics = [bytes.fromhex(str(topic)[2:]) for topic in log["topics"][1:]]
    indexed = [part for part in entry["inputs"] if part["indexed"]]
    plain = [part for part in entry["inputs"] if not part["indexed"]]
    values = DECODER.decode([collapse_if_tuple(part) for part in plain], bytes.fromhex(str(log["data"])[2:]))
    found = {part["name"]: value for part, value in zip(plain, values, strict=True)}
    for part, topic in zip(indexed, topics, strict=True):
        found[part["name"]] = DECODER.decode([part["type"]], topic)[0]
    return {part["name"]: _readable(part["type"], found[part["name"]]) for part in entry["inputs"]}


def _readable(kind: str, value: object) -> object:
    # eth_abi gives lower-case addresses; everything of ours compares checksummed ones.
    if kind == "address":
        return to_checksum_address(str(value))
    if kind == "address[]":
        return tuple(to_checksum_address(str(item)) for item in cast("Sequence[object]", value))
    return value
