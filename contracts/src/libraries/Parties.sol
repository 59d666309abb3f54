// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgentRegistry, Role} from "../interfaces/IAgentRegistry.sol";
import {IAgreementBook} from "../interfaces/IAgreementBook.sol";
import {Kind, Terms} from "../types/Market.sol";
import {TermsRules} from "./TermsRules.sol";

/// @title Who may be party to an agreement, with which rows, and who may judge it
library Parties {
    /// @dev Organisations behind the three addresses, zero for a stranger's.
    struct Sides {
        uint32 buyer;
        uint32 seller;
        uint32 auditor;
    }

    /// @param able Whether the buyer is an active coordinator and the seller active in its role.
    function requireFit(Terms calldata terms, address coordinator, Sides memory sides, bool[2] memory able) internal pure {
        _require(terms.buyer == coordinator && able[0], "buyer");
        _require(terms.kind != Kind.None, "kind");
        _require(able[1] && sides.seller != sides.buyer, "seller");
        // Nobody judges its own case.
        _require(sides.auditor == 0 || (sides.auditor != sides.buyer && sides.auditor != sides.seller), "auditor");
    }

    /// @param own Whether the seller, or a key in whose place it stands, committed to them.
    function requireRows(Terms calldata terms, IAgentRegistry.DataSet storage set, bool own) internal view {
        if (!TermsRules.hasRows(terms.kind)) {
            _require(terms.dataRoot == 0, "dataRoot");
            _require(terms.rows == 0, "rows");
            return;
        }
        bool fits = own && set.evaluation == (terms.kind == Kind.EvaluationRows);
        _require(fits, "dataRoot");
        _require(terms.rows == set.rows, "rows");
    }

    function role(Kind kind) internal pure returns (uint8) {
        if (kind == Kind.Compute) return Role.COMPUTE;
        return kind == Kind.Evaluation ? Role.EVALUATOR : Role.OWNER;
    }

    function _require(bool sound, bytes32 field) private pure {
        if (!sound) revert IAgreementBook.AgreementBadTerms(field);
    }
}
