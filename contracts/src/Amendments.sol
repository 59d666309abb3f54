// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {IAgentRegistry} from "./interfaces/IAgentRegistry.sol";
import {IAgreementBook} from "./interfaces/IAgreementBook.sol";
import {IAmendments} from "./interfaces/IAmendments.sol";
import {IKeyChanges} from "./interfaces/IKeyChanges.sol";
import {IPolicyRegistry} from "./interfaces/IPolicyRegistry.sol";
import {IReleaseRegistry} from "./interfaces/IReleaseRegistry.sol";
import {CodeStore} from "./libraries/CodeStore.sol";
import {Addresses} from "./types/Addresses.sol";
import {Direction} from "./types/Amendment.sol";
import {RuleSet} from "./types/Policy.sol";

/// @title Changes that wait
/// @dev Docs are in the interface. Every log payload is keccak256(abi.encode(arguments of the event in order)).
contract Amendments is IAmendments {
    uint64 private constant TIGHTEN_WAIT_S = 2 days;
    uint64 private constant LOOSEN_WAIT_S = 14 days;
    uint64 private constant CONSTITUTIONAL_WAIT_S = 30 days;
    /// @dev A vote nobody acted on must not lie ready for years.
    uint64 private constant WINDOW_S = 30 days;

    // ---- Immutables ----

    address private immutable TIMELOCK;
    address private immutable AGENTS;
    address private immutable BOOK;
    IPolicyRegistry private immutable POLICY;
    IReleaseRegistry private immutable LOG;

    // ---- Storage ----

    mapping(bytes32 id => Amendment) private _amendments;
    mapping(bytes32 id => address) private _calls;
    uint64 private _count;

    // ---- Constructor ----

    constructor(Addresses memory a) {
        TIMELOCK = a.timelock;
        AGENTS = a.agentRegistry;
        BOOK = a.agreementBook;
        POLICY = IPolicyRegistry(a.policyRegistry);
        LOG = IReleaseRegistry(a.releaseRegistry);
    }

    modifier onlyTimelock() {
        if (msg.sender != TIMELOCK) revert AmendmentOnlyTimelock(msg.sender);
        _;
    }

    // ---- First vote ----

    /// @inheritdoc IAmendments
    function stage(address target, bytes calldata call) external onlyTimelock returns (bytes32 id) {
        if (target.code.length == 0) revert AmendmentNoCode(target);
        if (call.length > CodeStore.MAX_BYTES) revert AmendmentTooLarge(call.length);
        Direction direction = directionOf(target, call);
        if (direction == Direction.Forbidden) revert AmendmentForbidden(target, bytes4(call));
        bytes32 callHash = keccak256(call);
        id = keccak256(abi.encode(block.chainid, address(this), target, callHash, ++_count));
        uint64 fromS = uint64(block.timestamp) + _waitS(direction);
        _amendments[id] =
            Amendment(State.Staged, direction, target, fromS, fromS + WINDOW_S, target.codehash, callHash, 0);
        _calls[id] = CodeStore.write(call);
        emit Staged(id, target, direction, fromS, fromS + WINDOW_S, call);
        bytes32 payload = keccak256(abi.encode(id, target, direction, fromS, fromS + WINDOW_S, call));
        LOG.append("staged", id, payload);
    }

    /// @inheritdoc IAmendments
    function withdraw(bytes32 id) external onlyTimelock {
        Amendment storage found = _known(id);
        if (found.state == State.Withdrawn || found.state == State.Activated) {
            revert AmendmentNotIn(id, State.Staged, found.state);
        }
        found.state = State.Withdrawn;
        emit Withdrawn(id);
        LOG.append("change-withdrawn", id, keccak256(abi.encode(id)));
    }

    // ---- Second vote ----

    /// @inheritdoc IAmendments
    function openRatification(bytes32 id) external returns (bytes32 nonce) {
        Amendment storage found = _known(id);
        if (found.direction != Direction.Constitutional) revert AmendmentNeedsNoRatification(id);
        _requireIn(id, found, State.Staged);
        nonce = keccak256(abi.encode(id, blockhash(block.number - 1)));
        found.state = State.Opened;
        found.nonce = nonce;
        found.untilS = uint64(block.timestamp) + WINDOW_S;
        emit RatificationOpened(id, nonce, found.untilS);
        LOG.append("ratification", id, keccak256(abi.encode(id, nonce, found.untilS)));
    }

    /// @inheritdoc IAmendments
    function ratify(bytes32 id, bytes32 nonce) external onlyTimelock {
        Amendment storage found = _known(id);
        _requireIn(id, found, State.Opened);
        if (nonce != found.nonce) revert AmendmentWrongNonce(id, nonce);
        found.state = State.Ratified;
        found.untilS = uint64(block.timestamp) + WINDOW_S;
        emit Ratified(id, found.untilS);
        LOG.append("ratified", id, keccak256(abi.encode(id, found.untilS)));
    }

    // ---- Activation ----

    /// @inheritdoc IAmendments
    function activate(bytes32 id) external {
        Amendment storage found = _known(id);
        _requireIn(id, found, found.direction == Direction.Constitutional ? State.Ratified : State.Staged);
        (address target, bytes memory call) = (found.target, CodeStore.read(_calls[id]));
        if (target.codehash != found.codeHash) revert AmendmentCodeChanged(id, target);
        Direction direction = this.directionOf(target, call);
        if (direction > found.direction) revert AmendmentStricter(id, found.direction, direction);
        found.state = State.Activated;
        emit Activated(id);
        LOG.append("activated", id, keccak256(abi.encode(id)));
        Address.functionCall(target, call);
    }

    // ---- Views ----

    /// @inheritdoc IAmendments
    function amendment(bytes32 id) external view returns (Amendment memory) {
        return _amendments[id];
    }

    /// @inheritdoc IAmendments
    function callOf(bytes32 id) external view returns (bytes memory) {
        _known(id);
        return CodeStore.read(_calls[id]);
    }

    /// @inheritdoc IAmendments
    function count() external view returns (uint64) {
        return _count;
    }

    /// @inheritdoc IAmendments
    /// @dev What is not listed is constitutional: a call that nobody thought of waits longest.
    function directionOf(address target, bytes calldata call) public view returns (Direction) {
        bytes4 selector = bytes4(call);
        // This contract may write to the log; a vote must not do it in its name.
        if (target == address(LOG) && selector == IReleaseRegistry.append.selector) return Direction.Forbidden;
        if (target == address(POLICY) && selector == IPolicyRegistry.amend.selector) {
            return POLICY.directionOf(abi.decode(call[4:], (RuleSet)));
        }
        if (target == BOOK && selector == IAgreementBook.setFee.selector) return Direction.Loosen;
        bool members = selector == IAgentRegistry.admit.selector || selector == IAgentRegistry.remove.selector
            || selector == IKeyChanges.setMember.selector;
        return target == AGENTS && members ? Direction.Loosen : Direction.Constitutional;
    }

    /// @inheritdoc IAmendments
    function replacesGuardian(address[] calldata targets, bytes[] calldata calls) external view returns (bool) {
        // One more call beside it, even one that changes nothing, would carry anything out of the guardian's reach.
        for (uint256 i; i < targets.length; ++i) {
            if (targets[i] != address(this) || !_isStepToAnotherGuardian(calls[i])) return false;
        }
        return true;
    }

    // ---- Internal ----

    /// @dev Reads nothing that could revert: a call that cannot be read must not keep the guardian from stopping others.
    function _isStepToAnotherGuardian(bytes calldata call) private view returns (bool) {
        if (bytes4(call) == IAmendments.ratify.selector && call.length == 68) {
            bytes32 id = bytes32(call[4:36]);
            if (_amendments[id].target != address(LOG)) return false;
            return bytes4(CodeStore.read(_calls[id])) == IReleaseRegistry.setGuardian.selector;
        }
        if (call.length != 164) return false;
        // The only argument stands at byte 104 of what this call has to be, byte for byte.
        bytes memory change =
            abi.encodeCall(IReleaseRegistry.setGuardian, (address(uint160(uint256(bytes32(call[104:136]))))));
        return keccak256(call) == keccak256(abi.encodeCall(IAmendments.stage, (address(LOG), change)));
    }

    function _waitS(Direction direction) private pure returns (uint64) {
        if (direction == Direction.Tighten) return TIGHTEN_WAIT_S;
        return direction == Direction.Loosen ? LOOSEN_WAIT_S : CONSTITUTIONAL_WAIT_S;
    }

    function _known(bytes32 id) private view returns (Amendment storage found) {
        found = _amendments[id];
        if (found.state == State.None) revert AmendmentUnknown(id);
    }

    function _requireIn(bytes32 id, Amendment storage found, State required) private view {
        if (found.state != required) revert AmendmentNotIn(id, required, found.state);
        if (block.timestamp < found.fromS) revert AmendmentTooEarly(id, found.fromS);
        if (block.timestamp > found.untilS) revert AmendmentExpired(id, found.untilS);
    }
}
