// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Who gets how much, in 1e-18 credit
/// @dev The same arithmetic is in governance/domain/payouts.py. Every split gives its rounding to the last part, so sums hold.
library Payouts {
    uint256 private constant BPS = 10_000;
    uint256 private constant INJURED_PERCENT = 50;
    uint256 private constant CHALLENGER_PERCENT = 30;

    struct Slash {
        uint128 injuredE18;
        uint128 challengerE18;
        uint128 treasuryE18;
    }

    /// @dev What `done` of `units` instalments are worth together, rounded down. 152 bits hold the product.
    function earned(uint128 priceE18, uint24 done, uint256 units) internal pure returns (uint256) {
        unchecked {
            return uint256(priceE18) * done / units;
        }
    }

    /// @dev What is left of an amount after the treasury's part, which is rounded down. Never falls when the amount grows.
    function net(uint256 amountE18, uint256 feeBps) internal pure returns (uint256) {
        return amountE18 - amountE18 * feeBps / BPS;
    }

    /// @dev Half to the injured, 30 % to the challenger; the treasury takes what rounding and a missing challenger leave.
    function slash(uint128 amountE18, bool challenged) internal pure returns (Slash memory parts) {
        parts.injuredE18 = uint128(uint256(amountE18) * INJURED_PERCENT / 100);
        if (challenged) parts.challengerE18 = uint128(uint256(amountE18) * CHALLENGER_PERCENT / 100);
        parts.treasuryE18 = amountE18 - parts.injuredE18 - parts.challengerE18;
    }

    /// @dev What a part of a bond comes to, rounded down.
    function part(uint128 bondE18, uint16 bps) internal pure returns (uint128) {
        return uint128(uint256(bondE18) * bps / BPS);
    }
}
