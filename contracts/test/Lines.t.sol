// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Lines} from "../src/libraries/Lines.sol";

/// @dev What the library does by hand, beside the library or the formula that it stands for.
contract LinesTest {
    function test_a_proof_holds_exactly_when_openzeppelin_says_so(bytes32 leaf, bytes32[] calldata proof) external view {
        bytes32 root = MerkleProof.processProofCalldata(proof, leaf);

        assert(this.holds(_one(root), 0, leaf, proof));
        assert(!this.holds(_one(~root), 0, leaf, proof));
    }

    function test_a_changed_step_of_a_proof_holds_no_more(bytes32 leaf, bytes32[3] calldata steps, uint256 at) external view {
        bytes32[] memory proof = new bytes32[](3);
        (proof[0], proof[1], proof[2]) = (steps[0], steps[1], steps[2]);
        bytes32 root = MerkleProof.processProof(proof, leaf);
        proof[at % 3] = ~proof[at % 3];

        assert(!this.holds(_one(root), 0, leaf, proof));
    }

    function test_no_place_beyond_the_line_holds_anything(bytes32 leaf, uint256 place) external view {
        assert(this.holds(_one(leaf), place, leaf, new bytes32[](0)) == (place == 0));
    }

    function test_a_leaf_is_the_double_hash_of_its_encoding(bytes32 job, uint32 round, address agent, bytes32 digest)
        external
        pure
    {
        bytes32 once = keccak256(abi.encode(job, round, agent, digest));

        assert(Lines.leaf(job, round, agent, digest) == keccak256(abi.encode(once)));
    }

    function holds(Lines.Line calldata line, uint256 place, bytes32 leaf, bytes32[] calldata proof)
        external
        pure
        returns (bool)
    {
        return Lines.holds(line, place, leaf, proof);
    }

    function _one(bytes32 root) private pure returns (Lines.Line memory line) {
        line.roots = new bytes32[](1);
        line.roots[0] = root;
    }
}
