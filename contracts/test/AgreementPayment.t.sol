// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreementBook} from "../src/interfaces/IAgreementBook.sol";
import {IRoundLedger} from "../src/interfaces/IRoundLedger.sol";
import {Lines} from "../src/libraries/Lines.sol";
import {JobTerms, Kind, Terms} from "../src/types/Market.sol";
import {AgreementBase} from "./AgreementBase.sol";
import {Tree} from "./Tree.sol";

contract AgreementPaymentTest is AgreementBase {
    // ---- Rounds ----

    function test_a_seller_with_its_leaf_in_every_round_gets_the_whole_price() public {
        bytes32 id = _make(Kind.Data, 1);
        _postUpTo(ALL_ROUNDS);

        (Lines.Line memory line, IRoundLedger.RoundClaim[] memory all) = (_line(0), _claims(0, ALL_ROUNDS, 1));
        vm.prank(STRANGER);
        ledger.claimRounds(id, line, all);

        assertEq(credit.balanceOf(_operator(1)), PRICE, "paid to the operator");
        assertEq(credit.balanceOf(address(book)), 0, "escrow");
        assertEq(book.agreement(id).paidUnits, ALL_ROUNDS, "units");
    }

    function test_compute_is_paid_by_the_leaf_of_the_aggregate() public {
        bytes32 id = _make(Kind.Compute, CENTRE);
        _postUpTo(1);

        _claimRounds(id, 0, 1, CENTRE);

        assertEq(credit.balanceOf(_operator(CENTRE)), PRICE / ALL_ROUNDS, "one tenth");
    }

    /// @dev Rounds are claimed one by one by the seller, which passes over some; then the rest is refunded.
    function testFuzz_instalments_and_refund_add_up_to_the_price(uint128 priceE18, uint16 taken) public {
        Terms memory terms = _terms(Kind.Data, 1);
        terms.priceE18 = priceE18 = uint128(uint256(priceE18) % FUNDS);
        bytes32 id = _make(terms, 1);
        _postUpTo(ALL_ROUNDS);

        uint256 count;
        for (uint32 round; round < ALL_ROUNDS; ++round) {
            if ((taken >> round) & 1 == 0) continue;
            (Lines.Line memory line, IRoundLedger.RoundClaim[] memory one) = (_line(round), _claims(round, round + 1, 1));
            vm.prank(_agent(1));
            ledger.claimRounds(id, line, one);
            uint256 due = uint256(priceE18) * ++count / ALL_ROUNDS;
            assertEq(credit.balanceOf(_operator(1)), due, "paid so far");
            assertEq(credit.balanceOf(address(book)), priceE18 - due, "held is owed");
        }
        vm.prank(_operator(1));
        book.close(id);

        assertEq(credit.balanceOf(address(book)), 0, "nothing stays");
        uint256 parts = credit.balanceOf(_operator(1)) + credit.balanceOf(_operator(INSTITUTE));
        assertEq(parts, FUNDS, "sum out is sum in");
    }

    function test_a_round_is_paid_once() public {
        bytes32 id = _make(Kind.Data, 1);
        _postUpTo(2);
        _claimRounds(id, 0, 1, 1);

        _refuseClaims(id, _line(0), _claims(0, 2, 1), _roundNothingDue(id));
        IRoundLedger.RoundClaim[] memory twice = new IRoundLedger.RoundClaim[](2);
        (twice[0], twice[1]) = (_claim(1, 1), _claim(1, 1));
        _refuseClaims(id, _line(0), twice, _roundNothingDue(id));
        _refuseClaims(id, _line(0), new IRoundLedger.RoundClaim[](0), _roundNothingDue(id));
        assertTrue(book.isPaid(id, 0) && !book.isPaid(id, 1), "first only");
    }

    /// @dev Else a buyer would claim the last round in a seller's name, and keep the pay of all before.
    function test_nobody_but_the_seller_passes_over_a_round() public {
        bytes32 id = _make(Kind.Data, 1);
        _postUpTo(4);
        bytes memory refusal = abi.encodeWithSelector(IRoundLedger.RoundPassesOver.selector, id, uint32(0));
        address[3] memory others = [STRANGER, _agent(INSTITUTE), _operator(INSTITUTE)];
        for (uint256 i; i < others.length; ++i) {
            (Lines.Line memory line, IRoundLedger.RoundClaim[] memory last) = (_line(3), _claims(3, 4, 1));
            vm.prank(others[i]);
            vm.expectRevert(refusal);
            ledger.claimRounds(id, line, last);
        }

        address[2] memory own = [_agent(1), _operator(1)];
        for (uint32 i; i < 2; ++i) {
            (Lines.Line memory line, IRoundLedger.RoundClaim[] memory one) = (_line(0), _claims(1 + 2 * i, 2 + 2 * i, 1));
            vm.prank(own[i]);
            ledger.claimRounds(id, line, one);
        }
        assertEq(credit.balanceOf(_operator(1)), PRICE * 2 / ALL_ROUNDS, "two of four");
        _refuseClaims(id, _line(0), _claims(2, 3, 1), _roundNothingDue(id));
    }

    function test_a_line_must_lead_to_the_last_round() public {
        bytes32 id = _make(Kind.Data, 1);
        _postUpTo(1);
        Lines.Line memory stale = _line(0);
        _postUpTo(3);
        bytes memory refusal = abi.encodeWithSelector(IRoundLedger.RoundBadLine.selector, job);
        _refuseClaims(id, stale, _claims(0, 1, 1), refusal);
        Lines.Line memory line = _line(0);
        line.leaves[1] = 4;
        _refuseClaims(id, line, _claims(0, 1, 1), refusal);
        line = _line(0);
        line.leaves = new uint32[](2);
        _refuseClaims(id, line, _claims(0, 1, 1), refusal);
        // Rounds cannot be numbered otherwise: the number is part of every head.
        line = _line(0);
        line.before = bytes32(uint256(line.before) + 1);
        _refuseClaims(id, line, _claims(0, 1, 1), refusal);
        line.before = 0;
        _refuseClaims(id, line, _claims(0, 1, 1), refusal);

        _claimRounds(id, 0, 3, 1);
    }

    /// @dev A line that starts later proves nothing about what was before it.
    function test_a_round_before_its_line_is_not_proven() public {
        bytes32 id = _make(Kind.Data, 1);
        _postUpTo(3);

        _refuseClaims(id, _line(1), _claims(0, 1, 1), _roundUnproven(0));
        _refuseClaims(id, _line(3), _claims(0, 1, 1), _roundUnproven(0));
    }

    function test_several_sellers_are_paid_by_one_line() public {
        IRoundLedger.AgreementClaims[] memory all = new IRoundLedger.AgreementClaims[](OWNERS);
        for (uint32 i; i < OWNERS; ++i) {
            all[i].agreement = _make(Kind.Data, i + 1);
        }
        _postUpTo(3);
        for (uint32 i; i < OWNERS; ++i) {
            all[i].claims = _claims(0, 3, i + 1);
        }
        ledger.claimForAll(job, _line(0), all);
        for (uint32 i = 1; i <= OWNERS; ++i) {
            assertEq(credit.balanceOf(_operator(i)), uint256(PRICE) * 3 / ALL_ROUNDS, "three rounds");
        }

        Lines.Line memory line = _line(0);
        vm.expectRevert(_roundNothingDue(all[0].agreement));
        ledger.claimForAll(job, line, all);
    }

    function test_one_line_pays_for_no_other_job() public {
        IRoundLedger.AgreementClaims[] memory all = new IRoundLedger.AgreementClaims[](1);
        all[0].agreement = _make(Kind.Data, 1);
        _postUpTo(1);
        all[0].claims = _claims(0, 1, 1);
        JobTerms memory second = _jobTerms();
        second.nonce = 1;
        vm.prank(_agent(INSTITUTE));
        job = book.openJob(second);
        _postUpTo(1);
        Lines.Line memory line = _line(0);
        vm.expectRevert(_roundNothingDue(all[0].agreement));
        ledger.claimForAll(job, line, all);
    }

    /// @dev The hand-written loop beside the formula.
    function testFuzz_a_line_leads_where_its_links_lead(bytes32 before, bytes32[] memory roots, uint32[] memory leaves)
        public
        view
    {
        bytes32 head = before;
        uint256 count = roots.length < leaves.length ? roots.length : leaves.length;
        assembly ("memory-safe") {
            mstore(roots, count)
            mstore(leaves, count)
        }
        vm.assume(uint32(uint256(before)) < type(uint32).max - count);
        for (uint256 i; i < count; ++i) {
            head = Lines.next(head, roots[i], leaves[i]);
        }
        assertTrue(this.leads(Lines.Line(before, roots, leaves), head), "leads there");
        assertFalse(this.leads(Lines.Line(before, roots, leaves), ~head), "and nowhere else");
    }

    function leads(Lines.Line calldata line, bytes32 head) external pure returns (bool) {
        return Lines.leadsTo(line, head);
    }

    function test_a_forged_leaf_pays_nothing() public {
        bytes32 id = _make(Kind.Data, 1);
        _postUpTo(2);
        IRoundLedger.RoundClaim memory claim = _claim(0, 1);
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
        _postRoot(0, Tree.root(others), 4);

        _expectUnproven(id, _claim(0, 1));
    }

    function test_rounds_do_not_pay_for_looks_nor_looks_for_rounds() public {
        bytes32 data = _make(Kind.Data, 1);
        bytes32 rows = _make(Kind.EvaluationRows, 2);
        _postUpTo(1);

        _refuseClaims(rows, _line(0), _claims(0, 1, 2), _nothingDue(rows));
        vm.expectRevert(_nothingDue(data));
        book.claimLooks(data, new bytes32[](1));
        bytes memory unknown = abi.encodeWithSelector(IAgreementBook.AgreementUnknown.selector, bytes32("none"));
        _refuseClaims("none", _line(0), _claims(0, 1, 1), unknown);
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
        _claimRounds(id, 0, 1, 1);
        book.close(id);

        assertEq(credit.balanceOf(_operator(1)), PRICE / ALL_ROUNDS, "seller");
        assertEq(credit.balanceOf(_operator(INSTITUTE)), FUNDS - PRICE / ALL_ROUNDS, "buyer");
        vm.expectRevert(_nothingDue(id));
        book.close(id);
        _refuseClaims(id, _line(0), _claims(0, 1, 1), _nothingDue(id));
    }

    function test_work_is_paid_after_the_organisation_was_removed() public {
        bytes32 id = _make(Kind.Data, 1);
        _postUpTo(1);
        vm.prank(AMENDMENTS);
        agents.remove(1);

        _claimRounds(id, 0, 1, 1);

        assertEq(credit.balanceOf(_operator(1)), PRICE / ALL_ROUNDS, "paid");
    }

    function test_only_the_ledger_pays_for_rounds() public {
        bytes32 id = _make(Kind.Data, 1);
        vm.expectRevert(abi.encodeWithSelector(IAgreementBook.AgreementOnlyLedger.selector, address(this)));
        book.payRounds(id, 1, 1);
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

    function _expectUnproven(bytes32 id, IRoundLedger.RoundClaim memory claim) private {
        IRoundLedger.RoundClaim[] memory claims = new IRoundLedger.RoundClaim[](1);
        claims[0] = claim;
        Lines.Line memory line = _line(0);
        vm.prank(_agent(1));
        vm.expectRevert(_roundUnproven(claim.round));
        ledger.claimRounds(id, line, claims);
    }

    function _refuseClaims(
        bytes32 id,
        Lines.Line memory line,
        IRoundLedger.RoundClaim[] memory claims,
        bytes memory refusal
    ) private {
        vm.expectRevert(refusal);
        ledger.claimRounds(id, line, claims);
    }

    function _unproven(bytes32 id, uint32 unit) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAgreementBook.AgreementNotProven.selector, id, unit);
    }

    function _roundUnproven(uint32 round) private view returns (bytes memory) {
        return abi.encodeWithSelector(IRoundLedger.RoundNotProven.selector, job, round);
    }

    function _roundNothingDue(bytes32 id) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRoundLedger.RoundNothingDue.selector, id);
    }

    function _nothingDue(bytes32 id) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAgreementBook.AgreementNothingDue.selector, id);
    }
}
