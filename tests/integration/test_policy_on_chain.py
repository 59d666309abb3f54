"""The Python mirror and the deployed contract give the same hash, verdict and refusal."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from governance.domain.policy import Entrenchment, Fact, Op, Phase, PolicySet, Rule, Source, Tier, TierEntry
from governance.policy import hash_set, holds, load_policies, policy_from_chain
from tests.integration.policy_probe import ANYTHING, INT128, WITHOUT_SHRINKING, assert_same, questions, sound_sets

pytestmark = [pytest.mark.chain, pytest.mark.contracts]

SHIPPED = load_policies()


@st.composite
def examinations(draw):
    policy = draw(sound_sets())
    return policy, draw(st.lists(questions(policy), min_size=1, max_size=8))


@settings(WITHOUT_SHRINKING, max_examples=300)
@given(examination=examinations())
def test_python_and_contract_agree_on_hash_masks_and_tier(probe, examination):
    policy, asked = examination

    stored, answers = probe.judge(policy, asked)

    active_hash, version, now_s, facts, tiers, rules, graces = stored
    assert active_hash == policy.set_hash
    assert policy_from_chain(version, policy.document_hash, tiers, rules, facts=facts) == policy
    assert graces == ()
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

    (active_hash, version, _, facts, tiers, rules, _), _ = probe.judge(policy, [])

    assert active_hash == policy.set_hash
    assert version == policy.version
    read = policy_from_chain(version, policy.document_hash, tiers, rules, facts=facts)
    assert (read.rules, read.tiers, read.facts) == (policy.rules, policy.tiers, policy.facts)


def test_rule_begins_in_the_same_second_for_both(probe):
    (_, _, now_s, *_), _ = probe.judge(SHIPPED, [])
    # The chain's clock may tick between the two calls; one of these seconds is met exactly.
    starts = [0, *range(now_s, now_s + 40)]
    rules = tuple(
        Rule(f"rule-{k:02}", "gap", 0, Op.MAX, 14, 2, 7, Entrenchment.ORDINARY, start_s)
        for k, start_s in enumerate(starts)
    )
    tiers = (TierEntry(0, Tier.HIGH),)
    digest = hash_set(1, bytes(32), tiers, rules, facts=ANYTHING)
    policy = PolicySet(1, b"", bytes(32), digest, rules, tiers, facts=ANYTHING)
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
