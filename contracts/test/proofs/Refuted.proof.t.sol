// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PolicyDirection} from "../../src/libraries/PolicyDirection.sol";
import {PolicyRules} from "../../src/libraries/PolicyRules.sol";
import {Op} from "../../src/types/Policy.sol";

/// @dev False on purpose: a run of halmos that does not refute each of these proves nothing.
contract RefutedProof {
    /// @dev False when the value equals the bound.
    function check_false_a_value_never_meets_both_bounds(int128 bound, int128 value) external pure {
        assert(!(PolicyRules.meets(Op.Min, bound, value) && PolicyRules.meets(Op.Max, bound, value)));
    }

    /// @dev False for one value in 2^128: fuzzing does not find it.
    function check_false_no_value_is_the_odd_one(int128 value) external pure {
        unchecked {
            assert(value * 3 != 57_896_044_618_658_097_711_785_492_504_343_953_925);
        }
    }

    /// @dev False because a source may only be dropped below all that stay.
    function check_false_a_dropped_source_never_loosens(uint8 before, uint8 since) external pure {
        if (since & ~before != 0) return;
        (, bool looser) = PolicyDirection.compareSources(before, since);
        assert(!looser);
    }
}
