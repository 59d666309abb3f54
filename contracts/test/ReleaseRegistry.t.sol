// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {IAgreementBook} from "../src/interfaces/IAgreementBook.sol";
import {IEvaluatorCourt} from "../src/interfaces/IEvaluatorCourt.sol";
import {IPolicyRegistry} from "../src/interfaces/IPolicyRegistry.sol";
import {IReleaseRegistry} from "../src/interfaces/IReleaseRegistry.sol";
import {Kind} from "../src/types/Market.sol";
import {Source} from "../src/types/Policy.sol";
import {OneFact} from "./OneFact.sol";
import {ReleaseRegistry} from "../src/ReleaseRegistry.sol";
import {Addresses} from "../src/types/Addresses.sol";
import {CANDIDATE_BOND_E18, GUARDIAN} from "./Gate.sol";
import {ReleaseBase} from "./ReleaseBase.sol";

contract SubmitTest is ReleaseBase {
    function test_a_candidate_is_stored_as_its_agreements_say() public {
        IReleaseRegistry.Manifest memory manifest = _manifest(0);
        bytes32 id = _submit(manifest);

        IReleaseRegistry.Release memory stored = releases.release(id);
        bytes32 manifestHash = keccak256(abi.encode(manifest));
        assertEq(id, keccak256(abi.encode(block.chainid, address(releases), manifestHash)), "id");
        assertEq(stored.manifestHash, manifestHash, "manifest hash");
        assertEq(uint256(stored.status), uint256(IReleaseRegistry.Status.Candidate), "status");
        assertEq(stored.purposes, FOR_TRIAGE, "purposes: those that both owners allow");
        assertEq(stored.epsilonMicros, 8e6, "epsilon: the larger one");
        assertEq(stored.contributors, 2, "organisations behind three agents");
        assertEq(releases.releaseOf(manifest.artifact), id, "release of the file");
        assertEq(releases.releasesOf(JOB)[0], id, "release of the job");
        assertFalse(releases.isUsable(manifest.artifact), "usable");
    }

    function test_the_court_gets_the_rows_and_whom_to_leave_out() public {
        _submit(_manifest(0));
        (bytes32[] memory roots, uint32[] memory excluded) = court.openedWith();
        assertEq(roots.length, 1, "roots");
        assertEq(roots[0], "rows", "root");
        assertEq(excluded.length, 4, "excluded: coordinator's, two owners', one of evaluation rows");
        assertEq(excluded[0], 9, "the coordinator's organisation");
    }

    function test_only_the_jobs_active_coordinator_submits() public {
        IReleaseRegistry.Manifest memory manifest = _manifest(0);
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseOnlyCoordinator.selector, address(this)));
        releases.submit(manifest);

        agents.set(COORDINATOR, 9, false);
        _expectRefused(
            manifest, abi.encodeWithSelector(IReleaseRegistry.ReleaseOnlyCoordinator.selector, COORDINATOR)
        );
    }

    function test_a_candidate_is_taken_until_the_jobs_last_second() public {
        vm.warp(_job().deadlineS);
        bytes32 id = _submit(_manifest(0));
        assertEq(uint256(releases.release(id).status), uint256(IReleaseRegistry.Status.Candidate), "status");
    }

    function test_a_job_that_is_over_takes_no_candidate() public {
        bytes memory refusal = abi.encodeWithSelector(IReleaseRegistry.ReleaseJobNotOpen.selector, JOB);
        vm.warp(_job().deadlineS + 1);
        _expectRefused(_manifest(0), refusal);

        IReleaseRegistry.Manifest memory manifest = _manifest(0);
        manifest.job = "another job";
        _expectRefused(manifest, abi.encodeWithSelector(IReleaseRegistry.ReleaseJobNotOpen.selector, manifest.job));
    }

    function test_candidates_come_in_the_order_of_the_terms() public {
        _expectBad(_manifest(1), "candidateIndex");
        IReleaseRegistry.Manifest memory manifest = _manifest(0);
        manifest.candidate = "reweighed";
        _expectBad(manifest, "candidate");
    }

    function test_a_candidate_waits_for_the_refusal_of_the_one_before() public {
        _submit(_manifest(0));
        _expectBad(_manifest(1), "previous");
    }

    function test_a_candidate_needs_all_its_rounds() public {
        rounds.setComplete(0);
        _expectBad(_manifest(0), "rounds");
    }

    function test_a_file_is_submitted_once() public {
        bytes32 first = _submit(_manifest(0));
        court.lapse(first);
        releases.refuse(first);
        IReleaseRegistry.Manifest memory manifest = _manifest(1);
        manifest.artifact = _manifest(0).artifact;
        _expectRefused(
            manifest,
            abi.encodeWithSelector(IReleaseRegistry.ReleaseArtifactKnown.selector, manifest.artifact, first)
        );
    }

    function test_incomplete_manifests_are_refused() public {
        IReleaseRegistry.Manifest memory manifest = _manifest(0);
        manifest.artifact = 0;
        _expectBad(manifest, "artifact");
        manifest = _manifest(0);
        manifest.card = 0;
        _expectBad(manifest, "card");
        manifest = _manifest(0);
        manifest.licences = uint128(1) << 127;
        _expectBad(manifest, "licences");
        manifest = _manifest(0);
        manifest.parent = "no release";
        _expectRefused(
            manifest, abi.encodeWithSelector(IReleaseRegistry.ReleaseParentNotUsable.selector, manifest.parent)
        );
        manifest = _manifest(0);
        manifest.declared = new IReleaseRegistry.DeclaredFact[](2);
        manifest.declared[0].key = manifest.declared[1].key = "energy_kwh";
        _expectBad(manifest, "declared");
    }

    function test_agreements_are_active_distinct_and_of_this_job() public {
        IReleaseRegistry.Manifest memory manifest = _manifest(0);
        manifest.agreements[1] = manifest.agreements[0];
        _expectRefused(manifest, _badAgreement(manifest.agreements[0]));
        // Prices divide what a release earns, so data that is cited twice would take another's part.
        manifest = _manifest(0);
        manifest.agreements[2] = manifest.agreements[1];
        _expectRefused(manifest, _badAgreement(manifest.agreements[1]));

        _agree("spoilt", Kind.Data, 0xA1, FOR_TRIAGE);
        manifest.agreements[1] = "spoilt";
        IAgreementBook.Agreement memory agreement = book.agreement("spoilt");
        agreement.state = IAgreementBook.AgreementState.Closed;
        book.setAgreement("spoilt", agreement);
        _expectRefused(manifest, _badAgreement("spoilt"));

        agreement.state = IAgreementBook.AgreementState.Active;
        agreement.job = "another job";
        book.setAgreement("spoilt", agreement);
        _expectRefused(manifest, _badAgreement("spoilt"));

        agreement.job = JOB;
        agreement.kind = Kind.Compute;
        book.setAgreement("spoilt", agreement);
        _expectRefused(manifest, _badAgreement("spoilt"));
    }

    function test_the_same_rows_are_not_cited_twice() public {
        _agree("rows again", Kind.EvaluationRows, 0xA1, FOR_TRIAGE);
        IReleaseRegistry.Manifest memory manifest = _manifest(0);
        manifest.agreements[3] = "rows again";
        _expectRefused(manifest, _badAgreement("rows again"));
    }

    function test_a_candidate_needs_data_and_evaluation_rows() public {
        IReleaseRegistry.Manifest memory manifest = _manifest(0);
        manifest.agreements = new bytes32[](1);
        manifest.agreements[0] = "data 1";
        _expectBad(manifest, "agreements");
        manifest.agreements[0] = "evaluation";
        _expectBad(manifest, "agreements");
    }

    function test_sixty_four_agreements_are_read_and_no_more() public {
        IReleaseRegistry.Manifest memory manifest = _manifest(0);
        manifest.agreements = new bytes32[](64);
        _expectRefused(manifest, _badAgreement(0));
        manifest.agreements = new bytes32[](65);
        _expectBad(manifest, "agreements");
    }

    function test_owners_who_agree_on_no_purpose_stop_the_candidate() public {
        _agree("data 1", Kind.Data, 0xA1, 2);
        _expectRefused(_manifest(0), abi.encodeWithSelector(IPolicyRegistry.PolicyNoPurpose.selector));
    }

    function test_a_purpose_without_a_tier_stops_the_candidate() public {
        _agree("data 1", Kind.Data, 0xA1, 4);
        _agree("data 2", Kind.Data, 0xA2, 4);
        _agree("data 3", Kind.Data, 0xA3, 4);
        _expectRefused(_manifest(0), abi.encodeWithSelector(IPolicyRegistry.PolicyUnknownTier.selector, 2));
    }

    function _badAgreement(bytes32 id) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IReleaseRegistry.ReleaseBadAgreement.selector, id);
    }

    function _expectBad(IReleaseRegistry.Manifest memory manifest, bytes32 field) private {
        _expectRefused(manifest, abi.encodeWithSelector(IReleaseRegistry.ReleaseBadManifest.selector, field));
    }

    function _expectRefused(IReleaseRegistry.Manifest memory manifest, bytes memory refusal) private {
        vm.prank(COORDINATOR);
        vm.expectRevert(refusal);
        releases.submit(manifest);
    }
}

