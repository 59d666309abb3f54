"""Who gets how much, in 1e-18 credit; the same arithmetic as ``contracts/src/libraries/Payouts.sol``.

Every split gives its rounding to the last part, so sums hold to the last unit.
"""

from typing import Final, NamedTuple

BPS: Final = 10_000
MOST_FEE_BPS: Final = 1_000
MISSED_BPS: Final = 1_000
"""Part of a bond that rounds cost which were posted and never claimed."""
INJURED_PERCENT: Final = 50
CHALLENGER_PERCENT: Final = 30


class Slash(NamedTuple):
    """Parts of what a bond loses."""

    injured_e18: int
    challenger_e18: int
    treasury_e18: int


def earned(price_e18: int, done: int, units: int) -> int:
    """Return what instalments are worth together, rounded down."""
    return price_e18 * done // units


def net(amount_e18: int, fee_bps: int) -> int:
    """Return what is left of an amount after the treasury's part; it never falls when the amount grows."""
    return amount_e18 - amount_e18 * fee_bps // BPS


def part(bond_e18: int, bps: int) -> int:
    """Return what a part of a bond comes to, rounded down."""
    return bond_e18 * bps // BPS


def slash(amount_e18: int, *, challenged: bool) -> Slash:
    """Return half for the injured, 30 % for the challenger if there is one, and the rest for the treasury."""
    injured = amount_e18 * INJURED_PERCENT // 100
    challenger = amount_e18 * CHALLENGER_PERCENT // 100 if challenged else 0
    return Slash(injured, challenger, amount_e18 - injured - challenger)
