from dataclasses import replace

import pytest

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
    Unit,
)
from governance.errors import NoPurposeError, NoRuleAppliesError, PolicyError, UnknownTierError
from governance.policy import (
    chain_facts,
    chain_rules,
    chain_tiers,
    evaluate,
    explain,
    format_micros,
    hash_set,
    holds,
    load_policies,
    policy_from_chain,
    rule_ids,
    tier_of,
)

NOW_S = 1_795_000_000  # November 2026
DIAGNOSIS = 1
SOCIAL_SCORING = 1 << 34


def make_rule(
    rule_id="max-gap",
    *,
    fact="gap",
    bound=100_000,
    op=Op.MAX,
    tiers=0b1110,
    sources=1 << Source.MEASURED,
    phases=Phase.RELEASE,
    applies_from_s=0,
):
    return Rule(
        id=rule_id,
        fact=fact,
        bound=bound,
        op=op,
        tiers=tiers,
        sources=sources,
        phases=phases,
        entrenchment=Entrenchment.ORDINARY,
        applies_from_s=applies_from_s,
    )


def make_policy(*rules):
    tiers = (TierEntry(0, Tier.HIGH), TierEntry(3, Tier.MINIMAL))
    return PolicySet(
        version=1,
        document=b"",
        document_hash=bytes(32),
        set_hash=hash_set(1, bytes(32), tiers, rules),
        rules=tuple(rules),
        tiers=tiers,
    )


def judge(policy, *facts, purposes=1, phase=Phase.RELEASE, now_s=NOW_S):
    return evaluate(policy, facts, purposes=purposes, phase=phase, now_s=now_s)


def release_facts(**changes):
    facts = {
        "purposes": (DIAGNOSIS, Source.PROMISED),
        "licences": (1, Source.DECLARED),
        "energy_kwh": (2_000, Source.DECLARED),
        "dp_epsilon": (8_000_000, Source.PROMISED),
        "distinct_organisations": (4_000_000, Source.COMPUTED),
        "evaluators": (5_000_000, Source.COMPUTED),
        "auc": (880_000, Source.MEASURED),
        "balanced_accuracy": (790_000, Source.MEASURED),
        "tpr_gap_abs": (60_000, Source.MEASURED),
    } | changes
    return [Fact(key, *evidence) for key, evidence in facts.items() if evidence is not None]


def judge_release(asked=DIAGNOSIS, now_s=NOW_S, **changes):
    return evaluate(
        load_policies(),
        release_facts(**changes),
        purposes=asked,
        phase=Phase.RELEASE,
        now_s=now_s,
    )


def finding(verdict, rule_id):
    return next(f for f in verdict.findings if f.rule.id == rule_id)


def test_fair_model_passes_every_rule_in_force():
    verdict = judge_release()

    assert verdict.passes
    assert verdict.tier is Tier.HIGH
    assert verdict.applied.bit_count() == 9


def test_unfair_model_fails_exactly_the_gap_rule():
    verdict = judge_release(tpr_gap_abs=(240_000, Source.MEASURED))

    assert verdict.failed_rules == ("max-tpr-gap",)
    assert rule_ids(load_policies(), verdict.failed) == ("max-tpr-gap",)
    gap = finding(verdict, "max-tpr-gap")
    assert gap.margin == -140_000
    assert gap.counterfactual == "would pass at 0.10 or less; is 0.24, 0.14 above"
    assert gap.reason == (
        "gap in true-positive rate between women and men: 0.24 (measured); limit: at most 0.10; 0.14 above"
    )
    assert gap.rationale.startswith("A sick woman must be as likely")
    assert gap.refs[0].at == "Art. 10(2)(f) and (g)"


def test_terminal_explanation_names_the_failed_rule_in_brackets_first():
    lines = explain(judge_release(tpr_gap_abs=(240_000, Source.MEASURED))).splitlines()

    assert lines[0] == "high tier, release phase: 1 of 9 rules fails [max-tpr-gap]"
    assert any(line.startswith(" FAILS  max-tpr-gap: ") for line in lines)
    assert any("AIA Art. 10(2)(f) and (g); RMF MEASURE 2.11" in line for line in lines)
    assert explain(judge_release()).startswith("high tier, release phase: all 9 rules hold\n")


def test_banned_purpose_fails_even_with_every_other_fact_in_order():
    asked = DIAGNOSIS | SOCIAL_SCORING

    verdict = judge_release(asked, purposes=(asked, Source.PROMISED))

    assert verdict.failed_rules == ("no-prohibited-purpose",)
    ban = finding(verdict, "no-prohibited-purpose")
    assert ban.counterfactual == "would pass without social_scoring"
    assert ban.reason.endswith("not allowed: social_scoring")


