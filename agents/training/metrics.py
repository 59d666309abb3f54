"""The registered metrics: facts about an artifact from pooled evaluation rows.

The SHA-256 of this file is part of each metric's key on chain, so that a changed meaning is a
changed rule. Everything that decides is integer arithmetic on counts, the same on every
machine; a fact is rounded to .01 against the candidate, which also keeps a single row's
outcome from being read off a fact. No group of fewer than ten is shown, and a fact that needs
one is missing, with its reason. Intervals are 90 %, shown beside the fact, and decide nothing.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agents.training.artifact import content_address, scores
from agents.training.canonical import Document, canonical_json
from agents.training.errors import DataError
from agents.training.rows import Row, group_of, label_of
from agents.training.schema import DataSchema

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

METRICS = ("auc", "balanced_accuracy", "tpr_gap_abs")
MIN_GROUP = 10
"""No group smaller than this is shown or measured alone."""
CENT_MICROS = 10_000
"""Facts are multiples of .01, in millionths."""
Z_90 = 1.6448536269514722
"""Standard normal quantile of .95: a two-sided 90 % interval."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One measured fact, in millionths, rounded to .01 against the candidate."""

    name: str
    value_micros: int
    low_micros: int
    """Lower end of the 90 % interval, rounded down."""
    high_micros: int
    """Upper end of the 90 % interval, rounded up."""

    def to_json(self) -> Document:
        """Return the fact as JSON."""
        return {
            "value_micros": self.value_micros,
            "low_micros": self.low_micros,
            "high_micros": self.high_micros,
        }


