// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PolicyRegistry} from "../src/PolicyRegistry.sol";
import {IPolicyRegistry} from "../src/interfaces/IPolicyRegistry.sol";
import {Addresses} from "../src/types/Addresses.sol";
import {Entrenchment, FactRange, Op, Phase, Rule, RuleSet, Source, Tier, TierEntry} from "../src/types/Policy.sol";
import {FactsOnPaper} from "./FactsOnPaper.sol";
import {Sets} from "./Sets.sol";
import {Check} from "./Vm.sol";

contract PolicyRegistryTest is Check {
    uint8 private constant ALL_TIERS = 0x0e;
    uint8 private constant ALL_PHASES = 7;
    uint8 private constant TRIAGE = 0;
    uint8 private constant SCORING = 1;
    uint8 private constant SOCIAL = 8;
    uint128 private constant FOR_TRIAGE = 1;

    FactsOnPaper private facts;

    function setUp() public {
        vm.warp(1_700_000_000);
        facts = new FactsOnPaper();
        facts.set("purposes", 1, Source.PROMISED);
    }

    // ---- Judging ----

    function test_a_fact_within_its_bound_passes() public {
        PolicyRegistry policy = _deploy(_gapRules());
        facts.set("tpr_gap_abs", 100_000, Source.MEASURED);

        (uint256 failed, uint256 applied, uint8 tier) = policy.evaluate(facts, 0, FOR_TRIAGE, Phase.RELEASE);

        assertEq(failed, 0, "failed");
        assertEq(applied, 3, "applied");
        assertEq(tier, Tier.HIGH, "tier");
    }

    function test_a_fact_past_its_bound_fails_by_name() public {
        PolicyRegistry policy = _deploy(_gapRules());
        facts.set("tpr_gap_abs", 100_001, Source.MEASURED);
        (uint256 failed,,) = policy.evaluate(facts, 0, FOR_TRIAGE, Phase.RELEASE);
        assertEq(failed, 2, "bit of the second rule");
    }

    function test_a_missing_fact_fails_closed() public {
        PolicyRegistry policy = _deploy(_gapRules());
        (uint256 failed,,) = policy.evaluate(facts, 0, FOR_TRIAGE, Phase.RELEASE);
        assertEq(failed, 2, "bit of the second rule");
    }

    function test_a_declared_fact_does_not_stand_in_for_a_measured_one() public {
        PolicyRegistry policy = _deploy(_gapRules());
        facts.set("tpr_gap_abs", 0, Source.DECLARED);
        (uint256 failed,,) = policy.evaluate(facts, 0, FOR_TRIAGE, Phase.RELEASE);
        assertEq(failed, 2, "bit of the second rule");
    }

    function test_a_rule_is_asked_in_its_phase_only() public {
        PolicyRegistry policy = _deploy(_gapRules());
        (uint256 failed, uint256 applied,) = policy.evaluate(facts, 0, FOR_TRIAGE, Phase.AGREEMENT);
        assertEq(failed, 0, "failed");
        assertEq(applied, 1, "applied");
    }

    function test_a_rule_is_asked_from_its_date_on() public {
        Rule[] memory rules = _gapRules();
        rules[1].appliesFromS = uint64(block.timestamp + 10);
        PolicyRegistry policy = _deploy(rules);
        (, uint256 before,) = policy.evaluate(facts, 0, FOR_TRIAGE, Phase.RELEASE);
        assertEq(before, 1, "applied before");

        vm.warp(block.timestamp + 10);
        (, uint256 since,) = policy.evaluate(facts, 0, FOR_TRIAGE, Phase.RELEASE);

        assertEq(since, 3, "applied since");
    }

    function testFuzz_number_rules_compare(int128 value, int128 bound) public {
        vm.assume(bound != type(int128).min);
        PolicyRegistry policy = _deploy(_gapRules());
        assertTrue(policy.holds(_rule(Op.Min, bound), value, Source.MEASURED) == (value >= bound), "min");
        assertTrue(policy.holds(_rule(Op.Max, bound), value, Source.MEASURED) == (value <= bound), "max");
        assertTrue(policy.holds(_rule(Op.Equal, bound), value, Source.MEASURED) == (value == bound), "equal");
    }

    function testFuzz_set_rules_compare_bit_by_bit(uint128 value, uint128 bound) public {
        bound = (bound >> 1) | 1;
        value = value >> 1;
        PolicyRegistry policy = _deploy(_gapRules());
        (bool disjoint, bool covers, bool inside) = (true, true, value != 0);
        for (uint256 i; i < 128; ++i) {
            bool has = (value >> i) & 1 == 1;
            bool named = (bound >> i) & 1 == 1;
            if (has && named) disjoint = false;
            if (named && !has) covers = false;
            if (has && !named) inside = false;
        }
        int128 word = int128(value);
        assertTrue(policy.holds(_rule(Op.NoneOf, int128(bound)), word, Source.MEASURED) == disjoint, "none of");
        assertTrue(policy.holds(_rule(Op.AllOf, int128(bound)), word, Source.MEASURED) == covers, "all of");
        assertTrue(policy.holds(_rule(Op.SubsetOf, int128(bound)), word, Source.MEASURED) == inside, "subset of");
    }

    function test_an_empty_set_is_no_subset_and_a_missing_fact_no_evidence() public {
        PolicyRegistry policy = _deploy(_gapRules());
        Rule memory rule = _rule(Op.SubsetOf, 6);
        assertFalse(policy.holds(rule, 0, Source.MEASURED), "empty");
        assertTrue(policy.holds(rule, 2, Source.MEASURED), "inside");
        rule.sources = 0xff;
        assertFalse(policy.holds(rule, 2, Source.MISSING), "missing");
    }

    function testFuzz_no_source_outside_the_mask_is_believed(uint8 source, uint8 mask, int128 value) public {
        PolicyRegistry policy = _deploy(_gapRules());
        Rule memory rule = _rule(Op.Min, type(int128).min + 1);
        rule.sources = mask;
        bool accepted = source != 0 && source < 8 && (rule.sources >> source) & 1 == 1;
        vm.assume(value != type(int128).min);
        assertTrue(policy.holds(rule, value, source) == accepted, "accepted");
    }

    // ---- Choosing the law ----

    function test_the_strictest_purpose_chooses_the_tier() public {
        PolicyRegistry policy = _deploy(_gapRules());
        assertEq(policy.tierOf(uint128(1) << SCORING), Tier.LIMITED, "one");
        assertEq(policy.tierOf((uint128(1) << SCORING) | FOR_TRIAGE), Tier.HIGH, "both");
    }

    function test_no_purpose_chooses_no_law() public {
        PolicyRegistry policy = _deploy(_gapRules());
        vm.expectRevert(IPolicyRegistry.PolicyNoPurpose.selector);
        policy.evaluate(facts, 0, 0, Phase.RELEASE);
    }

    function testFuzz_an_unknown_purpose_chooses_no_law(uint8 purpose) public {
        purpose = purpose % 128;
        vm.assume(purpose != TRIAGE && purpose != SCORING && purpose != SOCIAL);
        PolicyRegistry policy = _deploy(_gapRules());
        vm.expectRevert(abi.encodeWithSelector(IPolicyRegistry.PolicyUnknownTier.selector, purpose));
        policy.evaluate(facts, 0, FOR_TRIAGE | (uint128(1) << purpose), Phase.RELEASE);
    }

    function test_a_phase_without_a_rule_is_no_permission() public {
        PolicyRegistry policy = _deploy(_gapRules());
        vm.expectRevert(abi.encodeWithSelector(IPolicyRegistry.PolicyNoRuleApplies.selector, Tier.HIGH, 8));
        policy.evaluate(facts, 0, FOR_TRIAGE, 8);
    }

    // ---- Setting up ----

    function test_the_hash_covers_version_document_tiers_and_rules() public {
        Rule[] memory rules = _gapRules();
        PolicyRegistry policy = _deploy(rules);
        bytes32 expected = keccak256(
            abi.encode(uint64(1), bytes32("document"), Sets.facts(rules), _tiers(), rules)
        );
        assertEq(policy.activeHash(), expected, "active hash");
        assertEq(keccak256(abi.encode(policy.rules())), keccak256(abi.encode(rules)), "rules");
        assertEq(keccak256(abi.encode(policy.facts())), keccak256(abi.encode(Sets.facts(rules))), "facts");
        assertEq(keccak256(abi.encode(policy.tiers())), keccak256(abi.encode(_tiers())), "tiers");
        bytes memory payload =
            abi.encode(expected, uint64(1), bytes32("document"), Sets.facts(rules), _tiers(), rules);
        assertEq(facts.logged(), keccak256(payload), "log entry");
    }

    function test_a_set_with_a_hole_is_refused() public {
        Rule[] memory rules = _gapRules();
        rules[0].phases = Phase.AGREEMENT | Phase.RELEASE;
        _expectRefused(
            rules, abi.encodeWithSelector(IPolicyRegistry.PolicyNoRuleApplies.selector, Tier.HIGH, Phase.ROUND)
        );
    }

    function test_two_rules_cannot_share_a_name() public {
        Rule[] memory rules = _gapRules();
        rules[1].id = rules[0].id;
        _expectRefused(rules, abi.encodeWithSelector(IPolicyRegistry.PolicyDuplicateRule.selector, rules[0].id));
    }

    function test_rules_that_make_no_sense_are_refused() public {
        for (uint256 flaw; flaw < 11; ++flaw) {
            Rule[] memory rules = _gapRules();
            _spoil(rules[1], flaw);
            _expectRefused(rules, abi.encodeWithSelector(IPolicyRegistry.PolicyBadRule.selector, rules[1].id));
        }
    }

    function test_more_rules_than_bits_checked_are_refused() public {
        Rule[] memory rules = new Rule[](65);
        for (uint256 i; i < rules.length; ++i) {
            rules[i] = _rule(Op.Min, 0);
            rules[i].id = bytes32((i + 1) << 248);
        }
        _expectRefused(rules, abi.encodeWithSelector(IPolicyRegistry.PolicyTooManyRules.selector, 65));
    }

    function test_a_purpose_has_one_known_tier() public {
        TierEntry[] memory tiers = _tiers();
        tiers[1] = tiers[0];
        _expectTiersRefused(tiers, tiers[0]);
        tiers[1] = TierEntry(127, Tier.HIGH);
        _expectTiersRefused(tiers, tiers[1]);
        tiers[1] = TierEntry(5, 0);
        _expectTiersRefused(tiers, tiers[1]);
        tiers[1] = TierEntry(5, 4);
        _expectTiersRefused(tiers, tiers[1]);
    }

    function test_the_last_purpose_has_its_own_tier() public {
        TierEntry[] memory tiers = _tiers();
        tiers[2] = TierEntry(126, Tier.MINIMAL);
        PolicyRegistry policy = new PolicyRegistry(_addresses(), Sets.wide(tiers, _gapRules()));
        assertEq(policy.tierOf(uint128(1) << 126), Tier.MINIMAL, "tier");
    }

    // ---- Arranging ----

    function _deploy(Rule[] memory rules) private returns (PolicyRegistry) {
        return new PolicyRegistry(_addresses(), Sets.wide(_tiers(), rules));
    }

    function test_facts_that_make_no_sense_are_refused() public {
        for (uint256 flaw; flaw < 7; ++flaw) {
            RuleSet memory set = Sets.wide(_tiers(), _gapRules());
            FactRange memory fact = set.facts[1];
            if (flaw == 0) fact.key = 0;
            if (flaw == 1) fact.key = bytes32(uint256(fact.key) | 1);
            if (flaw == 2) fact.key = set.facts[0].key;
            if (flaw == 3) (fact.least, fact.largest) = (2, 1);
            if (flaw == 4) fact.least = type(int128).min;
            if (flaw == 5) (fact.isSet, fact.least) = (true, 1);
            if (flaw == 6) (fact.isSet, fact.least, fact.largest) = (true, 0, 0);
            Addresses memory a = _addresses();
            vm.expectRevert(abi.encodeWithSelector(IPolicyRegistry.PolicyBadFact.selector, fact.key));
            new PolicyRegistry(a, set);
        }
    }

    function test_rules_that_cannot_hold_together_are_refused() public {
        // Beside "at most 100,000"; and "exactly 50,000" beside "at least 60,000".
        _expectContradiction(_rule(Op.Max, 100_000), _rule(Op.Min, 100_001));
        _expectContradiction(_rule(Op.Max, 100_000), _rule(Op.Equal, 100_001));
        _expectContradiction(_rule(Op.Equal, 50_000), _rule(Op.Min, 60_000));
        Rule[] memory rules = _three(_rule(Op.Max, 100_000), _rule(Op.Min, 100_000));
        assertEq(_deploy(rules).rules().length, 3, "both hold for one value");
    }

    function _expectContradiction(Rule memory one, Rule memory other) private {
        bytes4 selector = IPolicyRegistry.PolicyContradiction.selector;
        _expectRefused(
            _three(one, other),
            abi.encodeWithSelector(selector, one.fact, Tier.HIGH, Phase.RELEASE, Source.MEASURED)
        );
    }

    function _three(Rule memory one, Rule memory other) private pure returns (Rule[] memory rules) {
        rules = new Rule[](3);
        other.id = "another";
        (rules[0], rules[1], rules[2]) = (_gapRules()[0], one, other);
    }

    function _expectRefused(Rule[] memory rules, bytes memory refusal) private {
        Addresses memory a = _addresses();
        RuleSet memory set = Sets.wide(_tiers(), rules);
        vm.expectRevert(refusal);
        new PolicyRegistry(a, set);
    }

    function _expectTiersRefused(TierEntry[] memory tiers, TierEntry memory bad) private {
        Rule[] memory rules = _gapRules();
        Addresses memory a = _addresses();
        vm.expectRevert(abi.encodeWithSelector(IPolicyRegistry.PolicyBadTier.selector, bad.purpose, bad.tier));
        new PolicyRegistry(a, Sets.wide(tiers, rules));
    }

    function _addresses() private view returns (Addresses memory a) {
        a.releaseRegistry = address(facts);
    }

    function _tiers() private pure returns (TierEntry[] memory tiers) {
        tiers = new TierEntry[](3);
        tiers[0] = TierEntry(TRIAGE, Tier.HIGH);
        tiers[1] = TierEntry(SCORING, Tier.LIMITED);
        tiers[2] = TierEntry(SOCIAL, Tier.HIGH);
    }

    /// @dev A ban for every tier and phase, and a gap for releases of the high tier.
    function _gapRules() private pure returns (Rule[] memory rules) {
        rules = new Rule[](2);
        rules[0] = Rule({
            id: "no-social-scoring",
            fact: "purposes",
            bound: int128(uint128(1) << SOCIAL),
            op: Op.NoneOf,
            tiers: ALL_TIERS,
            sources: Source.bit(Source.PROMISED),
            phases: ALL_PHASES,
            entrenchment: Entrenchment.Eternal,
            appliesFromS: 0
        });
        rules[1] = _rule(Op.Max, 100_000);
    }

    function _rule(Op op, int128 bound) private pure returns (Rule memory) {
        return Rule({
            id: "max-tpr-gap",
            fact: "tpr_gap_abs",
            bound: bound,
            op: op,
            tiers: uint8(1) << Tier.HIGH,
            sources: Source.bit(Source.MEASURED),
            phases: Phase.RELEASE,
            entrenchment: Entrenchment.Constitutional,
            appliesFromS: 0
        });
    }

    function _spoil(Rule memory rule, uint256 flaw) private pure {
        if (flaw == 0) rule.id = 0;
        if (flaw == 1) rule.id = "thirty-two-characters-are-too-lo";
        if (flaw == 2) rule.fact = 0;
        if (flaw == 3) rule.tiers = 0;
        if (flaw == 4) rule.tiers = 1;
        if (flaw == 5) rule.sources = 0;
        if (flaw == 6) rule.sources = 1;
        if (flaw == 7) rule.phases = 0;
        if (flaw == 8) rule.phases = 8;
        if (flaw == 9) rule.bound = type(int128).min;
        if (flaw == 10) (rule.op, rule.bound) = (Op.AllOf, 0);
    }
}
