// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacts} from "./IFacts.sol";
import {Direction} from "../types/Amendment.sol";
import {FactRange, Grace, Rule, RuleChanges, RuleSet, TierEntry} from "../types/Policy.sol";

/// @title The constitution
/// @notice Holds the compiled rules and judges facts by them. Which way a change goes is computed, never declared.
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

    error PolicyTooManyFacts(uint256 count);
    /// @dev A fact twice, without a name, or that can be nothing.
    error PolicyBadFact(bytes32 key);
    /// @dev Facts stay as they were voted on: none is taken out, numbers keep their range, sets their bits.
    error PolicyFactChanged(bytes32 key);
    error PolicyUnknownFact(bytes32 id, bytes32 fact);
    /// @dev A bound that the fact can never reach, or a set where the fact is a number.
    error PolicyOutOfRange(bytes32 id);
    /// @dev Nothing that this fact can be satisfies all rules that are asked together.
    error PolicyContradiction(bytes32 fact, uint8 tier, uint8 phase, uint8 source);
    error PolicyOnlyAmendments(address sender);
    error PolicyNothingChanges();
    /// @dev An eternal rule is loosened.
    error PolicyForbidden();
    /// @dev A rule (or the table of tiers) whose grace for existing releases runs cannot be tightened again.
    error PolicyGraceRuns(bytes32 id, uint64 untilS);

    /// @notice A set of rules came into force.
    event PolicyActivated(
        bytes32 indexed setHash,
        uint64 version,
        bytes32 documentHash,
        FactRange[] facts,
        TierEntry[] tiers,
        Rule[] rules
    );
    /// @notice Which way it goes, computed from the set before it.
    /// @dev The fields are those of `RuleChanges`.
    event PolicyAmended(
        bytes32 indexed setHash,
        Direction direction,
        Direction tiers,
        Direction facts,
        bytes32[] ids,
        Direction[] directions
    );

    /// @notice Puts another set into force. Only Amendments, which has waited as long as its direction asks.
    /// @dev A change that an eternal rule forbids, and a set without any change, revert.
    function amend(RuleSet calldata set) external;

    /// @notice Classes a set beside the one in force; reverts as `amend` would, but for the sender and eternal rules.
    function directionOf(RuleSet calldata set) external view returns (Direction);

    /// @notice Says what a set would change, rule by rule.
    function changesOf(RuleSet calldata set) external view returns (RuleChanges memory);

    function facts() external view returns (FactRange[] memory);

    /// @notice What existing releases need not keep yet.
    function graces() external view returns (Grace[] memory);

    /// @notice The table of tiers that went before, while existing releases are judged by both.
    /// @return minimal Purposes of tier 1.
    /// @return others Purposes of tier 2, and from bit 128 those of tier 3.
    /// @return untilS Zero when there is none.
    function tierGrace() external view returns (uint256 minimal, uint256 others, uint64 untilS);

    function rules() external view returns (Rule[] memory);

    function tiers() external view returns (TierEntry[] memory);

    /// @notice keccak256(abi.encode(version, documentHash, facts, tiers, rules)) of the set in force.
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

    /// @notice Judges a release that was there before the set: what is new or tighter binds it after a grace.
    /// @dev In the grace a rule fails only if its form before fails too, by the tier before. Bans (`NoneOf`) have no grace.
    /// Where the table has no tier for one of its purposes any more, it is judged by the strictest tier there is.
    /// @return failed As of `evaluate` in phase RELEASE, without what the grace excuses.
    function evaluateExisting(IFacts facts, bytes32 subject, uint128 purposes)
        external
        view
        returns (uint256 failed, uint256 applied, uint8 tier);

    /// @notice Says whether a rule holds for a value from a source.
    function holds(Rule calldata rule, int128 value, uint8 source) external pure returns (bool);
}
