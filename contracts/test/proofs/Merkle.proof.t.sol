// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

/// @dev What rounds, payouts and royalties rest on, for trees of two and of four leaves.
/// halmos takes keccak256 to be free of collisions; so do we.
contract MerkleTreeProof {
    function check_each_leaf_of_two_is_proven(bytes32 a, bytes32 b) external pure {
        bytes32 root = Hashes.commutativeKeccak256(a, b);
        assert(MerkleProof.verify(_path(b), root, a));
        assert(MerkleProof.verify(_path(a), root, b));
    }

    function check_nothing_else_is_a_leaf_of_two(bytes32 a, bytes32 b, bytes32 leaf, bytes32 beside) external pure {
        if (leaf == a || leaf == b) return;
        assert(!MerkleProof.verify(_path(beside), Hashes.commutativeKeccak256(a, b), leaf));
    }

    function check_each_leaf_of_four_is_proven(bytes32 a, bytes32 b, bytes32 c, bytes32 d) external pure {
        (bytes32 left, bytes32 right) = (Hashes.commutativeKeccak256(a, b), Hashes.commutativeKeccak256(c, d));
        bytes32 root = Hashes.commutativeKeccak256(left, right);
        assert(MerkleProof.verify(_path(b, right), root, a));
        assert(MerkleProof.verify(_path(d, left), root, c));
    }

    /// @dev At the depth of the leaves. Leaves are hashed twice, so that an inner node is no leaf.
    function check_nothing_else_is_a_leaf_of_four(bytes32[4] calldata leaves, bytes32 leaf, bytes32[2] calldata path)
        external
        pure
    {
        for (uint256 i; i < 4; ++i) {
            if (leaf == leaves[i]) return;
        }
        bytes32 root = Hashes.commutativeKeccak256(
            Hashes.commutativeKeccak256(leaves[0], leaves[1]), Hashes.commutativeKeccak256(leaves[2], leaves[3])
        );
        assert(!MerkleProof.verify(_path(path[0], path[1]), root, leaf));
    }

    function _path(bytes32 beside) private pure returns (bytes32[] memory path) {
        path = new bytes32[](1);
        path[0] = beside;
    }

    function _path(bytes32 beside, bytes32 above) private pure returns (bytes32[] memory path) {
        path = new bytes32[](2);
        (path[0], path[1]) = (beside, above);
    }
}
