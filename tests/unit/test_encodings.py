"""Digests of fixed records equal the golden ones, which contracts/test/Encodings.t.sol takes from the contracts."""

import json

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from folkmoot.settings import CHECKOUT
from governance.domain.evidence import Leaf
from governance.domain.market import AggregationPrivacy, IntegrationMode, JobTerms, Kind, PrivacyUnit, Terms
from governance.domain.release import LogEntry, Manifest, facts_hash, jury_commitment
from governance.domain.signing import (
    Binding,
    EvaluationCommit,
    book_domain,
    court_domain,
    hash_binding,
    hash_commit,
    hash_job,
    hash_terms,
    registry_domain,
    short_text,
)

CHAIN_ID = 7_134_252
REGISTRY = "0x1111111111111111111111111111111111111111"
BOOK = "0x2222222222222222222222222222222222222222"
RELEASES = "0x3333333333333333333333333333333333333333"
COURT = "0x4444444444444444444444444444444444444444"
COORDINATOR = "0x5555555555555555555555555555555555555555"
SELLER = "0x6666666666666666666666666666666666666666"
OPERATOR = "0x7777777777777777777777777777777777777777"


def word(number: int) -> bytes:
    return number.to_bytes(32)


def golden() -> dict[str, str]:
    digests: dict[str, str] = json.loads((CHECKOUT / "tests" / "golden" / "encodings.json").read_text())
    return digests


def binding() -> Binding:
    return Binding(
        agent=SELLER,
        operator=OPERATOR,
        roles=9,
        public_key_x=word(10),
        public_key_y=word(11),
        encryption_key=word(12),
        endpoint="http://127.0.0.1:8000/submit",
        nonce=3,
        deadline_s=1_800_000_000,
    )


def job() -> JobTerms:
    return JobTerms(
        coordinator=COORDINATOR,
        purposes=5,
        rounds_per_candidate=20,
        epsilon_micros=8_000_000,
        delta_e12=10_000_000,
        privacy_unit=PrivacyUnit.RECORD,
        aggregation_privacy=AggregationPrivacy.CLEAR,
        integration_mode=IntegrationMode.COUPLED,
        task=word(20),
        metric_code=word(21),
        candidates=("plain", "without-sex", "reweighed"),
        bonus_e18=40_000_000_000_000_000_001,
        deadline_s=1_800_000_001,
        nonce=4,
    )


def terms() -> Terms:
    return Terms(
        kind=Kind.DATA,
        buyer=COORDINATOR,
        seller=SELLER,
        job=word(30),
        price_e18=123_456_789_000_000_000_000,
        units=61,
        epsilon_micros=8_000_000,
        delta_e12=10_000_000,
        privacy_unit=PrivacyUnit.RECORD,
        aggregation_privacy=AggregationPrivacy.CLEAR,
        rows=181,
        data_root=word(31),
        purposes=5,
        compute_seconds=600,
        bond_e18=30_000_000_000_000_000_002,
        auditor=OPERATOR,
        withdrawal_blocks=True,
        deadline_s=1_800_000_002,
        valid_until_s=1_800_000_003,
        nonce=5,
    )


def manifest() -> Manifest:
    return Manifest(
        job=word(30),
        candidate="without-sex",
        candidate_index=1,
        artifact=word(40),
        card=word(41),
        licences=6,
        use_price_e18=10 * 10**18,
        agreements=(word(42), word(43), word(44)),
        declared=(("energy_kwh", 1_500_000), ("below_zero", -1)),
    )


def log_entry() -> LogEntry:
    return LogEntry(
        sequence=17, time_s=1_800_000_004, writer=BOOK, kind="agreement", subject=word(50), payload=word(51)
    )


def digests() -> dict[str, str]:
    commitment = jury_commitment(
        (870_000, -(1 << 127), 240_000),
        word(60),
        word(61),
        chain_id=CHAIN_ID,
        court=COURT,
        case=word(62),
        artifact=word(40),
        juror=SELLER,
        contributions=word(63),
    )
    signed = EvaluationCommit(
        case=word(62), artifact=word(40), juror=SELLER, commitment=commitment, deadline_s=1_800_000_000
    )
    metrics = [short_text("auc"), short_text("tpr_gap_abs")]
    result = keccak(encode(["bytes32[]", "int128[]", "uint8"], [metrics, [870_000, -(1 << 127)], 5]))
    found = {
        "binding": hash_binding(binding(), registry_domain(CHAIN_ID, REGISTRY)),
        "job": hash_job(job(), book_domain(CHAIN_ID, BOOK)),
        "terms": hash_terms(terms(), book_domain(CHAIN_ID, BOOK)),
        "manifest": manifest().manifest_hash(),
        "release": manifest().release_id(CHAIN_ID, RELEASES),
        "leaf": Leaf(agent=SELLER, digest=word(70)).hashed(word(30), 7),
        "commitment": commitment,
        "commit": hash_commit(signed, court_domain(CHAIN_ID, COURT)),
        "result": result,
        "facts": facts_hash(manifest().manifest_hash(), result),
        "log": log_entry().head(word(52 << 32 | 16), chain_id=CHAIN_ID, registry=RELEASES),
    }
    return {name: "0x" + digest.hex() for name, digest in found.items()}


def test_digests_of_fixed_records_equal_the_golden_ones() -> None:
    assert digests() == golden()
