// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Governor} from "@openzeppelin/contracts/governance/Governor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {GovernorCountingSimple} from "@openzeppelin/contracts/governance/extensions/GovernorCountingSimple.sol";
import {GovernorNoncesKeyed} from "@openzeppelin/contracts/governance/extensions/GovernorNoncesKeyed.sol";
import {GovernorPreventLateQuorum} from "@openzeppelin/contracts/governance/extensions/GovernorPreventLateQuorum.sol";
import {GovernorSettings} from "@openzeppelin/contracts/governance/extensions/GovernorSettings.sol";
import {GovernorStorage} from "@openzeppelin/contracts/governance/extensions/GovernorStorage.sol";
import {GovernorTimelockControl} from "@openzeppelin/contracts/governance/extensions/GovernorTimelockControl.sol";
import {GovernorVotes} from "@openzeppelin/contracts/governance/extensions/GovernorVotes.sol";
import {GovernorVotesQuorumFraction} from "@openzeppelin/contracts/governance/extensions/GovernorVotesQuorumFraction.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {IAmendments} from "./interfaces/IAmendments.sol";
import {IModelGovernor} from "./interfaces/IModelGovernor.sol";
import {IReleaseRegistry} from "./interfaces/IReleaseRegistry.sol";
import {Addresses} from "./types/Addresses.sol";
import {Delays} from "./types/Voting.sol";

