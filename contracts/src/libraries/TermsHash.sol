// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {JobTerms, Terms} from "../types/Market.sol";

/// @title EIP-712 hashStruct of what is signed and announced
library TermsHash {
    bytes32 internal constant TERMS = keccak256(
        "Terms(uint8 kind,address buyer,address seller,bytes32 job,uint128 priceE18,uint32 units,uint64 epsilonMicros,uint64 deltaE12,uint8 privacyUnit,uint8 aggregationPrivacy,uint32 rows,bytes32 dataRoot,uint128 purposes,uint32 computeSeconds,uint128 bondE18,address auditor,bool withdrawalBlocks,uint64 deadlineS,uint64 validUntilS,uint64 nonce)"
    );
    bytes32 internal constant JOB = keccak256(
        "JobTerms(address coordinator,uint128 purposes,uint32 roundsPerCandidate,uint64 epsilonMicros,uint64 deltaE12,uint8 privacyUnit,uint8 aggregationPrivacy,uint8 integrationMode,bytes32 task,bytes32 metricCode,bytes32[] candidates,uint128 bonusE18,uint64 deadlineS,uint64 nonce)"
    );

    /// @dev Every field is one word, so the ABI encoding of the struct is EIP-712's encodeData.
    function hash(Terms calldata terms) internal pure returns (bytes32) {
        return keccak256(abi.encode(TERMS, terms));
    }

    /// @dev In two halves, since the compiler's stack holds no more.
    function hash(JobTerms calldata terms) internal pure returns (bytes32) {
        bytes memory first = abi.encode(
            JOB,
            terms.coordinator,
            terms.purposes,
            terms.roundsPerCandidate,
            terms.epsilonMicros,
            terms.deltaE12,
            terms.privacyUnit,
            terms.aggregationPrivacy
        );
        bytes memory second = abi.encode(
            terms.integrationMode,
            terms.task,
            terms.metricCode,
            keccak256(abi.encodePacked(terms.candidates)),
            terms.bonusE18,
            terms.deadlineS,
            terms.nonce
        );
        return keccak256(bytes.concat(first, second));
    }
}
