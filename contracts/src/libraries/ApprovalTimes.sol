// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {GovernorPreventLateQuorum} from "@openzeppelin/contracts/governance/extensions/GovernorPreventLateQuorum.sol";
import {GovernorTimelockControl} from "@openzeppelin/contracts/governance/extensions/GovernorTimelockControl.sol";

/// @title When an approval can be carried out
library ApprovalTimes {
    /// @dev Latest end of the vote plus the timelock's wait: a deadline before it could pass although everybody hurries.
    function earliest(address governor, uint256 proposalId) internal view returns (uint256) {
        uint256 voteEndS = IGovernor(governor).proposalDeadline(proposalId);
        uint256 extensionS = GovernorPreventLateQuorum(payable(governor)).lateQuorumVoteExtension();
        address timelock = GovernorTimelockControl(payable(governor)).timelock();
        return voteEndS + extensionS + TimelockController(payable(timelock)).getMinDelay();
    }
}
