// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {MemberToken} from "../src/MemberToken.sol";
import {ModelGovernor} from "../src/ModelGovernor.sol";
import {Timelock} from "../src/Timelock.sol";
import {IModelGovernor} from "../src/interfaces/IModelGovernor.sol";
import {IReleaseRegistry} from "../src/interfaces/IReleaseRegistry.sol";
import {Addresses} from "../src/types/Addresses.sol";
import {Delays} from "../src/types/Voting.sol";
import {Check} from "./Vm.sol";

address constant COORDINATOR = address(0xC0);

/// @dev Stands where proposals point to, and says what arrived.
contract Door {
    uint256 public noted;
    bytes public approval;
    bytes32 public approved;
    uint256 public knocks;

    /// @dev The candidate is the coordinator's.
    function noteProposal(uint256 proposalId, bytes calldata approval_, address proposer)
        external
        returns (bool second, bool own)
    {
        (noted, approval) = (proposalId, approval_);
        own = proposer == COORDINATOR;
    }

    function guardian() external pure returns (address) {
        return address(0);
    }

    function approve(bytes32 id, bytes32, bytes32, bytes32, uint64) external {
        approved = id;
    }

    function knock() external {
        ++knocks;
    }
}

/// @dev Admits members.
contract Admissions {
    function admit(MemberToken token, address member) external {
        token.admit(member);
    }
}

