// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {IAgentRegistry} from "../src/interfaces/IAgentRegistry.sol";
import {IAmendments} from "../src/interfaces/IAmendments.sol";
import {IReleaseRegistry} from "../src/interfaces/IReleaseRegistry.sol";
import {Direction} from "../src/types/Amendment.sol";
import {RuleSet} from "../src/types/Policy.sol";
import {Sets} from "./Sets.sol";
import {SystemBase} from "./SystemBase.sol";
import {Vm} from "./Vm.sol";

contract AmendmentsTest is SystemBase {
    address private constant NEW_MEMBER = address(0xFEED);

    function setUp() public override {
        super.setUp();
        vm.warp(block.timestamp + 1);
    }

    // ---- Waits ----

    /// @dev Finding 16.
    function test_finding_16_admission_and_removal_wait_fourteen_days() public {
        bytes32 admission = _stage(address(agents), _admission());
        assertTrue(amendments.amendment(admission).direction == Direction.Loosen, "direction");
        uint64 fromS = uint64(block.timestamp + 14 days);
        vm.warp(fromS - 1);
        vm.expectRevert(abi.encodeWithSelector(IAmendments.AmendmentTooEarly.selector, admission, fromS));
        amendments.activate(admission);
        vm.warp(fromS);

        amendments.activate(admission);

        assertEq(members.getVotes(NEW_MEMBER), 1, "vote");
        bytes32 removal = _stage(address(agents), abi.encodeCall(IAgentRegistry.remove, (2)));
        assertTrue(amendments.amendment(removal).direction == Direction.Loosen, "removal");
    }

    function test_the_log_names_what_is_staged_and_when_it_may_come() public {
        bytes memory call = abi.encodeCall(book.setFee, (250));
        vm.recordLogs();
        bytes32 id = _stage(address(book), call);

        IAmendments.Amendment memory staged = amendments.amendment(id);
        assertEq(staged.untilS, staged.fromS + 30 days, "window");
        bytes32 payload =
            keccak256(abi.encode(id, address(book), Direction.Loosen, staged.fromS, staged.untilS, call));
        assertEq(_loggedPayload("staged", id), payload, "payload");
    }

    function test_the_treasurys_fee_waits_fourteen_days() public {
        bytes32 id = _stage(address(book), abi.encodeCall(book.setFee, (250)));
        assertTrue(amendments.amendment(id).direction == Direction.Loosen, "direction");
        vm.warp(block.timestamp + 14 days);

        amendments.activate(id);

        assertEq(book.feeBps(), 250, "fee");
    }

    function test_a_constitutional_change_needs_a_second_vote_after_thirty_days() public {
        bytes32 id = _stage(address(governor), abi.encodeCall(governor.setVotingPeriod, (6 days)));
        uint64 fromS = uint64(block.timestamp + 30 days);
        vm.expectRevert(abi.encodeWithSelector(IAmendments.AmendmentTooEarly.selector, id, fromS));
        amendments.openRatification(id);
        vm.warp(fromS);
        vm.expectRevert(_notIn(id, IAmendments.State.Ratified, IAmendments.State.Staged));
        amendments.activate(id);
        vm.prank(STRANGER);
        bytes32 nonce = amendments.openRatification(id);

        _decide(_member(1), address(amendments), abi.encodeCall(IAmendments.ratify, (id, nonce)));
        vm.prank(STRANGER);
        amendments.activate(id);

        assertEq(governor.votingPeriod(), 6 days, "period");
        vm.expectRevert(_notIn(id, IAmendments.State.Ratified, IAmendments.State.Activated));
        amendments.activate(id);
    }

    function test_rules_wait_as_long_as_the_policy_says_they_must() public {
        RuleSet memory set = Sets.wide(_tiers(), _rules());
        set.rules[set.rules.length - 1].bound -= 1;
        bytes32 tighter = _stage(address(policy), abi.encodeCall(policy.amend, (set)));
        assertTrue(amendments.amendment(tighter).direction == Direction.Tighten, "tighter");
        set.rules[set.rules.length - 1].bound += 2;
        bytes32 looser = _stage(address(policy), abi.encodeCall(policy.amend, (set)));
        assertTrue(amendments.amendment(looser).direction == Direction.Loosen, "looser");
        vm.warp(amendments.amendment(tighter).fromS);

        amendments.activate(tighter);

        assertEq(policy.version(), 2, "version");
    }

    function test_a_change_that_nobody_activates_expires() public {
        bytes32 id = _stage(address(agents), _admission());
        uint64 untilS = amendments.amendment(id).untilS;
        vm.warp(untilS + 1);
        vm.expectRevert(abi.encodeWithSelector(IAmendments.AmendmentExpired.selector, id, untilS));
        amendments.activate(id);
        vm.warp(untilS);
        amendments.activate(id);
    }

    function test_a_second_vote_that_comes_too_late_is_none() public {
        bytes32 id = _stage(address(timelock), abi.encodeCall(timelock.updateDelay, (1 days)));
        vm.warp(block.timestamp + 30 days);
        bytes32 nonce = amendments.openRatification(id);
        uint64 untilS = amendments.amendment(id).untilS;
        vm.warp(untilS + 1);
        vm.prank(address(timelock));
        vm.expectRevert(abi.encodeWithSelector(IAmendments.AmendmentExpired.selector, id, untilS));
        amendments.ratify(id, nonce);
    }

    function test_a_vote_withdraws_what_waits() public {
        bytes32 id = _stage(address(agents), _admission());
        vm.prank(address(timelock));
        amendments.withdraw(id);
        vm.warp(block.timestamp + 14 days);
        vm.expectRevert(_notIn(id, IAmendments.State.Staged, IAmendments.State.Withdrawn));
        amendments.activate(id);
        vm.prank(address(timelock));
        vm.expectRevert(_notIn(id, IAmendments.State.Staged, IAmendments.State.Withdrawn));
        amendments.withdraw(id);
    }

    // ---- The second vote cannot be prepared ----

    /// @dev Finding 2. Both votes were cast in one week and the second lay ready for day 30.
    function test_finding_2_a_ratification_written_before_its_nonce_is_refused() public {
        bytes32 id = _stage(address(governor), abi.encodeCall(governor.setVotingPeriod, (6 days)));
        uint256 early = _propose(
            _member(2), address(amendments), abi.encodeCall(IAmendments.ratify, (id, keccak256("a guess")))
        );
        _carry(early);
        vm.expectRevert(_notIn(id, IAmendments.State.Opened, IAmendments.State.Staged));
        governor.execute(early);
        vm.warp(amendments.amendment(id).fromS);
        amendments.openRatification(id);
        vm.expectRevert(
            abi.encodeWithSelector(IAmendments.AmendmentWrongNonce.selector, id, keccak256("a guess"))
        );
        governor.execute(early);
    }

    /// @dev Finding 2. The nonce hangs on a block that does not exist while the first vote is cast.
    function test_finding_2_the_nonce_is_taken_from_the_block_before() public {
        bytes32 id = _stage(address(governor), abi.encodeCall(governor.setVotingPeriod, (6 days)));
        vm.warp(amendments.amendment(id).fromS);
        vm.roll(block.number + 10);
        vm.setBlockhash(block.number - 1, "unknown before");
        bytes32 nonce = amendments.openRatification(id);
        assertEq(nonce, keccak256(abi.encode(id, bytes32("unknown before"))), "nonce");
    }

    /// @dev Finding 2. {stage, grant PROPOSER to the timelock, schedule(ratify, 30 d), revoke} loosened the constitution.
    function test_finding_2_one_proposal_cannot_carry_both_votes() public {
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) = _trick(timelock.PROPOSER_ROLE());
        vm.prank(_member(1));
        uint256 proposal = governor.propose(targets, values, calls, "one vote");
        _carry(proposal);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessControl.AccessControlUnauthorizedAccount.selector, address(timelock), bytes32(0)
            )
        );
        governor.execute(proposal);
        assertEq(amendments.count(), 0, "nothing staged");
    }

    /// @dev Finding 2. Nor does the wait of the timelock fall, nor a role change, by one vote.
    function test_finding_2_one_vote_changes_neither_roles_nor_wait_of_the_timelock() public {
        uint256 proposal = _propose(_member(1), address(timelock), abi.encodeCall(timelock.updateDelay, (0)));
        _carry(proposal);
        vm.expectRevert(
            abi.encodeWithSelector(TimelockController.TimelockUnauthorizedCaller.selector, address(timelock))
        );
        governor.execute(proposal);

        bytes32 id = _stageAs(_member(2), address(timelock), abi.encodeCall(timelock.updateDelay, (1 days)));
        assertTrue(amendments.amendment(id).direction == Direction.Constitutional, "the wait");
        bytes memory grant = abi.encodeCall(timelock.grantRole, (timelock.EXECUTOR_ROLE(), address(0)));
        assertTrue(amendments.directionOf(address(timelock), grant) == Direction.Constitutional, "roles");
        assertEq(timelock.getMinDelay(), 2 days, "delay");
    }

    function test_the_wait_of_the_timelock_changes_after_two_votes() public {
        bytes32 id = _stage(address(timelock), abi.encodeCall(timelock.updateDelay, (3 days)));
        _ratify(id);
        amendments.activate(id);
        assertEq(timelock.getMinDelay(), 3 days, "delay");
    }

    // ---- Side doors ----

    /// @dev Finding 17. What is not listed waits longest.
    function testFuzz_finding_17_an_unlisted_call_is_constitutional(address target, bytes4 selector) public view {
        vm.assume(target != address(agents) && target != address(policy) && target != address(book));
        vm.assume(target != address(releases));
        Direction direction = amendments.directionOf(target, abi.encodePacked(selector));
        assertTrue(direction == Direction.Constitutional, "direction");
    }

    /// @dev Finding 17. Each door to the rules of the game is closed to a vote that does not wait.
    function test_finding_17_no_side_door_opens_to_the_timelock_itself() public {
        vm.startPrank(address(timelock));
        bytes memory only = abi.encodeWithSelector(IGovernor.GovernorOnlyExecutor.selector, address(timelock));
        vm.expectRevert(only);
        governor.setVotingDelay(0);
        vm.expectRevert(only);
        governor.setVotingPeriod(1);
        vm.expectRevert(only);
        governor.setProposalThreshold(0);
        vm.expectRevert(only);
        governor.updateQuorumNumerator(1);
        vm.expectRevert(only);
        governor.setLateQuorumVoteExtension(0);
        vm.expectRevert(only);
        governor.updateTimelock(timelock);
        bytes memory onlyAmendments =
            abi.encodeWithSelector(IAgentRegistry.AgentOnlyAmendments.selector, address(timelock));
        vm.expectRevert(onlyAmendments);
        agents.admit("mine", NEW_MEMBER, STRANGER);
        vm.expectRevert(onlyAmendments);
        agents.remove(1);
        vm.stopPrank();
    }

    function test_no_vote_writes_to_the_log_in_this_name() public {
        bytes memory call = abi.encodeCall(IReleaseRegistry.append, ("released", 0, 0));
        vm.prank(address(timelock));
        vm.expectRevert(
            abi.encodeWithSelector(
                IAmendments.AmendmentForbidden.selector, address(releases), IReleaseRegistry.append.selector
            )
        );
        amendments.stage(address(releases), call);
    }

    function testFuzz_only_the_timelock_stages_ratifies_and_withdraws(address caller) public {
        vm.assume(caller != address(timelock));
        bytes32 id = _stage(address(agents), _admission());
        vm.startPrank(caller);
        bytes memory refusal = abi.encodeWithSelector(IAmendments.AmendmentOnlyTimelock.selector, caller);
        vm.expectRevert(refusal);
        amendments.stage(address(agents), _admission());
        vm.expectRevert(refusal);
        amendments.ratify(id, 0);
        vm.expectRevert(refusal);
        amendments.withdraw(id);
        vm.stopPrank();
    }

    /// @dev Threat 15. The code is pinned again for the time it waits.
    function test_threat_15_code_that_changes_while_it_waits_is_not_called() public {
        bytes32 id = _stage(address(agents), _admission());
        vm.warp(block.timestamp + 14 days);
        vm.etch(address(agents), address(credit).code);
        vm.expectRevert(
            abi.encodeWithSelector(IAmendments.AmendmentCodeChanged.selector, id, address(agents))
        );
        amendments.activate(id);
        vm.prank(address(timelock));
        vm.expectRevert(abi.encodeWithSelector(IAmendments.AmendmentNoCode.selector, STRANGER));
        amendments.stage(STRANGER, "");
    }

    // ---- What is kept ----

    function testFuzz_the_call_is_kept_byte_for_byte(bytes calldata call) public {
        vm.prank(address(timelock));
        bytes32 id = amendments.stage(address(credit), call);
        assertEq(keccak256(amendments.callOf(id)), keccak256(call), "call");
        assertEq(amendments.amendment(id).callHash, keccak256(call), "hash");
    }

    function test_a_call_that_fails_is_reported_and_may_be_tried_again() public {
        bytes32 id = _stage(address(agents), _admission());
        vm.prank(address(timelock));
        bytes32 second = amendments.stage(address(agents), _admission());
        vm.warp(block.timestamp + 14 days);
        amendments.activate(id);
        vm.expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentAlreadyUsed.selector, address(0)));
        amendments.activate(second);
        assertTrue(amendments.amendment(second).state == IAmendments.State.Staged, "still staged");
        assertTrue(id != second, "the same call has an id of its own");
    }

    function test_each_step_is_logged() public {
        vm.recordLogs();
        vm.prank(address(timelock));
        bytes32 id = amendments.stage(address(timelock), abi.encodeCall(timelock.updateDelay, (3 days)));
        vm.warp(block.timestamp + 30 days);
        bytes32 nonce = amendments.openRatification(id);
        vm.prank(address(timelock));
        amendments.ratify(id, nonce);
        amendments.activate(id);
        vm.startPrank(address(timelock));
        amendments.withdraw(amendments.stage(address(agents), _admission()));
        vm.stopPrank();

        bytes32[6] memory kinds = [bytes32("staged"), "ratification", "ratified", "activated", "staged", "change-withdrawn"];
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 found;
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].topics[0] != IReleaseRegistry.Logged.selector) continue;
            assertEq(logs[i].topics[2], kinds[found], "kind");
            if (found < 4) assertEq(logs[i].topics[3], id, "subject");
            ++found;
        }
        assertEq(found, kinds.length, "entries");
    }

    // ---- Arranging ----

    function _admission() private pure returns (bytes memory) {
        return abi.encodeCall(IAgentRegistry.admit, ("Fifth hospital", NEW_MEMBER, address(0xFEE)));
    }

    function _ratify(bytes32 id) private {
        vm.warp(amendments.amendment(id).fromS);
        bytes32 nonce = amendments.openRatification(id);
        _decide(_member(1), address(amendments), abi.encodeCall(IAmendments.ratify, (id, nonce)));
    }

    function _trick(bytes32 role)
        private
        view
        returns (address[] memory targets, uint256[] memory values, bytes[] memory calls)
    {
        (targets, values, calls) = (new address[](4), new uint256[](4), new bytes[](4));
        bytes memory loosening = abi.encodeCall(governor.setVotingPeriod, (1));
        bytes32 id =
            keccak256(abi.encode(block.chainid, address(amendments), address(governor), keccak256(loosening), 1));
        bytes memory ratification = abi.encodeCall(IAmendments.ratify, (id, 0));
        (targets[0], targets[1], targets[2], targets[3]) =
            (address(amendments), address(timelock), address(timelock), address(timelock));
        calls[0] = abi.encodeCall(IAmendments.stage, (address(governor), loosening));
        calls[1] = abi.encodeCall(IAccessControl.grantRole, (role, address(timelock)));
        calls[2] = abi.encodeCall(
            TimelockController.schedule, (address(amendments), 0, ratification, 0, bytes32("salt"), 30 days + 60)
        );
        calls[3] = abi.encodeCall(IAccessControl.revokeRole, (role, address(timelock)));
    }

    function _notIn(bytes32 id, IAmendments.State required, IAmendments.State found)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(IAmendments.AmendmentNotIn.selector, id, required, found);
    }

    /// @dev Of the last entry of a kind about a subject since logs are recorded.
    function _loggedPayload(bytes32 kind, bytes32 subject) private returns (bytes32 payload) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            bytes32[] memory topics = logs[i].topics;
            if (topics[0] != IReleaseRegistry.Logged.selector || topics[2] != kind || topics[3] != subject) continue;
            (payload,,) = abi.decode(logs[i].data, (bytes32, address, bytes32));
        }
    }
}
