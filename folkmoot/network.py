"""Which chain a home works with: its own development chain, or the network of FOLKMOOT_RPC."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from folkmoot.devnet import WARNING, Devnet, DevnetError, NotRunning
from folkmoot.devnet.rpc import RpcClient
from folkmoot.files import storage_errors
from folkmoot.home import Home
from folkmoot.options import note
from folkmoot.settings import Settings
from governance.domain.urls import without_secrets
from governance.errors import DeploymentMissing

if TYPE_CHECKING:
    from governance.adapters.evm import EvmChain
    from governance.domain.deployment import Deployment


@cache
def _warn() -> None:
    """Say once in a process what a development chain is; a command may ask for its chain twice."""
    note(WARNING)


@dataclass(frozen=True, slots=True)
class Network:
    """Where the chain answers, and whether we have any power over it."""

    rpc_url: str
    chain_id: int
    development: bool


def find_network(home: Home, settings: Settings) -> Network:
    """Return the chain of a home; FOLKMOOT_RPC wins.

    Prints the warning that belongs to every command on a development chain.

    Raises
    ------
    NotRunning
        If the development chain is down, or others run the home's chain and FOLKMOOT_RPC names no node of it.
    ChainUnreachable
        If nobody answers at FOLKMOOT_RPC.
    """
    if settings.rpc_url is not None:
        chain_id = RpcClient(settings.rpc_url, timeout_s=10).number("eth_chainId")
        return Network(settings.rpc_url, chain_id, development=False)
    require_own_chain(home)
    info = Devnet(home, settings).info()
    _warn()
    return Network(info.rpc_url, info.chain_id, development=True)


def require_own_chain(home: Home) -> None:
    """Tell a home whose contracts stand on a chain that others run from one whose own chain is down.

    Raises
    ------
    NotRunning
        If others run it.
    """
    if home.deployment_file.exists() and not home.chain.exists():
        raise NotRunning(
            f"the contracts of {home.deployment_file} stand on a chain that others run, and no node of it is named; "
            "set FOLKMOOT_RPC to the address of one, such as https://rpc.example"
        )


def require_devnet(home: Home, settings: Settings) -> Devnet:
    """Return the home's development chain for a command that only it can carry out.

    Raises
    ------
    DevnetError
        If FOLKMOOT_RPC names another network: nobody moves its time.
    """
    if settings.rpc_url is not None:
        node = without_secrets(settings.rpc_url)
        raise DevnetError(f"FOLKMOOT_RPC names {node}, and this works on a development chain only; unset FOLKMOOT_RPC")
    _warn()
    return Devnet(home, settings)


def open_chain(home: Home, settings: Settings) -> EvmChain:
    """Return the contracts of a home, on its chain.

    Raises
    ------
    DeploymentMissing
        If nothing is deployed, or on another chain.
    """
    from governance.adapters.evm import EvmChain

    network = find_network(home, settings)
    chain = EvmChain(network.rpc_url, read_deployment(home))
    chain.check()
    return chain


def read_deployment(home: Home) -> Deployment:
    """Return a home's deployment file.

    Raises
    ------
    DeploymentMissing
        If there is none, or it is damaged.
    """
    from governance.domain.deployment import Deployment

    if not home.deployment_file.exists():
        raise DeploymentMissing(
            f"nothing is deployed in {home.root}: run `folkmoot demo`, or copy your network's deployment.json there"
        )
    with storage_errors(home.deployment_file):
        return Deployment.from_json(home.deployment_file.read_text())