@dataclass(frozen=True, slots=True)
class GroupCount:
    """How many evaluation rows a group has, each number at least ten."""

    group: str
    rows: int
    positives: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one juror finds; all jurors with the same file and rows find the same bytes."""

    artifact_sha256: str
    schema_digest: str
    rows: int
    facts: tuple[Fact, ...]
    missing: Mapping[str, str]
    """Metrics that could not be measured, with the reason."""
    groups: tuple[GroupCount, ...]
    """Sizes of all groups, or none of them if one is too small to be shown."""

    def fact(self, name: str) -> Fact | None:
        """Return a fact by its name, ``None`` if it is missing."""
        return next((fact for fact in self.facts if fact.name == name), None)

    def to_json(self) -> Document:
        """Return the evaluation as JSON, integers only."""
        return {
            "metric_code_sha256": metric_code_digest(),
            "artifact_sha256": self.artifact_sha256,
            "schema_digest": self.schema_digest,
            "rows": self.rows,
            "facts": {fact.name: fact.to_json() for fact in self.facts},
            "missing": dict(self.missing),
            "groups": {g.group: {"rows": g.rows, "positives": g.positives} for g in self.groups},
        }


@dataclass(frozen=True, slots=True)
class _Outcomes:
    """Scores and truth of the rows; a score above 0 is a probability above .5."""

    scores: "NDArray[np.float64]"
    positive: "NDArray[np.bool_]"
    groups: tuple[str, ...]


def evaluate(artifact: bytes, rows: Sequence[Row], schema: DataSchema) -> Evaluation:
    """Measure an artifact on the pooled evaluation rows of all owners.

    Parameters
    ----------
    artifact
        Bytes of a skops artifact.
    rows
        Evaluation rows of all owners together; their order does not matter.
    schema
        Shape of the rows.

    Raises
    ------
    TaskError
        If the artifact cannot be loaded or fails on the rows.
    DataError
        If there are no rows.
    """
    import numpy as np

    if not rows:
        raise DataError("no evaluation rows")
    found = _Outcomes(
        scores=scores(artifact, rows, schema),
        positive=np.array([label_of(row, schema) for row in rows], dtype=bool),
        groups=tuple(group_of(row, schema) for row in rows),
    )
    measured = measure(found.scores, found.positive, found.groups, names=_group_names(schema))
    return Evaluation(
        artifact_sha256=content_address(artifact),
        schema_digest=schema.digest,
        rows=len(rows),
        facts=tuple(fact for fact in measured.values() if isinstance(fact, Fact)),
        missing={name: fact for name, fact in measured.items() if isinstance(fact, str)},
        groups=_group_counts(found, _group_names(schema)),
    )


def evaluation_report(artifact: bytes, rows: Sequence[Row], schema: DataSchema) -> bytes:
    """Return the evaluation as canonical JSON; its SHA-256 is what a juror commits to."""
    return canonical_json(evaluate(artifact, rows, schema).to_json())


def measure(
    scored: "NDArray[np.float64]",
    positive: "NDArray[np.bool_]",
    groups: Sequence[str],
    *,
    names: Sequence[str],
) -> dict[str, Fact | str]:
    """Return each metric's fact, or the reason why it is missing.

    Parameters
    ----------
    scored
        Score of each row, shape (rows,); above 0 the row is predicted positive.
    positive
        Truth of each row, shape (rows,).
    groups
        Sensitive value of each row.
    names
        The groups that are compared.
    """
    found = _Outcomes(scores=scored, positive=positive, groups=tuple(groups))
    positives, negatives = int(positive.sum()), int((~positive).sum())
    facts: dict[str, Fact | str] = {}
    if min(positives, negatives) < MIN_GROUP:
        reason = f"fewer than {MIN_GROUP} positive or negative rows"
        facts = {"auc": reason, "balanced_accuracy": reason}
    else:
        facts = {"auc": _auc(found), "balanced_accuracy": _balanced_accuracy(found)}
    return facts | {"tpr_gap_abs": _tpr_gap(found, names)}


def metric_code_digest() -> str:
    """Return the SHA-256 of this file, 64 hex digits."""
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()


def _auc(found: _Outcomes) -> Fact:
    import numpy as np

    # Mann-Whitney: pairs in which the positive row scores higher; a tie is half a pair.
    ahead = found.scores[found.positive]
    behind = np.sort(found.scores[~found.positive])
    lower = np.searchsorted(behind, ahead, side="left")
    upper = np.searchsorted(behind, ahead, side="right")
    halves, pairs = int((lower + upper).sum()), len(ahead) * len(behind)
    low, high = _auc_interval(halves / (2 * pairs), len(ahead), len(behind))
    return _fact("auc", _floor_cent(halves, 2 * pairs), low, high)


def _balanced_accuracy(found: _Outcomes) -> Fact:
    predicted = found.scores > 0
    positives, negatives = int(found.positive.sum()), int((~found.positive).sum())
    hits = int((predicted & found.positive).sum())
    rejected = int((~predicted & ~found.positive).sum())
    value = _floor_cent(hits * negatives + rejected * positives, 2 * positives * negatives)
    low, high = _mean_interval((hits, positives), (rejected, negatives))
    return _fact("balanced_accuracy", value, low, high)


def _tpr_gap(found: _Outcomes, names: Sequence[str]) -> Fact | str:
    if len(names) < 2:
        return "the schema compares no groups"
    rates = [(_hits(found, name), _positives(found, name)) for name in names]
    if min(positives for _, positives in rates) < MIN_GROUP:
        return f"a group has fewer than {MIN_GROUP} positive rows"
    rates.sort(key=lambda rate: rate[0] / rate[1])
    (hits_a, positives_a), (hits_b, positives_b) = rates[-1], rates[0]
    gap = hits_a * positives_b - hits_b * positives_a
    low, high = _difference_interval((hits_a, positives_a), (hits_b, positives_b))
    # The size of a difference whose interval crosses zero may be nothing at all.
    low, high = (0.0, max(-low, high)) if low < 0 < high else (low, high)
    return _fact("tpr_gap_abs", -_floor_cent(-gap, positives_a * positives_b), low, high)


def _hits(found: _Outcomes, group: str) -> int:
    chosen = zip(found.groups, found.positive, found.scores > 0, strict=True)
    return sum(1 for name, positive, hit in chosen if name == group and positive and hit)


def _positives(found: _Outcomes, group: str) -> int:
    chosen = zip(found.groups, found.positive, strict=True)
    return sum(1 for name, positive in chosen if name == group and positive)


def _group_names(schema: DataSchema) -> tuple[str, ...]:
    return schema.column(schema.sensitive).values if schema.sensitive else ()


def _group_counts(found: _Outcomes, names: Sequence[str]) -> tuple[GroupCount, ...]:
    counts = tuple(GroupCount(name, found.groups.count(name), _positives(found, name)) for name in names)
    cells = [n for c in counts for n in (c.positives, c.rows - c.positives)]
    # All or none: one hidden number could be had by subtracting the others from the total.
    return counts if cells and min(cells) >= MIN_GROUP else ()


def _floor_cent(numerator: int, denominator: int) -> int:
    return numerator * 100 // denominator * CENT_MICROS


def _fact(name: str, value_micros: int, low: float, high: float) -> Fact:
    return Fact(
        name=name,
        value_micros=value_micros,
        low_micros=math.floor(max(low, 0.0) * 100) * CENT_MICROS,
        high_micros=math.ceil(min(high, 1.0) * 100) * CENT_MICROS,
    )


def _auc_interval(auc: float, positives: int, negatives: int) -> tuple[float, float]:
    # Hanley and McNeil 1982, equation 1, on the logit scale so that it stays within 0 and 1.
    one, two = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    spread = (positives - 1) * (one - auc * auc) + (negatives - 1) * (two - auc * auc)
    variance = (auc * (1 - auc) + spread) / (positives * negatives)
    if not 0 < auc < 1:
        return auc, auc
    reach = Z_90 * math.sqrt(max(variance, 0.0)) / (auc * (1 - auc))
    middle = math.log(auc / (1 - auc))
    return 1 / (1 + math.exp(reach - middle)), 1 / (1 + math.exp(-reach - middle))


def _wilson(hits: int, total: int) -> tuple[float, float]:
    # Wilson 1927; stays within 0 and 1 and behaves with few rows.
    rate, shrink = hits / total, 1 + Z_90**2 / total
    middle = (rate + Z_90**2 / (2 * total)) / shrink
    spread = rate * (1 - rate) / total + Z_90**2 / (4 * total**2)
    reach = Z_90 * math.sqrt(spread) / shrink
    return middle - reach, middle + reach


def _difference_interval(first: tuple[int, int], second: tuple[int, int]) -> tuple[float, float]:
    # Newcombe 1998, method 10: the difference of two proportions from their Wilson intervals.
    (low_a, high_a), (low_b, high_b) = _wilson(*first), _wilson(*second)
    a, b = first[0] / first[1], second[0] / second[1]
    return (
        a - b - math.hypot(a - low_a, high_b - b),
        a - b + math.hypot(high_a - a, b - low_b),
    )


def _mean_interval(first: tuple[int, int], second: tuple[int, int]) -> tuple[float, float]:
    # Zou and Donner 2008 (MOVER) for the mean of two proportions.
    (low_a, high_a), (low_b, high_b) = _wilson(*first), _wilson(*second)
    a, b = first[0] / first[1], second[0] / second[1]
    return (
        (a + b - math.hypot(a - low_a, b - low_b)) / 2,
        (a + b + math.hypot(high_a - a, high_b - b)) / 2,
    )
