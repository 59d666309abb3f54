// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {IPolicyRegistry} from "../../src/interfaces/IPolicyRegistry.sol";
import {IReleaseRegistry} from "../../src/interfaces/IReleaseRegistry.sol";
import {Phase} from "../../src/types/Policy.sol";
import {GUARDIAN} from "../Gate.sol";
import {ReleaseBase} from "../ReleaseBase.sol";

interface VmMock {
    function mockCall(address callee, bytes calldata data, bytes calldata answer) external;
    function mockCallRevert(address callee, bytes calldata data, bytes calldata refusal) external;
    function clearMockedCalls() external;
}

/// @dev Attacks on the gate and on releases, each with the defence that stops it.
abstract contract ReleasedBase is ReleaseBase {
    VmMock internal constant mocks = VmMock(address(uint160(uint256(keccak256("hevm cheat code")))));

    function _release(uint8 index) internal returns (bytes32 id) {
        id = _measured(index, GOOD_GAP);
        uint256 proposal = _propose(id);
        _carry(proposal, 13);
        governor.execute(proposal);
    }

    function _factOf(bytes32 id, bytes32 key) internal view returns (int128, uint8) {
        (bytes32[] memory keys, uint8[] memory sources) = (new bytes32[](1), new uint8[](1));
        (keys[0], sources[0]) = (key, 0x7e);
        (int128[] memory values, uint8[] memory from) = releases.facts(id, keys, sources);
        return (values[0], from[0]);
    }

    function _artifact() internal view returns (bytes32) {
        return _manifest(0).artifact;
    }

    function _mask(uint256 failed) internal pure returns (bytes memory) {
        return abi.encode(failed, uint256(3), uint8(2));
    }

    /// @dev What the set in force says of a release.
    function _judge(bytes32 id, uint256 failed) internal {
        mocks.mockCall(
            address(policy),
            abi.encodeCall(IPolicyRegistry.evaluate, (releases, id, FOR_TRIAGE, Phase.RELEASE)),
            _mask(failed)
        );
        mocks.mockCall(
            address(policy),
            abi.encodeCall(IPolicyRegistry.evaluateExisting, (releases, id, FOR_TRIAGE)),
            _mask(failed)
        );
    }

    function _expectStanding(bytes32 id, IReleaseRegistry.Status status, IReleaseRegistry.Reason reason) internal view {
        (IReleaseRegistry.Status now_, IReleaseRegistry.Reason why) = releases.standing(id);
        assertEq(uint256(now_), uint256(status), "standing");
        assertEq(uint256(why), uint256(reason), "reason");
        bytes32 artifact = releases.release(id).artifact;
        assertTrue(releases.isUsable(artifact) == (status == IReleaseRegistry.Status.Released), "usable");
        (now_, why) = releases.status(artifact);
        assertEq(uint256(now_), uint256(status), "status of the file");
    }
}

