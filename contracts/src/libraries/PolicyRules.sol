// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPolicyRegistry} from "../interfaces/IPolicyRegistry.sol";
import {Op, Rule, Source, Tier} from "../types/Policy.sol";
import {PolicyCode} from "./PolicyCode.sol";

/// @title One rule: whether it makes sense, when it is asked, whether it holds
library PolicyRules {
    uint8 private constant KNOWN_TIERS = uint8((1 << Tier.MINIMAL) | (1 << Tier.LIMITED) | (1 << Tier.HIGH));
    /// @dev Every source but MISSING.
    uint8 private constant KNOWN_SOURCES = 0x7e;
    uint8 private constant KNOWN_PHASES = 7;

    /// @dev A rule that can never be asked, never fail or never hold is a mistake, not a rule.
    function requireSound(Rule memory rule) internal pure {
        bool sound = _isName(rule.id) && _isName(rule.fact) && _isPart(rule.tiers, KNOWN_TIERS)
            && _isPart(rule.sources, KNOWN_SOURCES) && _isPart(rule.phases, KNOWN_PHASES) && _boundFits(rule);
        if (!sound) revert IPolicyRegistry.PolicyBadRule(rule.id);
    }

    function isAsked(Rule memory rule, uint8 tier, uint8 phase) internal view returns (bool) {
        return isAsked(PolicyCode.pack(rule), tier, phase);
    }

    /// @param rule All of a rule but its names, as PolicyCode packs it.
    function isAsked(uint256 rule, uint8 tier, uint8 phase) internal view returns (bool) {
        bool concerned = (uint8(rule >> 192) >> tier) & 1 == 1 && uint8(rule >> 216) & phase != 0;
        return concerned && block.timestamp >= uint64(rule >> 128);
    }

    function holds(uint256 rule, int128 value, uint8 source) internal pure returns (bool) {
        if (!accepts(uint8(rule >> 200), source)) return false;
        return meets(Op(uint8(rule >> 208)), int128(uint128(rule)), value);
    }

    function isBan(uint256 rule) internal pure returns (bool) {
        return Op(uint8(rule >> 208)) == Op.NoneOf;
    }

    /// @dev Fails closed: no evidence, or none from a source the rule accepts, is a failure.
    function accepts(uint8 sources, uint8 source) internal pure returns (bool) {
        return source != Source.MISSING && source <= 7 && sources & Source.bit(source) != 0;
    }

    function meets(Op op, int128 bound, int128 value) internal pure returns (bool) {
        if (op == Op.Min) return value >= bound;
        if (op == Op.Max) return value <= bound;
        if (op == Op.Equal) return value == bound;
        uint128 bits = uint128(value);
        uint128 named = uint128(bound);
        if (op == Op.NoneOf) return bits & named == 0;
        if (op == Op.AllOf) return bits & named == named;
        return bits != 0 && bits & ~named == 0;
    }

    /// @dev Not empty, left aligned, at most 31 bytes.
    function _isName(bytes32 name) private pure returns (bool) {
        return name[0] != 0 && name[31] == 0;
    }

    function _isPart(uint8 mask, uint8 known) private pure returns (bool) {
        return mask != 0 && mask & ~known == 0;
    }

    /// @dev An empty set bound always or never holds; the least int128 stands for a value that is missing.
    function _boundFits(Rule memory rule) private pure returns (bool) {
        bool isNumber = rule.op == Op.Min || rule.op == Op.Max || rule.op == Op.Equal;
        return isNumber ? rule.bound != type(int128).min : rule.bound > 0;
    }
}
