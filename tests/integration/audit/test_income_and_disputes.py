"""What users, owners, auditors and keepers do about income and disputes, on the story's chain, which is put back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_utils.crypto import keccak
from typer.testing import CliRunner

from agents.roles.desk import Plans
from agents.roles.keeper import Keeper
from folkmoot.cli import load_commands
from folkmoot.constitution import DAY_S, FEE_BPS
from folkmoot.home import Home
from folkmoot.keystore import open_keystore
from folkmoot.options import utc
from folkmoot.settings import read_settings
from governance.domain.income import entitled, split_income
from governance.domain.record import sha256
from governance.errors import FolkmootError
from governance.services.disputes import Disputes, DisputeState, Ground
from governance.services.pools import Pools
from governance.services.reading import number
from governance.services.registry import Registry
from tests.audit_cast import INSTITUTE, Story, agent, desk_of_keeper, operator
from tests.audit_job import BONUS_E18, USE_PRICE_E18, Plan, open_job
from tests.audit_story import OWNERS

pytestmark = pytest.mark.chain

PAYER = "payer"


@pytest.fixture
def kept(story: Story) -> Iterator[Story]:
    """The story, chain and store, put back after the test."""
    snapshot, files = story.call("evm_snapshot"), set(story.store.folder.iterdir())
    yield story
    assert story.call("evm_revert", snapshot)
    for added in set(story.store.folder.iterdir()) - files:
        added.unlink()


@pytest.fixture
def home(kept: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "deployment.json").write_text(kept.deployment.to_json())
    (tmp_path / "model").write_bytes(b"model file of reweighed")
    monkeypatch.setenv("FOLKMOOT_RPC", kept.rpc)
    keys = open_keystore(Home.at(tmp_path), read_settings())
    for name, what in ((PAYER, f"{INSTITUTE} operator"), ("owner", f"{OWNERS[0]} operator")):
        keys.create(name, private_key=keccak(text=f"story {what}"))
    return tmp_path


def run(home: Path, *arguments: str) -> str:
    result = CliRunner().invoke(load_commands(), [*arguments, "--home", str(home)])
    if isinstance(result.exception, FolkmootError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def raised(story: Story, name: str, what: str) -> bytes:
    deal = story.agreements[f"{name} data"]
    return Disputes(story.chain).id_of(deal, ground=Ground.FAILED_REEXECUTION, evidence=sha256(what.encode()))


def test_a_user_pays_for_a_file_and_an_owner_collects_its_share(kept: Story, home: Path) -> None:
    pools, release, user = Pools(kept.chain), kept.releases["reweighed"], operator(INSTITUTE).address
    organisation = Registry(kept.chain).organisation_of(agent(OWNERS[0]).address)
    before, pool, (share, claimed) = _credits(kept, OWNERS[0]), pools.pool(release), pools.share(release, organisation)
    owed = number(kept.chain.read("RewardVault", "balanceOf", operator(OWNERS[0]).address))
    until_s, begun_s = pools.paid_until_s(release, user), kept.chain.now_s()

    use = ("release", "use", str(home / "model"), "--key", PAYER, "--months", "2")
    said = run(home, *use, "--at-most", "2.1")
    run(home, "release", "collect", str(home / "model"), "--key", "owner")

    assert utc(pools.paid_until_s(release, user)) in said
    # The block of the payment lies between the two moments that were seen.
    from_s = pools.paid_until_s(release, user) - 60 * DAY_S
    assert max(until_s, begun_s) <= from_s <= max(until_s, kept.chain.now_s())
    pooled = pool.pooled_e18 + split_income(2 * USE_PRICE_E18, fee_bps=FEE_BPS).pool_e18
    assert _credits(kept, OWNERS[0]) == before + owed + entitled(pooled, share) - claimed
    with pytest.raises(FolkmootError, match="nothing is due"):
        run(home, "release", "collect", str(home / "model"), "--key", "owner")


def test_nobody_pays_more_than_it_said(kept: Story, home: Path) -> None:
    before = _credits(kept, INSTITUTE)

    with pytest.raises(FolkmootError, match="raise --at-most"):
        run(home, "release", "use", str(home / "model"), "--key", PAYER, "--at-most", "0.5")

    assert _credits(kept, INSTITUTE) == before


def test_a_file_that_is_no_release_cannot_be_paid_for(home: Path) -> None:
    (home / "other").write_bytes(b"another file")

    with pytest.raises(FolkmootError, match="no release is of exactly this file"):
        run(home, "release", "use", str(home / "other"), "--key", PAYER, "--at-most", "9")


def test_a_file_that_was_refused_cannot_be_paid_for(kept: Story, home: Path) -> None:
    before = _credits(kept, INSTITUTE)
    (home / "refused").write_bytes(b"model file of plain")

    with pytest.raises(FolkmootError, match="this file was refused: it must not be used"):
        run(home, "release", "use", str(home / "refused"), "--key", PAYER, "--at-most", "9")

    assert _credits(kept, INSTITUTE) == before


def test_a_dispute_is_shown_with_its_judge_and_its_end(kept: Story, home: Path) -> None:
    shown = [run(home, "dispute", "show", raised(kept, *of).hex()) for of in _complaints()]

    assert [text.split(":")[0] for text in shown] == ["rejected", "upheld", "lapsed"]
    assert all("the agreement's auditor judges" in text for text in shown)


def test_work_whose_bond_is_gone_cannot_be_disputed(kept: Story, home: Path) -> None:
    (home / "report").write_text("too late")
    deal = kept.agreements[f"{OWNERS[1]} data"].hex()

    with pytest.raises(FolkmootError, match="DisputeNothingAtStake"):
        run(home, "dispute", "raise", deal, "invalid-update", str(home / "report"), "--key", PAYER)


def test_a_keeper_gives_a_bonus_back_when_a_job_ends_without_a_release(kept: Story) -> None:
    job = open_job(kept, Plan(1, ("never trained",)))
    pools, keeper = Pools(kept.chain), Keeper(desk_of_keeper(kept))
    before = number(kept.chain.read("RewardVault", "balanceOf", operator(INSTITUTE).address))
    assert keeper._settle_bonus(job) == BONUS_E18

    kept.advance(101 * DAY_S)
    left = keeper._settle_bonus(job)

    assert left == pools.bonus_left_e18(job) == 0
    owed = number(kept.chain.read("RewardVault", "balanceOf", operator(INSTITUTE).address))
    assert owed == before + BONUS_E18


def test_a_keeper_leaves_decided_disputes_alone(kept: Story) -> None:
    keeper, disputes = Keeper(desk_of_keeper(kept)), Disputes(kept.chain)
    ids = [raised(kept, *of) for of in _complaints()]
    assert keeper._open_disputes() == ids

    plans = [keeper._dispute(dispute) for dispute in ids]

    assert plans == [Plans()] * 3
    assert keeper._open_disputes() == []
    states = [found.state for dispute in ids if (found := disputes.dispute(dispute))]
    assert states == [DisputeState.REJECTED, DisputeState.UPHELD, DisputeState.LAPSED]


def _complaints() -> tuple[tuple[str, str], ...]:
    return ((OWNERS[0], "the same work again"), (OWNERS[1], "other work"), (OWNERS[2], "nobody looked"))


def _credits(story: Story, name: str) -> int:
    return number(story.chain.read("Credit", "balanceOf", operator(name).address))
