// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title One Merkle root a round
/// @notice Round 0 of a job is the statistics round; candidate c has rounds 1 + c·T to (c + 1)·T, T rounds per candidate.
/// @dev A leaf is an OpenZeppelin StandardMerkleTree leaf of (bytes32 job, uint32 round, address agent, bytes32 digest):
/// one per owner with the SHA-256 of its update, and one of the compute provider with that of the aggregate.
interface IRoundLedger {
    error RoundOnlyCoordinator(address caller);
    error RoundJobNotOpen(bytes32 job);
    error RoundOutOfOrder(uint32 given, uint32 expected);
    error RoundTooLate(uint64 deadlineS);
    error RoundEmptyRoot();
    error RoundPolicyViolation(uint256 failedRules);

    event RoundPosted(bytes32 indexed job, uint32 indexed round, bytes32 root, uint32 leaves);

    /// @notice Anchors the next round of a job. Only its coordinator, in order.
    /// @param leaves Number of leaves, the compute provider's included; declared, not proven.
    function post(bytes32 job, uint32 round, bytes32 root, uint32 leaves) external;

    /// @notice Number of rounds posted for a job.
    function roundCount(bytes32 job) external view returns (uint32);

    /// @notice Root of a round, or zero.
    function root(bytes32 job, uint32 round) external view returns (bytes32);

    /// @notice True when every round of this candidate has been posted.
    function isComplete(bytes32 job, uint8 candidate) external view returns (bool);

    /// @notice Says whether a leaf is in a posted round.
    function contains(bytes32 job, uint32 round, address agent, bytes32 digest, bytes32[] calldata proof)
        external
        view
        returns (bool);
}
