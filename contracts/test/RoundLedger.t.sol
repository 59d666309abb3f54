// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRoundLedger} from "../src/interfaces/IRoundLedger.sol";
import {Source} from "../src/types/Policy.sol";
import {AgreementBase} from "./AgreementBase.sol";
import {OneFact} from "./OneFact.sol";
import {Tree} from "./Tree.sol";

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
        assertEq(ledger.root(job, 0), "root", "root");
    }

    function test_contributors_are_declared_and_nothing_else() public {
        _post(0);
        bytes32 subject = keccak256(abi.encode(job, uint32(0)));
        (int128 value, uint8 source) = OneFact.fact(ledger, subject, "round_contributors", 0x7e);
        assertEq(uint128(value), OWNERS * 1e6, "value");
        assertEq(source, Source.DECLARED, "source");
        (, source) = OneFact.fact(ledger, subject, "round_contributors", 0x7e ^ Source.bit(Source.DECLARED));
        assertEq(source, Source.MISSING, "source not accepted");
        (, source) = OneFact.fact(ledger, subject, "dp_epsilon", 0x7e);
        assertEq(source, Source.MISSING, "unknown fact");
        (, source) = OneFact.fact(ledger, "unknown", "round_contributors", 0x7e);
        assertEq(source, Source.MISSING, "unknown round");
    }

    function test_a_leaf_is_contained_in_its_round_only() public {
        _postUpTo(2);
        bytes32[] memory proof = Tree.proof(_leaves(job, 0), 0);
        assertTrue(ledger.contains(job, 0, _agent(1), _digest(0, 1), proof), "own round");
        assertFalse(ledger.contains(job, 1, _agent(1), _digest(0, 1), proof), "other round");
        assertFalse(ledger.contains(job, 2, _agent(1), _digest(0, 1), proof), "no such round");
        assertFalse(ledger.contains(job, 0, _agent(2), _digest(0, 1), proof), "other agent");
        assertFalse(ledger.contains("unknown", 0, _agent(1), _digest(0, 1), proof), "no such job");
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
