"""Gas of every step of a job, measured with the committed artifacts: what ``make gas`` writes and a test compares.

Each figure is the gas that a transaction used on a steady chain, so it repeats to the unit.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.bare import BareNetwork
from folkmoot.settings import CHECKOUT
from governance.adapters.evm import EvmChain, KeySigner
from governance.adapters.store import FileStore
from governance.domain.market import Kind
from governance.ports import Receipt, Signer
from governance.services.pools import Pools
from governance.services.releases import Releases
from tests.integration.dashboard_network import CENTRE, HOSPITALS, INSTITUTE, LABORATORIES, PlayedNetwork, sha
from tests.steady_chain import SteadyChain, steady_chain

GOLDEN = CHECKOUT / "tests" / "golden" / "gas.json"
ROUNDS_EACH = 3
"""With three candidates and the statistics round: ten rounds."""
ROUNDS = tuple(range(10))
TEN = tuple(f"Hospital {letter}" for letter in "ABCDEFGHIJ")
Steps = dict[str, int]


class RecordingChain(EvmChain):
    """A chain that notes what each transaction cost."""

    steps: list[tuple[str, int]]

    def send(self, signer: Signer, contract: str, function: str, arguments: Sequence[object]) -> Receipt:
        receipt = super().send(signer, contract, function, arguments)
        self.steps.append((f"{contract}.{function}", receipt.gas_used))
        return receipt


class GasNetwork(PlayedNetwork):
    """A played network that knows the gas of its last steps."""

    def start(self) -> None:
        self.found()
        recording = RecordingChain(self.devnet.info().rpc_url, self.deployment)
        recording.steps = self.steps = []
        self.connect(recording)
        self.bind_agents()

    def last(self) -> int:
        return self.steps[-1][1]

    def since(self, place: int) -> list[tuple[str, int]]:
        return self.steps[place:]

    @contextmanager
    def rewound(self) -> Iterator[None]:
        rounds, place = dict(self.rounds), len(self.steps)
        with self.devnet.rewound():  # type: ignore[attr-defined]
            yield
        self.rounds = rounds
        del self.steps[place:]


def measure() -> dict[str, Steps]:
    """Return gas by part and step."""
    with _network(HOSPITALS) as network:
        rounds, claims = _rounds(network), _claims(network)
        four = _job(network)
    with _network(HOSPITALS) as network:
        whole = _whole_path(network)
        vote = _beside_a_bare_governor(network, whole)
    with _network(HOSPITALS) as network:
        income = _income(network)
    with _network(TEN) as network:
        ten = _job(network)
    jobs = {"4 owners": four, "10 owners": ten}
    return {
        "round": rounds,
        "claim": claims,
        "rounds and payments of ten rounds": jobs,
        "from agreement to payment": whole,
        "from proposal to execution": vote,
        "income of a release with 4 contributors": income,
    }


@contextmanager
def _network(hospitals: tuple[str, ...]) -> Iterator[GasNetwork]:
    with steady_chain() as chain, tempfile.TemporaryDirectory() as folder:
        network = GasNetwork(_as_devnet(chain), FileStore(Path(folder)), hospitals=hospitals, rounds_each=ROUNDS_EACH)
        network.start()
        network.open_job()
        yield network


def _as_devnet(chain: SteadyChain) -> object:
    return chain


def _rounds(network: GasNetwork) -> Steps:
    found = {}
    for trainers in (4, 30):
        with network.rewound():
            for number in range(2):
                # The same roots for both, so that only the number of trainers differs.
                network.market.post_round(
                    network.agent(INSTITUTE), network.job, number, root=sha(f"root {number}"), leaves=trainers + 1
                )
                found[f"{'next' if number else 'first'} at {trainers} trainers"] = network.last()
    return found


def _claims(network: GasNetwork) -> Steps:
    found = {}
    name = network.hospitals[0]
    with network.rewound():
        for number in ROUNDS:
            network.post_round(number)
        network.claim(network.hospitals[1], ROUNDS)
        found["ten rounds at once, to an operator without credit"] = network.last()
        network.claim(name, ROUNDS[:-2])
        network.claim(name, ROUNDS[-2:-1])
        found["one round, with one more in the line"] = network.last()
        network.claim(name, ROUNDS[-1:])
        found["one round, the last"] = network.last()
    with network.rewound():
        for number in ROUNDS:
            network.post_round(number)
        for end in (9, 10):
            with network.rewound():
                network.claim(name, ROUNDS[:end])
                found[f"{end} rounds at once"] = network.last()
    with network.rewound():
        for number in ROUNDS:
            network.post_round(number)
        network.claim_all(ROUNDS[:-1])
        network.claim_all(ROUNDS[-1:])
        found["one round of each of 5 sellers in one claim"] = network.last()
        found["the same, for each"] = network.last() // 5
    found["each further round of a claim"] = found["10 rounds at once"] - found.pop("9 rounds at once")
    return found


def _job(network: GasNetwork) -> int:
    with network.rewound():
        place = len(network.steps)
        for number in ROUNDS:
            network.post_round(number)
        network.claim_all(ROUNDS)
        return sum(gas for _, gas in network.since(place))


def _whole_path(network: GasNetwork) -> Steps:
    """One job, one candidate that is released, everybody paid; founding and binding are done before."""
    opened = next(i for i, (name, _) in enumerate(network.steps) if name == "AgreementBook.openJob")
    for number in range(1 + ROUNDS_EACH):
        network.post_round(number)
    release = network.submit(0, gap_micros=60_000)
    network.decide(release)
    network.claim_all(range(1 + ROUNDS_EACH))
    for name, kind in network.agreements:
        looked = kind is Kind.EVALUATION and network.court.has_revealed(release, network.agent(name).address)
        if looked or kind is Kind.EVALUATION_ROWS:
            network.market.claim_looks(network.operator(CENTRE), network.agreements[name, kind], [release])
    found: Steps = {}
    for name, gas in network.since(opened):
        found[name] = found.get(name, 0) + gas
    found["together"] = sum(found.values())
    assert len(LABORATORIES) > 0
    return found


def _beside_a_bare_governor(network: GasNetwork, whole: Steps) -> Steps:
    """The first release of a network, and the first proposal of a bare Governor with as many votes."""
    voters = sum(name == "ModelGovernor.castVote" for name, _ in network.steps)
    deployer, *members = (KeySigner.from_secret(sha(f"bare {number}")) for number in range(voters + 1))
    network.devnet.fund([deployer.address, *(each.address for each in members)], 10**18)
    bare = BareNetwork(devnet=network.devnet, deployer=deployer, members=members)
    bare.deploy()
    gas = bare.decide(1)
    theirs = gas.propose + sum(gas.votes) + gas.queue + gas.execute
    votes = whole["ModelGovernor.castVote"]
    alone = sum(whole[f"ModelGovernor.{step}"] for step in ("propose", "queue(uint256)", "execute(uint256)"))
    theirs_alone, ours = theirs - sum(gas.votes), alone + votes
    return {
        "rules": len(network.policy.rules),
        "votes": voters,
        "a bare Governor": theirs,
        "a release": ours,
        "per cent of the bare": -(-100 * ours // theirs),
        "a bare Governor, without the votes": theirs_alone,
        "a release, without the votes": alone,
        "per cent of the bare, without the votes": -(-100 * alone // theirs_alone),
    }


def _income(network: GasNetwork) -> Steps:
    """What a release earns, from the opening of its pool on."""
    for number in range(1 + ROUNDS_EACH):
        network.post_round(number)
    release = network.submit(0, gap_micros=60_000)
    network.decide(release)
    pools, user = Pools(network.chain), network.operator(INSTITUTE)
    network.chain.send(user, "Credit", "approve", (network.chain.address("RewardVault"), 10**24))
    place = len(network.steps)
    pools.open(user, release, Releases(network.chain).manifest(release))
    price_e18 = pools.pool(release).use_price_e18
    for what in ("first", "next"):
        pools.pay_use(user, release, months=1, limit_e18=price_e18)
        network.steps[-1] = (f"{what} payment for use", network.last())
    for name in network.hospitals[:2]:
        pools.claim(user, release, network.registry.organisation_of(network.agent(name).address))
    return {f"{name}, {number}": gas for number, (name, gas) in enumerate(network.since(place), start=1)}


def main() -> int:
    """Write the golden file and print it."""
    found = measure()
    GOLDEN.write_text(json.dumps(found, indent=2) + "\n")
    for part, steps in found.items():
        print(f"\n{part}")  # noqa: T201 - a report for a person
        for step, gas in steps.items():
            print(f"  {gas:>10,}  {step}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
