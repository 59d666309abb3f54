// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Lines} from "../libraries/Lines.sol";

/// @title What anybody, or an owner, can hold against a posted round
/// @notice A coordinator that leaves an owner out, lets one agent answer twice or counts a stranger is shown to have done
/// so by proof. Nobody votes on it.
/// @dev An owner's receipt is the EIP-712 struct `Receipt`, signed by the job's coordinator: by `deadlineS` this digest
/// stands in the root of this round.
interface IRoundChallenges {
    enum Challenge {
        None,
        Open,
        /// Shown to be wrong in time.
        Answered,
        Upheld
    }

    struct Receipt {
        bytes32 job;
        uint32 round;
        address owner;
        /// SHA-256 of the update.
        bytes32 digest;
        /// Chain time.
        uint64 deadlineS;
    }

    /// @dev One leaf of a posted round, and its proof.
    struct Leaf {
        uint32 round;
        address agent;
        bytes32 digest;
        bytes32[] proof;
    }

    error RoundNoReceipt(bytes32 agreement, uint32 round);
    /// @dev The coordinator has until then.
    error RoundNotOverdue(uint64 deadlineS);
    error RoundChallengeExists(bytes32 challenge);
    error RoundNoChallenge(bytes32 challenge);

    event OmissionChallenged(
        bytes32 indexed agreement, bytes32 indexed job, uint32 round, address owner, bytes32 digest, uint64 untilS
    );
    event OmissionAnswered(bytes32 indexed agreement, bytes32 indexed job, uint32 round);
    event Omitted(bytes32 indexed agreement, bytes32 indexed job, uint32 round, address owner, bytes32 digest);
    event StrangerChallenged(bytes32 indexed job, uint32 indexed round, address agent, uint64 untilS);
    event StrangerAnswered(bytes32 indexed job, uint32 indexed round, address agent, bytes32 agreement);
    /// @param reason `equivocation` or `stranger`.
    event RoundFlagged(bytes32 indexed job, uint32 indexed round, address agent, bytes32 reason);

    /// @notice Says that an update the coordinator gave a receipt for is not in its round. Anyone with the receipt, once its deadline is over.
    /// @dev Unless the job is decoupled, for rounds up to the one after the last that was posted: no later one has begun.
    function challengeOmission(bytes32 agreement, Receipt calldata receipt, bytes calldata signature) external;

    /// @notice Shows the leaf that is said to be missing. Anyone, within a day.
    function answerOmission(bytes32 agreement, uint32 round, Lines.Line calldata line, bytes32[] calldata proof) external;

    /// @notice Pays an owner for a round it was left out of, and records the omission. Anyone, when a day brought no answer.
    function settleOmission(bytes32 agreement, uint32 round) external;

    /// @notice Shows two leaves of one agent with different digests in one round, and flags it. Anyone.
    function flagEquivocation(bytes32 job, Lines.Line calldata line, Leaf calldata first, Leaf calldata second) external;

    /// @notice Says that the agent of a leaf has no agreement that is paid by rounds in this job. Anyone.
    function challengeStranger(bytes32 job, Lines.Line calldata line, Leaf calldata leaf) external;

    /// @notice Names the agreement. Anyone, within a day.
    function answerStranger(bytes32 job, uint32 round, address agent, bytes32 agreement) external;

    /// @notice Flags the round of a stranger. Anyone, when a day brought no answer.
    function settleStranger(bytes32 job, uint32 round, address agent) external;

    /// @notice Digest that a coordinator signs.
    function hashReceipt(Receipt calldata receipt) external view returns (bytes32);

    function omission(bytes32 agreement, uint32 round) external view returns (Challenge state, uint64 untilS);

    /// @notice Omissions of a job that were upheld.
    function omissions(bytes32 job) external view returns (uint32);

    function isFlagged(bytes32 job, uint32 round) external view returns (bool);
}