contract GateThreatsTest is ReleasedBase {
    /// @dev Finding 3.
    function test_who_submits_does_not_choose_the_law() public {
        IReleaseRegistry.Manifest memory manifest = _manifest(0);
        manifest.declared = new IReleaseRegistry.DeclaredFact[](2);
        manifest.declared[0] = IReleaseRegistry.DeclaredFact("purposes", 0);
        manifest.declared[1] = IReleaseRegistry.DeclaredFact("tier", 1);
        bytes32 id = _submit(manifest);
        (, uint256 applied, uint8 tier) = releases.check(id);
        assertEq(tier, policy.tierOf(FOR_TRIAGE), "tier of the purposes that all owners allow");
        assertEq(applied, 3, "every rule of it is asked, the ban included");
    }

    /// @dev Finding 15.
    function test_a_refusal_leaves_a_record_and_cannot_be_undone() public {
        bytes32 id = _measured(0, BAD_GAP);
        uint256 proposal = _propose(id);
        _carry(proposal, 13);
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.PolicyViolation.selector, GAP_RULE));
        governor.execute(proposal);
        uint64 length = releases.logLength();
        vm.expectEmit(address(releases));
        emit IReleaseRegistry.Refused(
            id, IReleaseRegistry.RefusalReason.Policy, GAP_RULE, policy.activeHash(), releases.factsHash(id)
        );
        releases.refuse(id);
        assertEq(releases.logLength(), length + 2, "the refusal, and the bond that is given back");
        court.measure(id, "tpr_gap_abs", GOOD_GAP);
        vm.expectPartialRevert(IReleaseRegistry.ReleaseNotCandidate.selector);
        governor.execute(proposal);
    }

    /// @dev Threat 4.
    function test_more_agents_of_one_organisation_are_one_provider() public {
        bytes32 id = _submit(_manifest(0));
        assertEq(releases.release(id).contributors, 2, "three agents of two organisations");
    }

    /// @dev Threat 13.
    function test_nobody_takes_a_candidates_only_proposal_to_cancel_it() public {
        bytes32 id = _measured(0, GOOD_GAP);
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) = _action(_approval(id, _deadline()));
        vm.prank(_member(3));
        uint256 proposal = governor.propose(targets, values, calls, "in front of the coordinator");
        vm.prank(_member(3));
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorUnableToCancel.selector, proposal, _member(3)));
        governor.cancel(proposal);
        _carry(proposal, 13);
        governor.execute(proposal);
        _expectStanding(id, IReleaseRegistry.Status.Released, IReleaseRegistry.Reason.None);
    }

    /// @dev Threat 13.
    function test_a_description_with_a_proposer_is_that_proposers_alone() public {
        bytes32 id = _measured(0, GOOD_GAP);
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) = _action(_approval(id, _deadline()));
        vm.prank(_member(3));
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorRestrictedProposer.selector, _member(3)));
        governor.propose(
            targets, values, calls, "a release#proposer=0x00000000000000000000000000000000000000c0"
        );
    }

    /// @dev Threat 19.
    function test_a_passed_vote_that_failed_is_not_carried_out_months_later() public {
        bytes32 id = _measured(0, BAD_GAP);
        uint256 proposal = _propose(id);
        _carry(proposal, 13);
        vm.expectPartialRevert(IReleaseRegistry.PolicyViolation.selector);
        governor.execute(proposal);
        vm.warp(block.timestamp + 60 days);
        court.measure(id, "tpr_gap_abs", GOOD_GAP);
        vm.expectPartialRevert(IReleaseRegistry.ReleaseExpired.selector);
        governor.execute(proposal);
    }

    /// @dev Finding 15. The judgement of a purpose without a tier reverts; that must not keep the candidate open for ever.
    function test_a_passed_candidate_whose_purpose_was_removed_is_refused_in_the_end() public {
        bytes32 id = _measured(0, GOOD_GAP);
        _carry(_propose(id), 13);
        bytes memory refusal = abi.encodeWithSelector(IPolicyRegistry.PolicyUnknownTier.selector, uint8(0));
        mocks.mockCallRevert(address(policy), abi.encodeWithSelector(IPolicyRegistry.evaluate.selector), refusal);
        vm.expectRevert(refusal);
        releases.refuse(id);
        vm.warp(_job().deadlineS + 30 days);
        releases.refuse(id);
        assertEq(uint256(releases.release(id).reason), uint256(IReleaseRegistry.RefusalReason.Vote), "reason");
    }

    /// @dev Threat 20.
    function test_another_file_than_the_one_voted_on_is_not_released() public {
        bytes32 id = _measured(0, GOOD_GAP);
        IReleaseRegistry.Manifest memory swapped = _manifest(0);
        swapped.artifact = "another file";
        (, bytes32 policyHash, bytes32 facts) = _bindings(id);
        bytes32 manifestHash = keccak256(abi.encode(swapped));
        vm.prank(address(timelock));
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseMismatch.selector, bytes32("manifestHash")));
        releases.approve(id, manifestHash, policyHash, facts, type(uint64).max);
        bytes32 released = _releaseOf(id);
        assertFalse(releases.isUsable(swapped.artifact), "the other file");
        assertTrue(releases.isUsable(releases.release(released).artifact), "the file");
    }

    /// @dev Threat 21.
    function test_a_set_of_rules_that_came_after_the_vote_stops_the_approval() public {
        bytes32 id = _measured(0, GOOD_GAP);
        uint256 proposal = _propose(id);
        _carry(proposal, 13);
        mocks.mockCall(
            address(policy), abi.encodeCall(IPolicyRegistry.activeHash, ()), abi.encode(bytes32("another set"))
        );
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseMismatch.selector, bytes32("policyHash")));
        governor.execute(proposal);
    }

    function test_finding_17_code_replaced_before_the_submission_keeps_the_candidate_out() public {
        court.setMetricCode("other code");
        IReleaseRegistry.Manifest memory manifest = _manifest(0);
        vm.prank(COORDINATOR);
        vm.expectRevert(_oldMetrics());
        releases.submit(manifest);
    }

    function test_finding_17_no_vote_is_called_about_facts_of_replaced_code() public {
        bytes32 id = _measured(0, GOOD_GAP);
        bytes memory approval = _approval(id, _deadline());
        court.setMetricCode("other code");
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) = _action(approval);
        vm.prank(_member(0));
        vm.expectRevert(_oldMetrics());
        governor.propose(targets, values, calls, "facts of replaced code");
    }

    function test_finding_17_code_replaced_after_the_vote_stops_the_approval() public {
        bytes32 id = _measured(0, GOOD_GAP);
        uint256 proposal = _propose(id);
        _carry(proposal, 13);
        court.setMetricCode("other code");
        vm.expectRevert(_oldMetrics());
        governor.execute(proposal);
        vm.warp(_job().deadlineS + 30 days);
        releases.refuse(id);
        assertEq(uint256(releases.release(id).reason), uint256(IReleaseRegistry.RefusalReason.Vote), "reason");
    }

    function _oldMetrics() private pure returns (bytes memory) {
        bytes4 selector = IReleaseRegistry.ReleaseOldMetrics.selector;
        return abi.encodeWithSelector(selector, bytes32("metric code"), bytes32("other code"));
    }

    function _releaseOf(bytes32 id) private returns (bytes32) {
        uint256 proposal = _propose(id);
        _carry(proposal, 13);
        governor.execute(proposal);
        return id;
    }
}

