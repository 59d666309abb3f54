// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IDisputes} from "../src/interfaces/IDisputes.sol";
import {IRewardVault} from "../src/interfaces/IRewardVault.sol";
import {Kind} from "../src/types/Market.sol";
import {HostileCredit} from "./HostileCredit.sol";
import {SystemBase} from "./SystemBase.sol";

/// @dev A token that turns bad after a model was released and its pool opened.
contract HostileIncomeTest is SystemBase {
    HostileCredit private hostile;
    bytes32 private model;
    address private user;

    function setUp() public override {
        super.setUp();
        _openMarket();
        _postRounds(0, 3);
        model = _submit(0);
        _measure(model, 60_000);
        uint256 proposal = _proposeRelease(model);
        _carry(proposal);
        governor.execute(proposal);
        vault.openPool(model, _manifest(0));
        vault.settleBonus(job);
        user = _operator(INSTITUTE);
    }

    function _makeCredit() internal override returns (address) {
        hostile = new HostileCredit(address(this));
        return address(hostile);
    }

    function test_nobody_uses_a_model_for_a_token_that_takes_a_fee() public {
        hostile.setFee(1);
        uint256 owedE18 = vault.owedE18();
        vm.prank(user);
        vm.expectRevert(
            abi.encodeWithSelector(IRewardVault.VaultBadToken.selector, uint256(MONTH_E18), uint256(MONTH_E18) - 1)
        );
        vault.payUse(model, 1, MONTH_E18);

        assertEq(vault.paidUntil(model, user), 0, "until");
        assertEq(vault.owedE18(), owedE18, "owed");
    }

    function test_nobody_uses_a_model_for_a_token_that_fails_in_silence() public {
        hostile.failSilently();
        vm.prank(user);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(hostile)));
        vault.payUse(model, 1, MONTH_E18);
    }

    function test_a_token_cannot_claim_a_share_while_use_is_paid() public {
        bytes memory claim = abi.encodeCall(vault.claimShare, (model, 1, 0, new bytes32[](0)));
        hostile.setAttack(address(vault), claim);

        vm.prank(user);
        vault.payUse(model, 1, MONTH_E18);

        _expectKeptOut();
        assertEq(vault.pool(model).claimedE18, 0, "claimed");
    }

    function test_a_token_cannot_pay_for_use_again_while_use_is_paid() public {
        hostile.setAttack(address(vault), abi.encodeCall(vault.payUse, (model, 1, MONTH_E18)));

        vm.prank(user);
        vault.payUse(model, 1, MONTH_E18);

        _expectKeptOut();
        assertEq(vault.paidUntil(model, user), block.timestamp + 30 days, "a month");
    }

    function test_a_token_cannot_claim_a_share_while_one_is_withdrawn() public {
        vault.claimShare(model, 1, 0, new bytes32[](0));
        hostile.setAttack(address(vault), abi.encodeCall(vault.claimShare, (model, 2, 0, new bytes32[](0))));

        vault.withdraw(_operator(1));

        _expectKeptOut();
        assertEq(credit.balanceOf(_operator(1)), BONUS / OWNERS, "once");
    }

    function test_no_dispute_is_raised_for_a_token_that_takes_a_fee_or_fails() public {
        bytes32 deal = agreements[Kind.Data][1];
        hostile.setFee(1);
        vm.prank(user);
        vm.expectRevert(
            abi.encodeWithSelector(IRewardVault.VaultBadToken.selector, uint256(DEPOSIT), uint256(DEPOSIT) - 1)
        );
        disputes.raise(deal, IDisputes.Ground.FailedReexecution, "evidence");
        hostile.failSilently();
        vm.prank(user);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(hostile)));
        disputes.raise(deal, IDisputes.Ground.FailedReexecution, "evidence");

        assertEq(disputes.openDisputes(deal), 0, "open");
    }

    /// @dev The only account that could decide while the deposit comes in is the auditor's; a token is not it.
    function test_a_token_cannot_end_a_dispute_while_its_deposit_comes_in() public {
        bytes32 deal = agreements[Kind.Data][1];
        IDisputes.Ground ground = IDisputes.Ground.FailedReexecution;
        bytes32 id = keccak256(abi.encode(block.chainid, address(disputes), deal, ground, bytes32("evidence")));
        hostile.setAttack(address(disputes), abi.encodeCall(disputes.rule, (id, false)));

        vm.prank(user);
        disputes.raise(deal, ground, "evidence");

        assertFalse(hostile.wasLetIn(), "let in");
        assertTrue(disputes.dispute(id).state == IDisputes.State.Open, "open");
        (address owner, uint128 heldE18) = vault.held(address(disputes), id);
        assertEq(owner, user, "owner");
        assertEq(heldE18, DEPOSIT, "deposit");
    }

    function _expectKeptOut() private view {
        assertFalse(hostile.wasLetIn(), "let in");
        bytes32 expected = keccak256(abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector));
        assertEq(keccak256(hostile.answer()), expected, "refused by the guard");
    }
}
