// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {ModelGovernor} from "../src/ModelGovernor.sol";
import {IReleaseRegistry} from "../src/interfaces/IReleaseRegistry.sol";
import {GUARDIAN} from "./Gate.sol";
import {ReleaseBase} from "./ReleaseBase.sol";

/// @dev Everything that people, agents and time can do, in any order; it never reverts on purpose.
contract Actors is ReleaseBase {
    uint256[] public proposals;
    mapping(bytes32 id => IReleaseRegistry.Status) public decided;
    bool public shrank;
    /// @dev A candidate that was decided came back, or one became a release without its vote.
    bool public wentBack;
    uint64 private _longest;
    uint256 private _most;
    mapping(bytes32 id => uint256) public asked;
    uint256 public mostAsked;

    function submit(int64 gap) external {
        uint256 index = releases.releasesOf(JOB).length;
        if (index >= 3) return;
        IReleaseRegistry.Manifest memory manifest = _manifest(uint8(index));
        vm.prank(COORDINATOR);
        try releases.submit(manifest) returns (bytes32 id) {
            // A few candidates are never measured.
            if (gap % 5 != 0) court.measure(id, "tpr_gap_abs", gap % 2 == 0 ? GOOD_GAP : BAD_GAP);
            else if (gap % 3 == 0) court.lapse(id);
        } catch {}
    }

    function propose(uint8 member, uint32 extraS) external {
        bytes32[] memory ids = releases.releasesOf(JOB);
        if (ids.length == 0) return;
        uint64 deadlineS = uint64(block.timestamp + 11 days + extraS % 30 days);
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) =
            _action(_approval(ids[ids.length - 1], deadlineS));
        vm.prank(member % 2 == 0 ? COORDINATOR : _member(member % MEMBERS));
        try governor.propose(targets, values, calls, "a release") returns (uint256 id) {
            proposals.push(id);
            if (++asked[ids[ids.length - 1]] > mostAsked) mostAsked = asked[ids[ids.length - 1]];
        } catch {}
    }

    function vote(uint8 choice, uint16 voters) public {
        if (proposals.length == 0) return;
        uint8 support = choice % 4 == 0 ? 0 : choice % 7 == 0 ? 2 : 1;
        for (uint256 i; i < MEMBERS; ++i) {
            if ((voters >> i) & 1 == 0) continue;
            vm.prank(_member(i));
            try governor.castVote(proposals[proposals.length - 1], support) {} catch {}
        }
    }

    function queue() public {
        if (proposals.length > 0) try governor.queue(proposals[proposals.length - 1]) {} catch {}
    }

    function execute() external {
        if (proposals.length > 0) try governor.execute(proposals[proposals.length - 1]) {} catch {}
        _remember();
    }

    function cancel(uint8 member) external {
        if (proposals.length == 0) return;
        if (member % 4 == 0) return;
        vm.prank(member % 2 == 0 ? COORDINATOR : _member(member % MEMBERS));
        try governor.cancel(proposals[proposals.length - 1]) {} catch {}
    }

    /// @dev Seldom, so that votes live.
    function stop(uint8 choice) external {
        if (proposals.length == 0 || choice % 8 != 0) return;
        vm.prank(GUARDIAN);
        try governor.cancel(proposals[proposals.length - 1]) {} catch {}
        _remember();
    }

    function refuse() external {
        bytes32[] memory ids = releases.releasesOf(JOB);
        if (ids.length > 0) try releases.refuse(ids[ids.length - 1]) {} catch {}
        _remember();
    }

    function suspend(uint8 place) external {
        bytes32 id = _some(place);
        vm.prank(GUARDIAN);
        if (id != 0) try releases.suspend(id, "an incident") {} catch {}
        _remember();
    }

    function recheck(uint8 place) external {
        bytes32 id = _some(place);
        if (id != 0) try releases.recheck(id) {} catch {}
        _remember();
    }

    /// @dev Votes that are about nothing else; seldom, so that releases live.
    function withdraw(uint8 place, uint8 choice) external {
        bytes32 id = _some(place);
        if (id == 0 || choice % 8 > 2) return;
        vm.startPrank(address(timelock));
        if (choice % 8 == 0) try releases.liftSuspension(id) {} catch {}
        else if (choice % 8 == 1) try releases.revoke(id, "obsolete") {} catch {}
        else try releases.recall(id, "harmful") {} catch {}
        vm.stopPrank();
        _remember();
    }

    function wait(uint24 seconds_) external {
        vm.warp(block.timestamp + seconds_ % 2 days + 1);
    }

    /// @dev To the next moment at which something becomes possible.
    function waitForTheVote() public {
        if (proposals.length == 0) return;
        uint256 id = proposals[proposals.length - 1];
        IGovernor.ProposalState state = governor.state(id);
        if (state == IGovernor.ProposalState.Pending) vm.warp(governor.proposalSnapshot(id) + 1);
        if (state == IGovernor.ProposalState.Active) vm.warp(governor.proposalDeadline(id) + 1);
        if (state == IGovernor.ProposalState.Queued) vm.warp(governor.proposalEta(id));
    }

    /// @dev A whole vote up to its execution: single steps alone seldom get that far.
    function holdVote(uint8 choice, uint16 voters) external {
        waitForTheVote();
        vote(choice, voters);
        waitForTheVote();
        queue();
        waitForTheVote();
    }

    function view_() external view returns (ModelGovernor, IReleaseRegistry, uint256) {
        return (governor, releases, MEMBERS);
    }

    function jobId() external pure returns (bytes32) {
        return JOB;
    }

    function finishes() external view returns (uint256) {
        return book.finishes();
    }

    function _some(uint8 place) private view returns (bytes32) {
        bytes32[] memory ids = releases.releasesOf(JOB);
        return ids.length == 0 ? bytes32(0) : ids[place % ids.length];
    }

    function _remember() private {
        uint64 length = releases.logLength();
        bytes32[] memory ids = releases.releasesOf(JOB);
        if (length < _longest || ids.length < _most) shrank = true;
        (_longest, _most) = (length, ids.length);
        for (uint256 i; i < ids.length; ++i) {
            IReleaseRegistry.Status status = releases.release(ids[i]).status;
            IReleaseRegistry.Status before = decided[ids[i]];
            bool undecided = status == IReleaseRegistry.Status.Candidate;
            if (undecided && before != IReleaseRegistry.Status.None) wentBack = true;
            if (!undecided && !_follows(before, status)) wentBack = true;
            if (!undecided) decided[ids[i]] = status;
        }
    }
}

