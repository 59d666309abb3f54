// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Commitments of jurors who hold no gas (EIP-712 `EvaluationCommit`)
library SignedCommits {
    struct Commit {
        bytes32 caseId;
        bytes32 artifact;
        address juror;
        bytes32 commitment;
        uint64 deadlineS;
    }

    bytes32 private constant DOMAIN_TYPE =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant COMMIT_TYPE =
        keccak256("EvaluationCommit(bytes32 caseId,bytes32 artifact,address juror,bytes32 commitment,uint64 deadlineS)");
    bytes32 private constant NAME = keccak256("Folkmoot EvaluatorCourt");
    bytes32 private constant VERSION = keccak256("1");

    /// @dev Whether the juror's key signed this commitment for the calling contract on this chain.
    function isSigned(Commit memory commit, bytes calldata signature) internal view returns (bool) {
        if (signature.length != 65) return false;
        // Another form of the same signature does no harm: a juror commits once, whoever sends it.
        address signer =
            ecrecover(digest(commit), uint8(signature[64]), bytes32(signature[:32]), bytes32(signature[32:64]));
        return signer != address(0) && signer == commit.juror;
    }

    function digest(Commit memory commit) internal view returns (bytes32) {
        bytes32 domain = keccak256(abi.encode(DOMAIN_TYPE, NAME, VERSION, block.chainid, address(this)));
        return keccak256(bytes.concat(hex"1901", domain, keccak256(abi.encode(COMMIT_TYPE, commit))));
    }
}
