"""Two homes with the same keys at the same addresses: what was signed for one is worth nothing in the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from folkmoot.constitution import DAY_S
from folkmoot.devnet import Devnet
from folkmoot.home import Home
from folkmoot.network import open_chain
from folkmoot.settings import read_settings
from governance.adapters.store import FileStore
from governance.domain.market import AggregationPrivacy, IntegrationMode, JobTerms, Kind, PrivacyUnit, Terms
from governance.domain.signing import Binding, Domain
from governance.errors import ContractRefused, DeploymentMissing
from governance.services.registry import Role
from governance.services.releases import FOR
from tests.integration.dashboard_network import (
    CREDIT,
    EPSILON_MICROS,
    INSTITUTE,
    PlayedNetwork,
    key,
    sha,
)

pytestmark = [pytest.mark.chain]
SELLER, VOTER = "Cleveland", "Hungary"
BALLOT_TYPE = "Ballot(uint256 proposalId,uint8 support,address voter,uint256 nonce)"


@dataclass(frozen=True, slots=True)
class Homes:
    here: PlayedNetwork
    there: PlayedNetwork


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homes]:
    folder = tmp_path_factory.mktemp("homes")
    networks = []
    for name in ("here", "there"):
        devnet = Devnet(Home.create(folder / name))
        devnet.start()
        networks.append(PlayedNetwork(devnet, FileStore(folder / name / "store")))
    try:
        for network in networks:
            network.found()
            bind(network)
            # Votes are those of the second before: none yet, in the second of the founding.
            network.devnet.advance(2)
        yield Homes(*networks)
    finally:
        for network in networks:
            network.devnet.stop()


def test_keys_and_addresses_are_the_same_and_the_chain_ids_are_not(homes: Homes) -> None:
    assert homes.here.deployment.contracts == homes.there.deployment.contracts
    assert homes.here.agent(SELLER).address == homes.there.agent(SELLER).address
    assert homes.here.chain.chain_id != homes.there.chain.chain_id


def test_signed_terms_of_one_home_are_refused_in_the_other(homes: Homes) -> None:
    here, there = homes.here, homes.there
    job = job_terms(there)
    there.market.open_job(there.agent(INSTITUTE), job)
    terms = data_terms(there, job)

    with pytest.raises(ContractRefused) as refused:
        there.market.create_agreement(there.agent(INSTITUTE), terms, **signatures(here, terms))
    made = there.market.create_agreement(there.agent(INSTITUTE), terms, **signatures(there, terms))

    assert refused.value.name == "AgreementBadSignature"
    assert any(event.name == "AgreementCreated" for event in made.events)
    assert here.market.agreement(here.market.terms_digest(terms)) is None
    assert here.chain.read("Credit", "balanceOf", here.chain.address("AgreementBook")) == 0


def test_a_signed_binding_of_one_home_is_refused_in_the_other(homes: Homes) -> None:
    here, there = homes.here, homes.there
    agent, operator = key(SELLER, "second agent"), there.operator(SELLER)
    binding = Binding(
        agent=agent.address,
        operator=operator.address,
        roles=int(Role.KEEPER),
        public_key_x=agent.public_key[:32],
        public_key_y=agent.public_key[32:],
        encryption_key=sha("second agent"),
        endpoint="http://127.0.0.1:8000",
        nonce=0,
        deadline_s=there.chain.now_s() + DAY_S,
    )

    with pytest.raises(ContractRefused) as refused:
        there.registry.bind(operator, binding, agent.sign_digest(here.registry.binding_digest(binding)))
    there.registry.bind(operator, binding, agent.sign_digest(there.registry.binding_digest(binding)))

    assert refused.value.name == "AgentBadSignature"
    assert there.registry.organisation_of(agent.address) == 1
    assert here.registry.organisation_of(agent.address) == 0


def test_a_signed_ballot_of_one_home_is_refused_in_the_other(homes: Homes) -> None:
    here, there = homes.here, homes.there
    proposals = {network.propose_admission("St. Anna") for network in (here, there)}
    for network in (here, there):
        network.open_vote()
    (proposal,) = proposals

    with pytest.raises(ContractRefused) as refused:
        cast_by_signature(there, proposal, ballot(here, proposal))
    cast_by_signature(there, proposal, ballot(there, proposal))

    assert refused.value.name == "GovernorInvalidSignature"
    assert there.governor.has_voted(proposal, there.member(VOTER).address)
    assert not here.governor.has_voted(proposal, here.member(VOTER).address)


def test_a_deployment_file_of_one_home_is_refused_in_the_other(homes: Homes) -> None:
    here, there = homes.here, homes.there
    there.devnet.home.deployment_file.write_text(here.deployment.to_json())

    with pytest.raises(DeploymentMissing, match=str(here.chain.chain_id)):
        open_chain(there.devnet.home, read_settings({}))


def test_stopping_one_home_leaves_the_other_where_it_was(homes: Homes) -> None:
    here, there = homes.here, homes.there
    before = here.chain.now_s()

    there.devnet.advance(50 * DAY_S)
    there.devnet.stop()

    assert here.chain.now_s() - before < DAY_S
    assert len(here.registry.organisations()) == 13
    there.devnet.start()
    assert there.chain.now_s() >= before + 50 * DAY_S


def bind(network: PlayedNetwork) -> None:
    """Bind one seller and the buyer, who lets the book take its credits."""
    network._bind(SELLER, Role.OWNER)
    network._bind(INSTITUTE, Role.COORDINATOR)
    network.registry.commit_training(network.agent(SELLER), sha(f"{SELLER} training"), 120)
    book = network.chain.address("AgreementBook")
    network.chain.send(network.operator(INSTITUTE), "Credit", "approve", (book, 1_000 * CREDIT))


def job_terms(network: PlayedNetwork) -> JobTerms:
    from agents.training.metrics import metric_code_digest

    return JobTerms(
        coordinator=network.agent(INSTITUTE).address,
        purposes=network.purposes,
        rounds_per_candidate=1,
        epsilon_micros=EPSILON_MICROS,
        delta_e12=10_000_000,
        privacy_unit=PrivacyUnit.RECORD,
        aggregation_privacy=AggregationPrivacy.CLEAR,
        integration_mode=IntegrationMode.COUPLED,
        task=sha("task"),
        metric_code=bytes.fromhex(metric_code_digest()),
        candidates=("plain",),
        deadline_s=network.chain.now_s() + 100 * DAY_S,
        nonce=1,
    )


def data_terms(network: PlayedNetwork, job: JobTerms) -> Terms:
    return Terms(
        kind=Kind.DATA,
        buyer=network.agent(INSTITUTE).address,
        seller=network.agent(SELLER).address,
        job=network.market.job_id(job),
        price_e18=40 * CREDIT,
        units=job.rounds,
        epsilon_micros=EPSILON_MICROS,
        delta_e12=job.delta_e12,
        privacy_unit=PrivacyUnit.RECORD,
        aggregation_privacy=AggregationPrivacy.CLEAR,
        rows=120,
        data_root=sha(f"{SELLER} training"),
        purposes=network.purposes,
        compute_seconds=0,
        withdrawal_blocks=True,
        deadline_s=job.deadline_s,
        valid_until_s=network.chain.now_s() + DAY_S,
        nonce=1,
    )


def signatures(network: PlayedNetwork, terms: Terms) -> dict[str, bytes]:
    """Let both sides sign these terms for one home."""
    digest = network.market.terms_digest(terms)
    return {
        "buyer_signature": network.agent(INSTITUTE).sign_digest(digest),
        "seller_signature": network.agent(SELLER).sign_digest(digest),
    }


def ballot(network: PlayedNetwork, proposal: int) -> bytes:
    """Sign a vote for one home, as OpenZeppelin's Governor.castVoteBySig wants it."""
    voter = network.member(VOTER)
    name = str(network.chain.read("ModelGovernor", "name"))
    domain = Domain(name=name, chain_id=network.chain.chain_id, contract=network.chain.address("ModelGovernor"))
    nonce = network.chain.read("ModelGovernor", "nonces", voter.address)
    types = ["bytes32", "uint256", "uint8", "address", "uint256"]
    struct = keccak(encode(types, [keccak(text=BALLOT_TYPE), proposal, FOR, voter.address, nonce]))
    return voter.sign_digest(domain.digest(struct))


def cast_by_signature(network: PlayedNetwork, proposal: int, signature: bytes) -> None:
    voter = network.member(VOTER).address
    network.chain.send(network.operator(SELLER), "ModelGovernor", "castVoteBySig", (proposal, FOR, voter, signature))
