// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPolicyRegistry} from "../interfaces/IPolicyRegistry.sol";
import {FactRange, Op, Rule} from "../types/Policy.sol";

/// @title Whether anything can satisfy all rules of a set at once
/// @dev A set that nothing satisfies would stop every release, and for an eternal rule for ever.
library PolicyConflicts {
    uint256 private constant MAX_FACTS = 64;
    uint8 private constant LAST_TIER = 3;
    uint8 private constant LAST_PHASE = 4;
    uint8 private constant LAST_SOURCE = 6;

    /// @dev What rules leave of one fact: numbers from least to largest; or sets within `largest` and without `banned`
    /// that hold `needed`.
    struct Room {
        bool isSet;
        int128 least;
        int128 largest;
        uint128 banned;
        uint128 needed;
    }

    function requireRanges(FactRange[] memory facts) internal pure {
        if (facts.length > MAX_FACTS) revert IPolicyRegistry.PolicyTooManyFacts(facts.length);
        for (uint256 i; i < facts.length; ++i) {
            FactRange memory range = facts[i];
            bool sound = range.key[0] != 0 && range.key[31] == 0
                && (range.isSet
                    ? range.least == 0 && range.largest > 0
                    : range.least <= range.largest && range.least != type(int128).min);
            for (uint256 j; j < i; ++j) {
                if (facts[j].key == range.key) sound = false;
            }
            if (!sound) revert IPolicyRegistry.PolicyBadFact(range.key);
        }
    }

    /// @dev Names of bits are never given away and bounds were voted on by what a fact can be: the table only grows.
    /// @return grown Whether a set has more bits.
    function requireKept(FactRange[] memory before, FactRange[] memory since) internal pure returns (bool grown) {
        for (uint256 i; i < before.length; ++i) {
            FactRange memory kept = _find(since, before[i].key);
            bool same = kept.isSet == before[i].isSet && kept.least == before[i].least;
            bool fits = kept.isSet ? before[i].largest & ~kept.largest == 0 : kept.largest == before[i].largest;
            if (kept.key == 0 || !same || !fits) revert IPolicyRegistry.PolicyFactChanged(before[i].key);
            grown = grown || kept.largest != before[i].largest;
        }
    }

    /// @dev For rules that each make sense.
    function requireRoom(FactRange[] memory facts, Rule[] memory rules) internal pure {
        bool[] memory seen = new bool[](rules.length);
        uint256[] memory same = new uint256[](rules.length);
        for (uint256 i; i < rules.length; ++i) {
            FactRange memory range = _find(facts, rules[i].fact);
            if (range.key == 0) revert IPolicyRegistry.PolicyUnknownFact(rules[i].id, rules[i].fact);
            if (!_isWithin(range, rules[i])) revert IPolicyRegistry.PolicyOutOfRange(rules[i].id);
            if (seen[i]) continue;
            uint256 count;
            for (uint256 j = i; j < rules.length; ++j) {
                if (rules[j].fact == range.key) (seen[j], same[count++]) = (true, j);
            }
            _requireRoom(range, rules, same, count);
        }
    }

    /// @dev Narrows what is left of a fact by one rule. Pure kernel.
    function narrow(Room memory room, Op op, int128 bound) internal pure {
        if (op == Op.Min || op == Op.Equal) room.least = bound > room.least ? bound : room.least;
        if (op == Op.Max || op == Op.Equal) room.largest = bound < room.largest ? bound : room.largest;
        if (op == Op.SubsetOf) room.largest = room.largest & bound;
        if (op == Op.NoneOf) room.banned |= uint128(bound);
        if (op == Op.AllOf) room.needed |= uint128(bound);
    }

    function isEmpty(Room memory room) internal pure returns (bool) {
        if (!room.isSet) return room.least > room.largest;
        uint128 left = uint128(room.largest) & ~room.banned;
        return left == 0 || room.needed & ~left != 0;
    }

    // ---- Internal ----

    /// @dev Rules meet where tier, phase and source are the same.
    function _requireRoom(FactRange memory range, Rule[] memory rules, uint256[] memory same, uint256 count) private pure {
        for (uint8 tier = 1; tier <= LAST_TIER; ++tier) {
            for (uint8 phase = 1; phase <= LAST_PHASE; phase <<= 1) {
                for (uint8 source = 1; source <= LAST_SOURCE; ++source) {
                    Room memory room = Room(range.isSet, range.least, range.largest, 0, 0);
                    for (uint256 k; k < count; ++k) {
                        Rule memory rule = rules[same[k]];
                        bool meets = (rule.tiers >> tier) & 1 == 1 && rule.phases & phase != 0
                            && (rule.sources >> source) & 1 == 1;
                        if (meets) narrow(room, rule.op, rule.bound);
                    }
                    if (isEmpty(room)) revert IPolicyRegistry.PolicyContradiction(range.key, tier, phase, source);
                }
            }
        }
    }

    function _isWithin(FactRange memory range, Rule memory rule) private pure returns (bool) {
        bool isSet = rule.op == Op.NoneOf || rule.op == Op.AllOf || rule.op == Op.SubsetOf;
        if (isSet != range.isSet) return false;
        if (isSet) return rule.bound & ~range.largest == 0;
        return rule.bound >= range.least && rule.bound <= range.largest;
    }

    function _find(FactRange[] memory facts, bytes32 key) private pure returns (FactRange memory none) {
        for (uint256 i; i < facts.length; ++i) {
            if (facts[i].key == key) return facts[i];
        }
    }
}
