// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacts} from "../src/interfaces/IFacts.sol";

/// @dev Asks for a single fact.
library OneFact {
    function fact(IFacts holder, bytes32 subject, bytes32 key, uint8 sources) internal view returns (int128, uint8) {
        (bytes32[] memory keys, uint8[] memory masks) = (new bytes32[](1), new uint8[](1));
        (keys[0], masks[0]) = (key, sources);
        (int128[] memory values, uint8[] memory from) = holder.facts(subject, keys, masks);
        return (values[0], from[0]);
    }
}
