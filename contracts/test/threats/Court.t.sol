// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEvaluatorCourt} from "../../src/interfaces/IEvaluatorCourt.sol";
import {CourtBase} from "../CourtBase.sol";

/// @dev Attacks on juries, each with the defence that stops it.
contract CourtThreatsTest is CourtBase {
    uint256 private constant THREE_OF_FIVE = 7;

    // ---- Bribed jurors ----

    /// @dev Threat 1.
    function test_a_high_tier_candidate_has_the_larger_jury_before_it() public {
        IEvaluatorCourt.Settings memory given = _settings();
        given.highJurySize = 7;
        _set(given);
        _drawNow();
        assertEq(court.jury(id).length, 5, "a case keeps the settings it was opened with");
        _measureAs(0, 0, UNFAIR);
        _waitForAppeals();
        uint256 proposal = _proposeRelease(id);
        _carry(proposal);
        releases.refuse(id);
        _postRounds(4, 6);
        id = _submit(1);
        assertEq(_drawNow().length, 7, "triage is of the high tier");
    }

    /// @dev Threat 1.
    function test_every_juror_has_a_record() public {
        address[] memory jurors = _drawNow();
        for (uint256 i; i < 4; ++i) {
            _commitTo(jurors[i], _gap(i == 0 ? FAIR : UNFAIR), 0);
        }
        vm.warp(court.courtCase(id).windowEndS + 1);
        for (uint256 i; i < 4; ++i) {
            _revealTo(jurors[i], _gap(i == 0 ? FAIR : UNFAIR), 0);
        }
        court.finalise(id);
        _waitForAppeals();
        court.settle(id);

        IEvaluatorCourt.Service memory liar = court.service(_lab(jurors[0]));
        IEvaluatorCourt.Service memory honest = court.service(_lab(jurors[1]));
        IEvaluatorCourt.Service memory absent = court.service(_lab(jurors[4]));
        assertTrue(liar.seated == 1 && liar.revealed == 1 && liar.deviated == 1, "liar");
        assertTrue(honest.seated == 1 && honest.revealed == 1 && honest.deviated == 0, "honest");
        assertTrue(absent.seated == 1 && absent.revealed == 0 && absent.absent == 1, "absent");
        assertTrue(liar.slashedE18 == SLASH && absent.slashedE18 == SLASH && honest.slashedE18 == 0, "slashed");
    }

    /// @dev Finding 31. Its seat was drawn before; leaving it empty would cost a fifth of its stake.
    function test_finding_31_a_suspended_juror_finishes_its_case_and_pays_nothing() public {
        address[] memory jurors = _drawNow();
        uint32 suspended = _lab(jurors[0]);
        vm.prank(address(timelock));
        agents.suspend(suspended, uint64(block.timestamp) + 90 days, "an incident");
        _measureAs(0, 0, FAIR);
        _waitForAppeals();
        court.settle(id);

        IEvaluatorCourt.Service memory own = court.service(suspended);
        assertTrue(own.revealed == 1 && own.absent == 0 && own.slashedE18 == 0, "as any juror");
        assertEq(agents.evaluatorOf(suspended), address(0), "no other seat");
    }

    // ---- Copied commitments ----

    /// @dev Threat 2.
    function test_a_copied_commitment_cannot_be_revealed() public {
        address[] memory jurors = _drawNow();
        bytes32 copied = _commitment(jurors[0], _gap(FAIR), 0);
        vm.prank(jurors[1]);
        court.commit(id, copied);
        _commitTo(jurors[0], _gap(FAIR), 0);
        vm.warp(court.courtCase(id).windowEndS + 1);
        _revealTo(jurors[0], _gap(FAIR), 0);

        bytes4 mismatch = IEvaluatorCourt.CourtCommitmentMismatch.selector;
        vm.expectRevert(abi.encodeWithSelector(mismatch, jurors[1]));
        _revealTo(jurors[1], _gap(FAIR), 0);
    }

    /// @dev Threat 2.
    function test_a_commitment_is_bound_to_case_and_file() public {
        address[] memory jurors = _drawNow();
        bytes32 elsewhere = keccak256(
            abi.encode(
                block.chainid, address(court), id, bytes32("other file"), jurors[0], _gap(FAIR), bytes32("report"),
                bytes32(0), bytes32("salt")
            )
        );
        vm.prank(jurors[0]);
        court.commit(id, elsewhere);
        vm.warp(court.courtCase(id).windowEndS + 1);
        vm.expectRevert(abi.encodeWithSelector(IEvaluatorCourt.CourtCommitmentMismatch.selector, jurors[0]));
        _revealTo(jurors[0], _gap(FAIR), 0);
    }

    /// @dev Threat 2.
    function test_who_waits_for_the_others_values_is_absent_and_pays() public {
        address[] memory jurors = _drawNow();
        for (uint256 i; i < 4; ++i) {
            _commitTo(jurors[i], _gap(FAIR), 0);
        }
        vm.warp(court.courtCase(id).windowEndS + 1);
        _revealTo(jurors[0], _gap(FAIR), 0);
        bytes32 late = _commitment(jurors[4], _gap(FAIR), 0);
        vm.prank(jurors[4]);
        vm.expectRevert(_wrongStage(IEvaluatorCourt.Stage.Revealing));
        court.commit(id, late);
        for (uint256 i = 1; i < 4; ++i) {
            _revealTo(jurors[i], _gap(FAIR), 0);
        }
        court.finalise(id);
        _waitForAppeals();
        court.settle(id);
        assertEq(_stakeOf(jurors[4]), STAKE - SLASH, "stake");
    }

    // ---- Collusion ----

    /// @dev Threat 3.
    function test_a_colluding_majority_cannot_slash_the_honest_before_appeals_are_over() public {
        _drawNow();
        _measureAs(THREE_OF_FIVE, FAIR, UNFAIR);
        vm.expectRevert(abi.encodeWithSelector(IEvaluatorCourt.CourtNotSettleable.selector, id));
        court.settle(id);
        vm.warp(court.courtCase(id).windowEndS);
        vm.expectRevert(abi.encodeWithSelector(IEvaluatorCourt.CourtNotSettleable.selector, id));
        court.settle(id);
        _appealAs(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IEvaluatorCourt.CourtNotSettleable.selector, id));
        court.settle(id);
    }

    /// @dev Threat 3.
    function test_an_appeal_reverses_colluders_who_then_pay() public {
        address[] memory first = _drawNow();
        _measureAs(THREE_OF_FIVE, FAIR, UNFAIR);
        _appealAs(STRANGER);
        address[] memory second = _drawNow();
        assertEq(second.length, 7, "the whole panel");
        // The three lie again, and are now three of seven.
        _measureAs(_bits(second, first, 3), FAIR, UNFAIR);

        (int128 gap,) = court.median(id, "tpr_gap_abs");
        assertTrue(gap == UNFAIR, "result");
        assertEq(vault.balanceOf(STRANGER), BOND, "the bond comes back");
        court.settle(id);
        for (uint256 i; i < 5; ++i) {
            assertEq(_stakeOf(first[i]), i < 3 ? STAKE - 2 * SLASH : STAKE, "stake");
        }
        assertEq(_treasury(), 6 * SLASH, "to the treasury");
    }

    /// @dev Threat 3.
    function test_an_appeal_that_gives_no_result_lets_nobody_be_judged_by_the_first() public {
        address[] memory first = _drawNow();
        _measureAs(THREE_OF_FIVE, FAIR, UNFAIR);
        _appealAs(STRANGER);
        address[] memory second = _drawNow();
        vm.warp(court.courtCase(id).windowEndS + 1);
        court.finalise(id);

        (int128 gap,) = court.median(id, "tpr_gap_abs");
        assertTrue(gap == FAIR && court.isConclusive(id), "the first result stands");
        court.settle(id);
        assertEq(_stakeOf(first[4]), STAKE - SLASH, "for its absence from the second, not for deviating in the first");
        assertEq(_treasury(), BOND + second.length * SLASH, "bond and absences");
    }

    /// @dev Threat 3.
    function test_leaving_the_panel_does_not_stop_an_appeal() public {
        address[] memory first = _drawNow();
        _measureAs(THREE_OF_FIVE, FAIR, UNFAIR);
        for (uint256 i; i < 3; ++i) {
            vm.prank(_operator(_lab(first[i])));
            court.askUnstake(first[i]);
        }
        _appealAs(STRANGER);
        assertEq(_drawNow().length, 4, "who stayed");
    }

    /// @dev Threat 3.
    function test_an_appeal_is_not_heard_by_fewer_than_most_of_the_first_jury() public {
        _drawNow();
        _measureAs(THREE_OF_FIVE, FAIR, UNFAIR);
        uint32[] memory labs = court.panel();
        for (uint256 i; i < labs.length - 2; ++i) {
            vm.prank(_operator(labs[i]));
            court.askUnstake(_agent(labs[i]));
        }
        credit.transfer(STRANGER, BOND);
        vm.startPrank(STRANGER);
        credit.approve(address(vault), BOND);
        vm.expectRevert(abi.encodeWithSelector(IEvaluatorCourt.CourtPanelTooSmall.selector, 2, 3));
        court.appeal(id);
    }

    // ---- Draws ----

    /// @dev Finding 24.
    function test_a_draw_that_lapsed_closes_the_candidate_and_is_never_repeated() public {
        vm.roll(block.number + 258);
        court.draw(id);
        _expectStage(IEvaluatorCourt.Stage.Lapsed);
        vm.expectRevert(_wrongStage(IEvaluatorCourt.Stage.Lapsed));
        court.draw(id);
        vm.expectRevert(_wrongStage(IEvaluatorCourt.Stage.Lapsed));
        court.appeal(id);
        releases.refuse(id);
        assertFalse(court.isConclusive(id), "no result");
    }

    /// @dev Finding 24. Else as many as the jury may spare could close any candidate, for nothing.
    function test_finding_24_nobody_leaves_between_the_opening_and_the_draw() public {
        uint32[] memory labs = court.panel();
        for (uint256 i; i < labs.length; ++i) {
            vm.prank(_operator(labs[i]));
            court.askUnstake(_agent(labs[i]));
        }
        address[] memory jurors = _drawNow();
        assertEq(jurors.length, 5, "a whole jury");
        vm.warp(court.courtCase(id).windowEndS + 1);
        court.finalise(id);
        court.settle(id);
        for (uint256 i; i < jurors.length; ++i) {
            assertEq(_stakeOf(jurors[i]), STAKE - SLASH, "absent");
        }
    }

    /// @dev Finding 24. It may bind the key again at once, so that it would lose nothing.
    function test_finding_24_nobody_steps_aside_by_unbinding_its_evaluator() public {
        uint32[] memory labs = court.panel();
        for (uint256 i; i < labs.length; ++i) {
            vm.prank(_operator(labs[i]));
            agents.unbind(_agent(labs[i]));
        }
        address[] memory jurors = _drawNow();
        assertEq(jurors.length, 5, "a whole jury");
        vm.prank(jurors[0]);
        vm.expectRevert();
        court.commit(id, "by a key that was unbound");
        vm.warp(court.courtCase(id).windowEndS + 1);
        court.finalise(id);
        court.settle(id);
        for (uint256 i; i < jurors.length; ++i) {
            assertEq(_stakeOf(jurors[i]), STAKE - SLASH, "absent");
        }
    }

    /// @dev Finding 24.
    function test_finding_24_whose_stake_is_gone_is_not_drawn() public {
        uint32[] memory labs = court.panel();
        vm.startPrank(_operator(labs[0]));
        court.askUnstake(_agent(labs[0]));
        vm.warp(court.service(labs[0]).leavesAtS);
        court.unstake(labs[0]);
        vm.stopPrank();
        address[] memory jurors = _drawNow();
        for (uint256 i; i < jurors.length; ++i) {
            assertTrue(_lab(jurors[i]) != labs[0], "who has a stake");
        }
    }

    /// @dev Threat 27.
    function test_the_appeal_is_drawn_from_blocks_after_it_and_once() public {
        _drawNow();
        _measureAs(0, 0, FAIR);
        vm.roll(block.number + 100);
        _appealAs(STRANGER);
        uint256 openedAt = block.number;
        vm.roll(openedAt + 2);
        vm.expectRevert(abi.encodeWithSelector(IEvaluatorCourt.CourtTooEarly.selector, openedAt + 2));
        court.draw(id);
        vm.roll(openedAt + 258);
        court.draw(id);
        assertTrue(court.isConclusive(id), "the first result stands");
        assertEq(_treasury(), BOND, "the bond is gone");
        vm.expectRevert(_wrongStage(IEvaluatorCourt.Stage.Final));
        court.draw(id);
    }

    /// @dev Threat 27.
    function test_an_appeal_cannot_be_appealed() public {
        _drawNow();
        _measureAs(0, 0, FAIR);
        _appealAs(STRANGER);
        _drawNow();
        _measureAs(0, 0, FAIR);
        uint64 endS = court.courtCase(id).windowEndS;
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IEvaluatorCourt.CourtWindowOver.selector, endS));
        court.appeal(id);
    }

    /// @dev Finding 24.
    function test_an_appeal_is_heard_by_others_when_the_panel_has_3k_plus_1() public {
        assertTrue(court.appealIsWholePanel(), "7 is less than 3 x 5 + 1");
        IEvaluatorCourt.Settings memory given = _settings();
        (given.jurySize, given.highJurySize) = (2, 2);
        _set(given);
        assertFalse(court.appealIsWholePanel(), "7 is 3 x 2 + 1");
        bytes32 question = "a question";
        vm.prank(_disputes());
        court.openDispute(question, "evidence", new uint32[](0));
        id = question;
        address[] memory first = _drawNow();
        _answer(0);
        _appealAs(STRANGER);
        address[] memory second = _drawNow();
        assertEq(second.length, 5, "2k + 1");
        for (uint256 i; i < 5; ++i) {
            assertTrue(second[i] != first[0] && second[i] != first[1], "nobody sits twice");
        }
    }

    /// @dev Finding 24.
    function test_contributors_and_proposer_do_not_sit_on_the_appeal_either() public {
        bytes32 question = "a question";
        uint32[] memory excluded = new uint32[](2);
        (excluded[0], excluded[1]) = (FIRST_LAB, FIRST_LAB + 1);
        vm.prank(_disputes());
        court.openDispute(question, "evidence", excluded);
        id = question;
        _drawNow();
        _answer(0);
        _appealAs(STRANGER);
        address[] memory second = _drawNow();
        assertEq(second.length, 5, "all others");
        for (uint256 i; i < 5; ++i) {
            assertTrue(_lab(second[i]) > FIRST_LAB + 1, "excluded");
        }
    }

    // ---- Rows ----

    /// @dev Finding 9.
    function test_an_appeal_measures_the_same_rows_without_another_look() public {
        _drawNow();
        _measureAs(0, 0, FAIR);
        bytes32[] memory before = court.evaluationRoots(id);
        assertEq(court.looks(_evaluation(1)), 1, "looks");
        _appealAs(STRANGER);
        _drawNow();
        _measureAs(0, 0, UNFAIR);
        assertEq(court.looks(_evaluation(1)), 1, "looks after the appeal");
        assertEq(keccak256(abi.encode(before)), keccak256(abi.encode(court.evaluationRoots(id))), "rows");
    }

    /// @dev Finding 1.
    function test_all_jurors_measure_the_rows_that_their_owners_committed_to() public view {
        bytes32[] memory roots = court.evaluationRoots(id);
        assertEq(roots.length, OWNERS, "rows of every owner");
        for (uint32 i; i < OWNERS; ++i) {
            assertEq(roots[i], _evaluation(i + 1), "root");
            assertTrue(agents.dataSet(roots[i]).evaluation, "evaluation rows");
        }
    }

    // ---- Contributions ----

    /// @dev Finding 18.
    function test_the_contribution_root_is_what_more_than_half_of_the_jury_revealed() public {
        _contribute(3, "shares");
        assertEq(court.contributionRoot(id), "shares", "three of five");
    }

    /// @dev Finding 18.
    function test_without_a_majority_there_is_no_contribution_root() public {
        _contribute(2, "shares");
        assertEq(court.contributionRoot(id), 0, "two of five");
    }

    // ---- Internal ----

    function _contribute(uint256 count, bytes32 root) private {
        address[] memory jurors = _drawNow();
        for (uint256 i; i < 5; ++i) {
            _commitTo(jurors[i], _gap(FAIR), i < count ? root : bytes32(i));
        }
        for (uint256 i; i < 5; ++i) {
            _revealTo(jurors[i], _gap(FAIR), i < count ? root : bytes32(i));
        }
        court.finalise(id);
    }

    function _answer(int128 value) private {
        int128[] memory values = new int128[](1);
        values[0] = value;
        address[] memory jurors = court.jury(id);
        for (uint256 i; i < jurors.length; ++i) {
            _commitTo(jurors[i], values, 0);
        }
        for (uint256 i; i < jurors.length; ++i) {
            _revealTo(jurors[i], values, 0);
        }
        court.finalise(id);
    }

    /// @dev Bits of those in `second` who are among the first `count` of `first`.
    function _bits(address[] memory second, address[] memory first, uint256 count) private pure returns (uint256 bits) {
        for (uint256 i; i < second.length; ++i) {
            for (uint256 j; j < count; ++j) {
                if (second[i] == first[j]) bits |= 1 << i;
            }
        }
    }

    function _wrongStage(IEvaluatorCourt.Stage stage) private view returns (bytes memory) {
        return abi.encodeWithSelector(IEvaluatorCourt.CourtWrongStage.selector, id, stage);
    }
}
