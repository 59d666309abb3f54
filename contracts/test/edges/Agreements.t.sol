// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreementBook} from "../../src/interfaces/IAgreementBook.sol";
import {Kind, Terms} from "../../src/types/Market.sol";
import {AgreementBase} from "../AgreementBase.sol";
import {Vm} from "../Vm.sol";

/// @dev AgreementBook at its last seconds, with nothing to pay, nothing to fine and nothing made.
contract AgreementEdgesTest is AgreementBase {
    uint128 private constant PLEDGE = 1000;

    function test_terms_are_valid_up_to_their_last_second() public {
        Terms memory terms = _terms(Kind.Data, 1);
        vm.warp(terms.validUntilS);
        bytes32 id = _make(terms, 1);
        assertEq(book.agreement(id).seller, _agent(1), "made");
    }

    function test_what_was_never_made_is_never_over() public {
        vm.expectRevert(abi.encodeWithSelector(IAgreementBook.AgreementUnknown.selector, bytes32("unknown")));
        book.closableFrom("unknown");
    }

    function test_a_job_decided_in_its_last_second_is_over_at_once() public {
        bytes32 id = _make(Kind.Data, 1);
        vm.warp(DEADLINE_S);
        assertEq(book.closableFrom(id), type(uint64).max, "open");
        vm.prank(address(releases));
        book.finishJob(job, "release");
        assertEq(book.closableFrom(id), DEADLINE_S + 7 days, "over");
    }

    function test_no_looks_are_nothing_due() public {
        bytes32 id = _make(Kind.Evaluation, FIRST_LAB);
        vm.expectRevert(abi.encodeWithSelector(IAgreementBook.AgreementNothingDue.selector, id));
        book.claimLooks(id, new bytes32[](0));
    }

    function test_an_event_says_how_many_units_a_payment_is_for() public {
        bytes32 id = _make(Kind.Data, 1);
        _postUpTo(3);
        _claimRounds(id, 0, 1, 1);
        uint128 amountE18 = 3 * PRICE / ALL_ROUNDS - PRICE / ALL_ROUNDS;
        vm.expectEmit(address(book));
        emit IAgreementBook.PaymentMade(id, _agent(1), _operator(1), amountE18, 2, 3);
        _claimRounds(id, 1, 3, 1);
    }

    function test_an_owner_stands_behind_the_first_candidate_from_its_first_round_of_it() public {
        bytes32 id = _make(Kind.Data, 1);
        bytes32 compute = _make(Kind.Compute, CENTRE);
        _postUpTo(2);
        _claimRounds(compute, 0, 2, CENTRE);
        assertEq(book.standsBehind(compute), 0, "compute is no data");
        assertEq(book.standsBehind(id), 0, "unpaid");
        _claimRounds(id, 0, 1, 1);
        assertEq(book.standsBehind(id), 0, "the round of everybody");
        _claimRounds(id, 1, 2, 1);
        assertEq(book.standsBehind(id), 1, "the first candidate");
        assertEq(book.standsBehind(_make(Kind.Data, 2)), 0, "who came later and was paid for nothing");
    }

    function test_without_a_bond_nothing_is_fined() public {
        bytes32 id = _make(Kind.Data, 1);
        _postUpTo(2);
        vm.recordLogs();
        vm.prank(_agent(1));
        book.close(id);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            assertTrue(logs[i].emitter != address(vault), "the vault has nothing to say");
        }
    }

    function test_who_is_not_paid_by_rounds_misses_none() public {
        credit.transfer(_operator(FIRST_LAB), PLEDGE);
        vm.prank(_operator(FIRST_LAB));
        credit.approve(address(vault), PLEDGE);
        Terms memory terms = _terms(Kind.Evaluation, FIRST_LAB);
        terms.bondE18 = PLEDGE;
        bytes32 id = _make(terms, FIRST_LAB);
        _postUpTo(2);
        vm.prank(_agent(FIRST_LAB));
        book.close(id);
        (, uint128 heldE18) = vault.held(address(book), id);
        assertEq(heldE18, PLEDGE, "whole");
    }
}
