from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agents.roles.jobs import JobFile, JobFileError
from agents.roles.plan import plan_digest, plan_document, schema_of_plan
from agents.roles.rounds import name_round
from agents.training.task import OwnerRows
from folkmoot.settings import CHECKOUT
from governance.policy import load_policies

EXAMPLE = CHECKOUT / "examples" / "heart" / "job.yaml"


@pytest.mark.parametrize("number", range(31))
def test_a_round_has_the_same_number_by_every_name(number: int) -> None:
    assert name_round(number, 10).number(10) == number


def test_the_statistics_come_before_the_first_candidate() -> None:
    assert name_round(0, 10).kind == "statistics"
    assert (name_round(1, 10).candidate, name_round(1, 10).index) == (0, 0)
    assert (name_round(11, 10).candidate, name_round(11, 10).index) == (1, 0)


def test_a_plan_does_not_depend_on_who_takes_part() -> None:
    job = JobFile.read(EXAMPLE, load_policies())

    one = job.task((OwnerRows("a", 10),))
    other = job.task((OwnerRows("b", 20), OwnerRows("c", 30)))

    assert plan_digest(one) == plan_digest(other)
    assert schema_of_plan(plan_document(one)) == job.schema


def test_a_plan_changes_with_what_is_trained() -> None:
    job = JobFile.read(EXAMPLE, load_policies())

    assert plan_digest(job.task()) != plan_digest(replace(job, epsilon_micros=4_000_000).task())
    assert plan_digest(job.task()) != plan_digest(replace(job, candidates=job.candidates[:1]).task())


@pytest.mark.parametrize(
    ("line", "new", "said"),
    [
        ("epsilon: 8", "epsilon: lots", "epsilon"),
        ("epsilon: 8", "epsilon: -1", "epsilon"),
        ("delta: 0.00001", "delta: 0.00000000000000001", "delta"),
        ("purposes: [medical_diagnosis_support]", "purposes: [gossip]", "purposes"),
        ("purposes: [medical_diagnosis_support]", "purposes: []", "purposes"),
        ("licence: apache-2.0", "licence: mine", "licence"),
        ("candidates: [plain, without-sex, reweighed]", "candidates: [lucky]", "candidates"),
        ("deadline_days: 120", "deadline_days: 0", "deadline_days"),
        ("deadline_days: 120", "deadline_days: 1\nsurprise: 2", "surprise"),
        ("job: heart-disease-1", "", "job"),
        ("job: heart-disease-1", "job: ../../agent", "job"),
        ("job: heart-disease-1", "job: .hidden", "job"),
        ("job: heart-disease-1", "job: 2026-13-45", "cannot be read"),
        ("job: heart-disease-1", "job: " + "[" * 5000, "cannot be read"),
    ],
)
def test_a_wrong_job_file_is_refused_by_field(tmp_path: Path, line: str, new: str, said: str) -> None:
    schema = CHECKOUT / "data" / "heart.schema.yaml"
    text = EXAMPLE.read_text().replace("../../data/heart.schema.yaml", str(schema))
    assert line in text
    path = tmp_path / "job.yaml"
    path.write_text(text.replace(line, new))

    with pytest.raises(JobFileError, match=said):
        JobFile.read(path, load_policies())


AMOUNTS = ("bonus", "use_price", "candidate_bond")


def with_amount(folder: Path, name: str, value: str) -> JobFile:
    lines = [line for line in EXAMPLE.read_text().splitlines() if line.split(":")[0] not in AMOUNTS]
    schema = (EXAMPLE.parent / "../../data/heart.schema.yaml").resolve()
    text = "\n".join([*lines, f"{name}: {value}"] if name else lines).replace(
        "../../data/heart.schema.yaml", str(schema)
    )
    (folder / "job.yaml").write_text(text)
    return JobFile.read(folder / "job.yaml", load_policies())


@pytest.mark.parametrize("name", AMOUNTS)
@pytest.mark.parametrize("value", ["-1", "2e9", "much", "[1]", "true", ".inf", ".nan", '"1.0000000000000000001"', ""])
def test_an_amount_that_is_no_amount_is_refused_by_its_name(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(JobFileError, match=f"{name} must be credits from 0"):
        with_amount(tmp_path, name, value)


@pytest.mark.parametrize("name", AMOUNTS)
@pytest.mark.parametrize(("value", "e18"), [("0", 0), ("40", 40 * 10**18), ("0.25", 25 * 10**16), ('"1e-18"', 1)])
def test_amounts_are_credits(tmp_path: Path, name: str, value: str, e18: int) -> None:
    assert getattr(with_amount(tmp_path, name, value), f"{name}_e18") == e18


def test_a_job_file_without_amounts_promises_nothing_and_takes_the_contracts_bond(tmp_path: Path) -> None:
    job = with_amount(tmp_path, "", "")

    assert (job.bonus_e18, job.use_price_e18, job.candidate_bond_e18) == (0, 0, None)
