"""What an operator left wrong holds a job up, and costs it nothing that was trained already."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from sqlmodel import select

from agents.roles.buying import Purchases
from agents.roles.coordinator import Coordinator
from agents.roles.job_runs import JobRun
from agents.training.client import TrainingChild
from folkmoot.settings import CHECKOUT
from governance.domain.market import Address, JobTerms
from governance.domain.release import Status
from governance.services.market import JobState
from tests.unit.roles.role_cases import COORDINATOR, HUNGARY, JOB, Chain, desk_of

EXAMPLE = CHECKOUT / "examples" / "heart" / "job.yaml"
CREDIT = 10**18
BOND, BONUS, DAY_S = "candidate_bond: 10", "bonus: 40", 86_400


@dataclass
class Network(Chain):
    """A chain with one coordinator's job on it."""

    bond_e18: int = 10 * CREDIT
    has_e18: int = 1_000 * CREDIT
    allows_e18: int = 1_000 * CREDIT
    is_active: bool = True
    opened_by: list[Address] = field(default_factory=list)
    left_s: int = DAY_S
    """To the job's deadline."""

    def read(self, _contract: str, function: str, *_: object) -> int:
        return {"balanceOf": self.has_e18, "allowance": self.allows_e18}[function]

    def open_job(self, _signer: object, terms: JobTerms) -> None:
        self.opened_by.append(terms.coordinator)


def coordinator_of(home: Path, chain: Network, *, address: Address = COORDINATOR) -> Coordinator:
    def job(_id: bytes) -> SimpleNamespace:
        state = JobState.OPEN if chain.opened_by else JobState.NONE
        coordinator = chain.opened_by[0] if chain.opened_by else None
        return SimpleNamespace(state=state, coordinator=coordinator, deadline_s=chain.time_s + chain.left_s)

    desk = desk_of(
        home,
        address,
        chain,
        releases=SimpleNamespace(candidate_bond_e18=lambda: chain.bond_e18),
        registry=SimpleNamespace(operator_of=lambda agent: agent, is_active=lambda _agent: chain.is_active),
        market=SimpleNamespace(job=job, job_id=lambda _terms: JOB, open_job=chain.open_job),
    )
    purchases = SimpleNamespace(buy=lambda _job, _terms: False)
    return Coordinator(desk, cast("Purchases", purchases), cast("TrainingChild", None))


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "jobs"
    folder.mkdir()
    text = EXAMPLE.read_text()
    schema = next(line for line in text.splitlines() if line.startswith("schema:")).removeprefix("schema:").strip()
    shutil.copy(EXAMPLE.parent / schema, tmp_path / "schema.yaml")
    (folder / "job.yaml").write_text(text.replace(schema, "../schema.yaml"))
    return folder


def edit(inbox: Path, old: str, new: str) -> None:
    text = (inbox / "job.yaml").read_text()
    assert old in text
    (inbox / "job.yaml").write_text(text.replace(old, new))


def run_of(role: Coordinator) -> JobRun:
    with role.desk.mailbox.reading() as session:
        return session.exec(select(JobRun)).one()


def test_a_bond_that_the_operator_would_not_leave_is_said_before_the_job_is_opened(tmp_path: Path, inbox: Path) -> None:
    chain = Network(bond_e18=11 * CREDIT)
    role = coordinator_of(tmp_path, chain)

    plans = role.step()

    assert "candidate_bond is 10 credits, and the contract asks for 11" in plans.busy
    assert chain.opened_by == []
    edit(inbox, BOND, "candidate_bond: 11")
    assert role.step().busy.endswith("bargaining")
    assert chain.opened_by == [COORDINATOR]


@pytest.mark.parametrize("poor", ["has_e18", "allows_e18"])
def test_a_bonus_that_is_not_covered_is_waited_for(tmp_path: Path, inbox: Path, poor: str) -> None:
    edit(inbox, BONUS, "bonus: 2000")
    chain = Network(has_e18=2_000 * CREDIT, allows_e18=2_000 * CREDIT)
    setattr(chain, poor, 1_999 * CREDIT)
    role = coordinator_of(tmp_path, chain)

    assert "bonus: 2000 credits are needed" in role.step().busy

    assert chain.opened_by == []
    setattr(chain, poor, 2_000 * CREDIT)
    role.step()
    assert chain.opened_by == [COORDINATOR]


def test_a_bond_that_rose_during_the_job_holds_it_up_until_the_file_allows_it(tmp_path: Path, inbox: Path) -> None:
    chain = Network()
    role = coordinator_of(tmp_path, chain)
    role.step()
    trained(role)
    chain.bond_e18 = 12 * CREDIT

    plans = role.step()

    assert "candidate_bond is 10 credits, and the contract asks for 12" in plans.busy
    assert run_of(role).state == "training"
    edit(inbox, BOND, "candidate_bond: 12")
    chain.has_e18 = 11 * CREDIT
    assert "candidate_bond: 12 credits are needed" in role.step().busy
    assert run_of(role).state == "training"


