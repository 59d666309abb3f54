"""Job files: what a coordinator is asked to have trained."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Self

import yaml

from agents.training.schema import DataSchema, load_schema
from agents.training.task import Candidate, OwnerRows, TrainingTask, default_candidates, plan_task
from governance.domain.policy import MICROS, PolicySet
from governance.errors import FolkmootError

DAY_S = 86_400
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
DELTA_UNITS = 10**12
FIELDS = frozenset(
    {"job", "schema", "purposes", "licence", "epsilon", "delta", "rounds_per_candidate", "candidates", "deadline_days"}
)
CREDIT = 10**18
MAX_CREDITS = 10**9
"""More than this in a job file is a slip of the pen, and would not fit the contracts' fields."""
OPTIONAL = frozenset({"seeded_noise", "bonus", "use_price", "candidate_bond"})


class JobFileError(FolkmootError):
    """A job file that cannot be used; says which field and what belongs there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFile:
    """One job, as a person wrote it."""

    name: str
    schema: DataSchema
    purposes: int
    """Bit set."""
    licences: int
    """Bit set."""
    epsilon_micros: int
    delta_e12: int
    rounds_per_candidate: int
    candidates: tuple[Candidate, ...]
    deadline_s: int
    """Seconds from the opening."""
    bonus_e18: int = 0
    """Locked when the job is opened, shared by the owners behind its release."""
    use_price_e18: int = 0
    """Price of 30 days of use of its release; zero is free."""
    candidate_bond_e18: int | None = None
    """Most that the operator leaves as a bond for each candidate; None takes what the contract asks for."""
    seeded_noise: bool = False
    """Whether the owners' noise is seeded: such a run has no privacy, and its card says so."""

    def task(self, owners: tuple[OwnerRows, ...] = (OwnerRows("not-known-yet", 1),)) -> TrainingTask:
        """Return the task for these owners; its plan is the same for all of them."""
        return plan_task(
            self.name,
            self.schema,
            owners,
            candidates=self.candidates,
            epsilon_micros=self.epsilon_micros,
            delta_e12=self.delta_e12,
        )

    @classmethod
    def read(cls, path: Path, policy: PolicySet) -> Self:
        """Read a job file.

        Raises
        ------
        JobFileError
            If it is missing, no YAML, or a field is missing, unknown or out of range.
        """
        fields = _fields(path)
        schema = load_schema((path.parent / str(fields["schema"])).resolve())
        rounds = _whole(fields, "rounds_per_candidate", path, most=100)
        return cls(
            name=_name(fields, path),
            schema=schema,
            purposes=_bits(fields, "purposes", {p.name: p.bit for p in policy.purposes}, path),
            licences=_bits({"licence": [fields["licence"]]}, "licence", {x.name: x.bit for x in policy.licences}, path),
            epsilon_micros=_scaled(fields, "epsilon", MICROS, path),
            delta_e12=_scaled(fields, "delta", DELTA_UNITS, path),
            rounds_per_candidate=rounds,
            candidates=_candidates(fields, schema, rounds, path),
            deadline_s=_whole(fields, "deadline_days", path, most=365) * DAY_S,
            bonus_e18=_credits(fields, "bonus", path) or 0,
            use_price_e18=_credits(fields, "use_price", path) or 0,
            candidate_bond_e18=_credits(fields, "candidate_bond", path),
            seeded_noise=fields.get("seeded_noise") is True,
        )


def _fields(path: Path) -> dict[str, object]:
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError, ValueError, RecursionError) as problem:
        # ValueError: bytes that are no text, and dates that are none, such as 2026-13-45.
        raise JobFileError(f"{path} cannot be read: {problem}") from problem
    if not isinstance(document, dict) or not FIELDS <= set(document) <= FIELDS | OPTIONAL:
        given = set(document) if isinstance(document, dict) else set()
        wrong = sorted(map(str, (FIELDS - given) | (given - FIELDS - OPTIONAL)))
        raise JobFileError(f"{path}: missing or unknown fields {wrong}; examples/ has a job file that works")
    return document


def _name(fields: dict[str, object], path: Path) -> str:
    value = fields["job"]
    # It names files in the coordinator's folder, so it must not lead out of their folder.
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise JobFileError(f"{path}: job must be a name of at most 60 letters, digits, dots, dashes and underscores")
    return value


def _whole(fields: dict[str, object], name: str, path: Path, *, most: int) -> int:
    value = fields[name]
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise JobFileError(f"{path}: {name} must be a whole number from 1 to {most}")
    return value


def _scaled(fields: dict[str, object], name: str, unit: int, path: Path) -> int:
    try:
        value = Decimal(str(fields[name])) * unit
    except InvalidOperation:
        value = Decimal(-1)
    if value <= 0 or value != value.to_integral_value():
        raise JobFileError(f"{path}: {name} must be a positive number with steps of 1/{unit}")
    return int(value)


def _credits(fields: dict[str, object], name: str, path: Path) -> int | None:
    """Return an amount in 1e-18 credit, or None where the file names none."""
    if name not in fields:
        return None
    try:
        amount = Decimal(str(fields[name]))
    except InvalidOperation:
        amount = Decimal("NaN")
    scaled = amount * CREDIT if amount.is_finite() and 0 <= amount <= MAX_CREDITS else None
    if isinstance(fields[name], bool) or scaled is None or scaled != scaled.to_integral_value():
        raise JobFileError(f"{path}: {name} must be credits from 0 to {MAX_CREDITS}, with at most 18 decimals")
    return int(scaled)


def _bits(fields: dict[str, object], name: str, known: dict[str, int], path: Path) -> int:
    words = fields[name]
    if not isinstance(words, list) or not words or not set(map(str, words)) <= set(known):
        raise JobFileError(f"{path}: {name} must be one or more of {sorted(known)}")
    return sum(1 << known[word] for word in set(map(str, words)))


def _candidates(fields: dict[str, object], schema: DataSchema, rounds: int, path: Path) -> tuple[Candidate, ...]:
    from dataclasses import replace

    known = {candidate.name: replace(candidate, rounds=rounds) for candidate in default_candidates(schema)}
    names = fields["candidates"]
    if not isinstance(names, list) or not names or not set(map(str, names)) <= set(known):
        raise JobFileError(f"{path}: candidates must be a list of {sorted(known)}, in the order to try them")
    return tuple(known[str(name)] for name in names)
