"""What an auditor reads from a node, raw: headers, receipts, signed transactions, code, views at a block."""

from collections.abc import Sequence
from typing import Final

from eth_abi.exceptions import DecodingError, EncodingError
from eth_utils.address import to_checksum_address

from governance.adapters.evm.answers import HostileRpc, Json, Refusal, as_bytes, as_list, as_number, as_object
from governance.adapters.evm.interface import function_of
from governance.adapters.evm.refusals import explain, refusal_named
from governance.domain.market import Address
from governance.services.audit.blocks import KNOWN_RECEIPTS, BlockHeader, RawLog, RawReceipt
from governance.services.audit.sources import AnswerMissing, AnswerWrong

HEADER_FIELDS: Final = (
    ("parentHash", 32),
    ("sha3Uncles", 32),
    ("miner", 20),
    ("stateRoot", 32),
    ("transactionsRoot", 32),
    ("receiptsRoot", 32),
    ("logsBloom", 256),
    ("difficulty", None),
    ("number", None),
    ("gasLimit", None),
    ("gasUsed", None),
    ("timestamp", None),
    ("extraData", -1),
    ("mixHash", 32),
    ("nonce", 8),
    ("baseFeePerGas", None),
    ("withdrawalsRoot", 32),
    ("blobGasUsed", None),
    ("excessBlobGas", None),
    ("parentBeaconBlockRoot", 32),
    ("requestsHash", 32),
)
"""In the order of the encoding; the length in bytes, None for a quantity, -1 for any length."""
FIRST_OPTIONAL: Final = "baseFeePerGas"
BATCH: Final = 100


class EvmWitness:
    """One node's answers, unproven. Fits the port ``Witness``."""

    def __init__(self, rpc_url: str, *, timeout_s: float = 30) -> None:
        self._rpc = HostileRpc(rpc_url, timeout_s=timeout_s)

    def chain_id(self) -> int:
        return as_number(self._rpc.call("eth_chainId"), "eth_chainId", bits=256)

    def head(self) -> int:
        return as_number(self._rpc.call("eth_blockNumber"), "eth_blockNumber")

    def headers(self, first: int, last: int) -> Sequence[BlockHeader]:
        found: list[BlockHeader] = []
        for start in range(first, last + 1, BATCH):
            numbers = range(start, min(start + BATCH, last + 1))
            answers = self._rpc.batch("eth_getBlockByNumber", [(hex(number), False) for number in numbers])
            found += [_header(answer, number) for answer, number in zip(answers, numbers, strict=True)]
        return found

    def receipts(self, block: int) -> Sequence[RawReceipt]:
        where = f"receipts of block {block}"
        answer = as_list(self._rpc.call("eth_getBlockReceipts", hex(block)), where)
        return [_receipt(item, f"{where}, transaction {index}") for index, item in enumerate(answer)]

    def transactions(self, hashes: Sequence[bytes]) -> Sequence[bytes]:
        found: list[bytes] = []
        for start in range(0, len(hashes), BATCH):
            part = hashes[start : start + BATCH]
            answers = self._rpc.batch("eth_getRawTransactionByHash", [("0x" + digest.hex(),) for digest in part])
            found += [as_bytes(raw, f"transaction 0x{key.hex()}") for raw, key in zip(answers, part, strict=True)]
        return found

    def code(self, address: Address, block: int) -> bytes:
        return as_bytes(self._rpc.call("eth_getCode", address, hex(block)), f"code at {address}")

    def account_proofs(self, addresses: Sequence[Address], block: int) -> Sequence[Sequence[bytes]]:
        where = f"proof of accounts in block {block}"
        answers = self._rpc.batch("eth_getProof", [(address, [], hex(block)) for address in addresses])
        proofs = [as_list(as_object(answer, where).get("accountProof"), where) for answer in answers]
        return [[as_bytes(node, where) for node in proof] for proof in proofs]

    def call(
        self, contract: str, address: Address, function: str, *, arguments: Sequence[object], block: int
    ) -> object:
        where = f"{contract}.{function}"
        asked = function_of(contract, function, len(arguments))
        if asked is None:
            wanted = f"{function} with {len(arguments)} arguments"
            raise AnswerMissing(f"our build of {contract} has no {wanted}; build it with: make contracts")
        try:
            data = asked.encode(arguments)
        except (EncodingError, ValueError, OverflowError) as problem:
            raise AnswerWrong(where, f"an earlier answer cannot be asked about: {problem}") from problem
        try:
            query = {"to": address, "data": "0x" + data.hex()}
            raw = as_bytes(self._rpc.call("eth_call", query, hex(block)), where)
        except Refusal as refusal:
            if not refusal.reverted:
                raise
            raise _refused(refusal.data, where) from refusal
        try:
            return asked.decode(raw)
        except (DecodingError, ValueError, OverflowError) as problem:
            raise AnswerWrong(where, f"{len(raw)} bytes that do not decode") from problem


