"""Custom errors of our contracts and of OpenZeppelin's, decoded; web3 hands them over as raw bytes."""

from functools import cache

from eth_abi.abi import decode
from eth_utils.abi import collapse_if_tuple
from eth_utils.crypto import keccak

from governance.adapters.evm.artifacts import FOLDER, abi
from governance.adapters.evm.meanings import MEANINGS
from governance.errors import ContractRefused


def explain(data: str, call: str) -> ContractRefused:
    """Return the refusal behind the data of a revert."""
    raw = bytes.fromhex(data.removeprefix("0x"))
    known = _errors().get(raw[:4])
    if known is None:
        return refusal_named("UnknownError", {"data": data[:74]}, call=call)
    name, labels, types = known
    values = decode(types, raw[4:])
    readable = ["0x" + value.hex() if isinstance(value, bytes) else value for value in values]
    return refusal_named(name, dict(zip(labels, readable, strict=True)), call=call)


def refusal_named(name: str, values: dict[str, object], *, call: str) -> ContractRefused:
    """Return the refusal with what it means, where that is known."""
    return ContractRefused(name, values, call=call, meaning=MEANINGS.get(name, ""))


def revert_data(data: object) -> str:
    """Return what a contract reverted with, in hexadecimal; Hardhat's node wraps it in an object."""
    return str(data.get("data", "") if isinstance(data, dict) else data or "")


@cache
def _errors() -> dict[bytes, tuple[str, list[str], list[str]]]:
    index = {
        keccak(text="Error(string)")[:4]: ("Error", ["message"], ["string"]),
        keccak(text="Panic(uint256)")[:4]: ("Panic", ["code"], ["uint256"]),
    }
    for path in sorted(FOLDER.glob("*.json")):
        for entry in abi(path.stem):
            if entry["type"] == "error":
                types = [collapse_if_tuple(part) for part in entry["inputs"]]
                selector = keccak(text=f"{entry['name']}({','.join(types)})")[:4]
                index[selector] = (entry["name"], [part["name"] for part in entry["inputs"]], types)
    return index
