// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEvaluatorCourt} from "../src/interfaces/IEvaluatorCourt.sol";
import {CourtBase} from "./CourtBase.sol";
import {Kind} from "../src/types/Market.sol";
import {CANDIDATE_BOND_E18} from "./Gate.sol";

/// @dev Stakes, settings, panel, signed commitments, questions, and what settlement takes.
contract EvaluatorStakesTest is CourtBase {
    // ---- Stakes ----

    function test_only_its_operator_stakes_for_an_organisation() public {
        vm.expectRevert(_only(_operator(FIRST_LAB), address(this)));
        court.stake(_agent(FIRST_LAB), 1);
        vm.expectRevert(_only(_operator(FIRST_LAB), address(this)));
        court.askUnstake(_agent(FIRST_LAB));
        vm.expectRevert(_only(address(0), address(this)));
        court.stake(STRANGER, 1);
    }

    function test_an_organisation_without_enough_stake_is_not_drawn() public {
        IEvaluatorCourt.Settings memory given = _settings();
        given.stakeE18 = STAKE + 1;
        _set(given);
        for (uint32 i = FIRST_LAB; i < FIRST_LAB + 4; ++i) {
            _topUp(i, 1);
        }
        vm.prank(_disputes());
        vm.expectRevert(abi.encodeWithSelector(IEvaluatorCourt.CourtPanelTooSmall.selector, uint256(4), uint256(5)));
        court.openDispute("question", "evidence", new uint32[](0));
        _topUp(FIRST_LAB + 4, 1);
        vm.prank(_disputes());
        court.openDispute("question", "evidence", new uint32[](0));
    }

    function test_who_leaves_is_drawn_no_more_and_waits() public {
        for (uint32 i; i < 2; ++i) {
            vm.prank(_operator(FIRST_LAB + i));
            court.askUnstake(_agent(FIRST_LAB + i));
        }
        id = "question";
        vm.prank(_disputes());
        court.openDispute(id, "evidence", new uint32[](0));
        address[] memory jurors = _drawNow();
        for (uint256 i; i < 5; ++i) {
            assertTrue(_lab(jurors[i]) >= FIRST_LAB + 2, "who stayed");
        }
        uint64 leavesAtS = court.service(FIRST_LAB).leavesAtS;
        assertEq(leavesAtS, block.timestamp + 7 days, "delay");
        vm.warp(leavesAtS - 1);
        vm.expectRevert(_locked(FIRST_LAB, leavesAtS, 0));
        court.unstake(FIRST_LAB);
        vm.warp(leavesAtS);
        court.unstake(FIRST_LAB);
        assertEq(vault.balanceOf(_operator(FIRST_LAB)), STAKE, "the operator's");
        vm.expectRevert(_locked(FIRST_LAB, 0, 0));
        court.unstake(FIRST_LAB);
    }

    function test_a_stake_does_not_leave_while_a_case_is_open_and_pays_for_it() public {
        address[] memory jurors = _drawNow();
        uint32 lab = _lab(jurors[0]);
        vm.prank(_operator(lab));
        court.askUnstake(jurors[0]);
        uint64 leavesAtS = court.service(lab).leavesAtS;
        vm.warp(leavesAtS + 1);
        vm.expectRevert(_locked(lab, leavesAtS, 1));
        court.unstake(lab);
        court.finalise(id);
        _expectStage(IEvaluatorCourt.Stage.Lapsed);
        court.settle(id);
        assertEq(_stakeOf(jurors[0]), STAKE - SLASH, "absent");
        court.unstake(lab);
        assertEq(vault.balanceOf(_operator(lab)), STAKE - SLASH, "the rest");
    }

    function test_staking_again_takes_back_the_wish_to_leave() public {
        vm.prank(_operator(FIRST_LAB));
        court.askUnstake(_agent(FIRST_LAB));
        _topUp(FIRST_LAB, 1);
        assertEq(court.service(FIRST_LAB).leavesAtS, 0, "stays");
        assertEq(court.service(FIRST_LAB).stakeE18, STAKE + 1, "stake");
    }

    // ---- Settlement ----

    function test_who_can_give_nothing_is_neither_paid_nor_slashed() public {
        address[] memory jurors = _drawNow();
        for (uint256 i; i < 5; ++i) {
            _commitTo(jurors[i], i == 0 ? _nothing() : _gap(FAIR), 0);
        }
        for (uint256 i; i < 5; ++i) {
            _revealTo(jurors[i], i == 0 ? _nothing() : _gap(FAIR), 0);
        }
        court.finalise(id);
        _waitForAppeals();
        court.settle(id);
        assertFalse(court.hasRevealed(id, jurors[0]), "not paid");
        assertTrue(court.hasRevealed(id, jurors[1]), "paid");
        assertEq(_treasury(), 0, "nothing taken");
    }

    function testFuzz_deviation_begins_beyond_the_tolerance(uint64 off) public {
        off %= 3 * TOLERANCE;
        address[] memory jurors = _drawNow();
        for (uint256 i; i < 5; ++i) {
            _commitTo(jurors[i], _gap(i == 0 ? FAIR + int64(off) : FAIR), 0);
        }
        for (uint256 i; i < 5; ++i) {
            _revealTo(jurors[i], _gap(i == 0 ? FAIR + int64(off) : FAIR), 0);
        }
        court.finalise(id);
        _waitForAppeals();
        court.settle(id);
        assertEq(_treasury(), off > TOLERANCE ? SLASH : 0, "taken");
    }

    /// @dev Whatever jurors do, what the vault holds for the court and credits is what came in.
    function testFuzz_stakes_and_slashes_conserve_to_the_wei(uint256 lies, uint256 shows, bool appeals, uint256 later) public {
        uint256 beforeE18 = credit.balanceOf(address(vault));
        _play(lies, shows);
        uint256 bondE18;
        if (appeals && court.courtCase(id).stage == IEvaluatorCourt.Stage.Final) {
            _appealAs(STRANGER);
            bondE18 = BOND;
            _play(later, lies ^ shows);
        }
        vm.warp(block.timestamp + 30 days);
        court.settle(id);
        vm.expectRevert(abi.encodeWithSelector(IEvaluatorCourt.CourtNotSettleable.selector, id));
        court.settle(id);

        uint256 stakesE18;
        uint256 slashedE18;
        for (uint32 i = FIRST_LAB; i <= ORGANISATIONS; ++i) {
            IEvaluatorCourt.Service memory served = court.service(i);
            (, uint128 heldE18) = vault.held(address(court), keccak256(abi.encode("stake", i)));
            assertEq(heldE18, served.stakeE18, "held is the stake");
            assertEq(served.openSeats, 0, "no open seat");
            assertEq(served.stakeE18 + served.slashedE18, STAKE, "stake or slashed");
            stakesE18 += served.stakeE18;
            slashedE18 += served.slashedE18;
        }
        assertEq(credit.balanceOf(address(vault)), beforeE18 + bondE18, "nothing left");
        (, uint128 candidateE18) = vault.held(address(releases), id);
        assertEq(candidateE18, CANDIDATE_BOND_E18, "the candidate's bond is not the jury's");
        // The job's bonus and an owner's bond lie beside the stakes, and no juror moves them.
        (, uint128 bonusE18) = vault.held(address(book), job);
        (, uint128 pledgeE18) = vault.held(address(book), agreements[Kind.Data][1]);
        assertEq(bonusE18 + pledgeE18, BONUS + PLEDGE, "the market's is not the jury's");
        assertEq(stakesE18 + slashedE18 + candidateE18 + BONUS + PLEDGE, beforeE18, "in is out");
        assertEq(_treasury() + vault.balanceOf(STRANGER), slashedE18 + bondE18, "credited");
    }

    // ---- Signed commitments ----

    function test_a_juror_without_gas_signs_and_somebody_sends() public {
        address[] memory jurors = _drawNow();
        bytes32 commitment = _commitment(jurors[0], _gap(FAIR), 0);
        uint64 endS = court.courtCase(id).windowEndS;
        bytes memory signature = _signCommit(_lab(jurors[0]), commitment, endS);
        vm.prank(STRANGER);
        court.commitFor(id, jurors[0], commitment, endS, signature);
        vm.warp(endS + 1);
        vm.prank(STRANGER);
        _revealTo(jurors[0], _gap(FAIR), 0);
        assertTrue(court.hasRevealed(id, jurors[0]), "revealed");
    }

    /// @dev Threat 2.
    function test_a_signed_commitment_is_nobody_elses_and_of_one_jury_only() public {
        address[] memory jurors = _drawNow();
        bytes32 commitment = _commitment(jurors[0], _gap(FAIR), 0);
        uint64 endS = court.courtCase(id).windowEndS;
        bytes memory signature = _signCommit(_lab(jurors[0]), commitment, endS);
        vm.expectRevert(abi.encodeWithSelector(IEvaluatorCourt.CourtNotJuror.selector, jurors[1]));
        court.commitFor(id, jurors[1], commitment, endS, signature);
        vm.expectRevert(abi.encodeWithSelector(IEvaluatorCourt.CourtNotJuror.selector, jurors[0]));
        court.commitFor(id, jurors[0], "another", endS, signature);
        vm.expectRevert(abi.encodeWithSelector(IEvaluatorCourt.CourtNotJuror.selector, jurors[0]));
        court.commitFor(id, jurors[0], commitment, endS, hex"00");
        vm.expectRevert(abi.encodeWithSelector(IEvaluatorCourt.CourtBadDeadline.selector, endS));
        court.commitFor(id, jurors[0], commitment, endS + 1, signature);

        _measureAs(0, 0, UNFAIR);
        _appealAs(STRANGER);
        vm.warp(block.timestamp + 1);
        _drawNow();
        uint64 laterS = court.courtCase(id).windowEndS;
        vm.expectRevert(abi.encodeWithSelector(IEvaluatorCourt.CourtBadDeadline.selector, laterS));
        court.commitFor(id, jurors[0], commitment, endS, signature);
    }

    // ---- Questions ----

    function test_only_disputes_ask_and_the_answer_is_yes_or_no() public {
        vm.expectRevert(_only(_disputes(), address(this)));
        court.openDispute("question", "evidence", new uint32[](0));
        vm.prank(_disputes());
        court.openDispute("question", "evidence", new uint32[](0));
        id = "question";
        address[] memory jurors = _drawNow();
        _commitTo(jurors[0], _one(5), 0);
        for (uint256 i = 1; i < 5; ++i) {
            _commitTo(jurors[i], _one(i < 4 ? int128(1e6) : int128(0)), 0);
        }
        vm.expectRevert(abi.encodeWithSelector(IEvaluatorCourt.CourtBadAnswer.selector, int128(5)));
        _revealTo(jurors[0], _one(5), 0);
        for (uint256 i = 1; i < 5; ++i) {
            _revealTo(jurors[i], _one(i < 4 ? int128(1e6) : int128(0)), 0);
        }
        vm.warp(court.courtCase(id).windowEndS + 1);
        court.finalise(id);
        (bool known, bool upheld) = court.verdict(id);
        assertFalse(known, "may be appealed");
        _waitForAppeals();
        (known, upheld) = court.verdict(id);
        assertTrue(upheld && known, "three of four");
    }

    function test_a_tie_upholds_nothing() public {
        vm.prank(_disputes());
        court.openDispute("question", "evidence", new uint32[](0));
        id = "question";
        address[] memory jurors = _drawNow();
        for (uint256 i; i < 4; ++i) {
            _commitTo(jurors[i], _one(i < 2 ? int128(1e6) : int128(0)), 0);
        }
        vm.warp(court.courtCase(id).windowEndS + 1);
        for (uint256 i; i < 4; ++i) {
            _revealTo(jurors[i], _one(i < 2 ? int128(1e6) : int128(0)), 0);
        }
        court.finalise(id);
        _waitForAppeals();
        (bool known, bool upheld) = court.verdict(id);
        assertTrue(!upheld && known, "two of four");
    }

    // ---- Settings and panel ----

    /// @dev Finding 17.
    function test_settings_metrics_and_removal_wait_for_amendments() public {
        vm.startPrank(address(timelock));
        vm.expectRevert(_only(_amendments(), address(timelock)));
        court.setSettings(_settings());
        vm.expectRevert(_only(_amendments(), address(timelock)));
        court.setMetrics(_metrics());
        vm.expectRevert(_only(_amendments(), address(timelock)));
        court.removeFromPanel(FIRST_LAB);
        vm.stopPrank();
    }

    function test_a_running_case_keeps_its_settings_and_metrics() public {
        IEvaluatorCourt.Settings memory given = _settings();
        (given.commitWindowS, given.appealBondE18) = (1, 1);
        _set(given);
        IEvaluatorCourt.Metric[] memory measured = new IEvaluatorCourt.Metric[](1);
        measured[0] = IEvaluatorCourt.Metric("auc", true, 5);
        vm.prank(_amendments());
        court.setMetrics(measured);
        assertEq(court.metrics().length, 1, "later cases");
        assertEq(court.metrics()[0].toleranceMicros, 5, "tolerance");
        assertEq(court.settings().commitWindowS, 1, "later window");
        _drawNow();
        assertEq(court.courtCase(id).windowEndS, block.timestamp + 1 days, "window");
        _measureAs(0, 0, FAIR);
        (int128 gap, bool known) = court.median(id, "tpr_gap_abs");
        assertTrue(known && gap == FAIR, "measured");
        _appealAs(STRANGER);
        (, uint128 heldE18) = vault.held(address(court), id);
        assertEq(heldE18, BOND, "bond");
    }

    function test_who_is_removed_from_the_panel_sits_no_more() public {
        vm.startPrank(_amendments());
        court.removeFromPanel(FIRST_LAB);
        vm.expectRevert(abi.encodeWithSelector(IEvaluatorCourt.CourtNotOnPanel.selector, uint32(FIRST_LAB)));
        court.removeFromPanel(FIRST_LAB);
        vm.stopPrank();
        uint32[] memory panel = court.panel();
        assertEq(panel.length, 6, "panel");
        assertEq(panel[0], ORGANISATIONS, "the last takes its place");
        address[] memory jurors = _drawNow();
        for (uint256 i; i < 5; ++i) {
            assertTrue(_lab(jurors[i]) != FIRST_LAB, "removed");
        }
    }

    // ---- Internal ----

    function _one(int128 value) private pure returns (int128[] memory values) {
        values = new int128[](1);
        values[0] = value;
    }

    function _topUp(uint32 organisation, uint128 amountE18) private {
        credit.transfer(_operator(organisation), amountE18);
        vm.startPrank(_operator(organisation));
        credit.approve(address(vault), amountE18);
        court.stake(_agent(organisation), amountE18);
        vm.stopPrank();
    }

    /// @dev Juror i lies if bit i of lies is set, commits if bit i of shows is, and reveals unless bit i + 16 is.
    function _play(uint256 lies, uint256 shows) private {
        address[] memory jurors = _drawNow();
        for (uint256 i; i < jurors.length; ++i) {
            if (shows & (1 << i) != 0) _commitTo(jurors[i], _gap(lies & (1 << i) != 0 ? UNFAIR : FAIR), 0);
        }
        vm.warp(block.timestamp + 1 days + 1);
        if (court.courtCase(id).stage == IEvaluatorCourt.Stage.Revealing) {
            for (uint256 i; i < jurors.length; ++i) {
                bool shown = shows & (1 << i) != 0 && lies & (1 << (i + 16)) == 0;
                if (shown) _revealTo(jurors[i], _gap(lies & (1 << i) != 0 ? UNFAIR : FAIR), 0);
            }
        }
        vm.warp(court.courtCase(id).windowEndS + 1);
        court.finalise(id);
    }

    function _signCommit(uint32 organisation, bytes32 commitment, uint64 deadlineS) private view returns (bytes memory) {
        bytes32 typeHash = keccak256(
            "EvaluationCommit(bytes32 caseId,bytes32 artifact,address juror,bytes32 commitment,uint64 deadlineS)"
        );
        bytes32 structHash = keccak256(
            abi.encode(typeHash, id, court.courtCase(id).artifact, _agent(organisation), commitment, deadlineS)
        );
        return _sign(_key(organisation), _typed("Folkmoot EvaluatorCourt", address(court), structHash));
    }

    function _only(address allowed, address caller) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IEvaluatorCourt.CourtOnly.selector, allowed, caller);
    }

    function _locked(uint32 organisation, uint64 leavesAtS, uint32 seats) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IEvaluatorCourt.CourtStakeLocked.selector, organisation, leavesAtS, seats);
    }
}