@pytest.mark.usefixtures("inbox")
def test_a_candidate_measured_after_the_deadline_still_gets_its_vote(tmp_path: Path) -> None:
    chain = Network()
    role = coordinator_of(tmp_path, chain)
    role.step()
    trained(role)
    candidate = measured(role)
    chain.left_s = -1

    role.step()

    assert candidate.votes == 1
    assert run_of(role).state == "training"
    candidate.record.status = Status.REFUSED
    role.step()
    assert (run_of(role).state, run_of(role).note) == ("ended", "the deadline passed")


def measured(role: Coordinator) -> SimpleNamespace:
    """Let the job have a candidate whose case is beyond appeal, and count the votes that are called on it."""
    record = SimpleNamespace(
        id=JOB, job=JOB, status=Status.CANDIDATE, proposal_id=0, candidate_index=0, artifact=bytes(32)
    )
    candidate = SimpleNamespace(record=record, votes=0)

    def propose(_signer: object, **_: object) -> None:
        candidate.votes += 1
        record.proposal_id = 1

    desk = cast("SimpleNamespace", role.desk)
    desk.releases.releases_of = lambda _job: [JOB]
    desk.releases.release = lambda _id: record
    desk.releases.policy_hash = lambda: bytes(32)
    desk.releases.facts_hash = lambda _id: bytes(32)
    desk.court = SimpleNamespace(is_conclusive=lambda _id: True)
    desk.governor = SimpleNamespace(approval=lambda *_, **__: b"", propose=propose)
    return candidate


def trained(role: Coordinator) -> None:
    """Let the job be where its first candidate can be submitted."""
    with role.desk.mailbox.transaction() as session:
        run = session.exec(select(JobRun)).one()
        run.state = "training"
        session.add(run)
    desk = cast("SimpleNamespace", role.desk)
    desk.releases.releases_of = lambda _job: []
    desk.market.round_count = lambda _job: 100


def test_a_slip_of_the_pen_in_a_running_jobs_file_is_mended_where_it_lies(tmp_path: Path, inbox: Path) -> None:
    role = coordinator_of(tmp_path, Network())
    role.step()

    edit(inbox, BOND, "candidate_bond: ten")
    plans = role.step()

    assert "candidate_bond must be credits" in plans.busy
    edit(inbox, "candidate_bond: ten", BOND)
    assert role.step().busy.endswith("bargaining")


def test_a_file_that_is_no_job_is_put_aside(tmp_path: Path, inbox: Path) -> None:
    edit(inbox, BOND, "candidate_bond: ten")

    coordinator_of(tmp_path, Network()).step()

    assert [path.name for path in inbox.iterdir()] == ["job.refused"]


@pytest.mark.usefixtures("inbox")
def test_a_replaced_key_says_once_that_it_cannot_carry_a_job_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chain = Network()
    coordinator_of(tmp_path, chain).step()
    role = coordinator_of(tmp_path, chain, address=HUNGARY)

    with caplog.at_level(logging.WARNING):
        plans = [role.step() for _ in range(3)]

    assert [record.message for record in caplog.records] == [
        f"heart-disease-1: stands still: it was opened by {COORDINATOR}; the key that took its place cannot carry it on"
    ]
    # Nobody's clock waits for it.
    assert {plan.busy for plan in plans} == {""}
    assert {plan.due_at_s for plan in plans} == {chain.time_s + DAY_S + 1}


@pytest.mark.usefixtures("inbox")
def test_a_job_stands_still_while_its_coordinator_is_suspended_and_then_goes_on(tmp_path: Path) -> None:
    chain = Network()
    role = coordinator_of(tmp_path, chain)
    role.step()
    chain.is_active = False

    suspended = role.step()

    assert (suspended.busy, run_of(role).state) == ("", "bargaining")
    assert "suspended" in run_of(role).note
    chain.is_active = True
    assert role.step().busy.endswith("bargaining")
    assert run_of(role).note == ""


@pytest.mark.usefixtures("inbox")
def test_a_key_that_changed_before_the_job_was_opened_opens_none(tmp_path: Path) -> None:
    chain = Network(has_e18=0)
    coordinator_of(tmp_path, chain).step()
    chain.has_e18 = 1_000 * CREDIT
    role = coordinator_of(tmp_path, chain, address=HUNGARY)

    role.step()

    assert chain.opened_by == []
    assert (run_of(role).state, run_of(role).note) == (
        "ended",
        "our key changed before it was opened; start it under another name",
    )
