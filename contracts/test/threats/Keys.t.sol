// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgentIdentity} from "../../src/interfaces/IAgentIdentity.sol";
import {IAgentRegistry, Role} from "../../src/interfaces/IAgentRegistry.sol";
import {IAgreementBook} from "../../src/interfaces/IAgreementBook.sol";
import {IKeyChanges} from "../../src/interfaces/IKeyChanges.sol";
import {IRoundLedger} from "../../src/interfaces/IRoundLedger.sol";
import {Lines} from "../../src/libraries/Lines.sol";
import {Kind, Terms} from "../../src/types/Market.sol";
import {AgreementBase} from "../AgreementBase.sol";

/// @dev Lost and stolen keys, and organisations that are stopped for a time.
contract KeyThreatsTest is AgreementBase {
    uint256 private constant NEXT_KEY = 0xBEEF;
    address private constant NEXT_OPERATOR = address(0x999902);
    address private constant NEXT_MEMBER = address(0x999901);

    // ---- Agent keys ----

    /// @dev Threat 25.
    function test_threat_25_a_stolen_agent_key_is_replaced_after_two_days_and_never_comes_back() public {
        address next = _ask(1);
        IAgentRegistry.Binding memory binding = _binding(1, NEXT_KEY, Role.OWNER);
        _expectRotation(binding, abi.encodeWithSelector(IKeyChanges.KeyTooEarly.selector, START_S + 2 days));
        _rotate(1);

        assertFalse(agents.isActive(_agent(1)), "old key");
        assertTrue(agents.hasRole(next, Role.OWNER), "new key");
        assertEq(agents.organisationOf(next), 1, "organisation");
        assertEq(agents.originOf(next), _agent(1), "stands in its place");
        binding = _binding(1, _key(1), Role.OWNER);
        bytes memory signature = _sign(_key(1), _bindingDigest(binding));
        vm.prank(_operator(1));
        vm.expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentAlreadyUsed.selector, _agent(1)));
        agents.bind(binding, signature);
    }

    /// @dev Threat 25. What the old key spent is not counted for the new one, so no limit is handed on.
    function test_threat_25_a_new_key_starts_without_a_mandate() public {
        address next = _ask(1);
        _rotate(1);
        assertEq(agents.mandate(_agent(1)).validUntilS, 0, "old key");
        assertEq(agents.mandate(next).validUntilS, 0, "new key");
    }

    function test_the_new_key_sells_the_rows_of_the_old_one_and_nobody_else_does() public {
        Terms memory terms = _sellWithNewKey(1);
        terms.seller = _agent(2);
        _expectRefusal(terms, 2, abi.encodeWithSelector(IAgreementBook.AgreementBadTerms.selector, bytes32("dataRoot")));
    }

    function test_an_agreement_of_the_old_key_is_paid_to_its_organisation() public {
        bytes32 id = _make(Kind.Data, 1);
        _ask(1);
        _rotate(1);
        _postUpTo(1);
        _claimRounds(id, 0, 1, 1);
        assertEq(credit.balanceOf(_operator(1)), PRICE / ALL_ROUNDS, "paid");
        vm.prank(_operator(1));
        book.withdraw(id);
    }

    /// @dev Threat 25. A thief keeps nothing of a key that was unbound: it ends no agreement and takes back no consent.
    function test_threat_25_a_stolen_key_that_was_unbound_ends_no_agreement() public {
        bytes32 id = _make(Kind.Data, 1);
        _postUpTo(2);
        vm.prank(_operator(1));
        agents.unbind(_agent(1));
        vm.startPrank(_agent(1));
        vm.expectRevert(abi.encodeWithSelector(IAgreementBook.AgreementOnlySeller.selector, _agent(1)));
        book.withdraw(id);
        vm.expectRevert(abi.encodeWithSelector(IAgreementBook.AgreementNotClosable.selector, id, type(uint64).max));
        book.close(id);
        vm.stopPrank();
        assertFalse(agents.actsFor(_agent(1), _agent(1)), "the key");
        assertFalse(agents.actsFor(_agent(1), address(0)), "nobody");
        assertTrue(agents.actsFor(_agent(1), _operator(1)), "the operator");
        vm.prank(_operator(1));
        book.withdraw(id);
    }

    /// @dev Threat 25. Nor does it pass over rounds, so that they are never paid.
    function test_threat_25_a_replaced_key_passes_over_no_round() public {
        bytes32 id = _make(Kind.Data, 1);
        _ask(1);
        _rotate(1);
        _postUpTo(2);
        (Lines.Line memory line, IRoundLedger.RoundClaim[] memory claims) = (_line(1), _claims(1, 2, 1));
        vm.prank(_agent(1));
        vm.expectRevert(abi.encodeWithSelector(IRoundLedger.RoundPassesOver.selector, id, uint32(0)));
        ledger.claimRounds(id, line, claims);
        vm.prank(_operator(1));
        ledger.claimRounds(id, line, claims);
    }

    /// @dev Threat 25. Whoever took a stolen key out first still sells the rows that it committed to, and the key stays out.
    function test_threat_25_a_key_that_was_unbound_is_replaced_too() public {
        vm.prank(_operator(1));
        agents.unbind(_agent(1));
        _sellWithNewKey(1);
        assertFalse(agents.isActive(_agent(1)), "old key");
        IAgentRegistry.Binding memory binding = _binding(1, _key(1), Role.OWNER);
        bytes memory signature = _sign(_key(1), _bindingDigest(binding));
        vm.prank(_operator(1));
        vm.expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentAlreadyUsed.selector, _agent(1)));
        agents.bind(binding, signature);
    }

    /// @dev Threat 25. One key only stands in another one's place: two would both sell its rows.
    function test_threat_25_a_replaced_key_is_not_replaced_again() public {
        _ask(1);
        _rotate(1);
        bytes memory refusal = abi.encodeWithSelector(IKeyChanges.KeyReplaced.selector, _agent(1));
        vm.prank(_operator(1));
        vm.expectRevert(refusal);
        agents.askRotation(_agent(1), address(0xD00D));
        _expectRotation(_binding(1, NEXT_KEY, Role.OWNER), refusal);
    }

    /// @dev Threat 25. A key that took a place and then another one's would lose the rows of the first.
    function test_threat_25_a_key_that_was_used_takes_no_other_ones_place() public {
        address next = _ask(1);
        _rotate(1);
        _bind(1, 0xC0C0, Role.OWNER);
        vm.startPrank(_operator(1));
        agents.askRotation(vm.addr(0xC0C0), next);
        vm.warp(START_S + 4 days);
        vm.stopPrank();
        IAgentRegistry.Binding memory binding = _binding(1, NEXT_KEY, Role.OWNER);
        bytes memory signature = _sign(NEXT_KEY, _bindingDigest(binding));

        vm.prank(_operator(1));
        vm.expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentAlreadyUsed.selector, next));
        agents.rotate(vm.addr(0xC0C0), binding, signature);

        assertEq(agents.originOf(next), _agent(1), "whose place it stands in");
    }

    function test_only_the_operator_of_an_organisation_that_stands_replaces_its_keys() public {
        vm.prank(_operator(1));
        agents.unbind(_agent(1));
        vm.prank(_operator(2));
        vm.expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentOnlyOperator.selector, _operator(2)));
        agents.askRotation(_agent(1), address(0xD00D));
        vm.prank(AMENDMENTS);
        agents.remove(1);
        vm.prank(_operator(1));
        vm.expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentUnknownOrganisation.selector, uint32(1)));
        agents.askRotation(_agent(1), address(0xD00D));
    }

    /// @dev Threat 25. A thief who has the operator key announces a key of its own; the member sees it and ends it.
    function test_threat_25_the_member_ends_a_rotation_that_its_operator_asked_for() public {
        _ask(1);
        vm.prank(_agent(1));
        vm.expectRevert(abi.encodeWithSelector(IKeyChanges.KeyOnlyMemberOrOperator.selector, _agent(1)));
        agents.cancelRotation(_agent(1));
        vm.prank(_member(1));
        agents.cancelRotation(_agent(1));
        vm.warp(START_S + 2 days);
        _expectRotation(
            _binding(1, NEXT_KEY, Role.OWNER), abi.encodeWithSelector(IKeyChanges.KeyNothingAsked.selector)
        );
    }

    function test_only_the_announced_key_in_its_time_and_by_its_operator() public {
        address next = _ask(1);
        vm.warp(START_S + 2 days);
        IAgentRegistry.Binding memory other = _binding(1, 0xD00D, Role.OWNER);
        bytes memory refusal = abi.encodeWithSelector(IKeyChanges.KeyNotAnnounced.selector, next, other.agent);
        bytes memory signature = _sign(0xD00D, _bindingDigest(other));
        vm.prank(_operator(1));
        vm.expectRevert(refusal);
        agents.rotate(_agent(1), other, signature);
        vm.warp(START_S + 32 days + 1);
        _expectRotation(
            _binding(1, NEXT_KEY, Role.OWNER), abi.encodeWithSelector(IKeyChanges.KeyTooLate.selector, START_S + 32 days)
        );
        vm.prank(_operator(2));
        vm.expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentOnlyOperator.selector, _operator(2)));
        agents.askRotation(_agent(1), next);
    }

    // ---- Operator keys ----

    /// @dev Threat 25. The member replaces a stolen operator key, and the thief cannot stop it.
    function test_threat_25_the_member_replaces_a_stolen_operator_key() public {
        bytes32 id = _make(Kind.Data, 1);
        vm.prank(_member(1));
        agents.askOperator(1, NEXT_OPERATOR);
        vm.startPrank(_operator(1));
        vm.expectRevert(abi.encodeWithSelector(IKeyChanges.KeyAskedByMember.selector, 1));
        agents.keepOperator(1);
        vm.expectRevert(abi.encodeWithSelector(IKeyChanges.KeyAskedByMember.selector, 1));
        agents.askOperator(1, address(0x7417EF));
        vm.stopPrank();
        vm.startPrank(NEXT_OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(IKeyChanges.KeyTooEarly.selector, START_S + 16 days));
        agents.changeOperator(1);
        vm.warp(START_S + 16 days);
        agents.changeOperator(1);
        vm.stopPrank();

        assertEq(agents.operatorOf(_agent(1)), NEXT_OPERATOR, "operator");
        vm.prank(_operator(1));
        vm.expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentOnlyOperator.selector, _operator(1)));
        agents.unbind(_agent(1));
        _postUpTo(1);
        _claimRounds(id, 0, 1, 1);
        assertEq(credit.balanceOf(NEXT_OPERATOR), PRICE / ALL_ROUNDS, "money follows the organisation");
        assertEq(credit.balanceOf(_operator(1)), 0, "not the thief");
    }

    /// @dev Threat 25. A thief with the member key can be stopped by a vote, which is shorter than the wait.
    function test_threat_25_the_members_stop_a_thief_of_the_member_key() public {
        vm.prank(_member(1));
        agents.askOperator(1, NEXT_OPERATOR);
        vm.warp(START_S + 10 days);
        vm.prank(TIMELOCK);
        agents.keepOperator(1);
        vm.warp(START_S + 16 days);
        vm.prank(NEXT_OPERATOR);
        vm.expectRevert(IKeyChanges.KeyNothingAsked.selector);
        agents.changeOperator(1);

        vm.prank(_member(1));
        agents.askOperator(1, NEXT_OPERATOR);
        vm.prank(AMENDMENTS);
        agents.setMember(1, NEXT_MEMBER);

        assertEq(agents.operatorChange(1).next, address(0), "what the thief asked for is gone");
        vm.prank(_member(1));
        vm.expectRevert(abi.encodeWithSelector(IKeyChanges.KeyOnlyMemberOrOperator.selector, _member(1)));
        agents.askOperator(1, NEXT_OPERATOR);
    }

    function test_the_operator_takes_back_what_it_asked_itself() public {
        vm.startPrank(_operator(1));
        agents.askOperator(1, NEXT_OPERATOR);
        agents.keepOperator(1);
        vm.expectRevert(IKeyChanges.KeyNothingAsked.selector);
        agents.keepOperator(1);
        agents.askOperator(1, _operator(2));
        vm.stopPrank();
        vm.warp(START_S + 16 days);
        vm.prank(_operator(2));
        vm.expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentAlreadyUsed.selector, _operator(2)));
        agents.changeOperator(1);
    }

    /// @dev Threat 25. Else an organisation would use up a key that the others are about to admit.
    function test_threat_25_nobody_gives_another_ones_key_an_office() public {
        vm.prank(_operator(1));
        agents.askOperator(1, NEXT_OPERATOR);
        vm.warp(START_S + 16 days);
        address[4] memory others = [_operator(1), _member(1), TIMELOCK, STRANGER];
        for (uint256 i; i < others.length; ++i) {
            vm.prank(others[i]);
            vm.expectRevert(abi.encodeWithSelector(IKeyChanges.KeyOnlyNext.selector, NEXT_OPERATOR, others[i]));
            agents.changeOperator(1);
        }

        vm.prank(AMENDMENTS);
        uint32 admitted = agents.admit("newcomer", NEXT_MEMBER, NEXT_OPERATOR);

        assertEq(agents.organisationOfOperator(NEXT_OPERATOR), admitted, "its own organisation");
        vm.prank(NEXT_OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentAlreadyUsed.selector, NEXT_OPERATOR));
        agents.changeOperator(1);
    }

    function testFuzz_strangers_change_no_key(address caller) public {
        vm.assume(caller != _member(1) && caller != _operator(1) && caller != TIMELOCK && caller != AMENDMENTS);
        vm.prank(_member(1));
        agents.askOperator(1, NEXT_OPERATOR);
        vm.startPrank(caller);
        bytes memory refusal = abi.encodeWithSelector(IKeyChanges.KeyOnlyMemberOrOperator.selector, caller);
        vm.expectRevert(refusal);
        agents.askOperator(1, caller);
        vm.expectRevert(refusal);
        agents.keepOperator(1);
        vm.expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentOnlyAmendments.selector, caller));
        agents.setMember(1, caller);
        vm.expectRevert(abi.encodeWithSelector(IKeyChanges.KeyOnlyTimelock.selector, caller));
        agents.suspend(1, START_S + 1 days, "why");
        vm.expectRevert(abi.encodeWithSelector(IKeyChanges.KeyOnlyTimelock.selector, caller));
        agents.reinstate(1);
        vm.stopPrank();
    }

    // ---- Member keys ----

    /// @dev Threat 25. There is one vote as before, and it is another wallet's.
    function test_threat_25_a_vote_gives_a_lost_member_key_to_another_wallet() public {
        uint256 supply = members.totalSupply();
        vm.prank(AMENDMENTS);
        agents.setMember(1, NEXT_MEMBER);
        assertEq(members.totalSupply(), supply, "votes");
        assertEq(members.getVotes(_member(1)), 0, "old wallet");
        assertEq(members.getVotes(NEXT_MEMBER), 1, "new wallet");
        vm.prank(AMENDMENTS);
        vm.expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentAlreadyUsed.selector, _member(1)));
        agents.setMember(2, _member(1));
    }

    // ---- Suspension ----

    /// @dev Finding 31. Its agents stop; its vote, its pay and its withdrawal stay.
    function test_finding_31_a_suspension_removes_neither_withdrawal_nor_claims() public {
        bytes32 id = _make(Kind.Data, 1);
        _postUpTo(2);
        vm.prank(TIMELOCK);
        agents.suspend(1, START_S + 90 days, "an incident");
        assertFalse(agents.isActive(_agent(1)), "active");
        assertFalse(agents.agent(_agent(1)).active, "active, in the record");
        _expectRefusal(
            _terms(Kind.EvaluationRows, 1),
            1,
            abi.encodeWithSelector(IAgreementBook.AgreementBadTerms.selector, bytes32("seller"))
        );

        _claimRounds(id, 0, 2, 1);
        vm.prank(_agent(1));
        book.withdraw(id);
        vm.startPrank(_operator(1));
        agents.setMandate(_agent(1), _wide());
        agents.unbind(_agent(1));
        vm.stopPrank();

        assertEq(credit.balanceOf(_operator(1)), 2 * PRICE / ALL_ROUNDS, "paid");
        assertEq(members.getVotes(_member(1)), 1, "vote");
    }

    function test_a_suspended_evaluator_is_not_drawn_and_comes_back_by_itself() public {
        vm.prank(TIMELOCK);
        agents.suspend(FIRST_LAB, START_S + 5 days, "an incident");
        _bind(FIRST_LAB, NEXT_KEY, Role.EVALUATOR);
        assertEq(agents.evaluatorOf(FIRST_LAB), address(0), "suspended");
        vm.warp(START_S + 5 days);
        assertEq(agents.evaluatorOf(FIRST_LAB), _agent(FIRST_LAB), "back");
        assertTrue(agents.isActive(_agent(FIRST_LAB)), "active");
    }

    function test_a_suspension_has_an_end_and_a_reason_and_can_be_ended_early() public {
        vm.startPrank(TIMELOCK);
        uint64 latestS = START_S + 90 days;
        vm.expectRevert(abi.encodeWithSelector(IKeyChanges.KeyBadSuspension.selector, latestS + 1, latestS));
        agents.suspend(1, latestS + 1, "too long");
        vm.expectRevert(abi.encodeWithSelector(IKeyChanges.KeyBadSuspension.selector, START_S, latestS));
        agents.suspend(1, START_S, "over");
        vm.expectRevert(IKeyChanges.KeyNoReason.selector);
        agents.suspend(1, latestS, 0);
        vm.expectRevert(abi.encodeWithSelector(IKeyChanges.KeyNotSuspended.selector, 1));
        agents.reinstate(1);
        agents.suspend(1, latestS, "an incident");
        agents.reinstate(1);
        vm.stopPrank();
        assertTrue(agents.isActive(_agent(1)), "active");
        assertEq(agents.suspendedUntilS(1), START_S, "ended");
    }

    // ---- As ERC-8004 reads it ----

    function test_an_identity_registry_shows_operator_endpoint_and_metadata() public view {
        uint256 id = uint160(_agent(1));
        assertEq(agents.ownerOf(id), _operator(1), "owner");
        assertEq(agents.getAgentWallet(id), _operator(1), "wallet");
        assertEq(keccak256(bytes(agents.tokenURI(id))), keccak256("http://127.0.0.1:8000/submit"), "uri");
        assertEq(keccak256(agents.getMetadata(id, "agentWallet")), keccak256(abi.encodePacked(_operator(1))), "wallet");
        assertEq(uint256(abi.decode(agents.getMetadata(id, "organisation"), (uint32))), 1, "organisation");
        assertEq(uint256(abi.decode(agents.getMetadata(id, "roles"), (uint8))), Role.OWNER, "roles");
        assertTrue(abi.decode(agents.getMetadata(id, "active"), (bool)), "active");
        assertEq(uint160(uint256(keccak256(agents.getMetadata(id, "publicKey")))), id, "the key's hash is the id");
        assertEq(agents.getMetadata(id, "unknown").length, 0, "unknown");
        assertEq(agents.totalSupply(), ORGANISATIONS, "supply");
        assertEq(agents.tokenByIndex(0), id, "first");
    }

    function testFuzz_an_unknown_identity_reverts(uint256 id) public {
        vm.assume(id >> 160 != 0 || agents.organisationOf(address(uint160(id))) == 0);
        bytes memory refusal = abi.encodeWithSelector(IAgentIdentity.ERC721NonexistentToken.selector, id);
        vm.expectRevert(refusal);
        agents.ownerOf(id);
        vm.expectRevert(refusal);
        agents.tokenURI(id);
    }

    function test_an_id_with_more_bits_than_an_address_is_nobodys() public {
        uint256 id = uint160(_agent(1)) | (uint256(1) << 160);
        vm.expectRevert(abi.encodeWithSelector(IAgentIdentity.ERC721NonexistentToken.selector, id));
        agents.ownerOf(id);
    }

    // ---- Arranging ----

    function _ask(uint32 organisation) private returns (address next) {
        next = vm.addr(NEXT_KEY);
        vm.prank(_operator(organisation));
        agents.askRotation(_agent(organisation), next);
    }

    function _rotate(uint32 organisation) private {
        vm.warp(START_S + 2 days);
        IAgentRegistry.Binding memory binding = _binding(organisation, NEXT_KEY, _role(organisation));
        bytes memory signature = _sign(NEXT_KEY, _bindingDigest(binding));
        vm.prank(_operator(organisation));
        agents.rotate(_agent(organisation), binding, signature);
    }

    /// @dev Replaces an owner's key; the new one sells the rows that the old one committed to.
    function _sellWithNewKey(uint32 organisation) private returns (Terms memory terms) {
        address next = _ask(organisation);
        _rotate(organisation);
        vm.prank(_operator(organisation));
        agents.setMandate(next, _wide());
        terms = _terms(Kind.Data, organisation);
        (terms.seller, terms.validUntilS) = (next, uint64(block.timestamp) + 1 days);
        bytes32 digest = _termsDigest(terms);
        bytes32 id = book.createAgreement(terms, _sign(_key(INSTITUTE), digest), _sign(NEXT_KEY, digest));
        assertEq(book.agreement(id).seller, next, "sold");
    }

    function _expectRotation(IAgentRegistry.Binding memory binding, bytes memory refusal) private {
        bytes memory signature = _sign(NEXT_KEY, _bindingDigest(binding));
        vm.prank(_operator(1));
        vm.expectRevert(refusal);
        agents.rotate(_agent(1), binding, signature);
    }
}
