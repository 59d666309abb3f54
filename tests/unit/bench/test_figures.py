"""What the README shows is what was measured, and the bench's own rules are the network's."""

from dataclasses import replace
from pathlib import Path

import pytest

from agents.training.metrics import METRICS, Evaluation, Fact
from bench import run
from bench.demonstration import Stopwatch
from bench.figures import Comparison, Figures, FiguresError, Job, Machine, Measured, Step, Voting, load, save
from bench.models import failed_rules, measured_rules, story
from bench.publishing import COMMITTED, PAGE, README, section_of, with_section
from bench.tables import details, rate, summary
from folkmoot.demo.milestones import Milestones


def measured(name: str, gap_micros: int, *failed: str) -> Measured:
    return Measured(
        name=name,
        facts_micros={"auc": 860_000, "balanced_accuracy": 780_000, "tpr_gap_abs": gap_micros},
        intervals_micros={"tpr_gap_abs": (0, 370_000)},
        failed=list(failed),
    )


def evaluation(*facts: Fact) -> Evaluation:
    return Evaluation(artifact_sha256="", schema_digest="", rows=276, facts=facts, missing={}, groups=())


def job(seed: int, *candidates: Measured) -> Job:
    return Job(split_seed=seed, noise_seed=seed, positives={"Female": 16, "Male": 138}, candidates=list(candidates))


@pytest.fixture
def figures() -> Figures:
    told = job(0, measured("plain", 160_000, "max-tpr-gap"), measured("without-sex", 40_000))
    untold = job(1, measured("plain", 50_000), measured("without-sex", 120_000, "max-tpr-gap"))
    helped = {"local only": 600_000, "federated, epsilon 8": 700_000}
    harmed = {"local only": 900_000, "federated, epsilon 8": 880_000}
    rest = {"federated, no noise": 710_000, "centralised": 720_000}
    return Figures(
        inputs="00",
        commit="abc",
        machine=Machine(cores=2, python="3.11.7", system="Linux", load_milli=500),
        seeds=2,
        jobs=[told, untold],
        noise_only=[told],
        exact=[untold],
        heart=[Comparison(seed=0, auc_micros={"a": {**helped, **rest}, "b": {**harmed, **rest}})],
        lending=[Comparison(seed=0, auc_micros={"al": {**helped, **rest}})],
        voting=Voting(steps=[Step(name="propose", bare_gas=200, our_gas=500)], refusal_gas=7, members=13, rules=12),
    )


def test_the_readme_shows_exactly_what_was_measured() -> None:
    assert section_of(README) == summary(load(COMMITTED))


def test_the_page_of_details_shows_exactly_what_was_measured() -> None:
    assert PAGE.read_text(encoding="utf-8") == details(load(COMMITTED))


def test_the_committed_figures_are_complete_and_from_twenty_seeds() -> None:
    committed = load(COMMITTED)

    assert run.is_complete(committed)
    assert committed.seeds == 20


def test_the_demonstration_decides_as_the_bench_does_for_its_seed() -> None:
    committed = load(COMMITTED)
    assert committed.demonstration is not None
    shown = committed.demonstration.job

    assert shown == committed.jobs[0].candidates[: len(shown)]
    assert [candidate.failed for candidate in shown] == [["max-tpr-gap"], []]


def test_the_tables_say_what_is_refused_and_whom_federation_does_not_help(figures: Figures) -> None:
    shown = summary(figures)

    assert "| plain | 1/2 (0.09 to 0.91) | max-tpr-gap 1 |" in shown
    assert "a later one passes): **1/2 (0.09 to 0.91)**" in shown
    assert "does **not** help b; nor 0 of 1 states" in shown
    assert "| propose | 200 | 500 | 2.50 |" in shown


def test_parts_that_were_not_measured_are_left_out(figures: Figures) -> None:
    nothing = run.without(figures, run.PARTS)

    assert "|" not in summary(nothing)
    assert "|" not in details(nothing)


