// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IRewardVault} from "../src/interfaces/IRewardVault.sol";
import {MarketBase} from "./MarketBase.sol";

contract RewardVaultTest is MarketBase {
    address private constant OTHER = address(0x07);

    address private payer;

    function setUp() public override {
        super.setUp();
        payer = _operator(INSTITUTE);
        vm.prank(payer);
        credit.approve(address(vault), type(uint256).max);
    }

    // ---- Deposits ----

    function test_a_deposit_is_held_for_its_owner_under_the_key_of_its_holder() public {
        _hold(address(court), "stake", 5);
        _hold(address(court), "stake", 7);
        _hold(address(book), "stake", 100);

        _expectHeld(address(court), "stake", payer, 12);
        _expectHeld(address(book), "stake", payer, 100);
        _expectHeld(address(releases), "stake", address(0), 0);
        assertEq(vault.owedE18(), 112, "owed");
        assertEq(credit.balanceOf(address(vault)), 112, "held");
    }

    function test_only_the_networks_contracts_hold_deposits() public {
        address[4] memory others = [STRANGER, payer, TIMELOCK, GOVERNOR];
        for (uint256 i; i < others.length; ++i) {
            vm.prank(others[i]);
            vm.expectRevert(abi.encodeWithSelector(IRewardVault.VaultOnlyHolder.selector, others[i]));
            vault.hold("stake", payer, 1);
        }
    }

    function test_nobody_touches_the_deposit_of_another_contract() public {
        _hold(address(court), "stake", 10);
        address[3] memory others = [address(book), address(releases), STRANGER];
        for (uint256 i; i < others.length; ++i) {
            vm.startPrank(others[i]);
            vm.expectRevert(_tooLittle("stake", 0, 1));
            vault.giveBack("stake", 1);
            vm.expectRevert(_tooLittle("stake", 0, 1));
            vault.forfeit("stake", others[i], 1);
            vm.stopPrank();
        }
    }

    function test_a_key_belongs_to_one_owner_until_it_is_empty() public {
        _fund(OTHER, 50);
        _hold(address(court), "stake", 10);
        vm.prank(address(court));
        vm.expectRevert(abi.encodeWithSelector(IRewardVault.VaultOfAnother.selector, bytes32("stake"), payer));
        vault.hold("stake", OTHER, 1);

        vm.startPrank(address(court));
        vault.giveBack("stake", 10);
        vault.hold("stake", OTHER, 3);
        vm.stopPrank();

        _expectHeld(address(court), "stake", OTHER, 3);
    }

    function test_no_more_is_given_or_forfeited_than_is_held() public {
        _hold(address(court), "stake", 10);
        vm.startPrank(address(court));
        vault.forfeit("stake", TIMELOCK, 4);
        vm.expectRevert(_tooLittle("stake", 6, 7));
        vault.giveBack("stake", 7);
        vm.expectRevert(_tooLittle("stake", 6, type(uint128).max));
        vault.forfeit("stake", TIMELOCK, type(uint128).max);
        vm.expectRevert(IRewardVault.VaultNobody.selector);
        vault.forfeit("stake", address(0), 6);
        vm.stopPrank();
    }

    function test_an_amount_of_zero_changes_nothing() public {
        uint64 entries = releases.logLength();
        vm.startPrank(address(court));
        vault.hold("stake", payer, 0);
        vault.giveBack("stake", 0);
        vault.forfeit("stake", address(0), 0);
        vm.stopPrank();

        assertEq(releases.logLength(), entries, "log");
        _expectHeld(address(court), "stake", address(0), 0);
    }

    function test_a_deposit_without_an_allowance_is_refused() public {
        vm.prank(address(court));
        vm.expectRevert();
        vault.hold("stake", OTHER, 1);
        vm.prank(address(court));
        vm.expectRevert(IRewardVault.VaultNobody.selector);
        vault.hold("stake", address(0), 1);
    }

    function test_a_deposit_beyond_its_slot_is_refused() public {
        vm.prank(address(court));
        vm.expectRevert(
            abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, uint8(96), uint256(1) << 96)
        );
        vault.hold("stake", payer, 1 << 96);
    }

    // ---- Accounts ----

    function test_anybody_sends_an_account_what_is_credited_to_it() public {
        _hold(address(court), "stake", 10);
        vm.startPrank(address(court));
        vault.forfeit("stake", TIMELOCK, 4);
        vault.giveBack("stake", 5);
        vm.stopPrank();
        assertEq(vault.balanceOf(TIMELOCK), 4, "treasury");
        assertEq(vault.owedE18(), 10, "crediting moves nothing");

        vm.startPrank(STRANGER);
        vault.withdraw(TIMELOCK);
        vault.withdraw(payer);
        vm.expectRevert(abi.encodeWithSelector(IRewardVault.VaultNothingDue.selector, payer));
        vault.withdraw(payer);
        vm.stopPrank();

        assertEq(credit.balanceOf(TIMELOCK), 4, "sent to the treasury");
        assertEq(credit.balanceOf(payer), FUNDS - 5, "sent to the owner");
        _expectHeld(address(court), "stake", payer, 1);
        assertEq(vault.owedE18(), 1, "owed");
        assertEq(credit.balanceOf(address(vault)), 1, "held");
    }

    function testFuzz_parts_of_a_deposit_add_up_to_it(uint96 amountE18, uint96 forfeited, uint96 returned) public {
        amountE18 = uint96(uint256(amountE18) % FUNDS);
        forfeited = uint96(uint256(forfeited) % (uint256(amountE18) + 1));
        returned = uint96(uint256(returned) % (uint256(amountE18) - forfeited + 1));
        _hold(address(book), "bond", amountE18);
        vm.startPrank(address(book));
        vault.forfeit("bond", TIMELOCK, forfeited);
        vault.giveBack("bond", returned);
        vm.stopPrank();

        (, uint128 left) = vault.held(address(book), "bond");
        assertEq(uint256(left) + vault.balanceOf(TIMELOCK) + vault.balanceOf(payer), amountE18, "sum out is sum in");
        assertEq(vault.owedE18(), amountE18, "owed");
    }

    // ---- Internal ----

    function _hold(address holder, bytes32 key, uint128 amountE18) private {
        vm.prank(holder);
        vault.hold(key, payer, amountE18);
    }

    function _fund(address account, uint256 amountE18) private {
        credit.transfer(account, amountE18);
        vm.prank(account);
        credit.approve(address(vault), amountE18);
    }

    function _expectHeld(address holder, bytes32 key, address owner, uint128 amountE18) private view {
        (address foundOwner, uint128 foundE18) = vault.held(holder, key);
        assertEq(foundOwner, owner, "owner");
        assertEq(foundE18, amountE18, "amount");
    }

    function _tooLittle(bytes32 key, uint256 heldE18, uint256 askedE18) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRewardVault.VaultTooLittle.selector, key, heldE18, askedE18);
    }
}
