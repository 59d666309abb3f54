"""What makes an update one that its task could not have produced, judged from bytes alone."""

from __future__ import annotations

import pytest

from agents.roles.invalid_updates import (
    MAX_DOCUMENT_BYTES,
    Unsound,
    Work,
    check_aggregate,
    check_owner,
    judge,
    read_complaint,
)
from agents.roles.plan import plan_digest, plan_document, task_of_plan
from agents.training.canonical import canonical_json
from agents.training.errors import TaskError
from agents.training.federated import update_length, update_sigma_nanos
from agents.training.preprocessing import statistics_length
from governance.domain import evidence
from governance.domain.accusation import Accusation
from governance.domain.evidence import Leaf, RoundEvidence
from governance.domain.market import AggregationPrivacy, IntegrationMode, Kind
from governance.domain.receipt import ledger_domain
from governance.domain.record import sha256
from governance.errors import InvalidRecord
from tests.unit.roles.role_cases import CLEVELAND, COMPUTE, HUNGARY, JOB, LEDGER, ROUNDS, ROWS, ZURICH, task

TASK = task_of_plan(plan_document(task()), {CLEVELAND: ROWS, HUNGARY: ROWS})
LENGTH = update_length(TASK, 0)
LIMIT = ROWS * 10**9 + 10 * update_sigma_nanos(TASK, 0)
"""Rows times the clip bound, and ten sigma of noise, in nanos."""
LEAF = Leaf(agent=CLEVELAND, digest=bytes(32))


def work(number: int = 1) -> Work:
    return Work(job=JOB, round_number=number, rounds_per_candidate=ROUNDS, task=TASK)


def update(
    *values: int, job: bytes = JOB, number: int = 1, agent: str = CLEVELAND, first: int = 0, length: int = LENGTH
) -> bytes:
    numbers = values or (first, *[0] * (length - 1))
    return evidence.update_document(job, number, agent, numbers)


def test_a_plan_with_its_owners_is_the_task_again() -> None:
    rows = {entry.owner: entry.rows for entry in task().owners}

    assert task_of_plan(plan_document(task()), rows) == task()


@pytest.mark.parametrize("first", [0, LIMIT, -LIMIT])
def test_an_update_within_its_bound_is_sound(first: int) -> None:
    assert check_owner(update(first=first), LEAF, work())[0] == first


@pytest.mark.parametrize("first", [LIMIT + 1, -LIMIT - 1, 10**25, 10**4_000])
def test_an_update_beyond_its_clip_bound_is_unsound(first: int) -> None:
    with pytest.raises(Unsound, match=r"are possible|beyond any sound size"):
        check_owner(update(first=first), LEAF, work())


@pytest.mark.parametrize("length", [1, LENGTH - 1, LENGTH + 1])
def test_an_update_of_another_shape_is_unsound(length: int) -> None:
    with pytest.raises(Unsound, match="do not fit"):
        check_owner(update(length=length), LEAF, work())


@pytest.mark.parametrize(
    "value", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"0.5", b"null", b'"1"', b"true", b"[1]", b"9" * 5_000]
)
def test_an_update_that_is_not_whole_numbers_is_unsound(value: bytes) -> None:
    document = update().replace(b'"update_nanos":[0,', b'"update_nanos":[' + value + b",")
    assert value in document

    with pytest.raises(Unsound, match="this is no update"):
        check_owner(document, LEAF, work())


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b"[" * 10**6,
        b'{"type":"update"}',
        update() + b" ",
        bytes(MAX_DOCUMENT_BYTES + 1),
    ],
    ids=["nothing", "no text", "list", "object", "deep", "no numbers", "not canonical", "long"],
)
def test_bytes_that_are_no_update_are_unsound_in_few_words(document: bytes) -> None:
    with pytest.raises(Unsound) as said:
        check_owner(document, LEAF, work())

    assert len(str(said.value)) < 200


@pytest.mark.parametrize(
    "document", [update(job=b"\x02" * 32), update(number=2), update(agent=HUNGARY)], ids=["job", "round", "agent"]
)
def test_an_update_for_other_work_than_its_leaf_is_unsound(document: bytes) -> None:
    with pytest.raises(Unsound, match="another job, round or agent"):
        check_owner(document, LEAF, work())


@pytest.mark.parametrize(("first", "sound"), [(ROWS * 10**9, True), (ROWS * 10**12, False)])
def test_statistics_are_judged_by_their_own_bound(first: int, *, sound: bool) -> None:
    document = update(first=first, length=statistics_length(TASK), number=0)

    if sound:
        assert check_owner(document, LEAF, work(0))
    else:
        with pytest.raises(Unsound, match="are possible"):
            check_owner(document, LEAF, work(0))


def test_a_round_that_the_plan_does_not_have_is_judged_by_nobody() -> None:
    with pytest.raises(TaskError, match="no round"):
        work(1 + ROUNDS)


class Sums:
    """A round of two owners and their provider, each document by its digest."""

    def __init__(self, *, first: int = 7, off_by: int = 0, second: str = HUNGARY) -> None:
        self.documents: dict[bytes, bytes] = {}
        values = {CLEVELAND: first, second: 5}
        self.owners = [
            Leaf(agent=agent, digest=self._put(update(agent=agent, first=value))) for agent, value in values.items()
        ]
        total = (sum(values.values()) + off_by, *[0] * (LENGTH - 1))
        self.document = evidence.aggregate_document(JOB, 1, COMPUTE, sum_nanos=total, owners=self.owners)
        self.leaf = Leaf(agent=COMPUTE, digest=self._put(self.document))

    def _put(self, document: bytes) -> bytes:
        self.documents[sha256(document)] = document
        return sha256(document)

    def check(self) -> None:
        check_aggregate(self.document, self.leaf, work(), owners=self.owners, fetch=self.documents.__getitem__)