def test_declared_value_never_stands_in_for_a_measured_one():
    verdict = evaluate(
        load_policies(),
        [*release_facts(tpr_gap_abs=None), Fact("tpr_gap_abs", 0, Source.DECLARED)],
        purposes=DIAGNOSIS,
        phase=Phase.RELEASE,
        now_s=NOW_S,
    )

    gap = finding(verdict, "max-tpr-gap")
    assert verdict.failed_rules == ("max-tpr-gap",)
    assert (gap.value, gap.source, gap.margin) == (None, Source.MISSING, None)
    assert "no measured evidence (what is declared does not count here)" in gap.reason


def test_missing_fact_fails():
    assert judge_release(energy_kwh=None).failed_rules == ("max-energy",)


def test_rule_of_a_later_day_is_reported_and_not_enforced_until_then():
    day = 1_827_705_600  # 2027-12-02
    four = (4_000_000, Source.COMPUTED)

    before, after = judge_release(now_s=day - 1, evaluators=four), judge_release(now_s=day, evaluators=four)

    early = finding(before, "min-evaluators-annex-iii")
    assert before.passes
    assert (early.holds, early.enforced) == (False, False)
    assert early.reason.startswith("not in force before 2027-12-02; ")
    assert after.failed_rules == ("min-evaluators-annex-iii",)
    assert after.applied.bit_count() == before.applied.bit_count() + 1


def test_strictest_purpose_chooses_the_tier():
    policy = make_policy(make_rule())

    assert tier_of(policy, 0b1000) is Tier.MINIMAL
    assert tier_of(policy, 0b1001) is Tier.HIGH


@pytest.mark.parametrize("purposes", [0, -1, 1 << 128])
def test_no_purposes_are_refused(purposes):
    with pytest.raises(NoPurposeError):
        judge(make_policy(make_rule()), purposes=purposes)


@pytest.mark.parametrize("bit", [1, 127])
def test_purpose_without_a_tier_is_refused(bit):
    with pytest.raises(UnknownTierError, match=f"purpose {bit}"):
        judge(make_policy(make_rule()), purposes=1 | 1 << bit)


@pytest.mark.parametrize(
    "silent",
    [
        make_rule(phases=Phase.ROUND),
        make_rule(tiers=1 << Tier.LIMITED),
        make_rule(applies_from_s=NOW_S + 1),
    ],
)
def test_no_rule_is_a_hole_and_no_permission(silent):
    with pytest.raises(NoRuleAppliesError):
        judge(make_policy(silent))


def test_strongest_accepted_source_is_read():
    policy = make_policy(make_rule(sources=1 << Source.DECLARED | 1 << Source.MEASURED))

    verdict = judge(
        policy,
        Fact("gap", 50_000, Source.DECLARED),
        Fact("gap", 200_000, Source.MEASURED),
        Fact("gap", 50_000, Source.COMPUTED),
    )

    assert verdict.findings[0].source is Source.MEASURED
    assert not verdict.passes


@pytest.mark.parametrize(
    ("op", "bound", "value", "expected"),
    [
        (Op.MIN, 5, 5, True),
        (Op.MIN, 5, 4, False),
        (Op.MAX, 5, 5, True),
        (Op.MAX, 5, 6, False),
        (Op.EQUAL, 5, 5, True),
        (Op.EQUAL, 5, 6, False),
        (Op.NONE_OF, 0b110, 0b001, True),
        (Op.NONE_OF, 0b110, 0b011, False),
        (Op.NONE_OF, 0b110, 0, True),
        (Op.ALL_OF, 0b110, 0b111, True),
        (Op.ALL_OF, 0b110, 0b101, False),
        (Op.SUBSET_OF, 0b110, 0b010, True),
        (Op.SUBSET_OF, 0b110, 0b011, False),
        (Op.SUBSET_OF, 0b110, 0, False),
        (Op.SUBSET_OF, 0b110, -2, False),
    ],
)
def test_operator_holds_exactly_within_its_bound(op, bound, value, expected):
    assert holds(make_rule(op=op, bound=bound), value, Source.MEASURED) is expected


@pytest.mark.parametrize("source", [0, 1, 3, 7, 8, 255])
def test_source_that_is_not_accepted_never_holds(source):
    assert not holds(make_rule(), 0, source)


def test_missing_source_never_holds_even_if_the_mask_lists_it():
    assert not holds(make_rule(sources=0xFF), 0, Source.MISSING)


