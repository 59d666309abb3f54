// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title Test money for development chains
/// @notice Pays for data and compute; never votes. A real network uses a token of its own with 18 decimals.
/// @dev The whole supply goes to one account at deployment and there is no mint, so nobody keeps a power.
contract Credit is ERC20, ERC20Permit {
    constructor(address holder, uint256 supplyE18) ERC20("Folkmoot Credit", "FMC") ERC20Permit("Folkmoot Credit") {
        _mint(holder, supplyE18);
    }
}
