"""The task of a job: what every owner is asked to compute, fixed before round 1."""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.training.canonical import (
    Document,
    Json,
    check_integer,
    expect_keys,
    parse_document,
    read_integer,
    read_list,
    read_text,
    read_texts,
    sha256_hex,
)
from agents.training.errors import TaskError
from agents.training.privacy import (
    MICROS,
    Budget,
    Sigmas,
    check_sigmas,
    privacy_json,
    read_privacy,
    sigmas_for,
)
from agents.training.schema import DataSchema

VERSION = 1
MAX_CANDIDATES = 3
"""Looks at the evaluation rows that a job may take."""
MAX_ROUNDS = 100
MAX_OWNERS = 100
AGGREGATION = "clear"
ALGORITHM = "fedavg-one-local-step"
_TERMS = ("version", "job", "algorithm", "aggregation")
_KEYS = (*_TERMS, "schema", "owners", "candidates", "privacy")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to fit the model; a job's candidates are fixed, in order, before the split.

    The defaults were chosen by mean AUC on resplits (seeds from 100) of the rows on which the
    demonstration evaluates nothing. The AUC is flat around them: .858 to .864 for 8 to 15
    rounds, clip 0.5 to 2.5 and rate 0.5 to 2 (`python -m bench.tuning --seeds 20`), so rounds,
    which cost time, are few.
    """

    name: str
    dropped: tuple[str, ...] = ()
    """Columns that the model does not see."""
    reweighed: bool = False
    """Whether records are weighted by (group, label) (Kamiran and Calders 2012)."""
    rounds: int = 10
    clip_micros: int = MICROS
    """L2 bound on one record's gradient, in millionths."""
    weight_cap_micros: int = MICROS
    """Largest weight of one record, in millionths; public, part of the sensitivity."""
    learning_rate_micros: int = MICROS
    momentum_micros: int = MICROS // 2
    l2_micros: int = MICROS
    """Ridge penalty on the sum of losses (not on the intercept), in millionths."""

    def to_json(self) -> Document:
        """Return the candidate as JSON."""
        return {
            "name": self.name,
            "dropped": list(self.dropped),
            "reweighed": int(self.reweighed),
            "rounds": self.rounds,
            "clip_micros": self.clip_micros,
            "weight_cap_micros": self.weight_cap_micros,
            "learning_rate_micros": self.learning_rate_micros,
            "momentum_micros": self.momentum_micros,
            "l2_micros": self.l2_micros,
        }

    @classmethod
    def from_json(cls, document: Json) -> "Candidate":
        """Read a candidate, refusing anything out of range."""
        keys = tuple(cls("").to_json())
        fields = expect_keys(document, keys, "candidate")
        return cls(
            name=read_text(fields, "name", longest=40),
            dropped=read_texts(fields, "dropped"),
            reweighed=bool(read_integer(fields, "reweighed", maximum=1)),
            rounds=read_integer(fields, "rounds", minimum=1, maximum=MAX_ROUNDS),
            clip_micros=read_integer(fields, "clip_micros", minimum=1, maximum=10**9),
            weight_cap_micros=read_integer(fields, "weight_cap_micros", minimum=1, maximum=10**8),
            learning_rate_micros=read_integer(fields, "learning_rate_micros", minimum=1, maximum=10**9),
            momentum_micros=read_integer(fields, "momentum_micros", maximum=MICROS - 1),
            l2_micros=read_integer(fields, "l2_micros", maximum=10**9),
        )


@dataclass(frozen=True, slots=True)
class OwnerRows:
    """How many training rows an owner's agreement names; public."""

    owner: str
    rows: int

    def to_json(self) -> Document:
        """Return the owner and its number of rows as JSON."""
        return {"owner": self.owner, "rows": self.rows}


