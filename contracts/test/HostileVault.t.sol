// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IRewardVault} from "../src/interfaces/IRewardVault.sol";
import {HostileCredit} from "./HostileCredit.sol";
import {MarketBase} from "./MarketBase.sol";

contract HostileVaultTest is MarketBase {
    HostileCredit private hostile;
    address private payer;

    function setUp() public override {
        super.setUp();
        payer = _operator(INSTITUTE);
        vm.prank(payer);
        hostile.approve(address(vault), type(uint256).max);
    }

    function _makeCredit() internal override returns (address) {
        hostile = new HostileCredit(address(this));
        return address(hostile);
    }

    function test_the_vault_refuses_a_token_that_takes_a_fee() public {
        hostile.setFee(1);
        vm.prank(address(court));
        vm.expectRevert(abi.encodeWithSelector(IRewardVault.VaultBadToken.selector, uint256(10), uint256(9)));
        vault.hold("stake", payer, 10);
    }

    function test_the_vault_refuses_a_token_that_fails_in_silence() public {
        hostile.failSilently();
        vm.prank(address(court));
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(hostile)));
        vault.hold("stake", payer, 10);
    }

    function test_a_token_cannot_withdraw_again_while_it_is_withdrawn() public {
        _credit(10);
        _hold(10);
        hostile.setAttack(address(vault), abi.encodeCall(vault.withdraw, (payer)));

        vault.withdraw(payer);

        _expectKeptOut();
        assertEq(vault.owedE18(), 10, "owed");
        assertEq(credit.balanceOf(address(vault)), 10, "held is owed");
    }

    function test_a_token_cannot_withdraw_while_a_deposit_comes_in() public {
        _credit(10);
        hostile.setAttack(address(vault), abi.encodeCall(vault.withdraw, (payer)));

        _hold(5);

        _expectKeptOut();
        assertEq(vault.owedE18(), 15, "owed");
        assertEq(credit.balanceOf(address(vault)), 15, "held is owed");
    }

    function _hold(uint128 amountE18) private {
        vm.prank(address(court));
        vault.hold("stake", payer, amountE18);
    }

    function _credit(uint128 amountE18) private {
        _hold(amountE18);
        vm.prank(address(court));
        vault.giveBack("stake", amountE18);
    }

    function _expectKeptOut() private view {
        assertFalse(hostile.wasLetIn(), "let in");
        bytes32 expected = keccak256(abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector));
        assertEq(keccak256(hostile.answer()), expected, "refused by the guard");
    }
}
