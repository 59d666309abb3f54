// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPolicyRegistry} from "../../src/interfaces/IPolicyRegistry.sol";
import {PolicyDirection} from "../../src/libraries/PolicyDirection.sol";
import {FactRange, Op, Phase, Rule, RuleSet, Source, Tier, TierEntry} from "../../src/types/Policy.sol";
import {PolicyAmendBase} from "../PolicyAmendBase.sol";

/// @dev Sets of rules at their largest, graces at their last seconds, and rules that only look like others.
contract PolicyEdgesTest is PolicyAmendBase {
    uint256 private constant ADDED = 4;

    // ---- Judging ----

    function test_a_fact_that_no_rule_asks_for_in_a_phase_is_no_permission() public {
        uint8 phase = 64;
        vm.expectRevert(abi.encodeWithSelector(IPolicyRegistry.PolicyNoRuleApplies.selector, Tier.HIGH, phase));
        policy.evaluateFact(IPolicyRegistry.Fact("auc", 800_000, Source.MEASURED), FOR_TRIAGE, phase);
    }

    function test_the_last_source_of_a_mask_is_believed() public view {
        Rule memory rule = _rule("min-auc", "auc", 0, Op.Min);
        rule.sources = 0x80;
        assertTrue(policy.holds(rule, 1, 7), "the last");
        assertFalse(policy.holds(rule, 1, 8), "none");
    }

    // ---- Sizes ----

    function test_a_set_has_up_to_64_rules() public {
        RuleSet memory set = _set();
        Rule[] memory rules = new Rule[](64);
        for (uint256 i; i < rules.length; ++i) {
            rules[i] = i < set.rules.length ? set.rules[i] : _rule(bytes32((i + 1) << 248), "auc", 1, Op.Min);
        }
        set.rules = rules;
        _amend(set);
        assertEq(policy.rules().length, 64, "rules");
    }

    function test_a_set_has_up_to_64_facts() public {
        RuleSet memory set = _set();
        set.facts = _facts(64);
        _amend(set);
        assertEq(policy.version(), 2, "version");
        set.facts = _facts(65);
        _refused(set, abi.encodeWithSelector(IPolicyRegistry.PolicyTooManyFacts.selector, 65));
    }

    function test_a_fact_may_have_one_value() public {
        RuleSet memory set = _set();
        set.facts[1].least = set.facts[1].largest = 5;
        set.rules[GAP].bound = 5;
        assertEq(_deploy(set).version(), 1, "version");
    }

    function test_a_set_without_purposes_is_refused() public {
        RuleSet memory set = _set();
        set.tiers = new TierEntry[](0);
        vm.expectRevert(IPolicyRegistry.PolicyNoPurpose.selector);
        _deploy(set);
    }

    function test_rules_contradict_each_other_for_the_last_source_alone() public {
        uint8 last = 6;
        RuleSet memory set = _with(_set(), _rule("max-auc", "auc", 600_000, Op.Max));
        set.rules[ADDED].sources = Source.bit(last);
        set.rules[AUC].sources |= Source.bit(last);
        vm.expectRevert(
            abi.encodeWithSelector(
                IPolicyRegistry.PolicyContradiction.selector, bytes32("auc"), Tier.MINIMAL, Phase.RELEASE, last
            )
        );
        _deploy(set);
    }

    // ---- Purposes that move ----

    function test_a_purpose_that_moves_up_to_a_rule_it_never_met_loses_none() public pure {
        uint128[4] memory before;
        uint128[4] memory since;
        (before[Tier.MINIMAL], since[Tier.HIGH]) = (FOR_TRIAGE, FOR_TRIAGE);
        assertFalse(PolicyDirection.losesPurposes(before, since, HIGH_TIER, uint8(1) << Tier.MINIMAL), "lost");
        assertTrue(PolicyDirection.losesPurposes(before, since, uint8(1) << Tier.LIMITED, 0), "passed over");
    }

    function test_a_ban_that_a_moved_purpose_meets_binds_at_once() public {
        RuleSet memory set = _with(_set(), _rule("no-fifth-purpose", "purposes", 1 << 5, Op.NoneOf));
        (set.rules[ADDED].tiers, set.rules[ADDED].sources) = (HIGH_TIER, Source.bit(Source.PROMISED));
        set.tiers[TRIAGE].tier = Tier.LIMITED;
        policy = _deploy(set);
        facts.set("purposes", 1 | 1 << 5, Source.PROMISED);
        facts.set("tpr_gap_abs", 200_000, Source.MEASURED);
        assertEq(_failedExisting(), 0, "not asked of this tier");
        set.tiers[TRIAGE].tier = Tier.HIGH;
        _amend(set);
        assertEq(_failedExisting(), 1 << ADDED, "the ban, without the gap that has its grace");
    }

    function test_a_tier_moves_again_in_the_second_that_its_grace_ends() public {
        RuleSet memory set = _set();
        set.tiers[1].tier = Tier.HIGH;
        _amend(set);
        vm.warp(block.timestamp + 30 days);
        set.tiers[1].tier = Tier.LIMITED;
        _amend(set);
        assertEq(policy.version(), 3, "version");
    }

    // ---- Graces ----

    /// @dev It asks for as much of another fact, so that who fails the one before is not held to it.
    function test_a_rule_in_the_place_of_another_is_new_when_its_fact_is() public {
        RuleSet memory set = _set();
        set.rules[AUC] = _rule("min-precision", "precision", 700_000, Op.Min);
        set.facts = _facts(5);
        set.facts[4].key = "precision";
        facts.set("auc", 600_000, Source.MEASURED);
        _amend(set);
        assertEq(_failed(), 1 << AUC, "new releases");
        assertEq(_failedExisting(), 0, "an existing one");
    }

    function test_a_rule_beside_another_of_the_same_fact_is_new() public {
        facts.set("auc", 600_000, Source.MEASURED);
        _amend(_with(_set(), _rule("min-auc-for-all", "auc", 900_000, Op.Min)));
        assertEq(_failed(), 1 << AUC | 1 << ADDED, "new releases");
        assertEq(_failedExisting(), 1 << AUC, "an existing one");
    }

    function test_each_of_two_tightened_rules_binds_as_it_did_before() public {
        RuleSet memory set = _set();
        (set.rules[GAP].bound, set.rules[AUC].bound) = (90_000, 750_000);
        _amend(set);
        facts.set("tpr_gap_abs", 95_000, Source.MEASURED);
        facts.set("auc", 720_000, Source.MEASURED);
        assertEq(_failedExisting(), 0, "as before");
        facts.set("auc", 650_000, Source.MEASURED);
        assertEq(_failedExisting(), 1 << AUC, "the second one's earlier form");
    }

    // ---- Arranging ----

    /// @dev Those of the set, and more that no rule asks for.
    function _facts(uint256 count) private pure returns (FactRange[] memory facts_) {
        facts_ = new FactRange[](count);
        FactRange[] memory known = _set().facts;
        for (uint256 i; i < count; ++i) {
            facts_[i] = i < known.length ? known[i] : FactRange(bytes32((i + 1) << 248), false, 0, 1e6);
        }
    }
}
