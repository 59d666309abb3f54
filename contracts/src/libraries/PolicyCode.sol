// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Entrenchment, FactRange, Grace, Op, Rule, RuleSet, Tier, TierEntry} from "../types/Policy.sol";

/// @dev Where a set lies in memory, once it is read.
type Blob is uint256;

using PolicyCode for Blob global;

/// @title A set of rules as the code of a contract that can do nothing
/// @dev Reading it costs one cold account and a few gas a rule; the same rules in storage cost four cold slots each.
/// The code is a zero byte, which is STOP, and then
///   word 0: purposes of tier MINIMAL; counts of one byte each at bits 128 rules, 136 purposes, 144 facts, 152 graces
///   word 1: purposes of tier LIMITED, from bit 128 those of tier HIGH
///   words 2 to 4: words 0 and 1 of the table of tiers that went before, and until when it excuses existing releases
///   three words a rule: id, fact, and from bit 0 bound (128), appliesFromS (64), tiers, sources, op, phases and
///   entrenchment (8 each)
///   two words a fact: key, and from bit 0 largest (128) and least (128; the least int128 says that it is a set)
///   four words a grace: rule, hasEarlier and untilS at bits 0, 8 and 16, and the earlier rule's three words
///   one byte a purpose, in the order of the table
library PolicyCode {
    error PolicyCodeNotWritten();

    /// @dev The table of tiers that went before.
    struct TierGrace {
        uint256 word0;
        uint256 word1;
        uint64 untilS;
    }

    uint256 private constant HEADER = 160;
    uint256 private constant RULE = 96;
    uint256 private constant FACT = 64;
    uint256 private constant GRACE = 128;
    int128 private constant SET = type(int128).min;
    /// @dev Copies all but its own eleven bytes into the code: PUSH1 11, MSIZE, DUP2, CODESIZE, SUB, DUP1, SWAP3, MSIZE,
    /// CODECOPY, RETURN, and the zero byte that the code begins with.
    bytes12 private constant CREATION = 0x600b5981380380925939f300;

    // ---- Writing ----

    function write(RuleSet memory set, Grace[] memory list, TierGrace memory before) internal returns (address code) {
        (uint256 minimal, uint256 others) = masks(set.tiers);
        uint256 counts = (set.rules.length << 128) | (set.tiers.length << 136) | (set.facts.length << 144);
        bytes memory creation = abi.encodePacked(
            abi.encodePacked(CREATION, minimal | counts | (list.length << 152), others),
            abi.encodePacked(before.word0, before.word1, uint256(before.untilS)),
            _ruleWords(set.rules),
            _factWords(set.facts),
            _graceWords(list),
            _purposeBytes(set.tiers)
        );
        assembly ("memory-safe") {
            code := create(0, add(creation, 32), mload(creation))
        }
        if (code == address(0)) revert PolicyCodeNotWritten();
    }

    function pack(Rule memory rule) internal pure returns (uint256) {
        return uint256(uint128(rule.bound)) | (uint256(rule.appliesFromS) << 128) | (uint256(rule.tiers) << 192)
            | (uint256(rule.sources) << 200) | (uint256(rule.op) << 208) | (uint256(rule.phases) << 216)
            | (uint256(rule.entrenchment) << 224);
    }

    /// @dev Words 0 and 1 of a table, without the counts.
    function masks(TierEntry[] memory table) internal pure returns (uint256 minimal, uint256 others) {
        uint256[4] memory found;
        for (uint256 i; i < table.length; ++i) {
            found[table[i].tier] |= uint256(1) << table[i].purpose;
        }
        return (found[Tier.MINIMAL], found[Tier.LIMITED] | (found[Tier.HIGH] << 128));
    }

    // ---- Reading what judging needs ----

    function read(address code) internal view returns (Blob blob) {
        assembly ("memory-safe") {
            let size := sub(extcodesize(code), 1)
            blob := mload(0x40)
            extcodecopy(code, blob, 1, size)
            mstore(0x40, add(blob, and(add(size, 31), not(31))))
        }
    }

    function ruleCount(Blob blob) internal pure returns (uint256) {
        return uint8(_word(blob, 0) >> 128);
    }

    /// @dev For an index below the number of rules; otherwise what comes back is no rule.
    function fact(Blob blob, uint256 index) internal pure returns (bytes32) {
        unchecked {
            return bytes32(_word(blob, HEADER + 32 + RULE * index));
        }
    }

    /// @dev All of a rule but its names, for an index below the number of rules.
    function packed(Blob blob, uint256 index) internal pure returns (uint256) {
        unchecked {
            return _word(blob, HEADER + 64 + RULE * index);
        }
    }

    /// @dev Words 0 and 1 of the table in force.
    function tierWords(Blob blob) internal pure returns (uint256, uint256) {
        return (uint128(_word(blob, 0)), _word(blob, 32));
    }

    function tierGrace(Blob blob) internal pure returns (TierGrace memory) {
        return TierGrace(_word(blob, 64), _word(blob, 96), uint64(_word(blob, 128)));
    }

    /// @dev Purposes that have no tier in a table.
    function unknown(uint256 word0, uint256 word1, uint128 purposes) internal pure returns (uint128) {
        return purposes & ~(uint128(word0) | uint128(word1) | uint128(word1 >> 128));
    }

    /// @dev For purposes that all have a tier in the table.
    function strictest(uint256 word1, uint128 purposes) internal pure returns (uint8) {
        if (purposes & uint128(word1 >> 128) != 0) return Tier.HIGH;
        return purposes & uint128(word1) != 0 ? Tier.LIMITED : Tier.MINIMAL;
    }

    // ---- Reading all of it ----

    function rules(Blob blob) internal pure returns (Rule[] memory list) {
        list = new Rule[](ruleCount(blob));
        for (uint256 i; i < list.length; ++i) {
            list[i] = _rule(blob, HEADER + RULE * i);
        }
    }

    function tiers(Blob blob) internal pure returns (TierEntry[] memory list) {
        list = new TierEntry[](uint8(_word(blob, 0) >> 136));
        uint256 start = _graceStart(blob) + GRACE * _graceCount(blob);
        uint256 others = _word(blob, 32);
        for (uint256 i; i < list.length; ++i) {
            uint8 purpose = uint8(_word(blob, start + i) >> 248);
            list[i] = TierEntry(purpose, strictest(others, uint128(1) << purpose));
        }
    }

    function facts(Blob blob) internal pure returns (FactRange[] memory list) {
        list = new FactRange[](_factCount(blob));
        uint256 start = HEADER + RULE * ruleCount(blob);
        for (uint256 i; i < list.length; ++i) {
            (bytes32 key, uint256 range) =
                (bytes32(_word(blob, start + FACT * i)), _word(blob, start + FACT * i + 32));
            (int128 least, int128 largest) = (int128(uint128(range >> 128)), int128(uint128(range)));
            bool isSet = least == SET;
            list[i] = FactRange(key, isSet, isSet ? int128(0) : least, largest);
        }
    }

    function graces(Blob blob) internal pure returns (Grace[] memory list) {
        list = new Grace[](_graceCount(blob));
        uint256 start = _graceStart(blob);
        for (uint256 i; i < list.length; ++i) {
            uint256 word = _word(blob, start + GRACE * i);
            list[i] = Grace(uint8(word), uint64(word >> 16), (word >> 8) & 1 == 1, _rule(blob, start + GRACE * i + 32));
        }
    }

    // ---- Internal ----

    function _word(Blob blob, uint256 offset) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(blob, offset))
        }
    }

    function _factCount(Blob blob) private pure returns (uint256) {
        return uint8(_word(blob, 0) >> 144);
    }

    function _graceCount(Blob blob) private pure returns (uint256) {
        return uint8(_word(blob, 0) >> 152);
    }

    function _graceStart(Blob blob) private pure returns (uint256) {
        return HEADER + RULE * ruleCount(blob) + FACT * _factCount(blob);
    }

    function _rule(Blob blob, uint256 offset) private pure returns (Rule memory) {
        uint256 rest = _word(blob, offset + 64);
        return Rule({
            id: bytes32(_word(blob, offset)),
            fact: bytes32(_word(blob, offset + 32)),
            bound: int128(uint128(rest)),
            op: Op(uint8(rest >> 208)),
            tiers: uint8(rest >> 192),
            sources: uint8(rest >> 200),
            phases: uint8(rest >> 216),
            entrenchment: Entrenchment(uint8(rest >> 224)),
            appliesFromS: uint64(rest >> 128)
        });
    }

    function _ruleWords(Rule[] memory list) private pure returns (bytes32[] memory words) {
        words = new bytes32[](3 * list.length);
        for (uint256 i; i < list.length; ++i) {
            (words[3 * i], words[3 * i + 1], words[3 * i + 2]) = (list[i].id, list[i].fact, bytes32(pack(list[i])));
        }
    }

    function _factWords(FactRange[] memory list) private pure returns (bytes32[] memory words) {
        words = new bytes32[](2 * list.length);
        for (uint256 i; i < list.length; ++i) {
            int128 least = list[i].isSet ? SET : list[i].least;
            words[2 * i] = list[i].key;
            words[2 * i + 1] = bytes32((uint256(uint128(least)) << 128) | uint128(list[i].largest));
        }
    }

    function _graceWords(Grace[] memory list) private pure returns (bytes32[] memory words) {
        words = new bytes32[](4 * list.length);
        for (uint256 i; i < list.length; ++i) {
            uint256 hasEarlier = list[i].hasEarlier ? 256 : 0;
            words[4 * i] = bytes32(uint256(list[i].rule) | hasEarlier | (uint256(list[i].untilS) << 16));
            Rule memory earlier = list[i].earlier;
            (words[4 * i + 1], words[4 * i + 2]) = (earlier.id, earlier.fact);
            words[4 * i + 3] = bytes32(pack(earlier));
        }
    }

    function _purposeBytes(TierEntry[] memory table) private pure returns (bytes memory list) {
        list = new bytes(table.length);
        for (uint256 i; i < table.length; ++i) {
            list[i] = bytes1(table[i].purpose);
        }
    }
}
