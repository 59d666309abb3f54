"""A jury reveals shares, owners claim by them with proofs that the contract takes, and the audit follows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from eth_utils.crypto import keccak
from typer.testing import CliRunner

from agents.net.errors import ArtifactError
from agents.roles import income
from agents.roles.agreements import Agreements
from agents.roles.desk import Desk, Plans
from agents.roles.income import Income
from folkmoot.cli import load_commands
from folkmoot.home import Home
from folkmoot.keystore import open_keystore
from folkmoot.settings import read_settings
from governance.domain.income import Share, entitled, share_root
from governance.domain.market import Address
from governance.errors import FolkmootError, InvalidRecord
from governance.services.market import Market
from governance.services.pools import Pools
from governance.services.reading import number
from governance.services.releases import Releases
from tests.audit_cast import CENTRE, INSTITUTE, Story, agent, operator, running_network
from tests.audit_job import (
    BONUS_E18,
    FOR,
    Plan,
    carry_out,
    conclude,
    make_agreements,
    measure,
    open_job,
    post_round,
    submit,
    vote_on,
)
from tests.audit_runs import Reading, audit
from tests.audit_story import FAIR, OWNERS, prepare

pytestmark = pytest.mark.chain

PERCENTS = {1: 71, 2: 29, 3: 0}
SHARES = tuple(Share(organisation=number, share_ppb=percent * 10**7) for number, percent in PERCENTS.items())
PLAN = Plan(1, ("plain",))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A release whose jury of five revealed shares."""
    with running_network(tmp_path_factory.mktemp("shares")) as story:
        prepare(story)
        story.job = open_job(story, PLAN)
        make_agreements(story, PLAN, story.job)
        for each in range(PLAN.rounds):
            post_round(story, PLAN, story.job, each)
        submit(story, PLAN, story.job, 0)
        measure(story, "plain", measured=FAIR, reveals=5, shares=SHARES)
        conclude(story, "plain")
        carry_out(story, vote_on(story, "plain", support=FOR))
        yield story


@pytest.fixture
def kept(told: Story) -> Iterator[Story]:
    """The story's chain, put back after the test."""
    snapshot = told.call("evm_snapshot")
    yield told
    assert told.call("evm_revert", snapshot)


class Peers:
    """Serves reports: some jurors, or the coordinator alone."""

    def __init__(self, story: Story, *, silent: frozenset[Address] = frozenset()) -> None:
        self._story = story
        self._silent = silent

    def __call__(self, peer: Address, digest: bytes) -> bytes:
        if peer in self._silent:
            raise ArtifactError(f"{peer} is silent")
        return self._story.store.get(digest)


def role(story: Story, name: str, peers: Peers) -> Income:
    fields = SimpleNamespace(
        chain=story.chain,
        signer=agent(name),
        address=agent(name).address,
        releases=Releases(story.chain),
        agreements=Agreements(story.chain, Market(story.chain)),
        fetch=peers,
    )
    return Income(cast("Desk", fields))


def owed(story: Story, name: str) -> int:
    return number(story.chain.read("RewardVault", "balanceOf", operator(name).address))


def everybody() -> frozenset[Address]:
    return frozenset(agent(name).address for name in (INSTITUTE, *(f"Laboratory {letter}" for letter in "ABCDE")))


def test_the_root_that_most_jurors_revealed_is_that_of_the_pool(kept: Story) -> None:
    release = kept.releases["plain"]

    Pools(kept.chain).open(operator(CENTRE), release, kept.manifests["plain"])

    assert Pools(kept.chain).pool(release).root == share_root(release, SHARES)


def test_owners_agents_claim_what_the_jury_gave_them_and_no_more(kept: Story) -> None:
    pools, release = Pools(kept.chain), kept.releases["plain"]
    before = [owed(kept, name) for name in OWNERS]
    roles = [role(kept, name, Peers(kept)) for name in OWNERS]
    for each in roles:
        each.step()
    assert not pools.pool(release).is_open, "nothing came in, so nothing is due"

    pools.settle_bonus(operator(CENTRE), kept.job)
    for each in roles + roles:
        assert each.step() == Plans()

    gained = [owed(kept, name) - was for name, was in zip(OWNERS, before, strict=True)]
    assert gained == [entitled(BONUS_E18, share.share_ppb) for share in SHARES]
    assert pools.pool(release).claimed_e18 == sum(gained)


