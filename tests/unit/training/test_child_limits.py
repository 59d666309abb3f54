"""The parent's side of the child: requests too large, answers too late, and models replayed."""

import pytest

from agents.training import (
    ChildError,
    RoundRequest,
    RoundTotal,
    SeededNoise,
    TaskError,
    TrainingChild,
    aggregate,
    initial_state,
    local_update,
    replay_rounds,
    server_step,
)
from tests.training_cases import heart_preprocessing, heart_rows, heart_schema, heart_task, pooled_evaluation


def test_a_request_over_ten_megabytes_starts_no_child() -> None:
    child = TrainingChild()

    with pytest.raises(ChildError, match="at most 10000000"):
        child.evaluate(bytes(8_000_000), [], heart_schema())

    assert child.pid is None


def test_a_child_that_takes_too_long_is_killed() -> None:
    child = TrainingChild(timeout_s=0.01)

    with pytest.raises(ChildError, match=r"evaluate: no answer in 0\.01 s; killed"):
        child.evaluate(b"no artifact", pooled_evaluation(), heart_schema())

    assert child.pid is None


def test_replayed_sums_give_the_trained_model() -> None:
    task = heart_task()
    preprocessing, state = heart_preprocessing(task), initial_state(task, 2)
    owners, totals = tuple(entry.owner for entry in task.owners), []
    for index in range(3):
        # One owner is lost in the last round, and so are its rows from the denominator.
        present = owners[:3] if index == 2 else owners
        request = RoundRequest(2, index, state.weights_nanos, preprocessing)
        sent = [local_update(request, heart_rows()[o], task, noise=SeededNoise(0, o)) for o in present]
        totals.append(RoundTotal(present, aggregate(sent)))
        state = server_step(state, totals[-1].total_nanos, task, candidate=2, rows=task.rows_of(present))

    replayed = replay_rounds(task, [RoundTotal.from_json(total.to_json()) for total in totals], candidate=2)

    assert replayed == state
    assert replay_rounds(task, totals[:2], candidate=2) != state
    with pytest.raises(TaskError, match="not in the task"):
        replay_rounds(task, [RoundTotal(("stranger",), totals[0].total_nanos)], candidate=2)
