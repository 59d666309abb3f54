// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PolicyRules} from "../../src/libraries/PolicyRules.sol";
import {Op} from "../../src/types/Policy.sol";

/// @dev Proven by halmos for every input, where a fuzz test tries some.
contract PolicyRulesProof {
    // ---- Operators ----

    /// @dev A tighter bound lets nothing through that the looser one stops.
    function check_a_higher_minimum_is_stricter(int128 bound, int128 higher, int128 value) external pure {
        if (higher < bound || !PolicyRules.meets(Op.Min, higher, value)) return;
        assert(PolicyRules.meets(Op.Min, bound, value));
    }

    function check_a_lower_maximum_is_stricter(int128 bound, int128 lower, int128 value) external pure {
        if (lower > bound || !PolicyRules.meets(Op.Max, lower, value)) return;
        assert(PolicyRules.meets(Op.Max, bound, value));
    }

    function check_a_longer_ban_is_stricter(int128 bound, int128 more, int128 value) external pure {
        int128 longer = bound | more;
        if (!PolicyRules.meets(Op.NoneOf, longer, value)) return;
        assert(PolicyRules.meets(Op.NoneOf, bound, value));
    }

    function check_a_longer_demand_is_stricter(int128 bound, int128 more, int128 value) external pure {
        int128 longer = bound | more;
        if (!PolicyRules.meets(Op.AllOf, longer, value)) return;
        assert(PolicyRules.meets(Op.AllOf, bound, value));
    }

    function check_a_shorter_allowance_is_stricter(int128 bound, int128 fewer, int128 value) external pure {
        int128 shorter = bound & fewer;
        if (!PolicyRules.meets(Op.SubsetOf, shorter, value)) return;
        assert(PolicyRules.meets(Op.SubsetOf, bound, value));
    }

    /// @dev An unknown purpose is an empty set: it is in no allowance.
    function check_an_empty_set_is_no_subset(int128 bound) external pure {
        assert(!PolicyRules.meets(Op.SubsetOf, bound, 0));
    }

    function check_equal_is_both_bounds(int128 bound, int128 value) external pure {
        bool both = PolicyRules.meets(Op.Min, bound, value) && PolicyRules.meets(Op.Max, bound, value);
        assert(PolicyRules.meets(Op.Equal, bound, value) == both);
    }

    // ---- Evidence ----

    function check_missing_evidence_never_holds(uint256 rule, int128 value) external pure {
        if (uint8(rule >> 208) > uint8(type(Op).max)) return;
        assert(!PolicyRules.holds(rule, value, 0));
    }

    function check_an_unlisted_source_never_holds(uint256 rule, int128 value, uint8 source) external pure {
        if (uint8(rule >> 208) > uint8(type(Op).max)) return;
        if ((uint256(uint8(rule >> 200)) >> source) & 1 == 1) return;
        assert(!PolicyRules.holds(rule, value, source));
    }
}
