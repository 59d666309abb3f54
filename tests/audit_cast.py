"""Who takes part in the small network of the audit's tests, their keys, and the node it runs on."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Final, cast

from eth_utils.crypto import keccak

from agents.roles.desk import Desk
from folkmoot.constitution import Founder, Founding, deploy
from folkmoot.devnet import find_anvil
from folkmoot.settings import read_settings
from governance.adapters.evm import EvmChain, KeySigner
from governance.adapters.store import FileStore
from governance.domain.deployment import Deployment
from governance.domain.release import Manifest
from governance.policy import load_policies
from governance.services.court import Court
from governance.services.registry import Role
from tests.node_calls import NodeCalls

OWNERS = ("Ashford", "Birchwood", "Cedarville")
LABORATORIES = tuple(f"Laboratory {letter}" for letter in "ABCDE")
INSTITUTE, CENTRE = "Institute", "Data centre"
ROLES = (
    dict.fromkeys(OWNERS, Role.OWNER)
    | {INSTITUTE: Role.COORDINATOR, CENTRE: Role.COMPUTE}
    | dict.fromkeys(LABORATORIES, Role.EVALUATOR)
)
OFFICE = 3
"""A bit number."""
SUPPLY_E18 = 1_000 * 10**18


@dataclass
class Story(NodeCalls):
    """The finished story, and who is in it."""

    rpc: str
    chain: EvmChain
    deployment: Deployment
    store: FileStore
    job: bytes = b""
    agreements: dict[str, bytes] = field(default_factory=dict)
    releases: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, Manifest] = field(default_factory=dict)
    proposals: dict[str, int] = field(default_factory=dict)

    @property
    def registry(self) -> str:
        return self.deployment.contracts["ReleaseRegistry"]

    def advance(self, seconds: int) -> None:
        self.call("evm_increaseTime", seconds)
        self.call("evm_mine")


def key(name: str) -> KeySigner:
    return KeySigner.from_secret(keccak(text=f"story {name}"))


GUARDIAN: Final = key("guardian")
"""Of no organisation."""


def desk_of_keeper(story: Story) -> Desk:
    """Return the data centre's desk with the real chain, as far as deposits and disputes go."""
    return cast("Desk", SimpleNamespace(chain=story.chain, signer=operator(CENTRE), court=Court(story.chain)))


def member(name: str) -> KeySigner:
    return key(f"{name} member")


def operator(name: str) -> KeySigner:
    return key(f"{name} operator")


def agent(name: str) -> KeySigner:
    return key(f"{name} agent")


@contextmanager
def running_network(folder: Path) -> Iterator[Story]:
    """Start a node, found the network on it, and stop the node at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(find_anvil(read_settings())), "--port", str(port), "--accounts", "0", "--chain-id", "7770001"]
    with subprocess.Popen([*command, "--silent"]) as node:
        try:
            yield _found(f"http://127.0.0.1:{port}", folder)
        finally:
            node.terminate()


def _found(rpc: str, folder: Path) -> Story:
    names = tuple(ROLES)
    founders = tuple(Founder(name=name, member=member(name).address, operator=operator(name).address) for name in names)
    founding = Founding(
        founders=founders,
        panel=LABORATORIES,
        officers=((OFFICE, member(CENTRE).address),),
        policy=load_policies(),
        guardian=GUARDIAN.address,
        treasury=operator(INSTITUTE).address,
        supply_e18=SUPPLY_E18,
    )
    deployer = key("deployer")
    empty = Deployment(chain_id=0, genesis="", first_block=0, contracts={})
    story = Story(rpc, EvmChain(rpc, empty), empty, FileStore(folder / "store"))
    _wait(story)
    everybody = [
        deployer,
        GUARDIAN,
        *(make(name) for name in (*names, "Newcomer") for make in (member, operator, agent)),
    ]
    # Before the first block that counts: a balance set later would not stand in the state root of any block.
    for signer in [*everybody, key(f"{OWNERS[2]} next operator")]:
        story.call("anvil_setBalance", signer.address, hex(10**20))
    deployed = deploy(rpc, deployer, founding, progress=lambda _: None)
    story.deployment = deployed.deployment
    story.chain = EvmChain(rpc, deployed.deployment)
    return story


def _wait(story: Story) -> None:
    for _ in range(100):
        try:
            story.call("eth_chainId")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the node did not start")
