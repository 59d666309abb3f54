"""Deploys the contracts at addresses known beforehand, so that their wiring is immutable."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

import requests
from eth_utils.crypto import keccak
from web3 import HTTPProvider, Web3
from web3.exceptions import ContractCustomError, TimeExhausted, TransactionNotFound, Web3Exception
from web3.types import RPCEndpoint

from governance.adapters.evm.artifacts import artifact
from governance.adapters.evm.creations import (
    WIRING,
    Arguments,
    Creation,
    Journal,
    MemoryJournal,
    created_address,
    matches,
    reckoned,
    wired,
)
from governance.adapters.evm.refusals import explain
from governance.domain.deployment import CONTRACTS, Deployment
from governance.domain.market import Address
from governance.domain.urls import without_secrets
from governance.errors import ChainUnreachable, DeploymentRefused
from governance.ports import Signer

GAS_MARGIN: Final = 1.1
TIMEOUT_S: Final = 60
HASHES_ONLY: Final = False
UNREADABLE: Final = (ValueError, TypeError, KeyError, AttributeError, OverflowError)
"""What our client raises over an answer of the wrong shape."""

T = TypeVar("T")

__all__ = ["WIRING", "Arguments", "Creation", "Deployed", "Deployer", "Journal", "MemoryJournal", "created_address"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What a deployment did."""

    deployment: Deployment
    gas: dict[str, int]
    """Gas used by contract."""