def _header(answer: Json, number: int) -> BlockHeader:
    where = f"block {number}"
    block = as_object(answer, where)
    present = [(name, size) for name, size in HEADER_FIELDS if name in block or not _optional(name)]
    fields = tuple(_field(block.get(name), size, f"{where}, {name}") for name, size in present)
    hashes = as_list(block.get("transactions"), f"{where}, transactions")
    return BlockHeader(
        number=as_number(block.get("number"), f"{where}, number"),
        hash=as_bytes(block.get("hash"), f"{where}, hash", length=32),
        parent=as_bytes(block.get("parentHash"), f"{where}, parentHash", length=32),
        state_root=as_bytes(block.get("stateRoot"), where, length=32),
        transactions_root=as_bytes(block.get("transactionsRoot"), where, length=32),
        receipts_root=as_bytes(block.get("receiptsRoot"), where, length=32),
        bloom=as_bytes(block.get("logsBloom"), where, length=256),
        time_s=as_number(block.get("timestamp"), f"{where}, timestamp"),
        fields=fields,
        transactions=tuple(as_bytes(item, f"{where}, transactions", length=32) for item in hashes),
    )


def _optional(name: str) -> bool:
    names = [field for field, _ in HEADER_FIELDS]
    return names.index(name) >= names.index(FIRST_OPTIONAL)


def _field(value: Json, size: int | None, where: str) -> bytes:
    if size is None:
        number = as_number(value, where, bits=256)
        return number.to_bytes((number.bit_length() + 7) // 8, "big")
    return as_bytes(value, where, length=None if size < 0 else size)


def _receipt(answer: Json, where: str) -> RawReceipt:
    receipt = as_object(answer, where)
    kind = as_number(receipt.get("type", "0x0"), f"{where}, type", bits=8)
    if kind not in KNOWN_RECEIPTS:
        raise AnswerMissing(f"{where}: receipts of type {kind} are not known here, so its events cannot be proven")
    return RawReceipt(
        kind=kind,
        status=as_number(receipt.get("status"), f"{where}, status"),
        cumulative_gas=as_number(receipt.get("cumulativeGasUsed"), f"{where}, cumulativeGasUsed"),
        bloom=as_bytes(receipt.get("logsBloom"), f"{where}, logsBloom", length=256),
        logs=tuple(_log(item, where) for item in as_list(receipt.get("logs"), where)),
    )


def _log(answer: Json, where: str) -> RawLog:
    log = as_object(answer, where)
    return RawLog(
        address=to_checksum_address(as_bytes(log.get("address"), f"{where}, address", length=20)),
        topics=tuple(
            as_bytes(topic, f"{where}, topics", length=32) for topic in as_list(log.get("topics"), f"{where}, topics")
        ),
        data=as_bytes(log.get("data"), f"{where}, data"),
    )


def _refused(data: str, where: str) -> Exception:
    if len(data) < 10:
        return refusal_named("Reverted", {}, call=where)
    try:
        return explain(data, where)
    except (DecodingError, ValueError, OverflowError):
        return AnswerWrong(where, "a refusal that does not decode")
