// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Overlapped mode: the owners of a round score each other's updates
/// @notice Every owner commits to its update before it sees any other, and after the round is posted scores the others',
/// first sealed, then open. The median of what the others gave sets how much of a round's pay an owner gets. Scores set
/// pay and nothing else: no rule reads them. The definition of the mode is ours; surveys differ.
/// @dev Half of the pay is the base that no scores touch, so that a majority cannot take it from anyone. What is
/// withheld goes back to the buyer and not to those who scored.
interface IRoundScores {
    error RoundNotOverlapped(bytes32 job);
    error RoundNotParticipant(bytes32 job, uint32 round, address agent);
    /// @dev Twice by one agent, or with a digest that another committed to first.
    error RoundUpdateTaken(bytes32 job, uint32 round);
    error RoundTooManyParticipants(bytes32 job, uint32 round);
    /// @dev The number of leaves is that of the committed updates and the aggregate.
    error RoundOtherUpdates(uint32 given, uint32 expected);
    /// @dev Sealing and opening have each their hour; both end early when everybody has acted.
    error RoundNotTheTime(bytes32 job, uint32 round);
    error RoundBadScores(bytes32 job, uint32 round);
    error RoundNotScored(bytes32 job, uint32 round);

    event UpdateCommitted(bytes32 indexed job, uint32 indexed round, address indexed agent, bytes32 digest);
    event ScoresCommitted(bytes32 indexed job, uint32 indexed round, address indexed agent, bytes32 commitment);
    event ScoresRevealed(bytes32 indexed job, uint32 indexed round, address indexed agent, uint8[] scores, bytes32 salt);
    /// @dev Hundredths of a round's pay, in the order of the participants.
    event RoundScored(bytes32 indexed job, uint32 indexed round, address[] agents, uint8[] shares);

    /// @notice Commits to the update of the round that comes next. Only the seller of a data agreement of an overlapped job.
    /// @param digest SHA-256 of the update; its noise makes it impossible to guess.
    function commitUpdate(bytes32 agreement, uint32 round, bytes32 digest) external;

    /// @notice Seals a participant's scores of a posted round.
    /// @param commitment keccak256(abi.encode(chainid, ledger, job, round, agent, scores, salt)).
    function commitScores(bytes32 job, uint32 round, bytes32 commitment) external;

    /// @notice Opens them.
    /// @param scores From 0 to 100, one for each participant in order; the own one is 0 and not counted.
    function revealScores(bytes32 job, uint32 round, uint8[] calldata scores, bytes32 salt) external;

    /// @notice Counts the scores of a round. Anyone, once all are open or the time is over.
    function settleScores(bytes32 job, uint32 round) external;

    /// @notice Agents that committed an update, in order.
    function participants(bytes32 job, uint32 round) external view returns (address[] memory);

    /// @notice Hundredths of a round's pay that an agent gets; reverts until the scores are counted.
    function shareOf(bytes32 job, uint32 round, address agent) external view returns (uint8);
}
