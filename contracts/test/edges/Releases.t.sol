// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreementBook} from "../../src/interfaces/IAgreementBook.sol";
import {IConsent} from "../../src/interfaces/IConsent.sol";
import {IPolicyRegistry} from "../../src/interfaces/IPolicyRegistry.sol";
import {IReleaseRegistry} from "../../src/interfaces/IReleaseRegistry.sol";
import {Phase} from "../../src/types/Policy.sol";
import {DOCTOR, GUARDIAN} from "../Gate.sol";
import {ReleasedBase} from "../threats/Releases.t.sol";
import {Vm} from "../Vm.sol";

/// @dev Candidates, votes and consent at their last seconds, greatest sizes and smallest numbers.
contract ReleaseEdgesTest is ReleasedBase {
    uint8 private constant LAST_OFFICE = 126;
    uint128 private constant DOCTORS_OFFICE = 8;
    address private constant STRANGER = address(0x57);

    // ---- Candidates ----

    function test_an_approval_is_carried_out_up_to_its_last_second() public {
        bytes32 id = _measured(0, GOOD_GAP);
        uint64 deadlineS = _deadline();
        uint256 proposal = _propose(id);
        _carry(proposal, 13);
        vm.warp(deadlineS);
        governor.execute(proposal);
        _expectStanding(id, IReleaseRegistry.Status.Released, IReleaseRegistry.Reason.None);
    }

    function test_a_vote_that_was_stopped_may_be_called_again_up_to_its_deadline() public {
        bytes32 id = _measured(0, GOOD_GAP);
        IAgreementBook.Job memory job = _job();
        job.deadlineS = uint64(block.timestamp);
        book.setJob(JOB, job, book.candidates(JOB));
        uint64 deadlineS = _deadline();
        uint256 proposal = _propose(id);
        vm.prank(GUARDIAN);
        releases.stop(proposal, "an incident");
        vm.warp(deadlineS);
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseNotRefusable.selector, id));
        releases.refuse(id);
        vm.warp(deadlineS + 1);
        releases.refuse(id);
        _expectStanding(id, IReleaseRegistry.Status.Refused, IReleaseRegistry.Reason.Vote);
    }

    function test_a_job_takes_no_more_candidates_than_it_has() public {
        IAgreementBook.Job memory job = _job();
        job.candidates = 0;
        bytes32[] memory names = new bytes32[](1);
        names[0] = "plain";
        book.setJob(JOB, job, names);
        IReleaseRegistry.Manifest memory manifest = _manifest(0);
        vm.prank(COORDINATOR);
        vm.expectRevert(
            abi.encodeWithSelector(IReleaseRegistry.ReleaseBadManifest.selector, bytes32("candidateIndex"))
        );
        releases.submit(manifest);
    }

    function test_the_dearest_release_with_the_most_declared_facts_is_submitted() public {
        IReleaseRegistry.Manifest memory manifest = _manifest(0);
        manifest.usePriceE18 = type(uint96).max;
        manifest.declared = new IReleaseRegistry.DeclaredFact[](32);
        for (uint256 i; i < 32; ++i) {
            manifest.declared[i] = IReleaseRegistry.DeclaredFact(bytes32(i + 1), 0);
        }
        assertTrue(releases.release(_submit(manifest)).status == IReleaseRegistry.Status.Candidate, "submitted");
    }

    // ---- Rules that came later ----

    function test_a_recheck_says_and_logs_whether_it_passed() public {
        bytes32 id = _release(0);
        bytes32 policyHash = policy.activeHash();
        _judge(id, GAP_RULE);
        vm.recordLogs();
        releases.recheck(id);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 found;
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].topics[0] == IReleaseRegistry.Rechecked.selector) {
                assertEq(keccak256(logs[i].data), keccak256(abi.encode(false, GAP_RULE, policyHash)), "event");
                ++found;
            }
            if (logs[i].topics[0] == IReleaseRegistry.Logged.selector) {
                (bytes32 payload,,) = abi.decode(logs[i].data, (bytes32, address, bytes32));
                assertEq(payload, keccak256(abi.encode(id, false, GAP_RULE, policyHash)), "log");
                ++found;
            }
        }
        assertEq(found, 2, "event and entry");
    }

    function test_what_fails_rules_that_do_not_bind_it_is_noted_once() public {
        bytes32 id = _release(0);
        mocks.mockCall(
            address(policy),
            abi.encodeCall(IPolicyRegistry.evaluate, (releases, id, FOR_TRIAGE, Phase.RELEASE)),
            _mask(GAP_RULE)
        );
        mocks.mockCall(
            address(policy),
            abi.encodeCall(IPolicyRegistry.evaluateExisting, (releases, id, FOR_TRIAGE)),
            _mask(0)
        );
        bytes32 policyHash = policy.activeHash();
        vm.expectEmit(address(releases));
        emit IReleaseRegistry.NonCompliant(id, GAP_RULE, policyHash);
        releases.recheck(id);
        _expectStanding(id, IReleaseRegistry.Status.Released, IReleaseRegistry.Reason.None);
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseNothingChanges.selector, id));
        releases.recheck(id);
    }

    // ---- Votes ----

    function test_a_quorum_of_an_even_number_is_its_half() public {
        agents.admit(token, _member(MEMBERS));
        vm.warp(block.timestamp + 1);
        assertEq(governor.quorum(block.timestamp - 1), 7, "half of 14");
    }

    // ---- Offices ----

    function test_only_an_amendment_fills_an_office() public {
        address[3] memory others = [STRANGER, address(timelock), DOCTOR];
        for (uint256 i; i < others.length; ++i) {
            vm.prank(others[i]);
            vm.expectRevert(abi.encodeWithSelector(IConsent.ConsentOnlyAmendments.selector, others[i]));
            consent.setOfficer(3, others[i]);
        }
        vm.prank(address(amendments));
        vm.expectRevert(abi.encodeWithSelector(IConsent.ConsentBadOffice.selector, LAST_OFFICE + 1));
        consent.setOfficer(LAST_OFFICE + 1, STRANGER);
    }

    function test_the_last_office_signs_off_and_none_beyond_it() public {
        bytes32 id = _measured(0, GOOD_GAP);
        bytes32 manifestHash = releases.release(id).manifestHash;
        vm.prank(address(amendments));
        consent.setOfficer(LAST_OFFICE, DOCTOR);
        uint128 last = uint128(1) << LAST_OFFICE;
        vm.startPrank(DOCTOR);
        vm.expectRevert(abi.encodeWithSelector(IConsent.ConsentBadOffice.selector, 0));
        consent.signOff(id, manifestHash, 0);
        vm.expectRevert(abi.encodeWithSelector(IConsent.ConsentBadOffice.selector, 0));
        consent.signOff(id, manifestHash, last << 1);
        consent.signOff(id, manifestHash, last | DOCTORS_OFFICE);
        vm.stopPrank();
        assertEq(consent.signOffs(id), last | DOCTORS_OFFICE, "both");
    }

    // ---- Objections ----

    function test_an_objection_has_a_reason() public {
        bytes32 id = _measured(0, GOOD_GAP);
        vm.prank(agents.operator(1));
        vm.expectRevert(IConsent.ConsentNoReason.selector);
        consent.objectTo(id, "data 1", 0);
    }

    function test_nobody_but_the_members_calls_an_objection_abusive() public {
        bytes32 id = _measured(0, GOOD_GAP);
        vm.prank(agents.operator(1));
        consent.objectTo(id, "data 1", "not what I agreed to");
        address[3] memory others = [STRANGER, COORDINATOR, address(amendments)];
        for (uint256 i; i < others.length; ++i) {
            vm.prank(others[i]);
            vm.expectRevert(abi.encodeWithSelector(IConsent.ConsentOnlyTimelock.selector, others[i]));
            consent.judgeAbusive(id, 1);
        }
    }

    function test_what_was_revoked_needs_no_objection() public {
        bytes32 id = _release(0);
        vm.prank(address(timelock));
        releases.revoke(id, "obsolete");
        vm.prank(agents.operator(1));
        vm.expectRevert(
            abi.encodeWithSelector(IConsent.ConsentNotOpen.selector, id, IReleaseRegistry.Status.Revoked)
        );
        consent.objectTo(id, "data 1", "not what I agreed to");
    }
}
