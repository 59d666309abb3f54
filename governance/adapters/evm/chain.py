"""One EVM network on which Folkmoot is deployed."""

import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final, cast

import requests
from eth_abi.exceptions import DecodingError
from web3 import HTTPProvider, Web3
from web3.contract import Contract
from web3.exceptions import (
    ContractCustomError,
    ContractLogicError,
    TimeExhausted,
    Web3Exception,
    Web3RPCError,
)
from web3.types import LogReceipt, RPCEndpoint, TxReceipt

from governance.adapters.evm.answers import REVERTED
from governance.adapters.evm.artifacts import abi
from governance.adapters.evm.interface import Function, events_of, function_of
from governance.adapters.evm.logs import DECODER, decode_values
from governance.adapters.evm.refusals import explain, refusal_named, revert_data
from governance.domain.deployment import Deployment
from governance.domain.market import Address
from governance.domain.urls import without_secrets
from governance.errors import ChainUnreachable, DeploymentMissing, FolkmootError
from governance.ports import Event, Header, Receipt, Signer

GAS_MARGIN: Final = 1.25
"""An estimate is exact for the block it was made in; the log and the jury grow until the next one."""
RECEIPT_TIMEOUT_S: Final = 60
CHUNK_BLOCKS: Final = 2_000
NO_BODIES: Final = False
"""Transactions of a block by hash only."""


