"""Merkle trees laid out exactly as OpenZeppelin's ``StandardMerkleTree``.

The layout is that of the npm package ``@openzeppelin/merkle-tree`` 1.0: a leaf is
``keccak256(keccak256(abi.encode(types, values)))``, leaves are sorted by their bytes,
the tree is the complete binary tree stored as an array with the leaves at its end in
reverse order, and a node is ``keccak256`` of its two children, the smaller first.
Proofs therefore check with OpenZeppelin's ``MerkleProof.verify`` on chain.
"""

from collections.abc import Sequence

from eth_abi.abi import encode
from eth_abi.exceptions import EncodingError
from eth_utils.crypto import keccak

from governance.errors import InvalidRecord

HASH_BYTES = 32


class MerkleError(InvalidRecord, ValueError):
    """A tree, leaf or proof that cannot be right: empty tree, wrong length, value or index out of range."""


def standard_leaf(types: Sequence[str], values: Sequence[object]) -> bytes:
    """Hash one entry as StandardMerkleTree does: twice, so that no inner node can pose as a leaf.

    Parameters
    ----------
    types
        Solidity ABI types, e.g. ``("bytes16", "bytes32")``.
    values
        One value per type.

    Returns
    -------
    bytes
        32 bytes, ``keccak256(keccak256(abi.encode(types, values)))``.

    Raises
    ------
    MerkleError
        If the values do not fit the types; they may come from somebody else's document.
    """
    if len(types) != len(values):
        raise MerkleError(f"{len(types)} types but {len(values)} values")
    try:
        encoded = encode(types, values)
    except (EncodingError, ValueError) as problem:
        raise MerkleError(f"a leaf that cannot be encoded: {problem}") from problem
    return bytes(keccak(keccak(encoded)))


def node(left: bytes, right: bytes) -> bytes:
    """Hash two children into their parent; the order of the two does not matter."""
    first, second = (left, right) if left <= right else (right, left)
    return bytes(keccak(first + second))


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the 32-byte root over leaf hashes given in any order.

    Raises
    ------
    MerkleError
        If there is no leaf, or a leaf is not 32 bytes long.
    """
    return _tree(leaves)[0]


def proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the siblings from the leaf at ``index`` (in the order given) up to the root.

    Raises
    ------
    MerkleError
        If the index is out of range, there is no leaf, or a leaf is not 32 bytes long.
    """
    if not 0 <= index < len(leaves):
        raise MerkleError(f"no leaf {index}: the tree has {len(leaves)} leaves, counted from 0")
    tree = _tree(leaves)
    # Equal leaves hash alike, so any of their places gives a valid proof.
    position = len(tree) - 1 - sorted(leaves).index(leaves[index])
    siblings = []
    while position > 0:
        siblings.append(tree[position + 1 if position % 2 else position - 1])
        position = (position - 1) // 2
    return siblings


def verify(expected_root: bytes, leaf: bytes, siblings: Sequence[bytes]) -> bool:
    """Say whether ``leaf`` is below ``expected_root``, as ``MerkleProof.verify`` does on chain."""
    if len(leaf) != HASH_BYTES or any(len(sibling) != HASH_BYTES for sibling in siblings):
        return False
    current = leaf
    for sibling in siblings:
        current = node(current, sibling)
    return current == expected_root


def _tree(leaves: Sequence[bytes]) -> list[bytes]:
    if not leaves:
        raise MerkleError("a Merkle tree needs at least one leaf")
    for leaf in leaves:
        if len(leaf) != HASH_BYTES:
            raise MerkleError(f"a leaf is {HASH_BYTES} bytes, not {len(leaf)}")
    inner = len(leaves) - 1
    tree = [b""] * inner + sorted(leaves, reverse=True)
    for position in range(inner - 1, -1, -1):
        tree[position] = node(tree[2 * position + 1], tree[2 * position + 2])
    return tree
