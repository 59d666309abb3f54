"""Federated logistic regression: FedAvg with one local step a round, in private sums.

With one full local step the average of local models equals a step along the average gradient
(McMahan et al. 2017, arXiv:1602.05629, section 2: FedSGD is FedAvg with E = 1 and B = ∞), so
owners send summed gradients and the coordinator takes the step. Each record's gradient is
clipped FIRST and then weighted: clipping last would undo the weights. Noise is the owner's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.training.canonical import Document, Json, expect_keys, read_integer, read_integers
from agents.training.errors import TaskError
from agents.training.features import features_of, labels, unit_matrix
from agents.training.noise import NoiseSource, noise_vector
from agents.training.preprocessing import Preprocessing, feature_moments, record_weights_micros
from agents.training.privacy import MICROS, NANOS
from agents.training.rows import Row
from agents.training.task import Candidate, TrainingTask

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_WEIGHT_NANOS = 1000 * NANOS
MAX_UPDATE_NANOS = 10**24


@dataclass(frozen=True, slots=True)
class RoundRequest:
    """What the coordinator sends to every owner in a round, beside the task they know."""

    candidate: int
    """Place of the candidate in the task, counted from 0."""
    round: int
    """Counted from 0 within the candidate."""
    weights_nanos: tuple[int, ...]
    """The model so far: intercept first, then one weight per feature."""
    preprocessing: Preprocessing

    def to_json(self) -> Document:
        """Return the request as JSON."""
        return {
            "candidate": self.candidate,
            "round": self.round,
            "weights_nanos": list(self.weights_nanos),
            "preprocessing": self.preprocessing.to_json(),
        }

    @classmethod
    def from_json(cls, document: Json, task: TrainingTask) -> "RoundRequest":
        """Read a request and check that it fits the task.

        Raises
        ------
        TaskError
            If it is malformed, or candidate, round or number of weights are not of the task.
        """
        keys = ("candidate", "round", "weights_nanos", "preprocessing")
        fields = expect_keys(document, keys, "round request")
        request = cls(
            candidate=read_integer(fields, "candidate", maximum=len(task.candidates) - 1),
            round=read_integer(fields, "round"),
            weights_nanos=read_integers(fields, "weights_nanos", minimum=-MAX_WEIGHT_NANOS),
            preprocessing=Preprocessing.from_json(fields["preprocessing"], task.schema),
        )
        request.check(task)
        return request

    def check(self, task: TrainingTask) -> None:
        """Refuse a request that does not fit the task."""
        candidate = task.candidate(self.candidate)
        if not 0 <= self.round < candidate.rounds:
            raise TaskError(f"{candidate.name} has {candidate.rounds} rounds, not {self.round + 1}")
        if len(self.weights_nanos) != update_length(task, self.candidate):
            raise TaskError(
                f"{len(self.weights_nanos)} weights, {candidate.name} has {update_length(task, self.candidate)}"
            )
        if max(map(abs, self.weights_nanos)) > MAX_WEIGHT_NANOS:
            raise TaskError("a weight beyond 1000 is no sound model")


@dataclass(frozen=True, slots=True)
class ServerState:
    """The coordinator's model between rounds, in integers."""

    weights_nanos: tuple[int, ...]
    velocity_nanos: tuple[int, ...]

    def to_json(self) -> Document:
        """Return the state as JSON."""
        return {
            "weights_nanos": list(self.weights_nanos),
            "velocity_nanos": list(self.velocity_nanos),
        }

    @classmethod
    def from_json(cls, document: Json) -> "ServerState":
        """Read a state that was stored."""
        fields = expect_keys(document, ("weights_nanos", "velocity_nanos"), "server state")
        return cls(
            weights_nanos=read_integers(fields, "weights_nanos"),
            velocity_nanos=read_integers(fields, "velocity_nanos"),
        )


def update_length(task: TrainingTask, candidate: int) -> int:
    """Return the length of a model and of an update: the intercept and one per feature."""
    return 1 + len(features_of(task.schema, task.candidate(candidate).dropped))


