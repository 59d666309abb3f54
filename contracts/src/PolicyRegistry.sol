// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacts} from "./interfaces/IFacts.sol";
import {IPolicyRegistry} from "./interfaces/IPolicyRegistry.sol";
import {IReleaseRegistry} from "./interfaces/IReleaseRegistry.sol";
import {Blob, PolicyCode} from "./libraries/PolicyCode.sol";
import {PolicyRules} from "./libraries/PolicyRules.sol";
import {Addresses} from "./types/Addresses.sol";
import {Phase, Rule, Tier, TierEntry} from "./types/Policy.sol";

/// @title The constitution
/// @dev Docs are in the interface. Nobody can change the set in this version, so `version` stays 1.
contract PolicyRegistry is IPolicyRegistry {
    using PolicyRules for Rule;

    /// @dev Keeps `evaluate` far below a block's gas; bit i of a verdict is rule i.
    uint256 private constant MAX_RULES = 64;
    uint8 private constant MAX_PURPOSE = 126;

    // ---- Storage ----

    /// @dev Rules and tiers are the code of this account.
    address private _code;
    uint64 private _version;
    bytes32 private _activeHash;
    bytes32 private _documentHash;

    // ---- Constructor ----

    constructor(Addresses memory a, bytes32 documentHash_, TierEntry[] memory tiers_, Rule[] memory rules_) {
        _requireRules(rules_);
        _requireTiers(tiers_, rules_);
        _code = PolicyCode.write(tiers_, rules_);
        _version = 1;
        _documentHash = documentHash_;
        _activeHash = keccak256(abi.encode(_version, documentHash_, tiers_, rules_));
        emit PolicyActivated(_activeHash, _version, documentHash_);
        IReleaseRegistry(a.releaseRegistry).append(
            "policy", _activeHash, keccak256(abi.encode(_activeHash, _version, documentHash_))
        );
    }

    // ---- Views ----

    /// @inheritdoc IPolicyRegistry
    function rules() external view returns (Rule[] memory) {
        return PolicyCode.read(_code).rules();
    }

    /// @inheritdoc IPolicyRegistry
    function tiers() external view returns (TierEntry[] memory) {
        return PolicyCode.read(_code).tiers();
    }

    /// @inheritdoc IPolicyRegistry
    function activeHash() external view returns (bytes32) {
        return _activeHash;
    }

    /// @inheritdoc IPolicyRegistry
    function documentHash() external view returns (bytes32) {
        return _documentHash;
    }

    /// @inheritdoc IPolicyRegistry
    function version() external view returns (uint64) {
        return _version;
    }

    /// @inheritdoc IPolicyRegistry
    function tierOf(uint128 purposes) external view returns (uint8) {
        return _tierOf(PolicyCode.read(_code), purposes);
    }

    /// @inheritdoc IPolicyRegistry
    function evaluate(IFacts facts, bytes32 subject, uint128 purposes, uint8 phase)
        external
        view
        returns (uint256 failed, uint256 applied, uint8 tier)
    {
        Blob set = PolicyCode.read(_code);
        tier = _tierOf(set, purposes);
        bytes32[] memory keys;
        uint8[] memory sources;
        (applied, keys, sources) = _asked(set, tier, phase);
        if (applied == 0) revert PolicyNoRuleApplies(tier, phase);
        (int128[] memory values, uint8[] memory from) = facts.facts(subject, keys, sources);
        failed = _failing(set, applied, values, from);
    }

    /// @inheritdoc IPolicyRegistry
    /// @dev Saves the call back and its lists, which cost more than the rules of a round.
    function evaluateFact(Fact calldata fact, uint128 purposes, uint8 phase)
        external
        view
        returns (uint256 failed, uint256 applied)
    {
        Blob set = PolicyCode.read(_code);
        uint8 tier = _tierOf(set, purposes);
        unchecked {
            uint256 count = set.ruleCount();
            for (uint256 i; i < count; ++i) {
                uint256 rule_ = set.packed(i);
                if (!PolicyRules.isAsked(rule_, tier, phase)) continue;
                applied |= 1 << i;
                bool met = set.fact(i) == fact.key && PolicyRules.holds(rule_, fact.value, fact.source);
                if (!met) failed |= 1 << i;
            }
        }
        if (applied == 0) revert PolicyNoRuleApplies({tier: tier, phase: phase});
    }

    /// @inheritdoc IPolicyRegistry
    function holds(Rule calldata rule, int128 value, uint8 source) external pure returns (bool) {
        return PolicyRules.accepts(rule.sources, source) && PolicyRules.meets(rule.op, rule.bound, value);
    }

    // ---- Internal: judging ----

    function _tierOf(Blob set, uint128 purposes) private pure returns (uint8) {
        if (purposes == 0) revert PolicyNoPurpose();
        uint128 unknown = set.unknown(purposes);
        if (unknown == 0) return set.strictest(purposes);
        uint8 first;
        while ((unknown >> first) & 1 == 0) ++first;
        revert PolicyUnknownTier(first);
    }

    /// @dev Nothing in here can overflow: a set holds at most 64 rules.
    function _asked(Blob set, uint8 tier, uint8 phase)
        private
        view
        returns (uint256 applied, bytes32[] memory keys, uint8[] memory sources)
    {
        unchecked {
            uint256 count = set.ruleCount();
            (keys, sources) = (new bytes32[](count), new uint8[](count));
            uint256 asked;
            for (uint256 i; i < count; ++i) {
                uint256 rule_ = set.packed(i);
                if (!PolicyRules.isAsked(rule_, tier, phase)) continue;
                applied |= 1 << i;
                (keys[asked], sources[asked]) = (set.fact(i), uint8(rule_ >> 200));
                ++asked;
            }
            assembly ("memory-safe") {
                mstore(keys, asked)
                mstore(sources, asked)
            }
        }
    }

    /// @dev An answer that is too short reverts; it comes from the contract that asked for the judgement.
    function _failing(Blob set, uint256 applied, int128[] memory values, uint8[] memory from)
        private
        pure
        returns (uint256 failed)
    {
        unchecked {
            uint256 next;
            for (uint256 i; applied >> i != 0; ++i) {
                if ((applied >> i) & 1 == 0) continue;
                if (!PolicyRules.holds(set.packed(i), values[next], from[next])) failed |= 1 << i;
                ++next;
            }
        }
    }

    // ---- Internal: accepting a set ----

    function _requireRules(Rule[] memory rules_) private pure {
        if (rules_.length > MAX_RULES) revert PolicyTooManyRules(rules_.length);
        for (uint256 i; i < rules_.length; ++i) {
            rules_[i].requireSound();
            for (uint256 j; j < i; ++j) {
                if (rules_[j].id == rules_[i].id) revert PolicyDuplicateRule(rules_[i].id);
            }
        }
    }

    function _requireTiers(TierEntry[] memory tiers_, Rule[] memory rules_) private view {
        if (tiers_.length == 0) revert PolicyNoPurpose();
        uint256 seen;
        for (uint256 i; i < tiers_.length; ++i) {
            (uint8 purpose, uint8 tier) = (tiers_[i].purpose, tiers_[i].tier);
            bool known = tier >= Tier.MINIMAL && tier <= Tier.HIGH && purpose <= MAX_PURPOSE;
            if (!known || (seen >> purpose) & 1 == 1) revert PolicyBadTier(purpose, tier);
            seen |= uint256(1) << purpose;
            _requireCovered(tier, rules_);
        }
    }

    /// @dev A hole shows at deployment, not at the first candidate that nobody could approve or refuse.
    function _requireCovered(uint8 tier, Rule[] memory rules_) private view {
        uint8 covered;
        for (uint256 i; i < rules_.length; ++i) {
            for (uint8 phase = Phase.AGREEMENT; phase <= Phase.RELEASE; phase <<= 1) {
                if (rules_[i].isAsked(tier, phase)) covered |= phase;
            }
        }
        for (uint8 phase = Phase.AGREEMENT; phase <= Phase.RELEASE; phase <<= 1) {
            if (covered & phase == 0) revert PolicyNoRuleApplies(tier, phase);
        }
    }
}
