import json
from pathlib import Path

import pytest
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from governance.domain import merkle

GOLDEN = Path(__file__).resolve().parent.parent / "golden/standard_merkle_tree.json"
LEAVES = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40)


def _values(types: list[str], values: list[str]) -> list[object]:
    read = {
        "address": str,
        "uint256": int,
        "bytes16": lambda text: bytes.fromhex(text[2:]),
        "bytes32": lambda text: bytes.fromhex(text[2:]),
    }
    return [read[kind](value) for kind, value in zip(types, values, strict=True)]


def _subtree(leaves: list[bytes], place: int) -> bytes:
    # The complete binary tree, written down once more from its definition, by recursion.
    inner = len(leaves) - 1
    if place >= inner:
        return leaves[2 * inner - place]
    pair = sorted([_subtree(leaves, 2 * place + 1), _subtree(leaves, 2 * place + 2)])
    return keccak(b"".join(pair))


@pytest.mark.parametrize("case", json.loads(GOLDEN.read_text())["cases"], ids=lambda c: c["root"][:8])
def test_leaves_roots_and_proofs_equal_those_of_openzeppelin(case):
    leaves = [merkle.standard_leaf(case["types"], _values(case["types"], v)) for v in case["values"]]

    proofs = [merkle.proof(leaves, index) for index in range(len(leaves))]

    assert ["0x" + leaf.hex() for leaf in leaves] == case["leaves"]
    assert "0x" + merkle.root(leaves).hex() == case["root"]
    assert [["0x" + node.hex() for node in proof] for proof in proofs] == case["proofs"]


@given(LEAVES)
def test_root_equals_the_recursive_definition(leaves):
    assert merkle.root(leaves) == _subtree(sorted(leaves), 0)


@given(LEAVES, st.randoms())
def test_order_of_leaves_does_not_change_the_root(leaves, random):
    shuffled = list(leaves)
    random.shuffle(shuffled)

    assert merkle.root(shuffled) == merkle.root(leaves)


@given(LEAVES, st.integers(0, 39))
def test_every_leaf_has_a_proof_and_a_stranger_has_none(leaves, index):
    index %= len(leaves)

    siblings = merkle.proof(leaves, index)

    assert merkle.verify(merkle.root(leaves), leaves[index], siblings)
    assert not merkle.verify(merkle.root(leaves), keccak(leaves[index]), siblings)


@given(LEAVES)
def test_one_flipped_bit_changes_the_root(leaves):
    changed = [bytes([leaves[0][0] ^ 1]) + leaves[0][1:], *leaves[1:]]

    assert merkle.root(changed) != merkle.root(leaves) or sorted(changed) == sorted(leaves)


def test_empty_trees_short_leaves_and_bad_places_are_refused():
    for wrong in (
        lambda: merkle.root([]),
        lambda: merkle.root([b"short"]),
        lambda: merkle.proof([bytes(32)], 1),
        lambda: merkle.standard_leaf(["uint256"], []),
    ):
        with pytest.raises(merkle.MerkleError):
            wrong()