def test_an_owner_claims_again_when_more_comes_in(kept: Story) -> None:
    pools, release, owner = Pools(kept.chain), kept.releases["plain"], role(kept, OWNERS[0], Peers(kept))
    pools.settle_bonus(operator(CENTRE), kept.job)
    owner.step()
    first = owed(kept, OWNERS[0])

    pools.pay_use(operator(INSTITUTE), release, months=3, limit_e18=10**20)
    owner.step()

    assert owed(kept, OWNERS[0]) - first == pools.pool(release).claimed_e18 - entitled(BONUS_E18, SHARES[0].share_ppb)
    assert owed(kept, OWNERS[0]) > first


@pytest.mark.parametrize("coordinator_serves", [True, False])
def test_a_silent_juror_is_no_loss_and_a_silent_network_is_waited_for(
    kept: Story, monkeypatch: pytest.MonkeyPatch, *, coordinator_serves: bool
) -> None:
    silent = everybody() - ({agent(INSTITUTE).address} if coordinator_serves else frozenset())
    owner, before = role(kept, OWNERS[0], Peers(kept, silent=silent)), owed(kept, OWNERS[0])
    Pools(kept.chain).settle_bonus(operator(CENTRE), kept.job)

    # A development clock must not stand still for a report that never comes.
    assert owner.step() == Plans()

    assert (owed(kept, OWNERS[0]) > before) is coordinator_serves
    monkeypatch.setattr(income, "PAUSE_S", 0.0)
    owner._again_at.clear()
    owner._desk = cast("Desk", SimpleNamespace(**{**vars(owner._desk), "fetch": Peers(kept)}))
    owner.step()
    assert owed(kept, OWNERS[0]) - before == entitled(BONUS_E18, SHARES[0].share_ppb)


@pytest.fixture
def collecting(kept: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command by which an operator of another machine collects."""
    (tmp_path / "deployment.json").write_text(kept.deployment.to_json())
    (tmp_path / "model").write_bytes(b"model file of plain")
    monkeypatch.setenv("FOLKMOOT_RPC", kept.rpc)
    keys = open_keystore(Home.at(tmp_path), read_settings())
    keys.create("owner", private_key=keccak(text=f"story {OWNERS[1]} operator"))
    return ["release", "collect", str(tmp_path / "model"), "--key", "owner", "--home", str(tmp_path)]


def test_an_operator_collects_with_the_reports_of_a_store(kept: Story, collecting: list[str]) -> None:
    due = entitled(BONUS_E18, SHARES[1].share_ppb)
    before = number(kept.chain.read("Credit", "balanceOf", operator(OWNERS[1]).address))

    without = CliRunner().invoke(load_commands(), collecting)
    found = CliRunner().invoke(load_commands(), [*collecting, "--store", str(kept.store.folder)])

    assert isinstance(without.exception, InvalidRecord)
    assert found.exit_code == 0, found.output
    assert f"{due / 10**18:.4f} credits of the pool" in found.output
    assert number(kept.chain.read("Credit", "balanceOf", operator(OWNERS[1]).address)) - before == due


def test_what_the_agent_claimed_is_withdrawn_without_any_report(kept: Story, collecting: list[str]) -> None:
    Pools(kept.chain).settle_bonus(operator(CENTRE), kept.job)
    role(kept, OWNERS[1], Peers(kept)).step()
    before = number(kept.chain.read("Credit", "balanceOf", operator(OWNERS[1]).address))

    found = CliRunner().invoke(load_commands(), collecting)

    assert found.exit_code == 0, found.output
    assert "nothing could be claimed now: the jury's shares decide this pool" in found.output
    gained = number(kept.chain.read("Credit", "balanceOf", operator(OWNERS[1]).address)) - before
    assert gained == entitled(BONUS_E18, SHARES[1].share_ppb)


def test_the_audit_follows_shares_and_claims(kept: Story) -> None:
    Pools(kept.chain).settle_bonus(operator(CENTRE), kept.job)
    for name in OWNERS:
        role(kept, name, Peers(kept)).step()

    report = audit(kept)

    assert report.findings == ()
    assert all(result.checked for result in report.results if result.name in {"documents", "deposits"})


@pytest.mark.parametrize("altered", ["another root", "no root"])
def test_the_audit_notices_a_root_that_its_report_does_not_give(kept: Story, altered: str) -> None:
    reading = Reading.of(kept)
    root = bytes(32) if altered == "no root" else b"\x01" * 32
    events = [
        replace(event, values={**event.values, "contributions": root}) if event.name == "Revealed" else event
        for event in reading.context.history.events
    ]

    found = [str(finding) for result in reading.with_events(events) for finding in result.findings]

    assert any("root of its shares" in text for text in found)


def test_a_report_of_another_release_proves_nothing(kept: Story) -> None:
    from governance.services.shares import find_shares

    with pytest.raises(FolkmootError, match="none of the reports"):
        find_shares(kept.chain, kept.releases["plain"], b"\x07" * 32, fetch=Peers(kept))
