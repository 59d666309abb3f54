// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreementBook} from "../src/interfaces/IAgreementBook.sol";
import {IDisputes} from "../src/interfaces/IDisputes.sol";
import {IEvaluatorCourt} from "../src/interfaces/IEvaluatorCourt.sol";
import {Kind} from "../src/types/Market.sol";
import {DisputeBase} from "./DisputeBase.sol";

contract DisputesTest is DisputeBase {
    uint32 private constant OTHER = 2;
    /// @dev The last block in which both hashes of a draw are known, and how long twelve seconds a block make of that.
    uint256 private constant DRAW_BLOCKS = 257;
    uint64 private constant DRAW_S = 257 * 12;

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

        vm.prank(_operator(OTHER));
        vm.expectRevert(abi.encodeWithSelector(IDisputes.DisputeExists.selector, id));
        disputes.raise(deal, IDisputes.Ground.FailedReexecution, "evidence");
    }

    // ---- Raising again ----

    /// @dev Finding 18. Who was turned down does not try again with other evidence; another one may, who has its own.
    function test_finding_18_each_organisation_is_heard_once_on_a_ground() public {
        bytes32 id = _raise(IDisputes.Ground.FailedReexecution);
        _expectHeard(IDisputes.Ground.FailedReexecution, id, IDisputes.State.Open);
        vm.prank(AUDITOR);
        disputes.rule(id, false);
        _expectHeard(IDisputes.Ground.FailedReexecution, id, IDisputes.State.Rejected);

        _raiseAs(CHALLENGER, IDisputes.Ground.InvalidUpdate, "bad shape");
        bytes32 second = _raiseAs(_operator(OTHER), IDisputes.Ground.FailedReexecution, "other evidence");
        vm.prank(AUDITOR);
        disputes.rule(second, true);
        _expectBond(0);
    }

    /// @dev Finding 18. A new operator key is no new organisation.
    function test_finding_18_a_new_operator_is_not_heard_again() public {
        bytes32 id = _raise(IDisputes.Ground.FailedReexecution);
        vm.prank(AUDITOR);
        disputes.rule(id, false);
        address next = address(0x999902);
        vm.prank(CHALLENGER);
        agents.askOperator(CENTRE, next);
        vm.warp(START_S + 16 days);
        vm.prank(next);
        agents.changeOperator(CENTRE);

        vm.prank(next);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.DisputeHeard.selector, id, IDisputes.State.Rejected));
        disputes.raise(deal, IDisputes.Ground.FailedReexecution, "other evidence");
    }

    /// @dev Finding 18. A fault is punished once.
    function test_finding_18_a_ground_that_was_upheld_is_not_raised_again() public {
        bytes32 id = _raise(IDisputes.Ground.InvalidUpdate);
        _answer(id, 1e6);
        disputes.conclude(id);

        bytes memory refusal =
            abi.encodeWithSelector(IDisputes.DisputeGroundUpheld.selector, deal, IDisputes.Ground.InvalidUpdate);
        address[2] memory others = [CHALLENGER, _operator(OTHER)];
        for (uint256 i; i < others.length; ++i) {
            vm.prank(others[i]);
            vm.expectRevert(refusal);
            disputes.raise(deal, IDisputes.Ground.InvalidUpdate, "the same update again");
        }
    }

    /// @dev Finding 18. Also when two complain before either is judged: the second is right, and costs nothing more.
    function test_finding_18_two_complaints_about_one_fault_cost_one_part() public {
        bytes32 first = _raise(IDisputes.Ground.InvalidUpdate);
        bytes32 second = _raiseAs(_operator(OTHER), IDisputes.Ground.InvalidUpdate, "the same update");
        _answer(first, 1e6);
        disputes.conclude(first);
        _answer(second, 1e6);
        disputes.conclude(second);

        _expectState(second, IDisputes.State.Upheld);
        _expectBond(PLEDGE - PLEDGE / 4);
        assertEq(vault.balanceOf(_operator(OTHER)), DEPOSIT, "its deposit and no more");
    }

    /// @dev Finding 18. Silence costs nobody anything, so it is not asked for without end.
    function test_finding_18_a_judges_silence_is_asked_for_twice_at_most() public {
        bytes32 id = _raise(IDisputes.Ground.FailedReexecution);
        vm.warp(START_S + 14 days + 1);
        disputes.conclude(id);
        id = _raiseAs(CHALLENGER, IDisputes.Ground.FailedReexecution, "more evidence");
        vm.warp(START_S + 28 days + 2);
        disputes.conclude(id);

        _expectState(id, IDisputes.State.Lapsed);
        _expectHeard(IDisputes.Ground.FailedReexecution, id, IDisputes.State.Lapsed);
    }

    // ---- The last day of a bond ----

    /// @dev Finding 18. The longest case there can be: raised in the last second, drawn in the last block, every window
    /// used up, and appealed in the last second.
    function test_finding_18_a_bond_is_free_at_a_known_time() public {
        IEvaluatorCourt.Settings memory s = court.settings();
        vm.warp(DEADLINE_S + 1);
        uint64 closableS = book.closableFrom(deal);
        vm.warp(closableS - 1);
        bytes32 id = _raise(IDisputes.Ground.InvalidUpdate);
        _useUp(id);
        vm.warp(court.courtCase(id).windowEndS);
        vm.prank(CHALLENGER);
        court.appeal(id);
        _useUp(id);

        disputes.conclude(id);
        book.expire(deal);

        uint64 boundS = closableS + 2 * (DRAW_S + s.commitWindowS + s.revealWindowS) + s.appealWindowS;
        assertEq(block.timestamp, boundS + 1, "the end of the last window is over then");
        _expectBond(0);
    }

    /// @dev Finding 18. However many complain, and whatever their judges do, after these 14 days the bond is free.
    function testFuzz_finding_18_auditors_hold_up_no_bond_for_longer(uint8 answers) public {
        vm.warp(DEADLINE_S + 7 days - 1);
        bytes32[4] memory ids;
        for (uint32 i; i < ids.length; ++i) {
            ids[i] = _raiseAs(_operator(OTHER + i), IDisputes.Ground.FailedReexecution, bytes32(uint256(1 + i)));
        }
        for (uint256 i; i < ids.length; ++i) {
            uint256 answer = (answers >> (2 * i)) % 4;
            if (answer > 1) continue;
            vm.prank(AUDITOR);
            disputes.rule(ids[i], answer == 1);
        }
        vm.warp(DEADLINE_S + 21 days);
        for (uint256 i; i < ids.length; ++i) {
            if (disputes.dispute(ids[i]).state == IDisputes.State.Open) disputes.conclude(ids[i]);
        }

        book.expire(deal);

        _expectBond(0);
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
        bytes32 second = _raiseAs(_operator(OTHER), IDisputes.Ground.FailedReexecution, "more evidence");
        vm.prank(AUDITOR);
        disputes.rule(first, false);
        vm.warp(DEADLINE_S + 8 days);
        book.expire(deal);
        _expectBond(PLEDGE);

        vm.expectRevert(abi.encodeWithSelector(IAgreementBook.AgreementDisputed.selector, deal));
        book.expire(deal);
        disputes.conclude(second);
        book.expire(deal);
        _expectBond(0);
    }

    // ---- Helpers ----

    function _expectNothingAtStake() private {
        _expectNotRaised(
            IDisputes.Ground.InvalidUpdate, abi.encodeWithSelector(IDisputes.DisputeNothingAtStake.selector, deal)
        );
    }

    function _expectHeard(IDisputes.Ground ground, bytes32 last, IDisputes.State state) private {
        vm.prank(CHALLENGER);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.DisputeHeard.selector, last, state));
        disputes.raise(deal, ground, "other evidence");
    }

    /// @dev A juror too few commits, and as many reveal as a result needs; so each window is waited for.
    function _useUp(bytes32 id) private {
        vm.roll(court.courtCase(id).openedAtBlock + DRAW_BLOCKS);
        vm.warp(block.timestamp + DRAW_S);
        court.draw(id);
        address[] memory jurors = court.jury(id);
        for (uint256 i; i + 1 < jurors.length; ++i) {
            _commitTo(id, jurors[i], new int128[](1));
        }
        vm.warp(court.courtCase(id).windowEndS + 1);
        for (uint256 i; i <= jurors.length / 2; ++i) {
            _revealTo(id, jurors[i], new int128[](1));
        }
        vm.warp(court.courtCase(id).windowEndS + 1);
        court.finalise(id);
    }

    /// @dev With a deposit of its own.
    function _raiseAs(address challenger, IDisputes.Ground ground, bytes32 evidence) private returns (bytes32) {
        credit.transfer(challenger, DEPOSIT);
        vm.prank(challenger);
        credit.approve(address(vault), type(uint256).max);
        vm.prank(challenger);
        return disputes.raise(deal, ground, evidence);
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
