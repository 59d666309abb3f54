// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EvaluatorCourt} from "../src/EvaluatorCourt.sol";
import {IAgentRegistry, Role} from "../src/interfaces/IAgentRegistry.sol";
import {IEvaluatorCourt} from "../src/interfaces/IEvaluatorCourt.sol";
import {AgreementBase} from "./AgreementBase.sol";

/// @dev Cases are opened as the registry would; how it gets there is tested with the registry.
contract EvaluatorCourtTest is AgreementBase {
    bytes32 private constant ID = "case";

    // ---- Opening ----

    function testFuzz_only_the_registry_opens_a_case(address caller) public {
        vm.assume(caller != address(releases));
        vm.prank(caller);
        vm.expectRevert(_only(address(releases), caller));
        court.open(ID, job, "model", _roots(_evaluation(1)), new uint32[](0));
    }

    function test_a_case_is_opened_once() public {
        _open(ID, _evaluation(1));
        _expectNoCase(ID, _evaluation(2), abi.encodeWithSelector(IEvaluatorCourt.CourtCaseExists.selector, ID));
        assertEq(uint8(court.courtCase(ID).stage), uint8(IEvaluatorCourt.Stage.Drawing), "stage");
        assertEq(court.evaluationRoots(ID)[0], _evaluation(1), "roots");
    }

    function test_a_panel_that_is_too_small_refuses_the_candidate() public {
        bytes memory refusal =
            abi.encodeWithSelector(IEvaluatorCourt.CourtPanelTooSmall.selector, uint256(4), uint256(5));
        vm.prank(address(releases));
        vm.expectRevert(refusal);
        court.open(ID, job, "model", _roots(_evaluation(1)), _three(7, 8, 9));
        assertEq(court.looks(_evaluation(1)), 0, "no look was taken");
    }

    // ---- Looks ----

    function test_three_candidates_look_at_the_same_rows_and_no_more() public {
        for (uint8 i; i < 3; ++i) {
            _open(bytes32(uint256(i) + 1), _evaluation(1));
            assertEq(court.looks(_evaluation(1)), i + 1, "looks");
        }
        _expectNoCase(ID, _evaluation(1), _exhausted(_evaluation(1)));
        _open(ID, _evaluation(2));
    }

    function test_looks_are_inherited_by_sets_that_share_rows() public {
        _open("first", _evaluation(1));
        _open("second", _evaluation(1));
        vm.startPrank(_agent(1));
        agents.commitEvaluation("shares", 40, _evaluation(1));
        agents.commitEvaluation("shares too", 40, "shares");
        agents.commitEvaluation("fresh", 40, 0);
        vm.stopPrank();
        assertEq(court.looks("shares too"), 2, "inherited");

        _open("third", "shares too");

        _expectNoCase(ID, _evaluation(1), _exhausted(_evaluation(1)));
        _expectNoCase(ID, "shares", _exhausted("shares"));
        assertEq(court.looks("fresh"), 0, "fresh rows");
    }

    function test_one_candidate_is_one_look_at_a_family() public {
        vm.prank(_agent(1));
        agents.commitEvaluation("shares", 40, _evaluation(1));
        bytes32[] memory roots = new bytes32[](2);
        (roots[0], roots[1]) = (_evaluation(1), "shares");
        vm.prank(address(releases));
        court.open(ID, job, "model", roots, new uint32[](0));

        assertEq(court.looks(_evaluation(1)), 1, "looks");
    }

    function test_only_committed_evaluation_rows_are_looked_at() public {
        bytes4 unknown = IAgentRegistry.AgentUnknownData.selector;
        _expectNoCase(ID, _training(1), abi.encodeWithSelector(unknown, _training(1)));
        _expectNoCase(ID, "unknown", abi.encodeWithSelector(unknown, bytes32("unknown")));
        vm.prank(address(releases));
        vm.expectRevert(abi.encodeWithSelector(IEvaluatorCourt.CourtWrongLength.selector, uint256(0), uint256(1)));
        court.open(ID, job, "model", new bytes32[](0), new uint32[](0));
    }

    // ---- Draw ----

    function testFuzz_the_jury_excludes_contributors_and_proposer(bytes32 first, bytes32 second) public {
        vm.assume(first != 0 && second != 0);
        vm.prank(address(releases));
        court.open(ID, job, "model", _roots(_evaluation(1)), _three(8, 11, INSTITUTE));
        vm.roll(block.number + 3);
        vm.setBlockhash(block.number - 2, first);
        vm.setBlockhash(block.number - 1, second);

        court.draw(ID);

        address[] memory jurors = court.jury(ID);
        assertEq(jurors.length, 5, "size");
        for (uint256 i; i < 5; ++i) {
            uint32 organisation = agents.organisationOf(jurors[i]);
            assertTrue(organisation >= FIRST_LAB && organisation != 8 && organisation != 11, "may sit");
            for (uint256 j; j < i; ++j) {
                assertTrue(jurors[i] != jurors[j], "sits once");
            }
        }
    }

    function test_the_jury_waits_for_two_blocks_and_is_drawn_once() public {
        _open(ID, _evaluation(1));
        uint256 openedAt = block.number;
        for (uint256 i; i < 3; ++i) {
            vm.roll(openedAt + i);
            vm.expectRevert(abi.encodeWithSelector(IEvaluatorCourt.CourtTooEarly.selector, openedAt + i));
            court.draw(ID);
        }
        vm.roll(openedAt + 3);
        court.draw(ID);

        vm.expectRevert(_wrongStage(IEvaluatorCourt.Stage.Committing));
        court.draw(ID);
    }

    function test_a_draw_that_comes_too_late_closes_the_case() public {
        _open(ID, _evaluation(1));
        vm.roll(block.number + 257);
        uint256 last = KEYS.snapshotState();
        court.draw(ID);
        assertEq(uint8(court.courtCase(ID).stage), uint8(IEvaluatorCourt.Stage.Committing), "still in time");

        KEYS.revertToState(last);
        vm.roll(block.number + 1);
        court.draw(ID);
        assertEq(uint8(court.courtCase(ID).stage), uint8(IEvaluatorCourt.Stage.Lapsed), "lapsed");
        assertEq(court.resultHash(ID), 0, "no result");
    }

    /// @dev Whoever is removed, the seed is the same, and the seat goes to the next.
    function test_a_removal_after_the_opening_moves_no_other_seat() public {
        _open(ID, _evaluation(1));
        vm.roll(block.number + 3);
        uint256 before = KEYS.snapshotState();
        court.draw(ID);
        address[] memory jurors = court.jury(ID);
        KEYS.revertToState(before);
        uint32 leaver = agents.organisationOf(jurors[1]);
        vm.prank(AMENDMENTS);
        agents.remove(leaver);

        court.draw(ID);

        address[] memory after_ = court.jury(ID);
        assertEq(after_[0], jurors[0], "first seat");
        for (uint256 i = 2; i < 5; ++i) {
            assertEq(after_[i - 1], jurors[i], "moved up");
        }
    }

    function test_joining_after_the_opening_gives_no_seat() public {
        _open(ID, _evaluation(1));
        _bind(1, 0xBEEF, Role.EVALUATOR);
        vm.prank(TIMELOCK);
        court.joinPanel(1);
        vm.roll(block.number + 3);
        for (uint256 i; i < 20; ++i) {
            uint256 before = KEYS.snapshotState();
            vm.setBlockhash(block.number - 1, keccak256(abi.encode(i)));
            court.draw(ID);
            address[] memory jurors = court.jury(ID);
            for (uint256 j; j < 5; ++j) {
                assertTrue(jurors[j] != vm.addr(0xBEEF), "not eligible at the opening");
            }
            KEYS.revertToState(before);
        }
    }

    function test_without_enough_evaluators_left_nothing_is_drawn() public {
        _open(ID, _evaluation(1));
        for (uint32 i; i < 3; ++i) {
            vm.prank(AMENDMENTS);
            agents.remove(FIRST_LAB + i);
        }
        vm.roll(block.number + 3);
        vm.expectRevert(abi.encodeWithSelector(IEvaluatorCourt.CourtPanelTooSmall.selector, uint256(4), uint256(5)));
        court.draw(ID);
    }

    // ---- Panel and settings ----

    function test_a_vote_adds_an_active_organisation_to_the_panel_once() public {
        vm.prank(TIMELOCK);
        court.joinPanel(1);
        assertEq(court.panel().length, 8, "panel");

        vm.startPrank(TIMELOCK);
        vm.expectRevert(abi.encodeWithSelector(IEvaluatorCourt.CourtAlreadyOnPanel.selector, uint32(1)));
        court.joinPanel(1);
        vm.expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentUnknownOrganisation.selector, uint32(99)));
        court.joinPanel(99);
        vm.stopPrank();
        vm.expectRevert(_only(TIMELOCK, address(this)));
        court.joinPanel(2);
    }

    function test_settings_without_jury_window_or_stake_are_refused() public {
        IEvaluatorCourt.Settings memory s = _settings();
        s.jurySize = 0;
        _expectBadSettings(s, _metrics());
        s = _settings();
        s.highJurySize = 16;
        _expectBadSettings(s, _metrics());
        s = _settings();
        s.appealWindowS = 0;
        _expectBadSettings(s, _metrics());
        s = _settings();
        s.stakeE18 = 0;
        _expectBadSettings(s, _metrics());
        s = _settings();
        s.maxLooks = 0;
        _expectBadSettings(s, _metrics());
        s = _settings();
        s.commitWindowS = 0;
        _expectBadSettings(s, _metrics());
        s = _settings();
        s.metricCode = 0;
        _expectBadSettings(s, _metrics());
        _expectBadSettings(_settings(), new IEvaluatorCourt.Metric[](0));
        _expectBadSettings(_settings(), new IEvaluatorCourt.Metric[](2));
    }

    // ---- Internal ----

    function _roots(bytes32 root) private pure returns (bytes32[] memory roots) {
        roots = new bytes32[](1);
        roots[0] = root;
    }

    function _three(uint32 a, uint32 b, uint32 c) private pure returns (uint32[] memory list) {
        list = new uint32[](3);
        (list[0], list[1], list[2]) = (a, b, c);
    }

    function _open(bytes32 id, bytes32 root) private {
        vm.prank(address(releases));
        court.open(id, job, "model", _roots(root), new uint32[](0));
    }

    function _expectNoCase(bytes32 id, bytes32 root, bytes memory refusal) private {
        vm.prank(address(releases));
        vm.expectRevert(refusal);
        court.open(id, job, "model", _roots(root), new uint32[](0));
    }

    function _only(address allowed, address caller) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IEvaluatorCourt.CourtOnly.selector, allowed, caller);
    }

    function _exhausted(bytes32 root) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IEvaluatorCourt.CourtLooksExhausted.selector, root, uint8(3));
    }

    function _wrongStage(IEvaluatorCourt.Stage stage) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IEvaluatorCourt.CourtWrongStage.selector, ID, stage);
    }

    function _expectBadSettings(IEvaluatorCourt.Settings memory s, IEvaluatorCourt.Metric[] memory m) private {
        vm.expectRevert(IEvaluatorCourt.CourtBadSettings.selector);
        new EvaluatorCourt(_addresses(), s, m, new uint32[](0));
    }
}
