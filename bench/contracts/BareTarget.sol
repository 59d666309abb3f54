// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The least that a vote can decide: one number
contract BareTarget {
    uint256 public number;

    function set(uint256 value) external {
        number = value;
    }
}
