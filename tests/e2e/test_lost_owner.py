"""One owner's process is killed in a round, by the real command's own run: what comes of job and money."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from folkmoot.demo.run import Outcome
from governance.domain.market import Kind
from governance.services.market import AgreementState, Market
from governance.services.reading import number, raw
from governance.services.registry import Registry
from tests.e2e.short_network import ShortNetwork, wait_until
from tests.one_sentence import assert_one_sentence

pytestmark = [pytest.mark.chain]
LOST = "hungary"
ROUNDS = 3


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShortNetwork]:
    short = ShortNetwork.prepare(tmp_path_factory.mktemp("lost"), rounds=ROUNDS)
    try:
        script = short.demonstrate("--keep")
        short.await_round(1)
        short.kill(LOST)
        script.wait(timeout=400)
        yield short
    finally:
        short.close()


def test_the_demonstration_says_who_was_lost_and_ends_with_its_code(network: ShortNetwork) -> None:
    report = json.loads(network.home.report_file.read_text())

    # One candidate cannot be both the refused and the released one.
    assert network.script is not None
    assert network.script.returncode == Outcome.OTHERWISE == 3, network.said()[-3000:]
    assert f"the agent {LOST} does not run any more" in network.said()
    assert "Traceback" not in network.said()
    assert [candidate["outcome"] for candidate in report["candidates"]] in (["released"], ["refused"])
    assert set(report["candidates"][0]["facts"]["auc"]) >= {"value_micros", "source"}


def test_the_rounds_go_on_without_the_lost_owner(network: ShortNetwork) -> None:
    leaves = [number(event.values["leaves"]) for event in network.events("RoundLedger", "RoundPosted")]

    # The compute provider has a leaf too.
    assert len(leaves) == 1 + ROUNDS
    assert leaves[:2] == [5, 5]
    assert leaves[-1] == 4


def test_the_jury_is_not_kept_waiting_for_rows_of_the_lost_owner(network: ShortNetwork) -> None:
    split = json.loads((network.home.agent(LOST) / "data" / "split.json").read_text())
    case = network.events("ReleaseRegistry", "CandidateSubmitted")[0].values["id"]

    roots = {raw(root) for root in network.chain().read("EvaluatorCourt", "evaluationRoots", case)}

    assert len(roots) == 3
    assert bytes.fromhex(split["evaluation"]["root"][2:]) not in roots


def test_every_credit_that_was_locked_is_paid_or_returned(network: ShortNetwork) -> None:
    chain = network.chain()
    records = [
        Market(chain).agreement(raw(e.values["id"])) for e in network.events("AgreementBook", "AgreementCreated")
    ]

    paid = sum(number(event.values["amountE18"]) for event in network.events("AgreementBook", "PaymentMade"))
    closed = network.events("AgreementBook", "AgreementClosed")
    fees = sum(number(event.values["feeE18"]) for event in closed)
    back = sum(number(event.values["refundedE18"]) for event in closed)

    assert {record.state for record in records if record is not None} == {AgreementState.CLOSED}
    assert sum(record.price_e18 for record in records if record is not None) == paid + fees + back
    assert fees > 0
    assert 0 < back < paid
    assert chain.read("Credit", "balanceOf", chain.address("AgreementBook")) == 0


def test_what_the_lost_owner_earned_is_paid_to_its_operator(network: ShortNetwork) -> None:
    chain, lost = network.chain(), network.agent(LOST)
    agreements = [e for e in network.events("AgreementBook", "AgreementCreated") if e.values["seller"] == lost]
    records = [Market(chain).agreement(raw(event.values["id"])) for event in agreements]
    data = next(record for record in records if record is not None and record.kind is Kind.DATA)
    rows = next(record for record in records if record is not None and record.kind is Kind.EVALUATION_ROWS)
    leaves = [number(event.values["leaves"]) for event in network.events("RoundLedger", "RoundPosted")]
    present = sum(count == 5 for count in leaves)

    payments = [e for e in network.events("AgreementBook", "PaymentMade") if raw(e.values["id"]) == data.id]

    assert data.paid_units == present
    assert data.paid_e18 == data.price_e18 * present // (1 + ROUNDS)
    assert {event.values["to"] for event in payments} == {Registry(chain).operator_of(lost)}
    assert rows.paid_e18 == 0


def test_the_audit_of_a_job_with_a_lost_owner_is_clean(network: ShortNetwork) -> None:
    found = network.command("audit", "verify")

    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-1000:]


def test_an_agent_that_runs_is_not_started_twice(network: ShortNetwork) -> None:
    done = network.command("agent", "run", str(network.config("cleveland")))

    assert_one_sentence(done, "cleveland", "already runs this agent")


def test_a_port_in_use_is_named_to_the_agents_operator(network: ShortNetwork) -> None:
    listen = next(
        line.split()[1] for line in network.config(LOST).read_text().splitlines() if line.startswith("listen:")
    )

    with socket.create_server(("127.0.0.1", int(listen.rpartition(":")[2]))):
        done = network.command("agent", "run", str(network.config(LOST)))

    assert_one_sentence(done, f"cannot listen on {listen}")


def test_a_port_in_use_is_named_to_whoever_starts_the_dashboard(network: ShortNetwork) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        done = network.command("dashboard", "--port", str(port))

    assert_one_sentence(done, f"port {port} is in use", "--port")


def test_a_dead_agent_comes_back_by_one_command_and_goes_by_down(network: ShortNetwork) -> None:
    network.start(LOST)
    wait_until(lambda: network.is_up(LOST), seconds=30)

    down = network.command("down")

    assert LOST in down.stdout
    assert not network.is_up(LOST)