contract DecisionTest is ReleaseBase {
    function test_a_good_candidate_is_released_by_vote() public {
        bytes32 id = _measured(0, GOOD_GAP);
        uint256 proposal = _propose(id);
        _carry(proposal, 13);

        governor.execute(proposal);

        assertEq(uint256(releases.release(id).status), uint256(IReleaseRegistry.Status.Released), "status");
        assertTrue(releases.isUsable(_manifest(0).artifact), "usable");
        assertFalse(releases.isUsable("another file"), "another file");
        assertFalse(releases.isUsable(0), "no file");
        assertEq(releases.release(id).proposalId, proposal, "proposal");
        assertEq(book.finishes(), 1, "job finished once");
        assertEq(book.finishedBy(), id, "by this release");
    }

    function test_a_unanimous_vote_cannot_release_what_the_policy_forbids() public {
        bytes32 id = _measured(0, BAD_GAP);
        uint256 proposal = _propose(id);
        _carry(proposal, 13);

        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.PolicyViolation.selector, GAP_RULE));
        governor.execute(proposal);

        assertEq(uint256(releases.release(id).status), uint256(IReleaseRegistry.Status.Candidate), "status before");
        releases.refuse(id);
        IReleaseRegistry.Release memory refused = releases.release(id);
        assertEq(uint256(refused.status), uint256(IReleaseRegistry.Status.Refused), "status");
        assertEq(uint256(refused.reason), uint256(IReleaseRegistry.RefusalReason.Policy), "reason");
        assertEq(book.finishes(), 0, "the job goes on");
    }

    function test_what_the_jury_could_not_measure_fails_closed() public {
        bytes32 id = _submit(_manifest(0));
        court.measure(id, "auc", 900_000);
        uint256 proposal = _propose(id);
        _carry(proposal, 13);
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.PolicyViolation.selector, GAP_RULE));
        governor.execute(proposal);
    }

    function test_a_refusal_is_final() public {
        bytes32 id = _measured(0, BAD_GAP);
        uint256 proposal = _propose(id);
        _carry(proposal, 13);
        releases.refuse(id);
        court.measure(id, "tpr_gap_abs", GOOD_GAP);
        bytes memory refusal = abi.encodeWithSelector(
            IReleaseRegistry.ReleaseNotCandidate.selector, id, IReleaseRegistry.Status.Refused
        );

        vm.expectRevert(refusal);
        governor.execute(proposal);
        vm.expectRevert(refusal);
        releases.refuse(id);
        _expectNotProposable(id, refusal);
    }

    function testFuzz_nobody_but_the_timelock_approves(address caller) public {
        vm.assume(caller != address(timelock));
        bytes32 id = _measured(0, GOOD_GAP);
        (bytes32 manifestHash, bytes32 policyHash, bytes32 facts) = _bindings(id);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseOnlyTimelock.selector, caller));
        releases.approve(id, manifestHash, policyHash, facts, type(uint64).max);
    }

    function test_the_vote_binds_manifest_policy_facts_and_deadline() public {
        bytes32 id = _measured(0, GOOD_GAP);
        (bytes32 manifestHash, bytes32 policyHash, bytes32 facts) = _bindings(id);
        vm.startPrank(address(timelock));
        vm.expectRevert(_mismatch("manifestHash"));
        releases.approve(id, "x", policyHash, facts, type(uint64).max);
        vm.expectRevert(_mismatch("policyHash"));
        releases.approve(id, manifestHash, "x", facts, type(uint64).max);
        vm.expectRevert(_mismatch("factsHash"));
        releases.approve(id, manifestHash, policyHash, "x", type(uint64).max);
        uint64 past = uint64(block.timestamp - 1);
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseExpired.selector, past));
        releases.approve(id, manifestHash, policyHash, facts, past);
        vm.stopPrank();
    }

    function test_nothing_is_approved_before_it_is_measured() public {
        bytes32 id = _submit(_manifest(0));
        (bytes32 manifestHash, bytes32 policyHash, bytes32 facts) = _bindings(id);
        bytes memory refusal = abi.encodeWithSelector(IReleaseRegistry.ReleaseNotMeasured.selector, id);
        vm.prank(address(timelock));
        vm.expectRevert(refusal);
        releases.approve(id, manifestHash, policyHash, facts, type(uint64).max);
        _expectNotProposable(id, refusal);
    }

    /// @dev Finding 25.
    function test_nothing_is_proposed_or_approved_while_an_appeal_may_come() public {
        bytes32 id = _measured(0, GOOD_GAP);
        court.setAppealable(id, true);
        (bytes32 manifestHash, bytes32 policyHash, bytes32 facts) = _bindings(id);
        bytes memory refusal = abi.encodeWithSelector(IReleaseRegistry.ReleaseNotMeasured.selector, id);
        _expectNotProposable(id, refusal);
        vm.prank(address(timelock));
        vm.expectRevert(refusal);
        releases.approve(id, manifestHash, policyHash, facts, type(uint64).max);

        court.setAppealable(id, false);

        assertTrue(_propose(id) != 0, "after the window");
    }

    // ---- Proposing ----

    function test_only_the_governor_notes_a_proposal() public {
        bytes32 id = _measured(0, GOOD_GAP);
        bytes memory approval = _approval(id, _deadline());
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseOnlyGovernor.selector, address(this)));
        releases.noteProposal(1, approval, COORDINATOR);
    }

    /// @dev Threat 13. Whoever leaves no bond of its own could call a vote before anybody has looked at the candidate.
    function test_threat_13_an_agent_calls_no_vote_on_another_ones_candidate() public {
        bytes32 id = _measured(0, GOOD_GAP);
        address other = address(0xC1);
        agents.set(other, 8, true);
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) = _action(_approval(id, _deadline()));
        vm.prank(other);
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorInsufficientProposerVotes.selector, other, 0, 1));
        governor.propose(targets, values, calls, "a stranger's");

        vm.prank(_member(3));
        uint256 proposal = governor.propose(targets, values, calls, "by a member");

        assertEq(releases.release(id).proposalId, proposal, "noted");
    }

    /// @dev Threat 13. Nor on its own, once it is no coordinator any more.
    function test_threat_13_an_agent_that_was_unbound_calls_no_vote() public {
        bytes32 id = _measured(0, GOOD_GAP);
        agents.set(COORDINATOR, 9, false);
        bytes memory approval = _approval(id, _deadline());
        vm.expectRevert(
            abi.encodeWithSelector(IGovernor.GovernorInsufficientProposerVotes.selector, COORDINATOR, 0, 1)
        );
        _proposeCall(approval, "a release");
    }

    function test_a_vote_on_the_wrong_hashes_cannot_be_called() public {
        bytes32 id = _measured(0, GOOD_GAP);
        (bytes32 manifestHash, bytes32 policyHash, bytes32 facts) = _bindings(id);
        uint64 deadlineS = _deadline();
        _expectProposalRefused(
            abi.encodeCall(releases.approve, (id, "x", policyHash, facts, deadlineS)), _mismatch("manifestHash")
        );
        _expectProposalRefused(
            abi.encodeCall(releases.approve, (id, manifestHash, "x", facts, deadlineS)), _mismatch("policyHash")
        );
        _expectProposalRefused(
            abi.encodeCall(releases.approve, (id, manifestHash, policyHash, "x", deadlineS)), _mismatch("factsHash")
        );
    }

    function test_an_approval_must_leave_time_for_the_vote() public {
        bytes32 id = _measured(0, GOOD_GAP);
        uint64 shortest = uint64(block.timestamp + 11 days);
        _expectProposalRefused(_approval(id, shortest - 1), _badDeadline(shortest - 1, shortest));

        _proposeCall(_approval(id, shortest), "just enough");
    }

    /// @dev Else whoever proposes first could hold a candidate for ever, once a rule changes.
    function test_an_approval_does_not_wait_for_ever() public {
        bytes32 id = _measured(0, GOOD_GAP);
        uint64 shortest = uint64(block.timestamp + 11 days);
        uint64 longest = shortest + 60 days;
        _expectProposalRefused(_approval(id, longest + 1), _badDeadline(longest + 1, shortest));
        _expectProposalRefused(_approval(id, type(uint64).max), _badDeadline(type(uint64).max, shortest));

        _proposeCall(_approval(id, longest), "just in time");
    }

    function _badDeadline(uint64 deadlineS, uint256 earliestS) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IReleaseRegistry.ReleaseBadDeadline.selector, deadlineS, earliestS, earliestS + 60 days
        );
    }

    function test_a_candidate_has_one_proposal_that_no_proposer_cancels() public {
        bytes32 id = _measured(0, GOOD_GAP);
        uint256 first = _propose(id);
        bytes memory approval = _approval(id, _deadline());
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) = _action(approval);
        vm.prank(_member(1));
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseProposalLive.selector, id, first));
        governor.propose(targets, values, calls, "a second one");

        vm.prank(COORDINATOR);
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorUnableToCancel.selector, first, COORDINATOR));
        governor.cancel(first);
        assertEq(releases.release(id).proposalId, first, "proposal");
    }

    // ---- Refusing ----

    function test_a_candidate_that_may_still_pass_is_not_refused() public {
        bytes32 id = _measured(0, GOOD_GAP);
        bytes memory refusal = abi.encodeWithSelector(IReleaseRegistry.ReleaseNotRefusable.selector, id);
        vm.expectRevert(refusal);
        releases.refuse(id);
        uint256 proposal = _propose(id);
        vm.expectRevert(refusal);
        releases.refuse(id);
        _carry(proposal, 13);
        vm.expectRevert(refusal);
        releases.refuse(id);
    }

    function test_a_failing_candidate_is_not_refused_before_the_vote_is_over() public {
        bytes32 id = _measured(0, BAD_GAP);
        uint256 proposal = _propose(id);
        vm.warp(governor.proposalDeadline(proposal));
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseNotRefusable.selector, id));
        releases.refuse(id);
    }

    function test_a_lost_vote_refuses() public {
        bytes32 id = _measured(0, GOOD_GAP);
        uint256 proposal = _propose(id);
        vm.warp(governor.proposalDeadline(proposal) + 1);
        _expectRefusal(id, IReleaseRegistry.RefusalReason.Vote);
    }

    function test_an_approval_that_nobody_carried_out_in_time_refuses() public {
        bytes32 id = _measured(0, GOOD_GAP);
        uint256 proposal = _propose(id);
        _carry(proposal, 13);
        vm.warp(releases.release(id).approvalDeadlineS);
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseNotRefusable.selector, id));
        releases.refuse(id);
        vm.warp(_job().deadlineS + 30 days);
        _expectRefusal(id, IReleaseRegistry.RefusalReason.Vote);
        vm.expectPartialRevert(IReleaseRegistry.ReleaseNotCandidate.selector);
        governor.execute(proposal);
    }

    function test_a_candidate_that_nobody_proposed_ends_with_the_job() public {
        bytes32 id = _measured(0, GOOD_GAP);
        vm.warp(_job().deadlineS);
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseNotRefusable.selector, id));
        releases.refuse(id);
        vm.warp(_job().deadlineS + 1);
        _expectRefusal(id, IReleaseRegistry.RefusalReason.Vote);
    }

    function test_a_candidate_without_a_jury_is_refused() public {
        bytes32 id = _submit(_manifest(0));
        court.lapse(id);
        _expectRefusal(id, IReleaseRegistry.RefusalReason.Jury);
    }

    function test_the_last_refusal_ends_the_job() public {
        for (uint8 i; i < 3; ++i) {
            assertEq(book.finishes(), 0, "finished early");
            bytes32 id = _submit(_manifest(i));
            court.lapse(id);
            releases.refuse(id);
        }
        assertEq(book.finishes(), 1, "finished once");
        assertEq(book.finishedBy(), 0, "without a release");
    }

    function test_a_release_is_never_refused() public {
        bytes32 id = _measured(0, GOOD_GAP);
        uint256 proposal = _propose(id);
        _carry(proposal, 13);
        governor.execute(proposal);
        vm.expectRevert(
            abi.encodeWithSelector(
                IReleaseRegistry.ReleaseNotCandidate.selector, id, IReleaseRegistry.Status.Released
            )
        );
        releases.refuse(id);
    }

    function test_an_unknown_candidate_has_no_verdict() public {
        bytes memory refusal = abi.encodeWithSelector(IReleaseRegistry.ReleaseUnknown.selector, bytes32("none"));
        vm.expectRevert(refusal);
        releases.check("none");
        vm.expectRevert(refusal);
        releases.refuse("none");
        vm.expectRevert(refusal);
        releases.factsHash("none");
    }

    // ---- Arranging ----

    function _mismatch(bytes32 field) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IReleaseRegistry.ReleaseMismatch.selector, field);
    }

    function _expectRefusal(bytes32 id, IReleaseRegistry.RefusalReason reason) private {
        releases.refuse(id);
        assertEq(uint256(releases.release(id).status), uint256(IReleaseRegistry.Status.Refused), "status");
        assertEq(uint256(releases.release(id).reason), uint256(reason), "reason");
    }

    function _expectNotProposable(bytes32 id, bytes memory refusal) private {
        _expectProposalRefused(_approval(id, _deadline()), refusal);
    }

    function _expectProposalRefused(bytes memory approval, bytes memory refusal) private {
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) = _action(approval);
        vm.prank(COORDINATOR);
        vm.expectRevert(refusal);
        governor.propose(targets, values, calls, "again");
    }
}

