// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Entrenchment, Op, Rule, Tier, TierEntry} from "../types/Policy.sol";

/// @dev Where a set lies in memory, once it is read.
type Blob is uint256;

using PolicyCode for Blob global;

/// @title A set of rules as the code of a contract that can do nothing
/// @dev Reading it costs one cold account and a few gas a rule; the same rules in storage cost four cold slots each.
/// The code is a zero byte, which is STOP, and then
///   word 0: purposes of tier MINIMAL, from bit 128 the number of rules, from bit 136 that of purposes
///   word 1: purposes of tier LIMITED, from bit 128 those of tier HIGH
///   three words a rule: id, fact, and from bit 0 bound (128), appliesFromS (64), tiers, sources, op, phases and
///   entrenchment (8 each)
///   one byte a purpose, in the order of the table
library PolicyCode {
    error PolicyCodeNotWritten();

    uint256 private constant HEADER = 64;
    uint256 private constant RULE = 96;
    /// @dev Copies all but its own eleven bytes into the code: PUSH1 11, MSIZE, DUP2, CODESIZE, SUB, DUP1, SWAP3, MSIZE,
    /// CODECOPY, RETURN, and the zero byte that the code begins with.
    bytes12 private constant CREATION = 0x600b5981380380925939f300;

    // ---- Writing ----

    function write(TierEntry[] memory table, Rule[] memory list) internal returns (address code) {
        bytes memory creation = abi.encodePacked(CREATION, _header(table, list.length), _words(list), _purposes(table));
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

    // ---- Reading ----

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

    function ruleAt(Blob blob, uint256 index) internal pure returns (Rule memory) {
        uint256 rest = packed(blob, index);
        return Rule({
            id: bytes32(_word(blob, HEADER + RULE * index)),
            fact: fact(blob, index),
            bound: int128(uint128(rest)),
            op: Op(uint8(rest >> 208)),
            tiers: uint8(rest >> 192),
            sources: uint8(rest >> 200),
            phases: uint8(rest >> 216),
            entrenchment: Entrenchment(uint8(rest >> 224)),
            appliesFromS: uint64(rest >> 128)
        });
    }

    function rules(Blob blob) internal pure returns (Rule[] memory list) {
        list = new Rule[](ruleCount(blob));
        for (uint256 i; i < list.length; ++i) {
            list[i] = ruleAt(blob, i);
        }
    }

    function tiers(Blob blob) internal pure returns (TierEntry[] memory list) {
        list = new TierEntry[](uint8(_word(blob, 0) >> 136));
        uint256 start = HEADER + RULE * ruleCount(blob);
        for (uint256 i; i < list.length; ++i) {
            uint8 purpose = uint8(_word(blob, start + i) >> 248);
            list[i] = TierEntry(purpose, strictest(blob, uint128(1) << purpose));
        }
    }

    /// @dev Purposes that have no tier.
    function unknown(Blob blob, uint128 purposes) internal pure returns (uint128) {
        uint256 word = _word(blob, 32);
        return purposes & ~(uint128(_word(blob, 0)) | uint128(word) | uint128(word >> 128));
    }

    /// @dev For purposes that all have a tier.
    function strictest(Blob blob, uint128 purposes) internal pure returns (uint8) {
        uint256 word = _word(blob, 32);
        if (purposes & uint128(word >> 128) != 0) return Tier.HIGH;
        return purposes & uint128(word) != 0 ? Tier.LIMITED : Tier.MINIMAL;
    }

    // ---- Internal ----

    function _word(Blob blob, uint256 offset) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(blob, offset))
        }
    }

    function _header(TierEntry[] memory table, uint256 count) private pure returns (bytes memory) {
        uint256[4] memory masks;
        for (uint256 i; i < table.length; ++i) {
            masks[table[i].tier] |= uint256(1) << table[i].purpose;
        }
        return abi.encode(
            masks[Tier.MINIMAL] | (count << 128) | (table.length << 136), masks[Tier.LIMITED] | (masks[Tier.HIGH] << 128)
        );
    }

    function _words(Rule[] memory list) private pure returns (bytes32[] memory words) {
        words = new bytes32[](3 * list.length);
        for (uint256 i; i < list.length; ++i) {
            (words[3 * i], words[3 * i + 1], words[3 * i + 2]) = (list[i].id, list[i].fact, bytes32(pack(list[i])));
        }
    }

    function _purposes(TierEntry[] memory table) private pure returns (bytes memory list) {
        list = new bytes(table.length);
        for (uint256 i; i < table.length; ++i) {
            list[i] = bytes1(table[i].purpose);
        }
    }
}
