// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PolicyRegistry} from "../src/PolicyRegistry.sol";
import {Addresses} from "../src/types/Addresses.sol";
import {Entrenchment, Op, Phase, Rule, Source, Tier, TierEntry} from "../src/types/Policy.sol";
import {FactsOnPaper} from "./FactsOnPaper.sol";
import {Sets} from "./Sets.sol";
import {Check} from "./Vm.sol";

/// @dev What a judgement costs when every rule asks for another fact and nothing was touched before in the transaction:
/// one cold slot a fact is the floor. Figures are printed by `forge test -vv`.
contract PolicyGasTest is Check {
    FactsOnPaper private facts;
    PolicyRegistry[3] private policies;
    uint8[3] private counts = [10, 32, 64];

    /// @dev A test is a transaction of its own, so all of this is cold in it.
    function setUp() public {
        facts = new FactsOnPaper();
        for (uint256 i; i < 64; ++i) {
            facts.set(_name(i), int128(int256(i)), Source.MEASURED);
        }
        for (uint256 i; i < 3; ++i) {
            policies[i] = _deploy(counts[i]);
        }
    }

    function test_ten_rules_cost_at_most_6500_gas_each() public {
        assertTrue(_perRule(0) <= 6500, "gas a rule");
    }

    function test_thirty_two_rules_cost_at_most_6000_gas_each() public {
        assertTrue(_perRule(1) <= 6000, "gas a rule");
    }

    /// @dev Threat 23: the largest set fits into a hundredth of a block.
    function test_sixty_four_rules_cost_at_most_6000_gas_each() public {
        assertTrue(_perRule(2) <= 6000, "gas a rule");
    }

    function _perRule(uint256 which) private returns (uint256 gasPerRule) {
        (PolicyRegistry policy, FactsOnPaper holder, uint256 count) = (policies[which], facts, counts[which]);
        uint256 before = gasleft();
        (uint256 failed, uint256 applied,) = policy.evaluate(holder, 0, 1, Phase.RELEASE);
        gasPerRule = (before - gasleft()) / count;
        // Rule i holds for every i, so that nothing is left out.
        assertEq(failed, 0, "failed");
        assertEq(applied, type(uint256).max >> (256 - count), "applied");
        emit log_named_uint("rules", count);
        emit log_named_uint("gas a rule", gasPerRule);
    }

    function _deploy(uint256 count) private returns (PolicyRegistry) {
        Addresses memory a;
        a.releaseRegistry = address(facts);
        TierEntry[] memory tiers = new TierEntry[](1);
        tiers[0] = TierEntry(0, Tier.HIGH);
        Rule[] memory rules = new Rule[](count);
        for (uint256 i; i < count; ++i) {
            Op op = i % 2 == 0 ? Op.Min : Op.Max;
            rules[i] = Rule(
                _name(i), _name(i), int128(int256(i)), op, 0x0e, 0x7e, 7, Entrenchment.Ordinary, 0
            );
        }
        return new PolicyRegistry(a, Sets.wide(tiers, rules));
    }

    function _name(uint256 i) private pure returns (bytes32) {
        return bytes32((i + 1) << 248);
    }
}
