"""Deploys the contracts at addresses known beforehand, so that their wiring is immutable."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import requests
import rlp
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from web3 import HTTPProvider, Web3
from web3.exceptions import ContractCustomError, Web3Exception

from governance.adapters.evm.artifacts import artifact
from governance.adapters.evm.refusals import explain
from governance.domain.deployment import CONTRACTS, Deployment
from governance.domain.market import Address
from governance.errors import ChainUnreachable, DeploymentRefused
from governance.ports import Signer

GAS_MARGIN: Final = 1.1

Arguments = Mapping[str, tuple[object, ...]]
"""Constructor arguments by contract; ``WIRING`` stands where the addresses go."""

WIRING: Final = object()
"""Stands for the struct of all addresses, known only once the deployer's nonce is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What a deployment did."""

    deployment: Deployment
    gas: dict[str, int]
    """Gas used by contract."""


class Deployer:
    """Sends the creations of one deployment from one key, in the order of ``CONTRACTS``."""

    def __init__(self, rpc_url: str, signer: Signer) -> None:
        self._web3 = Web3(HTTPProvider(rpc_url, request_kwargs={"timeout": 30}))
        self._signer = signer
        self._rpc_url = rpc_url

    def deploy(self, arguments: Arguments, *, progress: Callable[[str], None]) -> Deployed:
        """Deploy all contracts and check that each stands where it was expected.

        Raises
        ------
        DeploymentRefused
            If a creation reverts or lands elsewhere.
        ChainUnreachable
        """
        try:
            return self._deploy(arguments, progress)
        except requests.RequestException as problem:
            raise ChainUnreachable(f"no chain answers at {self._rpc_url}; start it (folkmoot up)") from problem
        except ContractCustomError as refusal:
            raise DeploymentRefused(str(explain(str(refusal.data), "the deployment"))) from refusal
        except Web3Exception as problem:
            raise DeploymentRefused(f"the deployment was refused: {problem}") from problem

    def _deploy(self, arguments: Arguments, progress: Callable[[str], None]) -> Deployed:
        start = self._web3.eth.get_transaction_count(cast("Any", self._signer.address))
        addresses = {name: created_address(self._signer.address, start + i) for i, name in enumerate(CONTRACTS)}
        first_block = int(self._web3.eth.block_number) + 1
        gas: dict[str, int] = {}
        for offset, name in enumerate(CONTRACTS):
            progress(name)
            gas[name] = self._create(name, _wired(arguments[name], addresses), nonce=start + offset)
            if not self._web3.eth.get_code(cast("Any", addresses[name])):
                raise DeploymentRefused(f"{name} does not stand at {addresses[name]}; another transaction came between")
        genesis = self._web3.eth.get_block(0)["hash"].to_0x_hex()
        deployment = Deployment(
            chain_id=int(self._web3.eth.chain_id), genesis=genesis, first_block=first_block, contracts=addresses
        )
        return Deployed(deployment=deployment, gas=gas)

    def _create(self, name: str, arguments: tuple[object, ...], *, nonce: int) -> int:
        compiled = artifact(name)
        factory = self._web3.eth.contract(abi=compiled["abi"], bytecode=compiled["bytecode"])
        creation = factory.constructor(*arguments)
        estimate = creation.estimate_gas({"from": cast("Any", self._signer.address)})
        transaction = creation.build_transaction(
            {"from": cast("Any", self._signer.address), "nonce": cast("Any", nonce), "gas": int(estimate * GAS_MARGIN)}
        )
        sent = self._web3.eth.send_raw_transaction(
            self._signer.sign_transaction(cast("dict[str, object]", transaction))
        )
        receipt = self._web3.eth.wait_for_transaction_receipt(sent, timeout=60, poll_latency=0.05)
        if receipt["status"] != 1:
            raise DeploymentRefused(f"the creation of {name} reverted ({sent.to_0x_hex()})")
        return int(receipt["gasUsed"])


STRUCT_ORDER: Final = CONTRACTS
"""Fields of the Solidity struct ``Addresses``."""


def _wired(arguments: tuple[object, ...], addresses: Mapping[str, Address]) -> tuple[object, ...]:
    struct = tuple(addresses[name] for name in STRUCT_ORDER)
    return tuple(struct if argument is WIRING else argument for argument in arguments)


def created_address(creator: Address, nonce: int) -> Address:
    """Return where a contract created by this account at this nonce will stand (yellow paper, section 7)."""
    raw = rlp.encode([bytes.fromhex(creator[2:]), nonce])
    return to_checksum_address(keccak(raw)[12:])
