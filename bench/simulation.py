"""Running whole jobs in one process, to measure what they give. No agents, no chain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from agents.training.artifact import build_artifact
from agents.training.federated import (
    RoundRequest,
    aggregate,
    exact_update,
    initial_state,
    local_update,
    server_step,
)
from agents.training.metrics import Evaluation, evaluate
from agents.training.noise import SeededNoise
from agents.training.preprocessing import (
    Preprocessing,
    derive_preprocessing,
    exact_statistics,
    local_statistics,
)
from agents.training.rows import Row, read_csv, row_of
from agents.training.scenario import RowSet, slug, split_rows
from agents.training.schema import DataSchema
from agents.training.task import Candidate, OwnerRows, TrainingTask, plan_task

JOB = "heart-disease-1"


@dataclass(frozen=True, slots=True)
class Split:
    """Rows of every owner for one seed of the split."""

    schema: DataSchema
    training: Mapping[str, tuple[Row, ...]]
    evaluation: Mapping[str, tuple[Row, ...]]

    @property
    def owners(self) -> tuple[str, ...]:
        """Owners in alphabetical order."""
        return tuple(sorted(self.training))

    @property
    def pooled(self) -> tuple[Row, ...]:
        """Evaluation rows of all owners together."""
        return tuple(row for owner in self.owners for row in self.evaluation[owner])


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained candidate."""

    weights_nanos: tuple[int, ...]
    preprocessing: Preprocessing
    artifact: bytes


def rows_by_site(csv: Path, schema: DataSchema) -> dict[str, list[Row]]:
    """Read a public CSV and group its rows by site."""
    sites: dict[str, list[Row]] = {}
    for place, record in enumerate(read_csv(csv)):
        row = row_of(record, schema, f"{csv}: line {place + 2}")
        sites.setdefault(slug(record[schema.site]), []).append(row)
    return sites


def split_sites(sites: Mapping[str, Sequence[Row]], schema: DataSchema, seed: int) -> Split:
    """Split every site's rows exactly as ``folkmoot scenario build`` does."""
    drawn = {site: split_rows(rows, schema, seed=seed) for site, rows in sites.items()}
    return Split(
        schema=schema,
        training={site: sets[RowSet.TRAINING] for site, sets in drawn.items()},
        evaluation={site: sets[RowSet.EVALUATION] for site, sets in drawn.items()},
    )


def plan(split: Split, *, candidates: Sequence[Candidate] = (), job: str = JOB) -> TrainingTask:
    """Plan a job over all owners of a split at the default budget."""
    owners = [OwnerRows(owner, len(split.training[owner])) for owner in split.owners]
    return plan_task(job, split.schema, owners, candidates=candidates)


def train(split: Split, task: TrainingTask, *, candidate: int, noise_seed: int | None) -> Trained:
    """Train one candidate; without noise where ``noise_seed`` is ``None``."""
    owners = [entry.owner for entry in task.owners]
    preprocessing = _preprocessing(split, task, owners, noise_seed)
    state = initial_state(task, candidate)
    for index in range(task.candidate(candidate).rounds):
        request = RoundRequest(candidate, index, state.weights_nanos, preprocessing)
        updates = [_update(split.training[owner], request, task, _noise(owner, noise_seed)) for owner in owners]
        state = server_step(state, aggregate(updates), task, candidate=candidate, rows=task.rows_of(owners))
    artifact = build_artifact(
        state.weights_nanos,
        task.schema,
        preprocessing,
        dropped=task.candidate(candidate).dropped,
    )
    return Trained(state.weights_nanos, preprocessing, artifact)


def evaluations(split: Split, *, noise_seed: int | None, job: str = JOB) -> list[Evaluation]:
    """Train and measure every candidate of a job, in order."""
    task = plan(split, job=job)
    return [
        evaluate(
            train(split, task, candidate=index, noise_seed=noise_seed).artifact,
            split.pooled,
            split.schema,
        )
        for index in range(len(task.candidates))
    ]


def only(split: Split, owner: str) -> Split:
    """Return the split as if the other owners were not there, for a local-only model."""
    return replace(split, training={owner: split.training[owner]})


def merged(split: Split) -> Split:
    """Return the split as if one owner held all training rows: the centralised model."""
    everything = tuple(row for owner in split.owners for row in split.training[owner])
    return replace(split, training={"everybody": everything})


def _preprocessing(split: Split, task: TrainingTask, owners: Sequence[str], noise_seed: int | None) -> Preprocessing:
    sums = []
    for owner in owners:
        noise = _noise(owner, noise_seed)
        if noise is None:
            totals, counts = exact_statistics(split.training[owner], task)
            sums.append((*totals, *counts))
        else:
            sums.append(local_statistics(split.training[owner], task, noise))
    return derive_preprocessing(aggregate(sums), task, owners=owners)


def _update(
    rows: Sequence[Row], request: RoundRequest, task: TrainingTask, noise: SeededNoise | None
) -> tuple[int, ...]:
    if noise is None:
        return exact_update(request, rows, task)
    return local_update(request, rows, task, noise=noise)


def _noise(owner: str, seed: int | None) -> SeededNoise | None:
    return None if seed is None else SeededNoise(seed=seed, owner=owner)
