// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreementBook} from "../interfaces/IAgreementBook.sol";
import {Kind} from "../types/Market.sol";

/// @title The organisations behind a release, and what their data was priced at
library Contributors {
    /// @dev From the data agreements that a manifest cites; an organisation has one in a job. Who withdrew its consent since
    /// is among them, so that the moment at which a pool is opened moves no share; the claim asks for consent.
    function listed(IAgreementBook book, bytes32[] calldata agreements)
        internal
        view
        returns (uint32[] memory organisations, uint256[] memory pricesE18)
    {
        organisations = new uint32[](agreements.length);
        pricesE18 = new uint256[](agreements.length);
        uint256 count;
        for (uint256 i; i < agreements.length; ++i) {
            IAgreementBook.Agreement memory found = book.agreement(agreements[i]);
            if (found.kind != Kind.Data) continue;
            (organisations[count], pricesE18[count]) = (found.organisation, found.priceE18);
            ++count;
        }
        assembly ("memory-safe") {
            mstore(organisations, count)
            mstore(pricesE18, count)
        }
    }
}
