// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {GovernorPreventLateQuorum} from "@openzeppelin/contracts/governance/extensions/GovernorPreventLateQuorum.sol";
import {GovernorTimelockControl} from "@openzeppelin/contracts/governance/extensions/GovernorTimelockControl.sol";

/// @title When an approval can be carried out
library ApprovalTimes {
    /// @dev Time for somebody to queue and to execute.
    uint256 private constant HANDLING_S = 2 days;

    /// @dev Latest end of the vote, the timelock's wait, and time to act. With a shorter deadline whoever proposes first
    /// could let a candidate fail although the vote passed.
    function earliest(address governor, uint256 proposalId) internal view returns (uint256) {
        uint256 voteEndS = IGovernor(governor).proposalDeadline(proposalId);
        uint256 extensionS = GovernorPreventLateQuorum(payable(governor)).lateQuorumVoteExtension();
        address timelock = GovernorTimelockControl(payable(governor)).timelock();
        return voteEndS + extensionS + TimelockController(payable(timelock)).getMinDelay() + HANDLING_S;
    }
}
