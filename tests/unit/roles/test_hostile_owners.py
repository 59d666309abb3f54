"""What a compute provider bears from owners and coordinators, and a coordinator from its compute provider."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from sqlmodel import select

from agents.net.mailbox import Verdict
from agents.protocols.messages import (
    Aggregate,
    AggregateTask,
    Leaf,
    Receipt,
    SignedReceipt,
    Update,
    pack_nanos,
)
from agents.roles.compute import Compute
from agents.roles.desk import Desk
from agents.roles.evidence import KnownRound
from agents.roles.job_runs import JobRun, RoundRun
from agents.roles.jobs import JobFile
from agents.roles.training_rounds import TrainingRounds, WrongSum
from agents.training.canonical import canonical_json
from agents.training.errors import TaskError
from agents.training.preprocessing import check_statistics, statistics_length
from governance.domain import evidence
from tests.unit.roles.role_cases import (
    CLEVELAND,
    COMPUTE,
    COORDINATOR,
    HUNGARY,
    JOB,
    JOB_HEX,
    OWNERS,
    ROUNDS,
    ROWS,
    ZURICH,
    Chain,
    desk_of,
    sent,
    serving,
    task,
    task_json,
)

LENGTH = statistics_length(task())
LARGEST = 2**63 - 1


def opening(*, owners: list[str] | None = None, msg_id: str = "sum", text: str = "") -> AggregateTask:
    return AggregateTask(
        msg_id=msg_id,
        job=JOB_HEX,
        candidate=0,
        round_index=0,
        kind="statistics",
        owners=owners or list(OWNERS),
        task_json=text or task_json(),
        deadline_s=2_000,
    )


def statistics_of(values: list[int], *, msg_id: str = "update") -> Update:
    packed = pack_nanos(values)
    return Update(msg_id=msg_id, job=JOB_HEX, candidate=0, round_index=0, kind="statistics", update_nanos=packed)


def test_an_owner_that_sends_huge_sums_is_left_out_and_the_others_are_added_up(tmp_path: Path) -> None:
    chain = Chain()
    desk = desk_of(tmp_path, COMPUTE, chain)
    role = Compute(desk)
    desk.mailbox.receive(COORDINATOR, opening())
    for owner, values in {CLEVELAND: [LARGEST] * LENGTH, HUNGARY: [LARGEST] * LENGTH, ZURICH: [5] * LENGTH}.items():
        desk.mailbox.receive(owner, statistics_of(values))
    chain.time_s = 2_001

    role.step()

    (message,) = sent(desk)
    assert isinstance(message, Aggregate)
    assert [leaf.owner for leaf in message.leaves] == [ZURICH]
    assert message.sum_nanos == pack_nanos([5] * LENGTH)


def test_a_round_is_not_opened_again_over_other_owners(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, COMPUTE, Chain())
    role = Compute(desk)
    desk.mailbox.receive(COORDINATOR, opening(owners=[CLEVELAND]))
    desk.mailbox.receive(CLEVELAND, statistics_of([7] * LENGTH))
    role.step()
    before = known(desk)

    verdict = desk.mailbox.receive(COORDINATOR, opening(owners=[HUNGARY], msg_id="again"))

    assert verdict is Verdict.REFUSED
    desk.mailbox.receive(HUNGARY, statistics_of([8] * LENGTH))
    role.step()
    assert known(desk) == before


def known(desk: Desk) -> list[tuple[int, bytes]]:
    with desk.mailbox.reading() as session:
        return [(row.round_number, desk.store.read(row.document)) for row in session.exec(select(KnownRound))]


@pytest.mark.parametrize("text", ["{}", "[" * 9000, '{"version":1}'])
def test_a_task_that_cannot_be_read_is_refused_once(tmp_path: Path, text: str) -> None:
    desk = desk_of(tmp_path, COMPUTE, Chain())
    Compute(desk)

    assert desk.mailbox.receive(COORDINATOR, opening(text=text)) is Verdict.REFUSED


@pytest.mark.parametrize(("candidate", "index"), [(0, ROUNDS), (1, 0), (2**32 - 1, 2**32 - 1)])
def test_an_update_for_a_round_that_the_job_has_not_is_refused(tmp_path: Path, candidate: int, index: int) -> None:
    desk = desk_of(tmp_path, COMPUTE, Chain())
    Compute(desk)
    message = Update(
        msg_id="x", job=JOB_HEX, candidate=candidate, round_index=index, kind="update", update_nanos="0" * 16
    )

    assert desk.mailbox.receive(CLEVELAND, message) is Verdict.REFUSED


def test_statistics_are_bounded_by_rows_and_noise() -> None:
    most = ROWS * 10**9

    check_statistics([most, -most, *[0] * (LENGTH - 2)], task(), owner="zurich")
    with pytest.raises(TaskError, match="are possible"):
        check_statistics([50 * most, *[0] * (LENGTH - 1)], task(), owner="zurich")


def posted_by(leaves: list[Leaf], values: list[int]) -> Aggregate:
    return Aggregate(
        msg_id="aggregate",
        job=JOB_HEX,
        candidate=0,
        round_index=0,
        kind="statistics",
        sum_nanos=pack_nanos(values),
        leaves=leaves,
    )


def asked(tmp_path: Path, documents: dict[bytes, bytes]) -> tuple[Desk, TrainingRounds]:
    desk = desk_of(tmp_path, COORDINATOR, Chain(), fetch=serving(documents))
    rounds = TrainingRounds(desk)
    row = RoundRun(job=JOB.hex(), number=0, owners=f'["{CLEVELAND}", "{HUNGARY}"]', compute=COMPUTE)
    with desk.mailbox.transaction() as session:
        session.add(row)
    return desk, rounds


@pytest.mark.parametrize("named", [[], [CLEVELAND, CLEVELAND], [ZURICH]])
def test_a_sum_over_nobody_or_over_somebody_twice_is_refused(tmp_path: Path, named: list[str]) -> None:
    desk, _ = asked(tmp_path, {})
    leaves = [Leaf(owner=owner, update_digest="0" * 64) for owner in named]

    assert desk.mailbox.receive(COMPUTE, posted_by(leaves, [])) is Verdict.REFUSED


@pytest.mark.parametrize(
    "lie",
    ["sum", "length", "another owner", "too large", "no update"],
)
def test_a_sum_that_its_evidence_contradicts_is_never_posted(tmp_path: Path, lie: str) -> None:
    values = {"length": [1], "too large": [LARGEST] * LENGTH}.get(lie, [3] * LENGTH)
    document = evidence.update_document(JOB, 0, HUNGARY if lie == "another owner" else CLEVELAND, values)
    if lie == "no update":
        document = canonical_json({"type": "update"})
    digest = evidence.digest(document)
    desk, rounds = asked(tmp_path, {digest: document})
    claimed = [4] * LENGTH if lie == "sum" else values
    desk.mailbox.receive(COMPUTE, posted_by([Leaf(owner=CLEVELAND, update_digest=digest.hex())], claimed))
    run = JobRun(name="job", job=JOB.hex(), file="", terms="")

    with pytest.raises(WrongSum):
        rounds.drive(run, job_file(), 0)

    assert desk.market.round_count(JOB) == 0


def test_a_true_sum_is_posted(tmp_path: Path) -> None:
    document = evidence.update_document(JOB, 0, CLEVELAND, [3] * LENGTH)
    digest = evidence.digest(document)
    desk, rounds = asked(tmp_path, {digest: document})
    leaf = Leaf(owner=CLEVELAND, update_digest=digest.hex())
    desk.mailbox.receive(COMPUTE, posted_by([leaf], [3] * LENGTH))

    rounds.drive(JobRun(name="job", job=JOB.hex(), file="", terms=""), job_file(), 0)

    assert desk.market.round_count(JOB) == 1


def test_a_round_posted_before_a_crash_is_kept_and_receipted_before_anything_else(tmp_path: Path) -> None:
    document = evidence.update_document(JOB, 0, CLEVELAND, [3] * LENGTH)
    digest = evidence.digest(document)
    desk, rounds = asked(tmp_path, {digest: document})
    leaf = Leaf(owner=CLEVELAND, update_digest=digest.hex())
    desk.mailbox.receive(COMPUTE, posted_by([leaf], [3] * LENGTH))
    run = JobRun(name="job", job=JOB.hex(), file="", terms="")
    desk.market.post_round(desk.signer, JOB, 0, root=b"\x01" * 32, leaves=1)
    assert rounds.rows(run) == []

    assert rounds.is_kept(run, task(), 0)

    assert [row.number for row in rounds.rows(run)] == [0]
    assert [type(message) for message in sent(desk)] == [SignedReceipt, Receipt]
    assert desk.market.round_count(JOB) == 1


def test_no_round_is_opened_while_the_one_before_is_not_kept(tmp_path: Path) -> None:
    desk, rounds = asked(tmp_path, {})
    rounds.desk = desk_of(tmp_path, COORDINATOR, Chain(posted=[b"\x01" * 32]))
    desk.mailbox.receive(COMPUTE, posted_by([Leaf(owner=CLEVELAND, update_digest="0" * 64)], [3] * LENGTH))

    plans = rounds.drive(JobRun(name="job", job=JOB.hex(), file="", terms=""), job_file(), 1)

    assert plans.busy == "job: waiting for the evidence of round 0"
    assert [type(message) for message in sent(desk)] == [SignedReceipt]


def job_file() -> JobFile:
    planned = task()
    return cast("JobFile", SimpleNamespace(task=lambda _owners: planned, rounds_per_candidate=ROUNDS))
