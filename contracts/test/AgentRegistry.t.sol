// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgentRegistry, Role} from "../src/interfaces/IAgentRegistry.sol";
import {IReleaseRegistry} from "../src/interfaces/IReleaseRegistry.sol";
import {Mandate} from "../src/types/Market.sol";
import {MarketBase} from "./MarketBase.sol";
import {Vm} from "./Vm.sol";

contract AgentRegistryTest is MarketBase {
    uint256 private constant NEW_KEY = 0xBEEF;
    address private constant NEW_MEMBER = address(0x999901);
    address private constant NEW_OPERATOR = address(0x999902);

    // ---- Organisations ----

    function test_founders_are_active_and_have_one_vote_each() public view {
        assertEq(agents.organisationCount(), ORGANISATIONS, "count");
        assertTrue(agents.organisation(1).active, "active");
        assertEq(members.getVotes(_member(1)), 1, "votes");
        assertEq(members.totalSupply(), ORGANISATIONS, "supply");
    }

    function test_a_vote_admits_an_organisation_with_one_vote() public {
        vm.prank(AMENDMENTS);
        uint32 id = agents.admit("Fifth hospital", NEW_MEMBER, NEW_OPERATOR);

        assertEq(id, ORGANISATIONS + 1, "number");
        assertEq(members.getVotes(NEW_MEMBER), 1, "votes");
        assertEq(agents.organisation(id).operator, NEW_OPERATOR, "operator");
    }

    function testFuzz_only_amendments_admits_and_removes(address caller) public {
        vm.assume(caller != AMENDMENTS);
        bytes memory refusal = abi.encodeWithSelector(IAgentRegistry.AgentOnlyAmendments.selector, caller);
        vm.prank(caller);
        vm.expectRevert(refusal);
        agents.admit("Fifth hospital", NEW_MEMBER, NEW_OPERATOR);

        vm.prank(caller);
        vm.expectRevert(refusal);
        agents.remove(1);
    }

    function test_names_and_keys_belong_to_one_organisation_for_ever() public {
        vm.startPrank(AMENDMENTS);
        agents.remove(1);
        vm.expectRevert(_used(address(0)));
        agents.admit("organisation A", NEW_MEMBER, NEW_OPERATOR);
        vm.expectRevert(_used(_member(1)));
        agents.admit("new", _member(1), NEW_OPERATOR);
        vm.expectRevert(_used(_operator(2)));
        agents.admit("new", NEW_MEMBER, _operator(2));
        vm.expectRevert(_used(_agent(1)));
        agents.admit("new", _agent(1), NEW_OPERATOR);
        vm.expectRevert(_used(NEW_MEMBER));
        agents.admit("new", NEW_MEMBER, NEW_MEMBER);
        vm.expectRevert(_used(address(0)));
        agents.admit("new", NEW_MEMBER, address(0));
        vm.expectRevert(IAgentRegistry.AgentEmptyName.selector);
        agents.admit("", NEW_MEMBER, NEW_OPERATOR);
        vm.stopPrank();
    }

    function test_removal_ends_the_vote_and_all_agents() public {
        vm.prank(AMENDMENTS);
        agents.remove(FIRST_LAB);

        assertEq(members.getVotes(_member(FIRST_LAB)), 0, "votes");
        assertFalse(agents.isActive(_agent(FIRST_LAB)), "agent");
        assertFalse(agents.agent(_agent(FIRST_LAB)).active, "agent view");
        assertFalse(agents.hasRole(_agent(FIRST_LAB), Role.EVALUATOR), "role");
        assertEq(agents.evaluatorOf(FIRST_LAB), address(0), "evaluator");
        assertEq(agents.operatorOf(_agent(FIRST_LAB)), _operator(FIRST_LAB), "still paid for earlier work");
    }

    function test_a_removed_organisation_does_nothing_more() public {
        IAgentRegistry.Binding memory binding = _binding(1, NEW_KEY, Role.OWNER);
        bytes memory signature = _sign(NEW_KEY, _bindingDigest(binding));
        vm.prank(AMENDMENTS);
        agents.remove(1);

        vm.prank(_operator(1));
        vm.expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentUnknownOrganisation.selector, 1));
        agents.bind(binding, signature);
        vm.prank(_operator(1));
        vm.expectRevert(_notActive(_agent(1)));
        agents.setMandate(_agent(1), _wide());
        vm.prank(_agent(1));
        vm.expectRevert(_notActive(_agent(1)));
        agents.heartbeat();
        vm.prank(AMENDMENTS);
        vm.expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentUnknownOrganisation.selector, 1));
        agents.remove(1);
    }

    // ---- Binding ----

    function test_an_agent_is_bound_when_both_sides_agree() public {
        _bind(1, NEW_KEY, Role.OWNER | Role.KEEPER);

        IAgentRegistry.Agent memory bound = agents.agent(vm.addr(NEW_KEY));
        assertEq(bound.organisation, 1, "organisation");
        assertEq(bound.roles, Role.OWNER | Role.KEEPER, "roles");
        assertTrue(bound.active, "active");
        assertEq(agents.agents().length, ORGANISATIONS + 1, "list");
        assertFalse(agents.hasRole(vm.addr(NEW_KEY), Role.OWNER | Role.COMPUTE), "every role of the mask");
    }

    function test_an_operator_cannot_take_a_binding_meant_for_another() public {
        IAgentRegistry.Binding memory binding = _binding(1, NEW_KEY, Role.OWNER);
        bytes memory signature = _sign(NEW_KEY, _bindingDigest(binding));

        vm.prank(_operator(2));
        vm.expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentOnlyOperator.selector, _operator(2)));
        agents.bind(binding, signature);

        binding.operator = _operator(2);
        _expectBadSignature();
        vm.prank(_operator(2));
        agents.bind(binding, signature);
    }

    function test_who_is_no_operator_binds_nothing() public {
        IAgentRegistry.Binding memory binding = _binding(1, NEW_KEY, Role.OWNER);
        binding.operator = _member(1);
        bytes memory signature = _sign(NEW_KEY, _bindingDigest(binding));

        vm.prank(_member(1));
        vm.expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentOnlyOperator.selector, _member(1)));
        agents.bind(binding, signature);
    }

    function test_a_foreign_signature_binds_nothing() public {
        IAgentRegistry.Binding memory binding = _binding(1, NEW_KEY, Role.OWNER);
        bytes32 digest = _bindingDigest(binding);

        address thief = vm.addr(0xBAD);
        bytes memory refusal = abi.encodeWithSelector(IAgentRegistry.AgentBadSignature.selector, binding.agent, thief);
        _expectNoBinding(binding, _sign(0xBAD, digest), refusal);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(NEW_KEY, digest);
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        bytes memory mirrored = abi.encodePacked(r, bytes32(order - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        refusal = abi.encodeWithSelector(IAgentRegistry.AgentBadSignature.selector, binding.agent, address(0));
        _expectNoBinding(binding, mirrored, refusal);
        _expectNoBinding(binding, "", refusal);
    }

    function test_a_key_that_is_not_the_agents_binds_nothing() public {
        IAgentRegistry.Binding memory binding = _binding(1, NEW_KEY, Role.OWNER);
        (binding.publicKeyX, binding.publicKeyY) = (binding.publicKeyY, binding.publicKeyX);
        address other = address(uint160(uint256(keccak256(abi.encode(binding.publicKeyX, binding.publicKeyY)))));

        _expectNoBinding(
            binding,
            _sign(NEW_KEY, _bindingDigest(binding)),
            abi.encodeWithSelector(IAgentRegistry.AgentKeyMismatch.selector, binding.agent, other)
        );
    }

    function test_a_used_binding_cannot_be_sent_again() public {
        IAgentRegistry.Binding memory binding = _binding(1, NEW_KEY, Role.OWNER);
        bytes memory signature = _sign(NEW_KEY, _bindingDigest(binding));
        vm.prank(_operator(1));
        agents.bind(binding, signature);
        vm.prank(_operator(1));
        agents.unbind(binding.agent);

        _expectNoBinding(
            binding, signature, abi.encodeWithSelector(IAgentRegistry.AgentBadNonce.selector, uint256(0), uint256(1))
        );
    }

    function test_a_binding_ends_with_its_deadline() public {
        IAgentRegistry.Binding memory binding = _binding(1, NEW_KEY, Role.OWNER);
        bytes memory signature = _sign(NEW_KEY, _bindingDigest(binding));
        vm.warp(binding.deadlineS + 1);

        _expectNoBinding(
            binding, signature, abi.encodeWithSelector(IAgentRegistry.AgentExpired.selector, binding.deadlineS)
        );
    }

    function test_a_binding_holds_on_one_chain_and_in_one_registry() public {
        IAgentRegistry.Binding memory binding = _binding(1, NEW_KEY, Role.OWNER);
        bytes memory signature = _sign(NEW_KEY, _bindingDigest(binding));
        KEYS.chainId(block.chainid + 1);
        _expectBadSignature();
        vm.prank(_operator(1));
        agents.bind(binding, signature);
    }

    function test_roles_that_do_not_exist_are_refused() public {
        uint8[2] memory wrong = [uint8(0), 32];
        for (uint256 i; i < wrong.length; ++i) {
            IAgentRegistry.Binding memory binding = _binding(1, NEW_KEY, wrong[i]);
            _expectNoBinding(
                binding,
                _sign(NEW_KEY, _bindingDigest(binding)),
                abi.encodeWithSelector(IAgentRegistry.AgentBadRoles.selector, wrong[i])
            );
        }
    }

    function test_an_agent_never_changes_its_organisation() public {
        vm.prank(_operator(1));
        agents.unbind(_agent(1));
        IAgentRegistry.Binding memory binding = _binding(2, _key(1), Role.OWNER);
        bytes memory signature = _sign(_key(1), _bindingDigest(binding));

        vm.prank(_operator(2));
        vm.expectRevert(_used(_agent(1)));
        agents.bind(binding, signature);
    }

    function test_an_operator_key_cannot_become_an_agent() public {
        uint256 key = 0xCAFE;
        vm.prank(AMENDMENTS);
        agents.admit("Fifth hospital", NEW_MEMBER, vm.addr(key));
        IAgentRegistry.Binding memory binding = _binding(1, key, Role.OWNER);
        _expectNoBinding(binding, _sign(key, _bindingDigest(binding)), _used(vm.addr(key)));
    }

    // ---- Administration ----

    function test_only_the_operator_administers_its_agents() public {
        address[3] memory others = [_operator(2), _member(1), _agent(1)];
        for (uint256 i; i < others.length; ++i) {
            bytes memory refusal = abi.encodeWithSelector(IAgentRegistry.AgentOnlyOperator.selector, others[i]);
            vm.startPrank(others[i]);
            vm.expectRevert(refusal);
            agents.unbind(_agent(1));
            vm.expectRevert(refusal);
            agents.setEndpoint(_agent(1), "http://elsewhere");
            vm.expectRevert(refusal);
            agents.setMandate(_agent(1), _wide());
            vm.stopPrank();
        }
    }

    function test_a_later_binding_starts_without_a_mandate() public {
        vm.prank(_operator(1));
        agents.unbind(_agent(1));
        assertFalse(agents.isActive(_agent(1)), "unbound");

        _bind(1, _key(1), Role.OWNER);

        assertTrue(agents.isActive(_agent(1)), "bound again");
        assertEq(agents.mandate(_agent(1)).validUntilS, 0, "mandate");
        assertEq(agents.agents().length, ORGANISATIONS, "listed once");
    }

    function test_the_first_active_evaluator_stands_for_its_organisation() public {
        _bind(FIRST_LAB, NEW_KEY, Role.EVALUATOR);
        assertEq(agents.evaluatorOf(FIRST_LAB), _agent(FIRST_LAB), "first");

        vm.prank(_operator(FIRST_LAB));
        agents.unbind(_agent(FIRST_LAB));
        assertEq(agents.evaluatorOf(FIRST_LAB), vm.addr(NEW_KEY), "second");

        _bind(FIRST_LAB, NEW_KEY, Role.KEEPER);
        assertEq(agents.evaluatorOf(FIRST_LAB), vm.addr(NEW_KEY), "the last, while there is no other");

        _bind(FIRST_LAB, _key(FIRST_LAB), Role.EVALUATOR);
        assertEq(agents.evaluatorOf(FIRST_LAB), _agent(FIRST_LAB), "first again");
    }

    function test_a_heartbeat_shows_when_an_agent_was_seen() public {
        vm.warp(START_S + 5);
        vm.prank(_agent(1));
        agents.heartbeat();
        assertEq(agents.agent(_agent(1)).lastSeenS, START_S + 5, "seen");
    }

    function test_log_payloads_are_the_hash_of_the_event() public {
        Mandate memory limits = _wide();
        limits.floorsE18[1] = 7;

        vm.recordLogs();
        vm.startPrank(_operator(1));
        agents.setMandate(_agent(1), limits);
        agents.setEndpoint(_agent(1), "http://new");
        vm.stopPrank();

        (bytes32 kind, bytes32 payload) = _logged(0);
        assertEq(kind, "mandate", "kind");
        assertEq(payload, keccak256(abi.encode(_agent(1), limits)), "mandate payload");
        (kind, payload) = _logged(1);
        IAgentRegistry.Agent memory a = agents.agent(_agent(1));
        assertEq(kind, "agent", "kind");
        bytes memory expected = abi.encode(
            _agent(1), a.organisation, a.roles, a.publicKeyX, a.publicKeyY, a.encryptionKey, "http://new"
        );
        assertEq(payload, keccak256(expected), "agent payload");
    }

    // ---- Data ----

    function test_sets_that_share_rows_are_one_family() public {
        vm.startPrank(_agent(1));
        agents.commitEvaluation("second", 40, _evaluation(1));
        agents.commitEvaluation("third", 30, "second");
        vm.stopPrank();

        assertEq(agents.dataSet("third").family, _evaluation(1), "family");
        assertEq(agents.dataSet(_evaluation(1)).family, _evaluation(1), "own family");
        assertEq(agents.dataSet("third").rows, 30, "rows");
    }

    function test_rows_cannot_be_shared_with_strangers_training_or_nothing() public {
        bytes32[3] memory wrong = [_evaluation(2), _training(1), bytes32("unknown")];
        for (uint256 i; i < wrong.length; ++i) {
            vm.prank(_agent(1));
            vm.expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentUnknownData.selector, wrong[i]));
            agents.commitEvaluation("new", 10, wrong[i]);
        }
    }

    function test_a_root_is_committed_once_by_an_owner_and_not_empty() public {
        vm.prank(_agent(2));
        vm.expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentDataAlreadyCommitted.selector, _training(1)));
        agents.commitTraining(_training(1), 100);
        vm.prank(_agent(1));
        vm.expectRevert(IAgentRegistry.AgentEmptyData.selector);
        agents.commitTraining("new", 0);
        vm.prank(_agent(1));
        vm.expectRevert(IAgentRegistry.AgentEmptyData.selector);
        agents.commitTraining(0, 10);
        vm.prank(_agent(INSTITUTE));
        vm.expectRevert(_notActive(_agent(INSTITUTE)));
        agents.commitTraining("new", 10);
    }

    // ---- Internal ----

    function _logged(uint256 index) private returns (bytes32 kind, bytes32 payload) {
        if (index == 0) _keep(vm.getRecordedLogs());
        return (_kinds[index], _payloads[index]);
    }

    bytes32[] private _kinds;
    bytes32[] private _payloads;

    function _keep(Vm.Log[] memory logs) private {
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].topics[0] != IReleaseRegistry.Logged.selector) continue;
            _kinds.push(logs[i].topics[2]);
            (bytes32 payload,,) = abi.decode(logs[i].data, (bytes32, address, bytes32));
            _payloads.push(payload);
        }
    }

    function _expectNoBinding(IAgentRegistry.Binding memory binding, bytes memory signature, bytes memory refusal)
        private
    {
        vm.prank(_operator(1));
        vm.expectRevert(refusal);
        agents.bind(binding, signature);
    }

    function _expectBadSignature() private {
        vm.expectPartialRevert(IAgentRegistry.AgentBadSignature.selector);
    }

    function _used(address key) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAgentRegistry.AgentAlreadyUsed.selector, key);
    }

    function _notActive(address key) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAgentRegistry.AgentNotActive.selector, key);
    }
}
