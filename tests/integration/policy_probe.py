"""A probe (contracts/test/PolicyProbe.sol) deploys the registry from its committed artifact and asks it.

All inside one ``eth_call`` on a real node, so that thousands of cases need no transaction.
"""

import json
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak
from hypothesis import HealthCheck, settings
from hypothesis import Phase as Step
from hypothesis import strategies as st

from folkmoot.devnet.rpc import RpcClient
from governance.domain.policy import (
    Entrenchment,
    Fact,
    FactRange,
    Op,
    Phase,
    PolicySet,
    Rule,
    Source,
    Tier,
    TierEntry,
)
from governance.errors import NoPurposeError, NoRuleAppliesError, PolicyError, UnknownTierError
from governance.policy import chain_set, encode_key, evaluate, hash_set
from governance.policy.conflicts import check_room
from governance.policy.encoding import FACT_TYPE, RULE_TYPE, TIER_TYPE, chain_rule

ROOT = Path(__file__).parents[2]
PROBE = "0x" + "f0" * 20
SET_TYPE = f"(bytes32,{FACT_TYPE}[],{TIER_TYPE}[],{RULE_TYPE}[])"
QUESTION_TYPE = "(uint128,uint8,(bytes32,int128,uint8)[])"
ANSWER_TYPE = "(uint256,uint256,uint8,bytes)"
GRACE_TYPE = f"(uint8,uint64,bool,{RULE_TYPE})"
STORED_TYPE = f"(bytes32,uint64,uint64,{FACT_TYPE}[],{TIER_TYPE}[],{RULE_TYPE}[],{GRACE_TYPE}[])"
CHANGES_TYPE = "(uint8,uint8,uint8,bytes32[],uint8[])"
CASE_TYPE = f"({RULE_TYPE},int128,uint8)"
COMPILE = """
const {SETTINGS, ROOT} = require("./contracts/script/compiler.js");
const fs = require("fs"), path = require("path"), solc = require("solc");
const unit = "contracts/test/PolicyProbe.sol";
const read = (u) => ({contents: fs.readFileSync(path.join(ROOT, u), "utf8")});
const settings = {...SETTINGS, outputSelection: {[unit]: {"*": ["evm.deployedBytecode.object"]}}};
const input = {language: "Solidity", sources: {[unit]: {content: read(unit).contents}}, settings};
const output = JSON.parse(solc.compile(JSON.stringify(input), {import: read}));
for (const error of output.errors || []) console.error(error.formattedMessage);
process.stdout.write(output.contracts[unit].PolicyProbe.evm.deployedBytecode.object);
"""
REFUSALS = {
    keccak(text="PolicyNoPurpose()")[:4]: NoPurposeError,
    keccak(text="PolicyUnknownTier(uint8)")[:4]: UnknownTierError,
    keccak(text="PolicyNoRuleApplies(uint8,uint8)")[:4]: NoRuleAppliesError,
}


# Each example asks a node: shrinking a failure would take minutes and say little more.
WITHOUT_SHRINKING = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Step.explicit, Step.reuse, Step.generate],
)


class Probe:
    def __init__(self, rpc, runtime, creation):
        self.rpc = rpc
        self.runtime = runtime
        self.creation = creation

    def _call(self, name, types, values):
        selector = keccak(text=f"{name}({','.join(types)})")[:4]
        data = "0x" + (selector + encode(types, values)).hex()
        call = {"to": PROBE, "data": data, "gas": hex(30_000_000)}
        result = self.rpc.call("eth_call", call, "latest", {PROBE: {"code": self.runtime}})
        return bytes.fromhex(result[2:])

    def try_judge(self, policy, questions):
        types = ["bytes", SET_TYPE, f"{QUESTION_TYPE}[]"]
        data = self._call("judge", types, [self.creation, chain_set(policy), asked(questions)])
        return decode([STORED_TYPE, f"{ANSWER_TYPE}[]", "bytes"], data)

    def judge(self, policy, questions):
        stored, answers, refusal = self.try_judge(policy, questions)
        assert refusal == b"", f"the contract refuses the set: 0x{refusal.hex()}"
        return stored, answers

    def amend(self, first, second, questions):
        types = ["bytes", SET_TYPE, SET_TYPE, f"{QUESTION_TYPE}[]"]
        data = self._call("amend", types, [self.creation, chain_set(first), chain_set(second), asked(questions)])
        return decode([CHANGES_TYPE, STORED_TYPE, f"{ANSWER_TYPE}[]", f"{ANSWER_TYPE}[]", "bytes"], data)

    def compare(self, policy, cases):
        given = [(chain_rule(rule), value, source) for rule, value, source in cases]
        data = self._call("compare", ["bytes", SET_TYPE, f"{CASE_TYPE}[]"], [self.creation, chain_set(policy), given])
        return list(decode(["bool[]"], data)[0])


