"""How a compiled set is written for the chain and hashed; the contract does the same.

``setHash = keccak256(abi.encode(uint64 version, bytes32 documentHash, FactRange[] facts,
TierEntry[] tiers, Rule[] rules))`` as ``IPolicyRegistry.activeHash`` says.
"""

from collections.abc import Sequence
from typing import TypeAlias

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from governance.domain.policy import Entrenchment, FactRange, Op, PolicySet, Rule, Tier, TierEntry
from governance.domain.record import Record
from governance.errors import PolicyError

ChainRule: TypeAlias = "tuple[bytes, bytes, int, int, int, int, int, int, int]"
"""(id, fact, bound, op, tiers, sources, phases, entrenchment, appliesFromS)."""

ChainTier: TypeAlias = "tuple[int, int]"
"""(purpose, tier)."""

ChainFact: TypeAlias = "tuple[bytes, bool, int, int]"
"""(key, isSet, least, largest)."""

ChainSet: TypeAlias = "tuple[bytes, list[ChainFact], list[ChainTier], list[ChainRule]]"
"""(documentHash, facts, tiers, rules): the struct ``RuleSet``."""

TIER_TYPE = "(uint8,uint8)"
FACT_TYPE = "(bytes32,bool,int128,int128)"
RULE_TYPE = "(bytes32,bytes32,int128,uint8,uint8,uint8,uint8,uint8,uint64)"
SET_TYPE = f"(bytes32,{FACT_TYPE}[],{TIER_TYPE}[],{RULE_TYPE}[])"
KEY_CHARACTERS = 31


def encode_key(name: str) -> bytes:
    """Return an identifier as the contracts hold it: ASCII, left aligned in 32 bytes.

    Raises
    ------
    PolicyError
        If the name is empty, longer than 31 characters or not printable ASCII without spaces.
    """
    if not name or len(name) > KEY_CHARACTERS or any(not "!" <= c <= "~" for c in name):
        raise PolicyError(f"{name!r} is no identifier: 1 to {KEY_CHARACTERS} printable ASCII characters, no space")
    return name.encode("ascii").ljust(32, b"\0")


def decode_key(key: bytes) -> str:
    """Return the identifier that 32 bytes from the chain hold.

    Raises
    ------
    PolicyError
        If the bytes are not the one encoding of an identifier.
    """
    name = key.rstrip(b"\0").decode("ascii", errors="replace")
    if len(key) != 32 or encode_key(name) != key:
        raise PolicyError(f"0x{key.hex()} is no identifier in 32 bytes")
    return name


def chain_rule(rule: Rule) -> ChainRule:
    """Return one rule as the tuple that the ABI type ``Rule`` takes."""
    return (
        encode_key(rule.id),
        encode_key(rule.fact),
        rule.bound,
        int(rule.op),
        rule.tiers,
        rule.sources,
        rule.phases,
        int(rule.entrenchment),
        rule.applies_from_s,
    )


def rule_from_chain(values: ChainRule) -> Rule:
    """Return the rule that a tuple read from ``PolicyRegistry.rules`` stands for.

    Raises
    ------
    PolicyError
        If a name is no identifier, or the operator or entrenchment is unknown here.
    """
    key, fact, bound, op, tiers, sources, phases, entrenchment, applies_from_s = values
    try:
        return Rule(
            id=decode_key(key),
            fact=decode_key(fact),
            bound=bound,
            op=Op(op),
            tiers=tiers,
            sources=sources,
            phases=phases,
            entrenchment=Entrenchment(entrenchment),
            applies_from_s=applies_from_s,
        )
    except ValueError as error:
        raise PolicyError(f"rule 0x{key.hex()} read from the chain: {error}") from error


def chain_rules(policy: PolicySet) -> list[ChainRule]:
    """Return the rules as PolicyRegistry's constructor takes them, in order."""
    return [chain_rule(rule) for rule in policy.rules]


def chain_tiers(policy: PolicySet) -> list[ChainTier]:
    """Return the tier table as PolicyRegistry's constructor takes it, in order."""
    return [(entry.purpose, int(entry.tier)) for entry in policy.tiers]


def chain_facts(policy: PolicySet) -> list[ChainFact]:
    """Return the table of facts as PolicyRegistry takes it, in order."""
    return [chain_fact(fact) for fact in policy.facts]


def chain_fact(fact: FactRange) -> ChainFact:
    """Return what a fact can be as the tuple that the ABI type ``FactRange`` takes."""
    return (encode_key(fact.key), fact.is_set, fact.least, fact.largest)


def chain_set(policy: PolicySet) -> ChainSet:
    """Return all that is voted on together, as PolicyRegistry's constructor and ``amend`` take it."""
    return (policy.document_hash, chain_facts(policy), chain_tiers(policy), chain_rules(policy))


def hash_set(
    version: int,
    document_hash: bytes,
    tiers: Sequence[TierEntry],
    rules: Sequence[Rule],
    *,
    facts: Sequence[FactRange] = (),
) -> bytes:
    """Return the hash of a set, 32 bytes, equal to ``PolicyRegistry.activeHash``."""
    encoded = encode(
        ["uint64", "bytes32", f"{FACT_TYPE}[]", f"{TIER_TYPE}[]", f"{RULE_TYPE}[]"],
        [
            version,
            document_hash,
            [chain_fact(fact) for fact in facts],
            [(entry.purpose, int(entry.tier)) for entry in tiers],
            [chain_rule(rule) for rule in rules],
        ],
    )
    return bytes(keccak(encoded))


def describe_set(policy: PolicySet) -> Record:
    """Return a compiled set as a record with the contract's field names, for files and screens.

    ``tests/golden/policy-set.json`` holds the one of the set that ships with the project.
    """
    fields = (
        "id", "fact", "bound", "op", "tiers", "sources", "phases", "entrenchment", "appliesFromS",
    )  # fmt: skip
    return {
        "version": policy.version,
        "documentHash": _hex(policy.document_hash),
        "setHash": _hex(policy.set_hash),
        "facts": [
            {"key": _hex(key), "isSet": is_set, "least": least, "largest": largest}
            for key, is_set, least, largest in chain_facts(policy)
        ],
        "tiers": [{"purpose": purpose, "tier": tier} for purpose, tier in chain_tiers(policy)],
        "rules": [
            {
                field: _hex(value) if isinstance(value, bytes) else value
                for field, value in zip(fields, rule, strict=True)
            }
            for rule in chain_rules(policy)
        ],
    }


def policy_from_chain(
    version: int,
    document_hash: bytes,
    tiers: Sequence[ChainTier],
    rules: Sequence[ChainRule],
    *,
    facts: Sequence[ChainFact] = (),
) -> PolicySet:
    """Return the set that PolicyRegistry holds, without the words that stand in its document.

    An auditor compares ``set_hash`` with ``activeHash`` and ``document_hash`` with the document
    that the store holds; verdicts need neither.

    Raises
    ------
    PolicyError
        If a rule or tier is of a kind that is unknown here.
    """
    try:
        entries = tuple(TierEntry(purpose, Tier(tier)) for purpose, tier in tiers)
    except ValueError as error:
        raise PolicyError(f"tier table read from the chain: {error}") from error
    compiled = tuple(rule_from_chain(rule) for rule in rules)
    ranges = tuple(FactRange(decode_key(key), is_set, least, largest) for key, is_set, least, largest in facts)
    return PolicySet(
        version=version,
        document=b"",
        document_hash=document_hash,
        set_hash=hash_set(version, document_hash, entries, compiled, facts=ranges),
        rules=compiled,
        tiers=entries,
        facts=ranges,
    )


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
