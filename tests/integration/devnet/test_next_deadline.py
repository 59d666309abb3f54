"""`folkmoot devnet advance --to-next` stops at every moment at which something becomes possible."""

from __future__ import annotations

import subprocess
import sys

import pytest
from eth_utils.crypto import keccak

from folkmoot.constitution import Founder, Founding, deploy
from folkmoot.devnet import Devnet
from folkmoot.files import write_atomically
from folkmoot.settings import CHECKOUT
from governance.adapters.evm import EvmChain, KeySigner
from governance.domain.release import ProposalState
from governance.policy import load_policies
from governance.services.amendments import Amendments
from governance.services.releases import FOR, Governor

pytestmark = pytest.mark.chain

NAMES = tuple(f"Organisation {number}" for number in range(7))


def key(name: str) -> KeySigner:
    return KeySigner.from_secret(keccak(text=f"deadline test {name}"))


@pytest.fixture
def chain(devnet: Devnet) -> EvmChain:
    devnet.fund([key(name).address for name in (*NAMES, "deployer")], 10**18)
    founders = tuple(Founder(name=name, member=key(name).address, operator=key("op " + name).address) for name in NAMES)
    founding = Founding(
        founders=founders,
        panel=NAMES,
        policy=load_policies(),
        guardian=key("guardian").address,
        treasury=key("deployer").address,
        supply_e18=1,
    )
    deployed = deploy(devnet.info().rpc_url, key("deployer"), founding, progress=lambda _: None)
    write_atomically(devnet.home.deployment_file, deployed.deployment.to_json())
    # A proposer's votes are those of the second before.
    devnet.advance(2)
    return EvmChain(devnet.info().rpc_url, deployed.deployment)


def advance_to_next(devnet: Devnet) -> str:
    command = [sys.executable, "-m", "folkmoot", "devnet", "advance", "--to-next", "--home", str(devnet.home.root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=CHECKOUT, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_time_stops_at_each_step_of_a_proposal(devnet: Devnet, chain: EvmChain) -> None:
    governor = Governor(chain)
    admission = chain.encode("AgentRegistry", "admit", "Newcomer", key("new").address, key("new operator").address)
    calldata = Amendments(chain).staging("AgentRegistry", admission)
    assert "no deadline lies ahead" in advance_to_next(devnet)
    receipt = governor.propose(key(NAMES[0]), target="Amendments", calldata=calldata, description="Admit")
    proposal = int(str(next(event for event in receipt.events if event.name == "ProposalCreated").values["proposalId"]))

    assert "opens" in advance_to_next(devnet)
    assert governor.state(proposal) is ProposalState.ACTIVE
    for name in NAMES[:5]:
        governor.cast_vote(key(name), proposal, FOR)
    assert "closes" in advance_to_next(devnet)
    governor.queue(key(NAMES[0]), proposal)
    assert "may be executed" in advance_to_next(devnet)
    governor.execute(key(NAMES[0]), proposal)

    assert governor.state(proposal) is ProposalState.EXECUTED
    assert "may be activated" in advance_to_next(devnet)
    Amendments(chain).activate(key(NAMES[0]), Amendments(chain).ids()[0])
    assert "no deadline lies ahead" in advance_to_next(devnet)


def test_a_deployment_of_another_chain_is_refused(devnet: Devnet, chain: EvmChain) -> None:
    file = devnet.home.deployment_file
    file.write_text(file.read_text().replace(str(chain.chain_id), "1"))
    command = [sys.executable, "-m", "folkmoot", "doctor", "--home", str(devnet.home.root)]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=CHECKOUT, check=False)

    assert done.returncode == 1
    assert "WRONG  deployment" in done.stdout
