// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev Times of a vote, in seconds; a later change is itself a constitutional vote.
struct Delays {
    /// From the proposal to the snapshot of votes.
    uint48 votingDelayS;
    uint32 votingPeriodS;
    /// Least time that stays after the quorum is reached.
    uint48 lateQuorumExtensionS;
}
