"""Random payouts equal the golden ones, which contracts/test/Payouts.t.sol takes from the contracts' library."""

import json
import random

from folkmoot.settings import CHECKOUT
from governance.domain import payouts

GOLDEN = CHECKOUT / "tests" / "golden" / "payouts.json"
CASES = 300


def amount(dice: random.Random) -> int:
    """Return an amount of any size, the extremes more often than chance would have it."""
    return dice.choice((0, 1, 2**128 - 1, dice.getrandbits(dice.randint(1, 128)), dice.randint(1, 10**21)))


def cases() -> dict[str, list[int]]:
    dice = random.Random("payouts")
    found: dict[str, list[int]] = {}
    for _ in range(CASES):
        price, units, fee = amount(dice), dice.randint(1, 300), dice.randint(0, payouts.MOST_FEE_BPS)
        done = dice.randint(0, units)
        earned = payouts.earned(price, done, units)
        bond, bps, challenged = amount(dice), dice.randint(0, payouts.BPS), dice.random() < 0.7
        parts = payouts.slash(payouts.part(bond, bps), challenged=challenged)
        row = {
            "price_e18": price,
            "units": units,
            "done": done,
            "fee_bps": fee,
            "earned_e18": earned,
            "net_e18": payouts.net(earned, fee),
            "bond_e18": bond,
            "bps": bps,
            "challenged": int(challenged),
            **parts._asdict(),
        }
        for name, value in row.items():
            found.setdefault(name, []).append(value)
    return found


def test_random_payouts_equal_the_golden_ones() -> None:
    golden = json.loads(GOLDEN.read_text())

    assert {name: [int(value) for value in values] for name, values in golden.items()} == cases()


def test_every_slash_adds_up_and_gives_half_to_the_injured() -> None:
    for bond, bps, *parts in zip(
        *(cases()[name] for name in ("bond_e18", "bps", "injured_e18", "challenger_e18", "treasury_e18")), strict=True
    ):
        assert sum(parts) == bond * bps // payouts.BPS
        assert parts[0] == sum(parts) // 2
