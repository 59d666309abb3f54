"""A job whose parties are killed one after the other, and whose demonstration's script dies at the start.

Each test goes on with the network that the one before left.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from agents.net.keys import uagents_address
from folkmoot import processes
from folkmoot.demo.cast import cast
from governance.domain.market import Kind
from governance.domain.release import Status
from governance.services.reading import number, row
from governance.services.registry import Registry
from governance.services.releases import Releases
from tests.e2e.recorder import Recorder
from tests.e2e.short_network import ShortNetwork, wait_until

pytestmark = [pytest.mark.chain]
ROUNDS = 8
DEAR, TOO_DEAR = "switzerland", "va-long-beach"
DEAR_FLOOR, ABOVE_THE_BUYERS_LIMIT = 170, 400
EPSILON, PRICE_PER_EPSILON = 8, 3
OWNERS = ("cleveland", "hungary", "switzerland")
NAMES = tuple(party.slug for party in cast())
MAJORITY = NAMES[:7]
CREDIT = 10**18
TERMS_FIELDS = 20


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShortNetwork]:
    floors = {DEAR: DEAR_FLOOR, TOO_DEAR: ABOVE_THE_BUYERS_LIMIT}
    short = ShortNetwork.prepare(tmp_path_factory.mktemp("robust"), rounds=ROUNDS, floors=floors)
    try:
        script = short.demonstrate("--private")
        short.await_event("AgreementBook", "JobOpened")
        os.kill(script.pid, signal.SIGKILL)
        script.wait()
        yield short
    finally:
        short.close()


def test_a_coordinator_killed_while_it_bargains_goes_on_when_started_again(network: ShortNetwork) -> None:
    network.await_event("AgreementBook", "AgreementCreated")
    network.kill("institute")
    made = len(network.events("AgreementBook", "AgreementCreated"))

    network.start("institute")
    network.await_round(0)

    assert len(network.events("AgreementBook", "AgreementCreated")) > made


def test_a_floor_in_a_mandate_file_changes_the_price_or_ends_the_deal(network: ShortNetwork) -> None:
    sold = {}
    for event in network.events("AgreementBook", "AgreementCreated"):
        terms = row(event.values["terms"], TERMS_FIELDS)
        sold[str(event.values["seller"]), Kind(number(terms[0]))] = number(terms[4])

    # With the floor of the shipped mandate it sells at 145 credits.
    assert sold[network.agent(DEAR), Kind.DATA] >= (DEAR_FLOOR + EPSILON * PRICE_PER_EPSILON) * CREDIT
    assert (network.agent(TOO_DEAR), Kind.DATA) not in sold
    assert (network.agent(TOO_DEAR), Kind.EVALUATION_ROWS) in sold
    assert sum(kind is Kind.DATA for _, kind in sold) == 3


def test_a_killed_compute_provider_goes_on_when_started_again(network: ShortNetwork) -> None:
    network.kill("data-centre")
    posted = len(network.events("RoundLedger", "RoundPosted"))

    network.start("data-centre")

    network.await_round(posted)


def test_an_endpoint_moved_on_chain_moves_the_traffic(network: ShortNetwork) -> None:
    chain, agent = network.chain(), network.agent("hungary")
    recorder = Recorder(Registry(chain).agent(agent).endpoint)
    network.recorders.append(recorder)
    url = recorder.start()

    moved = network.command("agent", "endpoint", str(network.config("hungary")), url, "--key", "hungary.operator")
    # The coordinator knew the old endpoint; a process that just began would have to ask for any.
    coordinator = uagents_address(Registry(chain).agent(network.agent("institute")).public_key)
    wait_until(lambda: coordinator in senders(recorder), seconds=150)

    assert moved.returncode == 0, moved.stderr


def test_a_coordinator_killed_in_a_round_goes_on_when_started_again(network: ShortNetwork) -> None:
    network.kill("institute")
    posted = len(network.events("RoundLedger", "RoundPosted"))

    network.start("institute")

    network.await_round(min(posted, ROUNDS))


def test_after_a_power_cut_up_and_agent_run_go_on(network: ShortNetwork) -> None:
    info = network.command("status", "--json")
    before, blocks = json.loads(info.stdout), network.chain().block_number()

    power_cut(network)
    down = network.command("status")
    up = network.command("up", "--json")
    network.start(*NAMES)

    assert down.returncode == 1
    assert up.returncode == 0, up.stderr
    assert json.loads(up.stdout)["chain_id"] == before["network"]["chain_id"]
    assert network.chain().block_number() >= blocks
    network.await_round(ROUNDS)
    network.await_event("ReleaseRegistry", "CandidateSubmitted")


def test_a_juror_killed_between_commit_and_reveal_still_reveals(network: ShortNetwork) -> None:
    juror = str(network.await_event("EvaluatorCourt", "Committed", seconds=240)[0].values["juror"])
    name = next(each for each in NAMES if network.agent(each) == juror)
    network.kill(name)

    network.start(name)
    network.await_event("EvaluatorCourt", "CaseFinal", seconds=240)

    assert juror in {event.values["juror"] for event in network.events("EvaluatorCourt", "Revealed")}


def test_votes_by_command_bring_the_job_to_a_decision(network: ShortNetwork) -> None:
    # A result is voted on when it can be appealed no more; the clock of this chain waits for us.
    appealed_no_more = network.command("devnet", "advance", "--to-next")
    network.await_event("ModelGovernor", "ProposalCreated")
    opened = network.command("devnet", "advance", "--to-next")
    with ThreadPoolExecutor(3) as pool:
        voted = list(
            pool.map(lambda name: network.command("vote", "latest", "for", "--key", f"{name}.member"), MAJORITY)
        )
    closed = network.command("devnet", "advance", "--to-next")
    network.await_event("ModelGovernor", "ProposalQueued")
    due = network.command("devnet", "advance", "--to-next")

    decided = wait_until(lambda: decision(network), seconds=60)

    assert [done.returncode for done in (appealed_no_more, opened, closed, due)] == [0] * 4
    assert [done.returncode for done in voted] == [0] * len(MAJORITY), voted[0].stderr
    assert decided in {Status.RELEASED, Status.REFUSED}


def test_nothing_was_done_twice(network: ShortNetwork) -> None:
    rounds = [number(event.values["round"]) for event in network.events("RoundLedger", "RoundPosted")]
    deals = [
        (event.values["seller"], number(row(event.values["terms"], TERMS_FIELDS)[0]))
        for event in network.events("AgreementBook", "AgreementCreated")
    ]
    by_juror = {
        name: [event.values["juror"] for event in network.events("EvaluatorCourt", name)]
        for name in ("Committed", "Revealed")
    }

    assert rounds == list(range(1 + ROUNDS))
    assert len(deals) == len(set(deals)) == 3 + 4 + 1 + 7
    assert {name: (len(jurors), len(set(jurors))) for name, jurors in by_juror.items()} == {
        "Committed": (5, 5),
        "Revealed": (5, 5),
    }
    for contract, name in (
        ("AgreementBook", "JobOpened"),
        ("ReleaseRegistry", "CandidateSubmitted"),
        ("EvaluatorCourt", "JuryDrawn"),
        ("ModelGovernor", "ProposalCreated"),
    ):
        assert len(network.events(contract, name)) == 1


def test_each_owner_was_in_every_round_despite_the_kills(network: ShortNetwork) -> None:
    leaves = [number(event.values["leaves"]) for event in network.events("RoundLedger", "RoundPosted")]

    assert leaves == [len(OWNERS) + 1] * (1 + ROUNDS)


def senders(recorder: Recorder) -> set[str]:
    return {json.loads(e.request)["sender"] for e in recorder.exchanges if e.path == "/submit"}


def vote(network: ShortNetwork, name: str) -> subprocess.CompletedProcess[str]:
    return network.command("vote", "latest", "for", "--key", f"{name}.member")


def power_cut(network: ShortNetwork) -> None:
    """Kill agents, supervisor and node at once, with no last word from any."""
    info = json.loads(network.home.devnet_file.read_text())
    victims = [process.pid for process in processes.running(network.home)]
    for pid in (info["pid"], info["anvil_pid"], *victims):
        os.kill(pid, signal.SIGKILL)
    for pid in (info["pid"], info["anvil_pid"], *victims):
        wait_until(lambda pid=pid: not processes.is_running(pid), seconds=10)


def decision(network: ShortNetwork) -> Status | None:
    chain = network.chain()
    (release,) = Releases(chain).releases_of(network.job())
    status = Releases(chain).release(release).status
    return None if status is Status.CANDIDATE else status
