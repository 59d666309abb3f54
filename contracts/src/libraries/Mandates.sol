// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreementBook} from "../interfaces/IAgreementBook.sol";
import {Mandate, Standing, Terms} from "../types/Market.sol";

/// @title Both operators' limits on one agreement
/// @dev What was locked or granted so far counts for ever: a mandate is raised, never used up and renewed by itself.
library Mandates {
    function requireMayBuy(Mandate storage limits, Terms calldata terms, Standing calldata before) internal view {
        requireMayLock(limits, terms.buyer, terms.purposes, uint256(before.buyerSpentE18) + terms.priceE18);
        _require(before.buyerCount < limits.maxAgreements, terms.buyer, "maxAgreements");
    }

    /// @dev A stolen key could otherwise lock its operator's credits in bonds and lose them on purpose.
    function requireMaySell(Mandate storage limits, Terms calldata terms, Standing calldata before) internal view {
        uint256 bondedE18 = terms.bondE18 == 0 ? 0 : uint256(before.sellerSpentE18) + terms.bondE18;
        requireMayLock(limits, terms.seller, terms.purposes, bondedE18);
        _require(terms.priceE18 >= limits.floorsE18[uint8(terms.kind)], terms.seller, "floorsE18");
        _require(terms.epsilonMicros <= limits.maxEpsilonMicros, terms.seller, "maxEpsilonMicros");
        uint256 totalMicros = uint256(before.grantedMicros) + terms.epsilonMicros;
        _require(totalMicros <= limits.lifetimeEpsilonMicros, terms.seller, "lifetimeEpsilonMicros");
    }

    /// @param lockedE18 With what was locked before.
    function requireMayLock(Mandate storage limits, address agent, uint128 purposes, uint256 lockedE18) internal view {
        _require(block.timestamp <= limits.validUntilS, agent, "validUntilS");
        _require(purposes & ~limits.purposes == 0, agent, "purposes");
        _require(lockedE18 <= limits.maxSpendE18, agent, "maxSpendE18");
    }

    function _require(bool allowed, address agent, bytes32 field) private pure {
        if (!allowed) revert IAgreementBook.AgreementOutsideMandate(agent, field);
    }
}
