// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPolicyRegistry} from "../src/interfaces/IPolicyRegistry.sol";
import {FactsOnPaper} from "./FactsOnPaper.sol";
import {MarketBase} from "./MarketBase.sol";

/// @dev One fact told with the question is judged like the same fact asked back.
contract PolicyFactTest is MarketBase {
    bytes32[4] private keys = [bytes32("round_contributors"), "purposes", "dp_epsilon", "unknown"];

    function testFuzz_a_fact_that_is_told_is_judged_like_one_that_is_asked(
        uint8 which,
        int64 value,
        uint8 source,
        uint8 phase
    ) public {
        (phase, source) = (uint8(1 << (phase % 3)), source % 7);
        IPolicyRegistry.Fact memory fact = IPolicyRegistry.Fact(keys[which % 4], value, source);
        FactsOnPaper holder = new FactsOnPaper();
        holder.set(fact.key, fact.value, fact.source);

        (uint256 failed, uint256 applied,) = policy.evaluate(holder, 0, TRIAGE, phase);
        (uint256 toldFailed, uint256 toldApplied) = policy.evaluateFact(fact, TRIAGE, phase);

        assertEq(toldFailed, failed, "failed");
        assertEq(toldApplied, applied, "applied");
    }
}
