"""How often each candidate passes, and what federation gives, one seed at a time.

Seeds are of the split and of the noise; hospitals, rows and candidates stay the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from agents.training.metrics import METRICS, Evaluation
from agents.training.rows import Row
from agents.training.schema import DataSchema, load_schema
from agents.training.task import Candidate, default_candidates
from bench import comparison
from bench.figures import MICROS, Comparison, Job, Measured
from bench.simulation import evaluations, rows_by_site, split_sites
from governance.domain.policy import Rule, Source
from governance.policy import holds, load_policies

DATA = Path(__file__).resolve().parent.parent / "data"
MIN_LOANS = 150
"""States with fewer loans are left out."""
LENDING = Candidate(name="plain", rounds=30, clip_micros=4_000_000)
"""One loan in twenty is bad, so a tight clip would cut most of what the bad ones say; chosen on
resplits with seeds 100 and 101."""
REFUSED_FOR_THE_GAP = ["max-tpr-gap"]


@dataclass(frozen=True, slots=True)
class Sites:
    """A public set, by the owner that each row would belong to."""

    schema: DataSchema
    rows: Mapping[str, Sequence[Row]]


@cache
def heart() -> Sites:
    """Return the heart disease data of four hospitals."""
    return _sites("heart_disease_uci.csv", "heart.schema.yaml", fewest=0)


@cache
def lending() -> Sites:
    """Return the loans by state, without small states."""
    return _sites("lending_club.csv.gz", "lending.schema.yaml", fewest=MIN_LOANS)


def run_job(*, split_seed: int, noise_seed: int | None) -> Job:
    """Train and measure every candidate of the flagship job."""
    sites = heart()
    split = split_sites(sites.rows, sites.schema, split_seed)
    names = [candidate.name for candidate in default_candidates(sites.schema)]
    found = evaluations(split, noise_seed=noise_seed)
    return Job(
        split_seed=split_seed,
        noise_seed=noise_seed,
        positives={group.group: group.positives for group in found[0].groups},
        candidates=[
            Measured(
                name=name,
                facts_micros={fact.name: fact.value_micros for fact in evaluation.facts},
                intervals_micros={fact.name: (fact.low_micros, fact.high_micros) for fact in evaluation.facts},
                failed=failed_rules(evaluation),
            )
            for name, evaluation in zip(names, found, strict=True)
        ],
    )


def compare_heart(seed: int) -> Comparison:
    """Compare the arms on the hospitals."""
    return _compare(heart(), Candidate(name="plain"), seed)


def compare_lending(seed: int) -> Comparison:
    """Compare the arms on the states."""
    return _compare(lending(), LENDING, seed)


def failed_rules(evaluation: Evaluation) -> list[str]:
    """Return the measured rules of the shipped policy that an evaluation fails; a missing fact fails."""
    failed = []
    for rule in measured_rules():
        fact = evaluation.fact(rule.fact)
        if fact is None or not holds(rule, fact.value_micros, Source.MEASURED):
            failed.append(rule.id)
    return failed


@cache
def measured_rules() -> tuple[Rule, ...]:
    """Return the rules of the shipped policy that juries' facts are judged by."""
    return tuple(rule for rule in load_policies().rules if rule.fact in METRICS)


def story(job: Job) -> bool:
    """Say whether the first candidate fails the gap alone and a later one passes."""
    first, *later = job.candidates
    return first.failed == REFUSED_FOR_THE_GAP and any(not candidate.failed for candidate in later)


def _sites(csv: str, schema_file: str, *, fewest: int) -> Sites:
    schema = load_schema(DATA / schema_file)
    rows = rows_by_site(DATA / csv, schema)
    return Sites(schema, {site: found for site, found in rows.items() if len(found) >= fewest})


def _compare(sites: Sites, candidate: Candidate, seed: int) -> Comparison:
    result = comparison.compare(split_sites(sites.rows, sites.schema, seed), candidate, noise_seed=seed)
    owners = sorted({owner for by_owner in result.auc.values() for owner in by_owner})
    return Comparison(
        seed=seed,
        auc_micros={
            owner: {arm: round(by_owner[owner] * MICROS) for arm, by_owner in result.auc.items()} for owner in owners
        },
    )
