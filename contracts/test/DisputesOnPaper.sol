// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOpenDisputes} from "../src/interfaces/IOpenDisputes.sol";

/// @dev What AgreementBook reads from Disputes, set by hand.
contract DisputesOnPaper is IOpenDisputes {
    mapping(bytes32 agreement => uint256) public openDisputes;

    function set(bytes32 agreement, uint256 count) external {
        openDisputes[agreement] = count;
    }
}
