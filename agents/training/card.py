"""The model card: everything needed to recompute sigma, rebuild the file, and know its limits."""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.training.artifact import build_artifact, content_address, library_versions
from agents.training.canonical import (
    Document,
    Json,
    canonical_json,
    expect_keys,
    parse_document,
    read_integer,
    read_integers,
    read_list,
    read_text,
    read_texts,
)
from agents.training.errors import TaskError
from agents.training.features import features_of
from agents.training.preprocessing import Preprocessing
from agents.training.privacy import MICROS, NANOS
from agents.training.task import Candidate, TrainingTask, sigma_for

VERSION = 2
EXCEPTIONS = (
    "Each owner's number of training rows is public: it is a term of its agreement.",
    "Evaluation is outside epsilon: facts about evaluation rows are rounded to .01, not noised.",
    "Protection is per record: a person with several records is protected once per record.",
)


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is published with an artifact."""

    task: TrainingTask
    candidate: int
    """Place of the candidate in the task."""
    weights_nanos: tuple[int, ...]
    """Intercept first, then one weight per feature."""
    preprocessing: Preprocessing
    statistics_owners: tuple[str, ...]
    """Owners behind the sums of preprocessing."""
    owners_per_round: tuple[tuple[str, ...], ...]
    """Owners behind the sum of each round, in order."""
    seeded_owners: tuple[str, ...]
    """Owners whose noise was seeded, so that whoever knows the seed can subtract it."""
    artifact_sha256: str
    libraries: Document
    """Versions that the artifact's bytes depend on."""
    rounds_sha256: str = ""
    """Of the document with every owner's updates, by which contributions are measured; empty when not published."""

    @property
    def noise_is_seeded(self) -> bool:
        """Whether any owner's noise was seeded: such a run has no privacy."""
        return bool(self.seeded_owners)

    @property
    def spec(self) -> Candidate:
        """The candidate that was trained."""
        return self.task.candidate(self.candidate)

    def to_json(self) -> Document:
        """Return the card as JSON, integers only."""
        return {
            "version": VERSION,
            "task_digest": self.task.digest,
            "task": self.task.to_json(),
            "candidate": self.candidate,
            "candidate_name": self.spec.name,
            "weights_nanos": list(self.weights_nanos),
            "preprocessing": self.preprocessing.to_json(),
            "statistics_owners": list(self.statistics_owners),
            "owners_per_round": [list(owners) for owners in self.owners_per_round],
            "seeded_owners": list(self.seeded_owners),
            "noise_is_seeded": int(self.noise_is_seeded),
            "artifact_sha256": self.artifact_sha256,
            "libraries": dict(self.libraries),
            "rounds_sha256": self.rounds_sha256,
            "outside_epsilon": list(EXCEPTIONS),
        }

    def to_bytes(self) -> bytes:
        """Return the card as canonical JSON; its SHA-256 is the card's content address."""
        return canonical_json(self.to_json())

    @classmethod
    def from_bytes(cls, content: bytes) -> "ModelCard":
        """Read a card that somebody else wrote.

        Raises
        ------
        TaskError, DataError, PrivacyError
            If it is malformed, contradicts itself, or its noise is too small for its epsilon.
        """
        fields = expect_keys(parse_document(content, "model card"), _KEYS, "model card")
        task = TrainingTask.from_json(fields["task"])
        card = cls(
            task=task,
            candidate=read_integer(fields, "candidate", maximum=len(task.candidates) - 1),
            weights_nanos=read_integers(fields, "weights_nanos"),
            preprocessing=Preprocessing.from_json(fields["preprocessing"], task.schema),
            statistics_owners=read_texts(fields, "statistics_owners"),
            owners_per_round=tuple(map(_names, read_list(fields, "owners_per_round", longest=100))),
            seeded_owners=read_texts(fields, "seeded_owners"),
            artifact_sha256=read_text(fields, "artifact_sha256", longest=64),
            libraries=_versions(fields["libraries"]),
            rounds_sha256=read_text(fields, "rounds_sha256", longest=64),
        )
        if card.to_bytes() != content:
            raise TaskError("model card: not canonical, or a derived field does not fit the rest")
        return card

    def to_markdown(self) -> str:
        """Return the card for a person to read."""
        return "\n".join([*_heading(self), *_privacy(self), *_inputs(self), *_weights(self), ""])


_KEYS = (
    "version",
    "task_digest",
    "task",
    "candidate",
    "candidate_name",
    "weights_nanos",
    "preprocessing",
    "statistics_owners",
    "owners_per_round",
    "seeded_owners",
    "noise_is_seeded",
    "artifact_sha256",
    "libraries",
    "rounds_sha256",
    "outside_epsilon",
)


