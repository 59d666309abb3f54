"""Gas of every step of a job is what tests/golden/gas.json says; `make gas` writes it anew."""

from __future__ import annotations

import json

import pytest

from tests.gas_steps import GOLDEN, measure

pytestmark = pytest.mark.chain


def test_every_step_costs_what_the_golden_file_says() -> None:
    golden = json.loads(GOLDEN.read_text())

    assert measure() == golden


def test_a_round_and_its_payment_stay_below_their_targets() -> None:
    golden = json.loads(GOLDEN.read_text())

    assert all(gas <= 60_000 for gas in golden["round"].values())
    assert golden["claim"]["the same, for each"] <= 60_000
    assert golden["rounds and payments of ten rounds"]["4 owners"] <= 1_300_000


@pytest.mark.xfail(reason="goal not reached: each of ten owners costs about 13,000 too much", strict=True)
def test_ten_rounds_with_ten_owners_stay_below_their_target() -> None:
    golden = json.loads(GOLDEN.read_text())

    assert golden["rounds and payments of ten rounds"]["10 owners"] <= 1_800_000
