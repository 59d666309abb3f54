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
