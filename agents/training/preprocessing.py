"""Preprocessing from noised sums: means, scales and reweighing without seeing a row.

Each owner sends, once per job, sums over its training rows with Gaussian noise: for every
numeric column the sum of the clipped values, of their squares, and the number that is not
known; and, if a candidate is reweighed, its number of rows per (group, label). The coordinator
adds them and derives what every owner then uses. All of it comes out of the job's one budget.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from agents.training.canonical import (
    Document,
    Json,
    expect_keys,
    read_integer,
    read_integers,
    read_list,
    read_text,
)
from agents.training.errors import TaskError
from agents.training.features import (
    features_of,
    groups,
    labels,
    numeric_columns,
    unit_matrix,
)
from agents.training.noise import NoiseSource, noise_vector
from agents.training.privacy import MICROS, NANOS
from agents.training.rows import Row
from agents.training.schema import DataSchema
from agents.training.task import TrainingTask

MIN_SCALE_NANOS = 150_000_000
"""Noise may make a variance tiny or negative; a column is never stretched by more than this."""
MIN_CELL_ROWS = 5
"""Noise may empty a (group, label) cell; it counts as at least this many rows."""


@dataclass(frozen=True, slots=True)
class GroupWeight:
    """Weight of the records of one sensitive group and label."""

    group: str
    positive: bool
    weight_micros: int

    def to_json(self) -> Document:
        """Return the weight as JSON."""
        return {
            "group": self.group,
            "positive": int(self.positive),
            "weight_micros": self.weight_micros,
        }


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """What the noised sums of all owners give: public, and part of the model card."""

    columns: tuple[str, ...]
    """Numeric columns, in schema order."""
    means_nanos: tuple[int, ...]
    """Mean of each numeric column after mapping its public bounds to [−1, 1]."""
    scales_nanos: tuple[int, ...]
    """Standard deviation of the same."""
    weights: tuple[GroupWeight, ...]
    """Reweighing table before the cap; empty if no candidate is reweighed."""

    def to_json(self) -> Document:
        """Return the preprocessing as JSON, integers only."""
        return {
            "columns": list(self.columns),
            "means_nanos": list(self.means_nanos),
            "scales_nanos": list(self.scales_nanos),
            "weights": [weight.to_json() for weight in self.weights],
        }

    @classmethod
    def from_json(cls, document: Json, schema: DataSchema) -> "Preprocessing":
        """Read preprocessing that somebody else derived; it must fit the schema."""
        keys = ("columns", "means_nanos", "scales_nanos", "weights")
        fields = expect_keys(document, keys, "preprocessing")
        columns = tuple(column.name for column in numeric_columns(schema))
        means = read_integers(fields, "means_nanos", minimum=-NANOS)
        scales = read_integers(fields, "scales_nanos", minimum=MIN_SCALE_NANOS)
        if fields["columns"] != list(columns) or not len(columns) == len(means) == len(scales):
            raise TaskError(f"preprocessing: one mean and scale for each of {columns} is expected")
        weights = tuple(map(_group_weight, read_list(fields, "weights", longest=400)))
        return cls(columns=columns, means_nanos=means, scales_nanos=scales, weights=weights)


def statistics_length(task: TrainingTask) -> int:
    """Return how many numbers an owner sends for preprocessing."""
    return 3 * len(numeric_columns(task.schema)) + len(_cells(task))


def local_statistics(rows: Sequence[Row], task: TrainingTask, noise: NoiseSource) -> tuple[int, ...]:
    """Return an owner's noised sums for preprocessing, in nanos.

    One record changes the sums of a column by at most √2 (a value and its square, each at most
    1, or a count of 1), all columns together by √(2 columns), and the counts by 1. The noise is
    the sensitivity times the task's multiplier, drawn by the owner.

    Call this once per job: a second answer with fresh noise spends the privacy again.
    """
    sums, counts = exact_statistics(rows, task)
    uniform = noise.stream(f"{task.job}|statistics")
    scale = statistics_sigma_nanos(task)
    noisy = [a + b for a, b in zip(sums, noise_vector(scale, len(sums), uniform), strict=True)]
    scale = max(1, task.sigmas.counts_micros * 1000)
    noisy += [a + b for a, b in zip(counts, noise_vector(scale, len(counts), uniform), strict=True)]
    return tuple(noisy)


def check_statistics(sums: Sequence[int], task: TrainingTask, *, owner: str) -> None:
    """Refuse sums that no honest owner could have sent: each record adds at most 1 to each.

    Raises
    ------
    TaskError
        If their number is wrong, or one is larger than the owner's rows and ten sigma.
    """
    if len(sums) != statistics_length(task):
        raise TaskError(f"{owner}: {len(sums)} numbers are no statistics of this task")
    counted = len(sums) - 3 * len(numeric_columns(task.schema))
    sigmas = [statistics_sigma_nanos(task)] * (len(sums) - counted) + [task.sigmas.counts_micros * 1000] * counted
    rows_nanos = task.rows_of([owner]) * NANOS
    for value, sigma in zip(sums, sigmas, strict=True):
        if abs(value) > rows_nanos + 10 * sigma:
            raise TaskError(f"{owner}: a sum of {value} nanos, at most {rows_nanos + 10 * sigma} are possible")


def statistics_sigma_nanos(task: TrainingTask) -> int:
    """Return the standard deviation of the noise on each sum, in nanos, rounded up."""
    sensitivity_nanos = math.isqrt(2 * len(numeric_columns(task.schema)) * NANOS**2) + 1
    return -(-sensitivity_nanos * task.sigmas.statistics_micros // MICROS)


def exact_statistics(rows: Sequence[Row], task: TrainingTask) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return an owner's sums and counts before noise, in nanos. These never leave the owner."""
    import numpy as np

    numeric = {column.name for column in numeric_columns(task.schema)}
    other = [c.name for c in task.schema.features if c.name not in numeric]
    units = unit_matrix(rows, task.schema, other)
    known = np.nan_to_num(units)
    parts = np.trunc(np.hstack([known, known**2, np.isnan(units)]) * NANOS).astype(np.int64)
    sums = tuple(int(value) for value in parts.sum(axis=0))
    found = list(zip(groups(rows, task.schema), labels(rows, task.schema) > 0, strict=True))
    return sums, tuple(found.count(cell) * NANOS for cell in _cells(task))


