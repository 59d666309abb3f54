// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRoundChallenges} from "../../src/interfaces/IRoundChallenges.sol";
import {IRoundLedger} from "../../src/interfaces/IRoundLedger.sol";
import {Lines} from "../../src/libraries/Lines.sol";
import {IntegrationMode, JobTerms, Kind} from "../../src/types/Market.sol";
import {AgreementBase} from "../AgreementBase.sol";
import {Tree} from "../Tree.sol";

/// @dev Rounds, receipts and challenges at their last seconds, and with one thing wrong at a time.
contract RoundEdgesTest is AgreementBase {
    uint64 private constant BY_S = START_S + 2 days;

    // ---- Rounds ----

    function test_a_round_is_posted_up_to_the_last_second_of_its_job() public {
        vm.warp(DEADLINE_S);
        _post(0);
        assertEq(ledger.roundCount(job), 1, "posted");
    }

    function test_claims_for_all_rest_on_the_whole_line() public {
        bytes32 id = _make(Kind.Data, 1);
        _postUpTo(1);
        Lines.Line memory old = _line(0);
        _postUpTo(2);
        IRoundLedger.AgreementClaims[] memory all = new IRoundLedger.AgreementClaims[](1);
        all[0] = IRoundLedger.AgreementClaims(id, _claims(0, 1, 1));
        vm.expectRevert(abi.encodeWithSelector(IRoundLedger.RoundBadLine.selector, job));
        ledger.claimForAll(job, old, all);
        ledger.claimForAll(job, _line(0), all);
    }

    function test_no_anchor_proves_a_round_beyond_those_sold() public {
        job = _openAnother(IntegrationMode.Decoupled);
        bytes32 id = _make(Kind.Data, 1);
        bytes32[] memory leaves = new bytes32[](2);
        for (uint32 i; i < 2; ++i) {
            uint32 round = ALL_ROUNDS - 1 + i;
            leaves[i] = Tree.leaf(job, round, _agent(1), _digest(round, 1));
        }
        _postRoot(0, Tree.root(leaves), OWNERS + 1);
        IRoundLedger.RoundClaim[] memory claims = new IRoundLedger.RoundClaim[](1);
        claims[0] = IRoundLedger.RoundClaim(ALL_ROUNDS, _digest(ALL_ROUNDS, 1), Tree.proof(leaves, 1));
        Lines.Line memory line = _line(0);
        vm.prank(_agent(1));
        vm.expectRevert(abi.encodeWithSelector(IRoundLedger.RoundNotProven.selector, job, ALL_ROUNDS));
        ledger.claimRounds(id, line, claims);
        claims[0] = IRoundLedger.RoundClaim(ALL_ROUNDS - 1, _digest(ALL_ROUNDS - 1, 1), Tree.proof(leaves, 0));
        vm.prank(_agent(1));
        ledger.claimRounds(id, line, claims);
        assertEq(credit.balanceOf(_operator(1)), PRICE / ALL_ROUNDS, "the last that was sold");
    }

    // ---- Receipts ----

    function test_a_receipt_is_worth_nothing_for_a_closed_agreement() public {
        bytes32 id = _make(Kind.Data, 1);
        vm.prank(_operator(1));
        book.close(id);
        _expectNoReceipt(id, IRoundChallenges.Receipt(job, 0, _agent(1), _digest(0, 1), BY_S));
    }

    function test_a_receipt_is_worth_nothing_for_computing() public {
        bytes32 id = _make(Kind.Compute, CENTRE);
        _expectNoReceipt(id, IRoundChallenges.Receipt(job, 0, _agent(CENTRE), _digest(0, CENTRE), BY_S));
    }

    function test_a_receipt_is_worth_nothing_in_another_job() public {
        bytes32 id = _make(Kind.Data, 1);
        bytes32 other = _openAnother(IntegrationMode.Coupled);
        _expectNoReceipt(id, IRoundChallenges.Receipt(other, 0, _agent(1), _digest(0, 1), BY_S));
    }

    function test_a_receipt_is_worth_nothing_beyond_the_rounds_sold() public {
        bytes32 id = _make(Kind.Data, 1);
        _postUpTo(ALL_ROUNDS);
        _expectNoReceipt(
            id, IRoundChallenges.Receipt(job, ALL_ROUNDS, _agent(1), _digest(ALL_ROUNDS, 1), BY_S)
        );
    }

    // ---- Leaves ----

    function test_leaves_of_two_agents_or_two_rounds_are_no_equivocation() public {
        _postUpTo(2);
        Lines.Line memory line = _line(0);
        bytes memory refusal = abi.encodeWithSelector(IRoundLedger.RoundNotProven.selector, job, uint32(0));
        vm.expectRevert(refusal);
        ledger.flagEquivocation(job, line, _posted(0, 1), _posted(0, 2));
        vm.expectRevert(refusal);
        ledger.flagEquivocation(job, line, _posted(0, 1), _posted(1, 1));
    }

    function test_only_an_agreement_of_this_job_answers_for_a_stranger_and_up_to_the_last_second() public {
        bytes32 first = job;
        job = _openAnother(IntegrationMode.Coupled);
        bytes32 elsewhere = _make(Kind.Data, 1);
        job = first;
        bytes32 here = _make(Kind.Data, 1);
        _postUpTo(1);
        ledger.challengeStranger(job, _line(0), _posted(0, 1));
        vm.expectRevert(abi.encodeWithSelector(IRoundLedger.RoundNotProven.selector, job, uint32(0)));
        ledger.answerStranger(job, 0, _agent(1), elsewhere);
        vm.warp(START_S + 1 days);
        ledger.answerStranger(job, 0, _agent(1), here);
        assertFalse(ledger.isFlagged(job, 0), "answered");
    }

    // ---- Arranging ----

    function _openAnother(IntegrationMode mode) private returns (bytes32) {
        JobTerms memory terms = _jobTerms();
        (terms.integrationMode, terms.nonce) = (mode, 7);
        vm.prank(_agent(INSTITUTE));
        return book.openJob(terms);
    }

    function _posted(uint32 round, uint32 organisation) private view returns (IRoundChallenges.Leaf memory) {
        bytes32[] memory proof = Tree.proof(_leaves(job, round), organisation - 1);
        return IRoundChallenges.Leaf(round, _agent(organisation), _digest(round, organisation), proof);
    }

    /// @dev Signed by the coordinator and overdue, as a good one is.
    function _expectNoReceipt(bytes32 id, IRoundChallenges.Receipt memory receipt) private {
        vm.warp(BY_S + 1);
        bytes memory signature = _sign(_key(INSTITUTE), ledger.hashReceipt(receipt));
        vm.expectRevert(abi.encodeWithSelector(IRoundChallenges.RoundNoReceipt.selector, id, receipt.round));
        ledger.challengeOmission(id, receipt, signature);
    }
}
