"""The Python mirror and the deployed contract give the same hash, verdict and refusal.

A probe (contracts/test/PolicyProbe.sol) deploys the registry from its committed artifact and asks
it, all inside one ``eth_call`` on a real node, so that thousands of cases need no transaction.
"""

import json
import subprocess
from pathlib import Path

import pytest
from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak
from hypothesis import HealthCheck, example, given, settings
from hypothesis import Phase as Step
from hypothesis import strategies as st

from folkmoot.devnet.rpc import RpcClient
from governance.domain.policy import (
    Entrenchment,
    Fact,
    Op,
    Phase,
    PolicySet,
    Rule,
    Source,
    Tier,
    TierEntry,
)
from governance.errors import NoPurposeError, UnknownTierError
from governance.policy import (
    chain_rules,
    chain_tiers,
    encode_key,
    evaluate,
    hash_set,
    holds,
    load_policies,
    policy_from_chain,
)
from governance.policy.encoding import RULE_TYPE, TIER_TYPE, chain_rule

pytestmark = [pytest.mark.chain, pytest.mark.contracts]

ROOT = Path(__file__).parents[2]
PROBE = "0x" + "f0" * 20
SET_TYPE = f"(bytes,bytes32,{TIER_TYPE}[],{RULE_TYPE}[])"
QUESTION_TYPE = "(uint128,uint8,(bytes32,int128,uint8)[])"
ANSWER_TYPE = "(uint256,uint256,uint8,bytes)"
STORED_TYPE = f"(bytes32,uint64,uint64,{TIER_TYPE}[],{RULE_TYPE}[])"
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
SHIPPED = load_policies()
REFUSALS = {
    keccak(text="PolicyNoPurpose()")[:4]: NoPurposeError,
    keccak(text="PolicyUnknownTier(uint8)")[:4]: UnknownTierError,
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

    def _set(self, policy):
        return (self.creation, policy.document_hash, chain_tiers(policy), chain_rules(policy))

    def judge(self, policy, questions):
        given = [
            (purposes, int(phase), [(encode_key(f.key), f.value, f.source) for f in facts])
            for purposes, phase, facts in questions
        ]
        data = self._call("judge", [SET_TYPE, f"{QUESTION_TYPE}[]"], [self._set(policy), given])
        stored, answers, refusal = decode([STORED_TYPE, f"{ANSWER_TYPE}[]", "bytes"], data)
        assert refusal == b"", f"the contract refuses the set: 0x{refusal.hex()}"
        return stored, answers

    def compare(self, policy, cases):
        given = [(chain_rule(rule), value, source) for rule, value, source in cases]
        data = self._call("compare", [SET_TYPE, f"{CASE_TYPE}[]"], [self._set(policy), given])
        return list(decode(["bool[]"], data)[0])


@pytest.fixture(scope="module")
def probe(shared_devnet):
    runtime = subprocess.run(
        ["node", "-e", COMPILE], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    ).stdout
    artifact = json.loads((ROOT / "contracts/artifacts/PolicyRegistry.json").read_text("utf-8"))
    rpc = RpcClient(shared_devnet.info().rpc_url)
    yield Probe(rpc, "0x" + runtime, bytes.fromhex(artifact["bytecode"][2:]))
    rpc.close()


INT128 = st.one_of(
    st.integers(-(1 << 127), (1 << 127) - 1),
    st.integers(-3, 3),
    st.integers(0, 127).map(lambda bit: (1 << bit) - 1),
)
NAMES = st.sampled_from(["auc", "gap", "epsilon", "owners", "a" * 31, "x"])
FUTURE = st.sampled_from([0, 1, 1_700_000_000, 4_000_000_000, (1 << 64) - 1])


@st.composite
def sound_rules(draw, number):
    op = draw(st.sampled_from(Op))
    bound = draw(INT128)
    if op.is_set:
        bound = bound & ((1 << 127) - 1) or 1
    return Rule(
        id=f"rule-{number}",
        fact=draw(NAMES),
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
    return PolicySet(
        version=1,
        document=b"",
        document_hash=document_hash,
        set_hash=hash_set(1, document_hash, tiers, rules),
        rules=rules,
        tiers=tiers,
    )


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


@st.composite
def examinations(draw):
    policy = draw(sound_sets())
    return policy, draw(st.lists(questions(policy), min_size=1, max_size=8))


def assert_same(policy, question, answer, now_s):
    purposes, phase, facts = question
    failed, applied, tier, refusal = answer
    if refusal:
        with pytest.raises(REFUSALS[refusal[:4]]):
            evaluate(policy, facts, purposes=purposes, phase=phase, now_s=now_s)
        return
    verdict = evaluate(policy, facts, purposes=purposes, phase=phase, now_s=now_s)
    assert (verdict.failed, verdict.applied, verdict.tier) == (failed, applied, tier)


@settings(WITHOUT_SHRINKING, max_examples=300)
@given(examination=examinations())
def test_python_and_contract_agree_on_hash_masks_and_tier(probe, examination):
    policy, asked = examination

    stored, answers = probe.judge(policy, asked)

    active_hash, version, now_s, tiers, rules = stored
    assert active_hash == policy.set_hash
    assert policy_from_chain(version, policy.document_hash, tiers, rules) == policy
    for question, answer in zip(asked, answers, strict=True):
        assert_same(policy, question, answer, now_s)


CASES = st.builds(
    lambda op, bound, value, sources, source: (
        Rule(
            id="any",
            fact="gap",
            bound=bound,
            op=op,
            tiers=2,
            sources=sources,
            phases=1,
            entrenchment=Entrenchment.ORDINARY,
        ),
        value,
        source,
    ),
    op=st.sampled_from(Op),
    bound=INT128,
    value=INT128,
    sources=st.integers(0, 255),
    source=st.integers(0, 255) | st.integers(0, 7),
)
LEAST = (
    Rule("any", "gap", -(1 << 127), Op.SUBSET_OF, 2, 255, 1, Entrenchment.ORDINARY),
    -(1 << 127),
    7,
)


@settings(WITHOUT_SHRINKING, max_examples=40)
@given(cases=st.lists(CASES, min_size=60, max_size=60))
@example(cases=[LEAST])
def test_python_and_contract_agree_on_every_operator(probe, cases):
    held = probe.compare(SHIPPED, cases)

    assert held == [holds(rule, value, source) for rule, value, source in cases]


def test_shipped_set_deploys_under_the_hash_that_python_computed(probe):
    policy = SHIPPED

    (active_hash, version, _, tiers, rules), _ = probe.judge(policy, [])

    assert active_hash == policy.set_hash
    assert version == policy.version
    read = policy_from_chain(version, policy.document_hash, tiers, rules)
    assert (read.rules, read.tiers) == (policy.rules, policy.tiers)


def test_rule_begins_in_the_same_second_for_both(probe):
    (_, _, now_s, _, _), _ = probe.judge(SHIPPED, [])
    # The chain's clock may tick between the two calls; one of these seconds is met exactly.
    starts = [0, *range(now_s, now_s + 40)]
    rules = tuple(
        Rule(f"rule-{k:02}", "gap", 0, Op.MAX, 14, 2, 7, Entrenchment.ORDINARY, start_s)
        for k, start_s in enumerate(starts)
    )
    tiers = (TierEntry(0, Tier.HIGH),)
    policy = PolicySet(1, b"", bytes(32), hash_set(1, bytes(32), tiers, rules), rules, tiers)
    question = (1, Phase.RELEASE, [Fact("gap", 1, Source.DECLARED)])

    stored, [answer] = probe.judge(policy, [question])

    assert 1 < answer[1] < (1 << len(rules)) - 1
    assert_same(policy, question, answer, stored[2])


@st.composite
def shipped_questions(draw):
    policy = SHIPPED
    bits = draw(st.lists(st.sampled_from([p.bit for p in policy.purposes]), min_size=1, unique=True))
    facts = []
    for rule in policy.rules:
        if any(fact.key == rule.fact for fact in facts):
            continue
        steps = draw(st.sampled_from([-1, 0, 1, None]))
        if steps is None:
            continue
        source = draw(st.sampled_from([s for s in Source if rule.accepts(s)] * 4 + list(Source)[1:]))
        facts.append(Fact(rule.fact, rule.bound + steps, source))
    return sum(1 << bit for bit in bits), draw(st.sampled_from(Phase)), facts


@settings(WITHOUT_SHRINKING, max_examples=30)
@given(asked=st.lists(shipped_questions(), min_size=4, max_size=12))
def test_python_and_contract_agree_on_the_shipped_set(probe, asked):
    policy = SHIPPED

    stored, answers = probe.judge(policy, asked)

    for question, answer in zip(asked, answers, strict=True):
        assert_same(policy, question, answer, stored[2])
