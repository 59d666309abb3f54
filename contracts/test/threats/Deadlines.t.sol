// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEvaluatorCourt} from "../../src/interfaces/IEvaluatorCourt.sol";
import {IReleaseRegistry} from "../../src/interfaces/IReleaseRegistry.sol";
import {CourtBase} from "../CourtBase.sol";

/// @dev Who waits for a job's deadline to close a candidate that nobody could vote on yet.
contract DeadlineThreatsTest is CourtBase {
    uint256 private constant TO_CALL_S = 2 days;

    /// @dev Threat 13.
    function test_threat_13_no_candidate_is_closed_before_its_jury_is_drawn() public {
        _warpPastTheJob();
        _expectOpen();
        _drawNow();
        _expectOpen();
    }

    /// @dev Threat 13.
    function test_threat_13_a_case_that_nobody_worked_on_ends_before_its_candidate_is_closed() public {
        _drawNow();
        _warpPastTheWindow();
        _warpPastTheJob();
        _expectOpen();
        court.finalise(id);
        releases.refuse(id);
        _expectReason(IReleaseRegistry.RefusalReason.Jury);
    }

    /// @dev Threat 13.
    function test_threat_13_no_candidate_is_closed_while_it_can_be_appealed() public {
        _warpPastTheJob();
        _drawNow();
        _measureAs(0, 0, FAIR);
        _expectOpen();
        uint256 overS = court.courtCase(id).windowEndS;
        vm.warp(overS + TO_CALL_S);
        _expectOpen();
        vm.warp(overS + TO_CALL_S + 1);
        releases.refuse(id);
        _expectReason(IReleaseRegistry.RefusalReason.Vote);
    }

    /// @dev Threat 13.
    function test_threat_13_no_candidate_is_closed_while_an_appeal_runs() public {
        _warpPastTheJob();
        _drawNow();
        _measureAs(0, 0, UNFAIR);
        _appealAs(_member(1));
        vm.warp(block.timestamp + TO_CALL_S + 1);
        _expectOpen();
        _drawNow();
        _measureAs(0, 0, FAIR);
        vm.warp(block.timestamp + TO_CALL_S);
        _expectOpen();
        uint256 proposal = _proposeRelease(id);
        _carry(proposal);
        governor.execute(proposal);
        assertTrue(releases.isUsable(releases.release(id).artifact), "released");
    }

    // ---- Internal ----

    function _warpPastTheJob() private {
        vm.warp(book.job(releases.release(id).job).deadlineS + 1);
    }

    function _warpPastTheWindow() private {
        vm.warp(court.courtCase(id).windowEndS + 1);
    }

    function _expectOpen() private {
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseNotRefusable.selector, id));
        releases.refuse(id);
    }

    function _expectReason(IReleaseRegistry.RefusalReason reason) private view {
        assertEq(uint256(releases.release(id).reason), uint256(reason), "reason");
    }
}
