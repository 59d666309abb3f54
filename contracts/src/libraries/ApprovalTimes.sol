// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {GovernorPreventLateQuorum} from "@openzeppelin/contracts/governance/extensions/GovernorPreventLateQuorum.sol";
import {GovernorTimelockControl} from "@openzeppelin/contracts/governance/extensions/GovernorTimelockControl.sol";
import {IReleaseRegistry} from "../interfaces/IReleaseRegistry.sol";

/// @title When an approval can be carried out
library ApprovalTimes {
    /// @dev Time for somebody to queue and to execute.
    uint256 private constant HANDLING_S = 2 days;
    /// @dev For a passed vote to be carried out; beyond it a candidate whose rules changed could be neither approved nor
    /// refused.
    uint256 private constant LONGEST_S = 60 days;

    /// @dev From the latest end of the vote, the timelock's wait, and time to act. With a shorter deadline whoever proposes
    /// first could let a candidate fail although the vote passed, with a longer one hold it for ever.
    function requireSound(address governor, uint256 proposalId, uint64 deadlineS) internal view {
        uint256 earliestS = _earliest(governor, proposalId);
        bool sound = deadlineS >= earliestS && deadlineS <= earliestS + LONGEST_S;
        if (!sound) revert IReleaseRegistry.ReleaseBadDeadline(deadlineS, earliestS, earliestS + LONGEST_S);
    }

    function _earliest(address governor, uint256 proposalId) private view returns (uint256) {
        uint256 voteEndS = IGovernor(governor).proposalDeadline(proposalId);
        uint256 extensionS = GovernorPreventLateQuorum(payable(governor)).lateQuorumVoteExtension();
        address timelock = GovernorTimelockControl(payable(governor)).timelock();
        return voteEndS + extensionS + TimelockController(payable(timelock)).getMinDelay() + HANDLING_S;
    }
}