def make_release(
    task: TrainingTask,
    *,
    candidate: int,
    weights_nanos: Sequence[int],
    preprocessing: Preprocessing,
    statistics_owners: Sequence[str],
    owners_per_round: Sequence[Sequence[str]],
    seeded_owners: Sequence[str] = (),
    rounds_sha256: str = "",
) -> tuple[bytes, ModelCard]:
    """Build the artifact of a trained candidate, and its card.

    Parameters
    ----------
    task, candidate
        What was trained.
    weights_nanos
        The model after the last round.
    preprocessing
        From the noised sums.
    statistics_owners
        The owners behind those sums.
    owners_per_round
        The owners behind the sum of each round.
    seeded_owners
        Owners that said that their noise was seeded.
    rounds_sha256
        SHA-256 of the published updates, 64 hex digits.

    Returns
    -------
    tuple of bytes and ModelCard
        The artifact and the card that names its SHA-256.
    """
    dropped = task.candidate(candidate).dropped
    artifact = build_artifact(weights_nanos, task.schema, preprocessing, dropped=dropped)
    card = ModelCard(
        task=task,
        candidate=candidate,
        weights_nanos=tuple(weights_nanos),
        preprocessing=preprocessing,
        statistics_owners=tuple(statistics_owners),
        owners_per_round=tuple(tuple(owners) for owners in owners_per_round),
        seeded_owners=tuple(sorted(set(seeded_owners))),
        artifact_sha256=content_address(artifact),
        libraries=library_versions(),
        rounds_sha256=rounds_sha256,
    )
    return artifact, card


def check_release(card: ModelCard, artifact: bytes) -> None:
    """Recompute sigma and rebuild the artifact from its card alone.

    Raises
    ------
    TaskError
        If the noise is not what the terms ask for, or the file is not the card's model. The
        bytes can only be compared with the same library versions; otherwise it says so.
    """
    if content_address(artifact) != card.artifact_sha256:
        raise TaskError(f"artifact {content_address(artifact)[:8]} is not the card's {card.artifact_sha256[:8]}")
    if sigma_for(card.task) != card.task.sigmas:
        raise TaskError(f"sigma of the card {card.task.sigmas}, recomputed {sigma_for(card.task)}")
    if dict(card.libraries) != library_versions():
        raise TaskError(
            f"the artifact was built with {dict(card.libraries)}, here is {library_versions()}: "
            f"install the same versions to compare bytes"
        )
    rebuilt = build_artifact(card.weights_nanos, card.task.schema, card.preprocessing, dropped=card.spec.dropped)
    if rebuilt != artifact:
        raise TaskError("the artifact is not the model that its card describes")


def _heading(card: ModelCard) -> list[str]:
    warning = "**Noise is seeded: no privacy.** This run is a demonstration on public data."
    return [
        f"# {card.task.schema.title} ({card.spec.name})",
        "",
        *([warning, ""] if card.noise_is_seeded else []),
        f"Logistic regression by federated averaging, job `{card.task.job}`.",
        f"Artifact SHA-256 `{card.artifact_sha256}`; task `{card.task.digest}`.",
        (
            f"{len(card.task.owners)} owners, {sum(o.rows for o in card.task.owners)} training rows, "
            f"{card.spec.rounds} rounds."
        ),
        (
            f"Not seen by the model: {', '.join(card.spec.dropped) or 'nothing'}. "
            f"Reweighed by group and label: {'yes' if card.spec.reweighed else 'no'}."
        ),
        "",
    ]


def _privacy(card: ModelCard) -> list[str]:
    budget, sigmas = card.task.budget, card.task.sigmas
    return [
        "## Privacy",
        "",
        (
            f"Record-level differential privacy, zero-out neighbours: epsilon "
            f"{budget.epsilon_micros / MICROS:g}, delta {budget.delta_e12 / 10**12:g} over all "
            f"{len(card.task.candidates)} candidates, {budget.rounds} rounds and preprocessing."
        ),
        (
            f"Noise multipliers: {sigmas.round_micros / MICROS:g} a round, "
            f"{sigmas.statistics_micros / MICROS:g} for sums, {sigmas.counts_micros / MICROS:g} for "
            f"counts; clip {card.spec.clip_micros / MICROS:g}, weight cap "
            f"{card.spec.weight_cap_micros / MICROS:g}."
        ),
        *(f"- {exception}" for exception in EXCEPTIONS),
        "",
    ]


def _inputs(card: ModelCard) -> list[str]:
    lines = [
        "## Input",
        "",
        (
            "A table with these columns in this order. Numbers are floats, booleans 0 or 1, NaN where "
            "not known; categories are texts, empty where not known."
        ),
        "",
        "| column | type | bounds or values |",
        "|---|---|---|",
    ]
    for column in card.task.schema.features:
        allowed = ", ".join(column.values) or f"{column.lower or 0} to {column.upper or 1}"
        lines.append(f"| {column.name} | {column.type.value} | {allowed} |")
    return [*lines, "", "Load with `skops.io.load(file, trusted=['numpy.dtype'])`.", ""]


def _weights(card: ModelCard) -> list[str]:
    names = ["intercept", *(f.name for f in features_of(card.task.schema, card.spec.dropped))]
    pairs = zip(names, card.weights_nanos, strict=True)
    rows = [f"| {name} | {weight / NANOS:.3f} |" for name, weight in pairs]
    return ["## Weights", "", "| feature (standardised) | weight |", "|---|---|", *rows]


def _names(entry: Json) -> tuple[str, ...]:
    return read_texts({"owners": entry}, "owners")


def _versions(entry: Json) -> Document:
    fields = expect_keys(entry, tuple(library_versions()), "libraries")
    return {name: read_text(fields, name, longest=40) for name in fields}
