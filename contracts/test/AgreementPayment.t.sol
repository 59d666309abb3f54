// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreementBook} from "../src/interfaces/IAgreementBook.sol";
import {JobTerms, Kind, Terms} from "../src/types/Market.sol";
import {AgreementBase} from "./AgreementBase.sol";
import {Tree} from "./Tree.sol";

contract AgreementPaymentTest is AgreementBase {
    // ---- Rounds ----

    function test_a_seller_with_its_leaf_in_every_round_gets_the_whole_price() public {
        bytes32 id = _make(Kind.Data, 1);
        _postUpTo(ALL_ROUNDS);

        vm.prank(STRANGER);
        book.claimRounds(id, _claims(0, ALL_ROUNDS, 1));

        assertEq(credit.balanceOf(_operator(1)), PRICE, "paid to the operator");
        assertEq(book.totalEscrowE18(), 0, "escrow");
        assertEq(book.agreement(id).paidUnits, ALL_ROUNDS, "units");
    }

    function test_compute_is_paid_by_the_leaf_of_the_aggregate() public {
        bytes32 id = _make(Kind.Compute, CENTRE);
        _postUpTo(1);

        book.claimRounds(id, _claims(0, 1, CENTRE));

        assertEq(credit.balanceOf(_operator(CENTRE)), PRICE / ALL_ROUNDS, "one tenth");
    }

    /// @dev Rounds are claimed one by one in a fuzzed order, some never; then the rest is refunded.
    function testFuzz_instalments_and_refund_add_up_to_the_price(uint128 priceE18, uint16 order, uint8 count) public {
        Terms memory terms = _terms(Kind.Data, 1);
        terms.priceE18 = priceE18 = uint128(uint256(priceE18) % FUNDS);
        bytes32 id = _make(terms, 1);
        _postUpTo(ALL_ROUNDS);
        count = count % uint8(ALL_ROUNDS + 1);

        for (uint32 i; i < count; ++i) {
            uint32 round = (order + i * 3) % ALL_ROUNDS;
            book.claimRounds(id, _claims(round, round + 1, 1));
            uint256 due = uint256(priceE18) * (i + 1) / ALL_ROUNDS;
            assertEq(credit.balanceOf(_operator(1)), due, "paid so far");
            assertEq(credit.balanceOf(address(book)), book.totalEscrowE18(), "held is owed");
        }
        vm.prank(_operator(1));
        book.close(id);

        assertEq(credit.balanceOf(address(book)), 0, "nothing stays");
        assertEq(book.totalEscrowE18(), 0, "nothing is owed");
        uint256 parts = credit.balanceOf(_operator(1)) + credit.balanceOf(_operator(INSTITUTE));
        assertEq(parts, FUNDS, "sum out is sum in");
    }

    function test_a_round_is_paid_once() public {
        bytes32 id = _make(Kind.Data, 1);
        _postUpTo(2);
        book.claimRounds(id, _claims(0, 1, 1));

        vm.expectRevert(_nothingDue(id));
        book.claimRounds(id, _claims(0, 2, 1));
        IAgreementBook.RoundClaim[] memory twice = new IAgreementBook.RoundClaim[](2);
        (twice[0], twice[1]) = (_claim(1, 1), _claim(1, 1));
        vm.expectRevert(_nothingDue(id));
        book.claimRounds(id, twice);
        vm.expectRevert(_nothingDue(id));
        book.claimRounds(id, new IAgreementBook.RoundClaim[](0));
        assertTrue(book.isPaid(id, 0) && !book.isPaid(id, 1), "first only");
    }

    function test_a_forged_leaf_pays_nothing() public {
        bytes32 id = _make(Kind.Data, 1);
        _postUpTo(2);
        IAgreementBook.RoundClaim memory claim = _claim(0, 1);
        claim.digest = "another update";
        _expectUnproven(id, claim);
        claim = _claim(0, 2);
        _expectUnproven(id, claim);
        claim = _claim(0, 1);
        claim.round = 1;
        _expectUnproven(id, claim);
        claim = _claim(0, 1);
        claim.proof = new bytes32[](0);
        _expectUnproven(id, claim);
        _expectUnproven(id, _claim(2, 1));
    }

    function test_without_the_owners_leaf_in_the_root_nothing_is_due() public {
        bytes32 id = _make(Kind.Data, 1);
        bytes32[] memory others = new bytes32[](4);
        for (uint32 i; i < 3; ++i) {
            others[i] = Tree.leaf(job, 0, _agent(2 + i), _digest(0, 2 + i));
        }
        others[3] = Tree.leaf(job, 0, _agent(CENTRE), _digest(0, CENTRE));
        vm.prank(_agent(INSTITUTE));
        ledger.post(job, 0, Tree.root(others), 4);

        _expectUnproven(id, _claim(0, 1));
    }

    function test_rounds_do_not_pay_for_looks_nor_looks_for_rounds() public {
        bytes32 data = _make(Kind.Data, 1);
        bytes32 rows = _make(Kind.EvaluationRows, 2);
        _postUpTo(1);

        vm.expectRevert(_nothingDue(rows));
        book.claimRounds(rows, _claims(0, 1, 2));
        vm.expectRevert(_nothingDue(data));
        book.claimLooks(data, new bytes32[](1));
        vm.expectRevert(abi.encodeWithSelector(IAgreementBook.AgreementUnknown.selector, bytes32("none")));
        book.claimRounds("none", _claims(0, 1, 1));
    }

    // ---- Looks ----

    function test_jurors_that_revealed_and_owners_of_the_rows_are_paid_a_look() public {
        (bytes32[] memory labs, bytes32 rows, bytes32 spare, bytes32 release) = _measuredCandidate(4);
        bytes32[] memory looks = new bytes32[](1);
        looks[0] = release;

        uint256 paid;
        for (uint32 i; i < labs.length; ++i) {
            if (court.hasRevealed(release, _agent(FIRST_LAB + i))) {
                book.claimLooks(labs[i], looks);
                assertEq(credit.balanceOf(_operator(FIRST_LAB + i)), PRICE / 3, "a third");
                ++paid;
            } else {
                vm.expectRevert(_unproven(labs[i], 0));
                book.claimLooks(labs[i], looks);
            }
        }
        assertEq(paid, 4, "who revealed");
        book.claimLooks(rows, looks);
        assertEq(credit.balanceOf(_operator(2)), PRICE / 3, "rows");
        vm.expectRevert(_unproven(spare, 0));
        book.claimLooks(spare, looks);
        vm.expectRevert(_nothingDue(rows));
        book.claimLooks(rows, looks);
    }

    function test_a_lapsed_case_pays_who_measured_but_not_for_rows() public {
        (bytes32[] memory labs, bytes32 rows,, bytes32 release) = _measuredCandidate(2);
        bytes32[] memory looks = new bytes32[](1);
        looks[0] = release;

        uint256 paid;
        for (uint32 i; i < labs.length; ++i) {
            if (!court.hasRevealed(release, _agent(FIRST_LAB + i))) continue;
            book.claimLooks(labs[i], looks);
            ++paid;
        }
        assertEq(paid, 2, "who revealed");
        vm.expectRevert(_unproven(rows, 0));
        book.claimLooks(rows, looks);
    }

    function test_a_look_of_another_job_pays_nothing() public {
        (,,, bytes32 release) = _measuredCandidate(5);
        JobTerms memory second = _jobTerms();
        second.nonce = 1;
        vm.prank(_agent(INSTITUTE));
        job = book.openJob(second);
        bytes32 other = _make(Kind.EvaluationRows, 2);
        bytes32[] memory looks = new bytes32[](1);
        looks[0] = release;

        vm.expectRevert(_unproven(other, 0));
        book.claimLooks(other, looks);
        looks[0] = "unknown";
        vm.expectRevert(_unproven(other, 0));
        book.claimLooks(other, looks);
    }

    // ---- Closing ----

    function test_only_the_seller_closes_while_the_job_runs() public {
        bytes32 first = _make(Kind.Data, 1);
        bytes32 second = _make(Kind.Data, 2);
        bytes memory refusal =
            abi.encodeWithSelector(IAgreementBook.AgreementNotClosable.selector, first, type(uint64).max);
        address[3] memory others = [STRANGER, _agent(INSTITUTE), _operator(INSTITUTE)];
        for (uint256 i; i < others.length; ++i) {
            vm.prank(others[i]);
            vm.expectRevert(refusal);
            book.close(first);
        }

        vm.prank(_agent(1));
        book.close(first);
        vm.prank(_operator(2));
        book.close(second);

        assertEq(credit.balanceOf(_operator(INSTITUTE)), FUNDS, "refunded");
    }

    function test_anybody_closes_a_week_after_the_jobs_end() public {
        bytes32 id = _make(Kind.Data, 1);
        vm.warp(START_S + 3 days);
        vm.prank(address(releases));
        book.finishJob(job, 0);
        uint64 fromS = START_S + 10 days;
        assertEq(book.closableFrom(id), fromS, "from");

        vm.warp(fromS - 1);
        vm.expectRevert(abi.encodeWithSelector(IAgreementBook.AgreementNotClosable.selector, id, fromS));
        book.close(id);
        vm.warp(fromS);
        book.close(id);
        assertEq(credit.balanceOf(_operator(INSTITUTE)), FUNDS, "refunded");
    }

    function test_anybody_closes_a_week_after_the_deadline_whatever_is_decided_later() public {
        bytes32 id = _make(Kind.Data, 1);
        vm.warp(DEADLINE_S);
        assertEq(book.closableFrom(id), type(uint64).max, "runs");
        vm.warp(DEADLINE_S + 1);
        assertEq(book.closableFrom(id), DEADLINE_S + 7 days, "deadline");
        vm.warp(DEADLINE_S + 5 days);
        vm.prank(address(releases));
        book.finishJob(job, 0);
        assertEq(book.closableFrom(id), DEADLINE_S + 7 days, "after a late decision");
    }

    function test_rounds_can_be_claimed_until_somebody_closes() public {
        bytes32 id = _make(Kind.Data, 1);
        _postUpTo(1);
        vm.warp(DEADLINE_S + 8 days);
        book.claimRounds(id, _claims(0, 1, 1));
        book.close(id);

        assertEq(credit.balanceOf(_operator(1)), PRICE / ALL_ROUNDS, "seller");
        assertEq(credit.balanceOf(_operator(INSTITUTE)), FUNDS - PRICE / ALL_ROUNDS, "buyer");
        vm.expectRevert(_nothingDue(id));
        book.close(id);
        vm.expectRevert(_nothingDue(id));
        book.claimRounds(id, _claims(0, 1, 1));
    }

    function test_work_is_paid_after_the_organisation_was_removed() public {
        bytes32 id = _make(Kind.Data, 1);
        _postUpTo(1);
        vm.prank(AMENDMENTS);
        agents.remove(1);

        book.claimRounds(id, _claims(0, 1, 1));

        assertEq(credit.balanceOf(_operator(1)), PRICE / ALL_ROUNDS, "paid");
    }

    function test_only_the_registry_finishes_a_job_once() public {
        vm.expectRevert(abi.encodeWithSelector(IAgreementBook.AgreementOnlyRegistry.selector, address(this)));
        book.finishJob(job, 0);
        vm.startPrank(address(releases));
        book.finishJob(job, "release");
        vm.expectRevert(abi.encodeWithSelector(IAgreementBook.AgreementBadJob.selector, job));
        book.finishJob(job, 0);
        vm.stopPrank();
    }

    // ---- Internal ----

    /// @dev Data of owner 1; rows of owner 2, cited; rows of owner 3, not cited.
    function _measuredCandidate(uint256 reveals)
        private
        returns (bytes32[] memory labs, bytes32 rows, bytes32 spare, bytes32 release)
    {
        bytes32[] memory cited = new bytes32[](2);
        cited[0] = _make(Kind.Data, 1);
        cited[1] = rows = _make(Kind.EvaluationRows, 2);
        spare = _make(Kind.EvaluationRows, 3);
        labs = new bytes32[](7);
        for (uint32 i; i < labs.length; ++i) {
            labs[i] = _make(Kind.Evaluation, FIRST_LAB + i);
        }
        _postUpTo(1 + ROUNDS_EACH);
        release = _submit(0, cited);
        _measure(release, reveals);
    }

    function _expectUnproven(bytes32 id, IAgreementBook.RoundClaim memory claim) private {
        IAgreementBook.RoundClaim[] memory claims = new IAgreementBook.RoundClaim[](1);
        claims[0] = claim;
        vm.expectRevert(_unproven(id, claim.round));
        book.claimRounds(id, claims);
    }

    function _unproven(bytes32 id, uint32 unit) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAgreementBook.AgreementNotProven.selector, id, unit);
    }

    function _nothingDue(bytes32 id) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAgreementBook.AgreementNothingDue.selector, id);
    }
}
