// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgentRegistry, Role} from "../interfaces/IAgentRegistry.sol";
import {IAgreementBook} from "../interfaces/IAgreementBook.sol";
import {AggregationPrivacy, IntegrationMode, JobTerms, Kind, PrivacyUnit, Terms} from "../types/Market.sol";

/// @title Which terms make sense, by themselves and beside their job and the registry
library TermsRules {
    /// @dev What a job fixes about privacy for all of its data agreements; one slot.
    struct Privacy {
        uint64 epsilonMicros;
        uint64 deltaE12;
        PrivacyUnit unit;
        AggregationPrivacy aggregation;
    }

    uint256 private constant DELTA_ONE = 1e12;

    // ---- Jobs ----

    /// @dev Only clear aggregation is carried by this version, in any mode; in overlapped mode, where owners score each
    /// other's updates, no other makes sense. A number of rounds takes 24 bits, hundredths of them included. An epsilon
    /// of zero could not be kept.
    function requireSound(JobTerms calldata terms, bytes32 metricCode) internal view {
        _require(_isSet(terms.purposes), "purposes");
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

    // ---- Agreements ----

    function requireFit(Terms calldata terms, IAgreementBook.Job storage job, Privacy storage privacy, IAgentRegistry agents)
        internal
        view
    {
        _requireParties(terms, job.coordinator, agents);
        _require(terms.units == _units(terms.kind, job), "units");
        _requirePurposes(terms, job.purposes);
        _requirePrivacy(terms, privacy);
        _requireRows(terms, agents);
        _require(terms.deadlineS > block.timestamp && terms.deadlineS <= job.deadlineS, "deadlineS");
    }

    function _requireParties(Terms calldata terms, address coordinator, IAgentRegistry agents) private view {
        bool buys = terms.buyer == coordinator && agents.hasRole(terms.buyer, Role.COORDINATOR);
        _require(buys, "buyer");
        _require(terms.kind != Kind.None, "kind");
        bool sells = agents.hasRole(terms.seller, _role(terms.kind));
        _require(sells && agents.organisationOf(terms.seller) != agents.organisationOf(terms.buyer), "seller");
    }

    function _requirePurposes(Terms calldata terms, uint128 jobPurposes) private pure {
        bool wide = _isSet(terms.purposes) && terms.purposes & jobPurposes == jobPurposes;
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

    function _requireRows(Terms calldata terms, IAgentRegistry agents) private view {
        if (!hasRows(terms.kind)) {
            _require(terms.dataRoot == 0, "dataRoot");
            _require(terms.rows == 0, "rows");
            return;
        }
        IAgentRegistry.DataSet memory set = agents.dataSet(terms.dataRoot);
        bool fits = set.agent == terms.seller && set.evaluation == (terms.kind == Kind.EvaluationRows);
        _require(fits, "dataRoot");
        _require(terms.rows == set.rows, "rows");
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

    function _role(Kind kind) private pure returns (uint8) {
        if (kind == Kind.Compute) return Role.COMPUTE;
        return kind == Kind.Evaluation ? Role.EVALUATOR : Role.OWNER;
    }

    /// @dev Bit 127 would turn the fact negative.
    function _isSet(uint128 purposes) private pure returns (bool) {
        return purposes != 0 && purposes >> 127 == 0;
    }

    function _require(bool sound, bytes32 field) private pure {
        if (!sound) revert IAgreementBook.AgreementBadTerms(field);
    }
}
