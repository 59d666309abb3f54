"""What each owner's updates did for a candidate: federated Shapley values on the jury's rows.

In a round r with owners N the coalition S ⊆ N moves the model by its own updates alone, and is
worth v_r(S) = U(step(state_r, Σ_{i∈S} u_i)) − U(step(state_r, 0)): U is the area under the ROC
curve on the evaluation rows, and the empty coalition's step is momentum and penalty alone. The
owner's value is φ_i = Σ_r Σ_{S ∌ i} |S|! (|N|−|S|−1)! / |N|! · (v_r(S ∪ i) − v_r(S))
(Wang, Rausch, Zhang, Jia and Song 2020, arXiv:2009.06192, definition 1, with full participation).

Integers and exact fractions only, no BLAS: all jurors with the same rounds and rows find the same
values on any machine. Limits: the values hold the noise of differential privacy, depend on the
evaluation rows, and pay two owners with the same data less than one of them alone.
"""

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING

from agents.training.card import ModelCard, check_release
from agents.training.errors import DataError, TaskError
from agents.training.federated import (
    ServerState,
    aggregate,
    check_update,
    design_matrix,
    initial_state,
    server_step,
)
from agents.training.metrics import MIN_GROUP
from agents.training.preprocessing import check_statistics, derive_preprocessing
from agents.training.rows import Row, label_of
from agents.training.task import TrainingTask

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_SCORINGS = 100_000_000
"""Rows scored for all coalitions together; more are drawn instead of counted."""
MAX_EXACT_OWNERS = 12
MAX_ORDERS = 100
INPUT_UNIT = 10_000
"""Standardised inputs are rounded to 1e-4; none is beyond 14, since no column is stretched by more than 1 / .15."""
MAX_WEIGHT_MICROS = 10**10


@dataclass(frozen=True, slots=True)
class OwnersRound:
    """One round as it was published: the owners and what each of them sent."""

    owners: tuple[str, ...]
    updates: tuple[tuple[int, ...], ...]
    """In nanos; same order as ``owners``."""


def contributions(
    card: ModelCard, artifact: bytes, rounds: Sequence[OwnersRound], rows: Sequence[Row]
) -> dict[str, int]:
    """Return a weight for each owner of the task: its Shapley value, none below zero, as whole numbers.

    Only their ratios mean anything. All are zero when nobody's updates made the model better.

    Parameters
    ----------
    card, artifact
        The candidate; the rounds must lead to exactly this file.
    rounds
        The round of statistics, then those of the candidate in order.
    rows
        Evaluation rows of all owners together; their order does not matter.

    Raises
    ------
    TaskError
        If the rounds are not those of the card, or the file is another model than theirs.
    DataError
        If the rows are too few to measure by.
    """
    task, first, later = card.task, rounds[0] if rounds else OwnersRound((), ()), rounds[1:]
    check_release(card, artifact)
    _check(task, card.candidate, rounds)
    if derive_preprocessing(aggregate(first.updates), task, owners=first.owners) != card.preprocessing:
        raise TaskError("the card's preprocessing is not what the round of statistics gives")
    if len(later) != card.spec.rounds:
        raise TaskError(f"{len(later)} rounds of a candidate that has {card.spec.rounds}")
    utility = _utility(card, rows)
    values: dict[str, Fraction] = {entry.owner: Fraction(0) for entry in task.owners}
    state = initial_state(task, card.candidate)
    for number, played in enumerate(later):
        game = _Game(card, state, played, utility)
        seed = f"{card.artifact_sha256}|{number}"
        for owner, value in zip(played.owners, _shapley(game, len(rows) * len(later), seed), strict=True):
            values[owner] += value
        state = game.step(tuple(range(len(played.owners))))
    if state.weights_nanos != card.weights_nanos:
        raise TaskError("the rounds do not lead to the card's model")
    return _whole_numbers(values)


@dataclass(frozen=True, slots=True)
class _Game:
    """A round as a game of coalitions; a coalition is a sorted tuple of places."""

    card: ModelCard
    state: ServerState
    played: OwnersRound
    utility: "Callable[[tuple[int, ...]], int]"

    def step(self, coalition: tuple[int, ...]) -> ServerState:
        """Return the model after the step of a coalition."""
        task, spec = self.card.task, self.card.candidate
        if coalition:
            owners = [self.played.owners[place] for place in coalition]
            total = aggregate([self.played.updates[place] for place in coalition])
        else:
            owners, total = list(self.played.owners), (0,) * len(self.state.weights_nanos)
        return server_step(self.state, total, task, candidate=spec, rows=task.rows_of(owners))

    def worth(self, coalition: tuple[int, ...]) -> int:
        """Return the utility of the model after the step of a coalition."""
        return self.utility(self.step(coalition).weights_nanos)


