// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgentRegistry} from "../interfaces/IAgentRegistry.sol";
import {IAgreementBook} from "../interfaces/IAgreementBook.sol";
import {IReleaseRegistry} from "../interfaces/IReleaseRegistry.sol";
import {Kind} from "../types/Market.sol";

/// @title What follows from the agreements that a manifest cites
/// @dev Nothing here is declared by the submitter: purposes, privacy loss and contributors come from signed terms.
library Citations {
    struct Cited {
        /// Purposes that every cited data agreement allows.
        uint128 purposes;
        /// Largest privacy loss that a cited data agreement grants.
        uint64 epsilonMicros;
        /// Distinct organisations behind the cited data agreements.
        uint32 contributors;
        bytes32[] evaluationRoots;
        /// The coordinator's and the cited sellers' organisations, each once.
        uint32[] organisations;
    }

    /// @dev Lists under construction; they are cut to length at the end.
    struct Draft {
        uint256 roots;
        uint256 organisations;
        uint32[] contributors;
        uint256 contributorCount;
        uint256 dataCount;
    }

    function collect(
        IAgreementBook book,
        IAgentRegistry agents,
        IReleaseRegistry.Manifest calldata manifest,
        address coordinator
    ) internal returns (Cited memory cited) {
        uint256 count = manifest.agreements.length;
        Draft memory draft;
        draft.contributors = new uint32[](count);
        cited.evaluationRoots = new bytes32[](count);
        cited.organisations = new uint32[](count + 1);
        cited.purposes = type(uint128).max;
        draft.organisations = _add(cited.organisations, 0, agents.organisationOf(coordinator));
        for (uint256 i; i < count; ++i) {
            _requireFirst(manifest.agreements, i);
            IAgreementBook.Citation memory agreement = book.cite(manifest.agreements[i], manifest.candidateIndex);
            bool open = agreement.state == IAgreementBook.AgreementState.Active && agreement.job == manifest.job;
            if (!open) revert IReleaseRegistry.ReleaseBadAgreement(manifest.agreements[i]);
            _cite(cited, draft, manifest.agreements[i], agreement);
        }
        if (draft.dataCount == 0 || draft.roots == 0) revert IReleaseRegistry.ReleaseBadManifest("agreements");
        cited.contributors = uint32(draft.contributorCount);
        _cut(cited, draft);
    }

    function _cite(
        Cited memory cited,
        Draft memory draft,
        bytes32 id,
        IAgreementBook.Citation memory agreement
    ) private pure {
        uint32 organisation = agreement.organisation;
        draft.organisations = _add(cited.organisations, draft.organisations, organisation);
        if (agreement.kind == Kind.Data) {
            ++draft.dataCount;
            draft.contributorCount = _add(draft.contributors, draft.contributorCount, organisation);
            cited.purposes &= agreement.purposes;
            if (agreement.epsilonMicros > cited.epsilonMicros) cited.epsilonMicros = agreement.epsilonMicros;
        } else if (agreement.kind == Kind.EvaluationRows) {
            _addRoot(cited, draft, agreement.evaluationRoot, id);
        } else {
            revert IReleaseRegistry.ReleaseBadAgreement(id);
        }
    }

    /// @dev Rows cited twice would cost two looks and be measured twice.
    function _addRoot(Cited memory cited, Draft memory draft, bytes32 root, bytes32 id) private pure {
        for (uint256 i; i < draft.roots; ++i) {
            if (cited.evaluationRoots[i] == root) revert IReleaseRegistry.ReleaseBadAgreement(id);
        }
        cited.evaluationRoots[draft.roots++] = root;
    }

    function _requireFirst(bytes32[] calldata ids, uint256 index) private pure {
        for (uint256 j; j < index; ++j) {
            if (ids[j] == ids[index]) revert IReleaseRegistry.ReleaseBadAgreement(ids[index]);
        }
    }

    function _add(uint32[] memory set, uint256 length, uint32 item) private pure returns (uint256) {
        for (uint256 i; i < length; ++i) {
            if (set[i] == item) return length;
        }
        set[length] = item;
        return length + 1;
    }

    function _cut(Cited memory cited, Draft memory draft) private pure {
        bytes32[] memory roots = new bytes32[](draft.roots);
        for (uint256 i; i < roots.length; ++i) {
            roots[i] = cited.evaluationRoots[i];
        }
        uint32[] memory organisations = new uint32[](draft.organisations);
        for (uint256 i; i < organisations.length; ++i) {
            organisations[i] = cited.organisations[i];
        }
        cited.evaluationRoots = roots;
        cited.organisations = organisations;
    }
}
