// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacts} from "./IFacts.sol";
import {Rule, TierEntry} from "../types/Policy.sol";

/// @title The constitution
/// @notice Holds the compiled rules and judges facts by them. The set is fixed at deployment.
interface IPolicyRegistry {
    struct Fact {
        bytes32 key;
        /// Millionths, or raw bits.
        int128 value;
        uint8 source;
    }

    error PolicyTooManyRules(uint256 count);
    error PolicyDuplicateRule(bytes32 id);
    /// @dev A rule that applies to no tier, phase or source, or whose bound does not fit its operator.
    error PolicyBadRule(bytes32 id);
    error PolicyBadTier(uint8 purpose, uint8 tier);
    /// @dev No purposes were given.
    error PolicyNoPurpose();
    /// @dev No tier is known for this purpose, so no law can be chosen.
    error PolicyUnknownTier(uint8 purpose);
    /// @dev A tier without a rule in this phase is a hole, not a permission.
    error PolicyNoRuleApplies(uint8 tier, uint8 phase);

    /// @notice A set of rules came into force.
    event PolicyActivated(bytes32 indexed setHash, uint64 version, bytes32 documentHash);

    function rules() external view returns (Rule[] memory);

    function tiers() external view returns (TierEntry[] memory);

    /// @notice keccak256(abi.encode(version, documentHash, tiers, rules)) of the set in force.
    function activeHash() external view returns (bytes32);

    /// @notice keccak256 of the canonical JSON of the policy files.
    function documentHash() external view returns (bytes32);

    function version() external view returns (uint64);

    /// @notice Returns the strictest tier over a set of purposes.
    function tierOf(uint128 purposes) external view returns (uint8);

    /// @notice Judges a subject by every rule of its tier and phase that is in force now.
    /// @return failed Bit i is set when rule i fails; a missing fact fails.
    /// @return applied Bit i is set when rule i was asked.
    /// @return tier The strictest tier over the purposes.
    function evaluate(IFacts facts, bytes32 subject, uint128 purposes, uint8 phase)
        external
        view
        returns (uint256 failed, uint256 applied, uint8 tier);

    /// @notice Judges a subject of which one fact is all that is known: rules that ask for another one fail.
    function evaluateFact(Fact calldata fact, uint128 purposes, uint8 phase)
        external
        view
        returns (uint256 failed, uint256 applied);

    /// @notice Says whether a rule holds for a value from a source.
    function holds(Rule calldata rule, int128 value, uint8 source) external pure returns (bool);
}
