"""Scores of overlapped rounds, exactly as RoundScores counts them."""

from collections.abc import Sequence
from typing import Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from governance.domain.market import Address

WHOLE: Final = 100
"""All of a round's pay, in hundredths; also the highest score."""
BASE: Final = 50
"""What no score touches."""
WINDOW_S: Final = 3_600
"""To seal, and again to open."""
MAX_PARTICIPANTS: Final = 32


def seal(
    scores: Sequence[int], salt: bytes, *, chain_id: int, ledger: Address, place: tuple[bytes, int, Address]
) -> bytes:
    """Return the commitment to an agent's scores.

    Parameters
    ----------
    scores
        One for each participant, from 0 to 100, in the order in which they committed; the own one is 0.
    place
        Where they belong.
    """
    types = ["uint256", "address", "bytes32", "uint32", "address", "uint8[]", "bytes32"]
    return bytes(keccak(encode(types, [chain_id, ledger, *place, list(scores), salt])))


def share(index: int, opened: Sequence[Sequence[int] | None]) -> int:
    """Return the hundredths of a round's pay that a participant gets.

    Parameters
    ----------
    index
        Its place among the participants.
    opened
        What each participant opened, or None; who does not score gets the base.
    """
    if opened[index] is None:
        return BASE
    given = sorted(scores[index] for place, scores in enumerate(opened) if scores is not None and place != index)
    # Of two middle ones the larger: a doubt is not held against anyone.
    median = given[len(given) // 2] if given else WHOLE
    return BASE + (WHOLE - BASE) * median // WHOLE
