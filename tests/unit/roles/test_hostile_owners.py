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
from governance.adapters.evm import KeySigner
from governance.domain import evidence
from tests.unit.roles.role_cases import (
    CLEVELAND,
    COMPUTE,
    COORDINATOR,
    HUNGARY,
    JOB,
    JOB_HEX,
    KEYS,
    OWNERS,
    ROUNDS,
    ROWS,
    ZURICH,
    Chain,
    desk_of,
    sent,
    serving,
    signed,
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


def statistics_of(owner: str, values: list[int], *, key: KeySigner | None = None) -> Update:
    digest = evidence.digest(evidence.update_document(JOB, 0, owner, values))
    leaf = signed(evidence.Leaf(agent=owner, digest=digest), 0, key=key)
    return Update(
        msg_id="update",
        job=JOB_HEX,
        candidate=0,
        round_index=0,
        kind="statistics",
        update_nanos=pack_nanos(values),
        signature="0x" + leaf.signature.hex(),
    )


def test_an_owner_that_sends_huge_sums_is_left_out_and_the_others_are_added_up(tmp_path: Path) -> None:
    chain = Chain()
    desk = desk_of(tmp_path, COMPUTE, chain)
    role = Compute(desk)
    desk.mailbox.receive(COORDINATOR, opening())
    for owner, values in {CLEVELAND: [LARGEST] * LENGTH, HUNGARY: [LARGEST] * LENGTH, ZURICH: [5] * LENGTH}.items():
        desk.mailbox.receive(owner, statistics_of(owner, values))
    chain.time_s = 2_001

    role.step()

    (message,) = sent(desk)
    assert isinstance(message, Aggregate)
    assert [leaf.owner for leaf in message.leaves] == [ZURICH]
    assert message.sum_nanos == pack_nanos([5] * LENGTH)


@pytest.mark.parametrize("key", [COORDINATOR, HUNGARY, COMPUTE])
def test_an_update_that_its_owner_did_not_sign_is_refused(tmp_path: Path, key: str) -> None:
    desk = desk_of(tmp_path, COMPUTE, Chain())
    role = Compute(desk)
    desk.mailbox.receive(COORDINATOR, opening(owners=[CLEVELAND]))

    verdict = desk.mailbox.receive(CLEVELAND, statistics_of(CLEVELAND, [7] * LENGTH, key=KEYS[key]))
    role.step()

    assert verdict is Verdict.REFUSED
    assert sent(desk) == []


def test_a_providers_round_holds_the_signatures_of_all_who_worked_in_it(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, COMPUTE, Chain())
    role = Compute(desk)
    desk.mailbox.receive(COORDINATOR, opening(owners=[CLEVELAND]))
    desk.mailbox.receive(CLEVELAND, statistics_of(CLEVELAND, [7] * LENGTH))
    role.step()

    ((_, document),) = known(desk)

    leaves = evidence.RoundEvidence.read(document).leaves
    assert leaves == tuple(signed(leaf, 0) for leaf in leaves)


def test_a_round_is_not_opened_again_over_other_owners(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, COMPUTE, Chain())
    role = Compute(desk)
    desk.mailbox.receive(COORDINATOR, opening(owners=[CLEVELAND]))
    desk.mailbox.receive(CLEVELAND, statistics_of(CLEVELAND, [7] * LENGTH))
    role.step()
    before = known(desk)

    verdict = desk.mailbox.receive(COORDINATOR, opening(owners=[HUNGARY], msg_id="again"))

    assert verdict is Verdict.REFUSED
    desk.mailbox.receive(HUNGARY, statistics_of(HUNGARY, [8] * LENGTH))
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
    message = statistics_of(CLEVELAND, [0]).copy(
        update={"kind": "update", "candidate": candidate, "round_index": index}
    )

    assert desk.mailbox.receive(CLEVELAND, message) is Verdict.REFUSED


def test_statistics_are_bounded_by_rows_and_noise() -> None:
    most = ROWS * 10**9

    check_statistics([most, -most, *[0] * (LENGTH - 2)], task(), owner="zurich")
    with pytest.raises(TaskError, match="are possible"):
        check_statistics([50 * most, *[0] * (LENGTH - 1)], task(), owner="zurich")


def posted_by(named: list[tuple[str, bytes]], values: list[int], *, forged: str = "") -> Aggregate:
    """Return a provider's sum over these owners and digests; whoever is forged was signed for by the coordinator."""
    keys = {forged: KEYS[COORDINATOR]}
    leaves = [signed(evidence.Leaf(agent=agent, digest=d), 0, key=keys.get(agent)) for agent, d in named]
    document = evidence.aggregate_document(JOB, 0, COMPUTE, sum_nanos=values, owners=leaves)
    own = signed(evidence.Leaf(agent=COMPUTE, digest=evidence.digest(document)), 0, key=keys.get(COMPUTE))
    return Aggregate(
        msg_id="aggregate",
        job=JOB_HEX,
        candidate=0,
        round_index=0,
        kind="statistics",
        sum_nanos=pack_nanos(values),
        leaves=[
            Leaf(owner=leaf.agent, update_digest=leaf.digest.hex(), signature="0x" + leaf.signature.hex())
            for leaf in leaves
        ],
        signature="0x" + own.signature.hex(),
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
    message = posted_by([(owner, bytes(32)) for owner in named], [])

    assert desk.mailbox.receive(COMPUTE, message) is Verdict.REFUSED


@pytest.mark.parametrize("forged", [CLEVELAND, COMPUTE])
def test_a_coordinator_posts_nothing_that_its_agents_could_deny(tmp_path: Path, forged: str) -> None:
    document = evidence.update_document(JOB, 0, CLEVELAND, [3] * LENGTH)
    digest = evidence.digest(document)
    desk, rounds = asked(tmp_path, {digest: document})

    verdict = desk.mailbox.receive(COMPUTE, posted_by([(CLEVELAND, digest)], [3] * LENGTH, forged=forged))
    rounds.drive(JobRun(name="job", job=JOB.hex(), file="", terms=""), job_file(), 0)

    assert verdict is Verdict.REFUSED
    assert sent(desk) == [], "nothing is acknowledged"
    assert desk.market.round_count(JOB) == 0


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
    desk.mailbox.receive(COMPUTE, posted_by([(CLEVELAND, digest)], claimed))
    run = JobRun(name="job", job=JOB.hex(), file="", terms="")

    with pytest.raises(WrongSum):
        rounds.drive(run, job_file(), 0)

    assert desk.market.round_count(JOB) == 0


def test_a_true_sum_is_posted(tmp_path: Path) -> None:
    document = evidence.update_document(JOB, 0, CLEVELAND, [3] * LENGTH)
    digest = evidence.digest(document)
    desk, rounds = asked(tmp_path, {digest: document})
    desk.mailbox.receive(COMPUTE, posted_by([(CLEVELAND, digest)], [3] * LENGTH))

    rounds.drive(JobRun(name="job", job=JOB.hex(), file="", terms=""), job_file(), 0)

    assert desk.market.round_count(JOB) == 1


def test_a_round_posted_before_a_crash_is_kept_and_receipted_before_anything_else(tmp_path: Path) -> None:
    document = evidence.update_document(JOB, 0, CLEVELAND, [3] * LENGTH)
    digest = evidence.digest(document)
    desk, rounds = asked(tmp_path, {digest: document})
    desk.mailbox.receive(COMPUTE, posted_by([(CLEVELAND, digest)], [3] * LENGTH))
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
    desk.mailbox.receive(COMPUTE, posted_by([(CLEVELAND, bytes(32))], [3] * LENGTH))

    plans = rounds.drive(JobRun(name="job", job=JOB.hex(), file="", terms=""), job_file(), 1)

    assert plans.busy == "job: waiting for the evidence of round 0"
    assert [type(message) for message in sent(desk)] == [SignedReceipt]


def job_file() -> JobFile:
    planned = task()
    return cast("JobFile", SimpleNamespace(task=lambda _owners: planned, rounds_per_candidate=ROUNDS))
