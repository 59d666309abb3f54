// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IKeyChanges} from "../interfaces/IKeyChanges.sol";
import {IReleaseRegistry} from "../interfaces/IReleaseRegistry.sol";
import {Addresses} from "../types/Addresses.sol";

/// @title Who asked for which other key, and which organisation is suspended
/// @dev Docs are in the interface; AgentRegistry says who is who. Every log payload is keccak256(abi.encode(arguments of the
/// event in order)).
abstract contract KeyChanges is IKeyChanges {
    uint64 private constant AGENT_WAIT_S = 2 days;
    /// @dev Who has stolen the member key asks again as soon as a vote has ended what it asked, so that only another member
    /// key ends the theft. A vote lasts 8 or 9 days (1 to wait, 5, 1 more after a late quorum, 2 in the timelock), and that
    /// one waits 14 more. Two votes called on the day n after the thief asked: the first ends it by n + 9, so n may be 7;
    /// the thief asks again on n + 8 at the earliest and is due on n + 24, a day after the new member key of n + 23.
    uint64 private constant OPERATOR_WAIT_S = 16 days;
    /// @dev What nobody carried out must not lie ready for years.
    uint64 private constant WINDOW_S = 30 days;
    uint64 private constant LONGEST_SUSPENSION_S = 90 days;

    // ---- Immutables ----

    address private immutable TIMELOCK;
    IReleaseRegistry internal immutable LOG;

    // ---- Storage ----

    mapping(address agent => KeyChange) private _rotations;
    mapping(uint32 organisation => KeyChange) private _operatorChanges;
    mapping(address agent => address) private _origins;
    /// @dev Another key stands in its place, so it never comes back.
    mapping(address agent => bool) internal _isRetired;

    // ---- Constructor ----

    constructor(Addresses memory a) {
        TIMELOCK = a.timelock;
        LOG = IReleaseRegistry(a.releaseRegistry);
    }

    // ---- Agents ----

    /// @inheritdoc IKeyChanges
    function askRotation(address agent, address next) external {
        _requireReplaceable(agent);
        uint64 fromS = uint64(block.timestamp) + AGENT_WAIT_S;
        _rotations[agent] = KeyChange(next, fromS, false);
        emit RotationAsked(agent, next, fromS);
        LOG.append("rotation-asked", _subject(agent), keccak256(abi.encode(agent, next, fromS)));
    }

    /// @inheritdoc IKeyChanges
    function cancelRotation(address agent) external {
        (address member, address operator) = _keysOf(_organisationOf(agent));
        if (msg.sender != member && msg.sender != operator) revert KeyOnlyMemberOrOperator(msg.sender);
        if (_rotations[agent].next == address(0)) revert KeyNothingAsked();
        delete _rotations[agent];
        emit RotationCancelled(agent);
        LOG.append("rotation-cancelled", _subject(agent), keccak256(abi.encode(agent)));
    }

    // ---- Operators ----

    /// @inheritdoc IKeyChanges
    function askOperator(uint32 organisation, address next) external {
        _requireActive(organisation);
        (address member, address operator) = _keysOf(organisation);
        bool byMember = msg.sender == member;
        if (!byMember && msg.sender != operator) revert KeyOnlyMemberOrOperator(msg.sender);
        if (!byMember && _operatorChanges[organisation].byMember) revert KeyAskedByMember(organisation);
        uint64 fromS = uint64(block.timestamp) + OPERATOR_WAIT_S;
        _operatorChanges[organisation] = KeyChange(next, fromS, byMember);
        emit OperatorAsked(organisation, next, msg.sender, fromS);
        bytes32 payload = keccak256(abi.encode(organisation, next, msg.sender, fromS));
        LOG.append("operator-asked", bytes32(uint256(organisation)), payload);
    }

    /// @inheritdoc IKeyChanges
    function keepOperator(uint32 organisation) external {
        KeyChange storage asked = _operatorChanges[organisation];
        if (asked.next == address(0)) revert KeyNothingAsked();
        (address member, address operator) = _keysOf(organisation);
        if (msg.sender == operator) {
            // A thief who has the operator key would else stay for ever.
            if (asked.byMember) revert KeyAskedByMember(organisation);
        } else if (msg.sender != member && msg.sender != TIMELOCK) {
            revert KeyOnlyMemberOrOperator(msg.sender);
        }
        _dropOperatorChange(organisation);
    }

    /// @inheritdoc IKeyChanges
    function changeOperator(uint32 organisation) external {
        _requireActive(organisation);
        address next = _requireDue(_operatorChanges[organisation]);
        // A key belongs to one organisation for ever, so nobody else gives it away.
        if (msg.sender != next) revert KeyOnlyNext(next, msg.sender);
        delete _operatorChanges[organisation];
        _setOperator(organisation, next);
        emit OperatorChanged(organisation, next);
        LOG.append("operator", bytes32(uint256(organisation)), keccak256(abi.encode(organisation, next)));
    }

    // ---- Suspension ----

    /// @inheritdoc IKeyChanges
    function suspend(uint32 organisation, uint64 untilS, bytes32 reason) external {
        if (msg.sender != TIMELOCK) revert KeyOnlyTimelock(msg.sender);
        _requireActive(organisation);
        uint64 latestS = uint64(block.timestamp) + LONGEST_SUSPENSION_S;
        if (untilS <= block.timestamp || untilS > latestS) revert KeyBadSuspension(untilS, latestS);
        if (reason == 0) revert KeyNoReason();
        _setSuspension(organisation, untilS);
        emit OrganisationSuspended(organisation, reason, untilS);
        bytes32 payload = keccak256(abi.encode(organisation, reason, untilS));
        LOG.append("organisation-suspended", bytes32(uint256(organisation)), payload);
    }

    /// @inheritdoc IKeyChanges
    function reinstate(uint32 organisation) external {
        if (msg.sender != TIMELOCK) revert KeyOnlyTimelock(msg.sender);
        if (block.timestamp >= suspendedUntilS(organisation)) revert KeyNotSuspended(organisation);
        _setSuspension(organisation, uint64(block.timestamp));
        emit OrganisationReinstated(organisation);
        LOG.append("organisation-reinstated", bytes32(uint256(organisation)), keccak256(abi.encode(organisation)));
    }

    // ---- Views ----

    /// @inheritdoc IKeyChanges
    function rotation(address agent) external view returns (KeyChange memory) {
        return _rotations[agent];
    }

    /// @inheritdoc IKeyChanges
    function operatorChange(uint32 organisation) external view returns (KeyChange memory) {
        return _operatorChanges[organisation];
    }

    /// @inheritdoc IKeyChanges
    function originOf(address agent) public view returns (address) {
        address origin = _origins[agent];
        return origin == address(0) ? agent : origin;
    }

    /// @inheritdoc IKeyChanges
    function suspendedUntilS(uint32 organisation) public view virtual returns (uint64);

    // ---- Internal ----

    /// @dev Takes the announced key's place in what the old key committed to.
    function _succeed(address agent, address given) internal {
        address next = _requireDue(_rotations[agent]);
        if (next != given) revert KeyNotAnnounced(next, given);
        delete _rotations[agent];
        _origins[next] = originOf(agent);
        _isRetired[agent] = true;
        emit AgentRotated(agent, next);
        LOG.append("agent-rotated", _subject(agent), keccak256(abi.encode(agent, next)));
    }

    function _dropOperatorChange(uint32 organisation) internal {
        if (_operatorChanges[organisation].next == address(0)) return;
        delete _operatorChanges[organisation];
        emit OperatorKept(organisation);
        LOG.append("operator-kept", bytes32(uint256(organisation)), keccak256(abi.encode(organisation)));
    }

    function _requireDue(KeyChange storage asked) private view returns (address next) {
        next = asked.next;
        if (next == address(0)) revert KeyNothingAsked();
        if (block.timestamp < asked.fromS) revert KeyTooEarly(asked.fromS);
        if (block.timestamp > asked.fromS + WINDOW_S) revert KeyTooLate(asked.fromS + WINDOW_S);
    }

    function _subject(address key) internal pure returns (bytes32) {
        return bytes32(uint256(uint160(key)));
    }

    // ---- Who is who ----

    function _organisationOf(address agent) internal view virtual returns (uint32);

    function _keysOf(uint32 organisation) internal view virtual returns (address member, address operator);

    function _requireActive(uint32 organisation) internal view virtual;

    /// @dev Reverts unless the caller administers this agent, and no other key stands in its place.
    function _requireReplaceable(address agent) internal view virtual;

    function _setSuspension(uint32 organisation, uint64 untilS) internal virtual;

    function _setOperator(uint32 organisation, address next) internal virtual;
}