class EvmChain:
    """Reads and sends through one JSON-RPC node. Fits the port ``Chain``."""

    def __init__(self, rpc_url: str, deployment: Deployment, *, timeout_s: float = 10) -> None:
        self._url = without_secrets(rpc_url)
        self._deployment = deployment
        self._web3 = Web3(HTTPProvider(rpc_url, request_kwargs={"timeout": timeout_s}))
        # It asks the node for its chain id before each call; `check` did, and we sign for our own id alone.
        self._web3.middleware_onion.remove("validation")
        self._contracts: dict[str, Contract] = {}
        self._sending = threading.Lock()

    def check(self) -> None:
        """Make sure that the node serves the chain of the deployment file.

        Raises
        ------
        DeploymentMissing
            If it serves another chain.
        """
        found = (self._rpc("eth_chainId"), self._rpc("eth_getBlockByNumber", "0x0", NO_BODIES))
        genesis = cast("dict[str, Any]", found[1])["hash"]
        if int(str(found[0]), 16) != self.chain_id or genesis != self._deployment.genesis:
            raise DeploymentMissing(
                f"{self._url} serves another chain than the deployment file names (chain id "
                f"{int(str(found[0]), 16)} instead of {self.chain_id}); use the file of that network"
            )

    @property
    def chain_id(self) -> int:
        return self._deployment.chain_id

    @property
    def first_block(self) -> int:
        return self._deployment.first_block

    @property
    def genesis(self) -> str:
        """Hash of block 0."""
        return self._deployment.genesis

    @property
    def contracts(self) -> dict[str, Address]:
        """All contracts by name."""
        return dict(self._deployment.contracts)

    def time_of(self, block: int) -> int:
        """Return the time of a block, seconds since the epoch."""
        found = cast("dict[str, Any]", self._rpc("eth_getBlockByNumber", hex(block), NO_BODIES))
        return int(found["timestamp"], 16)

    def gas_of(self, transaction: str) -> int:
        """Return the gas that a transaction used."""
        found = cast("dict[str, Any]", self._rpc("eth_getTransactionReceipt", transaction))
        return int(found["gasUsed"], 16)

    def address(self, contract: str) -> Address:
        return self._deployment.contracts[contract]

    def block_number(self) -> int:
        return self._quantity(self._rpc("eth_blockNumber"), "eth_blockNumber")

    def _quantity(self, value: object, method: str) -> int:
        try:
            return int(str(value), 16)
        except ValueError as problem:
            raise ChainUnreachable(f"{self._url} answers {method} with {str(value)[:40]!r}") from problem

    def now_s(self) -> int:
        block = cast("dict[str, Any]", self._rpc("eth_getBlockByNumber", "latest", NO_BODIES))
        return int(block["timestamp"], 16)

    def read(self, contract: str, function: str, *arguments: object) -> object:
        # Not web3's way of calling, which costs 4 ms of processor time more: an agent reads hundreds of times a job.
        call, asked = f"{contract}.{function}", self._function(contract, function, len(arguments))
        query = {"to": self.address(contract), "data": "0x" + asked.encode(arguments).hex()}
        answer = self._answer("eth_call", query, "latest")
        if "error" in answer:
            raise self._refused(answer["error"], call)
        try:
            return asked.decode(bytes.fromhex(str(answer.get("result"))[2:]), decoder=DECODER)
        except (DecodingError, ValueError, OverflowError) as problem:
            raise ChainUnreachable(f"{self._url} answers {call} with bytes that do not decode") from problem

    def encode(self, contract: str, function: str, *arguments: object) -> bytes:
        """Return the calldata of a call."""
        return self._function(contract, function, len(arguments)).encode(arguments)

    def _function(self, contract: str, name: str, width: int) -> Function:
        found = function_of(contract, name, width)
        if found is None:
            raise TypeError(f"{contract} has no {name} with {width} arguments")
        return found

    def send(self, signer: Signer, contract: str, function: str, arguments: Sequence[object]) -> Receipt:
        bound = self._contract(contract).functions[function](*arguments)
        call = f"{contract}.{function}"
        # One at a time: the nonce is read from the chain, so that a crash leaves nothing to clean up.
        with self._sending:
            estimate = self._guarded(lambda: bound.estimate_gas({"from": cast("Any", signer.address)}), call)
            transaction = self._guarded(
                lambda: bound.build_transaction(
                    {
                        "from": cast("Any", signer.address),
                        # Ours, not what the node says: else it could have us sign for another chain.
                        "chainId": self.chain_id,
                        "nonce": self._web3.eth.get_transaction_count(cast("Any", signer.address), "pending"),
                        "gas": int(cast("int", estimate) * GAS_MARGIN),
                    }
                ),
                call,
            )
            raw = signer.sign_transaction(cast("dict[str, object]", transaction))
            return self._submit(raw, call)

    def transfer(self, signer: Signer, to: Address, wei: int) -> Receipt:
        """Send the network's own coin, for gas."""
        sender = cast("Any", signer.address)
        with self._sending:
            transaction = self._guarded(
                lambda: self._with_fees({"from": sender, "to": cast("Any", to), "value": wei, "gas": 21_000}),
                "transfer",
            )
            return self._submit(signer.sign_transaction(cast("dict[str, object]", transaction)), "transfer")

    def _with_fees(self, transaction: dict[str, Any]) -> dict[str, Any]:
        eth = self._web3.eth
        tip = eth.max_priority_fee
        base = int(eth.get_block("latest")["baseFeePerGas"])
        nonce = eth.get_transaction_count(transaction["from"], "pending")
        fees = {"maxPriorityFeePerGas": tip, "maxFeePerGas": 2 * base + tip, "chainId": self.chain_id, "nonce": nonce}
        return {**transaction, **fees, "value": int(transaction["value"])}

    def balance(self, account: Address) -> int:
        """Return an account's own coin, in wei."""
        return int(str(self._rpc("eth_getBalance", account, "latest")), 16)

    def events(
        self, contract: str, names: Sequence[str], *, from_block: int, to_block: int | None = None
    ) -> list[Event]:
        last = self.block_number() if to_block is None else to_block
        by_name = {entry["name"]: "0x" + topic.hex() for topic, entry in events_of(contract).items()}
        topics = [by_name[name] for name in names]
        found: list[Event] = []
        for start in range(from_block, last + 1, CHUNK_BLOCKS):
            query = {
                "address": self.address(contract),
                "fromBlock": hex(start),
                "toBlock": hex(min(start + CHUNK_BLOCKS - 1, last)),
                "topics": [topics],
            }
            logs = cast("list[dict[str, Any]]", self._rpc("eth_getLogs", query))
            found += [event for log in logs if (event := self.decode_log(log)) is not None]
        return found

    def header(self, number: int) -> Header | None:
        """Return a block's number, hash and time, or None while the chain has no such block."""
        block = cast("dict[str, Any] | None", self._rpc("eth_getBlockByNumber", hex(number), NO_BODIES))
        if block is None:
            return None
        return Header(number=int(block["number"], 16), hash=str(block["hash"]), time_s=int(block["timestamp"], 16))

    def history(self, from_block: int, to_block: int) -> list[Event]:
        """Return every event of every contract of ours in the order of the chain, both blocks included."""
        query = {
            "address": list(self._deployment.contracts.values()),
            "fromBlock": hex(from_block),
            "toBlock": hex(to_block),
        }
        logs = cast("list[dict[str, Any]]", self._rpc("eth_getLogs", query))
        return [event for log in logs if (event := self.decode_log(log)) is not None]

    def decode_log(self, log: dict[str, Any]) -> Event | None:
        """Return the event of a raw log of ours, or None for a foreign one."""
        contract = self._by_address.get(str(log["address"]).lower())
        if contract is None or not log["topics"]:
            return None
        entry = events_of(contract).get(bytes.fromhex(str(log["topics"][0])[2:]))
        if entry is None:
            return None
        return Event(
            contract=contract,
            name=entry["name"],
            values=decode_values(entry, log),
            block=int(log["blockNumber"], 16),
            log_index=int(log["logIndex"], 16),
            transaction=str(log["transactionHash"]),
        )

    def _submit(self, raw: bytes, call: str) -> Receipt:
        digest = self._guarded(lambda: self._web3.eth.send_raw_transaction(raw), call)
        try:
            receipt = cast(
                "TxReceipt",
                self._guarded(
                    lambda: self._web3.eth.wait_for_transaction_receipt(
                        cast("Any", digest), timeout=RECEIPT_TIMEOUT_S, poll_latency=0.05
                    ),
                    call,
                ),
            )
        except TimeExhausted as late:
            raise ChainUnreachable(f"{call}: not mined within {RECEIPT_TIMEOUT_S} s; is the chain running?") from late
        if receipt["status"] != 1:
            raise refusal_named("Reverted", {"transaction": receipt["transactionHash"].to_0x_hex()}, call=call)
        decoded = (self.decode_log(_as_raw(log)) for log in receipt["logs"])
        return Receipt(
            transaction=receipt["transactionHash"].to_0x_hex(),
            block=int(receipt["blockNumber"]),
            gas_used=int(receipt["gasUsed"]),
            events=tuple(event for event in decoded if event is not None),
        )

    def _contract(self, name: str) -> Contract:
        if name not in self._contracts:
            address = cast("Any", self.address(name))
            self._contracts[name] = self._web3.eth.contract(address=address, abi=cast("Any", abi(name)))
        return self._contracts[name]

    @cached_property
    def _by_address(self) -> dict[str, str]:
        return {address.lower(): name for name, address in self._deployment.contracts.items()}

    def _rpc(self, method: str, *parameters: object) -> object:
        answer = self._answer(method, *parameters)
        if "result" not in answer:
            raise ChainUnreachable(f"{self._url} refused {method}: {str(answer.get('error', 'no result'))[:300]}")
        return answer["result"]

    def _answer(self, method: str, *parameters: object) -> Mapping[str, Any]:
        try:
            answer: object = self._web3.provider.make_request(RPCEndpoint(method), list(parameters))
        except requests.RequestException as problem:
            raise self._unreachable() from problem
        except (Web3Exception, ValueError) as problem:
            raise ChainUnreachable(f"{self._url} answers {method} with something else than JSON-RPC") from problem
        if not isinstance(answer, dict):
            raise ChainUnreachable(f"{self._url} refused {method}: no object")
        return answer

    def _refused(self, error: object, call: str) -> FolkmootError:
        fields = error if isinstance(error, dict) else {}
        data, message = revert_data(fields.get("data")), str(fields.get("message", error))
        if data.startswith("0x") and len(data) >= 10:
            try:
                return explain(data, call)
            except (DecodingError, ValueError, OverflowError):
                return ChainUnreachable(f"{self._url} says why {call} was refused in bytes that do not decode")
        if fields.get("code") == REVERTED or "revert" in message.lower():
            return refusal_named("Reverted", {"reason": message[:300]}, call=call)
        return ChainUnreachable(f"{self._url} did not carry out {call}: {message[:300]}")

    def _guarded(self, action: Any, call: str) -> object:
        try:
            return action()
        except ContractCustomError as refusal:
            raise explain(str(refusal.data), call) from refusal
        except ContractLogicError as refusal:
            data = revert_data(refusal.data)
            if data.startswith("0x") and len(data) >= 10:
                raise explain(data, call) from refusal
            raise refusal_named("Reverted", {"reason": refusal.message or ""}, call=call) from refusal
        except requests.RequestException as problem:
            raise self._unreachable() from problem
        except TimeExhausted:
            raise
        except (Web3RPCError, Web3Exception) as problem:
            raise ChainUnreachable(f"{self._url} did not carry out {call}: {problem}") from problem

    def _unreachable(self) -> ChainUnreachable:
        return ChainUnreachable(f"no chain answers at {self._url}; start it (folkmoot up) or set FOLKMOOT_RPC")


def _as_raw(log: LogReceipt) -> dict[str, Any]:
    return {
        "address": log["address"],
        "topics": [topic.to_0x_hex() for topic in log["topics"]],
        "data": log["data"].to_0x_hex(),
        "blockNumber": hex(log["blockNumber"]),
        "logIndex": hex(log["logIndex"]),
        "transactionHash": log["transactionHash"].to_0x_hex(),
    }
