// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreementBook} from "../src/interfaces/IAgreementBook.sol";
import {IDisputes} from "../src/interfaces/IDisputes.sol";
import {IEvaluatorCourt} from "../src/interfaces/IEvaluatorCourt.sol";
import {Kind} from "../src/types/Market.sol";
import {DisputeBase} from "./DisputeBase.sol";

contract DisputesTest is DisputeBase {
    // ---- Judges ----

    /// @dev Finding 18.
    function test_finding_18_each_ground_names_its_judge() public view {
        assertTrue(disputes.judgeOf(IDisputes.Ground.InvalidUpdate) == IDisputes.Judge.Jury, "recomputed");
        assertTrue(disputes.judgeOf(IDisputes.Ground.FailedReexecution) == IDisputes.Judge.Auditor, "inside a site");
        assertTrue(disputes.judgeOf(IDisputes.Ground.DataQuality) == IDisputes.Judge.None, "nobody can tell");
    }

    /// @dev Finding 18.
    function test_finding_18_the_quality_of_data_is_judged_by_nobody() public {
        _expectNotRaised(
            IDisputes.Ground.DataQuality,
            abi.encodeWithSelector(IDisputes.DisputeNobodyJudges.selector, deal, IDisputes.Ground.DataQuality)
        );
    }

    /// @dev Finding 18.
    function test_finding_18_without_an_auditor_in_the_terms_reexecution_costs_nobody() public {
        deal = _bonded(2, address(0));
        _expectNotRaised(
            IDisputes.Ground.FailedReexecution,
            abi.encodeWithSelector(IDisputes.DisputeNobodyJudges.selector, deal, IDisputes.Ground.FailedReexecution)
        );
    }

    function test_only_the_auditor_of_the_terms_rules() public {
        bytes32 id = _raise(IDisputes.Ground.FailedReexecution);
        address[4] memory others = [TIMELOCK, AMENDMENTS, _operator(INSTITUTE), CHALLENGER];
        for (uint256 i; i < others.length; ++i) {
            vm.prank(others[i]);
            vm.expectRevert(abi.encodeWithSelector(IDisputes.DisputeOnlyAuditor.selector, others[i]));
            disputes.rule(id, true);
        }
    }

    function test_the_auditor_does_not_rule_where_a_jury_judges() public {
        bytes32 id = _raise(IDisputes.Ground.InvalidUpdate);

        vm.prank(AUDITOR);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.DisputeOnlyAuditor.selector, AUDITOR));
        disputes.rule(id, true);
    }

    // ---- Outcomes ----

    function test_an_upheld_reexecution_costs_the_whole_bond() public {
        bytes32 id = _raise(IDisputes.Ground.FailedReexecution);

        vm.prank(AUDITOR);
        disputes.rule(id, true);

        _expectBond(0);
        assertEq(vault.balanceOf(_operator(INSTITUTE)), PLEDGE / 2, "half to the buyer");
        assertEq(vault.balanceOf(CHALLENGER), DEPOSIT + PLEDGE * 3 / 10, "30 % and the deposit");
        assertEq(vault.balanceOf(TIMELOCK), PLEDGE / 5, "the rest to the treasury");
        assertEq(disputes.openDisputes(deal), 0, "open");
        _expectState(id, IDisputes.State.Upheld);
    }

    function test_an_upheld_invalid_update_costs_a_quarter() public {
        bytes32 id = _raise(IDisputes.Ground.InvalidUpdate);
        _answer(id, 1e6);

        disputes.conclude(id);

        _expectBond(PLEDGE - PLEDGE / 4);
        assertEq(vault.balanceOf(_operator(INSTITUTE)), PLEDGE / 8, "half of the quarter");
        _expectState(id, IDisputes.State.Upheld);
    }

    function test_a_rejected_complaint_pays_the_accused() public {
        bytes32 id = _raise(IDisputes.Ground.InvalidUpdate);
        _answer(id, 0);

        disputes.conclude(id);

        assertEq(vault.balanceOf(_operator(SELLER)), DEPOSIT, "the accused");
        _expectBond(PLEDGE);
        _expectState(id, IDisputes.State.Rejected);
    }

    function test_a_verdict_is_carried_out_only_after_the_appeal_window() public {
        bytes32 id = _raise(IDisputes.Ground.InvalidUpdate);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.DisputeNotDecided.selector, id, uint64(0)));
        disputes.conclude(id);
        _answerNow(id, 1e6);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.DisputeNotDecided.selector, id, uint64(0)));
        disputes.conclude(id);

        vm.warp(court.courtCase(id).windowEndS + 1);
        disputes.conclude(id);

        _expectState(id, IDisputes.State.Upheld);
    }

    function test_a_silent_auditor_costs_nobody() public {
        bytes32 id = _raise(IDisputes.Ground.FailedReexecution);
        uint64 decideByS = disputes.dispute(id).decideByS;
        vm.warp(decideByS);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.DisputeNotDecided.selector, id, decideByS));
        disputes.conclude(id);
        vm.warp(decideByS + 1);
        vm.prank(AUDITOR);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.DisputeTooLate.selector, id, decideByS));
        disputes.rule(id, true);

        disputes.conclude(id);

        assertEq(vault.balanceOf(CHALLENGER), DEPOSIT, "deposit back");
        _expectBond(PLEDGE);
        _expectState(id, IDisputes.State.Lapsed);
    }

    function test_a_silent_jury_costs_no_party() public {
        bytes32 id = _raise(IDisputes.Ground.InvalidUpdate);
        vm.roll(block.number + 300);
        court.draw(id);
        assertTrue(court.courtCase(id).stage == IEvaluatorCourt.Stage.Lapsed, "lapsed");

        disputes.conclude(id);

        assertEq(vault.balanceOf(CHALLENGER), DEPOSIT, "deposit back");
        _expectState(id, IDisputes.State.Lapsed);
    }

    function test_a_jury_that_cannot_tell_costs_nobody() public {
        bytes32 id = _raise(IDisputes.Ground.InvalidUpdate);
        _answer(id, type(int128).min);

        disputes.conclude(id);

        assertEq(vault.balanceOf(CHALLENGER), DEPOSIT, "deposit back");
        _expectState(id, IDisputes.State.Lapsed);
    }

    function test_a_dispute_is_decided_once() public {
        bytes32 id = _raise(IDisputes.Ground.FailedReexecution);
        vm.startPrank(AUDITOR);
        disputes.rule(id, false);

        vm.expectRevert(abi.encodeWithSelector(IDisputes.DisputeNotOpen.selector, id, IDisputes.State.Rejected));
        disputes.rule(id, true);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.DisputeNotOpen.selector, id, IDisputes.State.Rejected));
        disputes.conclude(id);
    }

    // ---- Raising ----

    function test_no_party_sits_on_the_jury() public {
        vm.prank(_operator(FIRST_LAB));
        credit.approve(address(vault), DEPOSIT);
        credit.transfer(_operator(FIRST_LAB), DEPOSIT);
        vm.prank(_operator(FIRST_LAB));
        bytes32 id = disputes.raise(deal, IDisputes.Ground.InvalidUpdate, "evidence");

        vm.roll(block.number + 3);
        court.draw(id);

        address[] memory jurors = court.jury(id);
        assertEq(jurors.length, 5, "jurors");
        for (uint256 i; i < jurors.length; ++i) {
            assertTrue(agents.organisationOf(jurors[i]) > FIRST_LAB, "the challenger does not sit");
        }
    }

    function test_a_stranger_cannot_accuse() public {
        address[3] memory others = [STRANGER, _agent(CENTRE), _member(CENTRE)];
        for (uint256 i; i < others.length; ++i) {
            vm.prank(others[i]);
            vm.expectRevert(abi.encodeWithSelector(IDisputes.DisputeOnlyOperator.selector, others[i]));
            disputes.raise(deal, IDisputes.Ground.InvalidUpdate, "evidence");
        }
    }

    function test_an_organisation_that_was_removed_cannot_accuse() public {
        vm.prank(AMENDMENTS);
        agents.remove(CENTRE);
        _expectNotRaised(
            IDisputes.Ground.InvalidUpdate, abi.encodeWithSelector(IDisputes.DisputeOnlyOperator.selector, CHALLENGER)
        );
    }

    function test_nobody_accuses_itself() public {
        vm.prank(_operator(SELLER));
        vm.expectRevert(abi.encodeWithSelector(IDisputes.DisputeOwnWork.selector, SELLER));
        disputes.raise(deal, IDisputes.Ground.InvalidUpdate, "evidence");
    }

    /// @dev Finding 18. Whichever of its keys the terms name.
    function test_finding_18_nobody_judges_its_own_complaint() public {
        address[3] memory keys = [CHALLENGER, _agent(CENTRE), _member(CENTRE)];
        for (uint32 i; i < keys.length; ++i) {
            deal = _bonded(2 + i, keys[i]);
            _expectNotRaised(
                IDisputes.Ground.FailedReexecution,
                abi.encodeWithSelector(IDisputes.DisputeOwnAuditor.selector, CENTRE)
            );
        }
    }

    /// @dev Finding 18. Else complaints without end would keep a bond and the rest of the price locked.
    function test_finding_18_no_complaint_comes_after_the_time_for_claims() public {
        vm.warp(DEADLINE_S + 1);
        uint64 fromS = book.closableFrom(deal);
        vm.warp(fromS);
        _expectNotRaised(
            IDisputes.Ground.InvalidUpdate, abi.encodeWithSelector(IDisputes.DisputeClaimsOver.selector, deal, fromS)
        );
        vm.warp(fromS - 1);
        _raise(IDisputes.Ground.InvalidUpdate);
    }

    function test_the_same_evidence_is_heard_once() public {
        bytes32 id = _raise(IDisputes.Ground.FailedReexecution);
        vm.prank(AUDITOR);
        disputes.rule(id, false);

        _expectNotRaised(
            IDisputes.Ground.FailedReexecution, abi.encodeWithSelector(IDisputes.DisputeExists.selector, id)
        );
    }

    function test_a_complaint_needs_evidence() public {
        vm.prank(CHALLENGER);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.DisputeNoEvidence.selector, deal));
        disputes.raise(deal, IDisputes.Ground.InvalidUpdate, 0);
    }

    function test_measuring_is_not_disputed_here() public {
        deal = _make(Kind.Evaluation, FIRST_LAB);
        _expectNothingAtStake();
    }

    function test_work_without_a_bond_is_not_disputed() public {
        deal = _make(Kind.Compute, CENTRE);
        _expectNothingAtStake();
    }

    /// @dev The vault says what is left, not the record of the agreement.
    function test_a_bond_that_is_spent_or_freed_is_not_at_stake() public {
        bytes32 id = _raise(IDisputes.Ground.FailedReexecution);
        vm.prank(AUDITOR);
        disputes.rule(id, true);
        assertEq(book.agreement(deal).bondE18, PLEDGE, "in the record");
        _expectNothingAtStake();

        deal = _bonded(2, AUDITOR);
        vm.warp(DEADLINE_S + 7 days);
        book.expire(deal);
        _expectNothingAtStake();
    }

    function test_a_seller_that_closed_or_withdrew_still_answers_with_its_bond() public {
        vm.prank(_agent(SELLER));
        book.close(deal);
        bytes32 id = _raise(IDisputes.Ground.FailedReexecution);
        vm.prank(_agent(SELLER));
        book.withdraw(deal);

        vm.prank(AUDITOR);
        disputes.rule(id, true);

        _expectBond(0);
    }

    function test_a_bond_is_freed_only_after_every_dispute() public {
        bytes32 first = _raise(IDisputes.Ground.FailedReexecution);
        vm.prank(CHALLENGER);
        disputes.raise(deal, IDisputes.Ground.FailedReexecution, "more evidence");
        vm.prank(AUDITOR);
        disputes.rule(first, false);
        vm.warp(DEADLINE_S + 8 days);

        vm.expectRevert(abi.encodeWithSelector(IAgreementBook.AgreementDisputed.selector, deal));
        book.expire(deal);
    }

    // ---- Helpers ----

    function _expectNothingAtStake() private {
        _expectNotRaised(
            IDisputes.Ground.InvalidUpdate, abi.encodeWithSelector(IDisputes.DisputeNothingAtStake.selector, deal)
        );
    }

    function _expectNotRaised(IDisputes.Ground ground, bytes memory refusal) private {
        vm.prank(CHALLENGER);
        vm.expectRevert(refusal);
        disputes.raise(deal, ground, "evidence");
    }

    function _expectState(bytes32 id, IDisputes.State state) private view {
        assertEq(uint8(disputes.dispute(id).state), uint8(state), "state");
    }

    function _expectBond(uint128 amountE18) private view {
        (, uint128 heldE18) = vault.held(address(book), deal);
        assertEq(heldE18, amountE18, "bond");
    }
}
