// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Role} from "../../src/interfaces/IAgentRegistry.sol";
import {IAgreementBook} from "../../src/interfaces/IAgreementBook.sol";
import {IRoundLedger} from "../../src/interfaces/IRoundLedger.sol";
import {Lines} from "../../src/libraries/Lines.sol";
import {Kind, Mandate, Terms} from "../../src/types/Market.sol";
import {AgreementBase} from "../AgreementBase.sol";

/// @dev Attacks on the market, each by the name of the finding or threat that it answers.
contract MarketThreatsTest is AgreementBase {
    uint256 private constant SECOND_KEY = 0xB0001;
    uint128 private constant PLEDGE = 1000;

    /// @dev Finding 6.
    function test_finding_6_agents_of_one_organisation_count_once() public {
        _make(Kind.Data, 1);
        Terms memory terms = _sybil();
        bytes32 first = book.dataAgreement(job, 1);
        _expectSybilRefused(terms, first);
    }

    /// @dev Finding 20.
    function test_finding_20_a_data_set_split_over_agents_is_paid_once() public {
        bytes32 first = _make(Kind.Data, 1);
        vm.prank(_agent(1));
        book.close(first);
        _expectSybilRefused(_sybil(), first);
    }

    /// @dev Finding 18.
    function test_finding_18_only_a_named_judge_takes_a_bond() public {
        bytes32 id = _bonded();
        address[6] memory others = [TIMELOCK, GOVERNOR, STRANGER, _agent(INSTITUTE), _operator(INSTITUTE), address(court)];
        for (uint256 i; i < others.length; ++i) {
            vm.prank(others[i]);
            vm.expectRevert(abi.encodeWithSelector(IAgreementBook.AgreementOnlyDisputes.selector, others[i]));
            book.slash(id, 10_000, others[i]);
        }
    }

    /// @dev Finding 19.
    function test_finding_19_a_buyer_cannot_take_back_pay_for_posted_rounds() public {
        bytes32 id = _make(Kind.Data, 1);
        _postUpTo(4);
        vm.prank(_operator(INSTITUTE));
        vm.expectRevert(abi.encodeWithSelector(IAgreementBook.AgreementNotClosable.selector, id, type(uint64).max));
        book.close(id);

        vm.warp(DEADLINE_S + 6 days);
        _claimRounds(id, 0, 4, 1);
        vm.warp(DEADLINE_S + 7 days);
        book.expire(id);
        assertEq(credit.balanceOf(_operator(1)), uint256(PRICE) * 4 / ALL_ROUNDS, "four rounds");
        assertEq(credit.balanceOf(_operator(INSTITUTE)), FUNDS - uint256(PRICE) * 4 / ALL_ROUNDS, "no more");
    }

    /// @dev Finding 23.
    function test_finding_23_a_stolen_key_locks_no_bond_that_its_operator_did_not_allow() public {
        _allow(1, PLEDGE);
        Mandate memory limits = _wide();
        limits.maxSpendE18 = PLEDGE - 1;
        vm.prank(_operator(1));
        agents.setMandate(_agent(1), limits);
        Terms memory terms = _terms(Kind.Data, 1);
        terms.bondE18 = PLEDGE;
        bytes memory refusal = abi.encodeWithSelector(
            IAgreementBook.AgreementOutsideMandate.selector, _agent(1), bytes32("maxSpendE18")
        );
        _expectRefusal(terms, 1, refusal);

        limits.maxSpendE18 = PLEDGE;
        vm.prank(_operator(1));
        agents.setMandate(_agent(1), limits);
        _make(terms, 1);
        (uint128 lockedE18,) = book.spent(_agent(1));
        assertEq(lockedE18, PLEDGE, "counts for ever");
    }

    /// @dev Finding 31.
    function test_finding_31_withdrawal_is_free_and_stays_possible_for_who_was_removed() public {
        bytes32 id = _bonded();
        _postUpTo(2);
        _claimRounds(id, 0, 1, 1);
        vm.prank(_operator(1));
        agents.unbind(_agent(1));
        vm.prank(AMENDMENTS);
        agents.remove(1);

        vm.prank(_operator(1));
        book.withdraw(id);

        assertEq(uint8(book.agreement(id).state), uint8(IAgreementBook.AgreementState.Withdrawn), "withdrawn");
        (, uint128 heldE18) = vault.held(address(book), id);
        assertEq(heldE18, PLEDGE, "free");
        assertEq(credit.balanceOf(_operator(1)), PRICE / ALL_ROUNDS, "keeps what it earned");
    }

    /// @dev Finding 31.
    function test_finding_31_a_removed_sellers_key_withdraws_too() public {
        bytes32 id = _make(Kind.Data, 1);
        vm.prank(AMENDMENTS);
        agents.remove(1);
        vm.prank(_agent(1));
        book.withdraw(id);
        assertEq(credit.balanceOf(_operator(INSTITUTE)), FUNDS, "refunded");
    }

    /// @dev Market, section 5: buyer silent.
    function test_market_a_silent_buyer_holds_up_no_payment() public {
        bytes32 id = _make(Kind.Data, 1);
        _postUpTo(1);
        vm.prank(_operator(INSTITUTE));
        agents.unbind(_agent(INSTITUTE));

        (Lines.Line memory line, IRoundLedger.RoundClaim[] memory claims) = (_line(0), _claims(0, 1, 1));
        vm.prank(STRANGER);
        ledger.claimRounds(id, line, claims);
        assertEq(credit.balanceOf(_operator(1)), PRICE / ALL_ROUNDS, "paid without the buyer");
    }

    /// @dev Market, section 5: all rounds miss.
    function test_market_a_job_without_rounds_is_refunded_in_full_and_frees_the_bonds() public {
        bytes32 id = _bonded();
        vm.warp(DEADLINE_S + 7 days);
        vm.prank(STRANGER);
        book.expire(id);
        assertEq(credit.balanceOf(_operator(INSTITUTE)), FUNDS, "refunded");
        assertEq(vault.balanceOf(_operator(1)), PLEDGE, "freed");
    }

    /// @dev Market, section 5: free-riding to the end.
    function test_market_who_misses_rounds_cannot_call_it_a_withdrawal_at_the_end() public {
        bytes32 id = _bonded();
        _postUpTo(3);
        vm.warp(DEADLINE_S + 1);
        vm.prank(_agent(1));
        book.withdraw(id);
        (, uint128 heldE18) = vault.held(address(book), id);
        assertEq(heldE18, PLEDGE * 9 / 10, "a tenth is lost");
    }

    // ---- Internal ----

    function _bonded() private returns (bytes32) {
        _allow(1, PLEDGE);
        Terms memory terms = _terms(Kind.Data, 1);
        terms.bondE18 = PLEDGE;
        return _make(terms, 1);
    }

    function _allow(uint32 organisation, uint256 amountE18) private {
        credit.transfer(_operator(organisation), amountE18);
        vm.prank(_operator(organisation));
        credit.approve(address(vault), amountE18);
    }

    /// @dev A second agent of the first organisation with rows of its own.
    function _sybil() private returns (Terms memory terms) {
        _bind(1, SECOND_KEY, Role.OWNER);
        address second = vm.addr(SECOND_KEY);
        vm.prank(_operator(1));
        agents.setMandate(second, _wide());
        vm.prank(second);
        agents.commitTraining("other half", 100);
        terms = _terms(Kind.Data, 1);
        (terms.seller, terms.dataRoot) = (second, "other half");
    }

    function _expectSybilRefused(Terms memory terms, bytes32 first) private {
        bytes32 digest = _termsDigest(terms);
        (bytes memory bought, bytes memory sold) = (_sign(_key(INSTITUTE), digest), _sign(SECOND_KEY, digest));
        vm.expectRevert(
            abi.encodeWithSelector(IAgreementBook.AgreementSecondOfOrganisation.selector, uint32(1), first)
        );
        book.createAgreement(terms, bought, sold);
    }
}
