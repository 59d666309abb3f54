// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreementBook} from "../src/interfaces/IAgreementBook.sol";
import {JobTerms, Kind, Mandate, Terms} from "../src/types/Market.sol";
import {AgreementBase} from "./AgreementBase.sol";

contract MandatesTest is AgreementBase {
    // ---- Buyer ----

    function test_a_buyer_locks_no_more_than_its_mandate() public {
        Mandate memory limits = _wide();
        limits.maxSpendE18 = 2 * PRICE - 1;
        _setMandate(INSTITUTE, limits);
        _make(Kind.Data, 1);

        _expectOutside(_terms(Kind.Data, 2), 2, INSTITUTE, "maxSpendE18");
        limits.maxSpendE18 += 1;
        _setMandate(INSTITUTE, limits);
        _make(Kind.Data, 2);
    }

    function test_what_was_refunded_still_counts_as_spent() public {
        Mandate memory limits = _wide();
        limits.maxSpendE18 = PRICE;
        _setMandate(INSTITUTE, limits);
        bytes32 id = _make(Kind.Data, 1);
        vm.prank(_agent(1));
        book.close(id);

        _expectOutside(_terms(Kind.Data, 2), 2, INSTITUTE, "maxSpendE18");
    }

    function test_a_buyer_makes_no_more_agreements_than_its_mandate() public {
        Mandate memory limits = _wide();
        limits.maxAgreements = 1;
        _setMandate(INSTITUTE, limits);
        _make(Kind.Data, 1);

        _expectOutside(_terms(Kind.Data, 2), 2, INSTITUTE, "maxAgreements");
    }

    function test_a_spend_that_would_overflow_is_outside_the_mandate() public {
        _make(Kind.Data, 1);
        Terms memory terms = _terms(Kind.Data, 2);
        terms.priceE18 = type(uint128).max;

        _expectOutside(terms, 2, INSTITUTE, "maxSpendE18");
    }

    // ---- Both ----

    function test_neither_side_deals_for_other_purposes() public {
        Mandate memory limits = _wide();
        limits.purposes = ~TRIAGE;
        _setMandate(INSTITUTE, limits);
        _expectOutside(_terms(Kind.Data, 1), 1, INSTITUTE, "purposes");

        _setMandate(INSTITUTE, _wide());
        _setMandate(1, limits);
        _expectOutside(_terms(Kind.Data, 1), 1, 1, "purposes");
    }

    function test_neither_side_deals_after_its_mandate() public {
        Mandate memory limits = _wide();
        limits.validUntilS = START_S + 10;
        _setMandate(1, limits);
        vm.warp(START_S + 11);
        _expectOutside(_terms(Kind.Data, 1), 1, 1, "validUntilS");

        _setMandate(1, _wide());
        _setMandate(INSTITUTE, limits);
        _expectOutside(_terms(Kind.Data, 1), 1, INSTITUTE, "validUntilS");
    }

    function test_one_transaction_revokes() public {
        Mandate memory none;
        _setMandate(1, none);
        _expectOutside(_terms(Kind.Data, 1), 1, 1, "validUntilS");

        _setMandate(INSTITUTE, none);
        _expectOutside(_terms(Kind.Data, 2), 2, INSTITUTE, "validUntilS");
    }

    // ---- Seller ----

    function test_a_seller_sells_no_kind_below_its_floor() public {
        Kind[4] memory kinds = [Kind.Data, Kind.EvaluationRows, Kind.Compute, Kind.Evaluation];
        uint32[4] memory sellers = [uint32(1), 2, CENTRE, FIRST_LAB];
        for (uint256 i; i < kinds.length; ++i) {
            Mandate memory limits = _wide();
            limits.floorsE18[uint8(kinds[i])] = PRICE + 1;
            _setMandate(sellers[i], limits);
            _expectOutside(_terms(kinds[i], sellers[i]), sellers[i], sellers[i], "floorsE18");

            limits.floorsE18[uint8(kinds[i])] = PRICE;
            _setMandate(sellers[i], limits);
            _make(kinds[i], sellers[i]);
        }
    }

    function test_a_seller_grants_no_more_privacy_loss_than_its_mandate() public {
        Mandate memory limits = _wide();
        limits.maxEpsilonMicros = EPSILON - 1;
        _setMandate(1, limits);
        _expectOutside(_terms(Kind.Data, 1), 1, 1, "maxEpsilonMicros");

        _make(Kind.EvaluationRows, 1);
    }

    function test_privacy_loss_adds_up_for_life_over_jobs() public {
        Mandate memory limits = _wide();
        limits.lifetimeEpsilonMicros = 2 * EPSILON - 1;
        _setMandate(1, limits);
        _make(Kind.Data, 1);
        JobTerms memory second = _jobTerms();
        second.nonce = 1;
        Terms memory terms = _terms(Kind.Data, 1);
        vm.prank(_agent(INSTITUTE));
        terms.job = book.openJob(second);

        _expectOutside(terms, 1, 1, "lifetimeEpsilonMicros");
        limits.lifetimeEpsilonMicros += 1;
        _setMandate(1, limits);
        _make(terms, 1);
        assertEq(book.epsilonGranted(_agent(1)), 2 * EPSILON, "granted");
    }

    // ---- Both, fuzzed ----

    function testFuzz_an_agreement_is_made_exactly_inside_both_mandates(
        uint128 priceE18,
        uint128 maxSpendE18,
        uint128 floorE18,
        uint64 lifetimeEpsilonMicros
    ) public {
        priceE18 = uint128(uint256(priceE18) % FUNDS);
        maxSpendE18 = uint128(uint256(maxSpendE18) % (2 * FUNDS));
        floorE18 = uint128(uint256(floorE18) % FUNDS);
        lifetimeEpsilonMicros %= 2 * EPSILON;
        (Mandate memory buyer, Mandate memory seller) = (_wide(), _wide());
        buyer.maxSpendE18 = maxSpendE18;
        (seller.floorsE18[1], seller.lifetimeEpsilonMicros) = (floorE18, lifetimeEpsilonMicros);
        _setMandate(INSTITUTE, buyer);
        _setMandate(1, seller);
        Terms memory terms = _terms(Kind.Data, 1);
        terms.priceE18 = priceE18;
        (bytes memory bought, bytes memory sold) = _signBoth(terms, 1);

        bool made = _succeeds(terms, bought, sold);

        bool inside = priceE18 <= maxSpendE18 && priceE18 >= floorE18 && EPSILON <= lifetimeEpsilonMicros;
        assertTrue(made == inside, "made exactly inside");
        assertEq(credit.balanceOf(address(book)), made ? priceE18 : 0, "escrow");
    }

    // ---- Internal ----

    function _succeeds(Terms memory terms, bytes memory bought, bytes memory sold) private returns (bool) {
        try book.createAgreement(terms, bought, sold) returns (bytes32) {
            return true;
        } catch {
            return false;
        }
    }

    function _setMandate(uint32 organisation, Mandate memory limits) private {
        vm.prank(_operator(organisation));
        agents.setMandate(_agent(organisation), limits);
    }

    function _expectOutside(Terms memory terms, uint32 seller, uint32 bound, bytes32 field) private {
        _expectRefusal(
            terms,
            seller,
            abi.encodeWithSelector(IAgreementBook.AgreementOutsideMandate.selector, _agent(bound), field)
        );
    }
}
