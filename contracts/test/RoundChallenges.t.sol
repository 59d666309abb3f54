// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreementBook} from "../src/interfaces/IAgreementBook.sol";
import {IRoundChallenges} from "../src/interfaces/IRoundChallenges.sol";
import {IRoundLedger} from "../src/interfaces/IRoundLedger.sol";
import {Lines} from "../src/libraries/Lines.sol";
import {Kind} from "../src/types/Market.sol";
import {AgreementBase} from "./AgreementBase.sol";
import {Tree} from "./Tree.sol";

contract RoundChallengesTest is AgreementBase {
    uint64 private constant BY_S = START_S + 2 days;
    uint64 private constant UNTIL_S = BY_S + 1 + 1 days;

    bytes32 private id;

    function setUp() public override {
        super.setUp();
        id = _make(Kind.Data, 1);
    }

    // ---- Omission ----

    /// @dev Finding 19. Refund theft: the buyer takes the update, leaves its owner out of the root and waits for the refund.
    function test_finding_19_an_owner_left_out_of_a_root_is_paid_by_its_receipt() public {
        _postWithout(1);
        _challenge(id, _receipt(0), INSTITUTE);

        vm.warp(UNTIL_S + 1);
        ledger.settleOmission(id, 0);

        assertEq(credit.balanceOf(_operator(1)), PRICE / ALL_ROUNDS, "one instalment");
        assertEq(ledger.omissions(job), 1, "recorded");
        vm.expectRevert();
        ledger.settleOmission(id, 0);
    }

    /// @dev Finding 19. Or it never posts the round at all.
    function test_finding_19_an_owner_is_paid_for_an_acknowledged_round_that_is_never_posted() public {
        vm.warp(BY_S + 1);
        ledger.challengeOmission(id, _receipt(0), _signed(_receipt(0), INSTITUTE));
        vm.warp(UNTIL_S + 1);
        ledger.settleOmission(id, 0);

        assertEq(credit.balanceOf(_operator(1)), PRICE / ALL_ROUNDS, "one instalment");
    }

    /// @dev Finding 19. What a proof has paid once is not paid again by a receipt.
    function test_a_round_is_not_paid_by_proof_and_by_receipt() public {
        _postUpTo(2);
        _challenge(id, _receipt(0), INSTITUTE);
        _claimRounds(id, 0, 1, 1);
        vm.warp(UNTIL_S + 1);
        vm.expectRevert(abi.encodeWithSelector(IRoundLedger.RoundNothingDue.selector, id));
        ledger.settleOmission(id, 0);

        IRoundChallenges.Receipt memory paid = _receipt(0);
        paid.digest = "another";
        bytes memory signature = _signed(paid, INSTITUTE);
        vm.expectRevert(abi.encodeWithSelector(IRoundChallenges.RoundNoReceipt.selector, id, uint32(0)));
        ledger.challengeOmission(id, paid, signature);
    }

    /// @dev Finding 19. Nor are rounds before it lost because a stranger settles.
    function test_an_omission_is_settled_in_its_turn() public {
        _postWithout(1);
        _post(1);
        _challenge(id, _receiptOf(1, _digest(1, 1)), INSTITUTE);
        vm.warp(UNTIL_S + 1);
        vm.expectRevert(abi.encodeWithSelector(IRoundLedger.RoundPassesOver.selector, id, uint32(0)));
        ledger.settleOmission(id, 1);
    }

    function test_a_coordinator_answers_with_the_leaf() public {
        _postUpTo(2);
        _challenge(id, _receipt(0), INSTITUTE);
        bytes32[] memory proof = Tree.proof(_leaves(job, 0), 0);
        (bytes32[] memory other, Lines.Line memory line) = (Tree.proof(_leaves(job, 0), 1), _line(0));
        vm.expectRevert(abi.encodeWithSelector(IRoundLedger.RoundNotProven.selector, job, uint32(0)));
        ledger.answerOmission(id, 0, line, other);
        ledger.answerOmission(id, 0, line, proof);

        (IRoundChallenges.Challenge state,) = ledger.omission(id, 0);
        assertTrue(state == IRoundChallenges.Challenge.Answered, "answered");
        vm.warp(UNTIL_S + 1);
        vm.expectRevert();
        ledger.settleOmission(id, 0);
        assertEq(ledger.omissions(job), 0, "none recorded");
    }

    function test_after_a_day_no_answer_counts_and_before_it_nothing_is_settled() public {
        _postUpTo(1);
        _challenge(id, _receipt(0), INSTITUTE);
        vm.warp(UNTIL_S);
        vm.expectRevert(abi.encodeWithSelector(IRoundChallenges.RoundNotOverdue.selector, UNTIL_S));
        ledger.settleOmission(id, 0);
        vm.warp(UNTIL_S + 1);
        (bytes32[] memory proof, Lines.Line memory line) = (Tree.proof(_leaves(job, 0), 0), _line(0));
        vm.expectRevert();
        ledger.answerOmission(id, 0, line, proof);
    }

    function test_a_receipt_counts_only_signed_by_the_coordinator_for_this_owner_and_overdue() public {
        _postWithout(1);
        IRoundChallenges.Receipt memory receipt = _receipt(0);
        bytes memory signature = _signed(receipt, INSTITUTE);
        vm.warp(BY_S);
        vm.expectRevert(abi.encodeWithSelector(IRoundChallenges.RoundNotOverdue.selector, BY_S));
        ledger.challengeOmission(id, receipt, signature);
        vm.warp(BY_S + 1);
        bytes memory none = abi.encodeWithSelector(IRoundChallenges.RoundNoReceipt.selector, id, uint32(0));
        bytes memory forged = _signed(receipt, 1);
        vm.expectRevert(none);
        ledger.challengeOmission(id, receipt, forged);
        receipt.owner = _agent(2);
        bytes memory foreign = _signed(receipt, INSTITUTE);
        vm.expectRevert(none);
        ledger.challengeOmission(id, receipt, foreign);
        ledger.challengeOmission(id, _receipt(0), signature);
        vm.expectRevert();
        ledger.challengeOmission(id, _receipt(0), signature);
    }

    // ---- Leaves ----

    function test_two_leaves_of_one_agent_flag_a_round() public {
        (IRoundChallenges.Leaf memory first, IRoundChallenges.Leaf memory second) = _postTwins();
        Lines.Line memory line = _line(0);
        vm.expectRevert(abi.encodeWithSelector(IRoundLedger.RoundNotProven.selector, job, uint32(0)));
        ledger.flagEquivocation(job, line, first, first);
        ledger.flagEquivocation(job, line, first, second);
        assertTrue(ledger.isFlagged(job, 0), "flagged");
        assertFalse(ledger.isFlagged(job, 1), "other rounds");
    }

    function test_a_stranger_in_a_round_flags_it_unless_its_agreement_is_named() public {
        _postUpTo(1);
        bytes32[] memory leaves = _leaves(job, 0);
        Lines.Line memory line = _line(0);
        IRoundChallenges.Leaf memory known = IRoundChallenges.Leaf(0, _agent(1), _digest(0, 1), Tree.proof(leaves, 0));
        IRoundChallenges.Leaf memory stranger = IRoundChallenges.Leaf(0, _agent(2), _digest(0, 2), Tree.proof(leaves, 1));
        ledger.challengeStranger(job, line, known);
        ledger.challengeStranger(job, line, stranger);

        vm.expectRevert(abi.encodeWithSelector(IRoundLedger.RoundNotProven.selector, job, uint32(0)));
        ledger.answerStranger(job, 0, _agent(2), id);
        ledger.answerStranger(job, 0, _agent(1), id);
        vm.warp(START_S + 1 days + 1);
        vm.expectRevert();
        ledger.settleStranger(job, 0, _agent(1));
        ledger.settleStranger(job, 0, _agent(2));
        assertTrue(ledger.isFlagged(job, 0), "flagged");
    }

    function test_nobody_is_challenged_without_a_leaf() public {
        _postUpTo(1);
        bytes32[] memory proof = Tree.proof(_leaves(job, 0), 0);
        IRoundChallenges.Leaf memory leaf = IRoundChallenges.Leaf(0, _agent(9), _digest(0, 1), proof);
        Lines.Line memory line = _line(0);
        vm.expectRevert(abi.encodeWithSelector(IRoundLedger.RoundNotProven.selector, job, uint32(0)));
        ledger.challengeStranger(job, line, leaf);
    }

    // ---- Internal ----

    /// @dev Written out here so that the contract's type and domain are checked, not repeated.
    function _signed(IRoundChallenges.Receipt memory receipt, uint32 organisation) private view returns (bytes memory) {
        bytes32 typeHash = keccak256("Receipt(bytes32 job,uint32 round,address owner,bytes32 digest,uint64 deadlineS)");
        bytes32 digest = _typed("Folkmoot RoundLedger", address(ledger), keccak256(abi.encode(typeHash, receipt)));
        return _sign(_key(organisation), digest);
    }

    function _receipt(uint32 round) private view returns (IRoundChallenges.Receipt memory) {
        return _receiptOf(round, _digest(round, 1));
    }

    function _receiptOf(uint32 round, bytes32 digest) private view returns (IRoundChallenges.Receipt memory) {
        return IRoundChallenges.Receipt(job, round, _agent(1), digest, BY_S);
    }

    function _challenge(bytes32 agreement, IRoundChallenges.Receipt memory receipt, uint32 by) private {
        vm.warp(BY_S + 1);
        ledger.challengeOmission(agreement, receipt, _signed(receipt, by));
    }

    function _postWithout(uint32 owner) private {
        bytes32[] memory all = _leaves(job, 0);
        bytes32[] memory others = new bytes32[](OWNERS);
        uint256 place;
        for (uint32 i; i < all.length; ++i) {
            if (i != owner - 1) others[place++] = all[i];
        }
        _postRoot(0, Tree.root(others), OWNERS);
    }

    function _postTwins() private returns (IRoundChallenges.Leaf memory first, IRoundChallenges.Leaf memory second) {
        bytes32[] memory leaves = new bytes32[](3);
        leaves[0] = Tree.leaf(job, 0, _agent(1), "one");
        leaves[1] = Tree.leaf(job, 0, _agent(1), "two");
        leaves[2] = Tree.leaf(job, 0, _agent(CENTRE), "sum");
        _postRoot(0, Tree.root(leaves), 5);
        first = IRoundChallenges.Leaf(0, _agent(1), "one", Tree.proof(leaves, 0));
        second = IRoundChallenges.Leaf(0, _agent(1), "two", Tree.proof(leaves, 1));
    }
}
