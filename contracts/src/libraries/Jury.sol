// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Drawing lots, and the median of what jurors say
library Jury {
    /// @dev Says that a juror could not give a metric, or that a median is not known.
    int128 internal constant MISSING = type(int128).min;

    /// @dev Fisher-Yates, in place: seat i goes to i + keccak256(abi.encode(seed, i)) mod (n - i). The bias of the
    /// modulus is below 2^-220 for any panel.
    function shuffle(uint32[] memory organisations, bytes32 seed) internal pure {
        uint256 count = organisations.length;
        for (uint256 i; i < count; ++i) {
            uint256 j = i + uint256(keccak256(abi.encode(seed, i))) % (count - i);
            (organisations[i], organisations[j]) = (organisations[j], organisations[i]);
        }
    }

    /// @dev Median of the values that are not MISSING, if these are more than half of all; of two middle values the
    /// worse one. Sorts in place.
    function median(int128[] memory values, bool higherIsBetter) internal pure returns (int128) {
        uint256 missing = _sort(values);
        uint256 known = values.length - missing;
        if (2 * known <= values.length) return MISSING;
        bool single = known % 2 == 1;
        uint256 middle = known / 2 - (single || !higherIsBetter ? 0 : 1);
        // MISSING is the least value of all, so the known ones stand at the end.
        return values[missing + middle];
    }

    /// @dev Whether a value that was revealed is farther from the median than the tolerance. Where most could give
    /// nothing there is nothing to deviate from; who could not give what most gave has deviated.
    function deviates(int128 value, int128 median_, uint64 tolerance) internal pure returns (bool) {
        if (median_ == MISSING) return false;
        if (value == MISSING) return true;
        int256 distance = int256(value) - int256(median_);
        return distance > int256(uint256(tolerance)) || -distance > int256(uint256(tolerance));
    }

    /// @dev Whether a juror could give nothing at all.
    function isAbstention(int128[] memory values) internal pure returns (bool) {
        for (uint256 i; i < values.length; ++i) {
            if (values[i] != MISSING) return false;
        }
        return true;
    }

    /// @dev The root, not zero, that more than half of all gave, or zero.
    function majority(bytes32[] memory roots) internal pure returns (bytes32) {
        for (uint256 i; i < roots.length; ++i) {
            uint256 count;
            for (uint256 j; j < roots.length; ++j) {
                if (roots[j] == roots[i]) ++count;
            }
            if (roots[i] != 0 && 2 * count > roots.length) return roots[i];
        }
        return 0;
    }

    /// @dev Insertion sort: juries are small.
    function _sort(int128[] memory values) private pure returns (uint256 missing) {
        for (uint256 i; i < values.length; ++i) {
            int128 value = values[i];
            if (value == MISSING) ++missing;
            uint256 place = i;
            while (place > 0 && values[place - 1] > value) {
                values[place] = values[place - 1];
                --place;
            }
            values[place] = value;
        }
    }
}
