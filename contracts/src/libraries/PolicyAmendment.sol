// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPolicyRegistry} from "../interfaces/IPolicyRegistry.sol";
import {Direction} from "../types/Amendment.sol";
import {FactRange, Grace, Op, Rule, RuleChanges, RuleSet} from "../types/Policy.sol";
import {PolicyCode} from "./PolicyCode.sol";
import {PolicyConflicts} from "./PolicyConflicts.sol";
import {PolicyDirection} from "./PolicyDirection.sol";

/// @title From one set to the next: which way it goes, and what it leaves alone for a while
library PolicyAmendment {
    using PolicyDirection for Direction;

    uint256 private constant NOWHERE = type(uint256).max;
    uint64 internal constant GRACE_S = 30 days;

    // ---- Direction ----

    function compare(RuleSet memory before, RuleSet memory since) internal pure returns (RuleChanges memory changes) {
        _compareRules(changes, before.rules, since.rules);
        changes.tiers = _compareTables(before, since);
        changes.facts = _compareFacts(before.facts, since.facts);
        Direction direction = changes.tiers.max(changes.facts);
        for (uint256 i; i < changes.ids.length; ++i) {
            direction = direction.max(changes.directions[i]);
        }
        // Other words for the same rules: what they mean is in the document alone, so auditors compare it.
        if (before.documentHash != since.documentHash) direction = direction.max(Direction.Tighten);
        changes.direction = direction;
    }

    function _compareRules(RuleChanges memory changes, Rule[] memory before, Rule[] memory since) private pure {
        changes.ids = new bytes32[](before.length + since.length);
        changes.directions = new Direction[](before.length + since.length);
        uint256 count;
        for (uint256 i; i < since.length; ++i) {
            uint256 found = _find(before, since[i].id);
            Direction direction = found == NOWHERE
                ? PolicyDirection.ofAddition(since[i])
                : PolicyDirection.ofChange(before[found], since[i]);
            if (direction != Direction.None) count = _note(changes, count, since[i].id, direction);
        }
        for (uint256 i; i < before.length; ++i) {
            if (_find(since, before[i].id) != NOWHERE) continue;
            count = _note(changes, count, before[i].id, PolicyDirection.ofLoss(before[i]));
        }
        (bytes32[] memory ids, Direction[] memory directions) = (changes.ids, changes.directions);
        assembly ("memory-safe") {
            mstore(ids, count)
            mstore(directions, count)
        }
    }

    function _note(RuleChanges memory changes, uint256 count, bytes32 id, Direction direction)
        private
        pure
        returns (uint256)
    {
        (changes.ids[count], changes.directions[count]) = (id, direction);
        return count + 1;
    }

    function _compareTables(RuleSet memory before, RuleSet memory since) private pure returns (Direction direction) {
        (uint128[4] memory old, uint128[4] memory current) = (_table(before), _table(since));
        direction = PolicyDirection.ofTable(old, current);
        if (direction == Direction.None) return direction;
        for (uint256 i; i < before.rules.length; ++i) {
            uint256 found = _find(since.rules, before.rules[i].id);
            if (found == NOWHERE) continue;
            bool lost =
                PolicyDirection.losesPurposes(old, current, before.rules[i].tiers, since.rules[found].tiers);
            if (lost) direction = direction.max(PolicyDirection.ofLoss(before.rules[i]));
        }
    }

    function _compareFacts(FactRange[] memory before, FactRange[] memory since) private pure returns (Direction) {
        bool grown = PolicyConflicts.requireKept(before, since);
        if (grown) return Direction.Loosen;
        return since.length > before.length ? Direction.Tighten : Direction.None;
    }

    function _table(RuleSet memory set) private pure returns (uint128[4] memory table) {
        (uint256 minimal, uint256 others) = PolicyCode.masks(set.tiers);
        (table[1], table[2], table[3]) = (uint128(minimal), uint128(others), uint128(others >> 128));
        table[0] = ~(table[1] | table[2] | table[3]);
    }

    // ---- Grace ----

    /// @notice Tells what existing releases need not keep yet.
    /// @dev The form that bound before goes on to bind. A rule whose grace runs cannot be tightened again, or many small
    /// steps would put off the first one for ever; tighten by a rule beside it.
    function graces(RuleSet memory before, Grace[] memory running, RuleSet memory since)
        internal
        view
        returns (Grace[] memory list)
    {
        list = new Grace[](since.rules.length);
        uint256 count;
        for (uint256 i; i < since.rules.length; ++i) {
            // What is banned is banned at once.
            if (since.rules[i].op == Op.NoneOf) continue;
            Grace memory grace = _grace(before.rules, running, since.rules, i);
            if (grace.untilS > block.timestamp) list[count++] = grace;
        }
        assembly ("memory-safe") {
            mstore(list, count)
        }
    }

    function _grace(Rule[] memory before, Grace[] memory running, Rule[] memory since, uint256 index)
        private
        view
        returns (Grace memory grace)
    {
        uint256 found = _predecessor(before, since, index);
        (grace.rule, grace.untilS) = (uint8(index), uint64(block.timestamp) + GRACE_S);
        if (found == NOWHERE) return grace;
        (bool tighter,) = PolicyDirection.compare(before[found], since[index]);
        for (uint256 i; i < running.length; ++i) {
            if (running[i].rule != found || running[i].untilS <= block.timestamp) continue;
            if (tighter) revert IPolicyRegistry.PolicyGraceRuns(before[found].id, running[i].untilS);
            return Grace(uint8(index), running[i].untilS, running[i].hasEarlier, running[i].earlier);
        }
        if (!tighter) grace.untilS = 0;
        (grace.hasEarlier, grace.earlier) = (true, before[found]);
    }

    /// @dev A rule under another name is the same rule, if it asks the same of the same fact.
    function _predecessor(Rule[] memory before, Rule[] memory since, uint256 index) private pure returns (uint256 found) {
        found = _find(before, since[index].id);
        if (found != NOWHERE) return found;
        for (uint256 i; i < before.length; ++i) {
            bool alike = before[i].fact == since[index].fact && before[i].op == since[index].op;
            if (alike && _find(since, before[i].id) == NOWHERE) return i;
        }
    }

    /// @notice Tells which table of tiers existing releases are judged by as well.
    function tierGrace(RuleSet memory before, PolicyCode.TierGrace memory running, RuleSet memory since)
        internal
        view
        returns (PolicyCode.TierGrace memory)
    {
        (uint128[4] memory old, uint128[4] memory current) = (_table(before), _table(since));
        // Up or down, or out of the table; what had no tier before had no releases.
        bool moved = old[1] & ~current[1] != 0 || old[2] & ~current[2] != 0 || old[3] & ~current[3] != 0;
        bool runs = running.untilS > block.timestamp;
        if (moved && runs) revert IPolicyRegistry.PolicyGraceRuns("tiers", running.untilS);
        if (runs) return running;
        if (!moved) return PolicyCode.TierGrace(0, 0, 0);
        (uint256 word0, uint256 word1) = PolicyCode.masks(before.tiers);
        return PolicyCode.TierGrace(word0, word1, uint64(block.timestamp) + GRACE_S);
    }

    function _find(Rule[] memory rules, bytes32 id) private pure returns (uint256) {
        for (uint256 i; i < rules.length; ++i) {
            if (rules[i].id == id) return i;
        }
        return NOWHERE;
    }
}
