"""The constitution in Python: policy files compiled for the chain, verdicts equal to its own."""

from governance.policy.compiler import compile_policies, load_policies, policy_from_document
from governance.policy.direction import as_version, changes_of
from governance.policy.encoding import (
    ChainFact,
    ChainRule,
    ChainSet,
    ChainTier,
    chain_facts,
    chain_rules,
    chain_set,
    chain_tiers,
    decode_key,
    describe_set,
    encode_key,
    hash_set,
    policy_from_chain,
    rule_from_chain,
)
from governance.policy.grace import Graces, evaluate_existing, graces_after
from governance.policy.schema import POLICIES
from governance.policy.verdict import PREFERENCE, evaluate, holds, rule_ids, tier_of
from governance.policy.vocabulary import (
    licence_bits,
    licence_names,
    names_of_fact,
    purpose_bits,
    purpose_names,
)
from governance.policy.wording import bit_names, explain, format_micros, limit_in_words, source_name

__all__ = [
    "POLICIES",
    "PREFERENCE",
    "ChainFact",
    "ChainRule",
    "ChainSet",
    "ChainTier",
    "Graces",
    "as_version",
    "bit_names",
    "chain_facts",
    "chain_rules",
    "chain_set",
    "chain_tiers",
    "changes_of",
    "compile_policies",
    "decode_key",
    "describe_set",
    "encode_key",
    "evaluate",
    "evaluate_existing",
    "explain",
    "format_micros",
    "graces_after",
    "hash_set",
    "holds",
    "licence_bits",
    "licence_names",
    "limit_in_words",
    "load_policies",
    "names_of_fact",
    "policy_from_chain",
    "policy_from_document",
    "purpose_bits",
    "purpose_names",
    "rule_from_chain",
    "rule_ids",
    "source_name",
    "tier_of",
]
