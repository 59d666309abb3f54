"""Rounds: what an owner sends, how sums and steps are taken, and how much noise there is."""

from __future__ import annotations

import statistics
from dataclasses import replace

import pytest

from agents.training import Candidate, RoundRequest, SeededNoise, SystemNoise, local_update
from agents.training.errors import PrivacyError, TaskError
from agents.training.federated import (
    aggregate,
    check_update,
    clip_rows,
    exact_update,
    initial_state,
    server_step,
    update_sigma_nanos,
)
from agents.training.privacy import MICROS, NANOS, delta_of, sigmas_for
from agents.training.task import TrainingTask, default_candidates, sigma_for
from tests.training_cases import heart_preprocessing, heart_rows, heart_schema, heart_task

OWNER = "switzerland"
DRAWS = 200


def first_request(task: TrainingTask, candidate: int) -> RoundRequest:
    state = initial_state(task, candidate)
    return RoundRequest(candidate, 0, state.weights_nanos, heart_preprocessing(task))


@pytest.mark.parametrize("candidate", [0, 1, 2])
def test_sent_updates_carry_the_noise_that_the_card_names(candidate: int) -> None:
    task = heart_task()
    request, rows = first_request(task, candidate), heart_rows()[OWNER]
    spec = task.candidate(candidate)
    exact = exact_update(request, rows, task)

    noise = [
        (sent - plain) / NANOS
        for _ in range(DRAWS)
        for sent, plain in zip(local_update(request, rows, task, noise=SystemNoise()), exact, strict=True)
    ]

    # Sigma as anybody recomputes it from the card's task, C and cap as its candidate states them.
    sigma = sigma_for(TrainingTask.from_json(task.to_json())).round_micros / MICROS
    expected = (spec.clip_micros / MICROS * spec.weight_cap_micros / MICROS * sigma) ** 2
    assert abs(statistics.pvariance(noise) / expected - 1) < 0.2
    assert abs(statistics.fmean(noise)) < 4 * expected**0.5 / len(noise) ** 0.5


def test_a_round_of_each_coordinate_has_that_noise_too() -> None:
    task = heart_task()
    request, rows = first_request(task, 0), heart_rows()[OWNER]
    exact = exact_update(request, rows, task)
    sigma = update_sigma_nanos(task, 0)

    draws = [local_update(request, rows, task, noise=SystemNoise()) for _ in range(DRAWS)]

    for place, plain in enumerate(exact):
        spread = statistics.pstdev([draw[place] - plain for draw in draws])
        assert 0.75 < spread / sigma < 1.25


def test_each_record_moves_the_sum_by_clip_times_cap_at_most() -> None:
    task = heart_task()
    for candidate, spec in enumerate(task.candidates):
        request, rows = first_request(task, candidate), heart_rows()[OWNER]
        whole = exact_update(request, rows, task)
        for left_out in range(0, len(rows), 7):
            rest = exact_update(request, (*rows[:left_out], *rows[left_out + 1 :]), task)

            moved = sum((a - b) ** 2 for a, b in zip(whole, rest, strict=True)) ** 0.5

            assert moved <= spec.clip_micros * spec.weight_cap_micros / 1000


def test_gradients_are_clipped_before_they_are_weighted() -> None:
    # A tiny clip makes every record's share exactly clip × weight long: the weights survive.
    reweighed = replace(default_candidates(heart_schema())[2], clip_micros=1000)
    task = heart_task(candidates=[reweighed])
    request, rows = first_request(task, 0), heart_rows()[OWNER]

    lengths = set()
    for row in rows:
        share = exact_update(request, (row,), task)
        lengths.add(round(sum(value**2 for value in share) ** 0.5 / NANOS / 0.001, 2))

    assert len(lengths) > 1
    assert max(lengths) <= reweighed.weight_cap_micros / MICROS


def test_a_short_gradient_is_not_stretched() -> None:
    import numpy as np

    rows = np.array([[0.3, 0.4], [3.0, 4.0]])

    assert np.allclose(clip_rows(rows, 1.0), [[0.3, 0.4], [0.6, 0.8]])


