// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEvaluatorCourt} from "../../src/interfaces/IEvaluatorCourt.sol";
import {CourtBase} from "../CourtBase.sol";

/// @dev Juries at their smallest majorities, largest sizes and last seconds.
contract CourtEdgesTest is CourtBase {
    int128 private constant NO = 0;

    // ---- Reveals ----

    function test_a_case_waits_for_reveals_up_to_the_last_second() public {
        address[] memory jurors = _drawNow();
        for (uint256 i; i < jurors.length; ++i) {
            _commitTo(jurors[i], _gap(FAIR), 0);
        }
        for (uint256 i; i < 3; ++i) {
            _revealTo(jurors[i], _gap(FAIR), 0);
        }
        uint64 endS = court.courtCase(id).windowEndS;
        vm.warp(endS);
        vm.expectRevert(abi.encodeWithSelector(IEvaluatorCourt.CourtWindowOpen.selector, endS));
        court.finalise(id);
        vm.warp(endS + 1);
        court.finalise(id);
        _expectStage(IEvaluatorCourt.Stage.Final);
    }

    function test_half_of_a_jury_decides_nothing() public {
        _ask(4);
        address[] memory jurors = _drawNow();
        for (uint256 i; i < 2; ++i) {
            _commitTo(jurors[i], _values(NO), 0);
        }
        vm.warp(court.courtCase(id).windowEndS + 1);
        for (uint256 i; i < 2; ++i) {
            _revealTo(jurors[i], _values(NO), 0);
        }
        court.finalise(id);
        _expectStage(IEvaluatorCourt.Stage.Lapsed);
    }

    function test_a_value_at_the_tolerance_does_not_deviate() public {
        address[] memory jurors = _drawNow();
        int128 tolerance = int128(uint128(TOLERANCE));
        int128[5] memory gaps = [FAIR - tolerance, FAIR, FAIR, FAIR, FAIR + tolerance];
        for (uint256 i; i < 5; ++i) {
            _commitTo(jurors[i], _gap(gaps[i]), 0);
        }
        for (uint256 i; i < 5; ++i) {
            _revealTo(jurors[i], _gap(gaps[i]), 0);
        }
        court.finalise(id);
        _waitForAppeals();
        court.settle(id);
        for (uint256 i; i < 5; ++i) {
            assertEq(_stakeOf(jurors[i]), STAKE, "stake");
        }
        assertEq(_treasury(), 0, "treasury");
    }

    // ---- Appeals ----

    function test_half_of_the_first_jury_does_not_hear_an_appeal() public {
        _ask(4);
        _drawNow();
        _answer();
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

    function test_an_appeal_whose_panel_went_is_not_drawn() public {
        _drawNow();
        _measureAs(0, 0, FAIR);
        _appealAs(STRANGER);
        uint32[] memory labs = court.panel();
        for (uint256 i; i < labs.length - 2; ++i) {
            vm.prank(_amendments());
            court.removeFromPanel(labs[i]);
        }
        vm.roll(block.number + 3);
        vm.expectRevert(abi.encodeWithSelector(IEvaluatorCourt.CourtPanelTooSmall.selector, 2, 3));
        court.draw(id);
    }

    function test_a_panel_of_3k_hears_appeals_whole() public {
        IEvaluatorCourt.Settings memory given = _settings();
        (given.jurySize, given.highJurySize) = (2, 2);
        _set(given);
        assertFalse(court.appealIsWholePanel(), "7 is 3 x 2 + 1");
        vm.prank(_amendments());
        court.removeFromPanel(FIRST_LAB);
        assertTrue(court.appealIsWholePanel(), "6 is less");
    }

    // ---- Settings ----

    function test_the_largest_jury_and_the_longest_list_of_metrics_are_allowed() public {
        IEvaluatorCourt.Settings memory given = _settings();
        (given.jurySize, given.highJurySize) = (15, 15);
        _set(given);
        assertEq(court.settings().highJurySize, 15, "jury");
        IEvaluatorCourt.Metric[] memory most = new IEvaluatorCourt.Metric[](32);
        for (uint256 i; i < most.length; ++i) {
            most[i].key = bytes32(i + 1);
        }
        vm.prank(_amendments());
        court.setMetrics(most);
        assertEq(court.metrics().length, 32, "metrics");
    }

    // ---- Arranging ----

    /// @dev A question instead of a candidate, for which any jury of this size will do.
    function _ask(uint8 size) private {
        IEvaluatorCourt.Settings memory given = _settings();
        (given.jurySize, given.highJurySize) = (size, size);
        _set(given);
        id = "a question";
        vm.prank(_disputes());
        court.openDispute(id, "evidence", new uint32[](0));
    }

    function _answer() private {
        address[] memory jurors = court.jury(id);
        for (uint256 i; i < jurors.length; ++i) {
            _commitTo(jurors[i], _values(NO), 0);
        }
        for (uint256 i; i < jurors.length; ++i) {
            _revealTo(jurors[i], _values(NO), 0);
        }
        court.finalise(id);
    }

    function _values(int128 value) private pure returns (int128[] memory values) {
        values = new int128[](1);
        values[0] = value;
    }
}
