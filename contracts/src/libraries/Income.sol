// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title How one payment is divided
/// @dev Every division rounds down, and what rounding leaves goes to the part named last, so that nothing is lost.
library Income {
    uint256 internal constant BPS = 10_000;
    /// @dev Of a payment for use; for the owners behind earlier generations.
    uint256 internal constant ROYALTY_BPS = 700;
    uint256 internal constant WHOLE_PPB = 1e9;

    struct Split {
        uint256 feeE18;
        uint256 royaltiesE18;
        uint256 buyerE18;
        uint256 poolE18;
    }

    /// @dev The fee and the royalties from the whole; half of the rest to the buyer who paid for the training, half to the
    /// owners whose data it was.
    function split(uint256 amountE18, uint256 feeBps) internal pure returns (Split memory s) {
        s.feeE18 = (amountE18 * feeBps) / BPS;
        s.royaltiesE18 = (amountE18 * ROYALTY_BPS) / BPS;
        uint256 restE18 = amountE18 - s.feeE18 - s.royaltiesE18;
        s.buyerE18 = restE18 / 2;
        s.poolE18 = restE18 - s.buyerE18;
    }

    /// @dev Each generation back gets half of what is left, the oldest all of it.
    function generation(uint256 leftE18, bool oldest) internal pure returns (uint256) {
        return oldest ? leftE18 : leftE18 / 2;
    }

    /// @dev What a share of everything that ever came in is worth.
    function entitled(uint256 pooledE18, uint256 sharePpb) internal pure returns (uint256) {
        return (pooledE18 * sharePpb) / WHOLE_PPB;
    }

    /// @dev Billionths by weight; the first gets what rounding leaves, so that they add up to the whole.
    function byWeight(uint256[] memory weights) internal pure returns (uint64[] memory sharesPpb) {
        uint256 count = weights.length;
        uint256 total;
        for (uint256 i; i < count; ++i) {
            total += weights[i];
        }
        sharesPpb = new uint64[](count);
        uint256 left = WHOLE_PPB;
        for (uint256 i; i < count; ++i) {
            // Data given for nothing shares alike.
            uint256 part = total == 0 ? WHOLE_PPB / count : (weights[i] * WHOLE_PPB) / total;
            sharesPpb[i] = uint64(part);
            left -= part;
        }
        sharesPpb[0] += uint64(left);
    }
}
