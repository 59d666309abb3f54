// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReleaseRegistry} from "../src/interfaces/IReleaseRegistry.sol";

address constant GUARDIAN = address(0x6A);

/// @dev Settings of a registry that succeeds no other.
function gate() pure returns (IReleaseRegistry.Settings memory) {
    return IReleaseRegistry.Settings(GUARDIAN, 0);
}
