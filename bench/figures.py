"""What the benchmark measured, as it is written to disk; every number an integer with its unit."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from folkmoot.files import write_atomically
from governance.errors import FolkmootError

MICROS = 1_000_000


class FiguresError(FolkmootError):
    """A file of figures cannot be read, or a figure cannot be measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where it was measured."""

    cores: int
    python: str
    system: str
    load_milli: int
    """Load average of the last minute at the start: above 0 somebody else was working too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One candidate of one job."""

    name: str
    facts_micros: dict[str, int]
    intervals_micros: dict[str, tuple[int, int]]
    """Ends of the 90 % interval that a jury reports beside a fact."""
    failed: list[str]
    """Ids of the policy's rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """All candidates of one job, trained in one process."""

    split_seed: int
    noise_seed: int | None
    """None where nobody added noise, which no real job may do."""
    positives: dict[str, int]
    """Evaluation rows with the condition, by group: what a TPR gap is counted on."""
    candidates: list[Measured]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """AUC on each owner's evaluation rows by arm, for one seed of split and noise."""

    seed: int
    auc_micros: dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Gas of one step of a vote here and with a bare OpenZeppelin Governor."""

    name: str
    bare_gas: int
    our_gas: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """All transactions of one kind in a stretch of a chain."""

    name: str
    count: int
    gas: int
    """Of all of them together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voting:
    """Both governors on one chain."""

    steps: list[Step]
    refusal_gas: int
    """Of recording a refusal, which a bare Governor does not know."""
    members: int
    rules: int
    """Rules of the policy in force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demonstration:
    """One run of ``folkmoot demo``, by the wall clock."""

    outcome: str
    job: list[Measured]
    round_millis: list[int]
    """From one anchored round to the next of the same candidate."""
    load_milli: int
    """Load average of the last minute at the start; above the number of cores, everything took longer."""
    total_millis: int
    founding_millis: int
    job_millis: int
    calls: list[Call]
    """From the opening of the job to the last payment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Everything; a part that was not measured yet is empty."""

    inputs: str
    """SHA-256 of what the figures depend on: code, data, rules and contracts."""
    commit: str
    machine: Machine
    seeds: int
    jobs: list[Job]
    """Split and noise differ from seed to seed."""
    noise_only: list[Job]
    """Always the split of seed 0; only the noise differs."""
    exact: list[Job]
    """The same splits as ``jobs``, without noise."""
    heart: list[Comparison]
    lending: list[Comparison]
    voting: Voting | None = None
    demonstration: Demonstration | None = None


_FIGURES = TypeAdapter(Figures)


def load(path: Path) -> Figures:
    """Read a file of figures.

    Raises
    ------
    FiguresError
        If it is missing or is not of this form.
    """
    try:
        return _FIGURES.validate_json(path.read_bytes(), strict=True)
    except OSError as error:
        raise FiguresError(f"cannot read {path}: {error.strerror}; `make bench` writes it") from error
    except ValidationError as error:
        raise FiguresError(f"{path} is not a file of figures; delete it and run `make bench`") from error


def save(path: Path, figures: Figures) -> None:
    """Replace a file of figures in one step, so that an interruption leaves the old or the new one."""
    write_atomically(path, _FIGURES.dump_json(figures, indent=1) + b"\n")
