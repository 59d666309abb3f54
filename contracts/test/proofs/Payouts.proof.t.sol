// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Income} from "../../src/libraries/Income.sol";
import {Payouts} from "../../src/libraries/Payouts.sol";

/// @dev A split that comes to an end gives out what came in, for every amount: nothing is lost and nothing is made.
/// That it always comes to an end rests on divisions of 256 bits, which no solver here decides; fuzz tests try it.
contract PayoutsProof {
    function check_a_slash_adds_up(uint128 amountE18, bool challenged) external pure {
        Payouts.Slash memory parts = Payouts.slash(amountE18, challenged);
        assert(uint256(parts.injuredE18) + parts.challengerE18 + parts.treasuryE18 == amountE18);
    }

    function check_a_challenger_that_is_not_there_gets_nothing(uint128 amountE18) external pure {
        assert(Payouts.slash(amountE18, false).challengerE18 == 0);
    }

    function check_a_payment_for_use_adds_up(uint128 amountE18, uint16 feeBps) external pure {
        Income.Split memory s = Income.split(amountE18, feeBps);
        assert(s.feeE18 + s.royaltiesE18 + s.buyerE18 + s.poolE18 == amountE18);
    }

    function check_a_generation_gets_at_most_what_is_left(uint256 leftE18, bool oldest) external pure {
        uint256 partE18 = Income.generation(leftE18, oldest);
        assert(partE18 <= leftE18 && (!oldest || partE18 == leftE18));
    }
}
