"""How our contracts' words read, and what their code must be, from the committed artifacts."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import rlp
from eth_abi.exceptions import DecodingError
from eth_account import Account
from eth_keys.exceptions import BadSignature
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError
from rlp.exceptions import RLPException

from governance.adapters.evm.artifacts import abi, artifact
from governance.adapters.evm.exact import decode_parts, encode_parts
from governance.adapters.evm.interface import events_of
from governance.ports import Event
from governance.services.audit.blocks import RawLog
from governance.services.audit.sources import UNFOLLOWABLE, AnswerWrong, Blueprint, Creation

CALL_FIELDS = {0: (0, 3, 5), 1: (1, 4, 6), 2: (1, 5, 7)}
"""Places of nonce, target and data in the fields of a signed transaction, by its EIP-2718 type."""


class ArtifactCodebook:
    """Reads by the artifacts of this installation. Fits the port ``Codebook``."""

    def decode(self, contract: str, log: RawLog) -> tuple[str, Mapping[str, object]] | None:
        entry = events_of(contract).get(log.topics[0]) if log.topics else None
        if entry is None:
            return None
        try:
            return str(entry["name"]), _values(entry, log)
        except (DecodingError, ValueError, OverflowError) as problem:
            raise AnswerWrong(f"{contract}.{entry['name']}", "a log that does not fit its event") from problem

    def creation(self, raw: bytes, block: int) -> Creation | None:
        kind = raw[0] if raw and raw[0] < 0x80 else 0
        places = CALL_FIELDS.get(kind)
        if places is None:
            return None
        try:
            fields = rlp.decode(raw[1:] if kind else raw)
            nonce, target, data = (cast("bytes", fields[place]) for place in places)
            if target:
                return None
            creator = str(Account.recover_transaction(raw))
        except (RLPException, ValidationError, BadSignature, AttributeError, *UNFOLLOWABLE) as problem:
            raise AnswerWrong(f"block {block}", "a transaction that does not decode") from problem
        address = to_checksum_address(keccak(rlp.encode([bytes.fromhex(creator[2:]), nonce]))[12:])
        return Creation(address=address, creator=creator, code=bytes(data), block=block)

    def blueprint(self, contract: str) -> Blueprint:
        compiled = artifact(contract)
        return Blueprint(
            creation=bytes.fromhex(str(compiled["bytecode"])[2:]),
            deployed=bytes.fromhex(str(compiled["deployedBytecode"])[2:]),
            immutables=tuple((int(place["start"]), int(place["length"])) for place in compiled["immutableReferences"]),
        )

    def constructor_arguments(self, contract: str, encoded: bytes) -> Sequence[object]:
        entry = next((entry for entry in abi(contract) if entry["type"] == "constructor"), None)
        inputs: list[dict[str, Any]] = entry["inputs"] if entry else []
        try:
            return decode_parts(inputs, encoded)
        except (DecodingError, ValueError, OverflowError) as problem:
            raise AnswerWrong(f"creation of {contract}", "arguments that do not decode") from problem

    def event_arguments(self, event: Event) -> bytes:
        parts = next(entry["inputs"] for entry in events_of(event.contract).values() if entry["name"] == event.name)
        return encode_parts(parts, [event.values[part["name"]] for part in parts])


def _values(entry: Mapping[str, Any], log: RawLog) -> dict[str, object]:
    plain = [part for part in entry["inputs"] if not part["indexed"]]
    indexed = [part for part in entry["inputs"] if part["indexed"]]
    found = {part["name"]: value for part, value in zip(plain, decode_parts(plain, log.data), strict=True)}
    for part, topic in zip(indexed, log.topics[1:], strict=True):
        found[part["name"]] = decode_parts([part], topic)[0]
    return found
