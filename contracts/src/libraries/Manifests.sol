// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReleaseRegistry} from "../interfaces/IReleaseRegistry.sol";

/// @title What a manifest must hold, whatever the chain says
library Manifests {
    /// @dev Loops over them are quadratic.
    uint256 private constant MAX_AGREEMENTS = 64;
    uint256 private constant MAX_DECLARED = 32;

    function requireSound(IReleaseRegistry.Manifest calldata manifest) internal pure {
        _require(manifest.artifact != 0, "artifact");
        _require(manifest.card != 0, "card");
        // What a pool can keep; a dearer release could earn nothing, and its bonus would be stuck.
        _require(manifest.usePriceE18 <= type(uint96).max, "usePriceE18");
        // Bit 127 would turn the fact negative.
        _require(manifest.licences >> 127 == 0, "licences");
        _require(manifest.agreements.length <= MAX_AGREEMENTS, "agreements");
        _require(_isDistinct(manifest.declared), "declared");
    }

    /// @dev abi.encode of the struct as one argument.
    function hash(IReleaseRegistry.Manifest calldata manifest) internal pure returns (bytes32) {
        return keccak256(abi.encode(manifest));
    }

    function _isDistinct(IReleaseRegistry.DeclaredFact[] calldata declared) private pure returns (bool) {
        if (declared.length > MAX_DECLARED) return false;
        for (uint256 i; i < declared.length; ++i) {
            if (declared[i].key == 0) return false;
            for (uint256 j; j < i; ++j) {
                if (declared[j].key == declared[i].key) return false;
            }
        }
        return true;
    }

    function _require(bool sound, bytes32 field) private pure {
        if (!sound) revert IReleaseRegistry.ReleaseBadManifest(field);
    }
}