def derive_preprocessing(sums_nanos: Sequence[int], task: TrainingTask, *, owners: Sequence[str]) -> Preprocessing:
    """Derive means, scales and reweighing from the added sums of the owners that answered.

    Integers throughout, so that everybody gets the same from the same sums.

    Parameters
    ----------
    sums_nanos
        Sum of the owners' ``local_statistics``, element by element.
    task
        The job's task.
    owners
        The owners behind the sums; their public numbers of rows are the denominator.

    Raises
    ------
    TaskError
        If the length does not fit the task, or an owner is not in it.
    """
    if len(sums_nanos) != statistics_length(task):
        raise TaskError(f"{len(sums_nanos)} sums, the task has {statistics_length(task)}")
    rows_nanos = task.rows_of(owners) * NANOS
    columns = tuple(column.name for column in numeric_columns(task.schema))
    width = len(columns)
    known = [max(rows_nanos - n, rows_nanos // 5) for n in sums_nanos[2 * width : 3 * width]]
    moments = [_moments(sums_nanos[i], sums_nanos[width + i], known[i]) for i in range(width)]
    return Preprocessing(
        columns=columns,
        means_nanos=tuple(mean for mean, _ in moments),
        scales_nanos=tuple(scale for _, scale in moments),
        weights=_reweigh(_cells(task), sums_nanos[3 * width :]),
    )


def record_weights_micros(
    rows: Sequence[Row], schema: DataSchema, preprocessing: Preprocessing, *, cap_micros: int
) -> tuple[int, ...]:
    """Return the weight of each record, in millionths, never above the public cap."""
    table = {(entry.group, entry.positive): entry.weight_micros for entry in preprocessing.weights}
    found = zip(groups(rows, schema), labels(rows, schema) > 0, strict=True)
    return tuple(min(cap_micros, table.get((group, bool(p)), MICROS)) for group, p in found)


def feature_moments(
    schema: DataSchema, preprocessing: Preprocessing, dropped: Sequence[str] = ()
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return mean and scale of every feature in nanos; 0 and 1 where no sum was taken."""
    known = dict(
        zip(
            preprocessing.columns,
            zip(preprocessing.means_nanos, preprocessing.scales_nanos, strict=True),
            strict=True,
        )
    )
    pairs = [known.get(feature.column, (0, NANOS)) for feature in features_of(schema, dropped)]
    return tuple(mean for mean, _ in pairs), tuple(scale for _, scale in pairs)


def _cells(task: TrainingTask) -> list[tuple[str, bool]]:
    if not any(candidate.reweighed for candidate in task.candidates):
        return []
    return list(product(task.schema.column(task.schema.sensitive).values, (False, True)))


def _moments(total_nanos: int, squares_nanos: int, known_nanos: int) -> tuple[int, int]:
    mean = min(max(total_nanos * NANOS // known_nanos, -NANOS), NANOS)
    # In units of nanos squared: the second moment less the squared mean.
    variance = squares_nanos * NANOS**2 // known_nanos - mean * mean
    return mean, min(max(math.isqrt(max(variance, 0)), MIN_SCALE_NANOS), NANOS)


def _reweigh(cells: Sequence[tuple[str, bool]], counts_nanos: Sequence[int]) -> tuple[GroupWeight, ...]:
    # w(g, y) = n_g n_y / (n n_gy): Kamiran and Calders 2012, Algorithm 3.
    count = {cell: max(nanos, MIN_CELL_ROWS * NANOS) for cell, nanos in zip(cells, counts_nanos, strict=True)}
    total = sum(count.values())

    def weight(group: str, *, positive: bool) -> int:
        of_group = sum(n for (g, _), n in count.items() if g == group)
        of_label = sum(n for (_, p), n in count.items() if p == positive)
        return of_group * of_label * MICROS // (total * count[group, positive])

    return tuple(GroupWeight(group=g, positive=p, weight_micros=weight(g, positive=p)) for g, p in cells)


def _group_weight(document: Json) -> GroupWeight:
    fields = expect_keys(document, ("group", "positive", "weight_micros"), "weight")
    return GroupWeight(
        group=read_text(fields, "group"),
        positive=bool(read_integer(fields, "positive", maximum=1)),
        weight_micros=read_integer(fields, "weight_micros", maximum=10**12),
    )
