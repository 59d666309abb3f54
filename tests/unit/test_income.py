"""Payments are divided without rest, and Solidity comes to the same: Income.t.sol reads the golden file."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.settings import CHECKOUT
from governance.domain import merkle
from governance.domain.income import (
    WHOLE_PPB,
    Share,
    entitled,
    royalties_by_generation,
    share_leaf,
    share_proof,
    share_root,
    shares_by_weight,
    shares_in_percents,
    split_income,
)

GOLDEN = CHECKOUT / "tests" / "golden" / "income.json"
SHARES = CHECKOUT / "tests" / "golden" / "shares.json"
RELEASE = bytes(range(32))
PERCENT_PPB = WHOLE_PPB // 100
AMOUNTS = st.integers(0, 2**96 - 1)


def cases() -> dict[str, list[str]]:
    """Return random cases of a fixed seed as parallel lists, the form that forge reads."""
    draw = random.Random(20261125)
    rows: dict[str, list[int]] = {name: [] for name in ("amount", "feeBps", "fee", "royalties", "buyer", "pool")}
    rows |= {name: [] for name in ("weightA", "weightB", "weightC", "shareA", "shareB", "shareC", "entitledC")}
    rows |= {name: [] for name in ("first", "second", "third")}
    for _ in range(64):
        amount, bps = draw.randrange(2 ** draw.randrange(1, 97)), draw.randrange(1001)
        split = split_income(amount, fee_bps=bps)
        weights = [draw.randrange(2 ** draw.randrange(1, 129)) for _ in range(3)]
        shares = shares_by_weight(weights)
        generations = royalties_by_generation(split.royalties_e18, 3)
        figures = (amount, bps, split.fee_e18, split.royalties_e18, split.buyer_e18, split.pool_e18)
        figures += (*weights, *shares, entitled(split.pool_e18, shares[2]), *generations)
        for name, figure in zip(rows, figures, strict=True):
            rows[name].append(figure)
    return {name: [str(figure) for figure in figures] for name, figures in rows.items()}


def test_the_golden_cases_are_what_python_computes() -> None:
    assert json.loads(GOLDEN.read_text()) == cases()


def jury() -> dict[str, object]:
    """Return what a jury revealed about RELEASE, and each organisation's proof; Shares.t.sol claims by it."""
    weights = (700, 0, 211, 13, 90)
    shares = [
        Share(organisation=organisation, share_ppb=share)
        for organisation, share in zip((1, 2, 3, 5, 8), shares_in_percents(weights), strict=True)
    ]
    return {
        "release": "0x" + RELEASE.hex(),
        "root": "0x" + share_root(RELEASE, shares).hex(),
        "organisations": [share.organisation for share in shares],
        "sharesPpb": [share.share_ppb for share in shares],
        "proofs": [["0x" + node.hex() for node in share_proof(RELEASE, shares, share)] for share in shares],
    }


def test_the_golden_shares_are_what_python_computes() -> None:
    assert json.loads(SHARES.read_text()) == jury()


@given(st.lists(st.integers(0, 2**256), min_size=1, max_size=64))
def test_a_jurys_shares_are_whole_percents_and_a_whole(weights: list[int]) -> None:
    shares = shares_in_percents(weights)

    if not any(weights):
        assert shares == ()
        return
    assert sum(shares) == WHOLE_PPB
    for weight, share in zip(weights, shares, strict=True):
        assert share % PERCENT_PPB == 0
        # Less than one percent away from what the weights say.
        assert abs(share * sum(weights) - weight * WHOLE_PPB) < PERCENT_PPB * sum(weights)


@given(st.lists(st.integers(0, 100), min_size=2, max_size=16).filter(any))
def test_every_share_of_a_jury_is_proven_by_its_root(weights: list[int]) -> None:
    shares = [Share(organisation=i + 1, share_ppb=ppb) for i, ppb in enumerate(shares_in_percents(weights))]

    for share in shares:
        proof, leaf = share_proof(RELEASE, shares, share), share_leaf(RELEASE, share)
        assert merkle.verify(share_root(RELEASE, shares), leaf, proof)


@pytest.mark.parametrize("weights", [[], [3, -1]])
def test_a_jury_shares_among_nobody_in_vain(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights of zero or more"):
        shares_in_percents(weights)


@given(AMOUNTS, st.integers(0, 1000))
def test_the_parts_of_a_payment_add_up_to_it(amount: int, fee_bps: int) -> None:
    split = split_income(amount, fee_bps=fee_bps)

    assert split.fee_e18 + split.royalties_e18 + split.buyer_e18 + split.pool_e18 == amount


@given(AMOUNTS, st.integers(0, 12))
def test_generations_take_all_royalties_unless_there_is_none(royalties: int, generations: int) -> None:
    parts = royalties_by_generation(royalties, generations)

    assert sum(parts) == (royalties if generations else 0)


@given(st.lists(st.integers(0, 2**128 - 1), min_size=1, max_size=64), AMOUNTS)
def test_shares_are_a_whole_and_never_exceed_the_pool(weights: list[int], pooled: int) -> None:
    shares = shares_by_weight(weights)

    assert sum(shares) == WHOLE_PPB
    assert sum(entitled(pooled, share) for share in shares) <= pooled


def test_shares_of_nobody_are_refused() -> None:
    with pytest.raises(ValueError, match="weights of zero or more"):
        shares_by_weight([])
