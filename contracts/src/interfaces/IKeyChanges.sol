// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgentRegistry} from "./IAgentRegistry.sol";

/// @title Keys that are lost or stolen, and organisations that are stopped for a time
/// @notice The member key stands above the operator key, and that above the agents' keys: each is replaced by the one above
/// it, after a wait in which a thief is noticed. The member key itself is replaced by vote.
/// @dev Money follows the organisation: what agreements still pay goes to whoever is its operator then. What an account
/// holds, and what it deposited in RewardVault, stays that account's.
interface IKeyChanges {
    /// @dev A key that is to take another one's place.
    struct KeyChange {
        address next;
        /// From then on, for 30 days.
        uint64 fromS;
        /// The organisation's member asked, so its operator cannot take it back.
        bool byMember;
    }

    error KeyOnlyMemberOrOperator(address caller);
    error KeyOnlyTimelock(address caller);
    /// @dev The member asked for another operator; the operator in office changes nothing about that.
    error KeyAskedByMember(uint32 organisation);
    error KeyNothingAsked();
    error KeyTooEarly(uint64 fromS);
    error KeyTooLate(uint64 untilS);
    error KeyOnlyNext(address next, address caller);
    /// @dev Another key stands in its place.
    error KeyReplaced(address agent);
    /// @dev The binding is of another key than the one that was announced.
    error KeyNotAnnounced(address announced, address given);
    error KeyBadSuspension(uint64 untilS, uint64 latestS);
    error KeyNotSuspended(uint32 organisation);
    error KeyNoReason();

    event RotationAsked(address indexed agent, address indexed next, uint64 fromS);
    event RotationCancelled(address indexed agent);
    /// @dev Before the end of the old key and the binding of the new one.
    event AgentRotated(address indexed agent, address indexed next);
    event OperatorAsked(uint32 indexed organisation, address indexed next, address by, uint64 fromS);
    event OperatorKept(uint32 indexed organisation);
    event OperatorChanged(uint32 indexed organisation, address indexed operator);
    event MemberChanged(uint32 indexed organisation, address indexed member);
    /// @dev Reason is a short text.
    event OrganisationSuspended(uint32 indexed organisation, bytes32 reason, uint64 untilS);
    event OrganisationReinstated(uint32 indexed organisation);

    /// @notice Announces the key that is to take an agent's place in 2 days. Only its operator.
    /// @dev Also of a key that was unbound: the rows that it committed to are not lost with it.
    function askRotation(address agent, address next) external;

    /// @notice Ends that. Its operator, or the member above it.
    function cancelRotation(address agent) external;

    /// @notice Puts the announced key in the agent's place; the old key ends for ever. Only its operator, after the wait.
    /// @dev The new key may sell the rows that the old one committed to. It starts without a mandate: what the old key spent
    /// and granted counts for the old key alone, so its operator says how much is left. Agreements stay with the key that
    /// signed them.
    /// @param binding As for `bind`, signed by the new key, which was never used here before.
    function rotate(address agent, IAgentRegistry.Binding calldata binding, bytes calldata signature) external;

    /// @notice Announces another operator in 16 days. The organisation's member or its operator.
    /// @dev The wait is longer than a vote, so that the members can stop a thief who has the member key and asks again.
    function askOperator(uint32 organisation, address next) external;

    /// @notice Ends that. The member; the operator, if it asked itself; the timelock, so after a vote.
    function keepOperator(uint32 organisation) external;

    /// @notice Takes office. Only the announced operator itself, after the wait.
    function changeOperator(uint32 organisation) external;

    /// @notice Gives an organisation's vote to another wallet. Only Amendments, so 14 days after its vote.
    function setMember(uint32 organisation, address member) external;

    /// @notice Stops all agents of an organisation for 90 days at most. Only the timelock, so after a vote.
    /// @dev They begin nothing: no job, no agreement, no round, no data, no seat. What would cost a bond or a stake to leave
    /// undone they finish: updates of agreements made before, and seats drawn before. Its vote, its pay, its stakes and its
    /// right to withdraw consent are as before.
    /// @param reason A short text for people.
    function suspend(uint32 organisation, uint64 untilS, bytes32 reason) external;

    /// @notice Ends that early. Only the timelock.
    function reinstate(uint32 organisation) external;

    /// @notice The key that is to take an agent's place.
    function rotation(address agent) external view returns (KeyChange memory);

    /// @notice The operator that is to come.
    function operatorChange(uint32 organisation) external view returns (KeyChange memory);

    /// @notice The first key in whose place this one stands, through all rotations; the key itself if there was none.
    function originOf(address agent) external view returns (address);

    /// @notice End of the organisation's last suspension, or zero.
    function suspendedUntilS(uint32 organisation) external view returns (uint64);
}