class Deployer:
    """Sends the creations of one deployment from one key, in the order of ``CONTRACTS``.

    Parameters
    ----------
    rpc_url, signer
        Where the chain answers, and whose transactions they are.
    given
        Contracts that stand already, by name: a credit that is in use elsewhere.
    chain_id
        For which chain alone is signed; None takes what the node says first.
    timeout_s
        How long to wait for one transaction.
    most_wei
        Most that is offered for a unit of gas; a node may say what it likes. None has no limit.
    """

    def __init__(
        self,
        rpc_url: str,
        signer: Signer,
        *,
        given: Mapping[str, Address] | None = None,
        chain_id: int | None = None,
        timeout_s: float = TIMEOUT_S,
        most_wei: int | None = None,
    ) -> None:
        self._web3 = Web3(HTTPProvider(rpc_url, request_kwargs={"timeout": 30}))
        self._signer = signer
        self._rpc_url = without_secrets(rpc_url)
        self._given = dict(given or {})
        self._chain_id = chain_id
        self._timeout_s = timeout_s
        self._most_wei = most_wei

    def plan(self, arguments: Arguments, *, start: int | None = None) -> tuple[Creation, ...]:
        """Return the creations of a deployment whose first nonce is ``start``, else the next one.

        Raises
        ------
        ChainUnreachable
        """
        first = self._guarded(self._count) if start is None else start
        names = [name for name in CONTRACTS if name not in self._given]
        places = {name: created_address(self._signer.address, first + offset) for offset, name in enumerate(names)}
        addresses = {name: self._given.get(name) or places[name] for name in CONTRACTS}
        return tuple(
            Creation(
                contract=name,
                nonce=first + offset,
                address=places[name],
                data=self._encode(name, wired(arguments[name], addresses)),
            )
            for offset, name in enumerate(names)
        )

    def estimate(self, creation: Creation) -> int:
        """Return about how much gas a creation takes.

        A constructor that calls a contract which does not stand yet cannot be tried; it is then reckoned from the size
        of code and arguments.
        """
        call = {"from": cast("Any", self._signer.address), "data": cast("Any", creation.data)}
        try:
            return self._ask(lambda: int(self._web3.eth.estimate_gas(cast("Any", call))))
        except requests.RequestException as problem:
            raise self._unreachable() from problem
        except Web3Exception:
            return reckoned(creation)

    def deploy(
        self, arguments: Arguments, *, progress: Callable[[str], None], journal: Journal | None = None
    ) -> Deployed:
        """Deploy all contracts and check that each stands where it was expected, with the code that was sent.

        With the journal of a deployment that was interrupted, what stands is checked and the rest is sent.

        Raises
        ------
        DeploymentRefused
            If a creation reverts, or another transaction of the key came between.
        ChainUnreachable
        """
        return self._guarded(lambda: self._deploy(arguments, progress, journal or MemoryJournal()))

    def _deploy(self, arguments: Arguments, progress: Callable[[str], None], journal: Journal) -> Deployed:
        chain_id = self._own_chain()
        if journal.start is None:
            self._refuse_pending()
            journal.begin(self._count())
        creations = self.plan(arguments, start=journal.start)
        receipts = {}
        for creation in creations:
            progress(creation.contract)
            receipts[creation.contract] = self._settle(creation, journal)
        addresses = {**self._given, **{creation.contract: creation.address for creation in creations}}
        deployment = Deployment(
            chain_id=chain_id,
            genesis=self._genesis(),
            first_block=min(int(receipt["blockNumber"]) for receipt in receipts.values()),
            contracts={name: addresses[name] for name in CONTRACTS},
            code={name: self._code_hash(addresses[name]) for name in CONTRACTS},
        )
        return Deployed(deployment=deployment, gas={name: int(found["gasUsed"]) for name, found in receipts.items()})

    def _settle(self, creation: Creation, journal: Journal) -> dict[str, Any]:
        """Return the receipt of a creation, sending it unless it was sent."""
        count, known = self._count(), journal.sent(creation.contract)
        if count < creation.nonce:
            raise ChainUnreachable(
                f"{self._rpc_url} does not know yet what was mined before {creation.contract} (nonce {count}, not "
                f"{creation.nonce}); nothing is lost: run the command again with --resume"
            )
        if count > creation.nonce and known is None:
            raise _between(creation, count)
        if count == creation.nonce and not (known and self._is_known(known)):
            if self._count("pending") > count:
                raise _between(creation, count)
            known = self._send(creation, journal)
        return self._confirm(creation, str(known))

    def _send(self, creation: Creation, journal: Journal) -> str:
        address = cast("Any", self._signer.address)
        call: Any = {"from": address, "data": creation.data}
        gas = self._ask(lambda: int(self._web3.eth.estimate_gas(call) * GAS_MARGIN))
        transaction: dict[str, Any] = {
            "from": address,
            "value": 0,
            "data": creation.data,
            "nonce": creation.nonce,
            "gas": gas,
            "chainId": self._own_chain(),
            **self._affordable_fees(),
        }
        raw = self._signer.sign_transaction({key: value for key, value in transaction.items() if key != "from"})
        digest = "0x" + keccak(raw).hex()
        # Before it is sent: after a crash in between we look for it, and send it again if nobody has seen it.
        journal.note(creation.contract, digest)
        self._ask(lambda: self._web3.eth.send_raw_transaction(cast("Any", raw)))
        return digest

    def _affordable_fees(self) -> dict[str, int]:
        fees = self._ask(self._fees)
        asked = max(fees.values())
        if self._most_wei is not None and asked > self._most_wei:
            raise DeploymentRefused(
                f"the chain asks {asked / 1e9:.3f} gwei for a unit of gas, and the most to be paid is "
                f"{self._most_wei / 1e9:.3f}; nothing more was sent: wait, or ask another node, and use --resume"
            )
        return fees

    def _fees(self) -> dict[str, int]:
        base = cast("dict[str, Any]", self._rpc("eth_getBlockByNumber", "latest", HASHES_ONLY)).get("baseFeePerGas")
        if base is None:
            return {"gasPrice": int(self._web3.eth.gas_price)}
        tip = int(self._web3.eth.max_priority_fee)
        return {"maxPriorityFeePerGas": tip, "maxFeePerGas": 2 * int(str(base), 16) + tip}

    def _confirm(self, creation: Creation, transaction: str) -> dict[str, Any]:
        try:
            receipt = self._ask(lambda: self._receipt(transaction))
        except TimeExhausted as late:
            if self._count() > creation.nonce:
                raise _between(creation, self._count()) from late
            raise ChainUnreachable(
                f"the creation of {creation.contract} ({transaction}) is not mined after {self._timeout_s:.0f} s; "
                "nothing is lost: run the command again with --resume"
            ) from late
        if receipt["status"] != 1:
            raise DeploymentRefused(f"the creation of {creation.contract} reverted ({transaction})")
        if receipt["contractAddress"] != creation.address or not self._stands(creation):
            raise DeploymentRefused(
                f"{creation.contract} does not stand at {creation.address} with the code that was sent; begin anew"
            )
        return receipt

    def _receipt(self, transaction: str) -> dict[str, Any]:
        found = self._web3.eth.wait_for_transaction_receipt(
            cast("Any", transaction), timeout=self._timeout_s, poll_latency=0.05
        )
        numbers = {name: int(found[name]) for name in ("status", "blockNumber", "gasUsed")}
        return {**numbers, "contractAddress": found["contractAddress"]}

    def _stands(self, creation: Creation) -> bool:
        return matches(creation.contract, self._code(creation.address))

    def _own_chain(self) -> int:
        """Return the chain that we sign for; whatever a node says later, it stays the same."""
        found = self._ask(lambda: int(self._web3.eth.chain_id))
        if self._chain_id is None:
            self._chain_id = found
        if found != self._chain_id:
            raise DeploymentRefused(
                f"{self._rpc_url} serves chain {found}, not {self._chain_id}; nothing more was sent"
            )
        return self._chain_id

    def _refuse_pending(self) -> None:
        waiting = self._count("pending") - self._count()
        if waiting > 0:
            raise DeploymentRefused(
                f"{waiting} transactions of {self._signer.address} wait to be mined, so no address can be foreseen; "
                "wait for them, or use a key of its own"
            )

    def _count(self, block: str = "latest") -> int:
        address = cast("Any", self._signer.address)
        return self._ask(lambda: int(self._web3.eth.get_transaction_count(address, cast("Any", block))))

    def _is_known(self, transaction: str) -> bool:
        try:
            self._ask(lambda: self._web3.eth.get_transaction(cast("Any", transaction)))
        except TransactionNotFound:
            return False
        return True

    def _genesis(self) -> str:
        return self._ask(
            lambda: str(cast("dict[str, Any]", self._rpc("eth_getBlockByNumber", "0x0", HASHES_ONLY))["hash"])
        )

    def _code(self, address: Address) -> bytes:
        return self._ask(lambda: bytes(self._web3.eth.get_code(cast("Any", address))))

    def _code_hash(self, address: Address) -> str:
        return "0x" + keccak(self._code(address)).hex()

    def _encode(self, name: str, arguments: tuple[object, ...]) -> bytes:
        compiled = artifact(name)
        factory = self._web3.eth.contract(abi=compiled["abi"], bytecode=compiled["bytecode"])
        return bytes.fromhex(str(factory.constructor(*arguments).data_in_transaction)[2:])

    def _rpc(self, method: str, *parameters: object) -> object:
        return self._web3.provider.make_request(RPCEndpoint(method), list(parameters)).get("result")

    def _ask(self, action: Callable[[], T]) -> T:
        """Return what the node says; an answer that nobody can read is its fault, not ours."""
        try:
            return action()
        except Web3Exception:
            # The node's own word, some of which are also ValueError.
            raise
        except UNREADABLE as problem:
            raise ChainUnreachable(
                f"{self._rpc_url} answers with something else than JSON-RPC ({type(problem).__name__}); "
                "nothing is lost: once anything was sent, carry on with --resume"
            ) from problem

    def _guarded(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except requests.RequestException as problem:
            raise self._unreachable() from problem
        except ContractCustomError as refusal:
            data = str(refusal.data)
            raise DeploymentRefused(self._ask(lambda: str(explain(data, "the deployment")))) from refusal
        except Web3Exception as problem:
            raise DeploymentRefused(f"the deployment was refused: {problem}") from problem

    def _unreachable(self) -> ChainUnreachable:
        return ChainUnreachable(f"no chain answers at {self._rpc_url}; start it (folkmoot up)")


def _between(creation: Creation, count: int) -> DeploymentRefused:
    return DeploymentRefused(
        f"{creation.contract} needs nonce {creation.nonce}, and the key is at {count}: another transaction of it came "
        "between, so the foreseen addresses cannot be had; begin anew, with a key that nothing else uses"
    )
