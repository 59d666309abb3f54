// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPolicyRegistry} from "../src/interfaces/IPolicyRegistry.sol";
import {IRoundLedger} from "../src/interfaces/IRoundLedger.sol";
import {Phase, Source} from "../src/types/Policy.sol";
import {AgreementBase} from "./AgreementBase.sol";
import {Tree} from "./Tree.sol";

/// @dev Stands where the policy stands and answers with what it was told, as if rules had failed.
contract PolicyThatReads {
    function evaluateFact(IPolicyRegistry.Fact calldata fact, uint128, uint8 phase) external pure returns (uint256, uint256) {
        if (fact.key != "round_contributors") return (0, 0);
        return (uint256(uint128(fact.value)) << 16 | uint256(fact.source) << 8 | phase, 0);
    }
}

contract RoundLedgerTest is AgreementBase {
    function test_rounds_go_in_order_up_to_the_last_of_the_last_candidate() public {
        _expectOutOfOrder(1, 0);
        _postUpTo(ALL_ROUNDS);
        assertEq(ledger.roundCount(job), ALL_ROUNDS, "count");
        _expectOutOfOrder(3, ALL_ROUNDS);
        _expectOutOfOrder(ALL_ROUNDS, ALL_ROUNDS);
    }

    function test_a_candidate_is_complete_with_its_last_round() public {
        _postUpTo(ROUNDS_EACH);
        assertFalse(ledger.isComplete(job, 0), "one is missing");
        _post(ROUNDS_EACH);
        assertTrue(ledger.isComplete(job, 0), "first candidate");
        assertFalse(ledger.isComplete(job, 1), "second candidate");
        _postUpTo(ALL_ROUNDS);
        assertTrue(ledger.isComplete(job, 2), "last candidate");
        assertFalse(ledger.isComplete(job, 3), "no such candidate");
        assertFalse(ledger.isComplete("unknown", 0), "no such job");
    }

    function test_only_the_jobs_active_coordinator_posts() public {
        vm.prank(_agent(1));
        vm.expectRevert(abi.encodeWithSelector(IRoundLedger.RoundOnlyCoordinator.selector, _agent(1)));
        ledger.post(job, 0, "root", 5);
        vm.prank(_operator(INSTITUTE));
        agents.unbind(_agent(INSTITUTE));
        _expect(0, "root", 5, abi.encodeWithSelector(IRoundLedger.RoundOnlyCoordinator.selector, _agent(INSTITUTE)));
    }

    function test_no_round_after_deadline_or_end_of_the_job() public {
        vm.warp(DEADLINE_S + 1);
        _expect(0, "root", 5, abi.encodeWithSelector(IRoundLedger.RoundTooLate.selector, DEADLINE_S));
        vm.prank(address(releases));
        book.finishJob(job, 0);
        _expect(0, "root", 5, abi.encodeWithSelector(IRoundLedger.RoundJobNotOpen.selector, job));
    }

    function test_an_empty_round_is_refused() public {
        _expect(0, 0, 5, abi.encodeWithSelector(IRoundLedger.RoundEmptyRoot.selector));
        _expect(0, "root", 0, abi.encodeWithSelector(IRoundLedger.RoundEmptyRoot.selector));
    }

    function test_too_few_contributors_are_vetoed_and_nothing_stays() public {
        _expect(0, "root", 3, abi.encodeWithSelector(IRoundLedger.RoundPolicyViolation.selector, ROUND_RULE));
        assertEq(ledger.roundCount(job), 0, "rounds");

        vm.prank(_agent(INSTITUTE));
        ledger.post(job, 0, "root", 4);
        assertEq(ledger.roundCount(job), 1, "posted");
    }

    function test_a_round_tells_the_rules_its_contributors_as_declared() public {
        vm.etch(address(policy), address(new PolicyThatReads()).code);
        uint256 read = uint256(OWNERS) * 1e6 << 16 | uint256(Source.DECLARED) << 8 | Phase.ROUND;
        _expect(0, "root", OWNERS + 1, abi.encodeWithSelector(IRoundLedger.RoundPolicyViolation.selector, read));
    }

    function test_a_leaf_is_contained_in_its_round_only() public {
        _postUpTo(2);
        bytes32[] memory proof = Tree.proof(_leaves(job, 0), 0);
        assertTrue(ledger.contains(job, _line(0), 0, _agent(1), _digest(0, 1), proof), "own round");
        assertFalse(ledger.contains(job, _line(0), 1, _agent(1), _digest(0, 1), proof), "other round");
        assertFalse(ledger.contains(job, _line(0), 2, _agent(1), _digest(0, 1), proof), "no such round");
        assertFalse(ledger.contains(job, _line(1), 0, _agent(1), _digest(0, 1), proof), "before the line");
        assertFalse(ledger.contains(job, _line(0), 0, _agent(2), _digest(0, 1), proof), "other agent");
        assertFalse(ledger.contains("unknown", _line(0), 0, _agent(1), _digest(0, 1), proof), "no such job");
    }

    // ---- Head ----

    function test_the_head_links_every_root_and_counts_them() public {
        assertEq(ledger.head(job), job & ~bytes32(uint256(0xffffffff)), "before any round");
        bytes32 expected = ledger.head(job);
        for (uint32 round; round < 3; ++round) {
            _post(round);
            bytes32 link = keccak256(abi.encode(expected, Tree.root(_leaves(job, round)), OWNERS + 1));
            expected = (link & ~bytes32(uint256(0xffffffff))) | bytes32(uint256(round) + 1);
            assertEq(ledger.head(job), expected, "head");
        }
        assertEq(ledger.roundCount(job), 3, "count");
    }

    function test_rounds_are_recorded_in_the_log_once() public {
        _postUpTo(2);
        uint64 before = releases.logLength();
        ledger.record(job);
        assertEq(releases.logLength(), before + 1, "recorded");
        ledger.record(job);
        ledger.record("unknown");
        assertEq(releases.logLength(), before + 1, "nothing new");
        _post(2);
        vm.prank(address(releases));
        book.finishJob(job, 0);
        assertEq(releases.logLength(), before + 3, "job and rounds");
    }

    function test_only_the_book_opens_and_finishes() public {
        vm.expectRevert(abi.encodeWithSelector(IRoundLedger.RoundOnlyBook.selector, address(this)));
        ledger.open("job", _jobTerms());
        vm.expectRevert(abi.encodeWithSelector(IRoundLedger.RoundOnlyBook.selector, address(this)));
        ledger.finish(job);
    }

    function _expectOutOfOrder(uint32 given, uint32 expected) private {
        _expect(given, "root", 5, abi.encodeWithSelector(IRoundLedger.RoundOutOfOrder.selector, given, expected));
    }

    function _expect(uint32 round, bytes32 root, uint32 leaves, bytes memory refusal) private {
        vm.prank(_agent(INSTITUTE));
        vm.expectRevert(refusal);
        ledger.post(job, round, root, leaves);
    }
}
