// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreementBook} from "../interfaces/IAgreementBook.sol";
import {AggregationPrivacy, IntegrationMode, JobTerms, PrivacyUnit} from "../types/Market.sol";
import {TermsRules} from "./TermsRules.sol";

/// @title Which jobs this version can run
library JobRules {
    uint256 private constant DELTA_ONE = 1e12;

    /// @dev Only clear aggregation is carried by this version, in any mode; in overlapped mode, where owners score each
    /// other's updates, no other makes sense. A number of rounds takes 24 bits, hundredths of them included. An epsilon
    /// of zero could not be kept.
    function requireSound(JobTerms calldata terms, bytes32 metricCode) internal view {
        _require(TermsRules.isSet(terms.purposes), "purposes");
        uint256 count = terms.candidates.length;
        _require(count != 0 && count <= type(uint8).max, "candidates");
        for (uint256 i; i < count; ++i) {
            _require(terms.candidates[i] != 0, "candidates");
        }
        uint256 rounds = 1 + count * terms.roundsPerCandidate;
        _require(terms.roundsPerCandidate != 0 && 100 * rounds <= type(uint24).max, "roundsPerCandidate");
        _require(terms.epsilonMicros != 0, "epsilonMicros");
        _require(terms.deltaE12 < DELTA_ONE, "deltaE12");
        _require(terms.privacyUnit == PrivacyUnit.Record, "privacyUnit");
        _require(terms.aggregationPrivacy == AggregationPrivacy.Clear, "aggregationPrivacy");
        _require(terms.integrationMode != IntegrationMode.None, "integrationMode");
        _require(terms.task != 0, "task");
        _require(terms.metricCode == metricCode, "metricCode");
        _require(terms.deadlineS > block.timestamp, "deadlineS");
    }

    function _require(bool sound, bytes32 field) private pure {
        if (!sound) revert IAgreementBook.AgreementBadTerms(field);
    }
}
