"""Blocks as their hashes commit to them, so that every event is proven from block hashes.

Header, transaction and receipt encodings: Ethereum yellow paper sections 4.2 to 4.4, EIP-2718 and the header
fields of EIP-1559, 4895, 4844, 4788 and 7685. The trie is that of yellow paper appendix D.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import rlp
from eth_utils.crypto import keccak

from governance.domain.market import Address

EMPTY_ROOT: Final = keccak(rlp.encode(b""))
NODE_BYTES: Final = 32
"""A trie node shorter than this stands inside its parent instead of being hashed."""
KNOWN_RECEIPTS: Final = range(5)
"""EIP-2718 types whose receipts all have the same four fields; those of some layer-2 chains have more."""

Node = list["bytes | Node"]
Nibbles = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockHeader:
    """One block as a node tells it."""

    number: int
    hash: bytes
    """As the node tells it; see ``computed_hash``."""
    parent: bytes
    state_root: bytes
    transactions_root: bytes
    receipts_root: bytes
    bloom: bytes
    """256 bytes: a filter over addresses and topics of the block's logs."""
    time_s: int
    fields: tuple[bytes, ...]
    """All header fields in the order of the encoding; numbers without leading zeros."""
    transactions: tuple[bytes, ...]
    """Hashes."""

    def computed_hash(self) -> bytes:
        """Return the hash that follows from the fields."""
        return keccak(rlp.encode(list(self.fields)))

    def may_concern(self, address: Address) -> bool:
        """Say whether the block may hold a log of this address; false is certain (yellow paper, 4.3.1)."""
        digest = keccak(bytes.fromhex(address[2:]))
        bits = (int.from_bytes(digest[i : i + 2], "big") & 2047 for i in (0, 2, 4))
        return all(self.bloom[255 - bit // 8] >> (bit % 8) & 1 for bit in bits)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawLog:
    """One log of a receipt."""

    address: Address
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RawReceipt:
    """A receipt as far as its root commits to it."""

    kind: int
    """EIP-2718 type; 0 is a legacy transaction."""
    status: int
    cumulative_gas: int
    bloom: bytes
    logs: tuple[RawLog, ...]

    def encoded(self) -> bytes:
        """Return the leaf of the receipts trie."""
        logs = [[bytes.fromhex(log.address[2:]), list(log.topics), log.data] for log in self.logs]
        body = bytes(rlp.encode([self.status, self.cumulative_gas, self.bloom, logs]))
        return bytes([self.kind]) + body if self.kind else body


def ordered_root(items: Sequence[bytes]) -> bytes:
    """Return the root of the trie that maps rlp(0), rlp(1), … to the items."""
    if not items:
        return EMPTY_ROOT
    entries = [(nibbles(rlp.encode(index)), item) for index, item in enumerate(items)]
    return bytes(keccak(rlp.encode(_node(entries, 0))))


def _node(entries: list[tuple[Nibbles, bytes]], depth: int) -> Node:
    if len(entries) == 1:
        path, value = entries[0]
        return [_compact(path[depth:], is_leaf=True), value]
    shared = _shared_length([path for path, _ in entries], depth)
    if shared:
        path = entries[0][0][depth : depth + shared]
        return [_compact(path, is_leaf=False), _reference(_node(entries, depth + shared))]
    branch: Node = []
    for nibble in range(16):
        below = [entry for entry in entries if entry[0][depth] == nibble]
        branch.append(_reference(_node(below, depth + 1)) if below else b"")
    # No key of rlp(index) is a prefix of another, so the seventeenth place is never used.
    return [*branch, b""]


def _reference(node: Node) -> "bytes | Node":
    raw = rlp.encode(node)
    return node if len(raw) < NODE_BYTES else keccak(raw)


def _shared_length(paths: list[Nibbles], depth: int) -> int:
    first, last = min(paths), max(paths)
    length = 0
    while depth + length < min(len(first), len(last)) and first[depth + length] == last[depth + length]:
        length += 1
    return length


def nibbles(key: bytes) -> Nibbles:
    """Return the half bytes of a key, the higher half first."""
    return tuple(half for byte in key for half in (byte >> 4, byte & 15))


def _compact(path: Nibbles, *, is_leaf: bool) -> bytes:
    flag = 2 if is_leaf else 0
    whole = (flag + 1, *path) if len(path) % 2 else (flag, 0, *path)
    return bytes(whole[i] << 4 | whole[i + 1] for i in range(0, len(whole), 2))
