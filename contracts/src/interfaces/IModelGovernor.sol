// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What the governor adds to OpenZeppelin's Governor
/// @notice The class of a proposal is read from its calldata, never chosen by the proposer.
/// @dev Routine: exactly one action, `ReleaseRegistry.approve` without value. It passes with For above Against
/// and For + Abstain at half of the supply. Everything else is constitutional: For at two thirds of the supply.
/// Its proposer cannot cancel a routine proposal: whoever is first could keep a candidate from a vote for ever.
/// The guardian, who is ReleaseRegistry's, stops any proposal before it is carried out, but for three: one whose every
/// call replaces the guardian, one that has failed, and the second vote on a release whose first it stopped.
interface IModelGovernor {
    enum Class {
        Constitutional,
        Release,
        /// On a release whose first vote the guardian stopped. Nobody cancels it.
        SecondRelease
    }

    /// @dev Votes can be delegated on, and would propose again from the next key; a membership cannot.
    error GovernorOnlyMember(address proposer);
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

    /// @notice Who may stop proposals; changes by two votes with 30 days between.
    /// @dev The same account suspends releases; `ReleaseRegistry.stop` cancels in its name, with a reason. Named as OpenZeppelin's GovernorProposalGuardian names it.
    function proposalGuardian() external view returns (address);

    /// @notice Code of all targets as it stood when the proposal was made.
    function codePin(uint256 proposalId) external view returns (bytes32);

    /// @notice The proposer's Pending or Active proposal, or zero.
    function liveProposal(address proposer) external view returns (uint256);
}
