"""How one payment for the use of a release is divided, as libraries/Income.sol does it.

Every division rounds down, and what rounding leaves goes to the part named last, so that nothing is lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from governance.domain import merkle

BPS: Final = 10_000
ROYALTY_BPS: Final = 700
"""Of a payment for use; for the owners behind earlier generations."""
WHOLE_PPB: Final = 10**9
"""All shares of a pool together, in billionths."""
MAX_GENERATIONS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomeSplit:
    """The parts of one payment, in 1e-18 credit; they add up to it."""

    fee_e18: int
    royalties_e18: int
    buyer_e18: int
    pool_e18: int


def split_income(amount_e18: int, *, fee_bps: int) -> IncomeSplit:
    """Divide a payment: fee and royalties from the whole, then half each to buyer and owners."""
    fee = amount_e18 * fee_bps // BPS
    royalties = amount_e18 * ROYALTY_BPS // BPS
    rest = amount_e18 - fee - royalties
    buyer = rest // 2
    return IncomeSplit(fee_e18=fee, royalties_e18=royalties, buyer_e18=buyer, pool_e18=rest - buyer)


def royalties_by_generation(royalties_e18: int, generations: int) -> tuple[int, ...]:
    """Return what each generation back gets: half of what is left, and the oldest all of it."""
    left, parts = royalties_e18, []
    counted = min(generations, MAX_GENERATIONS)
    for generation in range(counted):
        part = left if generation + 1 == counted else left // 2
        left -= part
        parts.append(part)
    return tuple(parts)


def shares_by_weight(weights: Sequence[int]) -> tuple[int, ...]:
    """Return billionths by weight, equal ones where all weights are zero; the first gets what rounding leaves.

    Raises
    ------
    ValueError
        If there are no weights, or one is negative.
    """
    if not weights or min(weights) < 0:
        raise ValueError(f"shares need weights of zero or more, not {list(weights)}")
    total = sum(weights)
    shares = [WHOLE_PPB * weight // total if total else WHOLE_PPB // len(weights) for weight in weights]
    shares[0] += WHOLE_PPB - sum(shares)
    return tuple(shares)


def shares_in_percents(weights: Sequence[int]) -> tuple[int, ...]:
    """Return billionths by weight in whole percents that add up to the whole, or nothing where all weights are zero.

    What rounding leaves goes, a percent each, to the largest remainders; of equal ones to the first. A jury
    publishes no more than this, since finer shares would tell about single evaluation rows.

    Raises
    ------
    ValueError
        If there are no weights, or one is negative.
    """
    if not weights or min(weights) < 0:
        raise ValueError(f"shares need weights of zero or more, not {list(weights)}")
    total = sum(weights)
    if not total:
        return ()
    percents = [100 * weight // total for weight in weights]
    remainders = [100 * weight % total for weight in weights]
    most = sorted(range(len(weights)), key=lambda place: (-remainders[place], place))
    for place in most[: 100 - sum(percents)]:
        percents[place] += 1
    return tuple(percent * (WHOLE_PPB // 100) for percent in percents)


def entitled(pooled_e18: int, share_ppb: int) -> int:
    """Return what a share of all that ever came in is worth, in 1e-18 credit."""
    return pooled_e18 * share_ppb // WHOLE_PPB


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What a jury says that one organisation contributed to a release."""

    organisation: int
    share_ppb: int
    """Billionths."""


def share_leaf(release: bytes, share: Share) -> bytes:
    """Return the leaf of one share in the root that jurors reveal."""
    return merkle.standard_leaf(("bytes32", "uint32", "uint64"), (release, share.organisation, share.share_ppb))


def share_root(release: bytes, shares: Sequence[Share]) -> bytes:
    """Return the root that jurors reveal for all shares of a release."""
    return merkle.root([share_leaf(release, share) for share in shares])


def share_proof(release: bytes, shares: Sequence[Share], own: Share) -> list[bytes]:
    """Return the proof with which one share is claimed."""
    return merkle.proof([share_leaf(release, share) for share in shares], list(shares).index(own))
