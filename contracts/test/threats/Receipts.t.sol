// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRoundChallenges} from "../../src/interfaces/IRoundChallenges.sol";
import {IntegrationMode, JobTerms, Kind} from "../../src/types/Market.sol";
import {AgreementBase} from "../AgreementBase.sol";

/// @dev What a coordinator's signature is worth when somebody else has its key.
contract ReceiptThreatsTest is AgreementBase {
    uint64 private constant BY_S = START_S + 1;

    /// @dev Threat 25. A thief and a seller that is in it with the thief take one round, not what is left of the price.
    function test_threat_25_a_coordinators_key_that_was_unbound_acknowledges_one_round_at_most() public {
        bytes32 id = _make(Kind.Data, 1);
        _postUpTo(2);
        _claimRounds(id, 0, 2, 1);
        vm.prank(_operator(INSTITUTE));
        agents.unbind(_agent(INSTITUTE));
        vm.warp(BY_S + 1);

        _challenge(id, 2);
        for (uint32 round = 3; round < ALL_ROUNDS; ++round) {
            _expectNoReceipt(id, round);
        }
        vm.warp(block.timestamp + 1 days + 1);
        ledger.settleOmission(id, 2);

        _expectNoReceipt(id, 3);
        assertEq(credit.balanceOf(_operator(1)), PRICE * 3 / ALL_ROUNDS, "two rounds that were posted, and one");
    }

    /// @dev Rounds of a decoupled job run off chain, so that the chain cannot tell which of them has begun.
    function test_a_decoupled_round_is_acknowledged_before_any_anchor() public {
        JobTerms memory terms = _jobTerms();
        (terms.integrationMode, terms.nonce) = (IntegrationMode.Decoupled, 7);
        vm.prank(_agent(INSTITUTE));
        job = book.openJob(terms);
        bytes32 id = _make(Kind.Data, 1);
        vm.warp(BY_S + 1);
        for (uint32 round; round < 3; ++round) {
            _challenge(id, round);
        }
        vm.warp(block.timestamp + 1 days + 1);
        for (uint32 round; round < 3; ++round) {
            ledger.settleOmission(id, round);
        }
        assertEq(credit.balanceOf(_operator(1)), PRICE * 3 / ALL_ROUNDS, "three rounds");
    }

    // ---- Arranging ----

    function _challenge(bytes32 id, uint32 round) private {
        (IRoundChallenges.Receipt memory receipt, bytes memory signature) = _signed(round);
        ledger.challengeOmission(id, receipt, signature);
    }

    function _expectNoReceipt(bytes32 id, uint32 round) private {
        (IRoundChallenges.Receipt memory receipt, bytes memory signature) = _signed(round);
        vm.expectRevert(abi.encodeWithSelector(IRoundChallenges.RoundNoReceipt.selector, id, round));
        ledger.challengeOmission(id, receipt, signature);
    }

    function _signed(uint32 round) private view returns (IRoundChallenges.Receipt memory receipt, bytes memory) {
        receipt = IRoundChallenges.Receipt(job, round, _agent(1), _digest(round, 1), BY_S);
        return (receipt, _sign(_key(INSTITUTE), ledger.hashReceipt(receipt)));
    }
}
