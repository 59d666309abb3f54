// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPolicyRegistry} from "../src/interfaces/IPolicyRegistry.sol";
import {PolicyDirection} from "../src/libraries/PolicyDirection.sol";
import {PolicyRules} from "../src/libraries/PolicyRules.sol";
import {Direction} from "../src/types/Amendment.sol";
import {Entrenchment, FactRange, Op, Rule, RuleChanges, RuleSet, Source, Tier, TierEntry} from "../src/types/Policy.sol";
import {PolicyAmendBase} from "./PolicyAmendBase.sol";

/// @dev One change at a time.
contract PolicyDirectionTest is PolicyAmendBase {
    function test_the_same_set_changes_nothing_and_is_refused() public {
        vm.expectRevert(IPolicyRegistry.PolicyNothingChanges.selector);
        policy.directionOf(_set());
        _refused(_set(), abi.encodeWithSelector(IPolicyRegistry.PolicyNothingChanges.selector));
    }

    function test_the_order_of_rules_and_purposes_changes_nothing() public {
        RuleSet memory set = _set();
        (set.rules[0], set.rules[3]) = (set.rules[3], set.rules[0]);
        (set.tiers[0], set.tiers[1]) = (set.tiers[1], set.tiers[0]);
        vm.expectRevert(IPolicyRegistry.PolicyNothingChanges.selector);
        policy.directionOf(set);
    }

    function test_other_words_alone_are_a_change() public view {
        RuleSet memory set = _set();
        set.documentHash = "other words";
        _expect(set, Direction.Tighten, "document");
    }

    function test_a_bound_that_asks_more_tightens() public view {
        RuleSet memory set = _set();
        set.rules[AUC].bound = 700_001;
        _expect(set, Direction.Tighten, "min up");
        set.rules[AUC].bound = 699_999;
        _expect(set, Direction.Loosen, "min down");
        set = _set();
        set.rules[GAP].bound = 99_999;
        _expect(set, Direction.Tighten, "max down");
        set.rules[GAP].bound = 100_001;
        _expect(set, Direction.Constitutional, "constitutional max up");
    }

    function test_every_part_of_an_ordinary_rule_has_a_direction() public view {
        RuleSet memory set = _set();
        set.rules[AUC].tiers = HIGH_TIER;
        _expect(set, Direction.Loosen, "fewer tiers");
        (set = _set()).rules[AUC].phases = 7;
        _expect(set, Direction.Tighten, "more phases");
        (set = _set()).rules[AUC].appliesFromS = 1;
        _expect(set, Direction.Loosen, "later");
        (set = _set()).rules[AUC].sources |= Source.bit(Source.DECLARED);
        _expect(set, Direction.Loosen, "more sources");
        (set = _set()).rules[AUC].op = Op.Max;
        _expect(set, Direction.Loosen, "another operator");
        (set = _set()).rules[AUC].fact = "tpr_gap_abs";
        set.rules[AUC].bound = 0;
        _expect(set, Direction.Loosen, "another fact");
        _expect(_without(_set(), AUC), Direction.Loosen, "removal");
    }

    function test_how_hard_a_rule_is_to_loosen_changes_by_the_long_way_only() public view {
        RuleSet memory set = _set();
        set.rules[AUC].entrenchment = Entrenchment.Constitutional;
        _expect(set, Direction.Constitutional, "raised");
        (set = _set()).rules[GAP].entrenchment = Entrenchment.Ordinary;
        _expect(set, Direction.Constitutional, "lowered");
        (set = _set()).rules[BAN].entrenchment = Entrenchment.Constitutional;
        _expect(set, Direction.Forbidden, "eternal lowered");
        set = _with(_set(), _rule("another", "auc", 0, Op.Min));
        _expect(set, Direction.Tighten, "an ordinary rule is added");
        set.rules[4].entrenchment = Entrenchment.Constitutional;
        _expect(set, Direction.Constitutional, "a constitutional rule is added");
    }

    function test_the_strictest_change_classes_the_amendment() public view {
        RuleSet memory set = _set();
        set.rules[AUC].bound = 800_000;
        set.rules[OWNERS].bound = 2e6;
        RuleChanges memory changes = policy.changesOf(set);
        assertEq(uint256(changes.direction), uint256(Direction.Loosen), "together");
        assertEq(changes.ids.length, 2, "rules that change");
        assertEq(changes.ids[0], "min-auc", "first");
        assertEq(uint256(changes.directions[0]), uint256(Direction.Tighten), "its direction");
        assertEq(changes.ids[1], "min-organisations", "second");
        assertEq(uint256(changes.directions[1]), uint256(Direction.Loosen), "its direction");
    }

    function test_a_purpose_moves_up_by_the_short_way_and_down_by_the_long_one() public view {
        RuleSet memory set = _set();
        set.tiers[1].tier = Tier.HIGH;
        _expect(set, Direction.Tighten, "up");
        (set = _set()).tiers[0].tier = Tier.LIMITED;
        _expect(set, Direction.Constitutional, "down, and a constitutional rule is lost");
        set = _set();
        set.tiers[1].tier = Tier.MINIMAL;
        _expect(set, Direction.Loosen, "down, and no rule is lost");
    }

    function test_a_new_purpose_loosens_and_a_removed_one_loses_its_rules() public view {
        RuleSet memory set = _set();
        set.tiers[2] = TierEntry(9, Tier.HIGH);
        _expect(set, Direction.Constitutional, "a high purpose is removed");
        set = _set();
        set.tiers[1] = TierEntry(9, Tier.LIMITED);
        _expect(set, Direction.Loosen, "a limited one is");
        TierEntry[] memory tiers = new TierEntry[](4);
        (tiers[0], tiers[1], tiers[2]) = (set.tiers[0], _set().tiers[1], set.tiers[2]);
        tiers[3] = TierEntry(9, Tier.HIGH);
        set.tiers = tiers;
        _expect(set, Direction.Loosen, "added");
    }

    function test_moving_up_past_a_rule_loses_it() public {
        RuleSet memory set = _set();
        set.rules[AUC].tiers = uint8(1) << Tier.LIMITED;
        policy = _deploy(set);
        set.tiers[1].tier = Tier.HIGH;
        _expect(set, Direction.Loosen, "asked of tier limited only");
    }

    function test_a_purpose_cannot_leave_an_eternal_rule() public {
        RuleSet memory set = _set();
        set.rules[GAP].entrenchment = Entrenchment.Eternal;
        policy = _deploy(set);
        set.tiers[0].tier = Tier.LIMITED;
        _expect(set, Direction.Forbidden, "down");
        _refused(set, abi.encodeWithSelector(IPolicyRegistry.PolicyForbidden.selector));
        (set = _set()).tiers[0] = TierEntry(9, Tier.HIGH);
        set.rules[GAP].entrenchment = Entrenchment.Eternal;
        _expect(set, Direction.Forbidden, "out");
    }

    function test_facts_are_added_and_never_changed() public {
        RuleSet memory set = _set();
        set.facts[3].key = "another";
        set.rules[OWNERS].fact = "another";
        _refused(set, abi.encodeWithSelector(IPolicyRegistry.PolicyFactChanged.selector, bytes32("distinct_organisations")));
        (set = _set()).facts[2].largest = 2e6;
        _refused(set, abi.encodeWithSelector(IPolicyRegistry.PolicyFactChanged.selector, bytes32("auc")));
        (set = _set()).facts[2].least = -1;
        _refused(set, abi.encodeWithSelector(IPolicyRegistry.PolicyFactChanged.selector, bytes32("auc")));
        (set = _set()).facts[0].largest = 0xff00;
        set.rules[BAN].bound = 1 << 8;
        _refused(set, abi.encodeWithSelector(IPolicyRegistry.PolicyFactChanged.selector, bytes32("purposes")));
        (set = _set()).facts[0].largest = (1 << 17) - 1;
        _expect(set, Direction.Loosen, "more bits");
        set = _set();
        FactRange[] memory table = new FactRange[](5);
        for (uint256 i; i < 4; ++i) {
            table[i] = set.facts[i];
        }
        table[4] = FactRange("energy_kwh", false, 0, 1e12);
        set.facts = table;
        _expect(set, Direction.Tighten, "a fact more");
    }

    function test_only_amendments_may_amend() public {
        RuleSet memory set = _set();
        set.rules[AUC].bound = 800_000;
        vm.prank(address(0xBAD));
        vm.expectRevert(abi.encodeWithSelector(IPolicyRegistry.PolicyOnlyAmendments.selector, address(0xBAD)));
        policy.amend(set);
    }

    function test_an_amendment_is_in_force_under_a_new_version_and_hash() public {
        RuleSet memory set = _set();
        set.rules[AUC].bound = 800_001;
        assertEq(uint256(_amend(set)), uint256(Direction.Tighten), "direction");
        bytes32 expected = keccak256(abi.encode(uint64(2), set.documentHash, set.facts, set.tiers, set.rules));
        assertEq(policy.version(), 2, "version");
        assertEq(policy.activeHash(), expected, "hash");
        assertEq(_failed(), 1 << AUC, "failed");
    }
}

