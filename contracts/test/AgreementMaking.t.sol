// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {AgreementBook} from "../src/AgreementBook.sol";
import {Role} from "../src/interfaces/IAgentRegistry.sol";
import {IAgreementBook} from "../src/interfaces/IAgreementBook.sol";
import {IPolicyRegistry} from "../src/interfaces/IPolicyRegistry.sol";
import {AggregationPrivacy, IntegrationMode, JobTerms, Kind, PrivacyUnit, Terms} from "../src/types/Market.sol";
import {AgreementBase} from "./AgreementBase.sol";

contract AgreementMakingTest is AgreementBase {
    // ---- Jobs ----

    function test_a_job_opens_in_each_of_the_three_modes_with_clear_aggregation_only() public {
        for (uint8 mode = 1; mode <= 3; ++mode) {
            JobTerms memory t = _jobTerms();
            (t.integrationMode, t.nonce) = (IntegrationMode(mode), 100 + mode);
            t.aggregationPrivacy = AggregationPrivacy.Masked;
            _expectNoJob(t, "aggregationPrivacy");
            t.aggregationPrivacy = AggregationPrivacy.Clear;
            vm.prank(_agent(INSTITUTE));
            bytes32 id = book.openJob(t);
            assertEq(uint8(book.job(id).mode), mode, "mode");
        }
    }

    function test_a_jobs_id_is_its_typed_digest() public view {
        JobTerms memory terms = _jobTerms();
        bytes32 typeHash = keccak256(
            "JobTerms(address coordinator,uint128 purposes,uint32 roundsPerCandidate,uint64 epsilonMicros,uint64 deltaE12,uint8 privacyUnit,uint8 aggregationPrivacy,uint8 integrationMode,bytes32 task,bytes32 metricCode,bytes32[] candidates,uint128 bonusE18,uint64 deadlineS,uint64 nonce)"
        );
        bytes memory head = abi.encode(typeHash, terms.coordinator, terms.purposes, terms.roundsPerCandidate);
        bytes memory privacy = abi.encode(
            terms.epsilonMicros, terms.deltaE12, terms.privacyUnit, terms.aggregationPrivacy, terms.integrationMode
        );
        bytes32 names = keccak256(abi.encodePacked(terms.candidates));
        bytes memory tail = abi.encode(terms.task, terms.metricCode, names, terms.bonusE18, terms.deadlineS, terms.nonce);
        bytes32 structHash = keccak256(bytes.concat(head, privacy, tail));

        assertEq(job, _typed("Folkmoot AgreementBook", address(book), structHash), "id");
        assertEq(book.candidates(job)[2], "reweighed", "names");
    }

    function test_only_an_active_coordinator_opens_its_own_job_once() public {
        JobTerms memory terms = _jobTerms();
        vm.prank(_agent(INSTITUTE));
        vm.expectRevert(abi.encodeWithSelector(IAgreementBook.AgreementJobExists.selector, job));
        book.openJob(terms);

        terms.nonce = 1;
        vm.prank(_agent(1));
        vm.expectRevert(abi.encodeWithSelector(IAgreementBook.AgreementOnlyCoordinator.selector, _agent(1)));
        book.openJob(terms);

        terms.coordinator = _agent(1);
        vm.prank(_agent(1));
        vm.expectRevert(abi.encodeWithSelector(IAgreementBook.AgreementOnlyCoordinator.selector, _agent(1)));
        book.openJob(terms);
    }

    function test_a_job_that_contradicts_itself_is_refused() public {
        JobTerms memory t = _jobTerms();
        t.purposes = 0;
        _expectNoJob(t, "purposes");
        t = _jobTerms();
        t.purposes = 1 << 127;
        _expectNoJob(t, "purposes");
        t = _jobTerms();
        t.candidates = new bytes32[](0);
        _expectNoJob(t, "candidates");
        t = _jobTerms();
        t.candidates[1] = 0;
        _expectNoJob(t, "candidates");
        t = _jobTerms();
        t.candidates = new bytes32[](256);
        _expectNoJob(t, "candidates");
        t = _jobTerms();
        t.roundsPerCandidate = 0;
        _expectNoJob(t, "roundsPerCandidate");
        t = _jobTerms();
        t.roundsPerCandidate = type(uint32).max;
        _expectNoJob(t, "roundsPerCandidate");
    }

    function test_a_job_without_a_privacy_promise_is_refused() public {
        JobTerms memory t = _jobTerms();
        t.epsilonMicros = 0;
        _expectNoJob(t, "epsilonMicros");
        t = _jobTerms();
        t.deltaE12 = 1e12;
        _expectNoJob(t, "deltaE12");
        t = _jobTerms();
        t.privacyUnit = PrivacyUnit.None;
        _expectNoJob(t, "privacyUnit");
        t = _jobTerms();
        t.aggregationPrivacy = AggregationPrivacy.Masked;
        _expectNoJob(t, "aggregationPrivacy");
        t = _jobTerms();
        t.integrationMode = IntegrationMode.None;
        _expectNoJob(t, "integrationMode");
        t = _jobTerms();
        t.task = 0;
        _expectNoJob(t, "task");
        t = _jobTerms();
        t.metricCode = "other code";
        _expectNoJob(t, "metricCode");
        t = _jobTerms();
        t.deadlineS = START_S;
        _expectNoJob(t, "deadlineS");
    }

    // ---- Making ----

    function test_every_kind_locks_its_price_from_the_buyers_operator() public {
        bytes32 id = _make(Kind.Data, 1);
        _make(Kind.EvaluationRows, 2);
        _make(Kind.Compute, CENTRE);
        _make(Kind.Evaluation, FIRST_LAB);

        assertEq(id, _termsDigest(_terms(Kind.Data, 1)), "id");
        assertEq(credit.balanceOf(address(book)), 4 * uint256(PRICE), "escrow");
        assertEq(credit.balanceOf(address(book)), 4 * uint256(PRICE), "held");
        assertEq(credit.balanceOf(_operator(INSTITUTE)), FUNDS - 4 * uint256(PRICE), "paid by the operator");
        (uint128 spentE18, uint32 count) = book.spent(_agent(INSTITUTE));
        assertEq(spentE18, 4 * uint256(PRICE), "spent");
        assertEq(count, 4, "count");
        assertEq(book.epsilonGranted(_agent(1)), EPSILON, "epsilon of data");
        assertEq(book.epsilonGranted(_agent(2)), 0, "epsilon of rows");
    }

    function test_used_terms_cannot_be_sent_again() public {
        bytes32 id = _make(Kind.Data, 1);
        bytes memory refusal = abi.encodeWithSelector(IAgreementBook.AgreementExists.selector, id);
        _expectRefusal(_terms(Kind.Data, 1), 1, refusal);

        vm.prank(_agent(1));
        book.close(id);

        _expectRefusal(_terms(Kind.Data, 1), 1, refusal);
    }

    function test_a_signature_of_anybody_else_is_refused() public {
        Terms memory terms = _terms(Kind.Data, 1);
        bytes32 digest = _termsDigest(terms);
        bytes memory buyer = _sign(_key(INSTITUTE), digest);
        bytes memory seller = _sign(_key(1), digest);

        vm.expectRevert(_badSignature(_agent(INSTITUTE)));
        book.createAgreement(terms, seller, buyer);
        vm.expectRevert(_badSignature(_agent(1)));
        book.createAgreement(terms, buyer, _sign(_key(2), digest));
        vm.expectRevert(_badSignature(_agent(1)));
        book.createAgreement(terms, buyer, "");
        terms.priceE18 -= 1;
        vm.expectRevert(_badSignature(_agent(INSTITUTE)));
        book.createAgreement(terms, buyer, seller);
    }

    function test_a_signature_from_another_chain_is_refused() public {
        Terms memory terms = _terms(Kind.Data, 1);
        (bytes memory buyer, bytes memory seller) = _signBoth(terms, 1);
        KEYS.chainId(block.chainid + 1);

        vm.expectRevert(_badSignature(_agent(INSTITUTE)));
        book.createAgreement(terms, buyer, seller);
    }

    function test_a_signature_for_another_book_is_refused() public {
        Terms memory terms = _terms(Kind.Data, 1);
        bytes32 elsewhere = new AgreementBook(_addresses(), 0).hashTerms(terms);

        vm.expectRevert(_badSignature(_agent(INSTITUTE)));
        book.createAgreement(terms, _sign(_key(INSTITUTE), elsewhere), _sign(_key(1), elsewhere));
    }

    function test_expired_terms_and_jobs_are_refused() public {
        Terms memory terms = _terms(Kind.Data, 1);
        vm.warp(terms.validUntilS + 1);
        _expectRefusal(terms, 1, abi.encodeWithSelector(IAgreementBook.AgreementExpired.selector, terms.validUntilS));

        terms.validUntilS = DEADLINE_S + 1 days;
        vm.warp(DEADLINE_S);
        _expectRefusal(terms, 1, abi.encodeWithSelector(IAgreementBook.AgreementBadTerms.selector, bytes32("deadlineS")));
        vm.warp(DEADLINE_S + 1);
        _expectRefusal(terms, 1, abi.encodeWithSelector(IAgreementBook.AgreementBadJob.selector, job));
        terms.job = "unknown";
        _expectRefusal(
            terms, 1, abi.encodeWithSelector(IAgreementBook.AgreementBadJob.selector, bytes32("unknown"))
        );
    }

    function test_a_finished_job_takes_no_agreement() public {
        vm.prank(address(releases));
        book.finishJob(job, 0);
        _expectRefusal(_terms(Kind.Data, 1), 1, abi.encodeWithSelector(IAgreementBook.AgreementBadJob.selector, job));
    }

    // ---- Terms beside job and registry ----

    function test_parties_without_standing_are_refused() public {
        Terms memory t = _terms(Kind.Data, 1);
        t.buyer = _agent(2);
        _expectBadTerms(t, 1, "buyer");
        t = _terms(Kind.Compute, 1);
        _expectBadTerms(t, 1, "seller");
        t = _terms(Kind.Evaluation, CENTRE);
        _expectBadTerms(t, CENTRE, "seller");
        t = _terms(Kind.Data, FIRST_LAB);
        _expectBadTerms(t, FIRST_LAB, "seller");
        t = _terms(Kind.Data, 1);
        t.kind = Kind.None;
        _expectBadTerms(t, 1, "kind");
    }

    function test_an_agent_of_the_buyers_organisation_cannot_sell() public {
        uint256 key = 0xBEEF;
        _bind(INSTITUTE, key, Role.COMPUTE);
        Terms memory t = _terms(Kind.Compute, CENTRE);
        t.seller = vm.addr(key);
        _expectBadTerms(t, CENTRE, "seller");
    }

    function test_agents_of_a_removed_organisation_neither_sell_nor_buy() public {
        vm.prank(AMENDMENTS);
        agents.remove(1);
        _expectBadTerms(_terms(Kind.Data, 1), 1, "seller");
        vm.prank(_operator(2));
        agents.unbind(_agent(2));
        _expectBadTerms(_terms(Kind.Data, 2), 2, "seller");
        vm.prank(AMENDMENTS);
        agents.remove(INSTITUTE);
        _expectBadTerms(_terms(Kind.Data, 3), 3, "buyer");
    }

    function test_terms_that_contradict_the_job_are_refused() public {
        Terms memory t = _terms(Kind.Data, 1);
        t.units = 9;
        _expectBadTerms(t, 1, "units");
        t = _terms(Kind.Evaluation, FIRST_LAB);
        t.units = ALL_ROUNDS;
        _expectBadTerms(t, FIRST_LAB, "units");
        t = _terms(Kind.Data, 1);
        t.purposes = 2;
        _expectBadTerms(t, 1, "purposes");
        t = _terms(Kind.Data, 1);
        t.purposes = TRIAGE | (1 << 127);
        _expectBadTerms(t, 1, "purposes");
        t = _terms(Kind.Compute, CENTRE);
        t.purposes = TRIAGE | 2;
        _expectBadTerms(t, CENTRE, "purposes");
        t = _terms(Kind.Data, 1);
        t.deadlineS = DEADLINE_S + 1;
        _expectBadTerms(t, 1, "deadlineS");
        t = _terms(Kind.Data, 1);
        t.deadlineS = START_S;
        _expectBadTerms(t, 1, "deadlineS");
    }

    function test_a_privacy_promise_other_than_the_jobs_is_refused() public {
        Terms memory t = _terms(Kind.Data, 1);
        t.epsilonMicros -= 1;
        _expectBadTerms(t, 1, "epsilonMicros");
        t = _terms(Kind.Data, 1);
        t.deltaE12 += 1;
        _expectBadTerms(t, 1, "deltaE12");
        t = _terms(Kind.Data, 1);
        t.privacyUnit = PrivacyUnit.None;
        _expectBadTerms(t, 1, "privacyUnit");
        t = _terms(Kind.Data, 1);
        t.aggregationPrivacy = AggregationPrivacy.Masked;
        _expectBadTerms(t, 1, "aggregationPrivacy");
        t = _terms(Kind.Compute, CENTRE);
        t.epsilonMicros = 1;
        _expectBadTerms(t, CENTRE, "epsilonMicros");
    }

    function test_rows_that_the_seller_has_not_committed_are_refused() public {
        Terms memory t = _terms(Kind.Data, 1);
        t.dataRoot = _training(2);
        _expectBadTerms(t, 1, "dataRoot");
        t.dataRoot = _evaluation(1);
        _expectBadTerms(t, 1, "dataRoot");
        t.dataRoot = 0;
        _expectBadTerms(t, 1, "dataRoot");
        t = _terms(Kind.EvaluationRows, 1);
        t.dataRoot = _training(1);
        _expectBadTerms(t, 1, "dataRoot");
        t = _terms(Kind.Data, 1);
        t.rows = 101;
        _expectBadTerms(t, 1, "rows");
        t = _terms(Kind.Compute, CENTRE);
        t.rows = 1;
        _expectBadTerms(t, CENTRE, "rows");
        t = _terms(Kind.Evaluation, FIRST_LAB);
        t.dataRoot = _evaluation(1);
        _expectBadTerms(t, FIRST_LAB, "dataRoot");
    }

    // ---- Policy ----

    function test_a_prohibited_purpose_is_vetoed_and_nothing_is_locked() public {
        Terms memory t = _terms(Kind.Data, 1);
        t.purposes = TRIAGE | SOCIAL_SCORING;
        _expectVeto(t, PURPOSE_RULE);
        assertEq(credit.balanceOf(address(book)), 0, "escrow");
        assertEq(book.epsilonGranted(_agent(1)), 0, "epsilon");
    }

    function test_too_small_a_cohort_is_vetoed() public {
        vm.prank(_agent(1));
        agents.commitTraining("few", 9);
        Terms memory t = _terms(Kind.Data, 1);
        (t.dataRoot, t.rows) = ("few", 9);
        _expectVeto(t, COHORT_RULE);
    }

    function test_too_much_privacy_loss_is_vetoed() public {
        JobTerms memory loose = _jobTerms();
        loose.epsilonMicros = EPSILON + 1;
        vm.prank(_agent(INSTITUTE));
        Terms memory t = _terms(Kind.Data, 1);
        (t.job, t.epsilonMicros) = (book.openJob(loose), EPSILON + 1);
        _expectVeto(t, EPSILON_RULE);
    }

    function test_a_purpose_without_a_tier_is_refused() public {
        Terms memory t = _terms(Kind.Data, 1);
        t.purposes = TRIAGE | (1 << 5);
        _expectRefusal(t, 1, abi.encodeWithSelector(IPolicyRegistry.PolicyUnknownTier.selector, uint8(5)));
    }

    // ---- Money that is not there ----

    function test_without_the_operators_allowance_nothing_is_made() public {
        vm.prank(_operator(INSTITUTE));
        credit.approve(address(book), PRICE - 1);
        _expectRefusal(
            _terms(Kind.Data, 1),
            1,
            abi.encodeWithSelector(
                IERC20Errors.ERC20InsufficientAllowance.selector, address(book), uint256(PRICE - 1), uint256(PRICE)
            )
        );
    }

    // ---- Internal ----

    function _expectNoJob(JobTerms memory terms, bytes32 field) private {
        vm.prank(_agent(INSTITUTE));
        vm.expectRevert(abi.encodeWithSelector(IAgreementBook.AgreementBadTerms.selector, field));
        book.openJob(terms);
    }

    function _expectBadTerms(Terms memory terms, uint32 seller, bytes32 field) private {
        _expectRefusal(terms, seller, abi.encodeWithSelector(IAgreementBook.AgreementBadTerms.selector, field));
    }

    function _expectVeto(Terms memory terms, uint256 failed) private {
        _expectRefusal(terms, 1, abi.encodeWithSelector(IAgreementBook.AgreementPolicyViolation.selector, failed));
    }

    function _badSignature(address signer) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAgreementBook.AgreementBadSignature.selector, signer);
    }
}
