// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Direction} from "../types/Amendment.sol";

/// @title Changes that wait
/// @notice A vote stages a call; the contract reads from it which way it goes, and how long it waits. Then anyone activates it.
/// @dev Waits: tightening 2 days, loosening 14, constitutional 30 and a second vote. That vote has to name a nonce that
/// is taken from a block after the 30 days, so it cannot be cast, queued or even written down together with the first.
/// Whoever accepts such calls accepts them from this contract alone.
interface IAmendments {
    enum State {
        None,
        /// Waits, or is due.
        Staged,
        /// Constitutional, waited for, and open for its second vote.
        Opened,
        Ratified,
        /// Terminal.
        Withdrawn,
        /// Terminal.
        Activated
    }

    struct Amendment {
        State state;
        Direction direction;
        address target;
        /// From then on it may be activated, or its ratification be opened.
        uint64 fromS;
        /// Last moment of what comes next: activation, opening of the ratification, or its vote.
        uint64 untilS;
        /// Code of the target as it was staged.
        bytes32 codeHash;
        bytes32 callHash;
        /// What the second vote has to name; zero before it is opened.
        bytes32 nonce;
    }

    error AmendmentOnlyTimelock(address caller);
    error AmendmentUnknown(bytes32 id);
    error AmendmentNoCode(address target);
    /// @dev The call's data is more than a contract can hold.
    error AmendmentTooLarge(uint256 bytes_);
    error AmendmentForbidden(address target, bytes4 selector);
    /// @dev Not in the state that this step starts from.
    error AmendmentNotIn(bytes32 id, State required, State found);
    error AmendmentTooEarly(bytes32 id, uint64 fromS);
    error AmendmentExpired(bytes32 id, uint64 untilS);
    error AmendmentNeedsNoRatification(bytes32 id);
    error AmendmentWrongNonce(bytes32 id, bytes32 given);
    /// @dev The target is not what was voted on.
    error AmendmentCodeChanged(bytes32 id, address target);
    /// @dev What has changed meanwhile makes this call wait longer than it did.
    error AmendmentStricter(bytes32 id, Direction staged, Direction now_);

    event Staged(bytes32 indexed id, address indexed target, Direction direction, uint64 fromS, uint64 untilS, bytes call);
    event RatificationOpened(bytes32 indexed id, bytes32 nonce, uint64 untilS);
    event Ratified(bytes32 indexed id, uint64 untilS);
    event Withdrawn(bytes32 indexed id);
    event Activated(bytes32 indexed id);

    /// @notice Stages a call that this contract will make. Only the timelock.
    /// @return id keccak256(abi.encode(chainid, this contract, target, keccak256(call), sequence from one)).
    function stage(address target, bytes calldata call) external returns (bytes32 id);

    /// @notice Opens the second vote on a constitutional change whose wait is over. Anyone.
    /// @return nonce keccak256(abi.encode(id, hash of the block before)).
    function openRatification(bytes32 id) external returns (bytes32 nonce);

    /// @notice Decides a constitutional change for the second time. Only the timelock.
    function ratify(bytes32 id, bytes32 nonce) external;

    /// @notice Ends a change that is not activated yet. Only the timelock.
    function withdraw(bytes32 id) external;

    /// @notice Makes the call. Anyone, in the 30 days after it was first possible.
    function activate(bytes32 id) external;

    function amendment(bytes32 id) external view returns (Amendment memory);

    /// @notice The staged call's data.
    function callOf(bytes32 id) external view returns (bytes memory);

    /// @notice Which way a call would go now.
    function directionOf(address target, bytes calldata call) external view returns (Direction);

    /// @notice Whether each of these calls is a step to another guardian: it stages or ratifies `ReleaseRegistry.setGuardian`.
    /// @dev A vote on such calls alone is what the guardian cannot stop.
    function replacesGuardian(address[] calldata targets, bytes[] calldata calls) external view returns (bool);

    /// @notice How many changes were ever staged.
    function count() external view returns (uint64);
}
