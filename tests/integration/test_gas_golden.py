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
    assert golden["rounds and payments of ten rounds"]["10 owners"] <= 1_800_000


@pytest.mark.xfail(reason="goal not reached: 63,995 gas are spent before anything is computed", strict=True)
def test_a_claim_by_itself_stays_below_its_target() -> None:
    claim = json.loads(GOLDEN.read_text())["claim"]

    assert claim["one round, with one more in the line"] <= 60_000


def test_a_release_with_all_votes_costs_at_most_half_more_than_with_a_bare_governor() -> None:
    steps = json.loads(GOLDEN.read_text())["from proposal to execution"]

    assert steps["rules"] >= 10
    assert steps["per cent of the bare"] <= 150


@pytest.mark.xfail(reason="goal not reached: the votes aside a release costs almost twice as much", strict=True)
def test_the_votes_aside_a_release_costs_at_most_half_more_than_with_a_bare_governor() -> None:
    steps = json.loads(GOLDEN.read_text())["from proposal to execution"]

    assert steps["per cent of the bare, without the votes"] <= 150
