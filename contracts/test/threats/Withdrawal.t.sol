// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IAgreementBook} from "../../src/interfaces/IAgreementBook.sol";
import {IConsent} from "../../src/interfaces/IConsent.sol";
import {IReleaseRegistry} from "../../src/interfaces/IReleaseRegistry.sol";
import {Kind, Terms} from "../../src/types/Market.sol";
import {CANDIDATE_BOND_E18, OBJECTION_STAKE_E18} from "../Gate.sol";
import {SystemBase} from "../SystemBase.sol";

/// @dev Consent that is taken back, and what people put at stake, with every contract real.
contract WithdrawalThreatsTest is SystemBase {
    int128 private constant FAIR_GAP = 60_000;

    bytes32 private id;

    function setUp() public override {
        super.setUp();
        _openMarket();
        _postRounds(0, 3);
        id = _submit(0);
        _measure(id, FAIR_GAP);
    }

    /// @dev All owners' terms give a veto but those of organisation 3.
    function _terms(Kind kind, uint32 seller) internal view override returns (Terms memory terms) {
        terms = super._terms(kind, seller);
        terms.withdrawalBlocks = kind == Kind.Data && seller != 3;
    }

    // ---- The veto of the terms ----

    /// @dev Finding 6.
    function test_finding_6_one_owner_whose_terms_give_a_veto_stops_a_release_alone() public {
        uint256 proposal = _proposeRelease(id);
        _carry(proposal);
        _withdraw(2);
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseConsentWithdrawn.selector, id));
        governor.execute(proposal);
        releases.refuse(id);
        _expectStanding(IReleaseRegistry.Status.Refused, IReleaseRegistry.Reason.Withdrawal);
        assertEq(vault.balanceOf(_operator(INSTITUTE)), CANDIDATE_BOND_E18, "the coordinator is not to blame");
    }

    /// @dev Finding 6.
    function test_finding_6_a_withdrawal_after_the_release_suspends_it_for_ever() public {
        _release();
        _withdraw(2);
        _expectStanding(IReleaseRegistry.Status.Suspended, IReleaseRegistry.Reason.Withdrawal);
        assertFalse(releases.isUsable(_manifest(0).artifact), "usable");
        vm.warp(block.timestamp + 3650 days);
        _expectStanding(IReleaseRegistry.Status.Suspended, IReleaseRegistry.Reason.Withdrawal);
    }

    /// @dev Finding 6. The agreement is over by then; consent is not.
    function test_finding_6_a_closed_agreement_still_carries_the_veto() public {
        _release();
        vm.warp(book.closableFrom(agreements[Kind.Data][2]));
        book.expire(agreements[Kind.Data][2]);
        _withdraw(2);
        _expectStanding(IReleaseRegistry.Status.Suspended, IReleaseRegistry.Reason.Withdrawal);
    }

    /// @dev Finding 6.
    function test_finding_6_terms_without_a_veto_give_none() public {
        uint256 proposal = _proposeRelease(id);
        _carry(proposal);
        _withdraw(3);
        governor.execute(proposal);
        _expectStanding(IReleaseRegistry.Status.Released, IReleaseRegistry.Reason.None);
    }

    /// @dev Threat 29. A rival that is in the job, but not behind the candidate, stops nothing.
    function test_threat_29_a_withdrawal_stops_only_what_cites_the_agreement() public {
        _defeat();
        _postRounds(4, 6);
        IReleaseRegistry.Manifest memory manifest = _withoutFirst(1);
        vm.prank(_agent(INSTITUTE));
        bytes32 second = releases.submit(manifest);
        _withdraw(1);
        assertFalse(book.isWithdrawn(job, 1), "not cited any more");
        assertTrue(book.isWithdrawn(job, 0), "but by the one that was refused");
        _withdraw(2);
        assertTrue(book.isWithdrawn(job, 1), "cited");
        (IReleaseRegistry.Status status,) = releases.standing(second);
        assertTrue(status == IReleaseRegistry.Status.Candidate, "status");
        releases.refuse(second);
    }

    /// @dev Finding 6. The order of withdrawals does not matter.
    function test_finding_6_a_later_withdrawal_frees_no_candidate() public {
        _defeat();
        _postRounds(4, 6);
        IReleaseRegistry.Manifest memory manifest = _withoutFirst(1);
        vm.prank(_agent(INSTITUTE));
        releases.submit(manifest);
        _withdraw(2);
        _withdraw(1);
        assertTrue(book.isWithdrawn(job, 1), "withdrawn");
    }

    /// @dev Finding 6. A coordinator that leaves an owner out of the manifest does not get rid of its word.
    function test_finding_6_an_owner_that_is_not_cited_keeps_its_veto_once_it_was_paid() public {
        _defeat();
        _postRounds(4, 6);
        _claimRounds(1, 0, 4);
        IReleaseRegistry.Manifest memory manifest = _withoutFirst(1);
        vm.prank(_agent(INSTITUTE));
        id = releases.submit(manifest);
        _object(1, agreements[Kind.Data][1]);
        _withdraw(1);
        assertTrue(book.isWithdrawn(job, 1), "round 4 is the second candidate's first");
        releases.refuse(id);
        _expectStanding(IReleaseRegistry.Status.Refused, IReleaseRegistry.Reason.Withdrawal);
    }

    /// @dev Finding 6. Rounds of the next candidate that are posted and paid ahead take no veto away.
    function test_finding_6_rounds_paid_ahead_take_no_veto_away() public {
        _postRounds(4, 6);
        _claimRounds(1, 0, 4);
        assertEq(book.standsBehind(agreements[Kind.Data][1]), 2, "the second candidate");
        _object(1, agreements[Kind.Data][1]);
        _withdraw(1);
        assertTrue(book.isWithdrawn(job, 0), "the live candidate");
        assertTrue(book.isWithdrawn(job, 1), "the next one");
        releases.refuse(id);
        _expectStanding(IReleaseRegistry.Status.Refused, IReleaseRegistry.Reason.Withdrawal);
    }

    /// @dev Finding 6. A withdrawal for a later candidate hides none for an earlier.
    function test_finding_6_no_withdrawal_hides_another() public {
        _postRounds(4, 6);
        _claimRounds(1, 0, 4);
        _withdraw(1);
        _withdraw(2);
        assertTrue(book.isWithdrawn(job, 0), "the live candidate");
    }

    /// @dev Threat 29.
    function test_threat_29_rounds_of_an_earlier_candidate_give_no_word_about_a_later() public {
        _defeat();
        _postRounds(4, 6);
        _claimRounds(1, 0, 3);
        IReleaseRegistry.Manifest memory manifest = _withoutFirst(1);
        vm.prank(_agent(INSTITUTE));
        id = releases.submit(manifest);
        bytes32 agreement = agreements[Kind.Data][1];
        vm.prank(_operator(1));
        vm.expectRevert(abi.encodeWithSelector(IConsent.ConsentBadAgreement.selector, agreement));
        consent.objectTo(id, agreement, "not what I agreed to");
        _withdraw(1);
        assertFalse(book.isWithdrawn(job, 1), "withdrawn");
    }

    function test_what_was_withdrawn_is_not_cited_again() public {
        _defeat();
        _postRounds(4, 6);
        _withdraw(1);
        IReleaseRegistry.Manifest memory manifest = _manifest(1);
        vm.prank(_agent(INSTITUTE));
        vm.expectRevert(
            abi.encodeWithSelector(IReleaseRegistry.ReleaseBadAgreement.selector, agreements[Kind.Data][1])
        );
        releases.submit(manifest);
    }

    function test_nobody_but_the_registry_says_what_is_cited() public {
        bytes32 agreement = agreements[Kind.Data][1];
        vm.expectRevert(abi.encodeWithSelector(IAgreementBook.AgreementOnlyRegistry.selector, address(this)));
        book.cite(agreement, 1);
        assertEq(book.agreement(agreement).citedBy, 1, "counted from one");
    }

    /// @dev Finding 31. Free of charge: neither a stake nor a bond, and what was earned stays.
    function test_finding_31_the_veto_costs_nothing() public {
        _claimRounds(1, 0, 3);
        uint256 before = credit.balanceOf(_operator(1));
        _withdraw(1);
        assertEq(credit.balanceOf(_operator(1)), before, "credits");
        assertTrue(book.isWithdrawn(job, 0), "withdrawn");
    }

    // ---- Objections, with real agreements ----

    /// @dev Finding 31. An objection costs a stake; every credit is somewhere.
    function test_finding_31_an_objection_is_conserved_to_the_wei() public {
        _object(1, agreements[Kind.Data][1]);
        assertEq(credit.balanceOf(_operator(1)), 0, "paid in");
        vm.prank(address(timelock));
        consent.judgeAbusive(id, 1);
        assertEq(vault.balanceOf(address(timelock)), OBJECTION_STAKE_E18, "the treasury's");
        assertEq(vault.owedE18(), credit.balanceOf(address(vault)), "owed is held");
    }

    /// @dev Finding 31. Who was removed from the network, or suspended, still objects to what was made of its data.
    function test_finding_31_who_was_removed_still_objects() public {
        vm.prank(_operator(1));
        agents.unbind(_agent(1));
        vm.prank(address(amendments));
        agents.remove(1);
        _object(1, agreements[Kind.Data][1]);
        assertEq(consent.objections(id), 1, "objections");
    }

    /// @dev Threat 29.
    function test_threat_29_evaluation_rows_give_no_objection() public {
        bytes32 rows = agreements[Kind.EvaluationRows][1];
        vm.prank(_operator(1));
        vm.expectRevert(abi.encodeWithSelector(IConsent.ConsentBadAgreement.selector, rows));
        consent.objectTo(id, rows, "not what I agreed to");
    }

    // ---- The candidate's bond ----

    /// @dev Finding 24.
    function test_finding_24_the_bond_is_conserved_to_the_wei() public {
        (address owner, uint128 heldE18) = vault.held(address(releases), id);
        assertEq(owner, _operator(INSTITUTE), "owner");
        assertEq(heldE18, CANDIDATE_BOND_E18, "held");
        _release();
        (, heldE18) = vault.held(address(releases), id);
        assertEq(heldE18, 0, "held after the decision");
        assertEq(vault.balanceOf(_operator(INSTITUTE)), CANDIDATE_BOND_E18, "given back");
        assertEq(vault.owedE18(), credit.balanceOf(address(vault)), "owed is held");
    }

    /// @dev Finding 24.
    function test_finding_24_a_coordinator_that_cannot_pay_the_bond_submits_nothing() public {
        _defeat();
        _postRounds(4, 6);
        vm.prank(_operator(INSTITUTE));
        credit.approve(address(vault), 0);
        IReleaseRegistry.Manifest memory manifest = _manifest(1);
        vm.prank(_agent(INSTITUTE));
        vm.expectPartialRevert(IERC20Errors.ERC20InsufficientAllowance.selector);
        releases.submit(manifest);
        assertEq(releases.releasesOf(job).length, 1, "candidates");
    }

    // ---- Arranging ----

    function _withdraw(uint32 owner) private {
        bytes32 agreement = agreements[Kind.Data][owner];
        vm.prank(_operator(owner));
        book.withdraw(agreement);
    }

    function _object(uint32 owner, bytes32 agreement) private {
        credit.transfer(_operator(owner), OBJECTION_STAKE_E18);
        vm.startPrank(_operator(owner));
        credit.approve(address(vault), OBJECTION_STAKE_E18);
        consent.objectTo(id, agreement, "not what I agreed to");
        vm.stopPrank();
    }

    function _release() private {
        uint256 proposal = _proposeRelease(id);
        _carry(proposal);
        governor.execute(proposal);
    }

    /// @dev Nobody votes, so the next candidate may come.
    function _defeat() private {
        uint256 proposal = _proposeRelease(id);
        vm.warp(governor.proposalDeadline(proposal) + 1);
        releases.refuse(id);
    }

    function _withoutFirst(uint8 index) private view returns (IReleaseRegistry.Manifest memory manifest) {
        manifest = _manifest(index);
        bytes32[] memory all = manifest.agreements;
        manifest.agreements = new bytes32[](all.length - 1);
        for (uint256 i = 1; i < all.length; ++i) {
            manifest.agreements[i - 1] = all[i];
        }
    }

    function _expectStanding(IReleaseRegistry.Status status, IReleaseRegistry.Reason reason) private view {
        (IReleaseRegistry.Status now_, IReleaseRegistry.Reason why) = releases.standing(id);
        assertEq(uint256(now_), uint256(status), "status");
        assertEq(uint256(why), uint256(reason), "reason");
    }
}
