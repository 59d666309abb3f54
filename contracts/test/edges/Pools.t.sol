// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPools} from "../../src/interfaces/IPools.sol";
import {PoolBase} from "../PoolBase.sol";

/// @dev Shares that are claimed again, and by who has none.
contract PoolEdgesTest is PoolBase {
    bytes32 private constant MODEL = "model";

    function test_who_claims_again_gets_what_came_in_since() public {
        _open(MODEL, 0);
        vault.payUse(MODEL, 2, 200e18);
        _claim(MODEL, 1);
        uint256 first = vault.balanceOf(_operator(1));
        assertTrue(first != 0, "a sixth of 88");
        _claim(MODEL, 2);
        vault.payUse(MODEL, 2, 200e18);
        _claim(MODEL, 1);
        assertEq(vault.balanceOf(_operator(1)), 2 * first, "as much again");
    }

    function test_who_contributed_nothing_has_no_share() public {
        _open(MODEL, 0);
        vault.payUse(MODEL, 2, 200e18);
        vm.expectRevert(abi.encodeWithSelector(IPools.PoolNoContributor.selector, MODEL, 9));
        _claim(MODEL, 9);
    }
}