/// @dev The only ways from one stored status to the next, once there is a decision.
function _follows(IReleaseRegistry.Status before, IReleaseRegistry.Status now_) pure returns (bool) {
    if (before == IReleaseRegistry.Status.None) {
        return now_ == IReleaseRegistry.Status.Released || now_ == IReleaseRegistry.Status.Refused;
    }
    if (before == now_) return true;
    if (now_ == IReleaseRegistry.Status.Revoked) return before == IReleaseRegistry.Status.Released;
    return now_ == IReleaseRegistry.Status.Recalled
        && (before == IReleaseRegistry.Status.Released || before == IReleaseRegistry.Status.Revoked);
}

contract ReleaseInvariantTest is ReleaseBase {
    Actors private actors;
    ModelGovernor private votes;
    IReleaseRegistry private registry;

    function setUp() public override {
        actors = new Actors();
        actors.setUp();
        (votes, registry,) = actors.view_();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(actors);
    }

    function excludeSelectors() external view returns (FuzzSelector[] memory excluded) {
        excluded = new FuzzSelector[](1);
        excluded[0].addr = address(actors);
        excluded[0].selectors = new bytes4[](1);
        excluded[0].selectors[0] = this.setUp.selector;
    }

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    /// @dev Released means executed, means that the quorum was met and the constitution holds.
    function invariant_a_release_was_voted_and_keeps_the_rules() public view {
        bytes32[] memory ids = registry.releasesOf(actors.jobId());
        for (uint256 i; i < ids.length; ++i) {
            IReleaseRegistry.Release memory release = registry.release(ids[i]);
            if (release.status == IReleaseRegistry.Status.Candidate) continue;
            if (release.status == IReleaseRegistry.Status.Refused) continue;
            (uint256 against, uint256 forVotes, uint256 abstain) = votes.proposalVotes(release.proposalId);
            assertTrue(votes.state(release.proposalId) == IGovernor.ProposalState.Executed, "executed");
            assertTrue(2 * (forVotes + abstain) >= MEMBERS && forVotes > against, "quorum and majority");
            (uint256 failed,,) = registry.check(ids[i]);
            assertEq(failed, 0, "failed rules");
            assertEq(i, ids.length - 1, "nothing follows a release");
        }
    }

    function invariant_nothing_leads_back_to_a_candidate_or_a_release() public view {
        assertFalse(actors.wentBack(), "status");
        assertTrue(actors.finishes() <= 1, "a job ends once");
    }

    /// @dev Usable means released by vote and stopped by nothing.
    function invariant_what_is_usable_is_released() public view {
        bytes32[] memory ids = registry.releasesOf(actors.jobId());
        for (uint256 i; i < ids.length; ++i) {
            IReleaseRegistry.Release memory release = registry.release(ids[i]);
            bool stopped = release.failsPolicy || block.timestamp < release.suspendedUntilS;
            bool usable = release.status == IReleaseRegistry.Status.Released && !stopped;
            assertTrue(registry.isUsable(release.artifact) == usable, "usable");
        }
    }

    function invariant_no_more_votes_than_members() public view {
        bytes32[] memory ids = registry.releasesOf(actors.jobId());
        for (uint256 i; i < ids.length; ++i) {
            uint256 proposal = registry.release(ids[i]).proposalId;
            if (proposal == 0) continue;
            (uint256 against, uint256 forVotes, uint256 abstain) = votes.proposalVotes(proposal);
            assertTrue(against + forVotes + abstain <= MEMBERS, "votes");
        }
    }

    function invariant_log_and_registry_only_grow() public view {
        assertFalse(actors.shrank(), "log");
    }

    /// @dev One vote, and one more where the guardian stopped the first.
    function invariant_a_candidate_has_at_most_two_votes() public view {
        assertTrue(actors.mostAsked() <= 2, "votes on one candidate");
    }

    /// @dev Shows that the walk reaches a decision at all.
    function test_the_actors_can_reach_a_release() public {
        actors.submit(2);
        actors.propose(0, 20 days);
        actors.waitForTheVote();
        actors.vote(1, type(uint16).max);
        actors.waitForTheVote();
        actors.queue();
        actors.waitForTheVote();
        actors.execute();
        bytes32 id = registry.releasesOf(actors.jobId())[0];
        assertEq(uint256(registry.release(id).status), uint256(IReleaseRegistry.Status.Released), "status");
    }
}
