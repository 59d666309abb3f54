// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What the governor adds to OpenZeppelin's Governor
/// @notice The class of a proposal is read from its calldata, never chosen by the proposer.
/// @dev Routine: exactly one action, `ReleaseRegistry.approve` without value. It passes with For above Against
/// and For + Abstain at half of the supply. Everything else is constitutional: For at two thirds of the supply.
/// A routine proposal cannot be cancelled: a candidate has one, so whoever is first could keep it from a vote for ever.
interface IModelGovernor {
    /// @dev A proposer may have one Pending or Active proposal.
    error GovernorOneLiveProposal(address proposer, uint256 live);
    /// @dev A target's code is not what was voted on.
    error GovernorCodeChanged(uint256 proposalId);
    error GovernorNoCode(address target);
    /// @dev The governor itself holds nothing and calls nobody: what a vote decides, the timelock does.
    error GovernorNoRelay();

    /// @param codePin Fold of keccak256(abi.encode(pin, target, code hash)) over the targets, from zero.
    event ProposalClass(uint256 indexed proposalId, bool routine, bytes32 codePin);

    /// @notice True for the release of one candidate; false for everything else.
    function isRoutine(uint256 proposalId) external view returns (bool);

    /// @notice Code of all targets as it stood when the proposal was made.
    function codePin(uint256 proposalId) external view returns (bytes32);

    /// @notice The proposer's Pending or Active proposal, or zero.
    function liveProposal(address proposer) external view returns (uint256);
}
