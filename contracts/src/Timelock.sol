// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {Addresses} from "./types/Addresses.sol";

/// @title Wait between a passed vote and its effect
/// @notice Only the governor schedules, cancels and executes. Roles and wait change through Amendments alone, so never
/// by what a single vote carries.
/// @dev An open executor would go round the governor's code pins. A timelock that is its own administrator would let one
/// proposal take the roles, use them and give them back.
contract Timelock is TimelockController {
    address private immutable AMENDMENTS;
    uint256 private _delayS;

    constructor(uint256 delayS, Addresses memory a)
        TimelockController(delayS, _only(a.governor), _only(a.governor), a.amendments)
    {
        AMENDMENTS = a.amendments;
        _delayS = delayS;
        _revokeRole(DEFAULT_ADMIN_ROLE, address(this));
    }

    /// @notice Changes the wait. Only Amendments.
    function updateDelay(uint256 newDelayS) public override {
        if (msg.sender != AMENDMENTS) revert TimelockUnauthorizedCaller(msg.sender);
        emit MinDelayChange(_delayS, newDelayS);
        _delayS = newDelayS;
    }

    function getMinDelay() public view override returns (uint256) {
        return _delayS;
    }

    function _only(address account) private pure returns (address[] memory accounts) {
        accounts = new address[](1);
        accounts[0] = account;
    }
}