def test_a_section_replaces_only_what_is_between_its_markers() -> None:
    once = with_section("before\n\n<!-- figures -->\n\nafter\n", "one\n")

    assert once == "before\n\n<!-- figures -->\n\none\n\n<!-- /figures -->\n\nafter\n"
    assert with_section(once, "two\n") == once.replace("one", "two")


def test_a_text_without_a_marker_is_refused() -> None:
    with pytest.raises(FiguresError, match="no <!-- figures -->"):
        with_section("nothing here", "one")


def test_wilson_s_interval_is_that_of_the_textbook() -> None:
    # Newcombe 1998, table I: 15 of 148.
    assert rate(15, 148) == "15/148 (0.06 to 0.16)"
    assert rate(0, 20) == "0/20 (0.00 to 0.16)"


def test_the_story_is_a_refusal_for_the_gap_alone_and_a_later_release() -> None:
    good, wide = measured("later", 40_000), measured("plain", 200_000, "max-tpr-gap")

    assert story(job(0, wide, good))
    assert not story(job(0, good, good))
    assert not story(job(0, wide, wide))
    assert not story(job(0, measured("plain", 200_000, "max-tpr-gap", "min-auc"), good))


def test_the_bench_judges_by_the_shipped_policy() -> None:
    limits = {rule.id: rule.bound for rule in measured_rules()}

    assert limits == {"min-auc": 700_000, "min-balanced-accuracy": 700_000, "max-tpr-gap": 100_000}


@pytest.mark.parametrize(
    ("values", "failed"),
    [
        ((700_000, 700_000, 100_000), []),
        ((690_000, 700_000, 100_000), ["min-auc"]),
        ((700_000, 690_000, 110_000), ["max-tpr-gap", "min-balanced-accuracy"]),
    ],
)
def test_each_limit_binds_where_the_policy_puts_it(values: tuple[int, ...], failed: list[str]) -> None:
    facts = tuple(Fact(name, value, value - 1, value + 1) for name, value in zip(METRICS, values, strict=True))

    assert failed_rules(evaluation(*facts)) == failed


def test_a_missing_fact_fails_its_rule() -> None:
    facts = (Fact("auc", 900_000, 0, 0), Fact("balanced_accuracy", 900_000, 0, 0))

    assert failed_rules(evaluation(*facts)) == ["max-tpr-gap"]


def test_an_interrupted_run_goes_on_and_a_changed_one_starts_over(tmp_path: Path, figures: Figures) -> None:
    path = tmp_path / "bench.json"
    save(path, replace(figures, inputs=run.digest()))

    assert run.begin(path, 2, again=()).jobs == figures.jobs
    assert run.begin(path, 3, again=()).jobs == []
    save(path, figures)
    assert run.begin(path, 2, again=()).jobs == []


def test_one_part_is_measured_again_without_losing_the_others(tmp_path: Path, figures: Figures) -> None:
    path = tmp_path / "bench.json"
    save(path, replace(figures, inputs=run.digest()))

    found = run.begin(path, 2, again=("heart",))

    assert found.heart == []
    assert found.jobs == figures.jobs


def test_a_damaged_file_of_figures_is_named_and_a_run_starts_over(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    path.write_text('{"seeds": 20}')

    with pytest.raises(FiguresError, match="not a file of figures"):
        load(path)
    assert run.begin(path, 2, again=()).jobs == []


def test_the_stopwatch_understands_what_the_demonstration_says(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter((10.0, 11.5, 12.0, 20.0))
    monkeypatch.setattr("bench.demonstration.time.monotonic", lambda: next(times))
    heard: list[str] = []
    watch = Stopwatch(heard.append)

    for index in range(1, 5):
        watch.tell(Milestones.round(None, {"round": index, "leaves": 5}))  # type: ignore[arg-type]

    # Between the candidates lie a jury and a vote; that is no round.
    assert watch.round_millis({1: "plain", 2: "plain", 3: "plain", 4: "without-sex"}) == [1500, 500]
    assert len(heard) == 4
