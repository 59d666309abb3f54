// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEvaluatorCourt} from "../src/interfaces/IEvaluatorCourt.sol";
import {AgreementBase} from "./AgreementBase.sol";

/// @dev From the drawn jury to the median.
contract EvaluatorCourtVerdictTest is AgreementBase {
    bytes32 private constant ID = "case";
    int128 private constant MISSING = type(int128).min;

    address[] private jurors;

    function setUp() public override {
        super.setUp();
        bytes32[] memory roots = new bytes32[](1);
        roots[0] = _evaluation(1);
        vm.prank(address(releases));
        court.open(ID, job, "model", roots, new uint32[](0));
        jurors = _draw(ID);
    }

    // ---- Commit ----

    function test_only_drawn_jurors_commit_once_and_not_nothing() public {
        _expectNoCommit(STRANGER, "c", abi.encodeWithSelector(IEvaluatorCourt.CourtNotJuror.selector, STRANGER));
        _expectNoCommit(jurors[0], 0, abi.encodeWithSelector(IEvaluatorCourt.CourtEmptyCommitment.selector));
        _commitTo(ID, jurors[0], _values(1));
        bytes memory again = abi.encodeWithSelector(IEvaluatorCourt.CourtAlreadyCommitted.selector, jurors[0]);
        _expectNoCommit(jurors[0], "c", again);
    }

    function test_a_juror_whose_key_was_withdrawn_commits_nothing() public {
        uint32 organisation = agents.organisationOf(jurors[0]);
        vm.prank(_operator(organisation));
        agents.unbind(jurors[0]);
        _expectNoCommit(jurors[0], "c", abi.encodeWithSelector(IEvaluatorCourt.CourtNotJuror.selector, jurors[0]));
    }

    function test_the_commit_window_ends() public {
        uint64 endS = court.courtCase(ID).windowEndS;
        assertEq(endS, START_S + 1 days, "window");
        vm.warp(endS);
        _commitTo(ID, jurors[0], _values(1));
        vm.warp(endS + 1);
        _expectNoCommit(jurors[1], "c", _wrongStage(IEvaluatorCourt.Stage.Revealing));
        IEvaluatorCourt.Case memory found = court.courtCase(ID);
        assertEq(uint8(found.stage), uint8(IEvaluatorCourt.Stage.Revealing), "stage by time");
        assertEq(found.windowEndS, endS + 2 days, "reveal window by time");
    }

    function test_revealing_begins_as_soon_as_all_have_committed() public {
        _commitAll();
        IEvaluatorCourt.Case memory found = court.courtCase(ID);
        assertEq(uint8(found.stage), uint8(IEvaluatorCourt.Stage.Revealing), "stage");
        assertEq(found.windowEndS, START_S + 2 days, "reveal window");
        _expectNoCommit(jurors[0], "c", _wrongStage(IEvaluatorCourt.Stage.Revealing));
    }

    // ---- Reveal ----

    function test_nobody_reveals_while_others_may_still_commit() public {
        _commitTo(ID, jurors[0], _values(1));
        _expectNoReveal(jurors[0], _values(1), _wrongStage(IEvaluatorCourt.Stage.Committing));
    }

    function test_nobody_reveals_after_the_window() public {
        _commitAll();
        uint64 endS = court.courtCase(ID).windowEndS;
        vm.warp(endS + 1);
        _expectNoReveal(jurors[0], _values(1), abi.encodeWithSelector(IEvaluatorCourt.CourtWindowOver.selector, endS));
    }

    function test_a_copied_commitment_cannot_be_revealed() public {
        bytes32 commitment = _commitment(ID, jurors[0], _values(1));
        vm.prank(jurors[1]);
        court.commit(ID, commitment);
        _commitTo(ID, jurors[0], _values(1));
        vm.warp(START_S + 1 days + 1);
        _revealTo(ID, jurors[0], _values(1));

        _expectNoReveal(jurors[1], _values(1), _mismatch(jurors[1]));
    }

    function test_only_what_was_committed_is_revealed_and_once() public {
        _commitAll();
        _expectNoReveal(jurors[0], _values(2), _mismatch(jurors[0]));
        _expectNoReveal(STRANGER, _values(1), abi.encodeWithSelector(IEvaluatorCourt.CourtNotJuror.selector, STRANGER));
        bytes memory length =
            abi.encodeWithSelector(IEvaluatorCourt.CourtWrongLength.selector, uint256(2), uint256(3));
        _expectNoReveal(jurors[0], new int128[](2), length);
        _revealTo(ID, jurors[0], _values(1));
        assertTrue(court.hasRevealed(ID, jurors[0]), "revealed");
        _expectNoReveal(jurors[0], _values(1), _mismatch(jurors[0]));
    }

    function test_who_has_not_committed_reveals_nothing() public {
        _commitTo(ID, jurors[0], _values(1));
        vm.warp(START_S + 1 days + 1);
        _expectNoReveal(jurors[1], _values(1), _mismatch(jurors[1]));
    }

    // ---- Result ----

    function test_five_reveals_settle_at_once_by_the_middle() public {
        int128[5] memory aucs = [int128(810_000), 100_000, 800_000, 999_999, 790_000];
        for (uint256 i; i < 5; ++i) {
            _commitTo(ID, jurors[i], _values(aucs[i]));
        }
        for (uint256 i; i < 5; ++i) {
            _expectOpen(court.courtCase(ID).windowEndS);
            _revealTo(ID, jurors[i], _values(aucs[i]));
        }

        court.finalise(ID);

        (int128 value, bool known) = court.median(ID, "auc");
        assertTrue(known && value == 800_000, "median");
        (, known) = court.median(ID, "unknown");
        assertFalse(known, "no such metric");
        assertEq(court.resultHash(ID), _resultHash(800_000, 5), "result hash");
    }

    function test_of_two_middle_values_the_worse_counts() public {
        for (uint256 i; i < 4; ++i) {
            int128[] memory values = _values(int128(uint128(i)));
            values[2] = int128(uint128(i));
            _commitTo(ID, jurors[i], values);
        }
        vm.warp(START_S + 1 days + 1);
        for (uint256 i; i < 4; ++i) {
            int128[] memory values = _values(int128(uint128(i)));
            values[2] = int128(uint128(i));
            _revealTo(ID, jurors[i], values);
        }
        court.finalise(ID);

        (int128 auc,) = court.median(ID, "auc");
        (int128 gap,) = court.median(ID, "tpr_gap_abs");
        assertTrue(auc == 1 && gap == 2, "worse of two");
    }

    function test_a_metric_that_most_could_not_give_stays_unknown() public {
        for (uint256 i; i < 5; ++i) {
            _commitTo(ID, jurors[i], _gapGiven(i < 2));
        }
        for (uint256 i; i < 5; ++i) {
            _revealTo(ID, jurors[i], _gapGiven(i < 2));
        }
        court.finalise(ID);

        (int128 value, bool known) = court.median(ID, "tpr_gap_abs");
        assertTrue(!known && value == 0, "unknown");
        (, known) = court.median(ID, "auc");
        assertTrue(known, "others are known");
    }

    function test_three_of_five_suffice_once_the_window_is_over() public {
        _commitAll();
        for (uint256 i; i < 3; ++i) {
            _revealTo(ID, jurors[i], _values(1));
        }
        _expectOpen(START_S + 2 days);
        (, bool known) = court.median(ID, "auc");
        assertFalse(known, "not before the end");

        vm.warp(START_S + 2 days + 1);
        court.finalise(ID);

        assertEq(court.resultHash(ID), _resultHash(1, 3), "result hash");
        vm.expectRevert(_wrongStage(IEvaluatorCourt.Stage.Final));
        court.finalise(ID);
    }

    function test_too_few_reveals_close_the_case() public {
        _commitAll();
        _revealTo(ID, jurors[0], _values(1));
        _revealTo(ID, jurors[1], _values(1));
        vm.warp(START_S + 2 days + 1);

        court.finalise(ID);

        assertEq(uint8(court.courtCase(ID).stage), uint8(IEvaluatorCourt.Stage.Lapsed), "stage");
        assertEq(court.resultHash(ID), 0, "no result");
        (, bool known) = court.median(ID, "auc");
        assertFalse(known, "no median");
    }

    function test_a_case_that_nobody_measures_lapses_after_the_commit_window() public {
        vm.expectRevert(_wrongStage(IEvaluatorCourt.Stage.Committing));
        court.finalise(ID);
        vm.warp(START_S + 1 days + 1);
        court.finalise(ID);
        assertEq(uint8(court.courtCase(ID).stage), uint8(IEvaluatorCourt.Stage.Lapsed), "stage");
    }

    function test_who_committed_may_reveal_after_the_commit_window_even_if_others_never_do() public {
        for (uint256 i; i < 3; ++i) {
            _commitTo(ID, jurors[i], _values(5));
        }
        vm.warp(START_S + 1 days + 1);
        for (uint256 i; i < 3; ++i) {
            _revealTo(ID, jurors[i], _values(5));
        }
        court.finalise(ID);
        assertEq(court.resultHash(ID), _resultHash(5, 3), "settled without waiting for who never committed");
    }

    // ---- Internal ----

    function _commitAll() private {
        for (uint256 i; i < 5; ++i) {
            _commitTo(ID, jurors[i], _values(1));
        }
    }

    function _gapGiven(bool given) private pure returns (int128[] memory values) {
        values = _values(1);
        if (!given) values[2] = MISSING;
    }

    function _resultHash(int128 auc, uint8 reveals) private pure returns (bytes32) {
        bytes32[] memory keys = new bytes32[](3);
        (keys[0], keys[1], keys[2]) = ("auc", "balanced_accuracy", "tpr_gap_abs");
        return keccak256(abi.encode(keys, _values(auc), reveals));
    }

    function _expectOpen(uint64 endS) private {
        vm.expectRevert(abi.encodeWithSelector(IEvaluatorCourt.CourtWindowOpen.selector, endS));
        court.finalise(ID);
    }

    function _expectNoCommit(address juror, bytes32 commitment, bytes memory refusal) private {
        vm.prank(juror);
        vm.expectRevert(refusal);
        court.commit(ID, commitment);
    }

    function _expectNoReveal(address juror, int128[] memory values, bytes memory refusal) private {
        vm.expectRevert(refusal);
        court.reveal(ID, juror, values, "report", 0, "salt");
    }

    function _mismatch(address juror) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IEvaluatorCourt.CourtCommitmentMismatch.selector, juror);
    }

    function _wrongStage(IEvaluatorCourt.Stage stage) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IEvaluatorCourt.CourtWrongStage.selector, ID, stage);
    }
}