def test_a_sum_of_sound_updates_is_sound() -> None:
    Sums().check()


@pytest.mark.parametrize(
    ("sums", "why"),
    [
        (Sums(off_by=1), "not the sum"),
        (Sums(first=LIMIT + 1), "had to be left out"),
        (Sums(second=ZURICH), "sold no data"),
    ],
    ids=["sum", "bound", "stranger"],
)
def test_a_sum_that_is_wrong_or_counts_what_it_must_not_is_unsound(sums: Sums, why: str) -> None:
    with pytest.raises(Unsound, match=why):
        sums.check()


def test_a_sum_that_names_other_owners_than_its_round_is_unsound() -> None:
    sums = Sums()
    sums.owners.reverse()

    with pytest.raises(Unsound, match="other owners"):
        sums.check()


def complaint(*leaves: Leaf, number: int = 1, job: bytes = JOB) -> bytes:
    return RoundEvidence(job=job, round_number=number, leaves=leaves).document()


OWN = Leaf(agent=CLEVELAND, digest=b"\x01" * 32)
SUM = Leaf(agent=COMPUTE, digest=b"\x02" * 32)


def accusation(document: bytes = b"", **changes: object) -> Accusation:
    """Return a complaint about Cleveland's data in a job whose rounds are posted as the document says."""
    root = RoundEvidence.read(document).root() if document else bytes(32)
    fields: dict[str, object] = {
        "job": JOB,
        "seller": CLEVELAND,
        "kind": Kind.DATA,
        "units": 1 + ROUNDS,
        "mode": IntegrationMode.COUPLED,
        "privacy": AggregationPrivacy.CLEAR,
        "rounds_per_candidate": ROUNDS,
        "plan": plan_digest(task()),
        "roots": [root] * (1 + ROUNDS),
        "rows": {CLEVELAND: ROWS, HUNGARY: ROWS},
        "ledger": ledger_domain(7, LEDGER),
        "evidence": sha256(document),
    }
    return Accusation(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(("seller", "kind", "leaf"), [(CLEVELAND, Kind.DATA, OWN), (COMPUTE, Kind.COMPUTE, SUM)])
def test_a_complaint_leads_to_the_leaf_of_the_accused(seller: str, kind: Kind, leaf: Leaf) -> None:
    document = complaint(OWN, SUM)

    found, accused = read_complaint(document, accusation(document, seller=seller, kind=kind))

    assert (found.round_number, accused) == (1, leaf)


@pytest.mark.parametrize(
    ("seller", "kind", "units"),
    [(HUNGARY, Kind.DATA, 3), (COMPUTE, Kind.DATA, 3), (CLEVELAND, Kind.COMPUTE, 3), (CLEVELAND, Kind.DATA, 1)],
    ids=["no leaf", "other trade", "not the provider", "after its rounds"],
)
def test_a_complaint_without_work_of_the_accused_shows_nothing(seller: str, kind: Kind, units: int) -> None:
    document = complaint(OWN, SUM)

    with pytest.raises(InvalidRecord, match="holds no work"):
        read_complaint(document, accusation(document, seller=seller, kind=kind, units=units))


@pytest.mark.parametrize(
    ("document", "roots"),
    [
        (complaint(OWN, SUM, job=b"\x02" * 32), None),
        (complaint(OWN, SUM), [bytes(32)] * 3),
        (complaint(OWN, SUM), []),
    ],
    ids=["other job", "other root", "not posted"],
)
def test_a_round_that_was_not_posted_in_this_job_shows_nothing(document: bytes, roots: list[bytes] | None) -> None:
    said = accusation(document) if roots is None else accusation(document, roots=roots)

    with pytest.raises(InvalidRecord, match="not what was posted"):
        read_complaint(document, said)


HOSTILE = {"type": "round", "job": "0x" + JOB.hex(), "round": 1, "root": "0x" + bytes(32).hex()}


@pytest.mark.parametrize(
    "document",
    [
        b"\xff",
        b"[" * 10**6,
        bytes(MAX_DOCUMENT_BYTES + 1),
        canonical_json({**HOSTILE, "leaves": []}),
        canonical_json({**HOSTILE, "leaves": [{"agent": "nobody", "digest": "0x" + bytes(32).hex()}]}),
        canonical_json({**HOSTILE, "leaves": [{"agent": CLEVELAND, "digest": "0x" + bytes(32).hex()}]}),
        canonical_json({**HOSTILE, "round": 2**40, "leaves": [{"agent": CLEVELAND, "digest": "0x" + "00" * 32}]}),
    ],
    ids=["no text", "deep", "long", "no leaves", "no address", "another root", "no round"],
)
def test_hostile_evidence_is_the_complainants_loss_in_few_words(document: bytes) -> None:
    found = judge(accusation(), lambda _digest: document)

    assert not found.upheld
    assert "shows nothing" in found.because
    assert len(found.because) <= 200
