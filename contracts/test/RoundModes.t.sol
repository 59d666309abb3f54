// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRoundLedger} from "../src/interfaces/IRoundLedger.sol";
import {IRoundScores} from "../src/interfaces/IRoundScores.sol";
import {Lines} from "../src/libraries/Lines.sol";
import {IntegrationMode, JobTerms, Kind} from "../src/types/Market.sol";
import {AgreementBase} from "./AgreementBase.sol";
import {Tree} from "./Tree.sol";

contract RoundModesTest is AgreementBase {
    bytes32 private constant SALT = "salt";

    function _openIn(IntegrationMode mode) private {
        JobTerms memory terms = _jobTerms();
        (terms.integrationMode, terms.nonce) = (mode, 7);
        vm.prank(_agent(INSTITUTE));
        job = book.openJob(terms);
    }

    // ---- Decoupled ----

    function test_decoupled_has_one_anchor_a_candidate() public {
        _openIn(IntegrationMode.Decoupled);
        bytes32 id = _make(Kind.Data, 1);
        bytes32[] memory leaves = _anchorLeaves(0, 1 + ROUNDS_EACH);
        _postRoot(0, Tree.root(leaves), OWNERS + 1);
        assertTrue(ledger.isComplete(job, 0), "first candidate");
        assertFalse(ledger.isComplete(job, 1), "second candidate");

        IRoundLedger.RoundClaim[] memory claims = new IRoundLedger.RoundClaim[](1 + ROUNDS_EACH);
        for (uint32 round; round < claims.length; ++round) {
            claims[round] = IRoundLedger.RoundClaim(round, _digest(round, 1), Tree.proof(leaves, round));
        }
        ledger.claimRounds(id, _line(0), claims);
        assertEq(credit.balanceOf(_operator(1)), PRICE * 4 / ALL_ROUNDS, "four rounds by one anchor");

        _postRoot(1, Tree.root(_anchorLeaves(4, 3)), OWNERS + 1);
        _postRoot(2, Tree.root(_anchorLeaves(7, 3)), OWNERS + 1);
        vm.prank(_agent(INSTITUTE));
        vm.expectRevert(abi.encodeWithSelector(IRoundLedger.RoundOutOfOrder.selector, uint32(3), uint32(3)));
        ledger.post(job, 3, "root", 5);
    }

    function test_a_decoupled_claim_is_proven_in_the_first_anchor_of_its_line() public {
        _openIn(IntegrationMode.Decoupled);
        bytes32 id = _make(Kind.Data, 1);
        bytes32[] memory leaves = _anchorLeaves(0, 4);
        _postRoot(0, Tree.root(leaves), OWNERS + 1);
        _postRoot(1, Tree.root(_anchorLeaves(4, 3)), OWNERS + 1);
        IRoundLedger.RoundClaim[] memory claims = new IRoundLedger.RoundClaim[](1);
        claims[0] = IRoundLedger.RoundClaim(0, _digest(0, 1), Tree.proof(leaves, 0));
        Lines.Line memory line = _line(1);
        vm.expectRevert(abi.encodeWithSelector(IRoundLedger.RoundNotProven.selector, job, uint32(0)));
        ledger.claimRounds(id, line, claims);
        ledger.claimRounds(id, _line(0), claims);
    }

    // ---- Overlapped ----

    /// @dev Finding 28. Three of four score the fourth at nothing: it loses what scores decide, and never its base.
    function test_finding_28_a_colluding_majority_cannot_take_the_base() public {
        bytes32[5] memory ids = _overlappedRound();
        uint8[4][4] memory scores = [[0, 100, 100, 0], [100, 0, 100, 0], [100, 100, 0, 0], [90, 90, 90, 0]];
        _score(scores);

        assertEq(ledger.shareOf(job, 0, _agent(4)), 50, "share of the fourth");
        assertEq(ledger.shareOf(job, 0, _agent(1)), 100, "share of a colluder");
        _claimRounds(ids[4], 0, 1, 4);
        assertEq(credit.balanceOf(_operator(4)), uint256(PRICE) * 50 / 1000, "half of an instalment");
        // What is withheld is the buyer's, so that low scores earn nobody anything.
        vm.prank(_operator(4));
        book.close(ids[4]);
        assertEq(credit.balanceOf(_operator(INSTITUTE)), FUNDS - 4 * uint256(PRICE) - uint256(PRICE) * 50 / 1000, "buyer");
    }

    /// @dev Finding 28. One liar moves nobody beyond what two honest ones say.
    function test_finding_28_a_single_liar_does_not_move_the_median() public {
        _overlappedRound();
        uint8[4][4] memory scores = [[0, 0, 0, 0], [80, 0, 80, 80], [80, 80, 0, 80], [80, 80, 80, 0]];
        _score(scores);
        for (uint32 i = 1; i <= 4; ++i) {
            assertEq(ledger.shareOf(job, 0, _agent(i)), 90, "share");
        }
    }

    /// @dev Finding 28. No rule can read a score: the ledger answers no question about facts at all.
    function test_finding_28_scores_are_no_facts() public {
        bytes4 facts = bytes4(keccak256("facts(bytes32,bytes32[],uint8[])"));
        (bool answered,) =
            address(ledger).call(abi.encodeWithSelector(facts, job, new bytes32[](0), new uint8[](0)));
        assertFalse(answered, "facts");
    }

    function test_who_does_not_score_gets_the_base() public {
        bytes32[5] memory ids = _overlappedRound();
        uint8[] memory given = _list([0, 60, 60, 60]);
        vm.prank(_agent(1));
        ledger.commitScores(job, 0, _sealed(1, given));
        vm.warp(START_S + 1 hours + 1);
        vm.prank(_agent(1));
        ledger.revealScores(job, 0, given, SALT);
        vm.expectRevert(abi.encodeWithSelector(IRoundScores.RoundNotTheTime.selector, job, uint32(0)));
        ledger.settleScores(job, 0);
        vm.expectRevert(abi.encodeWithSelector(IRoundScores.RoundNotScored.selector, job, uint32(0)));
        _tryClaim(ids[1]);
        vm.warp(START_S + 2 hours);
        vm.expectRevert(abi.encodeWithSelector(IRoundScores.RoundNotTheTime.selector, job, uint32(0)));
        ledger.settleScores(job, 0);
        vm.warp(START_S + 2 hours + 1);
        ledger.settleScores(job, 0);

        assertEq(ledger.shareOf(job, 0, _agent(1)), 100, "nobody scored it");
        assertEq(ledger.shareOf(job, 0, _agent(2)), 50, "it did not score");
    }

    function test_scores_are_sealed_before_any_is_open() public {
        _overlappedRound();
        uint8[] memory given = _list([0, 60, 60, 60]);
        vm.prank(_agent(1));
        ledger.commitScores(job, 0, _sealed(1, given));
        vm.prank(_agent(1));
        vm.expectRevert(abi.encodeWithSelector(IRoundScores.RoundNotTheTime.selector, job, uint32(0)));
        ledger.revealScores(job, 0, given, SALT);
        vm.warp(START_S + 1 hours + 1);
        bytes32 commitment = _sealed(2, given);
        vm.prank(_agent(2));
        vm.expectRevert(abi.encodeWithSelector(IRoundScores.RoundNotTheTime.selector, job, uint32(0)));
        ledger.commitScores(job, 0, commitment);
        given[1] = 61;
        vm.prank(_agent(1));
        vm.expectRevert(abi.encodeWithSelector(IRoundScores.RoundBadScores.selector, job, uint32(0)));
        ledger.revealScores(job, 0, given, SALT);
    }

    /// @dev Finding 28. Else strangers could end the time for sealing, and so let scores be seen before the last is made.
    function test_finding_28_only_who_committed_to_an_update_scores() public {
        _overlappedRound();
        vm.prank(_agent(CENTRE));
        vm.expectRevert(abi.encodeWithSelector(IRoundScores.RoundNotParticipant.selector, job, uint32(0), _agent(CENTRE)));
        ledger.commitScores(job, 0, "sealed");
    }

    function test_nobody_scores_itself_or_above_all() public {
        for (uint8 i; i < 2; ++i) {
            uint256 before = KEYS.snapshotState();
            _overlappedRound();
            uint8[] memory given = _list(i == 0 ? [1, 60, 60, 60] : [0, 101, 60, 60]);
            vm.prank(_agent(1));
            ledger.commitScores(job, 0, _sealed(1, given));
            vm.warp(START_S + 1 hours + 1);
            vm.prank(_agent(1));
            vm.expectRevert(abi.encodeWithSelector(IRoundScores.RoundBadScores.selector, job, uint32(0)));
            ledger.revealScores(job, 0, given, SALT);
            KEYS.revertToState(before);
        }
    }

    /// @dev Finding 28. Updates are committed to before anybody's is seen, so none can be copied.
    function test_finding_28_an_update_is_committed_once_and_before_the_round() public {
        _openIn(IntegrationMode.Overlapped);
        (bytes32 one, bytes32 two) = (_make(Kind.Data, 1), _make(Kind.Data, 2));
        bytes32 compute = _make(Kind.Compute, CENTRE);
        vm.prank(_agent(1));
        ledger.commitUpdate(one, 0, "update");
        vm.prank(_agent(1));
        vm.expectRevert(abi.encodeWithSelector(IRoundScores.RoundUpdateTaken.selector, job, uint32(0)));
        ledger.commitUpdate(one, 0, "another");
        vm.prank(_agent(2));
        vm.expectRevert(abi.encodeWithSelector(IRoundScores.RoundUpdateTaken.selector, job, uint32(0)));
        ledger.commitUpdate(two, 0, "update");
        vm.prank(_agent(2));
        vm.expectRevert(abi.encodeWithSelector(IRoundScores.RoundNotParticipant.selector, job, uint32(0), _agent(2)));
        ledger.commitUpdate(one, 0, "of a stranger");
        vm.prank(_agent(CENTRE));
        vm.expectRevert(abi.encodeWithSelector(IRoundScores.RoundNotParticipant.selector, job, uint32(0), _agent(CENTRE)));
        ledger.commitUpdate(compute, 0, "sum");
        vm.prank(_agent(2));
        vm.expectRevert(abi.encodeWithSelector(IRoundLedger.RoundOutOfOrder.selector, uint32(1), uint32(0)));
        ledger.commitUpdate(two, 1, "too early");
        vm.prank(_agent(INSTITUTE));
        vm.expectRevert(abi.encodeWithSelector(IRoundScores.RoundOtherUpdates.selector, uint32(5), uint32(2)));
        ledger.post(job, 0, "root", 5);
    }

    /// @dev Threat 25. Nor does a thief commit to anything with a key that was taken out.
    function test_threat_25_a_key_that_was_unbound_commits_to_no_update() public {
        _openIn(IntegrationMode.Overlapped);
        bytes32 id = _make(Kind.Data, 1);
        vm.prank(_operator(1));
        agents.unbind(_agent(1));
        vm.prank(_agent(1));
        vm.expectRevert(abi.encodeWithSelector(IRoundScores.RoundNotParticipant.selector, job, uint32(0), _agent(1)));
        ledger.commitUpdate(id, 0, "of a thief");
    }

    /// @dev Finding 31. It would pay a tenth of its bond for each job whose rounds it may not work in.
    function test_finding_31_a_suspended_owner_finishes_what_it_sold() public {
        _openIn(IntegrationMode.Overlapped);
        bytes32 id = _make(Kind.Data, 1);
        vm.prank(TIMELOCK);
        agents.suspend(1, START_S + 90 days, "an incident");
        vm.prank(_agent(1));
        ledger.commitUpdate(id, 0, "update");
        assertEq(ledger.participants(job, 0).length, 1, "participants");
    }

    function test_updates_are_committed_in_overlapped_jobs_only() public {
        bytes32 id = _make(Kind.Data, 1);
        vm.prank(_agent(1));
        vm.expectRevert(abi.encodeWithSelector(IRoundScores.RoundNotOverlapped.selector, job));
        ledger.commitUpdate(id, 0, "update");
    }

    function test_compute_is_paid_whole_in_overlapped_jobs() public {
        bytes32 compute = _overlappedRound()[0];
        _claimRounds(compute, 0, 1, CENTRE);
        assertEq(credit.balanceOf(_operator(CENTRE)), PRICE / ALL_ROUNDS, "one instalment");
    }

    // ---- Internal ----

    /// @dev Owner 1's leaves of these rounds, as one tree.
    function _anchorLeaves(uint32 first, uint32 count) private view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](count);
        for (uint32 i; i < count; ++i) {
            leaves[i] = Tree.leaf(job, first + i, _agent(1), _digest(first + i, 1));
        }
    }

    /// @dev Four agreements by organisation, after that of the computing centre; four committed updates, one posted round.
    function _overlappedRound() private returns (bytes32[5] memory ids) {
        _openIn(IntegrationMode.Overlapped);
        ids[0] = _make(Kind.Compute, CENTRE);
        for (uint32 i = 1; i <= OWNERS; ++i) {
            ids[i] = _make(Kind.Data, i);
            vm.prank(_agent(i));
            ledger.commitUpdate(ids[i], 0, _digest(0, i));
        }
        _post(0);
        assertEq(ledger.participants(job, 0).length, OWNERS, "participants");
    }

    function _score(uint8[4][4] memory scores) private {
        for (uint32 i = 1; i <= OWNERS; ++i) {
            vm.prank(_agent(i));
            ledger.commitScores(job, 0, _sealed(i, _list(scores[i - 1])));
        }
        for (uint32 i = 1; i <= OWNERS; ++i) {
            vm.prank(_agent(i));
            ledger.revealScores(job, 0, _list(scores[i - 1]), SALT);
        }
        ledger.settleScores(job, 0);
    }

    function _sealed(uint32 organisation, uint8[] memory scores) private view returns (bytes32) {
        return keccak256(
            abi.encode(block.chainid, address(ledger), job, uint32(0), _agent(organisation), scores, SALT)
        );
    }

    function _list(uint8[4] memory scores) private pure returns (uint8[] memory list) {
        list = new uint8[](4);
        for (uint256 i; i < 4; ++i) {
            list[i] = scores[i];
        }
    }

    function _tryClaim(bytes32 id) private {
        IRoundLedger.RoundClaim[] memory claims = new IRoundLedger.RoundClaim[](1);
        claims[0] = IRoundLedger.RoundClaim(0, _digest(0, 1), Tree.proof(_leaves(job, 0), 0));
        ledger.claimRounds(id, _line(0), claims);
    }
}
