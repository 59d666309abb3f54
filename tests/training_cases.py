"""Rows, tasks and trained models for the tests of training; every default can be replaced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from agents.training import (
    Candidate,
    DataSchema,
    OwnerRows,
    Preprocessing,
    RoundRequest,
    Row,
    SeededNoise,
    TrainingTask,
    aggregate,
    derive_preprocessing,
    initial_state,
    load_schema,
    local_statistics,
    local_update,
    plan_task,
    server_step,
)
from agents.training.card import ModelCard, make_release
from agents.training.contributions import OwnersRound
from agents.training.rows import read_csv, row_of
from agents.training.scenario import RowSet, slug, split_rows

DATA = Path(__file__).resolve().parent.parent / "data"
Alter = Callable[[str, tuple[int, ...]], tuple[int, ...]]
"""From an owner and its update to what it sends instead."""
HEART_CSV = DATA / "heart_disease_uci.csv"


@cache
def heart_schema() -> DataSchema:
    return load_schema(DATA / "heart.schema.yaml")


@cache
def heart_rows(*, row_set: RowSet = RowSet.TRAINING, seed: int = 1) -> dict[str, tuple[Row, ...]]:
    schema, sites = heart_schema(), {}
    for record in read_csv(HEART_CSV):
        sites.setdefault(slug(record["dataset"]), []).append(row_of(record, schema, "heart"))
    return {site: split_rows(rows, schema, seed=seed)[row_set] for site, rows in sites.items()}


def heart_task(
    *,
    job: str = "job",
    candidates: Sequence[Candidate] = (),
    rows: dict[str, tuple[Row, ...]] | None = None,
    epsilon_micros: int = 8_000_000,
) -> TrainingTask:
    owners = [OwnerRows(name, len(found)) for name, found in (rows or heart_rows()).items()]
    return plan_task(job, heart_schema(), owners, candidates=candidates, epsilon_micros=epsilon_micros)


def heart_preprocessing(task: TrainingTask) -> Preprocessing:
    owners = [entry.owner for entry in task.owners]
    sums = [local_statistics(heart_rows()[o], task, SeededNoise(0, o)) for o in owners]
    return derive_preprocessing(aggregate(sums), task, owners=owners)


def heart_weights(task: TrainingTask, *, candidate: int = 0) -> tuple[int, ...]:
    owners = [entry.owner for entry in task.owners]
    preprocessing, state = heart_preprocessing(task), initial_state(task, candidate)
    for index in range(task.candidates[candidate].rounds):
        request = RoundRequest(candidate, index, state.weights_nanos, preprocessing)
        updates = [local_update(request, heart_rows()[o], task, noise=SeededNoise(0, o)) for o in owners]
        rows = task.rows_of(owners)
        state = server_step(state, aggregate(updates), task, candidate=candidate, rows=rows)
    return state.weights_nanos


def pooled_evaluation() -> list[Row]:
    rows = heart_rows(row_set=RowSet.EVALUATION)
    return [row for owner in sorted(rows) for row in rows[owner]]


def unaltered(_owner: str, update: tuple[int, ...]) -> tuple[int, ...]:
    return update


def heart_release(
    alter: Alter = unaltered, *, rounds: int, rounds_sha256: str = ""
) -> tuple[ModelCard, bytes, list[OwnersRound]]:
    """Return card, file and updates of a candidate trained by four hospitals, whose updates may be altered."""
    task = heart_task(candidates=[Candidate(name="plain", rounds=rounds)])
    owners = tuple(entry.owner for entry in task.owners)
    preprocessing, state = heart_preprocessing(task), initial_state(task, 0)
    noise = {owner: SeededNoise(0, owner) for owner in owners}
    sums = tuple(local_statistics(heart_rows()[owner], task, noise[owner]) for owner in owners)
    played = [OwnersRound(owners, sums)]
    for index in range(rounds):
        request = RoundRequest(0, index, state.weights_nanos, preprocessing)
        sent = [alter(o, local_update(request, heart_rows()[o], task, noise=noise[o])) for o in owners]
        played.append(OwnersRound(owners, tuple(sent)))
        state = server_step(state, aggregate(sent), task, candidate=0, rows=task.rows_of(owners))
    artifact, card = make_release(
        task,
        candidate=0,
        weights_nanos=state.weights_nanos,
        preprocessing=preprocessing,
        statistics_owners=owners,
        owners_per_round=[owners] * rounds,
        seeded_owners=owners,
        rounds_sha256=rounds_sha256,
    )
    return card, artifact, played
