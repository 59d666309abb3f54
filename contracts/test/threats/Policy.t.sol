// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPolicyRegistry} from "../../src/interfaces/IPolicyRegistry.sol";
import {Direction} from "../../src/types/Amendment.sol";
import {Entrenchment, FactRange, Op, Phase, Rule, RuleSet, Source, Tier, TierEntry} from "../../src/types/Policy.sol";
import {PolicyAmendBase} from "../PolicyAmendBase.sol";

/// @dev Attacks on the constitution itself.
contract PolicyThreats is PolicyAmendBase {
    // ---- Tightening until nothing passes ----

    /// @dev Finding 13.
    function test_finding_13_an_eternal_ban_is_not_widened_by_the_short_way() public view {
        RuleSet memory set = _set();
        set.rules[BAN].bound |= 1 << 3;
        _expect(set, Direction.Constitutional, "an eternal rule is tightened");
        Rule memory ban = _rule("another-ban", "purposes", 1 << 3, Op.NoneOf);
        ban.entrenchment = Entrenchment.Eternal;
        _expect(_with(_set(), ban), Direction.Constitutional, "an eternal rule is added");
    }

    /// @dev Finding 13.
    function test_finding_13_a_ban_of_everything_is_refused() public {
        RuleSet memory set = _set();
        set.rules[BAN].bound = set.facts[0].largest;
        _refused(set, _contradiction("purposes", Tier.MINIMAL, Phase.AGREEMENT, Source.PROMISED));
        // Nor does it help to ban with two rules.
        set = _with(_set(), _rule("the-rest", "purposes", _set().facts[0].largest ^ int128(256), Op.NoneOf));
        set.rules[4].sources = Source.bit(Source.PROMISED);
        _refused(set, _contradiction("purposes", Tier.MINIMAL, Phase.RELEASE, Source.PROMISED));
    }

    /// @dev Finding 13.
    function test_finding_13_more_than_there_can_be_is_refused() public {
        RuleSet memory set = _set();
        set.rules[OWNERS].bound = 1e30;
        _refused(set, abi.encodeWithSelector(IPolicyRegistry.PolicyOutOfRange.selector, bytes32("min-organisations")));
        (set = _set()).rules[AUC].bound = 1e6 + 1;
        _refused(set, abi.encodeWithSelector(IPolicyRegistry.PolicyOutOfRange.selector, bytes32("min-auc")));
        (set = _set()).rules[BAN].bound |= 1 << 20;
        _refused(set, abi.encodeWithSelector(IPolicyRegistry.PolicyOutOfRange.selector, bytes32("no-social-scoring")));
        (set = _set()).rules[AUC].op = Op.AllOf;
        _refused(set, abi.encodeWithSelector(IPolicyRegistry.PolicyOutOfRange.selector, bytes32("min-auc")));
        set = _with(_set(), _rule("of-nothing", "unknown", 1, Op.Min));
        _refused(
            set,
            abi.encodeWithSelector(IPolicyRegistry.PolicyUnknownFact.selector, bytes32("of-nothing"), bytes32("unknown"))
        );
    }

    /// @dev Finding 13.
    function test_finding_13_numbers_that_contradict_each_other_are_refused() public {
        _refused(_with(_set(), _rule("max-auc", "auc", 699_999, Op.Max)), _gapOfAuc());
        _refused(_with(_set(), _rule("exact-auc", "auc", 699_999, Op.Equal)), _gapOfAuc());
        RuleSet memory set = _with(_set(), _rule("max-auc", "auc", 699_999, Op.Max));
        set.rules[AUC].tiers = HIGH_TIER;
        set.rules[4].tiers = uint8(1) << Tier.LIMITED;
        _expect(set, Direction.Loosen, "they never meet");
    }

    /// @dev Finding 13.
    function test_finding_13_sets_that_contradict_each_other_are_refused() public {
        bytes memory refusal = _contradiction("purposes", Tier.MINIMAL, Phase.RELEASE, Source.PROMISED);
        _refused(_withPurposes(Op.AllOf, 256), refusal);
        _refused(_withPurposes(Op.SubsetOf, 256), refusal);
        RuleSet memory set = _withPurposes(Op.SubsetOf, 6);
        _refused(_with(set, _promised("needs", 8, Op.AllOf)), refusal);
        // Three rules of which each two can be kept.
        set = _with(_withPurposes(Op.SubsetOf, 6), _promised("second", 12, Op.SubsetOf));
        _expect(set, Direction.Tighten, "two");
        _refused(_with(set, _promised("third", 10, Op.SubsetOf)), refusal);
    }

    /// @dev Threat 22.
    function test_threat_22_nobody_entrenches_by_the_short_way() public view {
        RuleSet memory set = _set();
        set.rules[AUC].entrenchment = Entrenchment.Eternal;
        _expect(set, Direction.Constitutional, "raised");
        Rule memory rule = _rule("born-constitutional", "auc", 1e6, Op.Min);
        rule.entrenchment = Entrenchment.Constitutional;
        _expect(_with(_set(), rule), Direction.Constitutional, "born");
    }

    // ---- Loosening what is eternal ----

    function test_an_eternal_rule_is_never_loosened() public {
        bytes memory forbidden = abi.encodeWithSelector(IPolicyRegistry.PolicyForbidden.selector);
        RuleSet memory set = _withPurposes(Op.AllOf, 1);
        set.rules[4].phases = 7;
        _refused(_without(set, BAN), forbidden);
        set = _set();
        set.rules[BAN].bound = 1 << 3;
        _refused(set, forbidden);
        (set = _set()).rules[BAN].appliesFromS = 1;
        _refused(set, forbidden);
        (set = _set()).rules[BAN].sources |= Source.bit(Source.DECLARED);
        _refused(set, forbidden);
        (set = _set()).rules[BAN].entrenchment = Entrenchment.Ordinary;
        _refused(set, forbidden);
        (set = _set()).rules[BAN].id = "the-same-by-another-name";
        _refused(set, forbidden);
    }

    /// @dev Of several sources the best is read: without the measured value a declared one would be.
    function test_dropping_the_better_source_is_no_tightening() public {
        RuleSet memory set = _set();
        set.rules[AUC].sources = Source.bit(Source.DECLARED) | Source.bit(Source.MEASURED);
        policy = _deploy(set);
        set.rules[AUC].sources = Source.bit(Source.DECLARED);
        _expect(set, Direction.Loosen, "measured is dropped");
        set.rules[AUC].sources = Source.bit(Source.MEASURED);
        _expect(set, Direction.Tighten, "declared is dropped");
    }

    // ---- Switching off what is released ----

    /// @dev Finding 14.
    function test_finding_14_a_new_rule_leaves_existing_releases_alone_for_30_days() public {
        RuleSet memory set = _with(_set(), _rule("min-balanced-accuracy", "balanced_accuracy", 700_000, Op.Min));
        set.facts = _and(set.facts, FactRange("balanced_accuracy", false, 0, 1e6));
        assertEq(uint256(_amend(set)), uint256(Direction.Tighten), "direction");
        assertEq(_failed(), 1 << 4, "a new release lacks the fact");
        assertEq(_failedExisting(), 0, "an existing one is excused");
        vm.warp(block.timestamp + 30 days);
        assertEq(_failedExisting(), 1 << 4, "and no longer");
    }

    /// @dev Finding 14.
    function test_finding_14_a_tighter_rule_binds_existing_releases_after_30_days() public {
        RuleSet memory set = _set();
        set.rules[AUC].bound = 900_000;
        _amend(set);
        assertEq(_failed(), 1 << AUC, "a new release fails at once");
        assertEq(_failedExisting(), 0, "an existing one is excused");
        vm.warp(block.timestamp + 30 days - 1);
        assertEq(_failedExisting(), 0, "to the last second");
        vm.warp(block.timestamp + 1);
        assertEq(_failedExisting(), 1 << AUC, "and no longer");
    }

    /// @dev Finding 14.
    function test_finding_14_what_bound_before_goes_on_to_bind() public {
        RuleSet memory set = _set();
        set.rules[AUC].bound = 900_000;
        _amend(set);
        facts.set("auc", 699_999, Source.MEASURED);
        assertEq(_failedExisting(), 1 << AUC, "it fails the earlier form too");
    }

    /// @dev Finding 14.
    function test_finding_14_bans_have_no_grace() public {
        RuleSet memory set = _withPurposes(Op.NoneOf, 1);
        _amend(set);
        assertEq(_failedExisting(), 1 << 4, "at once");
        assertEq(policy.graces().length, 0, "graces");
    }

    /// @dev Finding 14.
    function test_finding_14_a_stricter_tier_binds_existing_releases_after_30_days() public {
        RuleSet memory set = _set();
        set.tiers[0].tier = Tier.LIMITED;
        policy = _deploy(set);
        facts.set("tpr_gap_abs", 200_000, Source.MEASURED);
        set.tiers[0].tier = Tier.HIGH;
        assertEq(uint256(_amend(set)), uint256(Direction.Tighten), "direction");
        assertEq(_failed(), 1 << GAP, "a new release fails at once");
        assertEq(_failedExisting(), 0, "an existing one is excused");
        set.tiers[1].tier = Tier.HIGH;
        _refused(set, _graceRuns("tiers"));
        vm.warp(block.timestamp + 30 days);
        assertEq(_failedExisting(), 1 << GAP, "and no longer");
    }

    /// @dev Finding 14. A judgement that reverts for ever would let it stand whatever it does.
    function test_finding_14_a_removed_purpose_is_judged_by_the_strictest_tier_after_30_days() public {
        RuleSet memory set = _set();
        set.tiers[0].tier = Tier.LIMITED;
        policy = _deploy(set);
        facts.set("tpr_gap_abs", 200_000, Source.MEASURED);
        TierEntry[] memory shorter = new TierEntry[](2);
        (shorter[0], shorter[1]) = (set.tiers[1], set.tiers[2]);
        set.tiers = shorter;
        _amend(set);
        vm.expectRevert(abi.encodeWithSelector(IPolicyRegistry.PolicyUnknownTier.selector, TRIAGE));
        policy.evaluate(facts, 0, FOR_TRIAGE, Phase.RELEASE);
        assertEq(_failedExisting(), 0, "the tier before excuses it");
        vm.warp(block.timestamp + 30 days);
        assertEq(_failedExisting(), 1 << GAP, "the strictest tier's rule");
        facts.set("tpr_gap_abs", 50_000, Source.MEASURED);
        assertEq(_failedExisting(), 0, "which it may keep");
    }

    function test_finding_14_without_a_high_tier_the_strictest_is_the_next() public {
        RuleSet memory set = _set();
        set.tiers[0].tier = set.tiers[2].tier = Tier.MINIMAL;
        set.tiers[1].tier = Tier.LIMITED;
        policy = _deploy(set);
        TierEntry[] memory shorter = new TierEntry[](2);
        (shorter[0], shorter[1]) = (set.tiers[1], set.tiers[2]);
        set.tiers = shorter;
        _amend(set);
        vm.warp(block.timestamp + 30 days);
        (,, uint8 tier) = policy.evaluateExisting(facts, 0, FOR_TRIAGE);
        assertEq(tier, Tier.LIMITED, "tier");
    }

    /// @dev Small steps one after the other would put off the first one for ever.
    function test_a_grace_is_not_drawn_out_by_further_amendments() public {
        RuleSet memory set = _set();
        set.rules[AUC].bound = 900_000;
        _amend(set);
        vm.warp(block.timestamp + 29 days);
        set.rules[AUC].bound = 900_001;
        _refused(set, abi.encodeWithSelector(IPolicyRegistry.PolicyGraceRuns.selector, bytes32("min-auc"), _in(1 days)));
        set.rules[AUC].id = "renamed";
        _refused(set, abi.encodeWithSelector(IPolicyRegistry.PolicyGraceRuns.selector, bytes32("min-auc"), _in(1 days)));
        // Another amendment, and a new name for the same, leave it running.
        set.rules[AUC].bound = 900_000;
        set.rules[OWNERS].bound = 4e6;
        _amend(set);
        assertEq(_failedExisting(), 0, "excused");
        vm.warp(block.timestamp + 1 days);
        assertEq(_failedExisting(), 1 << AUC, "the first step binds, the second is excused");
        // Tightened again after it: the first step goes on to bind.
        set.rules[AUC].bound = 950_000;
        _amend(set);
        assertEq(_failedExisting(), 1 << AUC, "still");
    }

    function test_a_loosened_rule_stays_excused_no_longer_than_before() public {
        RuleSet memory set = _set();
        set.rules[AUC].bound = 900_000;
        _amend(set);
        vm.warp(block.timestamp + 14 days);
        set.rules[AUC].bound = 850_000;
        assertEq(uint256(_amend(set)), uint256(Direction.Loosen), "direction");
        assertEq(policy.graces()[0].untilS, uint64(block.timestamp + 16 days), "grace goes on");
    }

    // ---- Arranging ----

    function _withPurposes(Op op, int128 bound) private pure returns (RuleSet memory set) {
        set = _with(_set(), _promised("purposes", bound, op));
    }

    function _promised(bytes32 id, int128 bound, Op op) private pure returns (Rule memory rule) {
        rule = _rule(id, "purposes", bound, op);
        rule.sources = Source.bit(Source.PROMISED);
    }

    function _and(FactRange[] memory table, FactRange memory more) private pure returns (FactRange[] memory longer) {
        longer = new FactRange[](table.length + 1);
        for (uint256 i; i < table.length; ++i) {
            longer[i] = table[i];
        }
        longer[table.length] = more;
    }

    function _contradiction(bytes32 fact, uint8 tier, uint8 phase, uint8 source) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IPolicyRegistry.PolicyContradiction.selector, fact, tier, phase, source);
    }

    function _gapOfAuc() private pure returns (bytes memory) {
        return _contradiction("auc", Tier.MINIMAL, Phase.RELEASE, Source.MEASURED);
    }

    function _graceRuns(bytes32 id) private view returns (bytes memory) {
        return abi.encodeWithSelector(IPolicyRegistry.PolicyGraceRuns.selector, id, _in(30 days));
    }

    function _in(uint64 seconds_) private view returns (uint64) {
        return uint64(block.timestamp) + seconds_;
    }
}
