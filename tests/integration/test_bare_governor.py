"""The Governor that ours is compared with works, and is not ours."""

import pytest
from eth_utils.crypto import keccak

from bench.bare import BareNetwork, compile_bare
from folkmoot.devnet import Devnet
from governance.adapters.evm import KeySigner
from governance.adapters.evm.artifacts import abi

pytestmark = [pytest.mark.chain, pytest.mark.contracts]


def functions(entries: list[dict[str, object]]) -> set[str]:
    return {str(entry["name"]) for entry in entries if entry["type"] == "function"}


def test_a_bare_vote_takes_effect_and_each_step_has_its_price(devnet: Devnet) -> None:
    deployer, *members = (KeySigner.from_secret(keccak(text=f"bare test {i}")) for i in range(4))
    devnet.fund([deployer.address, *(member.address for member in members)], 10**18)
    network = BareNetwork(devnet=devnet, deployer=deployer, members=members)
    network.deploy()

    first, second = network.decide(1), network.decide(2)

    assert len(second.votes) == 3
    assert min(*second.votes, second.propose, second.queue, second.execute) > 21_000
    # The first proposal pays for first writes; that is why the second is measured.
    assert second.propose < first.propose


def test_the_bare_governor_has_the_public_functions_of_ours_but_our_own() -> None:
    bare = functions(compile_bare()["BareGovernor"]["abi"])

    assert functions(abi("ModelGovernor")) - bare == {"isRoutine", "codePin", "liveProposal", "proposalGuardian"}
    assert bare - functions(abi("ModelGovernor")) == set()
