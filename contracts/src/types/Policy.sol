// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Direction} from "./Amendment.sol";

/// @dev How a rule compares a fact with its bound.
enum Op {
    /// The fact is at least the bound.
    Min,
    /// The fact is at most the bound.
    Max,
    /// The fact equals the bound.
    Equal,
    /// The fact, read as a bit set, shares no bit with the bound.
    NoneOf,
    /// The fact, read as a bit set, holds every bit of the bound.
    AllOf,
    /// The fact, read as a bit set, is not empty and holds no bit outside the bound.
    SubsetOf
}

/// @dev How hard a rule is to loosen.
enum Entrenchment {
    Ordinary,
    Constitutional,
    Eternal
}

/// @dev One rule of the constitution.
struct Rule {
    /// ASCII, at most 31 characters, left aligned; unique in a set.
    bytes32 id;
    /// Key of the fact it judges: ASCII, left aligned.
    bytes32 fact;
    /// Millionths for numbers, the raw bits (never bit 127) for sets.
    int128 bound;
    Op op;
    /// Bit t is set when the rule applies to tier t.
    uint8 tiers;
    /// Bit s is set when the rule accepts evidence from source s.
    uint8 sources;
    /// Sum of the phases it is checked in.
    uint8 phases;
    Entrenchment entrenchment;
    /// Seconds since the epoch; before that moment the rule is not enforced.
    uint64 appliesFromS;
}

/// @dev Which tier a purpose belongs to.
struct TierEntry {
    /// Bit number of the purpose, 0 to 126.
    uint8 purpose;
    uint8 tier;
}

/// @dev What a fact can be, so that no rule asks for what cannot be.
struct FactRange {
    /// Key of the fact: ASCII, left aligned.
    bytes32 key;
    /// Whether it is a set of bits rather than a number.
    bool isSet;
    /// Millionths; zero for sets.
    int128 least;
    /// Millionths, or all bits that it may have (never bit 127).
    int128 largest;
}

/// @dev All that is voted on together.
struct RuleSet {
    /// keccak256 of the canonical JSON of the policy files.
    bytes32 documentHash;
    FactRange[] facts;
    TierEntry[] tiers;
    Rule[] rules;
}

/// @dev What an amendment does, for whoever votes and audits.
struct RuleChanges {
    /// The strictest of the others.
    Direction direction;
    /// Of the table of tiers, rules that it takes away from purposes included.
    Direction tiers;
    /// Of the table of facts.
    Direction facts;
    /// Rules that change, in the order of the new set; then the removed ones, in the order of the old one.
    bytes32[] ids;
    Direction[] directions;
}

/// @dev Until when a new or tighter rule leaves releases alone that were there before it.
struct Grace {
    /// Index of the rule in the set.
    uint8 rule;
    uint64 untilS;
    /// Whether there was a form that went before; that one binds until then.
    bool hasEarlier;
    Rule earlier;
}

/// @dev Strictness of the duties that a purpose brings; larger is stricter, zero is unknown.
library Tier {
    uint8 internal constant MINIMAL = 1;
    uint8 internal constant LIMITED = 2;
    uint8 internal constant HIGH = 3;
}

/// @dev Where a fact comes from. A set, not a ladder: every rule lists what it accepts.
library Source {
    uint8 internal constant MISSING = 0;
    uint8 internal constant DECLARED = 1;
    uint8 internal constant PROMISED = 2;
    uint8 internal constant COUNTED = 3;
    uint8 internal constant MEASURED = 4;
    uint8 internal constant SIGNED_OFF = 5;
    uint8 internal constant COMPUTED = 6;

    /// @dev The mask bit of one source.
    function bit(uint8 source) internal pure returns (uint8) {
        return uint8(1) << source;
    }
}

/// @dev When the constitution is asked.
library Phase {
    uint8 internal constant AGREEMENT = 1;
    uint8 internal constant ROUND = 2;
    uint8 internal constant RELEASE = 4;
}