contract FactsTest is ReleaseBase {
    uint8 private constant ANY = 0x7e;

    function test_facts_come_from_where_they_belong() public {
        bytes32 id = _measured(0, GOOD_GAP);
        _expectFact(id, "purposes", int128(FOR_TRIAGE), Source.PROMISED);
        _expectFact(id, "dp_epsilon", 8e6, Source.PROMISED);
        _expectFact(id, "licences", 2, Source.DECLARED);
        _expectFact(id, "energy_kwh", 1_500_000, Source.DECLARED);
        _expectFact(id, "distinct_organisations", 2e6, Source.COMPUTED);
        _expectFact(id, "evaluators", 5e6, Source.COMPUTED);
        _expectFact(id, "tpr_gap_abs", GOOD_GAP, Source.MEASURED);
        _expectFact(id, "no such fact", 0, Source.MISSING);
    }

    function test_a_declared_value_never_replaces_a_measured_one() public {
        IReleaseRegistry.Manifest memory manifest = _manifest(0);
        manifest.declared[0].key = "tpr_gap_abs";
        manifest.declared[0].value = 0;
        bytes32 id = _submit(manifest);
        court.measure(id, "tpr_gap_abs", BAD_GAP);
        _expectFact(id, "tpr_gap_abs", BAD_GAP, Source.MEASURED);
        (uint256 failed,,) = releases.check(id);
        assertEq(failed, GAP_RULE, "failed");
    }

    function testFuzz_a_fact_is_told_from_accepted_sources_only(uint8 mask) public {
        bytes32 id = _measured(0, GOOD_GAP);
        (, uint8 source) = OneFact.fact(releases, id, "tpr_gap_abs", mask);
        bool accepted = mask & Source.bit(Source.MEASURED) != 0;
        assertEq(source, accepted ? Source.MEASURED : Source.MISSING, "source");
    }

    function test_nothing_is_known_of_what_does_not_exist() public view {
        (, uint8 source) = OneFact.fact(releases, "none", "purposes", ANY);
        assertEq(source, Source.MISSING, "source");
        (, source) = OneFact.fact(releases, "none", "distinct_organisations", ANY);
        assertEq(source, Source.MISSING, "source");
    }

    function test_evaluators_are_not_counted_before_the_case_is_final() public {
        bytes32 id = _submit(_manifest(0));
        (, uint8 source) = OneFact.fact(releases, id, "evaluators", ANY);
        assertEq(source, Source.MISSING, "source");
    }

    function _expectFact(bytes32 id, bytes32 key, int128 value, uint8 source) private view {
        (int128 seen, uint8 from) = OneFact.fact(releases, id, key, ANY);
        assertTrue(seen == value, "value");
        assertEq(from, source, "source");
    }
}

