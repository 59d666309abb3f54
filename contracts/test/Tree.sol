// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev A Merkle tree as OpenZeppelin's proofs expect it; leaves in any order.
library Tree {
    function root(bytes32[] memory leaves) internal pure returns (bytes32) {
        return _nodes(leaves)[0];
    }

    function proof(bytes32[] memory leaves, uint256 index) internal pure returns (bytes32[] memory siblings) {
        bytes32[] memory nodes = _nodes(leaves);
        uint256 place = nodes.length - 1 - index;
        uint256 depth;
        for (uint256 p = place; p > 0; p = (p - 1) / 2) {
            ++depth;
        }
        siblings = new bytes32[](depth);
        for (uint256 i; i < depth; ++i) {
            siblings[i] = nodes[place % 2 == 1 ? place + 1 : place - 1];
            place = (place - 1) / 2;
        }
    }

    function leaf(bytes32 job, uint32 round, address agent, bytes32 digest) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(job, round, agent, digest))));
    }

    function _nodes(bytes32[] memory leaves) private pure returns (bytes32[] memory nodes) {
        nodes = new bytes32[](2 * leaves.length - 1);
        for (uint256 i; i < leaves.length; ++i) {
            nodes[nodes.length - 1 - i] = leaves[i];
        }
        for (uint256 i = nodes.length - leaves.length; i > 0; --i) {
            (bytes32 a, bytes32 b) = (nodes[2 * i - 1], nodes[2 * i]);
            nodes[i - 1] = a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
        }
    }
}