contract ModelGovernorTest is Check {
    uint256 private constant MEMBERS = 13;
    uint8 private constant AGAINST = 0;
    uint8 private constant FOR = 1;
    uint8 private constant ABSTAIN = 2;
    address private constant STRANGER = address(0x57);
    address private constant AMENDMENTS = address(0xA3);

    MemberToken private token;
    Timelock private timelock;
    ModelGovernor private governor;
    Door private door;
    Admissions private admissions;

    function setUp() public {
        vm.warp(1_700_000_000);
        door = new Door();
        admissions = new Admissions();
        Addresses memory a;
        uint256 nonce = vm.getNonce(address(this));
        a.memberToken = vm.computeCreateAddress(address(this), nonce);
        a.timelock = vm.computeCreateAddress(address(this), nonce + 1);
        a.governor = vm.computeCreateAddress(address(this), nonce + 2);
        a.releaseRegistry = address(door);
        a.agentRegistry = address(admissions);
        a.amendments = AMENDMENTS;
        token = new MemberToken(a);
        timelock = new Timelock(2 days, a);
        governor = new ModelGovernor(a, Delays(1 days, 5 days, 1 days));
        for (uint256 i; i < MEMBERS; ++i) {
            admissions.admit(token, _member(i));
        }
        vm.warp(block.timestamp + 1);
    }

    // ---- What was decided ----

    function test_delays_and_quorum_are_the_decided_ones() public view {
        assertEq(governor.votingDelay(), 1 days, "delay");
        assertEq(governor.votingPeriod(), 5 days, "period");
        assertEq(governor.lateQuorumVoteExtension(), 1 days, "extension");
        assertEq(timelock.getMinDelay(), 2 days, "timelock");
        assertEq(governor.proposalThreshold(), 1, "threshold");
        assertEq(governor.quorum(block.timestamp - 1), 7, "half of 13, rounded up");
    }

    function test_the_timelock_knows_the_governor_and_amendments_alone() public view {
        bytes32[4] memory roles = _roles();
        address[6] memory others = [address(0), address(this), STRANGER, _member(0), COORDINATOR, address(door)];
        for (uint256 i; i < roles.length; ++i) {
            bool forGovernor = roles[i] != timelock.DEFAULT_ADMIN_ROLE();
            assertTrue(timelock.hasRole(roles[i], address(governor)) == forGovernor, "governor");
            assertTrue(timelock.hasRole(roles[i], AMENDMENTS) != forGovernor, "amendments");
            assertFalse(timelock.hasRole(roles[i], address(timelock)), "timelock");
            assertEq(timelock.getRoleAdmin(roles[i]), timelock.DEFAULT_ADMIN_ROLE(), "admin of the role");
            for (uint256 j; j < others.length; ++j) {
                assertFalse(timelock.hasRole(roles[i], others[j]), "anybody else");
            }
        }
    }

    function test_deployment_grants_exactly_four_roles() public {
        Addresses memory a;
        a.amendments = AMENDMENTS;
        a.governor = address(governor);
        vm.recordLogs();
        new Timelock(2 days, a);
        uint256 grants;
        uint256 count = vm.getRecordedLogs().length;
        // The timelock is its own administrator for a moment: granted and revoked; and one MinDelayChange.
        grants = count - 3;
        assertEq(grants, 4, "grants");
    }

    // ---- Class ----

    function test_one_approval_without_value_is_routine() public {
        uint256 id = _proposeApproval(_member(0), "a release");
        assertTrue(governor.isRoutine(id), "routine");
        assertEq(door.noted(), id, "noted");
        assertEq(keccak256(door.approval()), keccak256(_approval()), "calldata noted");
        assertEq(governor.codePin(id), keccak256(abi.encode(bytes32(0), door, address(door).codehash)), "pin");
    }

    function test_anything_else_is_constitutional() public {
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) = _one(_approval());
        values[0] = 1;
        _expectConstitutional(0, targets, values, calls);

        (targets, values, calls) = _one(abi.encodeCall(Door.knock, ()));
        _expectConstitutional(1, targets, values, calls);

        (targets, values, calls) = _one(_approval());
        targets[0] = address(admissions);
        _expectConstitutional(2, targets, values, calls);

        (targets, values, calls) = _two(_approval(), _approval());
        _expectConstitutional(3, targets, values, calls);
        assertEq(door.noted(), 0, "nothing noted");
    }

    // ---- Who proposes ----

    function test_a_coordinator_proposes_a_release() public {
        uint256 id = _proposeApproval(COORDINATOR, "a release");
        assertEq(governor.proposalProposer(id), COORDINATOR, "proposer");
    }

    function test_a_coordinator_proposes_nothing_else() public {
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) =
            _one(abi.encodeCall(Door.knock, ()));
        vm.prank(COORDINATOR);
        vm.expectRevert(
            abi.encodeWithSelector(IGovernor.GovernorInsufficientProposerVotes.selector, COORDINATOR, 0, 1)
        );
        governor.propose(targets, values, calls, "a knock");
    }

    function test_a_stranger_proposes_nothing() public {
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) = _one(_approval());
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorInsufficientProposerVotes.selector, STRANGER, 0, 1));
        governor.propose(targets, values, calls, "a release");
    }

    function test_a_description_reserved_for_another_binds_a_coordinator_too() public {
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) = _one(_approval());
        vm.prank(COORDINATOR);
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorRestrictedProposer.selector, COORDINATOR));
        governor.propose(targets, values, calls, "x#proposer=0x0000000000000000000000000000000000000057");
    }

    function test_a_proposer_has_one_live_proposal() public {
        uint256 first = _proposeApproval(_member(0), "first");
        assertEq(governor.liveProposal(_member(0)), first, "live");
        _expectSecondRefused(first);
        vm.warp(block.timestamp + 1 days + 1);
        _expectSecondRefused(first);
        vm.warp(block.timestamp + 5 days);
        assertEq(governor.liveProposal(_member(0)), 0, "live after defeat");

        uint256 second = _proposeApproval(_member(0), "second");

        assertEq(governor.liveProposal(_member(0)), second, "live again");
    }

    /// @dev Threat 12. One vote, delegated on from key to key, called a new proposal from each.
    function test_threat_12_a_vote_that_is_delegated_on_proposes_no_second_time() public {
        _proposeKnock();
        vm.prank(_member(0));
        token.delegate(STRANGER);
        vm.warp(block.timestamp + 1);
        assertEq(token.getVotes(STRANGER), 1, "its vote is there");
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) =
            _one(abi.encodeCall(Door.knock, ()));
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IModelGovernor.GovernorOnlyMember.selector, STRANGER));
        governor.propose(targets, values, calls, "a knock by another key");
        (targets, values, calls) = _one(_approval());
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IModelGovernor.GovernorOnlyMember.selector, STRANGER));
        governor.propose(targets, values, calls, "a release by another key");
    }

    /// @dev Threat 12. However votes are delegated, there are never more live proposals than members.
    function testFuzz_threat_12_delegations_make_no_more_proposals_than_members(uint8[20] calldata moves) public {
        uint256 made;
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) =
            _one(abi.encodeCall(Door.knock, ()));
        for (uint256 i; i < moves.length; ++i) {
            // A third of the keys are no members.
            address key = vm.addr(moves[i] % 20 + 1);
            vm.prank(_member(i % MEMBERS));
            token.delegate(key);
            vm.warp(block.timestamp + 1);
            vm.prank(key);
            try governor.propose(targets, values, calls, string(abi.encodePacked("knock ", bytes1(uint8(i + 65))))) {
                ++made;
                assertEq(token.balanceOf(key), 1, "a member");
            } catch {}
        }
        assertTrue(made <= MEMBERS, "live proposals");
    }

    function test_a_delegate_still_votes() public {
        vm.prank(_member(0));
        token.delegate(STRANGER);
        vm.prank(_member(1));
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) =
            _one(abi.encodeCall(Door.knock, ()));
        uint256 id = governor.propose(targets, values, calls, "a knock");
        vm.warp(governor.proposalSnapshot(id) + 1);
        vm.prank(STRANGER);
        assertEq(governor.castVote(id, FOR), 1, "weight");
    }

    function test_a_cancelled_proposal_makes_room() public {
        uint256 first = _proposeKnock();
        vm.prank(_member(0));
        governor.cancel(first);
        assertEq(governor.liveProposal(_member(0)), 0, "live");
    }

    function test_a_release_vote_once_called_is_held() public {
        uint256 id = _proposeApproval(_member(0), "a release");
        vm.prank(_member(0));
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorUnableToCancel.selector, id, _member(0)));
        governor.cancel(id);
    }

    function test_not_even_a_vote_acts_in_the_governors_name() public {
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) =
            _one(abi.encodeCall(governor.relay, (address(door), 0, abi.encodeCall(Door.knock, ()))));
        targets[0] = address(governor);
        vm.prank(_member(0));
        uint256 id = governor.propose(targets, values, calls, "a knock by the governor");
        _vote(id, 13, 0, 0);
        vm.warp(governor.proposalDeadline(id) + 1);
        governor.queue(id);
        vm.warp(block.timestamp + 2 days);
        vm.expectRevert(IModelGovernor.GovernorNoRelay.selector);
        governor.execute(id);
    }

    // ---- Quorums ----

    function testFuzz_routine_needs_half_the_supply_and_a_majority(uint8 yes, uint8 no) public {
        (uint256 forVotes, uint256 against, uint256 abstain) = _split(yes, no);
        uint256 id = _proposeApproval(_member(0), "a release");
        _vote(id, forVotes, against, abstain);
        bool passes = forVotes + abstain >= 7 && forVotes > against;
        assertTrue(_passed(id) == passes, "outcome");
    }

    function testFuzz_constitutional_needs_two_thirds_of_the_supply(uint8 yes, uint8 no) public {
        (uint256 forVotes, uint256 against, uint256 abstain) = _split(yes, no);
        uint256 id = _proposeKnock();
        _vote(id, forVotes, against, abstain);
        assertTrue(_passed(id) == (3 * forVotes >= 2 * MEMBERS), "outcome");
    }

    function test_exactly_two_thirds_are_enough() public {
        admissions.admit(token, _member(13));
        admissions.admit(token, _member(14));
        vm.warp(block.timestamp + 1);
        uint256 id = _proposeKnock();
        _vote(id, 10, 5, 0);
        assertTrue(_passed(id), "10 of 15");
    }

    function test_abstaining_helps_no_constitutional_change() public {
        uint256 id = _proposeKnock();
        _vote(id, 8, 0, 5);
        assertFalse(_passed(id), "8 of 13");
    }

    function test_a_late_quorum_extends_the_vote() public {
        uint256 id = _proposeApproval(_member(0), "a release");
        uint256 endS = governor.proposalDeadline(id);
        vm.warp(endS - 10);
        for (uint256 i; i < 6; ++i) {
            _cast(id, i, FOR);
        }
        assertEq(governor.proposalDeadline(id), endS, "before the quorum");

        _cast(id, 6, FOR);

        assertEq(governor.proposalDeadline(id), endS - 10 + 1 days, "after the quorum");
    }

    function test_votes_count_once_and_only_from_the_snapshot() public {
        uint256 id = _proposeApproval(_member(0), "a release");
        vm.warp(block.timestamp + 1 days + 1);
        admissions.admit(token, STRANGER);
        vm.warp(block.timestamp + 1);
        vm.prank(STRANGER);
        governor.castVote(id, FOR);
        (, uint256 forVotes,) = governor.proposalVotes(id);
        assertEq(forVotes, 0, "a vote admitted after the snapshot");

        _cast(id, 1, FOR);
        vm.prank(_member(1));
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorAlreadyCastVote.selector, _member(1)));
        governor.castVote(id, FOR);
    }

    function test_a_signed_vote_counts_once_and_for_its_choice_only() public {
        uint256 id = _proposeApproval(_member(0), "a release");
        vm.warp(block.timestamp + 1 days + 1);
        bytes memory signature = _ballot(id, FOR, 3);
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorInvalidSignature.selector, _member(3)));
        governor.castVoteBySig(id, AGAINST, _member(3), signature);

        governor.castVoteBySig(id, FOR, _member(3), signature);

        (, uint256 forVotes,) = governor.proposalVotes(id);
        assertEq(forVotes, 1, "for");
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorInvalidSignature.selector, _member(3)));
        governor.castVoteBySig(id, FOR, _member(3), signature);
    }

    // ---- Carrying out ----

    function test_a_passed_vote_waits_and_is_carried_out_by_anyone() public {
        uint256 id = _passKnock();
        governor.queue(id);
        vm.warp(block.timestamp + 2 days - 1);
        vm.expectRevert();
        governor.execute(id);
        vm.warp(block.timestamp + 1);

        vm.prank(STRANGER);
        governor.execute(id);

        assertEq(door.knocks(), 1, "carried out once");
        assertEq(uint256(governor.state(id)), uint256(IGovernor.ProposalState.Executed), "state");
    }

    function test_nobody_goes_round_the_governor() public {
        uint256 id = _passKnock();
        governor.queue(id);
        vm.warp(block.timestamp + 2 days);
        (address[] memory targets, uint256[] memory values, bytes[] memory calls, bytes32 description) =
            governor.proposalDetails(id);
        bytes32 salt = bytes20(address(governor)) ^ description;
        bytes32 role = timelock.EXECUTOR_ROLE();
        vm.prank(STRANGER);
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, STRANGER, role)
        );
        timelock.executeBatch(targets, values, calls, 0, salt);
        assertEq(door.knocks(), 0, "not carried out");
    }

    function test_code_changed_after_the_proposal_is_not_called() public {
        uint256 id = _passKnock();
        governor.queue(id);
        vm.warp(block.timestamp + 2 days);
        vm.etch(address(door), address(admissions).code);
        vm.expectRevert(abi.encodeWithSelector(IModelGovernor.GovernorCodeChanged.selector, id));
        governor.execute(id);
    }

    function test_a_target_without_code_is_refused() public {
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) = _one("");
        targets[0] = STRANGER;
        vm.prank(_member(0));
        vm.expectRevert(abi.encodeWithSelector(IModelGovernor.GovernorNoCode.selector, STRANGER));
        governor.propose(targets, values, calls, "money for a stranger");
    }

    /// @dev Finding 17.
    function test_finding_17_settings_change_through_amendments_only() public {
        vm.prank(_member(0));
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorOnlyExecutor.selector, _member(0)));
        governor.setVotingPeriod(1);

        (address[] memory targets, uint256[] memory values, bytes[] memory calls) =
            _one(abi.encodeCall(governor.setVotingPeriod, (6 days)));
        targets[0] = address(governor);
        vm.prank(_member(0));
        uint256 id = governor.propose(targets, values, calls, "six days");
        assertFalse(governor.isRoutine(id), "class");
        _vote(id, 9, 0, 0);
        vm.warp(governor.proposalDeadline(id) + 1);
        governor.queue(id);
        vm.warp(block.timestamp + 2 days);
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorOnlyExecutor.selector, address(timelock)));
        governor.execute(id);

        vm.prank(AMENDMENTS);
        governor.setVotingPeriod(6 days);

        assertEq(governor.votingPeriod(), 6 days, "period");
    }

    // ---- Arranging ----

    function _member(uint256 index) private pure returns (address) {
        return vm.addr(index + 1);
    }

    function _roles() private view returns (bytes32[4] memory) {
        return [
            timelock.DEFAULT_ADMIN_ROLE(), timelock.PROPOSER_ROLE(), timelock.EXECUTOR_ROLE(), timelock.CANCELLER_ROLE()
        ];
    }

    function _approval() private view returns (bytes memory) {
        bytes32 id = "release";
        return abi.encodeCall(IReleaseRegistry.approve, (id, id, id, id, uint64(block.timestamp)));
    }

    function _one(bytes memory call)
        private
        view
        returns (address[] memory targets, uint256[] memory values, bytes[] memory calls)
    {
        (targets, values, calls) = (new address[](1), new uint256[](1), new bytes[](1));
        (targets[0], calls[0]) = (address(door), call);
    }

    function _two(bytes memory first, bytes memory second)
        private
        view
        returns (address[] memory targets, uint256[] memory values, bytes[] memory calls)
    {
        (targets, values, calls) = (new address[](2), new uint256[](2), new bytes[](2));
        (targets[0], calls[0]) = (address(door), first);
        (targets[1], calls[1]) = (address(door), second);
    }

    function _proposeApproval(address proposer, string memory description) private returns (uint256) {
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) = _one(_approval());
        vm.prank(proposer);
        return governor.propose(targets, values, calls, description);
    }

    function _proposeKnock() private returns (uint256) {
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) =
            _one(abi.encodeCall(Door.knock, ()));
        vm.prank(_member(0));
        return governor.propose(targets, values, calls, "a knock");
    }

    function _passKnock() private returns (uint256 id) {
        id = _proposeKnock();
        _vote(id, 9, 4, 0);
        vm.warp(governor.proposalDeadline(id) + 1);
    }

    function _expectConstitutional(
        uint256 member,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calls
    ) private {
        vm.prank(_member(member));
        assertFalse(governor.isRoutine(governor.propose(targets, values, calls, "something else")), "class");
    }

    function _expectSecondRefused(uint256 first) private {
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) = _one(_approval());
        bytes memory refusal =
            abi.encodeWithSelector(IModelGovernor.GovernorOneLiveProposal.selector, _member(0), first);
        vm.prank(_member(0));
        vm.expectRevert(refusal);
        governor.propose(targets, values, calls, "second");
    }

    function _split(uint8 yes, uint8 no) private pure returns (uint256 forVotes, uint256 against, uint256 abstain) {
        forVotes = yes % (MEMBERS + 1);
        against = no % (MEMBERS + 1 - forVotes);
        abstain = (uint256(yes) + no) % (MEMBERS + 1 - forVotes - against);
    }

    function _vote(uint256 id, uint256 forVotes, uint256 against, uint256 abstain) private {
        vm.warp(block.timestamp + 1 days + 1);
        for (uint256 i; i < forVotes + against + abstain; ++i) {
            _cast(id, i, i < forVotes ? FOR : i < forVotes + against ? AGAINST : ABSTAIN);
        }
    }

    function _cast(uint256 id, uint256 member, uint8 support) private {
        vm.prank(_member(member));
        governor.castVote(id, support);
    }

    function _passed(uint256 id) private returns (bool) {
        vm.warp(governor.proposalDeadline(id) + 1);
        return governor.state(id) == IGovernor.ProposalState.Succeeded;
    }

    function _ballot(uint256 id, uint8 support, uint256 member) private view returns (bytes memory) {
        uint256 nonce = governor.nonces(_member(member), uint192(id));
        bytes32 content = keccak256(abi.encode(governor.BALLOT_TYPEHASH(), id, support, _member(member), nonce));
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("ModelGovernor"),
                keccak256("1"),
                block.chainid,
                address(governor)
            )
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(member + 1, keccak256(abi.encodePacked("\x19\x01", domain, content)));
        return abi.encodePacked(r, s, v);
    }
}
