// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Jury} from "../../src/libraries/Jury.sol";

/// @dev Proven by halmos for every three values.
contract JuryProof {
    function check_the_median_of_three_lies_between(int128 a, int128 b, int128 c, bool higher) external pure {
        if (a == Jury.MISSING || b == Jury.MISSING || c == Jury.MISSING) return;
        int128 middle = Jury.median(_list(a, b, c), higher);
        assert(middle == a || middle == b || middle == c);
        uint256 below = (a <= middle ? 1 : 0) + (b <= middle ? 1 : 0) + (c <= middle ? 1 : 0);
        uint256 above = (a >= middle ? 1 : 0) + (b >= middle ? 1 : 0) + (c >= middle ? 1 : 0);
        assert(below >= 2 && above >= 2);
    }

    /// @dev One juror of three, whatever it says, cannot leave the range of the other two.
    function check_one_liar_stays_in_the_range_of_two(int128 a, int128 b, int128 liar, bool higher) external pure {
        if (a == Jury.MISSING || b == Jury.MISSING || a > b) return;
        int128 middle = Jury.median(_list(a, b, liar), higher);
        assert(middle >= a && middle <= b);
    }

    /// @dev Half of the jury is no majority: the fact is then missing, and no rule accepts a missing fact.
    function check_two_silent_jurors_of_three_give_no_fact(int128 a, bool higher) external pure {
        assert(Jury.median(_list(Jury.MISSING, a, Jury.MISSING), higher) == Jury.MISSING);
        assert(Jury.median(_list(a, Jury.MISSING, Jury.MISSING), higher) == Jury.MISSING);
    }

    /// @dev Of two known values the worse one counts.
    function check_of_two_the_worse_counts(int128 a, int128 b, bool higher) external pure {
        if (a == Jury.MISSING || b == Jury.MISSING || a > b) return;
        assert(Jury.median(_list(a, Jury.MISSING, b), higher) == (higher ? a : b));
    }

    function check_the_order_of_reveals_changes_nothing(int128 a, int128 b, int128 c, bool higher) external pure {
        int128 first = Jury.median(_list(a, b, c), higher);
        assert(first == Jury.median(_list(b, a, c), higher));
        assert(first == Jury.median(_list(c, b, a), higher));
    }

    function _list(int128 a, int128 b, int128 c) private pure returns (int128[] memory values) {
        values = new int128[](3);
        (values[0], values[1], values[2]) = (a, b, c);
    }
}