def test_the_same_seed_draws_the_same_noise_and_says_so() -> None:
    task = heart_task()
    request, rows = first_request(task, 0), heart_rows()[OWNER]

    one = local_update(request, rows, task, noise=SeededNoise(3, OWNER))
    two = local_update(request, rows, task, noise=SeededNoise(3, OWNER))
    other = local_update(request, rows, task, noise=SeededNoise(4, OWNER))
    real = local_update(request, rows, task, noise=SystemNoise())

    assert one == two
    assert len({one, other, real}) == 3
    assert SeededNoise(3, OWNER).is_seeded
    assert not SystemNoise().is_seeded


def test_the_whole_job_stays_within_its_epsilon() -> None:
    task = heart_task()
    delta = task.budget.delta_e12 / 10**12

    assert delta_of(8.0, task.sigmas, rounds=task.budget.rounds) <= delta
    assert delta_of(7.9, task.sigmas, rounds=task.budget.rounds) > delta
    assert task.budget.rounds == sum(candidate.rounds for candidate in task.candidates)


def test_sigma_agrees_with_the_accounting_library() -> None:
    from dp_accounting import dp_event
    from dp_accounting.pld import PLDAccountant

    task = heart_task()
    accountant = PLDAccountant()
    for micros, times in (
        (task.sigmas.statistics_micros, 1),
        (task.sigmas.counts_micros, 1),
        (task.sigmas.round_micros, task.budget.rounds),
    ):
        accountant.compose(dp_event.GaussianDpEvent(micros / MICROS), times)

    assert accountant.get_epsilon(task.budget.delta_e12 / 10**12) == pytest.approx(8.0, abs=0.05)


def test_less_epsilon_means_more_noise() -> None:
    loose, tight = heart_task(), heart_task(epsilon_micros=1_000_000)

    assert sigmas_for(tight.budget).round_micros > 4 * sigmas_for(loose.budget).round_micros


def test_a_task_with_too_little_noise_is_refused() -> None:
    document = heart_task().to_json()
    altered = {**document, "privacy": {**document["privacy"], "round_sigma_micros": 1_000_000}}

    with pytest.raises(PrivacyError):
        TrainingTask.from_json(altered)


def test_sums_are_exact_and_in_any_order() -> None:
    updates = [(10**18, -3), (5, 7), (-(10**18), 1)]

    assert aggregate(updates) == (5, 5)
    assert aggregate(updates[::-1]) == (5, 5)


@pytest.mark.parametrize("bad", [[], [(1,), (1, 2)], [(1.5,)], [(True,)], [(10**30,)]])
def test_sums_of_nonsense_are_refused(bad: list[tuple[object, ...]]) -> None:
    with pytest.raises(TaskError):
        aggregate(bad)  # type: ignore[arg-type]


def test_an_update_beyond_all_reason_is_refused() -> None:
    task = heart_task()
    request, rows = first_request(task, 0), heart_rows()[OWNER]
    honest = local_update(request, rows, task, noise=SystemNoise())
    check_update(honest, task, candidate=0, owner=OWNER)

    with pytest.raises(TaskError):
        check_update((*honest[:-1], 10**15), task, candidate=0, owner=OWNER)
    with pytest.raises(TaskError):
        check_update(honest[:-1], task, candidate=0, owner=OWNER)


def test_without_noise_a_step_goes_downhill() -> None:
    task = heart_task(candidates=[Candidate(name="plain", rounds=30)])
    preprocessing, state = heart_preprocessing(task), initial_state(task, 0)
    lengths = []
    for index in range(30):
        request = RoundRequest(0, index, state.weights_nanos, preprocessing)
        total = aggregate([exact_update(request, rows, task) for rows in heart_rows().values()])
        lengths.append(sum(value**2 for value in total))
        state = server_step(state, total, task, candidate=0, rows=task.rows_of(list(heart_rows())))

    assert lengths[-1] < lengths[0] / 20
