"""What our contracts can be asked and what they say, by the committed artifacts; looked up once a process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from eth_abi.codec import ABIDecoder
from eth_utils.abi import collapse_if_tuple
from eth_utils.crypto import keccak

from governance.adapters.evm.artifacts import abi
from governance.adapters.evm.exact import EXACT, decode_parts, encode_parts

Parts = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One function of a contract."""

    selector: bytes
    inputs: Parts
    outputs: Parts

    def encode(self, arguments: Sequence[object]) -> bytes:
        """Return the calldata of a call.

        Raises
        ------
        eth_abi.exceptions.EncodingError, ValueError, OverflowError
            If the arguments do not fit.
        """
        return self.selector + encode_parts(self.inputs, arguments)

    def decode(self, answer: bytes, *, decoder: ABIDecoder = EXACT) -> object:
        """Return what a call answered; several values are a tuple.

        Raises
        ------
        eth_abi.exceptions.DecodingError, ValueError, OverflowError
            If the bytes do not fit.
        """
        values = decode_parts(self.outputs, answer, decoder=decoder)
        return values[0] if len(values) == 1 else values


@cache
def function_of(contract: str, name: str, width: int) -> Function | None:
    """Return the function of a name, or signature, and a number of arguments; None when our build has none."""
    for entry in abi(contract):
        if entry["type"] != "function" or len(entry["inputs"]) != width:
            continue
        signature = _signature(entry)
        if name in (entry["name"], signature):
            selector = keccak(text=signature)[:4]
            return Function(selector=selector, inputs=entry["inputs"], outputs=entry["outputs"])
    return None


@cache
def events_of(contract: str) -> Mapping[bytes, Mapping[str, Any]]:
    """Return the ABI entries of a contract's events by their first topic."""
    return {keccak(text=_signature(entry)): entry for entry in abi(contract) if entry["type"] == "event"}


def _signature(entry: Mapping[str, Any]) -> str:
    return f"{entry['name']}({','.join(collapse_if_tuple(dict(part)) for part in entry['inputs'])})"
