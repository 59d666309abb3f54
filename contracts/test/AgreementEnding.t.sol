// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreementBook} from "../src/interfaces/IAgreementBook.sol";
import {IDisputes} from "../src/interfaces/IDisputes.sol";
import {IPools} from "../src/interfaces/IPools.sol";
import {IRoundLedger} from "../src/interfaces/IRoundLedger.sol";
import {Lines} from "../src/libraries/Lines.sol";
import {JobTerms, Kind, Mandate, Terms} from "../src/types/Market.sol";
import {AgreementBase} from "./AgreementBase.sol";

/// @dev A wallet that is a contract: it accepts one digest, whatever the signature.
contract Wallet {
    bytes32 public accepted;

    function accept(bytes32 digest) external {
        accepted = digest;
    }

    function isValidSignature(bytes32 digest, bytes calldata) external view returns (bytes4) {
        return digest == accepted ? this.isValidSignature.selector : bytes4(0xffffffff);
    }
}

contract AgreementEndingTest is AgreementBase {
    uint128 private constant PLEDGE = 1000;

    function setUp() public override {
        super.setUp();
        for (uint32 i = 1; i <= CENTRE; ++i) {
            if (i != INSTITUTE) credit.transfer(_operator(i), PLEDGE);
            vm.prank(_operator(i));
            credit.approve(address(vault), type(uint256).max);
        }
    }

    // ---- Bonds ----

    function test_a_bond_is_locked_with_the_agreement_and_freed_a_week_after_the_job() public {
        bytes32 id = _makeBonded(1);
        _expectBond(id, PLEDGE);
        assertEq(credit.balanceOf(_operator(1)), 0, "locked");
        assertEq(book.agreement(id).bondE18, PLEDGE, "in the record");

        vm.warp(DEADLINE_S + 7 days - 1);
        vm.expectRevert(abi.encodeWithSelector(IAgreementBook.AgreementNotClosable.selector, id, DEADLINE_S + 7 days));
        book.expire(id);
        vm.warp(DEADLINE_S + 7 days);
        book.expire(id);

        _expectBond(id, 0);
        assertEq(vault.balanceOf(_operator(1)), PLEDGE, "freed");
        vm.expectRevert(_nothingDue(id));
        book.expire(id);
    }

    function test_an_early_close_leaves_the_bond_where_it_is() public {
        bytes32 id = _makeBonded(1);
        vm.prank(_agent(1));
        book.close(id);
        _expectBond(id, PLEDGE);

        vm.warp(DEADLINE_S + 8 days);
        book.expire(id);
        assertEq(vault.balanceOf(_operator(1)), PLEDGE, "freed");
    }

    function test_a_bond_stays_while_a_dispute_is_open() public {
        Terms memory terms = _terms(Kind.Data, 1);
        (terms.bondE18, terms.auditor) = (PLEDGE, STRANGER);
        bytes32 id = _make(terms, 1);
        credit.transfer(_operator(CENTRE), DEPOSIT);
        vm.warp(DEADLINE_S + 6 days);
        vm.prank(_operator(CENTRE));
        bytes32 dispute = disputes.raise(id, IDisputes.Ground.FailedReexecution, "evidence");
        vm.warp(DEADLINE_S + 8 days);
        book.expire(id);
        _expectBond(id, PLEDGE);
        vm.expectRevert(abi.encodeWithSelector(IAgreementBook.AgreementDisputed.selector, id));
        book.expire(id);

        vm.prank(_operator(1));
        book.withdraw(id);
        _expectBond(id, PLEDGE);
        vm.prank(STRANGER);
        disputes.rule(dispute, false);
        book.expire(id);
        _expectBond(id, 0);
    }

    /// @dev Finding 18. Who complains holds up a bond, and never what is the buyer's.
    function test_finding_18_the_price_does_not_wait_for_a_dispute() public {
        Terms memory terms = _terms(Kind.Data, 1);
        (terms.bondE18, terms.auditor) = (PLEDGE, STRANGER);
        bytes32 id = _make(terms, 1);
        _postUpTo(2);
        _claimRounds(id, 0, 2, 1);
        credit.transfer(_operator(CENTRE), DEPOSIT);
        vm.warp(DEADLINE_S + 6 days);
        vm.prank(_operator(CENTRE));
        disputes.raise(id, IDisputes.Ground.FailedReexecution, "evidence");
        vm.warp(DEADLINE_S + 7 days);

        book.close(id);

        uint256 earnedE18 = 2 * uint256(PRICE) / ALL_ROUNDS;
        assertEq(credit.balanceOf(_operator(INSTITUTE)), FUNDS - earnedE18, "the rest is the buyer's");
        assertEq(uint8(book.agreement(id).state), uint8(IAgreementBook.AgreementState.Closed), "state");
        _expectBond(id, PLEDGE);
    }

    function test_rounds_posted_and_never_claimed_cost_a_tenth_of_the_bond_once() public {
        bytes32 id = _makeBonded(1);
        _postUpTo(3);
        _claimRounds(id, 0, 1, 1);
        vm.warp(DEADLINE_S + 7 days);
        book.expire(id);

        assertEq(vault.balanceOf(_operator(1)), PLEDGE - 100, "nine tenths");
        assertEq(vault.balanceOf(_operator(INSTITUTE)), 50, "half to the buyer");
        assertEq(vault.balanceOf(TIMELOCK), 50, "the rest to the treasury");
    }

    function test_a_seller_that_closes_early_pays_for_the_rounds_it_missed() public {
        bytes32 id = _makeBonded(1);
        _postUpTo(2);
        vm.prank(_agent(1));
        book.close(id);
        _expectBond(id, PLEDGE - 100);
        vm.warp(DEADLINE_S + 7 days);
        book.expire(id);
        assertEq(vault.balanceOf(_operator(1)), PLEDGE - 100, "fined once");
    }

    function test_rounds_before_an_agreement_are_not_missed() public {
        _postUpTo(2);
        bytes32 id = _makeBonded(1);
        _postUpTo(3);
        _claimRounds(id, 2, 3, 1);
        vm.warp(DEADLINE_S + 7 days);
        book.expire(id);
        assertEq(vault.balanceOf(_operator(1)), PLEDGE, "whole");
    }

    function test_a_slash_goes_half_to_the_buyer_a_third_to_the_challenger_the_rest_to_the_treasury() public {
        bytes32 id = _makeBonded(1);
        vm.prank(address(disputes));
        book.slash(id, 2500, _operator(2));

        _expectBond(id, 750);
        assertEq(vault.balanceOf(_operator(INSTITUTE)), 125, "buyer");
        assertEq(vault.balanceOf(_operator(2)), 75, "challenger");
        assertEq(vault.balanceOf(TIMELOCK), 50, "treasury");
    }

    function testFuzz_slashes_take_parts_of_the_original_bond_and_never_more_than_is_left(uint128 bondE18, uint16[4] memory bps)
        public
    {
        bondE18 = uint128(uint256(bondE18) % 1e24);
        credit.transfer(_operator(1), bondE18);
        Terms memory terms = _terms(Kind.Data, 1);
        terms.bondE18 = bondE18;
        bytes32 id = _make(terms, 1);
        uint256 left = bondE18;
        for (uint256 i; i < bps.length; ++i) {
            bps[i] = bps[i] % 10_001;
            vm.prank(address(disputes));
            book.slash(id, bps[i], _operator(2));
            uint256 cut = uint256(bondE18) * bps[i] / 10_000;
            left -= cut < left ? cut : left;
            _expectBond(id, uint128(left));
        }
        uint256 parts = uint256(vault.balanceOf(_operator(INSTITUTE))) + vault.balanceOf(_operator(2)) + vault.balanceOf(TIMELOCK);
        assertEq(parts + left, bondE18, "sum out is sum in");
    }

    // ---- Consent ----

    function test_a_withdrawal_refunds_what_is_left_and_ends_future_rounds() public {
        bytes32 id = _makeBonded(1);
        _postUpTo(2);
        _claimRounds(id, 0, 1, 1);
        vm.prank(_agent(1));
        book.withdraw(id);

        assertEq(uint8(book.agreement(id).state), uint8(IAgreementBook.AgreementState.Withdrawn), "state");
        assertEq(credit.balanceOf(_operator(1)), PRICE / ALL_ROUNDS, "what was earned stays paid");
        assertEq(credit.balanceOf(_operator(INSTITUTE)), FUNDS - PRICE / ALL_ROUNDS, "the rest goes back");
        _expectBond(id, PLEDGE);
        (Lines.Line memory line, IRoundLedger.RoundClaim[] memory claims) = (_line(1), _claims(1, 2, 1));
        vm.expectRevert(_nothingDue(id));
        ledger.claimRounds(id, line, claims);
    }

    function test_consent_is_withdrawn_after_the_end_too_and_once() public {
        bytes32 id = _make(Kind.Data, 1);
        vm.startPrank(_operator(1));
        book.close(id);
        book.withdraw(id);
        vm.expectRevert(_nothingDue(id));
        book.withdraw(id);
        vm.stopPrank();
        assertEq(credit.balanceOf(_operator(INSTITUTE)), FUNDS, "refunded once");
    }

    function test_nobody_but_the_seller_withdraws_its_consent() public {
        bytes32 id = _make(Kind.Data, 1);
        address[4] memory others = [STRANGER, _agent(INSTITUTE), _operator(INSTITUTE), _agent(2)];
        for (uint256 i; i < others.length; ++i) {
            vm.prank(others[i]);
            vm.expectRevert(abi.encodeWithSelector(IAgreementBook.AgreementOnlySeller.selector, others[i]));
            book.withdraw(id);
        }
        vm.prank(address(0));
        vm.expectRevert(abi.encodeWithSelector(IAgreementBook.AgreementOnlySeller.selector, address(0)));
        book.withdraw("unknown");
    }

    function test_missed_work_is_no_withdrawal_once_the_job_is_over() public {
        bytes32 id = _makeBonded(1);
        _postUpTo(2);
        vm.warp(DEADLINE_S + 1);
        vm.prank(_operator(1));
        book.withdraw(id);
        _expectBond(id, PLEDGE - 100);
    }

    // ---- Fee ----

    function test_the_fee_is_the_one_of_the_day_of_the_agreement() public {
        _setFee(500);
        bytes32 first = _make(Kind.Data, 1);
        _setFee(0);
        bytes32 second = _make(Kind.Data, 2);
        _postUpTo(ALL_ROUNDS);
        _claimRounds(first, 0, ALL_ROUNDS, 1);
        _claimRounds(second, 0, ALL_ROUNDS, 2);

        assertEq(credit.balanceOf(_operator(1)), PLEDGE + PRICE - PRICE / 20, "less the fee");
        assertEq(credit.balanceOf(_operator(2)), PLEDGE + PRICE, "no fee");
        vm.prank(_agent(1));
        book.close(first);
        assertEq(credit.balanceOf(TIMELOCK), PRICE / 20, "treasury");
    }

    function test_only_an_amendment_sets_a_fee_of_at_most_a_tenth() public {
        address[3] memory others = [TIMELOCK, GOVERNOR, STRANGER];
        for (uint256 i; i < others.length; ++i) {
            vm.prank(others[i]);
            vm.expectRevert(abi.encodeWithSelector(IAgreementBook.AgreementOnlyAmendments.selector, others[i]));
            book.setFee(100);
        }
        vm.prank(AMENDMENTS);
        vm.expectRevert(abi.encodeWithSelector(IAgreementBook.AgreementFeeTooHigh.selector, uint16(1001), uint16(1000)));
        book.setFee(1001);
        _setFee(1000);
        assertEq(book.feeBps(), 1000, "fee");
    }

    function testFuzz_pay_fee_and_refund_add_up_to_the_price(uint128 priceE18, uint16 bps, uint8 claims) public {
        _setFee(bps % 1001);
        Terms memory terms = _terms(Kind.Data, 1);
        terms.priceE18 = priceE18 = uint128(uint256(priceE18) % FUNDS);
        bytes32 id = _make(terms, 1);
        _postUpTo(ALL_ROUNDS);
        claims = claims % uint8(ALL_ROUNDS + 1);
        for (uint32 round; round < claims; ++round) {
            _claimRounds(id, round, round + 1, 1);
        }
        uint256 paidE18 = uint256(priceE18) * claims / ALL_ROUNDS;
        uint256 feeE18 = paidE18 * (bps % 1001) / 10_000;
        assertEq(credit.balanceOf(_operator(1)), PLEDGE + paidE18 - feeE18, "seller");
        vm.prank(_operator(1));
        book.close(id);

        assertEq(credit.balanceOf(TIMELOCK), feeE18, "treasury");
        assertEq(credit.balanceOf(_operator(INSTITUTE)), FUNDS - paidE18, "buyer");
        assertEq(credit.balanceOf(address(book)), 0, "nothing stays");
    }

    // ---- Signatures ----

    function test_terms_may_be_signed_by_the_operators_key_or_its_contract_wallet() public {
        Terms memory terms = _terms(Kind.Data, 1);
        bytes32 digest = _termsDigest(terms);
        vm.etch(_operator(1), address(new Wallet()).code);
        bytes memory bought = _sign(_key(INSTITUTE), digest);
        vm.expectRevert(abi.encodeWithSelector(IAgreementBook.AgreementBadSignature.selector, _agent(1)));
        book.createAgreement(terms, bought, "anything");

        Wallet(_operator(1)).accept(digest);
        bytes32 id = book.createAgreement(terms, bought, "anything");
        assertEq(id, digest, "made");
    }

    // ---- Bonus ----

    function test_a_bonus_is_locked_when_the_job_is_opened_and_counts_as_spent() public {
        bytes32 id = _openWithBonus();

        (address owner, uint128 heldE18) = vault.held(address(book), id);
        assertEq(owner, _operator(INSTITUTE), "owner");
        assertEq(heldE18, 40e18, "held");
        (uint128 spentE18,) = book.spent(_agent(INSTITUTE));
        assertEq(spentE18, 40e18, "spent");
    }

    function test_a_bonus_beyond_the_mandate_is_refused() public {
        Mandate memory limits = _wide();
        limits.maxSpendE18 = 40e18 - 1;
        vm.prank(_operator(INSTITUTE));
        agents.setMandate(_agent(INSTITUTE), limits);
        JobTerms memory terms = _bonusTerms();
        vm.prank(_agent(INSTITUTE));
        vm.expectRevert(
            abi.encodeWithSelector(
                IAgreementBook.AgreementOutsideMandate.selector, _agent(INSTITUTE), bytes32("maxSpendE18")
            )
        );
        book.openJob(terms);
    }

    function test_the_bonus_of_a_job_without_a_candidate_goes_back() public {
        bytes32 id = _openWithBonus();
        vm.warp(DEADLINE_S);
        vm.expectRevert(abi.encodeWithSelector(IPools.PoolJobRuns.selector, id));
        vault.settleBonus(id);

        vm.warp(DEADLINE_S + 1);
        vault.settleBonus(id);

        assertEq(vault.balanceOf(_operator(INSTITUTE)), 40e18, "back");
        vm.expectRevert(abi.encodeWithSelector(IPools.PoolNoBonus.selector, id));
        vault.settleBonus(id);
    }

    /// @dev A bond lies under the book's key as a bonus does.
    function test_a_bond_is_not_settled_as_a_bonus() public {
        bytes32 id = _makeBonded(1);
        vm.warp(DEADLINE_S + 1);

        vm.expectRevert(abi.encodeWithSelector(IPools.PoolJobRuns.selector, id));
        vault.settleBonus(id);
    }

    // ---- Auditor ----

    function test_no_side_names_itself_as_auditor() public {
        Terms memory terms = _terms(Kind.Data, 1);
        address[4] memory parties = [_agent(1), _operator(1), _agent(INSTITUTE), _operator(INSTITUTE)];
        for (uint256 i; i < parties.length; ++i) {
            terms.auditor = parties[i];
            _expectRefusal(terms, 1, abi.encodeWithSelector(IAgreementBook.AgreementBadTerms.selector, bytes32("auditor")));
        }
        terms.auditor = _agent(2);
        assertEq(book.agreement(_make(terms, 1)).auditor, _agent(2), "auditor");
    }

    // ---- Internal ----

    function _makeBonded(uint32 seller) private returns (bytes32) {
        Terms memory terms = _terms(Kind.Data, seller);
        (terms.bondE18, terms.validUntilS) = (PLEDGE, DEADLINE_S);
        return _make(terms, seller);
    }

    function _bonusTerms() private pure returns (JobTerms memory terms) {
        terms = _jobTerms();
        (terms.bonusE18, terms.nonce) = (40e18, 9);
    }

    function _openWithBonus() private returns (bytes32) {
        JobTerms memory terms = _bonusTerms();
        vm.prank(_agent(INSTITUTE));
        return book.openJob(terms);
    }

    function _setFee(uint16 bps) private {
        vm.prank(AMENDMENTS);
        book.setFee(bps);
    }

    function _expectBond(bytes32 id, uint128 amountE18) private view {
        (, uint128 heldE18) = vault.held(address(book), id);
        assertEq(heldE18, amountE18, "bond");
    }

    function _nothingDue(bytes32 id) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAgreementBook.AgreementNothingDue.selector, id);
    }
}
