"""What operator, member and guardian do from the command line, on a real chain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot.agent_config import AgentConfig
from folkmoot.agent_setup import NewAgent, set_up
from folkmoot.constitution import DAY_S
from folkmoot.operators import OperatorError, bind_agent
from folkmoot.rotating import ask_operator, cancel_rotation, change_operator, keep_operator, rotate
from folkmoot.settings import CHECKOUT
from folkmoot.votes import Proposals, VoteError
from governance.adapters.evm.keys import keystore_address
from governance.domain.release import ProposalState
from governance.services.amendments import Amendments
from governance.services.registry import Registry
from governance.services.releases import Governor
from tests.audit_cast import GUARDIAN, LABORATORIES, OWNERS, Story, key, member, operator, running_network
from tests.audit_nodes import fund

pytestmark = pytest.mark.chain

LABORATORY = LABORATORIES[0]
NUMBER = 6


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Story]:
    with running_network(tmp_path) as story:
        story.advance(5)
        yield story


@pytest.fixture
def config(network: Story, tmp_path: Path) -> AgentConfig:
    wanted = NewAgent(
        folder=tmp_path / "laboratory",
        name="laboratory",
        roles=("evaluator",),
        network=tmp_path / "home",
        mandate=CHECKOUT / "examples" / "heart" / "mandates" / "laboratory.yaml",
    )
    made = set_up(wanted)
    bind_agent(network.chain, operator(LABORATORY), tmp_path / "laboratory" / "agent.yaml")
    return made


def test_an_agents_key_is_announced_waits_and_takes_the_old_ones_file(network: Story, config: AgentConfig) -> None:
    registry, file = Registry(network.chain), config.home / "agent.yaml"
    old = keystore_address(config.key)

    said = rotate(network.chain, operator(LABORATORY), file)
    with pytest.raises(OperatorError, match="in 48 hours"):
        rotate(network.chain, operator(LABORATORY), file)
    network.advance(2 * DAY_S)
    rotate(network.chain, operator(LABORATORY), file)

    new = keystore_address(config.key)
    assert said.startswith(new)
    assert (registry.is_active(old), registry.is_active(new)) == (False, True)
    assert registry.organisation_of(new) == NUMBER
    assert registry.mandate(new).valid_until_s == 0


def test_a_key_that_was_unbound_is_replaced_too(network: Story, config: AgentConfig) -> None:
    registry, file = Registry(network.chain), config.home / "agent.yaml"
    old = keystore_address(config.key)
    registry.unbind(operator(LABORATORY), old)

    rotate(network.chain, operator(LABORATORY), file)
    network.advance(2 * DAY_S)
    rotate(network.chain, operator(LABORATORY), file)

    assert registry.is_active(keystore_address(config.key))


def test_the_member_ends_the_announcement_of_a_key(network: Story, config: AgentConfig) -> None:
    file = config.home / "agent.yaml"
    rotate(network.chain, operator(LABORATORY), file)

    cancel_rotation(network.chain, member(LABORATORY), file)

    assert not Registry(network.chain).rotation(keystore_address(config.key)).is_asked


def test_a_member_gives_its_organisation_another_operator(network: Story) -> None:
    chain, following = network.chain, key("next operator")
    ask_operator(chain, operator(LABORATORY), following.address)
    keep_operator(chain, operator(LABORATORY))

    fund(network.rpc, following.address, hex(10**20))
    ask_operator(chain, member(LABORATORY), following.address)
    with pytest.raises(OperatorError, match="waits until"):
        change_operator(chain, following, NUMBER)
    network.advance(16 * DAY_S)
    with pytest.raises(OperatorError, match="takes office itself"):
        change_operator(chain, member(LABORATORY), NUMBER)
    change_operator(chain, following, NUMBER)

    assert Registry(chain).organisation(NUMBER).operator == following.address


def propose(network: Story, by: str, target: str, call: bytes) -> int:
    governor, proposals = Governor(network.chain), Proposals(network.chain)
    staging = Amendments(network.chain).staging(target, call)
    governor.propose(member(by), target="Amendments", calldata=staging, description="a change")
    return proposals.find("latest")


def test_the_guardian_stops_a_proposal_and_nobody_elses_key_does(network: Story) -> None:
    call = network.chain.encode("ModelGovernor", "setVotingPeriod", 6 * DAY_S)
    proposal, proposals = propose(network, OWNERS[0], "ModelGovernor", call), Proposals(network.chain)

    with pytest.raises(VoteError, match="is not the guardian"):
        proposals.stop(member(OWNERS[0]), proposal, reason="an incident")
    with pytest.raises(VoteError, match="1 to 31 plain characters"):
        proposals.stop(GUARDIAN, proposal, reason="é")
    proposals.stop(GUARDIAN, proposal, reason="an incident")

    assert Governor(network.chain).state(proposal) is ProposalState.CANCELED


def test_the_guardian_cannot_stop_the_vote_that_replaces_it(network: Story) -> None:
    call = network.chain.encode("ReleaseRegistry", "setGuardian", key("next guardian").address)
    proposal = propose(network, OWNERS[0], "ReleaseRegistry", call)

    with pytest.raises(VoteError, match="out of its reach"):
        Proposals(network.chain).stop(GUARDIAN, proposal, reason="I stay")

    assert Governor(network.chain).state(proposal) is ProposalState.PENDING
