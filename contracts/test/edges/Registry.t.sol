// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgentRegistry, Role} from "../../src/interfaces/IAgentRegistry.sol";
import {IDisputes} from "../../src/interfaces/IDisputes.sol";
import {IKeyChanges} from "../../src/interfaces/IKeyChanges.sol";
import {JobTerms, Kind, Mandate, Terms} from "../../src/types/Market.sol";
import {DisputeBase} from "../DisputeBase.sol";

/// @dev Keys, mandates, jobs and complaints at their last seconds and greatest numbers.
contract RegistryEdgesTest is DisputeBase {
    uint256 private constant NEXT_KEY = 0xBEEF;

    // ---- Keys ----

    function test_a_binding_is_valid_up_to_its_last_second() public {
        IAgentRegistry.Binding memory binding = _binding(1, NEXT_KEY, Role.OWNER);
        vm.warp(binding.deadlineS);
        bytes memory signature = _sign(NEXT_KEY, _bindingDigest(binding));
        vm.prank(_operator(1));
        agents.bind(binding, signature);
        assertTrue(agents.isActive(vm.addr(NEXT_KEY)), "bound");
    }

    function test_a_key_is_replaced_up_to_the_last_second() public {
        vm.prank(_operator(1));
        agents.askRotation(_agent(1), vm.addr(NEXT_KEY));
        vm.warp(START_S + 32 days);
        IAgentRegistry.Binding memory binding = _binding(1, NEXT_KEY, Role.OWNER);
        bytes memory signature = _sign(NEXT_KEY, _bindingDigest(binding));
        vm.prank(_operator(1));
        agents.rotate(_agent(1), binding, signature);
        assertTrue(agents.isActive(vm.addr(NEXT_KEY)), "in its place");
    }

    function test_nothing_asked_is_nothing_to_cancel() public {
        vm.prank(_operator(1));
        vm.expectRevert(IKeyChanges.KeyNothingAsked.selector);
        agents.cancelRotation(_agent(1));
    }

    function test_nobody_is_reinstated_whose_suspension_has_just_ended() public {
        vm.startPrank(TIMELOCK);
        agents.suspend(1, START_S + 1 days, "an incident");
        vm.warp(START_S + 1 days);
        vm.expectRevert(abi.encodeWithSelector(IKeyChanges.KeyNotSuspended.selector, 1));
        agents.reinstate(1);
        vm.stopPrank();
    }

    // ---- Mandates and jobs ----

    function test_a_mandate_counts_to_its_last_second_and_its_last_epsilon() public {
        Mandate memory limits = _wide();
        (limits.maxEpsilonMicros, limits.lifetimeEpsilonMicros) = (EPSILON, EPSILON);
        limits.validUntilS = START_S + 1 hours;
        vm.prank(_operator(2));
        agents.setMandate(_agent(2), limits);
        vm.warp(limits.validUntilS);
        assertEq(book.agreement(_make(Kind.Data, 2)).seller, _agent(2), "made");
    }

    function test_a_job_has_up_to_255_candidates() public {
        JobTerms memory terms = _jobTerms();
        terms.candidates = new bytes32[](255);
        for (uint256 i; i < 255; ++i) {
            terms.candidates[i] = bytes32(i + 1);
        }
        vm.prank(_agent(INSTITUTE));
        assertEq(book.job(book.openJob(terms)).candidates, 255, "candidates");
    }

    // ---- Complaints ----

    function test_an_auditor_rules_up_to_the_last_second() public {
        bytes32 id = _raise(IDisputes.Ground.FailedReexecution);
        vm.warp(disputes.dispute(id).decideByS);
        vm.prank(AUDITOR);
        disputes.rule(id, true);
        assertTrue(disputes.dispute(id).state == IDisputes.State.Upheld, "upheld");
    }

    function test_compute_is_complained_about_and_a_measurement_is_not() public {
        bytes32 compute = _bondedOf(Kind.Compute, INSTITUTE + 1);
        bytes32 evaluation = _bondedOf(Kind.Evaluation, FIRST_LAB);
        vm.startPrank(_operator(2));
        credit.approve(address(vault), type(uint256).max);
        disputes.raise(compute, IDisputes.Ground.FailedReexecution, "evidence");
        vm.expectRevert(abi.encodeWithSelector(IDisputes.DisputeNothingAtStake.selector, evaluation));
        disputes.raise(evaluation, IDisputes.Ground.FailedReexecution, "evidence");
        vm.stopPrank();
    }

    function _bondedOf(Kind kind, uint32 seller) private returns (bytes32) {
        credit.transfer(_operator(seller), PLEDGE);
        credit.transfer(_operator(2), DEPOSIT);
        vm.prank(_operator(seller));
        credit.approve(address(vault), type(uint256).max);
        Terms memory terms = _terms(kind, seller);
        (terms.bondE18, terms.auditor) = (PLEDGE, AUDITOR);
        return _make(terms, seller);
    }
}