@dataclass(frozen=True, slots=True)
class TrainingTask:
    """Everything that a job's owners compute by, and that an auditor needs to recompute sigma."""

    job: str
    """Identifier of the job, at most 80 characters; also separates the noise of jobs."""
    schema: DataSchema
    owners: tuple[OwnerRows, ...]
    candidates: tuple[Candidate, ...]
    """In the order in which they are submitted, decided before the split."""
    budget: Budget
    sigmas: Sigmas

    def __post_init__(self) -> None:
        names = [candidate.name for candidate in self.candidates]
        owners = [entry.owner for entry in self.owners]
        if not 1 <= len(set(names)) == len(names) <= MAX_CANDIDATES:
            raise TaskError(f"1 to {MAX_CANDIDATES} different candidates are needed, not {names}")
        if not 1 <= len(set(owners)) == len(owners) <= MAX_OWNERS:
            raise TaskError(f"1 to {MAX_OWNERS} different owners are needed, not {owners}")
        if self.budget.rounds != sum(candidate.rounds for candidate in self.candidates):
            raise TaskError(f"the budget counts {self.budget.rounds} rounds, the candidates do not")
        if any(c.reweighed for c in self.candidates) != (self.budget.counts_share_micros > 0):
            raise TaskError("counts are released if, and only if, a candidate is reweighed")
        if any(c.reweighed for c in self.candidates) and not self.schema.sensitive:
            raise TaskError(f"schema {self.schema.name!r} names no sensitive column to reweigh by")
        for candidate in self.candidates:
            for column in candidate.dropped:
                self.schema.column(column)
        check_sigmas(self.budget, self.sigmas)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, 64 hex digits."""
        return sha256_hex(self.to_json())

    def rows_of(self, owners: Sequence[str]) -> int:
        """Return how many rows the named owners have together.

        Raises
        ------
        TaskError
            If one of them is not in the task, or is named twice.
        """
        known = {entry.owner: entry.rows for entry in self.owners}
        unknown = sorted(set(owners) - set(known))
        if unknown or len(set(owners)) != len(owners):
            raise TaskError(f"owners {list(owners)}: not in the task or twice ({unknown})")
        return sum(known[owner] for owner in owners)

    def candidate(self, index: int) -> Candidate:
        """Return a candidate by its place, counted from 0."""
        check_integer(index, "candidate", minimum=0, maximum=len(self.candidates) - 1)
        return self.candidates[index]

    def to_json(self) -> Document:
        """Return the task as JSON, integers only."""
        return {
            "version": VERSION,
            "job": self.job,
            "algorithm": ALGORITHM,
            "aggregation": AGGREGATION,
            "schema": self.schema.to_json(),
            "owners": [entry.to_json() for entry in self.owners],
            "candidates": [candidate.to_json() for candidate in self.candidates],
            "privacy": privacy_json(self.budget, self.sigmas),
        }

    @classmethod
    def from_json(cls, document: Json) -> "TrainingTask":
        """Read a task that somebody else wrote.

        Raises
        ------
        TaskError, DataError, PrivacyError
            If it is malformed, contradicts itself, or has too little noise for its epsilon.
        """
        fields = expect_keys(document, _KEYS, "training task")
        _expect_constants(fields)
        budget, sigmas = read_privacy(fields["privacy"])
        return cls(
            job=read_text(fields, "job", longest=80),
            schema=DataSchema.from_json(fields["schema"]),
            owners=tuple(map(_owner, read_list(fields, "owners", longest=MAX_OWNERS))),
            candidates=tuple(map(Candidate.from_json, read_list(fields, "candidates", longest=9))),
            budget=budget,
            sigmas=sigmas,
        )


def parse_task(text: str | bytes) -> TrainingTask:
    """Read a task from its JSON text."""
    return TrainingTask.from_json(parse_document(text, "training task"))


def default_candidates(schema: DataSchema) -> tuple[Candidate, ...]:
    """Return the flagship's candidates in order: plain, without the sensitive column, reweighed.

    The one without is named after the column, e.g. ``without-sex``. A schema that names no
    sensitive column gives the plain candidate alone.
    """
    plain = Candidate(name="plain")
    if not schema.sensitive:
        return (plain,)
    return (
        plain,
        Candidate(name=f"without-{schema.sensitive}", dropped=(schema.sensitive,)),
        Candidate(name="reweighed", reweighed=True, weight_cap_micros=2 * MICROS),
    )


def plan_task(
    job: str,
    schema: DataSchema,
    owners: Sequence[OwnerRows],
    *,
    candidates: Sequence[Candidate] = (),
    epsilon_micros: int = 8 * MICROS,
    delta_e12: int = 10**7,
) -> TrainingTask:
    """Plan a job: choose the noise so that all its candidates together stay within epsilon.

    Parameters
    ----------
    job
        Identifier of the job.
    schema
        Shape of every owner's table.
    owners
        Owners with the numbers of training rows that their agreements name.
    candidates
        In order of submission; ``default_candidates(schema)`` if empty.
    epsilon_micros, delta_e12
        Total record-level budget; by default epsilon 8 and delta 1e-5.
    """
    chosen = tuple(candidates) or default_candidates(schema)
    budget = Budget(
        epsilon_micros=epsilon_micros,
        delta_e12=delta_e12,
        statistics_share_micros=MICROS // 10,
        counts_share_micros=MICROS // 20 if any(c.reweighed for c in chosen) else 0,
        rounds=sum(candidate.rounds for candidate in chosen),
    )
    return TrainingTask(
        job=job,
        schema=schema,
        owners=tuple(owners),
        candidates=chosen,
        budget=budget,
        sigmas=sigmas_for(budget),
    )


def sigma_for(task: TrainingTask) -> Sigmas:
    """Recompute the noise multipliers of a task from its privacy terms, with dp-accounting."""
    return sigmas_for(task.budget)


def _expect_constants(fields: Document) -> None:
    read_integer(fields, "version", minimum=VERSION, maximum=VERSION)
    if fields["algorithm"] != ALGORITHM:
        raise TaskError(f"algorithm {fields['algorithm']!r:.60} is not {ALGORITHM!r}")
    if fields["aggregation"] != AGGREGATION:
        raise TaskError(
            f"aggregation {fields['aggregation']!r:.60}: only {AGGREGATION!r} is offered so far; "
            f"masked and grouped sums are not built"
        )


def _owner(document: Json) -> OwnerRows:
    fields = expect_keys(document, ("owner", "rows"), "owner")
    return OwnerRows(
        owner=read_text(fields, "owner", longest=80),
        rows=read_integer(fields, "rows", minimum=1, maximum=10**9),
    )
