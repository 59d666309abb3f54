// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacts} from "../src/interfaces/IFacts.sol";
import {Source} from "../src/types/Policy.sol";

/// @dev Facts by key, each from one source and in one slot; counts as the log too.
contract FactsOnPaper is IFacts {
    struct Known {
        int128 value;
        uint8 source;
    }

    mapping(bytes32 key => Known) private _known;
    bytes32 public logged;

    function set(bytes32 key, int128 value, uint8 source) external {
        _known[key] = Known(value, source);
    }

    function facts(bytes32, bytes32[] calldata keys, uint8[] calldata sources)
        external
        view
        returns (int128[] memory values, uint8[] memory from)
    {
        (values, from) = (new int128[](keys.length), new uint8[](keys.length));
        for (uint256 i; i < keys.length; ++i) {
            Known memory known = _known[keys[i]];
            if (sources[i] & Source.bit(known.source) != 0) (values[i], from[i]) = (known.value, known.source);
        }
    }

    function append(bytes32, bytes32, bytes32 payload) external {
        logged = payload;
    }
}
