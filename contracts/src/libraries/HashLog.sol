// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReleaseRegistry} from "../interfaces/IReleaseRegistry.sol";

/// @title A log whose head stands for all of its entries
/// @dev head = keccak256(abi.encode(previous head, sequence from one, chain id, this contract, block time, writer, kind,
/// subject, payload)). Kinds and payloads are listed in docs/encodings.md.
library HashLog {
    struct Chain {
        bytes32 head;
        uint64 length;
    }

    struct Entry {
        address writer;
        bytes32 kind;
        bytes32 subject;
        bytes32 payload;
    }

    function append(Chain storage self, Entry memory entry) internal {
        uint64 sequence = ++self.length;
        bytes32 head = keccak256(
            abi.encode(
                self.head,
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
        self.head = head;
        emit IReleaseRegistry.Logged(sequence, entry.kind, entry.subject, entry.payload, entry.writer, head);
    }
}
