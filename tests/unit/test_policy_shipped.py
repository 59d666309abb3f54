import json
from pathlib import Path

import pytest

from governance.domain.policy import Entrenchment, Op, Phase, Source, Tier
from governance.policy import POLICIES, describe_set, load_policies, purpose_bits, purpose_names

GOLDEN = Path(__file__).parents[1] / "golden"
HOW_TO_UPDATE = """if the change is meant, write the file again:
.venv/bin/python -c 'import json; from governance.policy import *;
print(json.dumps(describe_set(load_policies()), indent=1))' > tests/golden/policy-set.json"""


@pytest.fixture(scope="module")
def policy():
    return load_policies()


def golden(name):
    return json.loads((GOLDEN / name).read_text("utf-8"))


def rule(policy, rule_id):
    return next(r for r in policy.rules if r.id == rule_id)


def test_compiled_set_equals_the_golden_file(policy):
    assert describe_set(policy) == golden("policy-set.json"), HOW_TO_UPDATE


def test_no_bit_number_ever_moves_or_is_used_again(policy):
    now = {
        "purposes": {purpose.name: purpose.bit for purpose in policy.purposes},
        "licences": {licence.name: licence.bit for licence in policy.licences},
    }

    for kind, kept in golden("policy-bits.json").items():
        taken = set(kept.values())
        for name, bit in now[kind].items():
            assert kept.get(name, bit) == bit, f"{name} moved: the chain keeps bits, not names"
            assert name in kept or bit not in taken, f"{name} takes bit {bit} of a name that is gone"
            assert name in kept, f"add {name}: {bit} to tests/golden/policy-bits.json"


def test_gap_rule_is_the_one_of_the_flagship(policy):
    gap = rule(policy, "max-tpr-gap")

    assert (gap.fact, gap.op, gap.bound) == ("tpr_gap_abs", Op.MAX, 100_000)
    assert gap.sources == 1 << Source.MEASURED
    assert gap.phases == Phase.RELEASE


def test_every_banned_purpose_is_under_the_eternal_ban_and_has_a_tier(policy):
    ban = rule(policy, "no-prohibited-purpose")
    banned = purpose_names(policy, ban.bound)

    assert ban.entrenchment is Entrenchment.ETERNAL
    assert ban.phases == Phase.AGREEMENT | Phase.RELEASE
    assert ban.tiers == 0b1110
    assert "social_scoring" in banned
    assert all(purpose.bit >= 32 for purpose in policy.purposes if purpose.name in banned)
    assert all(purpose.bit < 32 for purpose in policy.purposes if purpose.name not in banned)


def test_flagship_purposes_are_high_risk(policy):
    tiers = {purpose.name: purpose.tier for purpose in policy.purposes}

    assert tiers["medical_diagnosis_support"] is Tier.HIGH
    assert tiers["credit_scoring"] is Tier.HIGH
    assert purpose_bits(policy, ["medical_diagnosis_support"]) == 1


def test_every_reference_says_how_it_was_checked_and_readme_lists_the_kinds(policy):
    readme = (POLICIES / "README.md").read_text("utf-8")

    refs = [ref for text in policy.texts.values() for ref in text.refs]
    refs += [ref for purpose in policy.purposes for ref in purpose.refs]

    assert all(ref.title and ref.at for ref in refs)
    assert {ref.checked for ref in refs} <= {"copy", "secondary", "unchecked"}
    assert all(f"`{kind}`" in readme for kind in {ref.checked for ref in refs})


def test_rules_of_the_first_job_are_there_under_their_names(policy):
    assert {r.id for r in policy.rules} >= {
        "licence-allow-list",
        "max-dp-epsilon",
        "max-energy",
        "max-tpr-gap",
        "min-auc",
        "min-balanced-accuracy",
        "min-cohort-rows",
        "min-evaluators",
        "min-organisations",
        "min-round-contributors",
        "no-prohibited-purpose",
    }
