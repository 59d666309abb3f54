"""Python and the deployed contract agree on what an amendment changes, refuses and excuses."""

from dataclasses import replace

import pytest
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.domain.policy import Entrenchment, FactRange, Op, PolicySet, Rule, Tier, TierEntry
from governance.errors import PolicyError
from governance.policy import Graces, as_version, changes_of, encode_key, evaluate_existing, graces_after, hash_set
from governance.policy.conflicts import check_room
from tests.integration.policy_probe import (
    ANYTHING,
    REFUSALS,
    WITHOUT_SHRINKING,
    assert_same,
    questions,
    sound_rules,
    sound_sets,
)

pytestmark = [pytest.mark.chain, pytest.mark.contracts]


@st.composite
def amended(draw, before):
    """Change a set in few places; most pairs of random sets have nothing in common."""
    rules = list(before.rules)
    for number in range(draw(st.integers(0, 3))):
        index = draw(st.integers(0, len(rules) - 1))
        match draw(st.sampled_from(["change", "change", "change", "remove", "add", "rename"])):
            case "change":
                rules[index] = draw(changed(rules[index]))
            case "remove" if len(rules) > 1:
                del rules[index]
            case "rename":
                rules[index] = replace(rules[index], id=f"renamed-{number}")
            case _:
                rules.append(draw(sound_rules(100 + number)))
    tiers = tuple(draw(moved(entry)) for entry in before.tiers)
    facts = draw(st.sampled_from([before.facts, before.facts, (*before.facts, FactRange("new", False, 0, 9))]))
    document_hash = draw(st.sampled_from([before.document_hash, b"\7" * 32]))
    since = replace(before, rules=tuple(rules), tiers=tiers, facts=facts, document_hash=document_hash)
    return as_version(since, 2)


@st.composite
def moved(draw, entry):
    return replace(entry, tier=draw(st.sampled_from([entry.tier, entry.tier, entry.tier, *Tier])))


@st.composite
def changed(draw, rule):
    other = draw(sound_rules(0))
    step = draw(st.sampled_from([-1, 1, 1 << 40]))
    bound = rule.bound ^ abs(step) if rule.op.is_set else rule.bound + step
    parts = {
        "bound": bound if 0 < bound < 1 << 127 else rule.bound,
        "tiers": other.tiers,
        "sources": draw(st.sampled_from([other.sources, rule.sources & other.sources or rule.sources])),
        "phases": other.phases,
        "entrenchment": other.entrenchment,
        "applies_from_s": other.applies_from_s,
    }
    names = draw(st.sets(st.sampled_from(sorted(parts)), min_size=1, max_size=2))
    return replace(rule, **{name: parts[name] for name in names})


@st.composite
def amendments(draw):
    before = draw(sound_sets())
    since = draw(amended(before))
    return before, since, draw(st.lists(questions(since), min_size=1, max_size=6))


def in_python(before, since, now_s):
    """Return what an amendment changes and which graces it leaves, or the refusal."""
    check_room(since.facts, since.rules)
    changes = changes_of(before, since)
    return changes, graces_after(before, Graces(), since, now_s=now_s)


def refusal_of(name):
    return keccak(text=name)[:4]


NOTHING = refusal_of("PolicyNothingChanges()")
FORBIDDEN = refusal_of("PolicyForbidden()")
HOLE = refusal_of("PolicyNoRuleApplies(uint8,uint8)")
CONTRADICTION = refusal_of("PolicyContradiction(bytes32,uint8,uint8,uint8)")


@settings(WITHOUT_SHRINKING, max_examples=300)
@given(amendment=amendments())
def test_python_and_contract_agree_on_what_an_amendment_changes(probe, amendment):
    before, since, asked_of_it = amendment

    told, stored, answers, existing, refusal = probe.amend(before, since, asked_of_it)

    if refusal[:4] == HOLE:
        return
    if refusal[:4] == CONTRADICTION:
        with pytest.raises(PolicyError):
            check_room(since.facts, since.rules)
        return
    active_hash, version, now_s, _, _, _, stored_graces = stored
    changes, graces = in_python(before, since, now_s)
    if refusal[:4] == NOTHING:
        assert changes.direction == 0
        return
    assert told[:3] == (changes.direction, changes.tiers, changes.facts)
    assert list(zip(told[3], told[4], strict=True)) == [(encode_key(c.rule_id), c.direction) for c in changes.rules]
    if refusal:
        assert (refusal[:4], changes.direction) == (FORBIDDEN, 4)
        return
    assert (active_hash, version) == (since.set_hash, 2)
    assert [grace[:3] for grace in stored_graces] == [(g.rule, g.until_s, g.earlier is not None) for g in graces.rules]
    for question, answer, old in zip(asked_of_it, answers, existing, strict=True):
        assert_same(since, question, answer, now_s)
        assert_existing(since, graces, question, old, now_s)


def assert_existing(policy, graces, question, answer, now_s):
    purposes, _, facts = question
    failed, applied, tier, refusal = answer
    if refusal:
        with pytest.raises(REFUSALS[refusal[:4]]):
            evaluate_existing(policy, graces, facts, purposes=purposes, now_s=now_s)
        return
    verdict = evaluate_existing(policy, graces, facts, purposes=purposes, now_s=now_s)
    assert (verdict.failed, verdict.applied, verdict.tier) == (failed, applied, tier)


@settings(WITHOUT_SHRINKING, max_examples=100)
@given(rules=st.lists(st.integers(0, 40).flatmap(sound_rules), min_size=1, max_size=8, unique_by=lambda r: r.id))
def test_python_and_contract_refuse_the_same_contradictions(probe, rules):
    everywhere = Rule("everywhere", "other", 0, Op.MIN, 14, 126, 7, Entrenchment.ORDINARY)
    facts = (*ANYTHING, FactRange("other", False, 0, 1))
    tiers = (TierEntry(0, Tier.HIGH),)
    rules = (everywhere, *rules)
    policy = PolicySet(1, b"", bytes(32), hash_set(1, bytes(32), tiers, rules, facts=facts), rules, tiers, facts=facts)

    _, _, refusal = probe.try_judge(policy, [])

    if not refusal:
        check_room(facts, rules)
        return
    assert refusal[:4] == CONTRADICTION
    with pytest.raises(PolicyError):
        check_room(facts, rules)