contract LogTest is ReleaseBase {
    function _endorsers() internal pure override returns (uint256) {
        return 0;
    }

    function test_the_head_is_recomputed_from_the_entries() public {
        bytes32 before = releases.logHead();
        uint64 length = releases.logLength();
        IReleaseRegistry.Manifest memory manifest = _manifest(0);
        bytes32 id = _submit(manifest);
        bytes32 payload =
            keccak256(abi.encode(id, JOB, COORDINATOR, keccak256(abi.encode(manifest)), manifest));
        bytes32 expected = _next(before, length + 1, address(releases), "candidate", id, payload);
        payload = keccak256(abi.encode(address(releases), id, agents.operator(9), CANDIDATE_BOND_E18));
        expected = _next(expected, length + 2, address(vault), "held", id, payload);
        assertEq(releases.logHead(), expected, "head");
        assertEq(releases.logLength(), length + 2, "length");
    }

    function _next(bytes32 before, uint64 index, address writer, bytes32 kind, bytes32 subject, bytes32 payload)
        private
        view
        returns (bytes32)
    {
        bytes32 digest = keccak256(
            abi.encode(
                before, index, block.chainid, address(releases), uint64(block.timestamp), writer, kind, subject, payload
            )
        );
        return bytes32((uint256(digest) & ~uint256(type(uint32).max)) | index);
    }

    function test_guardian_constitution_and_officers_are_the_first_entries() public view {
        assertEq(releases.logLength(), 3, "length");
    }

    function test_a_successor_goes_on_where_the_log_before_ends() public {
        Addresses memory none;
        bytes32 before = releases.logHead();
        ReleaseRegistry next = new ReleaseRegistry(none, IReleaseRegistry.Settings(GUARDIAN, before, 0));
        assertEq(next.parentHead(), before, "parent");
        assertEq(next.logLength(), releases.logLength() + 1, "its own first entry follows");
        assertTrue(next.logHead() != before, "head");
    }

    function testFuzz_only_listed_writers_append(address caller) public {
        vm.assume(!_isWriter(caller));
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseOnlyWriter.selector, caller));
        releases.append("released", 0, 0);
    }

    function test_every_listed_writer_appends() public {
        address[9] memory writers = _writers();
        for (uint256 i; i < writers.length; ++i) {
            uint64 length = releases.logLength();
            vm.prank(writers[i]);
            releases.append("round", 0, 0);
            assertEq(releases.logLength(), length + 1, "length");
        }
    }

    function _writers() private view returns (address[9] memory) {
        return [
            address(policy),
            address(agents),
            address(book),
            address(rounds),
            address(court),
            address(governor),
            address(vault),
            address(consent),
            address(amendments)
        ];
    }

    function _isWriter(address caller) private view returns (bool) {
        address[9] memory writers = _writers();
        for (uint256 i; i < writers.length; ++i) {
            if (writers[i] == caller) return true;
        }
        return false;
    }
}
