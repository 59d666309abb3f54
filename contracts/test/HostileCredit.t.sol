// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IAgreementBook} from "../src/interfaces/IAgreementBook.sol";
import {Kind, Terms} from "../src/types/Market.sol";
import {AgreementBase} from "./AgreementBase.sol";
import {HostileCredit} from "./HostileCredit.sol";

contract HostileCreditTest is AgreementBase {
    HostileCredit private hostile;

    function _makeCredit() internal override returns (address) {
        hostile = new HostileCredit(address(this));
        return address(hostile);
    }

    function test_a_token_that_takes_a_fee_is_refused() public {
        hostile.setFee(1);
        _expectRefusal(
            _terms(Kind.Data, 1),
            1,
            abi.encodeWithSelector(IAgreementBook.AgreementBadToken.selector, uint256(PRICE), uint256(PRICE) - 1)
        );
    }

    function test_a_token_that_fails_in_silence_is_refused() public {
        hostile.failSilently();
        _expectRefusal(
            _terms(Kind.Data, 1),
            1,
            abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(hostile))
        );
    }

    function test_a_token_cannot_claim_a_round_again_while_it_pays() public {
        bytes32 id = _make(Kind.Data, 1);
        _postUpTo(2);
        hostile.setAttack(address(ledger), abi.encodeCall(ledger.claimRounds, (id, _line(1), _claims(1, 2, 1))));

        _claimRounds(id, 0, 1, 1);

        _expectKeptOut();
        assertFalse(book.isPaid(id, 1), "second round");
        assertEq(credit.balanceOf(_operator(1)), PRICE / ALL_ROUNDS, "one instalment");
    }

    function test_a_token_cannot_close_while_it_pays() public {
        bytes32 id = _make(Kind.Data, 1);
        _postUpTo(1);
        vm.prank(address(releases));
        book.finishJob(job, 0);
        vm.warp(START_S + 7 days);
        hostile.setAttack(address(book), abi.encodeCall(book.close, (id)));

        _claimRounds(id, 0, 1, 1);

        _expectKeptOut();
        assertEq(credit.balanceOf(address(book)), PRICE - PRICE / ALL_ROUNDS, "held is owed");
    }

    function test_a_token_cannot_make_another_agreement_while_it_is_locked() public {
        Terms memory inner = _terms(Kind.Data, 2);
        (bytes memory bought, bytes memory sold) = _signBoth(inner, 2);
        hostile.setAttack(address(book), abi.encodeCall(book.createAgreement, (inner, bought, sold)));

        _make(Kind.Data, 1);

        _expectKeptOut();
        assertEq(credit.balanceOf(address(book)), PRICE, "escrow");
    }

    function test_a_token_cannot_refund_twice() public {
        bytes32 id = _make(Kind.Data, 1);
        hostile.setAttack(address(book), abi.encodeCall(book.close, (id)));
        vm.prank(_agent(1));
        book.close(id);

        _expectKeptOut();
        assertEq(credit.balanceOf(_operator(INSTITUTE)), FUNDS, "refunded once");
    }

    function _expectKeptOut() private view {
        assertFalse(hostile.wasLetIn(), "let in");
        bytes32 expected = keccak256(abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector));
        assertEq(keccak256(hostile.answer()), expected, "refused by the guard");
    }
}
