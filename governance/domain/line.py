"""A job's posted rounds as one chain of hashes, exactly as RoundLedger links them.

Roots are not stored on chain: who proves something about a round brings the line from it to the last one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from governance.errors import InvalidRecord

COUNT_BYTES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedRound:
    """What was posted for one round."""

    root: bytes
    leaves: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """All rounds from one on to the last that was posted."""

    before: bytes
    """Head before the first of them; its last four bytes are the first round's number."""
    rounds: tuple[PostedRound, ...]

    def as_tuple(self) -> tuple[bytes, list[bytes], list[int]]:
        """Return the line as the contract's struct."""
        return self.before, [each.root for each in self.rounds], [each.leaves for each in self.rounds]


def start(job: bytes) -> bytes:
    """Return the head of a job before any round."""
    return job[:-COUNT_BYTES] + bytes(COUNT_BYTES)


def count_of(head: bytes) -> int:
    """Return the number of rounds that a head stands for."""
    return int.from_bytes(head[-COUNT_BYTES:], "big")


def link(head: bytes, posted: PostedRound) -> bytes:
    """Return the head after one more round."""
    linked = bytes(keccak(encode(["bytes32", "bytes32", "uint32"], [head, posted.root, posted.leaves])))
    return linked[:-COUNT_BYTES] + (count_of(head) + 1).to_bytes(COUNT_BYTES, "big")


def head_of(job: bytes, rounds: Sequence[PostedRound]) -> bytes:
    """Return the head after these rounds of a job."""
    head = start(job)
    for each in rounds:
        head = link(head, each)
    return head


def line_from(job: bytes, rounds: Sequence[PostedRound], first: int) -> Line:
    """Return the line from a round on.

    Raises
    ------
    InvalidRecord
        If that round was not posted.
    """
    if not 0 <= first < len(rounds):
        raise InvalidRecord(f"round {first} of job 0x{job.hex()} is not posted; there are {len(rounds)}")
    return Line(before=head_of(job, rounds[:first]), rounds=tuple(rounds[first:]))
