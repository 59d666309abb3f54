// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {AgentRegistry} from "../../src/AgentRegistry.sol";
import {IAgentRegistry, Role} from "../../src/interfaces/IAgentRegistry.sol";
import {IAmendments} from "../../src/interfaces/IAmendments.sol";
import {IModelGovernor} from "../../src/interfaces/IModelGovernor.sol";
import {IReleaseRegistry} from "../../src/interfaces/IReleaseRegistry.sol";
import {Addresses} from "../../src/types/Addresses.sol";
import {Direction} from "../../src/types/Amendment.sol";
import {Founder} from "../../src/types/Founder.sol";
import {GUARDIAN} from "../Gate.sol";
import {SystemBase} from "../SystemBase.sol";
import {Vm} from "../Vm.sol";

/// @dev The guardian of a network as it is deployed: what it stops, and what it cannot keep away.
contract GuardianThreatsTest is SystemBase {
    address private constant NEXT = address(0x6B);

    function setUp() public override {
        super.setUp();
        // Votes count from the second after admission.
        vm.warp(block.timestamp + 1);
    }

    // ---- What it stops ----

    /// @dev Threat 18.
    function test_threat_18_the_guardian_stops_a_vote_in_any_state_before_it_is_carried_out() public {
        for (uint256 step; step < 4; ++step) {
            uint256 id = _propose(_member(uint32(step) + 1), address(amendments), _someStage(step));
            if (step > 0) vm.warp(governor.proposalSnapshot(id) + 1);
            if (step > 1) _pass(id);
            if (step > 2) governor.queue(id);
            IGovernor.ProposalState[4] memory states = [
                IGovernor.ProposalState.Pending,
                IGovernor.ProposalState.Active,
                IGovernor.ProposalState.Succeeded,
                IGovernor.ProposalState.Queued
            ];
            assertTrue(governor.state(id) == states[step], "state before");

            vm.prank(GUARDIAN);
            governor.cancel(id);

            assertTrue(governor.state(id) == IGovernor.ProposalState.Canceled, "stopped");
        }
        assertEq(amendments.count(), 0, "nothing was staged");
    }

    /// @dev Threat 18. What waited in the timelock is gone from there too.
    function test_threat_18_a_stopped_vote_is_never_carried_out() public {
        uint256 id = _propose(_member(1), address(amendments), _someStage(0));
        _carry(id);
        vm.prank(GUARDIAN);
        governor.cancel(id);
        vm.expectPartialRevert(IGovernor.GovernorUnexpectedProposalState.selector);
        governor.execute(id);
        (address[] memory targets, uint256[] memory values, bytes[] memory calls, bytes32 description) =
            governor.proposalDetails(id);
        bytes32 salt = bytes20(address(governor)) ^ description;
        assertFalse(timelock.isOperation(timelock.hashOperationBatch(targets, values, calls, 0, salt)), "operation");
    }

    /// @dev Threat 18. With its reason; a client that knows OpenZeppelin's Governor alone gives none.
    function test_threat_18_each_stop_stands_in_the_log() public {
        uint256 first = _propose(_member(1), address(amendments), _someStage(0));
        uint256 second = _propose(_member(2), address(amendments), _someStage(1));
        vm.recordLogs();
        vm.startPrank(GUARDIAN);
        releases.stop(first, "an incident");
        _expectStopLogged(first, "an incident");
        governor.cancel(second);
        _expectStopLogged(second, 0);
        vm.stopPrank();
    }

    /// @dev Threat 18.
    function test_threat_18_a_stop_through_the_registry_is_the_guardians_and_has_a_reason() public {
        uint256 id = _propose(_member(1), address(amendments), _someStage(0));
        vm.prank(_member(1));
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseOnlyGuardian.selector, _member(1)));
        releases.stop(id, "I think again");
        vm.startPrank(GUARDIAN);
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseNoReason.selector));
        releases.stop(id, 0);
        releases.stop(id, "an incident");
        vm.stopPrank();
        assertTrue(governor.state(id) == IGovernor.ProposalState.Canceled, "stopped");
    }

    /// @dev Threat 18. What it cannot stop itself it cannot stop through the registry.
    function test_threat_18_the_registry_reaches_no_further_than_the_guardian() public {
        uint256 id = _propose(_member(1), address(amendments), _replacement(NEXT));
        vm.prank(GUARDIAN);
        vm.expectRevert(
            abi.encodeWithSelector(IGovernor.GovernorUnableToCancel.selector, id, address(releases))
        );
        releases.stop(id, "I stay");
    }

    // ---- Whose key it is not ----

    /// @dev Threat 18. A thief of such a key would stop the votes that end its theft.
    function test_threat_18_no_founder_holds_the_guardians_key() public {
        Addresses memory a = _addresses();
        a.releaseRegistry = address(releases);
        Founder[] memory founders = new Founder[](1);
        bytes memory refusal = abi.encodeWithSelector(IAgentRegistry.AgentIsGuardian.selector, GUARDIAN);
        founders[0] = Founder("the guardian's", GUARDIAN, STRANGER);
        vm.expectRevert(refusal);
        new AgentRegistry(a, founders);
        founders[0] = Founder("the guardian's", STRANGER, GUARDIAN);
        vm.expectRevert(refusal);
        new AgentRegistry(a, founders);
    }

    /// @dev Threat 18. Nor does the guardian's key become an organisation's later, in any place.
    function test_threat_18_no_organisation_takes_the_guardians_key() public {
        uint256 key = 0x6A6A;
        _install(vm.addr(key));
        bytes memory refusal = abi.encodeWithSelector(IAgentRegistry.AgentIsGuardian.selector, vm.addr(key));
        vm.startPrank(address(amendments));
        vm.expectRevert(refusal);
        agents.admit("a fifth owner", vm.addr(key), STRANGER);
        vm.expectRevert(refusal);
        agents.admit("a fifth owner", STRANGER, vm.addr(key));
        vm.expectRevert(refusal);
        agents.setMember(1, vm.addr(key));
        vm.stopPrank();
        vm.prank(_member(1));
        agents.askOperator(1, vm.addr(key));
        vm.warp(agents.operatorChange(1).fromS);
        vm.prank(vm.addr(key));
        vm.expectRevert(refusal);
        agents.changeOperator(1);
        _expectUnbindable(key, refusal);
    }

    /// @dev Threat 18. Nor is a key that an organisation has, or had, made the guardian.
    function test_threat_18_no_key_of_an_organisation_becomes_the_guardian() public {
        _expectNoGuardian(_member(1), 1);
        _expectNoGuardian(_operator(2), 2);
        _expectNoGuardian(_agent(INSTITUTE), INSTITUTE);
        vm.prank(address(amendments));
        agents.remove(3);
        _expectNoGuardian(_member(3), 3);
        assertEq(releases.guardian(), GUARDIAN, "still in office");
        _install(address(0));
        assertEq(releases.guardian(), address(0), "none");
    }

    /// @dev Threat 18. A proposer that takes its own proposal back is no guardian.
    function test_a_proposers_own_cancellation_is_no_stop() public {
        uint256 id = _propose(_member(1), address(amendments), _someStage(0));
        uint64 length = releases.logLength();
        vm.prank(_member(1));
        governor.cancel(id);
        assertEq(releases.logLength(), length, "entries");
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseOnlyGovernor.selector, address(this)));
        releases.noteStop(id);
    }

    /// @dev Threat 18.
    function testFuzz_threat_18_nobody_else_stops_a_vote_that_runs(address caller) public {
        // Nobody but the guardian reaches the registry's way.
        vm.assume(caller != GUARDIAN && caller != address(releases));
        uint256 id = _propose(_member(1), address(amendments), _someStage(0));
        vm.warp(governor.proposalSnapshot(id) + 1);
        _expectUnable(id, caller);
    }

    /// @dev Threat 18. OpenZeppelin's extension gives every proposer the power of a guardian that is not there.
    function test_threat_18_without_a_guardian_nobody_stops_a_vote_that_runs() public {
        _install(address(0));
        uint256 id = _propose(_member(1), address(amendments), _someStage(0));
        vm.warp(governor.proposalSnapshot(id) + 1);
        _expectUnable(id, _member(1));
    }

    // ---- It is not disarmed ----

    /// @dev Finding 12. A call that changes nothing, beside another one, took any proposal out of its reach.
    function test_finding_12_a_call_beside_the_replacement_stays_in_reach() public {
        for (uint256 place; place < 2; ++place) {
            (address[] memory targets, uint256[] memory values, bytes[] memory calls) = _pair(place);
            vm.prank(_member(1));
            uint256 id = governor.propose(targets, values, calls, "one more call");
            vm.prank(GUARDIAN);
            governor.cancel(id);
            assertTrue(governor.state(id) == IGovernor.ProposalState.Canceled, "stopped");
        }
    }

    /// @dev Finding 12. No single vote takes its office.
    function test_finding_12_one_vote_replaces_no_guardian() public {
        uint256 id = _propose(_member(1), address(releases), abi.encodeCall(IReleaseRegistry.setGuardian, (NEXT)));
        _carry(id);
        vm.expectRevert(
            abi.encodeWithSelector(IReleaseRegistry.ReleaseOnlyAmendments.selector, address(timelock))
        );
        governor.execute(id);
        vm.prank(GUARDIAN);
        governor.cancel(id);

        bytes32 change = _stageAs(_member(2), address(releases), abi.encodeCall(IReleaseRegistry.setGuardian, (NEXT)));

        assertTrue(amendments.amendment(change).direction == Direction.Constitutional, "direction");
        assertEq(amendments.amendment(change).fromS, block.timestamp + 30 days, "wait");
        assertEq(releases.guardian(), GUARDIAN, "still in office");
    }

    /// @dev Finding 12. Calls that only look like a replacement are none, and none keeps the guardian from stopping.
    function testFuzz_finding_12_no_calldata_puts_a_vote_out_of_reach(bytes calldata tail, uint8 choice) public {
        bytes4[3] memory selectors = [IAmendments.stage.selector, IAmendments.ratify.selector, bytes4(0)];
        bytes memory call = abi.encodePacked(selectors[choice % 3], tail);
        uint256 id = _propose(_member(1), address(amendments), call);
        vm.prank(GUARDIAN);
        governor.cancel(id);
        assertTrue(governor.state(id) == IGovernor.ProposalState.Canceled, "stopped");
    }

    /// @dev Finding 12. The same call on another contract, another call on the same, and another way to write it.
    function test_finding_12_only_the_guardians_own_change_is_out_of_reach() public view {
        bytes memory change = abi.encodeCall(IReleaseRegistry.setGuardian, (NEXT));
        bytes memory padded = abi.encodeCall(IAmendments.stage, (address(releases), change));
        padded[163] = 0x01;
        bytes[4] memory calls = [
            abi.encodeCall(IAmendments.stage, (address(governor), change)),
            abi.encodeCall(IAmendments.stage, (address(releases), abi.encodeCall(releases.recall, ("id", "reason")))),
            abi.encodeCall(IAmendments.stage, (address(releases), bytes.concat(change, hex"00"))),
            padded
        ];
        for (uint256 i; i < calls.length; ++i) {
            assertFalse(_replaces(address(amendments), calls[i]), "in reach");
        }
        assertFalse(_replaces(address(releases), abi.encodeCall(IAmendments.stage, (address(releases), change))), "place");
        assertTrue(_replaces(address(amendments), abi.encodeCall(IAmendments.stage, (address(releases), change))), "own");
    }

    // ---- It does not stay for ever ----

    /// @dev Threat 18. It can stop neither of the two votes that replace it, nor what waits between them.
    function test_threat_18_the_guardian_keeps_neither_vote_on_its_replacement_away() public {
        uint256 first = _propose(_member(1), address(amendments), _replacement(NEXT));
        _expectUnable(first, GUARDIAN);
        _carry(first);
        _expectUnable(first, GUARDIAN);
        governor.execute(first);
        bytes32 change = _lastChange(abi.encodeCall(IReleaseRegistry.setGuardian, (NEXT)));
        vm.prank(GUARDIAN);
        vm.expectRevert(abi.encodeWithSelector(IAmendments.AmendmentOnlyTimelock.selector, GUARDIAN));
        amendments.withdraw(change);
        vm.warp(amendments.amendment(change).fromS);
        bytes32 nonce = amendments.openRatification(change);
        uint256 second =
            _propose(_member(1), address(amendments), abi.encodeCall(IAmendments.ratify, (change, nonce)));
        _expectUnable(second, GUARDIAN);
        _carry(second);
        _expectUnable(second, GUARDIAN);
        governor.execute(second);
        amendments.activate(change);

        assertEq(governor.proposalGuardian(), NEXT, "office");
        uint256 id = _propose(_member(2), address(amendments), _someStage(0));
        vm.warp(governor.proposalSnapshot(id) + 1);
        _expectUnable(id, GUARDIAN);
    }

    /// @dev Threat 18. The second vote on another change is in its reach.
    function test_threat_18_the_second_vote_on_another_change_can_be_stopped() public {
        bytes32 change = _stage(address(governor), abi.encodeCall(governor.setVotingPeriod, (6 days)));
        vm.warp(amendments.amendment(change).fromS);
        bytes32 nonce = amendments.openRatification(change);
        uint256 id = _propose(_member(1), address(amendments), abi.encodeCall(IAmendments.ratify, (change, nonce)));
        vm.prank(GUARDIAN);
        governor.cancel(id);
        assertTrue(governor.state(id) == IGovernor.ProposalState.Canceled, "stopped");
    }

    /// @dev Threat 18. Nor does it take the place of that vote by proposing it: with votes that a member delegated to it.
    function test_threat_18_a_guardian_cannot_cancel_its_replacement_as_the_proposer() public {
        vm.prank(_member(2));
        members.delegate(GUARDIAN);
        vm.warp(block.timestamp + 1);
        bytes memory replacement = _replacement(NEXT);
        vm.expectRevert(abi.encodeWithSelector(IModelGovernor.GovernorOnlyMember.selector, GUARDIAN));
        _propose(GUARDIAN, address(amendments), replacement);
    }

    // ---- Releases ----

    /// @dev Threat 18. A failed vote refuses a candidate; taking it back would give it another one.
    function test_threat_18_a_vote_that_failed_is_not_taken_back() public {
        bytes32 release = _candidate();
        uint256 id = _proposeRelease(release);
        vm.warp(governor.proposalDeadline(id) + 1);
        assertTrue(governor.state(id) == IGovernor.ProposalState.Defeated, "defeated");
        _expectUnable(id, GUARDIAN);
        releases.refuse(release);
    }

    /// @dev Threat 18. It stops the vote on a release once; a person asks again, and that vote is held.
    function test_threat_18_the_guardian_stops_the_vote_on_a_release_once() public {
        bytes32 release = _candidate();
        uint256 first = _proposeRelease(release);
        vm.prank(GUARDIAN);
        governor.cancel(first);
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseNotRefusable.selector, release));
        releases.refuse(release);
        vm.warp(block.timestamp + 1);
        bytes memory approval = _approvalOf(release);
        vm.expectRevert(
            abi.encodeWithSelector(IGovernor.GovernorInsufficientProposerVotes.selector, _agent(INSTITUTE), 0, 1)
        );
        _propose(_agent(INSTITUTE), address(releases), approval);

        uint256 second = _propose(_member(3), address(releases), approval);

        assertEq(releases.release(release).proposalId, second, "noted");
        assertTrue(governor.isRoutine(second), "class");
        _expectUnable(second, GUARDIAN);
        _expectUnable(second, _member(3));
        _carry(second);
        _expectUnable(second, GUARDIAN);
        governor.execute(second);
        assertTrue(releases.isUsable(releases.release(release).artifact), "released");
    }

    /// @dev Threat 18. There is one second vote, and no third.
    function test_threat_18_a_release_has_no_third_vote() public {
        bytes32 release = _candidate();
        uint256 first = _proposeRelease(release);
        vm.prank(GUARDIAN);
        governor.cancel(first);
        vm.warp(block.timestamp + 1);
        uint256 second = _propose(_member(3), address(releases), _approvalOf(release));
        vm.warp(governor.proposalDeadline(second) + 1);
        bytes memory approval = _approvalOf(release);
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseProposalLive.selector, release, second));
        _propose(_member(4), address(releases), approval);
        releases.refuse(release);
    }

    /// @dev Threat 18. Nobody asks again: then the job's end ends the candidate.
    function test_threat_18_a_stopped_release_that_nobody_asks_for_again_is_refused_with_its_job() public {
        bytes32 release = _candidate();
        uint256 id = _proposeRelease(release);
        vm.prank(GUARDIAN);
        governor.cancel(id);
        vm.warp(DEADLINE_S + 1);
        releases.refuse(release);
        assertTrue(releases.release(release).reason == IReleaseRegistry.RefusalReason.Vote, "reason");
    }

    /// @dev Threat 18. A guardian that waits for the job's deadline has not the last word either.
    function test_threat_18_a_vote_stopped_after_the_jobs_deadline_is_asked_for_again() public {
        bytes32 release = _candidate();
        vm.warp(DEADLINE_S - 2 days);
        uint256 id = _proposeRelease(release);
        vm.warp(DEADLINE_S + 1);
        vm.prank(GUARDIAN);
        governor.cancel(id);
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseNotRefusable.selector, release));
        releases.refuse(release);
        uint256 second = _propose(_member(3), address(releases), _approvalOf(release));
        assertEq(releases.release(release).proposalId, second, "noted");
        _carry(second);
        governor.execute(second);
        assertTrue(releases.release(release).status == IReleaseRegistry.Status.Released, "released");
    }

    // ---- Arranging ----

    function _someStage(uint256 period) private view returns (bytes memory) {
        bytes memory call = abi.encodeCall(governor.setVotingPeriod, (uint32(6 days + period)));
        return abi.encodeCall(IAmendments.stage, (address(governor), call));
    }

    function _replacement(address next) private view returns (bytes memory) {
        return abi.encodeCall(
            IAmendments.stage, (address(releases), abi.encodeCall(IReleaseRegistry.setGuardian, (next)))
        );
    }

    /// @dev A replacement that changes nothing, and beside it whatever an attacker wants.
    function _pair(uint256 place)
        private
        view
        returns (address[] memory targets, uint256[] memory values, bytes[] memory calls)
    {
        (targets, values, calls) = (new address[](2), new uint256[](2), new bytes[](2));
        (targets[0], targets[1]) = (address(amendments), address(amendments));
        (calls[place], calls[1 - place]) = (_replacement(GUARDIAN), _someStage(place));
    }

    function _replaces(address target, bytes memory call) private view returns (bool) {
        (address[] memory targets, bytes[] memory calls) = (new address[](1), new bytes[](1));
        (targets[0], calls[0]) = (target, call);
        return amendments.replacesGuardian(targets, calls);
    }

    function _expectStopLogged(uint256 id, bytes32 reason) private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        Vm.Log memory stopped = logs[logs.length - 2];
        assertEq(stopped.topics[0], IReleaseRegistry.VoteStopped.selector, "event of the stop");
        assertEq(abi.decode(stopped.data, (bytes32)), reason, "reason");
        Vm.Log memory last = logs[logs.length - 1];
        assertEq(last.topics[0], IReleaseRegistry.Logged.selector, "event");
        assertEq(last.topics[2], bytes32("vote-stopped"), "kind");
        assertEq(uint256(last.topics[3]), id, "subject");
        (bytes32 payload,,) = abi.decode(last.data, (bytes32, address, bytes32));
        assertEq(payload, keccak256(abi.encode(id, GUARDIAN, reason)), "payload");
    }

    function _expectUnbindable(uint256 key, bytes memory refusal) private {
        IAgentRegistry.Binding memory binding = _binding(2, key, Role.OWNER);
        bytes memory signature = _sign(key, _bindingDigest(binding));
        vm.prank(_operator(2));
        vm.expectRevert(refusal);
        agents.bind(binding, signature);
    }

    function _expectNoGuardian(address key, uint32 organisation) private {
        vm.prank(address(amendments));
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseGuardianHeld.selector, key, organisation));
        releases.setGuardian(key);
    }

    function _install(address guardian) private {
        vm.prank(address(amendments));
        releases.setGuardian(guardian);
    }

    function _pass(uint256 id) private {
        for (uint32 i = 1; i <= ORGANISATIONS; ++i) {
            vm.prank(_member(i));
            governor.castVote(id, 1);
        }
        vm.warp(governor.proposalDeadline(id) + 1);
    }

    function _lastChange(bytes memory call) private view returns (bytes32) {
        return keccak256(
            abi.encode(block.chainid, address(amendments), address(releases), keccak256(call), amendments.count())
        );
    }

    function _candidate() private returns (bytes32 release) {
        _openMarket();
        _postRounds(0, 3);
        release = _submit(0);
        _measure(release, 90_000);
    }

    function _expectUnable(uint256 id, address caller) private {
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorUnableToCancel.selector, id, caller));
        governor.cancel(id);
    }
}
