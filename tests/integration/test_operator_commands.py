"""Commands with which an operator looks after money, consent and agents, on a real chain."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from eth_utils.crypto import keccak
from typer.testing import CliRunner

from folkmoot.accounts import read_account
from folkmoot.agent_setup import NewAgent, set_up
from folkmoot.cli import load_commands
from folkmoot.constitution import DAY_S
from folkmoot.home import Home
from folkmoot.keystore import open_keystore
from folkmoot.settings import CHECKOUT, read_settings
from governance.adapters.evm.keys import keystore_address
from governance.errors import FolkmootError
from governance.services.market import AgreementState, Market
from governance.services.registry import Registry
from tests.audit_cast import CENTRE, INSTITUTE, OWNERS, Story, operator, running_network
from tests.audit_job import BOND_E18, PRICE_E18, Plan, make_agreements, open_job, post_round
from tests.audit_story import prepare

pytestmark = pytest.mark.chain

PLAN = Plan(1, ("plain",))
OWNER, ANOTHER = OWNERS[0], OWNERS[1]
EXAMPLES = CHECKOUT / "examples" / "heart"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with running_network(tmp_path_factory.mktemp("network")) as story:
        prepare(story)
        story.job = open_job(story, PLAN)
        make_agreements(story, PLAN, story.job)
        post_round(story, PLAN, story.job, 0)
        yield story


@pytest.fixture
def story(network: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    (tmp_path / "deployment.json").write_text(network.deployment.to_json())
    monkeypatch.setenv("FOLKMOOT_RPC", network.rpc)
    monkeypatch.setenv("FOLKMOOT_HOME", str(tmp_path))
    keys = open_keystore(Home.at(tmp_path), read_settings())
    for name in (OWNER, ANOTHER, INSTITUTE):
        keys.create(name.lower(), private_key=keccak(text=f"story {name} operator"))
    with network.rewound():
        yield network


def run(*arguments: object, typed: str = "") -> str:
    result = CliRunner().invoke(load_commands(), [*map(str, arguments)], input=typed)
    assert result.exit_code == 0, (result.output, result.exception)
    return str(result.output)


def refused(*arguments: object) -> str:
    result = CliRunner().invoke(load_commands(), [*map(str, arguments)])
    assert isinstance(result.exception, FolkmootError), result.output
    return str(result.exception)


def data_of(story: Story, name: str) -> bytes:
    return story.agreements[f"{name} data"]


def state(story: Story, agreement: bytes) -> AgreementState:
    found = Market(story.chain).agreement(agreement)
    assert found is not None
    return found.state


def test_an_allowance_is_set_and_shown_and_taken_back(story: Story) -> None:
    holder = operator(OWNER).address

    run("credits", "allow", "agreements", "12.5", "--key", OWNER.lower())
    run("credits", "allow", "vault", "3", "--key", OWNER.lower())

    account = read_account(story.chain, holder)
    assert (account.agreements_may_take_e18, account.vault_may_take_e18) == (125 * 10**17, 3 * 10**18)
    shown = run("credits", "show", "--key", OWNER.lower()).splitlines()
    assert [line.split()[0] for line in shown[-4:]] == [
        f"{account.has_e18 / 10**18:,.4f}",
        "0.0000",
        "12.5000",
        "3.0000",
    ]
    run("credits", "allow", "agreements", "0", "--key", OWNER.lower())
    assert read_account(story.chain, holder).agreements_may_take_e18 == 0


def test_what_waits_in_the_vault_is_withdrawn_once(story: Story) -> None:
    market, agreement = Market(story.chain), data_of(story, OWNER)
    story.advance(200 * DAY_S)
    market.expire(operator(CENTRE), agreement)
    before = read_account(story.chain, operator(OWNER).address)
    assert before.owed_e18 == BOND_E18

    said = run("credits", "withdraw", "--key", OWNER.lower())

    after = read_account(story.chain, operator(OWNER).address)
    assert said.startswith(f"{before.owed_e18 / 10**18:,.4f} credits are withdrawn")
    assert (after.has_e18, after.owed_e18) == (before.has_e18 + before.owed_e18, 0)
    assert "nothing waits" in refused("credits", "withdraw", "--key", OWNER.lower())


def test_sellers_and_the_buyer_see_their_agreements(story: Story) -> None:
    sold = json.loads(run("agreement", "list", "--key", OWNER.lower(), "--json"))["agreements"]
    bought = json.loads(run("agreement", "list", "--key", INSTITUTE.lower(), "--json"))["agreements"]

    assert {(each["kind"], each["side"]) for each in sold} == {("data", "seller"), ("evaluation_rows", "seller")}
    assert sold[0]["price_e18"] == PRICE_E18
    assert {each["side"] for each in bought} == {"buyer"}
    assert {each["agreement"] for each in bought} == {each.hex() for each in story.agreements.values()}
    for_people = run("agreement", "list", "--key", OWNER.lower())
    assert f"{data_of(story, OWNER).hex()}  active     sold data" in for_people


def test_consent_is_taken_back_after_it_is_said_what_that_means(story: Story) -> None:
    agreement = data_of(story, OWNER)
    command = ("agreement", "withdraw", agreement.hex()[:12], "--key", OWNER.lower())

    asked = CliRunner().invoke(load_commands(), [*command], input="n\n")
    assert asked.exit_code == 1
    assert "a release is suspended for ever" in asked.output
    assert state(story, agreement) is AgreementState.ACTIVE

    run(*command, typed="y\n")

    assert state(story, agreement) is AgreementState.WITHDRAWN
    assert "was taken back before" in refused(*command)


def test_nobody_takes_back_the_consent_of_another(story: Story) -> None:
    agreement = data_of(story, OWNER)

    said = refused("agreement", "withdraw", agreement.hex(), "--key", ANOTHER.lower(), "--yes")

    assert "sold by another organisation" in said
    assert state(story, agreement) is AgreementState.ACTIVE
    assert "0 agreements" in refused("agreement", "withdraw", "0" * 64, "--key", OWNER.lower(), "--yes")
    assert "is no id" in refused("agreement", "withdraw", "../x", "--key", OWNER.lower(), "--yes")


def test_an_agreement_is_ended_when_its_time_is_over(story: Story) -> None:
    agreement = data_of(story, OWNER)
    command = ("agreement", "end", agreement.hex(), "--key", ANOTHER.lower())
    assert "a week after its job is over" in refused(*command)
    story.advance(101 * DAY_S)
    assert "UTC on chain" in refused(*command)
    story.advance(8 * DAY_S)

    run(*command)

    assert state(story, agreement) is AgreementState.CLOSED


def prepared_coordinator(home: Home) -> Path:
    """Return the configuration of a coordinator that is not bound yet."""
    folder, mandate = home.agent("institute"), EXAMPLES / "mandates" / "institute.yaml"
    set_up(NewAgent(folder=folder, name="institute", roles=("coordinator",), network=home.root, mandate=mandate))
    return folder / "agent.yaml"


@pytest.fixture
def coordinator(story: Story, tmp_path: Path) -> Path:
    """The configuration of a second agent of the institute, bound."""
    assert story.job
    config = prepared_coordinator(Home.at(tmp_path))
    said = run("agent", "bind", config, "--key", INSTITUTE.lower())
    assert f"bound to {INSTITUTE} as coordinator" in said
    return config


def said_by_the_agent(config: Path) -> str:
    result = CliRunner().invoke(load_commands(), ["agent", "run", str(config)])
    assert result.exit_code == 1
    return str(result.output)


def test_an_agent_is_unbound_by_its_operator_alone_and_does_not_run_any_more(story: Story, coordinator: Path) -> None:
    config = coordinator
    address = keystore_address(config.parent / "keys" / "agent.json")
    assert "another operator" in refused("agent", "unbind", config, "--key", OWNER.lower(), "--yes")
    asked = CliRunner().invoke(load_commands(), ["agent", "unbind", str(config), "--key", INSTITUTE.lower()], input="n")
    assert asked.exit_code == 1
    assert Registry(story.chain).is_bound(address)

    run("agent", "unbind", config, "--key", INSTITUTE.lower(), "--yes")

    assert not Registry(story.chain).is_bound(address)
    assert "is not bound" in refused("agent", "unbind", config, "--key", INSTITUTE.lower(), "--yes")
    assert f"{address} was unbound" in said_by_the_agent(config)


def test_an_agent_does_not_run_with_a_role_that_it_was_bound_without(coordinator: Path) -> None:
    fields = yaml.safe_load(coordinator.read_text())
    coordinator.write_text(yaml.safe_dump({**fields, "roles": ["coordinator", "keeper"]}))

    assert "bound without the role keeper" in said_by_the_agent(coordinator)


def job(folder: Path, **changed: object) -> Path:
    fields = yaml.safe_load((EXAMPLES / "job-2.yaml").read_text())
    schema = (EXAMPLES / fields["schema"]).resolve()
    path = folder / "job.yaml"
    path.write_text(yaml.safe_dump({**fields, "schema": str(schema), **changed}))
    return path


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"epsilon": 8.000001}, "max-dp-epsilon"),
        ({"purposes": ["medical_diagnosis_support", "social_scoring"]}, "no-prohibited-purpose"),
    ],
)
def test_a_job_that_the_rules_forbid_is_not_handed_over(
    coordinator: Path, tmp_path: Path, changed: dict[str, object], rule: str
) -> None:
    assert f"the rules in force forbid it: {rule}" in refused("job", "start", job(tmp_path, **changed))

    assert not (coordinator.parent / "jobs").exists()


def test_a_job_is_handed_over_with_what_its_operator_still_has_to_do(coordinator: Path, tmp_path: Path) -> None:
    for taker in ("vault", "agreements"):
        run("credits", "allow", taker, "0", "--key", INSTITUTE.lower())

    said = run("job", "start", job(tmp_path, bonus=5))

    assert (coordinator.parent / "jobs" / "heart-disease-2.yaml").exists()
    assert "folkmoot credits allow vault 15 " in said
    assert "folkmoot credits allow agreements" in said
    too_little = refused("job", "start", job(tmp_path, job="another", candidate_bond=1))
    assert "candidate_bond is 1 credits, and the contract asks for 10" in too_little


def test_a_job_is_not_handed_to_an_agent_that_is_not_bound(story: Story, tmp_path: Path) -> None:
    assert story.job
    prepared_coordinator(Home.at(tmp_path))

    assert "is not bound" in refused("job", "start", job(tmp_path))