@pytest.mark.parametrize(
    ("op", "value", "counterfactual"),
    [
        (Op.MIN, 50_000, "would pass at 0.1 or more; is 0.05, 0.05 short"),
        (Op.MIN, 150_000, "holds at 0.1 or more; is 0.15, 0.05 to spare"),
        (Op.EQUAL, 150_000, "would pass at exactly 0.1; is 0.15, 0.05 off"),
        (Op.ALL_OF, 0, "would pass with bit 5, bit 7, bit 9, bit 10, bit 15, bit 16"),
        (Op.SUBSET_OF, 0, "would pass with only bit 5, bit 7, bit 9, bit 10, bit 15, bit 16"),
        (Op.SUBSET_OF, 1, "would pass without bit 0"),
    ],
)
def test_counterfactual_says_what_would_have_to_change(op, value, counterfactual):
    verdict = judge(make_policy(make_rule(op=op)), Fact("gap", value, Source.MEASURED))

    assert verdict.findings[0].counterfactual == counterfactual


def test_set_read_from_the_chain_gives_the_same_masks():
    policy = load_policies()
    parts = (policy.document_hash, chain_tiers(policy), chain_rules(policy))
    bare = policy_from_chain(1, *parts, facts=chain_facts(policy))

    facts = release_facts(tpr_gap_abs=(240_000, Source.MEASURED), auc=None)
    told = evaluate(policy, facts, purposes=DIAGNOSIS, phase=Phase.RELEASE, now_s=NOW_S)
    untold = evaluate(bare, facts, purposes=DIAGNOSIS, phase=Phase.RELEASE, now_s=NOW_S)

    assert bare.set_hash == policy.set_hash
    assert (untold.failed, untold.applied, untold.tier) == (told.failed, told.applied, told.tier)
    assert finding(untold, "max-tpr-gap").reason.startswith("tpr_gap_abs: 0.24 (measured)")


def test_rule_with_a_date_beyond_the_calendar_is_told_by_its_second():
    policy = make_policy(make_rule(), make_rule("later", applies_from_s=2**64 - 1))

    verdict = judge(policy, Fact("gap", 0, Source.MEASURED))

    assert f"second {2**64 - 1}" in finding(verdict, "later").reason


@pytest.mark.parametrize(
    "facts",
    [
        [Fact("gap", 1, Source.MEASURED), Fact("gap", 1, Source.MEASURED)],
        [Fact("gap", 1 << 127, Source.MEASURED)],
    ],
)
def test_evidence_that_cannot_be_is_refused(facts):
    with pytest.raises(PolicyError, match="fact gap"):
        judge(make_policy(make_rule()), *facts)


def test_mask_of_another_set_is_refused():
    with pytest.raises(PolicyError, match="beyond the 1"):
        rule_ids(make_policy(make_rule()), 0b10)


@pytest.mark.parametrize("change", [{"op": 6}, {"entrenchment": 3}, {"id": bytes(32)}])
def test_rule_from_a_newer_contract_is_refused(change):
    names = ("id", "fact", "bound", "op", "tiers", "sources", "phases", "entrenchment", "from")
    values = dict(zip(names, chain_rules(make_policy(make_rule()))[0], strict=True)) | change

    with pytest.raises(PolicyError, match=r"rule 0x|identifier"):
        policy_from_chain(1, bytes(32), [(0, 3)], [tuple(values.values())])


def test_tier_from_a_newer_contract_is_refused():
    with pytest.raises(PolicyError, match="tier table"):
        policy_from_chain(1, bytes(32), [(0, 4)], [])


def test_set_hash_changes_with_every_part():
    rule, tiers = make_rule(), (TierEntry(0, Tier.HIGH),)
    hashes = {
        hash_set(1, bytes(32), tiers, [rule]),
        hash_set(2, bytes(32), tiers, [rule]),
        hash_set(1, b"" * 32, tiers, [rule]),
        hash_set(1, bytes(32), (TierEntry(0, Tier.LIMITED),), [rule]),
        hash_set(1, bytes(32), tiers, [replace(rule, bound=1)]),
        hash_set(1, bytes(32), tiers, [rule, rule]),
    }

    assert len(hashes) == 6


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (100_000, Unit.RATIO, "0.10"),
        (123_456, Unit.RATIO, "0.123456"),
        (3_000_000, Unit.COUNT, "3"),
        (-1_500_000, Unit.NUMBER, "-1.5"),
        (1, Unit.NUMBER, "0.000001"),
        (0, Unit.RATIO, "0.00"),
    ],
)
def test_millionths_are_written_exactly(value, unit, text):
    assert format_micros(value, unit) == text