/// @dev The kernels, with anything.
contract PolicyDirectionFuzz is PolicyAmendBase {
    /// @dev A rule whose enums are any byte.
    struct Raw {
        bytes32 fact;
        int128 bound;
        uint8 op;
        uint8 tiers;
        uint8 sources;
        uint8 phases;
        uint8 entrenchment;
        uint64 appliesFromS;
    }

    /// @dev The promise of the short wait: what failed before it fails after it.
    function testFuzz_a_tightened_rule_passes_nothing_that_failed(
        Raw memory one,
        Raw memory other,
        uint8 seed,
        int128[8] memory values,
        uint8 has
    ) public view {
        (Rule memory before, Rule memory since) = _near(one, other, seed);
        (, bool looser) = PolicyDirection.compare(before, since);
        if (!looser && _passes(since, values, has)) assertTrue(_passes(before, values, has), "passed before");
    }

    /// @dev And the other way round: a rule that is not tighter lets pass what passed.
    function testFuzz_a_loosened_rule_fails_nothing_that_passed(
        Raw memory one,
        Raw memory other,
        uint8 seed,
        int128[8] memory values,
        uint8 has
    ) public view {
        (Rule memory before, Rule memory since) = _near(one, other, seed);
        (bool tighter,) = PolicyDirection.compare(before, since);
        if (!tighter && _passes(before, values, has)) assertTrue(_passes(since, values, has), "passes since");
    }

    function testFuzz_a_change_back_goes_the_other_way(Raw memory one, Raw memory other, uint8 seed) public pure {
        (Rule memory before, Rule memory since) = _near(one, other, seed);
        (bool tighter, bool looser) = PolicyDirection.compare(before, since);
        (bool tighterBack, bool looserBack) = PolicyDirection.compare(since, before);
        assertTrue(tighter == looserBack && looser == tighterBack, "mirrored");
    }

    function testFuzz_an_eternal_rule_is_never_loosened(Raw memory one, Raw memory other, uint8 seed) public pure {
        (Rule memory before, Rule memory since) = _near(one, other, seed);
        before.entrenchment = Entrenchment.Eternal;
        (bool tighter, bool looser) = PolicyDirection.compare(before, since);
        Direction direction = PolicyDirection.ofChange(before, since);
        bool lowered = since.entrenchment != Entrenchment.Eternal;
        assertTrue((looser || lowered) == (direction == Direction.Forbidden), "forbidden");
        if (tighter && !looser && !lowered) assertTrue(direction == Direction.Constitutional, "constitutional");
    }

    /// @dev For models of several purposes, whichever tiers they end up with.
    function testFuzz_a_table_that_loses_no_rule_asks_it_of_whom_it_asked(
        uint8[6] memory before,
        uint8[6] memory since,
        uint8 tiersBefore,
        uint8 tiersSince,
        uint8 purposes
    ) public pure {
        uint128[4] memory old;
        uint128[4] memory current;
        (uint8 strictestBefore, uint8 strictestSince) = (0, 0);
        bool known = true;
        for (uint256 i; i < 6; ++i) {
            (uint8 first, uint8 second) = (before[i] % 4, since[i] % 4);
            (old[first], current[second]) = (old[first] | uint128(1 << i), current[second] | uint128(1 << i));
            if ((purposes >> i) & 1 == 0) continue;
            if (first == 0 || second == 0) known = false;
            (strictestBefore, strictestSince) = (_larger(strictestBefore, first), _larger(strictestSince, second));
        }
        if (!known || strictestBefore == 0) return;
        tiersSince |= tiersBefore;
        if (PolicyDirection.losesPurposes(old, current, tiersBefore, tiersSince)) return;
        bool asked = (tiersBefore >> strictestBefore) & 1 == 1;
        if (asked) assertEq((tiersSince >> strictestSince) & 1, 1, "asked since");
    }

    /// @dev Most pairs of random rules share nothing; these differ in few parts.
    function _near(Raw memory one, Raw memory other, uint8 seed)
        private
        pure
        returns (Rule memory before, Rule memory since)
    {
        (before, since) = (_sound(one), _sound(other));
        since.fact = before.fact;
        if (seed & 1 == 0) since.op = before.op;
        if (seed & 2 == 0) since.bound = before.bound;
        else since.bound = before.bound ^ int128(uint128(uint256(1) << (seed >> 2)));
        if (seed & 4 == 0) since.tiers = before.tiers;
        if (seed & 8 == 0) since.phases = before.phases;
        if (seed & 16 == 0) since.appliesFromS = before.appliesFromS;
        if (seed & 32 == 0) since.entrenchment = before.entrenchment;
        if (seed & 64 == 0) since.sources = before.sources;
        uint8 withoutLowest = before.sources & (before.sources - 1);
        if (seed & 128 == 0 && withoutLowest != 0) since.sources = withoutLowest;
    }

    /// @dev Sound rules accept something, and never a missing fact.
    function _sound(Raw memory raw) private pure returns (Rule memory) {
        uint8 sources = raw.sources & 0x7e == 0 ? 2 : raw.sources & 0x7e;
        (Op op, Entrenchment rank) = (Op(raw.op % 6), Entrenchment(raw.entrenchment % 3));
        return Rule("rule", raw.fact, raw.bound, op, raw.tiers, sources, raw.phases, rank, raw.appliesFromS % 2e9);
    }

    /// @dev Reads the highest accepted source that has the fact, asked of tier 2 in phase 2 now.
    function _passes(Rule memory rule, int128[8] memory values, uint8 has) private view returns (bool) {
        if (!PolicyRules.isAsked(rule, 2, 2)) return true;
        for (uint8 source = 6; source > 0; --source) {
            bool read = (rule.sources >> source) & 1 == 1 && (has >> source) & 1 == 1;
            if (read) return PolicyRules.meets(rule.op, rule.bound, values[source]);
        }
        return false;
    }

    function _larger(uint8 left, uint8 right) private pure returns (uint8) {
        return left > right ? left : right;
    }
}
