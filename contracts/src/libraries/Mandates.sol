// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreementBook} from "../interfaces/IAgreementBook.sol";
import {Mandate, Terms} from "../types/Market.sol";

/// @title Both operators' limits on one agreement
/// @dev What was locked or granted so far counts for ever: a mandate is raised, never used up and renewed by itself.
library Mandates {
    struct Spending {
        uint128 spentE18;
        uint32 count;
    }

    function requireMayBuy(Mandate memory limits, Terms calldata terms, Spending memory before) internal view {
        _requireCommon(limits, terms, terms.buyer);
        uint256 spentE18 = uint256(before.spentE18) + terms.priceE18;
        _require(spentE18 <= limits.maxSpendE18, terms.buyer, "maxSpendE18");
        _require(before.count < limits.maxAgreements, terms.buyer, "maxAgreements");
    }

    function requireMaySell(Mandate memory limits, Terms calldata terms, uint64 grantedMicros) internal view {
        _requireCommon(limits, terms, terms.seller);
        _require(terms.priceE18 >= limits.floorsE18[uint8(terms.kind)], terms.seller, "floorsE18");
        _require(terms.epsilonMicros <= limits.maxEpsilonMicros, terms.seller, "maxEpsilonMicros");
        uint256 totalMicros = uint256(grantedMicros) + terms.epsilonMicros;
        _require(totalMicros <= limits.lifetimeEpsilonMicros, terms.seller, "lifetimeEpsilonMicros");
    }

    function _requireCommon(Mandate memory limits, Terms calldata terms, address agent) private view {
        _require(block.timestamp <= limits.validUntilS, agent, "validUntilS");
        _require(terms.purposes & ~limits.purposes == 0, agent, "purposes");
    }

    function _require(bool allowed, address agent, bytes32 field) private pure {
        if (!allowed) revert IAgreementBook.AgreementOutsideMandate(agent, field);
    }
}
