// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A job's posted rounds as one chain of hashes
/// @dev A head is 28 bytes of hash and 4 bytes of how many rounds it stands for, so that one slot answers both. The
/// count is hashed on with the head, so that no line can number its rounds otherwise. docs/encodings.md has the formula.
library Lines {
    /// @dev All rounds from one on to the last that was posted: what a proof about any of them carries.
    struct Line {
        /// Head before the first of these rounds.
        bytes32 before;
        bytes32[] roots;
        /// Number of leaves of each round.
        uint32[] leaves;
    }

    bytes32 private constant COUNT = bytes32(uint256(type(uint32).max));

    /// @dev Never zero before any round: a first write costs four times a later one.
    function start(bytes32 job) internal pure returns (bytes32) {
        return job & ~COUNT;
    }

    function count(bytes32 head) internal pure returns (uint32) {
        return uint32(uint256(head));
    }

    function next(bytes32 head, bytes32 root, uint32 leaves) internal pure returns (bytes32) {
        return (keccak256(abi.encode(head, root, leaves)) & ~COUNT) | bytes32(uint256(count(head)) + 1);
    }

    /// @dev True when the line's rounds lead to this head. The loop is `next` by hand: in Solidity a round of a line
    /// costs 2,000 gas more than its calldata.
    function leadsTo(Line calldata line, bytes32 head) internal pure returns (bool) {
        (bytes32[] calldata roots, uint32[] calldata leaves) = (line.roots, line.leaves);
        if (roots.length != leaves.length) return false;
        bytes32 current = line.before;
        bool sound = true;
        assembly ("memory-safe") {
            let free := mload(0x40)
            for { let i := 0 } lt(i, shl(5, roots.length)) { i := add(i, 32) } {
                let count_ := calldataload(add(leaves.offset, i))
                sound := and(sound, lt(count_, 0x100000000))
                mstore(free, current)
                mstore(add(free, 32), calldataload(add(roots.offset, i)))
                mstore(add(free, 64), count_)
                let done := and(add(current, 1), 0xffffffff)
                current := or(and(keccak256(free, 96), not(0xffffffff)), done)
            }
        }
        return sound && current == head;
    }

    /// @dev True when the leaf is in the round that stands at this place of the line.
    function holds(Line calldata line, uint256 place, bytes32 leaf_, bytes32[] calldata proof) internal pure returns (bool) {
        bytes32[] calldata roots = line.roots;
        return place < roots.length && _climb(leaf_, proof) == roots[place];
    }

    /// @dev OpenZeppelin's MerkleProof.processProofCalldata, by hand: as it stands there a level costs 200 gas more.
    function _climb(bytes32 leaf_, bytes32[] calldata proof) private pure returns (bytes32 node) {
        node = leaf_;
        assembly ("memory-safe") {
            let end := add(proof.offset, shl(5, proof.length))
            for { let at := proof.offset } lt(at, end) { at := add(at, 32) } {
                let other := calldataload(at)
                let first := shl(5, gt(node, other))
                mstore(first, node)
                mstore(xor(first, 32), other)
                node := keccak256(0, 64)
            }
        }
    }

    /// @dev keccak256(keccak256(abi.encode(job, round, agent, digest))), by hand for the same reason.
    function leaf(bytes32 job, uint32 round, address agent, bytes32 digest) internal pure returns (bytes32 hashed) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, job)
            mstore(add(free, 32), and(round, 0xffffffff))
            mstore(add(free, 64), and(agent, 0xffffffffffffffffffffffffffffffffffffffff))
            mstore(add(free, 96), digest)
            mstore(0, keccak256(free, 128))
            hashed := keccak256(0, 32)
        }
    }
}