contract StandingThreatsTest is ReleasedBase {
    bytes32 private id;

    function setUp() public override {
        super.setUp();
        id = _release(0);
    }

    // ---- The guardian ----

    /// @dev Threat 18.
    function test_a_suspension_ends_by_itself_and_is_never_repeated() public {
        vm.prank(GUARDIAN);
        releases.suspend(id, "an incident");
        _expectStanding(id, IReleaseRegistry.Status.Suspended, IReleaseRegistry.Reason.Guardian);
        uint64 untilS = uint64(block.timestamp + 14 days);
        vm.warp(untilS);
        _expectStanding(id, IReleaseRegistry.Status.Released, IReleaseRegistry.Reason.None);
        vm.prank(GUARDIAN);
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseSuspendedBefore.selector, id, untilS));
        releases.suspend(id, "again");
    }

    /// @dev Threat 18.
    function test_the_guardian_can_do_nothing_else() public {
        vm.startPrank(GUARDIAN);
        bytes memory refusal = abi.encodeWithSelector(IReleaseRegistry.ReleaseOnlyTimelock.selector, GUARDIAN);
        vm.expectRevert(refusal);
        releases.revoke(id, "x");
        vm.expectRevert(refusal);
        releases.recall(id, "x");
        vm.expectRevert(refusal);
        releases.liftSuspension(id);
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseOnlyAmendments.selector, GUARDIAN));
        releases.setGuardian(GUARDIAN);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseOnlyGuardian.selector, address(this)));
        releases.suspend(id, "by a stranger");
    }

    /// @dev Threat 18.
    function test_a_replaced_guardian_suspends_nothing() public {
        vm.prank(address(amendments));
        releases.setGuardian(address(0xBEEF));
        assertEq(releases.guardian(), address(0xBEEF), "guardian");
        vm.prank(GUARDIAN);
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseOnlyGuardian.selector, GUARDIAN));
        releases.suspend(id, "too late");
    }

    function test_a_vote_lifts_a_suspension_early() public {
        vm.prank(GUARDIAN);
        releases.suspend(id, "an incident");
        vm.prank(address(timelock));
        releases.liftSuspension(id);
        _expectStanding(id, IReleaseRegistry.Status.Released, IReleaseRegistry.Reason.None);
        vm.prank(address(timelock));
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseNotSuspended.selector, id));
        releases.liftSuspension(id);
    }

    function test_only_what_is_released_is_suspended() public {
        bytes memory refusal = abi.encodeWithSelector(IReleaseRegistry.ReleaseUnknown.selector, bytes32("none"));
        vm.startPrank(GUARDIAN);
        vm.expectRevert(refusal);
        releases.suspend("none", "x");
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseNoReason.selector));
        releases.suspend(id, 0);
        vm.stopPrank();
    }

    // ---- Rules ----

    /// @dev Finding 14.
    function test_a_recheck_suspends_for_rules_that_bind_and_mends_by_itself() public {
        _judge(id, GAP_RULE);
        _expectStanding(id, IReleaseRegistry.Status.Released, IReleaseRegistry.Reason.None);
        releases.recheck(id);
        _expectStanding(id, IReleaseRegistry.Status.Suspended, IReleaseRegistry.Reason.Policy);
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseNothingChanges.selector, id));
        releases.recheck(id);
        mocks.clearMockedCalls();
        releases.recheck(id);
        _expectStanding(id, IReleaseRegistry.Status.Released, IReleaseRegistry.Reason.None);
    }

    /// @dev Finding 14.
    function test_a_stranger_cannot_switch_off_a_release_that_keeps_the_rules() public {
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseNothingChanges.selector, id));
        releases.recheck(id);
        _expectStanding(id, IReleaseRegistry.Status.Released, IReleaseRegistry.Reason.None);
    }

    // ---- Migration ----

    function test_a_retired_registry_takes_no_candidates_and_keeps_its_releases() public {
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseOnlyAmendments.selector, address(this)));
        releases.retire(address(court));
        vm.startPrank(address(amendments));
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseNoSuccessor.selector));
        releases.retire(address(0xDEAD));
        releases.retire(address(court));
        bytes memory refusal = abi.encodeWithSelector(IReleaseRegistry.ReleaseRetired.selector, address(court));
        vm.expectRevert(refusal);
        releases.retire(address(book));
        vm.stopPrank();
        _expectStanding(id, IReleaseRegistry.Status.Released, IReleaseRegistry.Reason.None);
        IReleaseRegistry.Manifest memory manifest = _childManifest("second job", "child", id);
        vm.prank(COORDINATOR);
        vm.expectRevert(refusal);
        releases.submit(manifest);
    }

    // ---- Revoking ----

    function test_a_revoked_release_is_never_usable_again() public {
        vm.startPrank(address(timelock));
        releases.revoke(id, "obsolete");
        _expectStanding(id, IReleaseRegistry.Status.Revoked, IReleaseRegistry.Reason.Members);
        bytes memory refusal = abi.encodeWithSelector(
            IReleaseRegistry.ReleaseNotReleased.selector, id, IReleaseRegistry.Status.Revoked
        );
        vm.expectRevert(refusal);
        releases.revoke(id, "again");
        (bytes32 manifestHash, bytes32 policyHash, bytes32 facts) = _bindings(id);
        vm.expectPartialRevert(IReleaseRegistry.ReleaseNotCandidate.selector);
        releases.approve(id, manifestHash, policyHash, facts, type(uint64).max);
        vm.stopPrank();
        vm.expectRevert(refusal);
        releases.recheck(id);
        vm.expectPartialRevert(IReleaseRegistry.ReleaseNotCandidate.selector);
        releases.refuse(id);
    }

    function test_a_recall_is_an_order_to_stop_and_final() public {
        vm.startPrank(address(timelock));
        releases.revoke(id, "obsolete");
        releases.recall(id, "harms patients");
        _expectStanding(id, IReleaseRegistry.Status.Recalled, IReleaseRegistry.Reason.Members);
        vm.expectRevert(
            abi.encodeWithSelector(IReleaseRegistry.ReleaseNotReleased.selector, id, IReleaseRegistry.Status.Recalled)
        );
        releases.recall(id, "again");
        vm.stopPrank();
    }

    function testFuzz_nobody_but_the_timelock_revokes(address caller) public {
        vm.assume(caller != address(timelock));
        bytes memory refusal = abi.encodeWithSelector(IReleaseRegistry.ReleaseOnlyTimelock.selector, caller);
        vm.startPrank(caller);
        vm.expectRevert(refusal);
        releases.revoke(id, "x");
        vm.expectRevert(refusal);
        releases.recall(id, "x");
        vm.stopPrank();
    }

    // ---- Lineage ----

    function test_a_child_stands_and_falls_with_its_parent() public {
        bytes32 child = _child("second job", "child", id);
        _releaseOf(child);
        bytes32 grandchild = _child("third job", "grandchild", child);
        _releaseOf(grandchild);
        vm.prank(GUARDIAN);
        releases.suspend(id, "an incident");
        _expectStanding(child, IReleaseRegistry.Status.Suspended, IReleaseRegistry.Reason.Parent);
        _expectStanding(grandchild, IReleaseRegistry.Status.Suspended, IReleaseRegistry.Reason.Parent);
        vm.warp(block.timestamp + 14 days);
        _expectStanding(grandchild, IReleaseRegistry.Status.Released, IReleaseRegistry.Reason.None);
        vm.prank(address(timelock));
        releases.revoke(id, "obsolete");
        _expectStanding(grandchild, IReleaseRegistry.Status.Suspended, IReleaseRegistry.Reason.Parent);
    }

    function test_nothing_is_built_on_or_released_over_a_parent_that_is_stopped() public {
        bytes32 child = _child("second job", "child", id);
        court.measure(child, "tpr_gap_abs", GOOD_GAP);
        uint256 proposal = _propose(child);
        _carry(proposal, 13);
        vm.prank(address(timelock));
        releases.recall(id, "harms patients");
        bytes memory refusal = abi.encodeWithSelector(IReleaseRegistry.ReleaseParentNotUsable.selector, id);
        vm.expectRevert(refusal);
        governor.execute(proposal);
        IReleaseRegistry.Manifest memory manifest = _childManifest("third job", "another child", id);
        vm.prank(COORDINATOR);
        vm.expectRevert(refusal);
        releases.submit(manifest);
    }

    function _childManifest(bytes32 job, bytes32 artifact, bytes32 parent)
        private
        returns (IReleaseRegistry.Manifest memory manifest)
    {
        bytes32[] memory names = new bytes32[](1);
        names[0] = "plain";
        book.setJob(job, _job(), names);
        manifest = _manifest(0);
        (manifest.job, manifest.artifact, manifest.parent) = (job, artifact, parent);
        bytes32[4] memory ids = [bytes32("evaluation"), "data 1", "data 2", "data 3"];
        for (uint256 i; i < 4; ++i) {
            bytes32 own = keccak256(abi.encode(job, ids[i]));
            _copy(ids[i], own, job);
            manifest.agreements[i] = own;
        }
    }

    function _child(bytes32 job, bytes32 artifact, bytes32 parent) private returns (bytes32) {
        return _submit(_childManifest(job, artifact, parent));
    }

    function _releaseOf(bytes32 child) private {
        court.measure(child, "tpr_gap_abs", GOOD_GAP);
        uint256 proposal = _propose(child);
        _carry(proposal, 13);
        governor.execute(proposal);
    }
}
