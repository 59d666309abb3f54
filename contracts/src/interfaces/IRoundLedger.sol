// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Lines} from "../libraries/Lines.sol";
import {JobTerms} from "../types/Market.sol";

/// @title One Merkle root a round
/// @notice Round 0 of a job is the statistics round; candidate c has rounds 1 + c·T to (c + 1)·T, T rounds per candidate.
/// @dev A leaf is an OpenZeppelin StandardMerkleTree leaf of (bytes32 job, uint32 round, address agent, bytes32 digest):
/// one per owner with the SHA-256 of its update, and one of the compute provider with that of the aggregate.
/// Roots are not stored: they are linked into one head a job, and who proves something about a round brings the line
/// from it to the last one.
interface IRoundLedger {
    enum State {
        None,
        Open,
        Finished
    }

    /// @dev Proof that an agent's leaf is in a posted round.
    struct RoundClaim {
        uint32 round;
        /// SHA-256 of the update, or of the aggregate for compute.
        bytes32 digest;
        bytes32[] proof;
    }

    struct AgreementClaims {
        bytes32 agreement;
        RoundClaim[] claims;
    }

    error RoundOnlyBook(address caller);
    error RoundOnlyCoordinator(address caller);
    error RoundJobNotOpen(bytes32 job);
    error RoundOutOfOrder(uint32 given, uint32 expected);
    error RoundTooLate(uint64 deadlineS);
    error RoundEmptyRoot();
    error RoundPolicyViolation(uint256 failedRules);
    /// @dev The line does not lead to the head of the job's rounds; a round may have been posted since.
    error RoundBadLine(bytes32 job);
    /// @dev No such leaf in a posted round.
    error RoundNotProven(bytes32 job, uint32 round);
    /// @dev Nothing is due for this round, or for no round at all.
    error RoundNothingDue(bytes32 agreement);
    /// @dev Only the seller may leave this round unclaimed and claim a later one.
    error RoundPassesOver(bytes32 agreement, uint32 round);

    event RoundPosted(bytes32 indexed job, uint32 indexed round, bytes32 root, uint32 leaves);
    /// @dev Stands in the log for all rounds so far, which have no entries of their own.
    event RoundsRecorded(bytes32 indexed job, uint32 count, bytes32 head);

    /// @notice Opens a job's rounds. Only AgreementBook; reverts with its error when this version cannot run the job.
    function open(bytes32 job, JobTerms calldata terms) external;

    /// @notice Ends a job's rounds and records them. Only AgreementBook.
    function finish(bytes32 job) external;

    /// @notice Anchors the next round of a job. Only its coordinator, in order.
    /// @param leaves Number of leaves, the compute provider's included; declared, not proven.
    function post(bytes32 job, uint32 round, bytes32 root, uint32 leaves) external;

    /// @notice Puts the rounds so far into the log, unless they stand there already. Anyone; a submission and a job's end do it by themselves.
    function record(bytes32 job) external;

    /// @notice Pays one instalment per proven round. Data and compute. Anyone may send it; the seller's operator is paid.
    /// @dev Rounds are claimed upwards. The seller, its agent or its operator, may pass over a round, whose pay is lost to it.
    /// @param line All rounds from the first claimed one, or one before it, to the last.
    function claimRounds(bytes32 agreement, Lines.Line calldata line, RoundClaim[] calldata claims) external;

    /// @notice Claims for several agreements of one job at once, which share the line.
    function claimForAll(bytes32 job, Lines.Line calldata line, AgreementClaims[] calldata all) external;

    /// @notice Number of rounds posted for a job.
    function roundCount(bytes32 job) external view returns (uint32);

    /// @notice Number of a job's rounds that stand in the log.
    function recordedCount(bytes32 job) external view returns (uint32);

    /// @notice Head of a job's chain of rounds; its last four bytes are the number of rounds. Zero when there is no such job.
    function head(bytes32 job) external view returns (bytes32);

    /// @notice True when every round of this candidate has been posted.
    function isComplete(bytes32 job, uint8 candidate) external view returns (bool);

    /// @notice Says whether a leaf is in a posted round.
    /// @param line All rounds from this one, or one before it, to the last.
    function contains(
        bytes32 job,
        Lines.Line calldata line,
        uint32 round,
        address agent,
        bytes32 digest,
        bytes32[] calldata proof
    ) external view returns (bool);
}
