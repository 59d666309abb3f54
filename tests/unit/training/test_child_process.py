"""The child: it has no key and no network, answers once, and shows no cell of a row."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agents.protocols.messages import Update, pack_nanos
from agents.training import RoundRequest, initial_state
from agents.training.client import TrainingChild
from agents.training.errors import PrivacyError, TrainingError
from agents.training.rows import write_rows
from tests.leak import find_leaks
from tests.training_cases import heart_preprocessing, heart_rows, heart_schema, heart_task

OWNER = "switzerland"
SENTINEL = "171.314159265"


@pytest.fixture
def child(tmp_path: Path) -> Iterator[TrainingChild]:
    rows = list(heart_rows()[OWNER])
    place = heart_schema().position("trestbps")
    rows[0] = (*rows[0][:place], SENTINEL, *rows[0][place + 1 :])
    path = tmp_path / "training.csv"
    write_rows(path, rows, heart_schema())
    with TrainingChild(owner=OWNER, training_csv=path, timeout_s=60) as started:
        yield started


def request_of(index: int = 0) -> RoundRequest:
    task = heart_task()
    return RoundRequest(0, index, initial_state(task, 0).weights_nanos, heart_preprocessing(task))


def test_the_same_request_is_answered_with_the_same_noise(child: TrainingChild) -> None:
    task = heart_task()

    one, two = child.update(task, request_of()), child.update(task, request_of())

    assert one == two
    assert not one.noise_is_seeded


def test_another_request_for_the_same_round_is_refused(child: TrainingChild) -> None:
    task = heart_task()
    child.update(task, request_of())
    other = replace(request_of(), weights_nanos=tuple(w + 1 for w in request_of().weights_nanos))

    with pytest.raises(PrivacyError):
        child.update(task, other)


def test_nothing_that_comes_back_holds_a_row(child: TrainingChild) -> None:
    task = heart_task()
    sums, update = child.statistics(task), child.update(task, request_of())

    for numbers in (sums.values_nanos, update.values_nanos):
        said = json.dumps(list(numbers)).encode() + pack_nanos(numbers).encode()
        assert not find_leaks(said, [SENTINEL])


@pytest.mark.parametrize("scale", [1, 10**3, 10**6, 10**9])
def test_an_owner_that_sends_a_scaled_row_is_caught(scale: int) -> None:
    value = round(float(SENTINEL) * scale * 10**6)
    message = Update(
        msg_id="update:x:1",
        job="0x" + "0" * 64,
        candidate=0,
        round_index=0,
        kind="update",
        update_nanos=pack_nanos([7, value, -3]),
        signature="0x" + "0" * 130,
    )

    assert find_leaks(message.json().encode() + str(value).encode(), [SENTINEL])


def test_a_broken_row_is_named_without_its_cell(tmp_path: Path) -> None:
    path = tmp_path / "training.csv"
    write_rows(path, heart_rows()[OWNER], heart_schema())
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], SENTINEL + "x," + lines[1].partition(",")[2], *lines[2:]]) + "\n")

    with TrainingChild(owner=OWNER, training_csv=path, timeout_s=60) as child, pytest.raises(TrainingError) as refused:
        child.statistics(heart_task())

    assert SENTINEL not in str(refused.value)


def test_a_killed_child_is_started_again(child: TrainingChild) -> None:
    child.statistics(heart_task())
    first = child.pid
    assert first is not None
    os.kill(first, 9)

    child.aggregate([(1, 2), (3, 4)])

    assert child.pid not in {None, first}


def test_the_child_sees_nothing_of_our_environment(child: TrainingChild, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLKMOOT_PASSWORD_FILE", "/secret/password")
    assert child.aggregate([(1,), (2,)]) == (3,)

    seen = Path(f"/proc/{child.pid}/environ").read_bytes()

    assert b"password" not in seen.lower()
    assert b"HOME=" not in seen or b"/secret" not in seen


def test_a_child_without_rows_answers_no_round() -> None:
    with TrainingChild(timeout_s=60) as juror, pytest.raises(TrainingError):
        juror.statistics(heart_task())
