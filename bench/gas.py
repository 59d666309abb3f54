"""Gas of a vote here and with a bare OpenZeppelin Governor, in one run on one development chain.

Both sides have the same members and the same delays, and both are measured on their second
proposal, so that neither pays for a first write. Ours is a release under the shipped policy,
played by hand with real contracts and keys.
"""

import tempfile
from pathlib import Path

from eth_utils.crypto import keccak

from bench.bare import BareNetwork, VoteGas
from bench.figures import FiguresError, Step, Voting
from folkmoot.devnet import Devnet
from folkmoot.home import Home
from governance.adapters.evm import KeySigner
from governance.domain.release import ProposalState, Status
from governance.services.releases import ReleaseRecord
from tests.integration.dashboard_network import NAMES, PlayedNetwork, play

VOTES = 3
WEI = 10**18


def measure_voting() -> Voting:
    """Play a job and a bare vote on one fresh chain and return both bills."""
    with tempfile.TemporaryDirectory() as folder:
        devnet = Devnet(Home.create(Path(folder) / "home"))
        devnet.start()
        try:
            network = play(devnet, Path(folder))
            return _voting(network, _bare(devnet))
        finally:
            devnet.stop()


def _bare(devnet: Devnet) -> VoteGas:
    members = [_key(name) for name in NAMES]
    deployer = _key("deployer")
    devnet.fund([deployer.address, *(member.address for member in members)], WEI)
    network = BareNetwork(devnet=devnet, deployer=deployer, members=members)
    network.deploy()
    network.decide(1)
    return network.decide(2)


def _ours(network: PlayedNetwork, release: ReleaseRecord) -> VoteGas:
    if network.governor.state(release.proposal_id) is not ProposalState.EXECUTED:
        raise FiguresError("the played release was not voted for; the comparison is worthless")
    return VoteGas(
        propose=_gas(network, "ProposalCreated", release)[0],
        votes=tuple(_gas(network, "VoteCast", release)),
        queue=_gas(network, "ProposalQueued", release)[0],
        execute=_gas(network, "ProposalExecuted", release)[0],
    )


def _gas(network: PlayedNetwork, event_name: str, release: ReleaseRecord) -> list[int]:
    chain = network.chain
    return [
        chain.gas_of(event.transaction)
        for event in chain.events("ModelGovernor", [event_name], from_block=chain.first_block)
        if event.values["proposalId"] == release.proposal_id
    ]


def _refusal_gas(network: PlayedNetwork) -> int:
    chain = network.chain
    (refusal,) = chain.events("ReleaseRegistry", ["Refused"], from_block=chain.first_block)
    return chain.gas_of(refusal.transaction)


def _released(network: PlayedNetwork) -> ReleaseRecord:
    records = [network.releases.release(key) for key in network.releases.releases_of(network.job)]
    if [record.status for record in records] != [Status.REFUSED, Status.RELEASED]:
        raise FiguresError("the played job did not end in a refusal and a release; the comparison is worthless")
    return records[1]


def _voting(network: PlayedNetwork, bare: VoteGas) -> Voting:
    ours = _ours(network, _released(network))
    pairs = [
        ("propose", bare.propose, ours.propose),
        *((f"vote {i + 1}", bare.votes[i], ours.votes[i]) for i in range(VOTES)),
        ("queue", bare.queue, ours.queue),
        ("execute", bare.execute, ours.execute),
    ]
    return Voting(
        steps=[Step(name=name, bare_gas=theirs, our_gas=mine) for name, theirs, mine in pairs],
        refusal_gas=_refusal_gas(network),
        members=len(NAMES),
        rules=len(network.policy.rules),
    )


def _key(name: str) -> KeySigner:
    return KeySigner.from_secret(keccak(text=f"bench bare {name}"))
