"""The line of a job's rounds: what leads to a head, and that nothing else does."""

from __future__ import annotations

import pytest

from governance.domain.line import Line, PostedRound, count_of, head_of, line_from, link, start
from governance.errors import InvalidRecord

JOB = bytes(range(32))
ROUNDS = tuple(PostedRound(root=bytes([number]) * 32, leaves=5 + number) for number in range(4))


def follow(line: Line) -> bytes:
    head = line.before
    for each in line.rounds:
        head = link(head, each)
    return head


def test_every_line_of_a_job_leads_to_its_head() -> None:
    for first in range(4):
        line = line_from(JOB, ROUNDS, first)

        assert count_of(line.before) == first
        assert follow(line) == head_of(JOB, ROUNDS)
        assert line.as_tuple()[2] == [each.leaves for each in ROUNDS[first:]]


def test_a_head_counts_its_rounds() -> None:
    assert start(JOB) == JOB[:28] + bytes(4)
    assert [count_of(head_of(JOB, ROUNDS[:count])) for count in range(5)] == [0, 1, 2, 3, 4]


def test_a_line_with_another_number_root_or_count_of_leaves_leads_elsewhere() -> None:
    line = line_from(JOB, ROUNDS, 1)
    shifted = line.before[:-1] + bytes([line.before[-1] + 1])
    others = [
        Line(before=shifted, rounds=line.rounds),
        Line(before=line.before, rounds=line.rounds[:-1]),
        Line(before=line.before, rounds=(PostedRound(root=line.rounds[0].root, leaves=9), *line.rounds[1:])),
        Line(before=line.before, rounds=(PostedRound(root=bytes(32), leaves=6), *line.rounds[1:])),
    ]

    assert all(follow(other) != head_of(JOB, ROUNDS) for other in others)


def test_there_is_no_line_from_a_round_that_is_not_posted() -> None:
    for first in (-1, 4):
        with pytest.raises(InvalidRecord, match="not posted"):
            line_from(JOB, ROUNDS, first)
