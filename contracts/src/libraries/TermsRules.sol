// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreementBook} from "../interfaces/IAgreementBook.sol";
import {AggregationPrivacy, IntegrationMode, JobTerms, Kind, PrivacyUnit, Terms} from "../types/Market.sol";

/// @title Which terms make sense, by themselves and beside their job
library TermsRules {
    /// @dev What a job fixes about privacy for all of its data agreements; one slot.
    struct Privacy {
        uint64 epsilonMicros;
        uint64 deltaE12;
        PrivacyUnit unit;
        AggregationPrivacy aggregation;
    }

    // ---- Agreements ----

    /// @dev Beside the job; who may be party to it is AgentRegistry's to say.
    function requireFit(Terms calldata terms, IAgreementBook.Job storage job, Privacy storage privacy) internal view {
        _require(terms.units == _units(terms.kind, job), "units");
        _requirePurposes(terms, job.purposes);
        _requirePrivacy(terms, privacy);
        _require(terms.deadlineS > block.timestamp && terms.deadlineS <= job.deadlineS, "deadlineS");
    }

    function _requirePurposes(Terms calldata terms, uint128 jobPurposes) private pure {
        bool wide = isSet(terms.purposes) && terms.purposes & jobPurposes == jobPurposes;
        bool mayBeWider = hasRows(terms.kind);
        _require(wide && (mayBeWider || terms.purposes == jobPurposes), "purposes");
    }

    /// @dev Only training on data is covered by a privacy promise; what else is sold makes none.
    function _requirePrivacy(Terms calldata terms, Privacy storage privacy) private view {
        _require(terms.aggregationPrivacy == privacy.aggregation, "aggregationPrivacy");
        bool isData = terms.kind == Kind.Data;
        _require(terms.epsilonMicros == (isData ? privacy.epsilonMicros : 0), "epsilonMicros");
        _require(terms.deltaE12 == (isData ? privacy.deltaE12 : 0), "deltaE12");
        _require(terms.privacyUnit == (isData ? privacy.unit : PrivacyUnit.None), "privacyUnit");
    }

    function hasRows(Kind kind) internal pure returns (bool) {
        return kind == Kind.Data || kind == Kind.EvaluationRows;
    }

    function isPaidByRound(Kind kind) internal pure returns (bool) {
        return kind == Kind.Data || kind == Kind.Compute;
    }

    function _units(Kind kind, IAgreementBook.Job storage job) private view returns (uint256) {
        uint256 candidates = job.candidates;
        return isPaidByRound(kind) ? 1 + candidates * job.roundsPerCandidate : candidates;
    }

    /// @dev Bit 127 would turn the fact negative.
    function isSet(uint128 purposes) internal pure returns (bool) {
        return purposes != 0 && purposes >> 127 == 0;
    }

    function _require(bool sound, bytes32 field) private pure {
        if (!sound) revert IAgreementBook.AgreementBadTerms(field);
    }
}
