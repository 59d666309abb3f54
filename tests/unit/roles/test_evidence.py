from __future__ import annotations

import pytest

from governance.domain import evidence, merkle
from governance.errors import InvalidRecord

JOB = bytes(range(32))
AGENTS = [f"0x{i:040x}" for i in range(1, 5)]


def round_of(count: int) -> evidence.RoundEvidence:
    leaves = tuple(evidence.Leaf(agent=agent, digest=bytes([i]) * 32) for i, agent in enumerate(AGENTS[:count]))
    return evidence.RoundEvidence(job=JOB, round_number=7, leaves=leaves)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_every_leaf_is_proven_against_the_root(count: int) -> None:
    found = round_of(count)

    for agent in AGENTS[:count]:
        leaf, proof = found.proof(agent)

        assert merkle.verify(found.root(), leaf.hashed(JOB, 7), proof)
        assert not merkle.verify(found.root(), leaf.hashed(JOB, 8), proof)


def test_a_round_is_read_back_as_it_was_written() -> None:
    assert evidence.RoundEvidence.read(round_of(4).document()) == round_of(4)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"round":7', b'"round":8'),
        (b'"type":"round"', b'"type":"roune"'),
        (b"0x0000000000000000000000000000000000000001", b"0x0000000000000000000000000000000000000009"),
    ],
)
def test_an_altered_round_is_refused(old: bytes, new: bytes) -> None:
    document = round_of(4).document()
    assert old in document

    with pytest.raises(InvalidRecord):
        evidence.RoundEvidence.read(document.replace(old, new))


def test_who_has_no_leaf_gets_no_proof() -> None:
    with pytest.raises(InvalidRecord):
        round_of(3).proof(AGENTS[3])
