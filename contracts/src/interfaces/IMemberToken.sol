// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";

/// @title One vote per organisation
/// @notice ERC20Votes with no decimals that cannot be transferred, timestamp clock, delegated to the member itself at admission.
interface IMemberToken is IVotes {
    /// @dev Units move only by admission and removal.
    error MemberTokenNotTransferable();
    /// @dev Only AgentRegistry, which holds the organisations, may call.
    error MemberTokenOnlyController(address caller);
    error MemberTokenAlreadyMember(address member);
    error MemberTokenNotMember(address member);

    /// @notice Gives `member` one vote. Only AgentRegistry.
    function admit(address member) external;

    /// @notice Takes the vote of `member`, wherever it is delegated. Only AgentRegistry.
    function remove(address member) external;
}
