from __future__ import annotations

from dataclasses import replace

import pytest
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from governance.domain import evidence, merkle
from governance.domain.receipt import ledger_domain
from governance.domain.record import canonical_json, parse_canonical_json
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


def test_signatures_are_read_back_and_change_no_root() -> None:
    bare = round_of(3)
    kept = replace(bare, leaves=(replace(bare.leaves[0], signature=bytes(range(65))), *bare.leaves[1:]))

    read = evidence.RoundEvidence.read(kept.document())

    assert read == kept
    assert read.root() == bare.root()


@pytest.mark.parametrize("signature", ["", "0x", "0x" + "00" * 64, "0x" + "zz" * 65, 7, None])
def test_what_is_no_signature_is_refused(signature: object) -> None:
    document = parse_canonical_json(round_of(2).document())
    assert isinstance(document, dict)
    document["leaves"][0]["signature"] = signature  # type: ignore[index, call-overload]

    with pytest.raises(InvalidRecord):
        evidence.RoundEvidence.read(canonical_json(document))


def test_an_agent_signs_its_leaf_as_eip_712_says() -> None:
    ledger = ledger_domain(7, "0x" + "11" * 20)
    leaf = evidence.Leaf(agent=AGENTS[0], digest=b"\x05" * 32)
    fields = [("job", "bytes32"), ("round", "uint32"), ("agent", "address"), ("digest", "bytes32")]
    said = encode_typed_data(
        {"name": ledger.name, "version": "1", "chainId": 7, "verifyingContract": ledger.contract},
        {"Leaf": [{"name": name, "type": kind} for name, kind in fields]},
        {"job": JOB, "round": 7, "agent": AGENTS[0], "digest": leaf.digest},
    )

    assert leaf.signed_digest(JOB, 7, ledger) == keccak(b"\x19" + said.version + said.header + said.body)


def test_who_has_no_leaf_gets_no_proof() -> None:
    with pytest.raises(InvalidRecord):
        round_of(3).proof(AGENTS[3])
