// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FactRange, Op, Rule, RuleSet, TierEntry} from "../src/types/Policy.sol";

/// @dev Makes sets for tests that care about rules alone: every fact may be nearly anything.
library Sets {
    function wide(TierEntry[] memory tiers, Rule[] memory rules) internal pure returns (RuleSet memory) {
        return RuleSet("document", facts(rules), tiers, rules);
    }

    function facts(Rule[] memory rules) internal pure returns (FactRange[] memory list) {
        list = new FactRange[](rules.length);
        uint256 count;
        for (uint256 i; i < rules.length; ++i) {
            bool known;
            for (uint256 j; j < count; ++j) {
                known = known || list[j].key == rules[i].fact;
            }
            bool isSet = rules[i].op == Op.NoneOf || rules[i].op == Op.AllOf || rules[i].op == Op.SubsetOf;
            int128 least = isSet ? int128(0) : type(int128).min + 1;
            if (!known) list[count++] = FactRange(rules[i].fact, isSet, least, type(int128).max);
        }
        assembly ("memory-safe") {
            mstore(list, count)
        }
    }
}
