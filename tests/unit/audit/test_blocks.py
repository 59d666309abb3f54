"""Block hashes and tries against values that the world knows."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import rlp
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from governance.services.audit.blocks import EMPTY_ROOT, BlockHeader, ordered_root
from governance.services.audit.proofs import prove_account
from governance.services.audit.sources import AnswerWrong

ZERO = b"\0" * 32
MAINNET_GENESIS = "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"


def header(*fields: bytes, bloom: bytes = b"\0" * 256) -> BlockHeader:
    return BlockHeader(
        number=0,
        hash=ZERO,
        parent=ZERO,
        state_root=ZERO,
        transactions_root=ZERO,
        receipts_root=ZERO,
        bloom=bloom,
        time_s=0,
        fields=fields,
        transactions=(),
    )


def test_genesis_of_ethereum_has_its_known_hash() -> None:
    empty_list = bytes.fromhex("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347")
    state = bytes.fromhex("d7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544")
    extra = bytes.fromhex("11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa")
    difficulty, gas_limit = (17179869184).to_bytes(5, "big"), (5000).to_bytes(2, "big")
    nonce = bytes.fromhex("0000000000000042")

    found = header(
        *(ZERO, empty_list, b"\0" * 20, state, EMPTY_ROOT, EMPTY_ROOT, b"\0" * 256),
        *(difficulty, b"", gas_limit, b"", b"", extra, ZERO, nonce),
    )

    assert found.computed_hash().hex() == MAINNET_GENESIS


def test_empty_trie_has_its_known_root() -> None:
    assert ordered_root([]).hex() == "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"


def test_one_item_is_one_leaf() -> None:
    # A leaf of the whole key rlp(0) = 0x80: flag 2, even length, then the key.
    assert ordered_root([b"abc"]) == keccak(rlp.encode([bytes.fromhex("2080"), b"abc"]))


@given(st.lists(st.binary(min_size=1, max_size=80), min_size=1, max_size=300), st.data())
def test_root_depends_on_every_item_and_its_place(items: list[bytes], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(items) - 1))
    other = [*items]
    other[place] = other[place] + b"\1"

    assert ordered_root(other) != ordered_root(items)
    assert ordered_root([*items, b"\1"]) != ordered_root(items)
    if items[0] != items[-1]:
        assert ordered_root(items[::-1]) != ordered_root(items)


def test_bloom_never_hides_an_address() -> None:
    address = "0x" + "ab" * 20
    digest = keccak(bytes.fromhex(address[2:]))
    bits = bytearray(256)
    for i in (0, 2, 4):
        bit = int.from_bytes(digest[i : i + 2], "big") & 2047
        bits[255 - bit // 8] |= 1 << (bit % 8)

    assert header(bloom=bytes(bits)).may_concern(address)
    assert not header(bloom=bytes(bits)).may_concern("0x" + "cd" * 20)
    assert not header().may_concern(address)


@pytest.mark.parametrize(
    "nodes",
    [
        [],
        [b""],
        [b"\xc0"],
        [rlp.encode([b""] * 17)],
        [rlp.encode([b"", b""])],
        [rlp.encode([b"\x00", b""])],
        [rlp.encode([[b""], b""])],
        [b"\xff" * 40],
    ],
)
def test_broken_proofs_are_refused(nodes: Sequence[bytes]) -> None:
    root = keccak(nodes[0]) if nodes else ZERO

    with pytest.raises(AnswerWrong):
        prove_account(root, "0x" + "ab" * 20, nodes)


@given(st.lists(st.binary(max_size=100), max_size=4))
def test_no_proof_breaks_the_reader(nodes: list[bytes]) -> None:
    root = keccak(nodes[0]) if nodes else ZERO

    with pytest.raises(AnswerWrong):
        prove_account(root, "0x" + "ab" * 20, nodes)