/// @title Votes of the members
/// @dev Docs are in the interface. To clients it is an ordinary OpenZeppelin Governor.
contract ModelGovernor is
    IModelGovernor,
    Governor,
    GovernorSettings,
    GovernorCountingSimple,
    GovernorStorage,
    GovernorVotes,
    GovernorVotesQuorumFraction,
    GovernorPreventLateQuorum,
    GovernorTimelockControl,
    GovernorNoncesKeyed
{
    // ---- Immutables ----

    IReleaseRegistry private immutable RELEASES;
    IAmendments private immutable AMENDMENTS;

    // ---- Storage ----

    mapping(uint256 proposalId => Class) private _class;
    mapping(uint256 proposalId => bytes32) private _codePin;
    mapping(address proposer => uint256) private _latest;

    // ---- Constructor ----

    constructor(Addresses memory a, Delays memory delays)
        Governor("ModelGovernor")
        GovernorSettings(delays.votingDelayS, delays.votingPeriodS, 1)
        GovernorVotes(IVotes(a.memberToken))
        GovernorVotesQuorumFraction(50)
        GovernorPreventLateQuorum(delays.lateQuorumExtensionS)
        GovernorTimelockControl(TimelockController(payable(a.timelock)))
    {
        RELEASES = IReleaseRegistry(a.releaseRegistry);
        AMENDMENTS = IAmendments(a.amendments);
    }

    // ---- Proposing ----

    /// @notice Proposes. A member may propose anything; a registered coordinator, the release of its own candidate.
    function propose(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        string memory description
    ) public override returns (uint256) {
        address proposer = _msgSender();
        if (!_isValidDescriptionForProposer(proposer, description)) revert GovernorRestrictedProposer(proposer);
        // Whether an agent asks for the release of its own candidate is known when the proposal is noted.
        if (!_isApproval(targets, values, calldatas)) _requireVotes(proposer);
        return _propose(targets, values, calldatas, description, proposer);
    }

    /// @dev Else a vote could write to the log, or note proposals, in the governor's name.
    function relay(address, uint256, bytes calldata) public payable override {
        revert GovernorNoRelay();
    }

    // ---- Views ----

    /// @inheritdoc IModelGovernor
    function isRoutine(uint256 proposalId) external view returns (bool) {
        return _isRoutine(proposalId);
    }

    /// @inheritdoc IModelGovernor
    function proposalGuardian() public view returns (address) {
        return RELEASES.guardian();
    }

    /// @inheritdoc IModelGovernor
    function codePin(uint256 proposalId) external view returns (bytes32) {
        return _codePin[proposalId];
    }

    /// @inheritdoc IModelGovernor
    function liveProposal(address proposer) public view returns (uint256) {
        uint256 latest = _latest[proposer];
        if (latest == 0) return 0;
        ProposalState current = state(latest);
        return current == ProposalState.Pending || current == ProposalState.Active ? latest : 0;
    }

    /// @notice Least For + Abstain of a routine proposal.
    /// @dev Rounded up: half of 13 votes is 7, not 6.
    function quorum(uint256 timepoint)
        public
        view
        override(Governor, GovernorVotesQuorumFraction)
        returns (uint256)
    {
        uint256 supply = token().getPastTotalSupply(timepoint);
        return (supply * quorumNumerator(timepoint) + quorumDenominator() - 1) / quorumDenominator();
    }

    function votingDelay() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.votingDelay();
    }

    function votingPeriod() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.votingPeriod();
    }

    function proposalThreshold() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.proposalThreshold();
    }

    function proposalDeadline(uint256 proposalId)
        public
        view
        override(Governor, GovernorPreventLateQuorum)
        returns (uint256)
    {
        return super.proposalDeadline(proposalId);
    }

    function state(uint256 proposalId) public view override(Governor, GovernorTimelockControl) returns (ProposalState) {
        return super.state(proposalId);
    }

    function proposalNeedsQueuing(uint256 proposalId)
        public
        view
        override(Governor, GovernorTimelockControl)
        returns (bool)
    {
        return super.proposalNeedsQueuing(proposalId);
    }

    // ---- Internal: class, pins, quorums ----

    function _propose(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        string memory description,
        address proposer
    ) internal override(Governor, GovernorStorage) returns (uint256 proposalId) {
        uint256 live = liveProposal(proposer);
        if (live != 0) revert GovernorOneLiveProposal(proposer, live);
        proposalId = super._propose(targets, values, calldatas, description, proposer);
        _latest[proposer] = proposalId;
        bytes32 pin = _pin(targets);
        bool routine = _isApproval(targets, values, calldatas);
        _codePin[proposalId] = pin;
        emit ProposalClass(proposalId, routine, pin);
        if (routine) _noteRelease(proposalId, calldatas[0], proposer);
    }

    /// @dev After the guardian stopped a vote a person has to ask again, and that vote is held. What an agent asks for first
    /// is its own, for which its operator left a bond.
    function _noteRelease(uint256 proposalId, bytes memory approval, address proposer) private {
        (bool second, bool own) = RELEASES.noteProposal(proposalId, approval, proposer);
        if (second || !own) _requireVotes(proposer);
        _class[proposalId] = second ? Class.SecondRelease : Class.Release;
    }

    function _requireVotes(address proposer) private view {
        (uint256 votes, uint256 threshold) = (getVotes(proposer, clock() - 1), proposalThreshold());
        if (votes < threshold) revert GovernorInsufficientProposerVotes(proposer, votes, threshold);
        if (IERC20(address(token())).balanceOf(proposer) == 0) revert GovernorOnlyMember(proposer);
    }

    function _isRoutine(uint256 proposalId) private view returns (bool) {
        return _class[proposalId] != Class.Constitutional;
    }

    function _isApproval(address[] memory targets, uint256[] memory values, bytes[] memory calldatas)
        private
        view
        returns (bool)
    {
        if (targets.length != 1 || values.length != 1 || calldatas.length != 1) return false;
        return targets[0] == address(RELEASES) && values[0] == 0
            && bytes4(calldatas[0]) == IReleaseRegistry.approve.selector;
    }

    function _pin(address[] memory targets) private view returns (bytes32 pin) {
        for (uint256 i; i < targets.length; ++i) {
            if (targets[i].code.length == 0) revert GovernorNoCode(targets[i]);
            pin = keccak256(abi.encode(pin, targets[i], targets[i].codehash));
        }
    }

    /// @dev Of the supply, not of the votes cast: staying away never makes a constitutional change easier.
    function _hasTwoThirds(uint256 proposalId) private view returns (bool) {
        (, uint256 forVotes,) = proposalVotes(proposalId);
        uint256 supply = token().getPastTotalSupply(proposalSnapshot(proposalId));
        return forVotes > 0 && 3 * forVotes >= 2 * supply;
    }

    function _quorumReached(uint256 proposalId)
        internal
        view
        override(Governor, GovernorCountingSimple)
        returns (bool)
    {
        return _isRoutine(proposalId) ? super._quorumReached(proposalId) : _hasTwoThirds(proposalId);
    }

    function _voteSucceeded(uint256 proposalId)
        internal
        view
        override(Governor, GovernorCountingSimple)
        returns (bool)
    {
        return _isRoutine(proposalId) ? super._voteSucceeded(proposalId) : _hasTwoThirds(proposalId);
    }

    function _validateCancel(uint256 proposalId, address caller) internal view override returns (bool) {
        if (!_isGuardian(caller)) return !_isRoutine(proposalId) && super._validateCancel(proposalId, caller);
        // A vote that failed has decided: taking it back would give a candidate another one.
        if (_class[proposalId] == Class.SecondRelease || state(proposalId) == ProposalState.Defeated) return false;
        (address[] memory targets,, bytes[] memory calldatas,) = proposalDetails(proposalId);
        return !AMENDMENTS.replacesGuardian(targets, calldatas);
    }

    /// @dev Itself, or ReleaseRegistry, which passes on what its guardian says.
    function _isGuardian(address caller) private view returns (bool) {
        return caller == address(RELEASES) || caller == proposalGuardian();
    }

    /// @dev A vote that changes how votes are counted waits like any other change of the constitution.
    function _checkGovernance() internal view override {
        if (_msgSender() != address(AMENDMENTS)) revert GovernorOnlyExecutor(_msgSender());
    }

    // ---- Internal: what several parents define ----

    function _tallyUpdated(uint256 proposalId) internal override(Governor, GovernorPreventLateQuorum) {
        super._tallyUpdated(proposalId);
    }

    function _queueOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint48) {
        return super._queueOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _executeOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) {
        if (_pin(targets) != _codePin[proposalId]) revert GovernorCodeChanged(proposalId);
        super._executeOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _cancel(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint256 proposalId) {
        proposalId = super._cancel(targets, values, calldatas, descriptionHash);
        if (_isGuardian(_msgSender())) RELEASES.noteStop(proposalId);
    }

    function _executor() internal view override(Governor, GovernorTimelockControl) returns (address) {
        return super._executor();
    }

    function _useCheckedNonce(address owner, uint256 nonce) internal override(Nonces, GovernorNoncesKeyed) {
        super._useCheckedNonce(owner, nonce);
    }

    function _validateVoteSig(uint256 proposalId, uint8 support, address voter, bytes memory signature)
        internal
        override(Governor, GovernorNoncesKeyed)
        returns (bool)
    {
        return super._validateVoteSig(proposalId, support, voter, signature);
    }

    function _validateExtendedVoteSig(
        uint256 proposalId,
        uint8 support,
        address voter,
        string memory reason,
        bytes memory params,
        bytes memory signature
    ) internal override(Governor, GovernorNoncesKeyed) returns (bool) {
        return super._validateExtendedVoteSig(proposalId, support, voter, reason, params, signature);
    }
}
