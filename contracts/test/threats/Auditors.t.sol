// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgentRegistry} from "../../src/interfaces/IAgentRegistry.sol";
import {IDisputes} from "../../src/interfaces/IDisputes.sol";
import {DisputeBase} from "../DisputeBase.sol";

/// @dev Keys that the terms name as auditor, and that were taken out or replaced since.
contract AuditorThreatsTest is DisputeBase {
    uint32 private constant JUDGE = FIRST_LAB;
    uint256 private constant NEXT_KEY = 0xBEEF;
    address private constant NEXT_OPERATOR = address(0x999902);
    address private constant NEXT_MEMBER = address(0x999901);

    // ---- One's own complaint ----

    /// @dev Finding 18. The organisation holds the old key still, whatever it signs with now.
    function test_finding_18_nobody_judges_its_own_complaint_with_a_replaced_operator_key() public {
        deal = _bonded(2, CHALLENGER);
        _changeOperator(CENTRE);
        _expectOwn(NEXT_OPERATOR);
    }

    /// @dev Finding 18.
    function test_finding_18_nobody_judges_its_own_complaint_with_a_replaced_member_key() public {
        deal = _bonded(2, _member(CENTRE));
        vm.prank(AMENDMENTS);
        agents.setMember(CENTRE, NEXT_MEMBER);
        _expectOwn(CHALLENGER);
    }

    // ---- Stolen keys ----

    /// @dev Threat 25. Together with whoever complains it would take the whole bond.
    function test_threat_25_an_auditors_key_that_was_unbound_takes_no_bond() public {
        bytes32 id = _complaint(_agent(JUDGE));
        vm.prank(_operator(JUDGE));
        agents.unbind(_agent(JUDGE));
        _expectNoVerdict(id, _agent(JUDGE));
    }

    /// @dev Threat 25. The key in its place does the work.
    function test_threat_25_the_key_in_an_auditors_place_judges_and_the_old_one_does_not() public {
        bytes32 id = _complaint(_agent(JUDGE));
        _rotate();
        _expectNoVerdict(id, _agent(JUDGE));

        vm.prank(vm.addr(NEXT_KEY));
        disputes.rule(id, false);
        assertTrue(disputes.dispute(id).state == IDisputes.State.Rejected, "judged");
    }

    /// @dev Threat 25.
    function test_threat_25_replaced_keys_of_operators_and_members_judge_nothing() public {
        bytes32 id = _complaint(_operator(JUDGE));
        _changeOperator(JUDGE);
        _expectNoVerdict(id, _operator(JUDGE));

        deal = _bonded(3, _member(JUDGE));
        id = _raise(IDisputes.Ground.FailedReexecution);
        vm.prank(AMENDMENTS);
        agents.setMember(JUDGE, NEXT_MEMBER);
        _expectNoVerdict(id, _member(JUDGE));
    }

    /// @dev Whatever kind of key it is, as long as its organisation holds it; also when that organisation may not work.
    function test_every_key_that_is_held_judges() public {
        address[3] memory keys = [_agent(JUDGE), _operator(JUDGE), _member(JUDGE)];
        vm.prank(TIMELOCK);
        agents.suspend(JUDGE, START_S + 90 days, "an incident");
        for (uint32 i; i < keys.length; ++i) {
            deal = _bonded(2 + i, keys[i]);
            bytes32 id = _raise(IDisputes.Ground.FailedReexecution);
            vm.prank(keys[i]);
            disputes.rule(id, true);
            assertTrue(disputes.dispute(id).state == IDisputes.State.Upheld, "judged");
        }
    }

    // ---- Arranging ----

    function _complaint(address auditor) private returns (bytes32) {
        deal = _bonded(2, auditor);
        return _raise(IDisputes.Ground.FailedReexecution);
    }

    function _changeOperator(uint32 organisation) private {
        vm.prank(_member(organisation));
        agents.askOperator(organisation, NEXT_OPERATOR);
        vm.warp(START_S + 16 days);
        vm.prank(NEXT_OPERATOR);
        agents.changeOperator(organisation);
        // Back again: the complaint is not to fail because the auditor's time is over.
        vm.warp(START_S);
        credit.transfer(NEXT_OPERATOR, DEPOSIT);
        vm.prank(NEXT_OPERATOR);
        credit.approve(address(vault), DEPOSIT);
    }

    function _rotate() private {
        vm.prank(_operator(JUDGE));
        agents.askRotation(_agent(JUDGE), vm.addr(NEXT_KEY));
        vm.warp(START_S + 2 days);
        IAgentRegistry.Binding memory binding = _binding(JUDGE, NEXT_KEY, _role(JUDGE));
        bytes memory signature = _sign(NEXT_KEY, _bindingDigest(binding));
        vm.prank(_operator(JUDGE));
        agents.rotate(_agent(JUDGE), binding, signature);
    }

    function _expectOwn(address challenger) private {
        vm.prank(challenger);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.DisputeOwnAuditor.selector, CENTRE));
        disputes.raise(deal, IDisputes.Ground.FailedReexecution, "evidence");
    }

    function _expectNoVerdict(bytes32 id, address thief) private {
        vm.prank(thief);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.DisputeOnlyAuditor.selector, thief));
        disputes.rule(id, true);
        (, uint128 heldE18) = vault.held(address(book), deal);
        assertEq(heldE18, PLEDGE, "bond");
    }
}