def initial_state(task: TrainingTask, candidate: int) -> ServerState:
    """Return the model before round 0: all zero."""
    zeros = (0,) * update_length(task, candidate)
    return ServerState(weights_nanos=zeros, velocity_nanos=zeros)


def update_sigma_nanos(task: TrainingTask, candidate: int) -> int:
    """Return the standard deviation of an owner's noise per coordinate, C × cap × σ, in nanos."""
    spec = task.candidate(candidate)
    product = spec.clip_micros * spec.weight_cap_micros * task.sigmas.round_micros
    return -(-product // NANOS)


def local_update(
    request: RoundRequest, rows: Sequence[Row], task: TrainingTask, *, noise: NoiseSource
) -> tuple[int, ...]:
    """Return an owner's noised sum of clipped, weighted gradients, in nanos.

    u = Σᵢ wᵢ · gᵢ · min(1, C / ‖gᵢ‖) + N(0, (C·W·σ)² I), with gᵢ the gradient of record i's
    logistic loss, wᵢ ≤ W its weight. Clip and cap come from the signed task, never from the
    request. One record changes the sum by at most C·W, so the noise multiplier is σ.

    Answer each (candidate, round) once and keep the answer: sending it again costs nothing,
    drawing fresh noise for it spends the privacy again.

    Parameters
    ----------
    request
        The round's model and preprocessing.
    rows
        The owner's training rows; their number is a term of its agreement.
    task
        The signed task.
    noise
        Source of the owner's noise.
    """
    request.check(task)
    exact = exact_update(request, rows, task)
    purpose = f"{task.job}|{task.candidate(request.candidate).name}|{request.round}"
    scale = update_sigma_nanos(task, request.candidate)
    drawn = noise_vector(scale, len(exact), noise.stream(purpose))
    return tuple(a + b for a, b in zip(exact, drawn, strict=True))


def exact_update(request: RoundRequest, rows: Sequence[Row], task: TrainingTask) -> tuple[int, ...]:
    """Return the clipped, weighted sum before noise, in nanos. It never leaves the owner."""
    import numpy as np

    candidate = task.candidate(request.candidate)
    inputs = design_matrix(rows, task, candidate, request.preprocessing)
    weights = np.array(request.weights_nanos, dtype=np.float64) / NANOS
    residuals = sigmoid(inputs @ weights) - labels(rows, task.schema)
    gradients = clip_rows(residuals[:, None] * inputs, candidate.clip_micros / MICROS)
    per_record = gradients * _weights(rows, task, candidate, request.preprocessing)[:, None]
    # Toward zero, so that rounding never lengthens a record's share beyond clip × cap.
    nanos = np.trunc(per_record * NANOS).astype(np.int64)
    return tuple(int(value) for value in nanos.sum(axis=0))


def design_matrix(
    rows: Sequence[Row], task: TrainingTask, candidate: Candidate, preprocessing: Preprocessing
) -> "NDArray[np.float64]":
    """Return standardised inputs with a leading column of ones, shape (rows, 1 + features).

    What is not known is 0 after standardising, which is the mean.
    """
    import numpy as np

    means, scales = feature_moments(task.schema, preprocessing, candidate.dropped)
    units = unit_matrix(rows, task.schema, candidate.dropped)
    standard = (units - np.array(means) / NANOS) / (np.array(scales) / NANOS)
    return np.hstack([np.ones((len(rows), 1)), np.nan_to_num(standard, nan=0.0)])


def clip_rows(gradients: "NDArray[np.float64]", bound: float) -> "NDArray[np.float64]":
    """Shorten each row to an L2 norm of at most ``bound``; shorter rows stay as they are."""
    import numpy as np

    norms = np.linalg.norm(gradients, axis=1, keepdims=True)
    factors = np.minimum(1.0, bound / np.maximum(norms, 1e-12))
    return np.asarray(gradients * factors, dtype=np.float64)


def sigmoid(scores: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Return 1 / (1 + e^−x) without overflow."""
    import numpy as np

    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(scores, -40.0, 40.0))), dtype=np.float64)


def aggregate(updates: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """Add updates element by element, exactly; the order of owners does not matter.

    Raises
    ------
    TaskError
        If there are none, lengths differ, or an element is no integer of sound size.
    """
    if not updates or len({len(update) for update in updates}) != 1:
        raise TaskError(f"updates of one length are needed, not {[len(u) for u in updates][:20]}")
    for update in updates:
        for value in update:
            if isinstance(value, bool) or not isinstance(value, int):
                raise TaskError(f"an update holds integers, not {value!r:.40}")
            if abs(value) > MAX_UPDATE_NANOS:
                raise TaskError(f"an update of {value} nanos is beyond any sound size")
    return tuple(map(sum, zip(*updates, strict=True)))


def check_update(update: Sequence[int], task: TrainingTask, *, candidate: int, owner: str) -> None:
    """Refuse an update that no honest owner could have sent.

    This bounds what a careless or broken owner can do. It is an honest-client bound: an owner
    that cheats stays inside it and still sends what it likes.

    Raises
    ------
    TaskError
        If the length is wrong or a number is larger than rows × clip × cap and ten sigma.
    """
    spec = task.candidate(candidate)
    if len(update) != update_length(task, candidate):
        raise TaskError(f"{owner}: {len(update)} numbers do not fit {spec.name}")
    per_record_nanos = spec.clip_micros * spec.weight_cap_micros // 1000
    limit = task.rows_of([owner]) * per_record_nanos + 10 * update_sigma_nanos(task, candidate)
    largest = max(map(abs, update))
    if largest > limit:
        raise TaskError(f"{owner}: an update of {largest} nanos, at most {limit} are possible")


def server_step(
    state: ServerState, total_nanos: Sequence[int], task: TrainingTask, *, candidate: int, rows: int
) -> ServerState:
    """Take one step along the average gradient, with momentum and ridge penalty.

    v ← m·v + (Σ u + λ·w) / n and w ← w − η·v, the intercept unpenalised. In integers, each
    quotient rounded to the nearest nano, halves up, so that any auditor gets the same model.

    Parameters
    ----------
    state
        Model and velocity before the step.
    total_nanos
        Sum of the owners' updates.
    task, candidate
        Whose rate η, momentum m and penalty λ apply.
    rows
        Training rows n of the owners behind the sum: ``task.rows_of(owners)``.
    """
    spec = task.candidate(candidate)
    if not len(total_nanos) == len(state.weights_nanos) == update_length(task, candidate):
        raise TaskError(f"an update of {len(total_nanos)} numbers does not fit {spec.name}")
    if rows < 1:
        raise TaskError(f"{rows} rows behind an update")
    penalties = (0, *(spec.l2_micros for _ in state.weights_nanos[1:]))
    velocity, weights = [], []
    for w, v, u, l2 in zip(state.weights_nanos, state.velocity_nanos, total_nanos, penalties, strict=True):
        v_next = _nearest(spec.momentum_micros * v, MICROS)
        v_next += _nearest(u * MICROS + l2 * w, rows * MICROS)
        velocity.append(v_next)
        weights.append(w - _nearest(spec.learning_rate_micros * v_next, MICROS))
    return ServerState(weights_nanos=tuple(weights), velocity_nanos=tuple(velocity))


def _nearest(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


def _weights(
    rows: Sequence[Row], task: TrainingTask, candidate: Candidate, preprocessing: Preprocessing
) -> "NDArray[np.float64]":
    import numpy as np

    if not candidate.reweighed:
        # A cap below 1 must hold for unweighted records, too.
        return np.full(len(rows), min(MICROS, candidate.weight_cap_micros) / MICROS)
    micros = record_weights_micros(rows, task.schema, preprocessing, cap_micros=candidate.weight_cap_micros)
    return np.array(micros, dtype=np.float64) / MICROS
