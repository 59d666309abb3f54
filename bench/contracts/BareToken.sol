// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Time} from "@openzeppelin/contracts/utils/types/Time.sol";

/// @title One vote for each account named at the start
/// @dev Counts time in seconds, as MemberToken does, so that both governors read the same kind of checkpoint.
contract BareToken is ERC20Votes {
    constructor(address[] memory holders) ERC20("Bare", "BARE") EIP712("Bare", "1") {
        for (uint256 i; i < holders.length; ++i) {
            _mint(holders[i], 1);
            _delegate(holders[i], holders[i]);
        }
    }

    function clock() public view override returns (uint48) {
        return Time.timestamp();
    }

    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }
}
