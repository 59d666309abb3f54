from dataclasses import replace

import pytest

from governance.domain.policy import Direction, Entrenchment, Fact, FactRange, Op, Phase, Source, Tier
from governance.errors import PolicyError
from governance.policy import Graces, as_version, changes_of, evaluate_existing, graces_after, load_policies
from governance.policy.conflicts import check_room
from governance.policy.grace import GRACE_S

SHIPPED = load_policies()
NOW_S = 1_795_000_000
DIAGNOSIS = 1


def rule(rule_id):
    return next(each for each in SHIPPED.rules if each.id == rule_id)


def with_rule(changed, policy=SHIPPED):
    kept = [changed if each.id == changed.id else each for each in policy.rules]
    if changed not in kept:
        kept.append(changed)
    return as_version(replace(policy, rules=tuple(kept)), policy.version + 1)


def without(rule_id):
    return as_version(replace(SHIPPED, rules=tuple(each for each in SHIPPED.rules if each.id != rule_id)), 2)


def direction(since):
    return changes_of(SHIPPED, since).direction


def test_same_rules_are_no_change():
    assert direction(as_version(SHIPPED, 2)) is Direction.NONE
    assert direction(replace(SHIPPED, rules=SHIPPED.rules[::-1], tiers=SHIPPED.tiers[::-1])) is Direction.NONE


@pytest.mark.parametrize(
    ("rule_id", "change", "expected"),
    [
        ("max-tpr-gap", {"bound": 50_000}, Direction.TIGHTEN),
        ("max-tpr-gap", {"bound": 150_000}, Direction.CONSTITUTIONAL),
        ("min-auc", {"bound": 650_000}, Direction.LOOSEN),
        ("min-auc", {"entrenchment": Entrenchment.CONSTITUTIONAL}, Direction.CONSTITUTIONAL),
        ("min-auc", {"sources": 1 << Source.DECLARED | 1 << Source.MEASURED}, Direction.LOOSEN),
        ("no-prohibited-purpose", {"entrenchment": Entrenchment.CONSTITUTIONAL}, Direction.FORBIDDEN),
        ("no-prohibited-purpose", {"tiers": 1 << Tier.HIGH}, Direction.FORBIDDEN),
        ("no-prohibited-purpose", {"phases": 7}, Direction.CONSTITUTIONAL),
    ],
)
def test_each_change_of_the_shipped_rules_has_its_direction(rule_id, change, expected):
    assert direction(with_rule(replace(rule(rule_id), **change))) is expected


def test_removal_is_a_loss_of_the_rank_that_the_rule_had():
    assert direction(without("min-auc")) is Direction.LOOSEN
    assert direction(without("max-tpr-gap")) is Direction.CONSTITUTIONAL
    assert direction(without("no-prohibited-purpose")) is Direction.FORBIDDEN


def test_a_shipped_purpose_leaves_its_tier_by_the_long_way():
    tiers = tuple(replace(e, tier=Tier.MINIMAL) if e.purpose == 0 else e for e in SHIPPED.tiers)

    assert changes_of(SHIPPED, replace(SHIPPED, tiers=tiers)).tiers is Direction.CONSTITUTIONAL


def test_a_fact_of_the_table_stays():
    with pytest.raises(PolicyError, match="auc: it stays as it was voted on"):
        changes_of(SHIPPED, replace(SHIPPED, facts=tuple(f for f in SHIPPED.facts if f.key != "auc")))


def test_rules_that_nothing_satisfies_are_named():
    impossible = replace(rule("min-auc"), id="max-auc", op=Op.MAX, bound=100_000)

    with pytest.raises(PolicyError, match="min-auc, max-auc: no auc satisfies all of them"):
        check_room(SHIPPED.facts, (*SHIPPED.rules, impossible))


def test_a_limit_beyond_what_the_fact_can_be_is_refused():
    with pytest.raises(PolicyError, match="nothing that distinct_organisations can be"):
        check_room(SHIPPED.facts, (replace(rule("min-organisations"), bound=10**30),))


def facts(auc):
    accepted = {each.fact: next(s for s in reversed(Source) if each.accepts(s)) for each in SHIPPED.rules}
    good = {each.fact: each.bound for each in SHIPPED.rules if each.phases & Phase.RELEASE and not each.op.is_set}
    values = good | {"purposes": DIAGNOSIS, "licences": 1, "evaluators": 5_000_000, "auc": auc}
    return [Fact(key, value, accepted[key]) for key, value in values.items()]


def test_an_existing_release_has_30_days_for_a_tighter_rule():
    since = with_rule(replace(rule("min-auc"), bound=800_000))
    graces = graces_after(SHIPPED, Graces(), since, now_s=NOW_S)

    def failing(auc, now_s):
        return evaluate_existing(since, graces, facts(auc), purposes=DIAGNOSIS, now_s=now_s).failed

    assert failing(700_000, NOW_S + GRACE_S - 1) == 0
    assert failing(699_999, NOW_S) != 0
    assert failing(700_000, NOW_S + GRACE_S) != 0


def test_a_removed_purpose_counts_as_the_strictest_tier_after_30_days():
    since = replace(SHIPPED, tiers=tuple(entry for entry in SHIPPED.tiers if not DIAGNOSIS >> entry.purpose & 1))
    graces = graces_after(SHIPPED, Graces(), since, now_s=NOW_S)

    during = evaluate_existing(since, graces, facts(0), purposes=DIAGNOSIS, now_s=NOW_S + GRACE_S - 1)
    after = evaluate_existing(since, graces, facts(700_000), purposes=DIAGNOSIS, now_s=NOW_S + GRACE_S)

    assert (after.tier, after.failed, after.purposes) == (max(e.tier for e in since.tiers), 0, DIAGNOSIS)
    assert during.failed_rules == ("min-auc",)
    assert graces.tiers == SHIPPED.tiers


def test_a_running_grace_is_not_drawn_out():
    since = with_rule(replace(rule("min-auc"), bound=800_000))
    graces = graces_after(SHIPPED, Graces(), since, now_s=NOW_S)

    with pytest.raises(PolicyError, match="min-auc has a grace until"):
        graces_after(since, graces, with_rule(replace(rule("min-auc"), bound=800_001), since), now_s=NOW_S + 1)
    later = with_rule(replace(rule("min-auc"), bound=750_000), since)
    assert graces_after(since, graces, later, now_s=NOW_S + 1).rules[0].until_s == NOW_S + GRACE_S


def test_a_further_fact_tightens_and_further_bits_loosen():
    further = FactRange("toxicity", is_set=False, least=0, largest=1_000_000)
    assert direction(replace(SHIPPED, facts=(*SHIPPED.facts, further))) is Direction.TIGHTEN
    wider = tuple(replace(f, largest=f.largest | 1 << 100) if f.key == "licences" else f for f in SHIPPED.facts)
    assert direction(replace(SHIPPED, facts=wider)) is Direction.LOOSEN
