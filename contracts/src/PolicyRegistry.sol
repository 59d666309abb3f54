// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacts} from "./interfaces/IFacts.sol";
import {IPolicyRegistry} from "./interfaces/IPolicyRegistry.sol";
import {IReleaseRegistry} from "./interfaces/IReleaseRegistry.sol";
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

    Rule[] private _rules;
    TierEntry[] private _tiers;
    /// @dev Two bits per purpose, so that a lookup is one read: tier of purpose p at bit 2p.
    uint256 private _tierBits;
    bytes32 private _activeHash;
    bytes32 private _documentHash;
    uint64 private _version;

    // ---- Constructor ----

    constructor(Addresses memory a, bytes32 documentHash_, TierEntry[] memory tiers_, Rule[] memory rules_) {
        _storeRules(rules_);
        _storeTiers(tiers_);
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
        return _rules;
    }

    /// @inheritdoc IPolicyRegistry
    function tiers() external view returns (TierEntry[] memory) {
        return _tiers;
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
    function tierOf(uint128 purposes) public view returns (uint8 strictest) {
        if (purposes == 0) revert PolicyNoPurpose();
        uint256 tierBits = _tierBits;
        for (uint8 purpose; purposes >> purpose != 0; ++purpose) {
            if ((purposes >> purpose) & 1 == 0) continue;
            uint8 tier = _tierAt(tierBits, purpose);
            if (tier == 0) revert PolicyUnknownTier(purpose);
            if (tier > strictest) strictest = tier;
        }
    }

    /// @inheritdoc IPolicyRegistry
    function evaluate(IFacts facts, bytes32 subject, uint128 purposes, uint8 phase)
        external
        view
        returns (uint256 failed, uint256 applied, uint8 tier)
    {
        tier = tierOf(purposes);
        uint256 count = _rules.length;
        for (uint256 i; i < count; ++i) {
            Rule memory rule = _rules[i];
            if (!rule.isAsked(tier, phase)) continue;
            applied |= 1 << i;
            (int128 value, uint8 source) = facts.fact(subject, rule.fact, rule.sources);
            if (!rule.holds(value, source)) failed |= 1 << i;
        }
        if (applied == 0) revert PolicyNoRuleApplies(tier, phase);
    }

    /// @inheritdoc IPolicyRegistry
    function holds(Rule calldata rule, int128 value, uint8 source) external pure returns (bool) {
        Rule memory copy = rule;
        return copy.holds(value, source);
    }

    // ---- Internal ----

    function _storeRules(Rule[] memory rules_) private {
        if (rules_.length > MAX_RULES) revert PolicyTooManyRules(rules_.length);
        for (uint256 i; i < rules_.length; ++i) {
            rules_[i].requireSound();
            for (uint256 j; j < i; ++j) {
                if (rules_[j].id == rules_[i].id) revert PolicyDuplicateRule(rules_[i].id);
            }
            _rules.push(rules_[i]);
        }
    }

    function _storeTiers(TierEntry[] memory tiers_) private {
        if (tiers_.length == 0) revert PolicyNoPurpose();
        uint256 tierBits;
        for (uint256 i; i < tiers_.length; ++i) {
            (uint8 purpose, uint8 tier) = (tiers_[i].purpose, tiers_[i].tier);
            bool known = tier >= Tier.MINIMAL && tier <= Tier.HIGH && purpose <= MAX_PURPOSE;
            if (!known || _tierAt(tierBits, purpose) != 0) revert PolicyBadTier(purpose, tier);
            tierBits |= uint256(tier) << (2 * uint256(purpose));
            _requireRules(tier);
            _tiers.push(tiers_[i]);
        }
        _tierBits = tierBits;
    }

    /// @dev A hole shows at deployment, not at the first candidate that nobody could approve or refuse.
    function _requireRules(uint8 tier) private view {
        uint8 covered;
        for (uint256 i; i < _rules.length; ++i) {
            for (uint8 phase = Phase.AGREEMENT; phase <= Phase.RELEASE; phase <<= 1) {
                if (_rules[i].isAsked(tier, phase)) covered |= phase;
            }
        }
        for (uint8 phase = Phase.AGREEMENT; phase <= Phase.RELEASE; phase <<= 1) {
            if (covered & phase == 0) revert PolicyNoRuleApplies(tier, phase);
        }
    }

    function _tierAt(uint256 tierBits, uint8 purpose) private pure returns (uint8) {
        // Bit 127 has no place in the table: the shift leaves nothing there, which reads as unknown.
        return purpose > MAX_PURPOSE ? 0 : uint8((tierBits >> (2 * uint256(purpose))) & 3);
    }
}
