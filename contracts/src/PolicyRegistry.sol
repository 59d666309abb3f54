// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacts} from "./interfaces/IFacts.sol";
import {IPolicyRegistry} from "./interfaces/IPolicyRegistry.sol";
import {IReleaseRegistry} from "./interfaces/IReleaseRegistry.sol";
import {PolicyAmendment} from "./libraries/PolicyAmendment.sol";
import {Blob, PolicyCode} from "./libraries/PolicyCode.sol";
import {PolicyConflicts} from "./libraries/PolicyConflicts.sol";
import {PolicyRules} from "./libraries/PolicyRules.sol";
import {Addresses} from "./types/Addresses.sol";
import {Direction} from "./types/Amendment.sol";
import {FactRange, Grace, Phase, Rule, RuleChanges, RuleSet, Tier, TierEntry} from "./types/Policy.sol";

/// @title The constitution
/// @dev Docs are in the interface. What a change is and means is in the libraries; here is what is in force.
contract PolicyRegistry is IPolicyRegistry {
    using PolicyRules for Rule;

    /// @dev Keeps `evaluate` far below a block's gas; bit i of a verdict is rule i.
    uint256 private constant MAX_RULES = 64;
    uint8 private constant MAX_PURPOSE = 126;

    // ---- Immutables ----

    IReleaseRegistry private immutable LOG;
    address private immutable AMENDMENTS;

    // ---- Storage ----

    /// @dev The set is the code of this account.
    address private _code;
    uint64 private _version;
    bytes32 private _activeHash;
    bytes32 private _documentHash;

    // ---- Constructor ----

    constructor(Addresses memory a, RuleSet memory set) {
        LOG = IReleaseRegistry(a.releaseRegistry);
        AMENDMENTS = a.amendments;
        _requireSound(set);
        _activate(set, new Grace[](0), PolicyCode.TierGrace(0, 0, 0));
    }

    // ---- Amending ----

    /// @inheritdoc IPolicyRegistry
    function amend(RuleSet calldata set) external {
        if (msg.sender != AMENDMENTS) revert PolicyOnlyAmendments(msg.sender);
        (RuleSet memory since, Blob code) = (set, PolicyCode.read(_code));
        RuleSet memory before = _decode(code);
        RuleChanges memory changes = _compare(before, since);
        if (changes.direction == Direction.Forbidden) revert PolicyForbidden();
        Grace[] memory list = PolicyAmendment.graces(before, code.graces(), since);
        _activate(since, list, PolicyAmendment.tierGrace(before, code.tierGrace(), since));
        _tell(changes);
    }

    /// @inheritdoc IPolicyRegistry
    function directionOf(RuleSet calldata set) external view returns (Direction) {
        return _compare(_decode(PolicyCode.read(_code)), set).direction;
    }

    /// @inheritdoc IPolicyRegistry
    function changesOf(RuleSet calldata set) external view returns (RuleChanges memory) {
        return _compare(_decode(PolicyCode.read(_code)), set);
    }

    // ---- Views ----

    /// @inheritdoc IPolicyRegistry
    function facts() external view returns (FactRange[] memory) {
        return PolicyCode.read(_code).facts();
    }

    /// @inheritdoc IPolicyRegistry
    function graces() external view returns (Grace[] memory) {
        return PolicyCode.read(_code).graces();
    }

    /// @inheritdoc IPolicyRegistry
    function tierGrace() external view returns (uint256 minimal, uint256 others, uint64 untilS) {
        PolicyCode.TierGrace memory before = PolicyCode.read(_code).tierGrace();
        return (before.word0, before.word1, before.untilS);
    }

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
    function evaluate(IFacts holder, bytes32 subject, uint128 purposes, uint8 phase)
        external
        view
        returns (uint256 failed, uint256 applied, uint8 tier)
    {
        Blob set = PolicyCode.read(_code);
        tier = _tierOf(set, purposes);
        (failed, applied) = _evaluate(set, Question(holder, subject, purposes, phase), tier);
    }

    /// @inheritdoc IPolicyRegistry
    function evaluateExisting(IFacts holder, bytes32 subject, uint128 purposes)
        external
        view
        returns (uint256 failed, uint256 applied, uint8 tier)
    {
        Blob set = PolicyCode.read(_code);
        Question memory question = Question(holder, subject, purposes, Phase.RELEASE);
        tier = _tierOfExisting(set, purposes);
        (failed, applied) = _evaluate(set, question, tier);
        if (failed != 0) failed &= ~_excused(set, question, failed, tier);
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

    struct Question {
        IFacts holder;
        bytes32 subject;
        uint128 purposes;
        uint8 phase;
    }

    function _evaluate(Blob set, Question memory question, uint8 tier)
        private
        view
        returns (uint256 failed, uint256 applied)
    {
        bytes32[] memory keys;
        uint8[] memory sources;
        (applied, keys, sources) = _asked(set, tier, question.phase);
        if (applied == 0) revert PolicyNoRuleApplies(tier, question.phase);
        (int128[] memory values, uint8[] memory from) = question.holder.facts(question.subject, keys, sources);
        failed = _failing(set, applied, values, from);
    }

    function _tierOf(Blob set, uint128 purposes) private pure returns (uint8) {
        if (purposes == 0) revert PolicyNoPurpose();
        (uint256 minimal, uint256 others) = set.tierWords();
        uint128 unknown = PolicyCode.unknown(minimal, others, purposes);
        if (unknown == 0) return PolicyCode.strictest(others, purposes);
        uint8 first;
        while ((unknown >> first) & 1 == 0) ++first;
        revert PolicyUnknownTier(first);
    }

    /// @dev What a release was made for may be taken out of the table; that must not put it beyond all judgement.
    function _tierOfExisting(Blob set, uint128 purposes) private pure returns (uint8) {
        (uint256 minimal, uint256 others) = set.tierWords();
        bool known = PolicyCode.unknown(minimal, others, purposes) == 0;
        return known ? _tierOf(set, purposes) : PolicyCode.strictest(others, type(uint128).max);
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

    /// @dev Of the rules that fail, those that did not bind before and do not yet.
    function _excused(Blob set, Question memory question, uint256 failed, uint8 tier) private view returns (uint256 excused) {
        PolicyCode.TierGrace memory table = set.tierGrace();
        bool retiered = table.untilS > block.timestamp
            && PolicyCode.unknown(table.word0, table.word1, question.purposes) == 0;
        if (retiered) tier = PolicyCode.strictest(table.word1, question.purposes);
        Grace[] memory list = set.graces();
        for (uint256 i; i < list.length; ++i) {
            if (list[i].untilS <= block.timestamp || (failed >> list[i].rule) & 1 == 0) continue;
            failed ^= 1 << list[i].rule;
            bool binds = list[i].hasEarlier && _fails(question, list[i].earlier.fact, PolicyCode.pack(list[i].earlier), tier);
            if (!binds) excused |= 1 << list[i].rule;
        }
        if (!retiered) return excused;
        for (uint256 i; failed >> i != 0; ++i) {
            if ((failed >> i) & 1 == 0 || PolicyRules.isBan(set.packed(i))) continue;
            if (!_fails(question, set.fact(i), set.packed(i), tier)) excused |= 1 << i;
        }
    }

    function _fails(Question memory question, bytes32 key, uint256 rule, uint8 tier) private view returns (bool) {
        if (!PolicyRules.isAsked(rule, tier, question.phase)) return false;
        (bytes32[] memory keys, uint8[] memory sources) = (new bytes32[](1), new uint8[](1));
        (keys[0], sources[0]) = (key, uint8(rule >> 200));
        (int128[] memory values, uint8[] memory from) = question.holder.facts(question.subject, keys, sources);
        return !PolicyRules.holds(rule, values[0], from[0]);
    }

    // ---- Internal: accepting a set ----

    function _compare(RuleSet memory before, RuleSet memory since)
        private
        view
        returns (RuleChanges memory changes)
    {
        _requireSound(since);
        changes = PolicyAmendment.compare(before, since);
        if (changes.direction == Direction.None) revert PolicyNothingChanges();
    }

    function _decode(Blob code) private view returns (RuleSet memory) {
        return RuleSet(_documentHash, code.facts(), code.tiers(), code.rules());
    }

    function _activate(RuleSet memory set, Grace[] memory list, PolicyCode.TierGrace memory before) private {
        uint64 version_ = ++_version;
        bytes32 hash = keccak256(abi.encode(version_, set.documentHash, set.facts, set.tiers, set.rules));
        (_code, _activeHash, _documentHash) = (PolicyCode.write(set, list, before), hash, set.documentHash);
        emit PolicyActivated(hash, version_, set.documentHash, set.facts, set.tiers, set.rules);
        LOG.append(
            "policy", hash, keccak256(abi.encode(hash, version_, set.documentHash, set.facts, set.tiers, set.rules))
        );
    }

    function _tell(RuleChanges memory c) private {
        bytes32 hash = _activeHash;
        emit PolicyAmended(hash, c.direction, c.tiers, c.facts, c.ids, c.directions);
        LOG.append(
            "policy-amended", hash, keccak256(abi.encode(hash, c.direction, c.tiers, c.facts, c.ids, c.directions))
        );
    }

    function _requireSound(RuleSet memory set) private view {
        _requireRules(set.rules);
        _requireTiers(set.tiers, set.rules);
        PolicyConflicts.requireRanges(set.facts);
        PolicyConflicts.requireRoom(set.facts, set.rules);
    }

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
