"""What owners contributed: Shapley values as the definition gives them, the same for every juror, tied to the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import permutations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from agents.training import contributions as module
from agents.training.card import ModelCard
from agents.training.client import TrainingChild
from agents.training.contributions import OwnersRound, contributions
from agents.training.errors import DataError, TaskError
from agents.training.federated import ServerState, aggregate, design_matrix, initial_state, server_step
from agents.training.privacy import NANOS
from agents.training.rows import label_of
from tests.training_cases import heart_release, pooled_evaluation

ROUNDS = 3


@cache
def honest() -> tuple[ModelCard, bytes, list[OwnersRound]]:
    return heart_release(rounds=ROUNDS)


def parts(weights: dict[str, int]) -> dict[str, float]:
    return {owner: weight / sum(weights.values()) for owner, weight in weights.items()}


def by_definition(card: ModelCard, rounds: Sequence[OwnersRound]) -> dict[str, float]:
    """Return the owners' parts: the mean over all orders of what each adds, AUC by scikit-learn."""
    task, rows = card.task, pooled_evaluation()
    inputs = design_matrix(rows, task, card.spec, card.preprocessing)
    truth = [label_of(row, task.schema) for row in rows]
    found, state = dict.fromkeys((entry.owner for entry in task.owners), 0.0), initial_state(task, 0)

    def step(played: OwnersRound, places: Sequence[int]) -> ServerState:
        owners = [played.owners[place] for place in places] or list(played.owners)
        total = aggregate([played.updates[place] for place in places]) if places else (0,) * len(state.weights_nanos)
        return server_step(state, total, task, candidate=0, rows=task.rows_of(owners))

    def auc(played: OwnersRound, places: Sequence[int]) -> float:
        weights = np.array(step(played, places).weights_nanos) / NANOS
        return float(roc_auc_score(truth, inputs @ weights))

    for played in rounds[1:]:
        orders = list(permutations(range(len(played.owners))))
        for order in orders:
            for size, place in enumerate(order):
                gain = auc(played, order[: size + 1]) - auc(played, order[:size])
                found[played.owners[place]] += gain / len(orders)
        state = step(played, range(len(played.owners)))
    kept = {owner: max(0.0, value) for owner, value in found.items()}
    return {owner: value / sum(kept.values()) for owner, value in kept.items()}


def test_the_parts_are_those_of_shapleys_definition() -> None:
    card, artifact, rounds = honest()

    found = parts(contributions(card, artifact, rounds, pooled_evaluation()))

    expected = by_definition(card, rounds)
    for owner, part in found.items():
        assert part == pytest.approx(expected[owner], abs=0.002), owner


def test_an_owner_whose_updates_harm_the_model_gets_nothing() -> None:
    card, artifact, rounds = heart_release(lambda o, u: tuple(-x for x in u) if o == "hungary" else u, rounds=ROUNDS)

    found = contributions(card, artifact, rounds, pooled_evaluation())

    assert found["hungary"] == 0
    assert sum(found.values()) > 0


def test_the_order_of_rows_and_owners_changes_no_weight() -> None:
    card, artifact, rounds = honest()
    turned = [OwnersRound(each.owners[::-1], each.updates[::-1]) for each in rounds]

    found = contributions(card, artifact, turned, pooled_evaluation()[::-1])

    assert found == contributions(card, artifact, rounds, pooled_evaluation())


def test_the_child_finds_the_same_as_the_library() -> None:
    card, artifact, rounds = honest()

    with TrainingChild() as child:
        found = child.weigh_owners(card.to_bytes(), artifact, rounds, pooled_evaluation())

    assert found == contributions(card, artifact, rounds, pooled_evaluation())


def test_many_owners_are_weighed_by_orders_that_everybody_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    card, artifact, rounds = honest()
    exact = parts(contributions(card, artifact, rounds, pooled_evaluation()))
    monkeypatch.setattr(module, "MAX_EXACT_OWNERS", 0)

    drawn = contributions(card, artifact, rounds, pooled_evaluation())

    assert drawn == contributions(card, artifact, rounds, pooled_evaluation())
    assert parts(drawn) != exact
    for owner, part in parts(drawn).items():
        assert part == pytest.approx(exact[owner], abs=0.06), owner


@pytest.mark.parametrize("number", [0, 1, ROUNDS])
def test_updates_that_do_not_lead_to_the_card_are_refused(number: int) -> None:
    card, artifact, rounds = honest()
    altered = rounds[number].updates[0]
    updates = ((altered[0] + 10**8, *altered[1:]), *rounds[number].updates[1:])
    forged = [*rounds[:number], replace(rounds[number], updates=updates), *rounds[number + 1 :]]

    with pytest.raises(TaskError, match=r"round of statistics gives|lead to the card's model"):
        contributions(card, artifact, forged, pooled_evaluation())


def test_another_file_than_the_cards_is_refused() -> None:
    card, artifact, rounds = honest()

    with pytest.raises(TaskError, match="is not the card's"):
        contributions(card, artifact + b"\0", rounds, pooled_evaluation())


@pytest.mark.parametrize("kept", [slice(0), slice(1), slice(ROUNDS)])
def test_missing_rounds_are_refused(kept: slice) -> None:
    card, artifact, rounds = honest()

    with pytest.raises(TaskError):
        contributions(card, artifact, rounds[kept], pooled_evaluation())


def test_a_few_rows_measure_nobody() -> None:
    card, artifact, rounds = honest()

    with pytest.raises(DataError, match="fewer than 10"):
        contributions(card, artifact, rounds, pooled_evaluation()[:15])
