// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReleaseRegistry} from "../interfaces/IReleaseRegistry.sol";

/// @title A log whose head stands for all of its entries, in one slot
/// @dev head = keccak256(abi.encode(previous head, sequence, chain id, this contract, block time, writer, kind, subject,
/// payload)) with its last four bytes replaced by the sequence, counted from one. 224 bits of the hash are left, of which
/// a collision costs 2^112. Kinds and payloads are listed in docs/encodings.md.
library HashLog {
    uint256 private constant SEQUENCE_MASK = type(uint32).max;

    struct Chain {
        bytes32 head;
    }

    struct Entry {
        address writer;
        bytes32 kind;
        bytes32 subject;
        bytes32 payload;
    }

    function append(Chain storage self, Entry memory entry) internal {
        bytes32 previous = self.head;
        uint32 sequence = length(previous) + 1;
        bytes32 digest = keccak256(
            abi.encode(
                previous,
                sequence,
                block.chainid,
                address(this),
                uint64(block.timestamp),
                entry.writer,
                entry.kind,
                entry.subject,
                entry.payload
            )
        );
        bytes32 head = bytes32((uint256(digest) & ~SEQUENCE_MASK) | sequence);
        self.head = head;
        emit IReleaseRegistry.Logged(sequence, entry.kind, entry.subject, entry.payload, entry.writer, head);
    }

    /// @dev Entries up to a head.
    function length(bytes32 head) internal pure returns (uint32) {
        return uint32(uint256(head));
    }
}