def asked(questions):
    return [
        (purposes, int(phase), [(encode_key(f.key), f.value, f.source) for f in facts])
        for purposes, phase, facts in questions
    ]


def deployed_probe(devnet):
    """Yield the probe on a chain."""
    runtime = subprocess.run(
        ["node", "-e", COMPILE], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    ).stdout
    artifact = json.loads((ROOT / "contracts/artifacts/PolicyRegistry.json").read_text("utf-8"))
    rpc = RpcClient(devnet.info().rpc_url)
    yield Probe(rpc, "0x" + runtime, bytes.fromhex(artifact["bytecode"][2:]))
    rpc.close()


INT128 = st.one_of(
    st.integers(-(1 << 127), (1 << 127) - 1),
    st.integers(-3, 3),
    st.integers(0, 127).map(lambda bit: (1 << bit) - 1),
)
NUMBERS = ["auc", "gap", "epsilon", "owners", "a" * 31, "x"]
BITS = ["purposes", "licences"]
ANYTHING = (
    *(FactRange(key, is_set=False, least=1 - (1 << 127), largest=(1 << 127) - 1) for key in NUMBERS),
    *(FactRange(key, is_set=True, least=0, largest=(1 << 127) - 1) for key in BITS),
)
NAMES = st.sampled_from(NUMBERS)
FUTURE = st.sampled_from([0, 1, 1_700_000_000, 4_000_000_000, (1 << 64) - 1])


@st.composite
def sound_rules(draw, number):
    op = draw(st.sampled_from(Op))
    bound = draw(INT128)
    if op.is_set:
        bound = bound & ((1 << 127) - 1) or 1
    return Rule(
        id=f"rule-{number}",
        fact=draw(st.sampled_from(BITS) if op.is_set else NAMES),
        bound=max(bound, 1 - (1 << 127)),
        op=op,
        tiers=draw(st.integers(1, 7)) << 1,
        sources=draw(st.integers(1, 63)) << 1,
        phases=draw(st.integers(1, 7)),
        entrenchment=draw(st.sampled_from(Entrenchment)),
        applies_from_s=draw(FUTURE),
    )


@st.composite
def sound_sets(draw):
    count = draw(st.integers(0, 12))
    # Without one rule for every tier and phase the contract would not deploy.
    everywhere = Rule(
        id="everywhere",
        fact=draw(NAMES),
        bound=draw(st.integers(-5, 5)),
        op=draw(st.sampled_from([Op.MIN, Op.MAX, Op.EQUAL])),
        tiers=0b1110,
        sources=0b111_1110,
        phases=7,
        entrenchment=Entrenchment.ORDINARY,
    )
    rules = (everywhere, *(draw(sound_rules(number)) for number in range(count)))
    bits = draw(st.lists(st.integers(0, 126), unique=True, min_size=1, max_size=6))
    tiers = tuple(TierEntry(bit, draw(st.sampled_from(Tier))) for bit in bits)
    document_hash = draw(st.binary(min_size=32, max_size=32))
    rules = consistent(rules)
    return PolicySet(
        version=1,
        document=b"",
        document_hash=document_hash,
        set_hash=hash_set(1, document_hash, tiers, rules, facts=ANYTHING),
        rules=rules,
        tiers=tiers,
        facts=ANYTHING,
    )


def consistent(rules):
    """Leave out what contradicts the rules before it; the contract would refuse it."""
    kept = ()
    for rule in rules:
        with suppress(PolicyError):
            check_room(ANYTHING, (*kept, rule))
            kept = (*kept, rule)
    return kept


@st.composite
def evidence(draw, policy):
    facts = {}
    for rule in policy.rules:
        # Values at and beside the bounds find an operator that is off by one.
        step = draw(st.sampled_from([-1, 0, 1, None]))
        value = draw(INT128) if step is None else rule.bound + step
        source = draw(st.sampled_from(list(Source)[1:]))
        if draw(st.booleans()) and -(1 << 127) <= value < 1 << 127:
            facts.setdefault((rule.fact, source), value)
    return [Fact(key, value, source) for (key, source), value in facts.items()]


@st.composite
def questions(draw, policy):
    known = [1 << entry.purpose for entry in policy.tiers]
    strange = st.integers(0, (1 << 128) - 1)
    usual = st.lists(st.sampled_from(known), min_size=1).map(lambda bits: sum(set(bits)))
    purposes = draw(st.one_of(usual, usual, usual, strange))
    return purposes, draw(st.sampled_from(Phase)), draw(evidence(policy))


def assert_same(policy, question, answer, now_s):
    purposes, phase, facts = question
    failed, applied, tier, refusal = answer
    if refusal:
        with pytest.raises(REFUSALS[refusal[:4]]):
            evaluate(policy, facts, purposes=purposes, phase=phase, now_s=now_s)
        return
    verdict = evaluate(policy, facts, purposes=purposes, phase=phase, now_s=now_s)
    assert (verdict.failed, verdict.applied, verdict.tier) == (failed, applied, tier)
