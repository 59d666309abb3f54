// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {RewardVault} from "../src/RewardVault.sol";
import {MarketBase} from "./MarketBase.sol";
import {Check} from "./Vm.sol";

/// @dev Everything that the network's contracts and strangers can do to deposits, in any order.
contract Depositors is MarketBase {
    uint32 public constant PARTIES = 5;
    bytes32[3] public keys = [bytes32("stake"), bytes32("bond"), bytes32("challenge")];
    uint256 public moves;

    function setUp() public override {
        super.setUp();
        for (uint32 i = 1; i <= PARTIES; ++i) {
            if (i != INSTITUTE) credit.transfer(_operator(i), FUNDS);
            vm.prank(_operator(i));
            credit.approve(address(vault), type(uint256).max);
        }
    }

    function hold(uint8 holder, uint8 key, uint8 party, uint96 amountE18) external {
        vm.prank(holders(holder));
        try vault.hold(keys[key % 3], _operator(1 + party % PARTIES), uint128(uint256(amountE18) % 1e22)) {
            ++moves;
        } catch {}
    }

    function giveBack(uint8 holder, uint8 key, uint96 amountE18) external {
        (, uint128 heldE18) = vault.held(holders(holder), keys[key % 3]);
        vm.prank(holders(holder));
        try vault.giveBack(keys[key % 3], uint128(uint256(amountE18) % (uint256(heldE18) + 2))) {
            ++moves;
        } catch {}
    }

    function forfeit(uint8 holder, uint8 key, uint8 party, uint96 amountE18) external {
        (, uint128 heldE18) = vault.held(holders(holder), keys[key % 3]);
        vm.prank(holders(holder));
        address to = party % 7 == 0 ? TIMELOCK : _operator(1 + party % PARTIES);
        try vault.forfeit(keys[key % 3], to, uint128(uint256(amountE18) % (uint256(heldE18) + 2))) {
            ++moves;
        } catch {}
    }

    function withdraw(uint8 party) external {
        vm.prank(STRANGER);
        try vault.withdraw(party % 7 == 0 ? TIMELOCK : _operator(1 + party % PARTIES)) {
            ++moves;
        } catch {}
    }

    function give(uint64 amountE18) external {
        credit.transfer(address(vault), amountE18);
    }

    /// @dev The last one is a stranger.
    function holders(uint8 which) public view returns (address) {
        address[4] memory all = [address(book), address(court), address(releases), STRANGER];
        return all[which % 4];
    }

    function account(uint32 which) external pure returns (address) {
        return which == 0 ? TIMELOCK : _operator(which);
    }

    function parts() external view returns (RewardVault, IERC20) {
        return (vault, IERC20(address(credit)));
    }

    function funds() external pure returns (uint256) {
        return PARTIES * FUNDS;
    }
}

contract VaultInvariantTest is Check {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Depositors private depositors;

    function setUp() public {
        depositors = new Depositors();
        depositors.setUp();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(depositors);
    }

    function excludeSelectors() external view returns (FuzzSelector[] memory excluded) {
        excluded = new FuzzSelector[](1);
        excluded[0] = FuzzSelector(address(depositors), new bytes4[](1));
        excluded[0].selectors[0] = this.setUp.selector;
    }

    function invariant_the_vault_owes_its_deposits_and_balances_and_holds_them() public view {
        (RewardVault vault, IERC20 credit) = depositors.parts();
        uint256 owed;
        uint256 outside;
        for (uint8 holder; holder < 4; ++holder) {
            for (uint256 key; key < 3; ++key) {
                (, uint128 heldE18) = vault.held(depositors.holders(holder), depositors.keys(key));
                owed += heldE18;
            }
        }
        for (uint32 i; i <= depositors.PARTIES(); ++i) {
            owed += vault.balanceOf(depositors.account(i));
            outside += credit.balanceOf(depositors.account(i));
        }
        assertEq(vault.owedE18(), owed, "owed");
        assertTrue(credit.balanceOf(address(vault)) >= owed, "held");
        assertEq(outside + owed, depositors.funds(), "sum in is sum out");
    }

    /// @dev Shows that the walk reaches every move.
    function test_the_depositors_can_reach_every_move() public {
        depositors.hold(0, 0, 1, 100);
        depositors.giveBack(0, 0, 40);
        depositors.forfeit(0, 0, 7, 40);
        depositors.withdraw(7);
        depositors.give(3);
        assertEq(depositors.moves(), 4, "moves");
        invariant_the_vault_owes_its_deposits_and_balances_and_holds_them();
    }
}
