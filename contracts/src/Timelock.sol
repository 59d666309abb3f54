// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {Addresses} from "./types/Addresses.sol";

/// @title Wait between a passed vote and its effect
/// @notice Only the governor schedules, cancels and executes; only the timelock itself changes its roles.
/// @dev An open executor would go round the governor's code pins.
contract Timelock is TimelockController {
    constructor(uint256 delayS, Addresses memory a)
        TimelockController(delayS, _only(a.governor), _only(a.governor), address(0))
    {}

    function _only(address account) private pure returns (address[] memory accounts) {
        accounts = new address[](1);
        accounts[0] = account;
    }
}