def _check(task: TrainingTask, candidate: int, rounds: Sequence[OwnersRound]) -> None:
    for number, played in enumerate(rounds):
        if not played.owners or len(played.owners) != len(played.updates):
            raise TaskError(f"round {number} names {len(played.owners)} owners and {len(played.updates)} updates")
        for owner, update in zip(played.owners, played.updates, strict=True):
            if number == 0:
                check_statistics(update, task, owner=owner)
            else:
                check_update(update, task, candidate=candidate, owner=owner)


def _utility(card: ModelCard, rows: Sequence[Row]) -> "Callable[[tuple[int, ...]], int]":
    """Return a function from weights to the AUC on the rows, counted in halves of a pair."""
    import numpy as np

    task, spec = card.task, card.spec
    positive = np.array([label_of(row, task.schema) for row in rows], dtype=bool)
    if min(int(positive.sum()), int((~positive).sum())) < MIN_GROUP:
        raise DataError(f"fewer than {MIN_GROUP} positive or negative rows measure nobody's contribution")
    standard = design_matrix(rows, task, spec, card.preprocessing)
    inputs = np.rint(standard * INPUT_UNIT).astype(np.int64)

    def utility(weights_nanos: tuple[int, ...]) -> int:
        micros = [min(max(w // 1000, -MAX_WEIGHT_MICROS), MAX_WEIGHT_MICROS) for w in weights_nanos]
        scored = inputs @ np.array(micros, dtype=np.int64)
        return _half_pairs(scored, positive)

    return utility


def _half_pairs(scored: "NDArray[np.int64]", positive: "NDArray[np.bool_]") -> int:
    import numpy as np

    # Mann-Whitney, as the metric counts it: a tie is half a pair.
    ahead, behind = scored[positive], np.sort(scored[~positive])
    lower = np.searchsorted(behind, ahead, side="left")
    upper = np.searchsorted(behind, ahead, side="right")
    return int(lower.sum()) + int(upper.sum())


def _shapley(game: _Game, rows: int, seed: str) -> list[Fraction]:
    """Return the owners' values in a round.

    Parameters
    ----------
    rows
        Rows times rounds: what scoring one coalition in every round costs.
    seed
        Decides the orders where coalitions are too many.
    """
    count = len(game.played.owners)
    if count <= MAX_EXACT_OWNERS and (rows << count) <= MAX_SCORINGS:
        return _exact(game, count)
    orders = min(MAX_ORDERS, MAX_SCORINGS // (rows * count))
    bases = [_permutation(count, f"{seed}|{each}") for each in range(max(1, orders // count))]
    # Each order with all its rotations: every owner stands at every place equally often.
    return _sampled(game, count, [base[turn:] + base[:turn] for base in bases for turn in range(count)])


def _exact(game: _Game, count: int) -> list[Fraction]:
    places = range(count)
    worth = {coalition: game.worth(coalition) for size in range(count + 1) for coalition in combinations(places, size)}
    values = [0] * count
    for coalition, value in worth.items():
        for place in set(places) - set(coalition):
            with_it = tuple(sorted((*coalition, place)))
            orders = math.factorial(len(coalition)) * math.factorial(count - len(coalition) - 1)
            values[place] += orders * (worth[with_it] - value)
    return [Fraction(value, math.factorial(count)) for value in values]


def _sampled(game: _Game, count: int, orders: Sequence[Sequence[int]]) -> list[Fraction]:
    # Castro, Gomez and Tejada 2009: the mean of what a player adds to those before it.
    values, empty = [0] * count, game.worth(())
    for order in orders:
        before = empty
        for size in range(1, count + 1):
            after = game.worth(tuple(sorted(order[:size])))
            values[order[size - 1]] += after - before
            before = after
    return [Fraction(value, len(orders)) for value in values]


def _permutation(count: int, seed: str) -> list[int]:
    # Sorting by hash: the same everywhere, whatever a library's generator does.
    return sorted(range(count), key=lambda place: hashlib.sha256(f"{seed}|{place}".encode()).digest())


def _whole_numbers(values: dict[str, Fraction]) -> dict[str, int]:
    scale = math.lcm(*(value.denominator for value in values.values()))
    return {owner: max(0, int(value * scale)) for owner, value in values.items()}
