// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Direction} from "../types/Amendment.sol";
import {Entrenchment, Op, Rule, Tier} from "../types/Policy.sol";

/// @title Which way a change goes
/// @dev Pure, so that it can be proven: what is not looser turns nothing that failed into something that passes.
library PolicyDirection {
    uint8 private constant ALL_TIERS = uint8((1 << Tier.MINIMAL) | (1 << Tier.LIMITED) | (1 << Tier.HIGH));

    // ---- One rule ----

    /// @notice Classes the change of a rule that keeps its name.
    function ofChange(Rule memory before, Rule memory since) internal pure returns (Direction) {
        (bool tighter, bool looser) = compare(before, since);
        bool sameRank = before.entrenchment == since.entrenchment;
        if (!tighter && !looser && sameRank) return Direction.None;
        if (looser) return max(ofLoss(before), sameRank ? Direction.None : Direction.Constitutional);
        if (before.entrenchment == Entrenchment.Eternal) {
            return sameRank ? Direction.Constitutional : Direction.Forbidden;
        }
        return sameRank ? Direction.Tighten : Direction.Constitutional;
    }

    /// @notice Classes a loosening, up to the removal, of a rule.
    function ofLoss(Rule memory before) internal pure returns (Direction) {
        if (before.entrenchment == Entrenchment.Eternal) return Direction.Forbidden;
        return before.entrenchment == Entrenchment.Constitutional ? Direction.Constitutional : Direction.Loosen;
    }

    /// @notice Classes a new rule. One that is hard to get rid of is not added by the short way either.
    function ofAddition(Rule memory since) internal pure returns (Direction) {
        return since.entrenchment == Entrenchment.Ordinary ? Direction.Tighten : Direction.Constitutional;
    }

    /// @return tighter Something may have passed before and fail since.
    /// @return looser Something may have failed before and pass since.
    function compare(Rule memory before, Rule memory since) internal pure returns (bool tighter, bool looser) {
        // Another question cannot be compared with the one before.
        if (before.fact != since.fact || before.op != since.op) return (true, true);
        (tighter, looser) = compareBounds(before.op, before.bound, since.bound);
        (bool higher, bool lower) = compareSources(before.sources, since.sources);
        uint256 asked = uint256(before.tiers) | (uint256(before.phases) << 8);
        uint256 asksNow = uint256(since.tiers) | (uint256(since.phases) << 8);
        tighter = tighter || higher || asksNow & ~asked != 0 || since.appliesFromS < before.appliesFromS;
        looser = looser || lower || asked & ~asksNow != 0 || since.appliesFromS > before.appliesFromS;
    }

    function compareBounds(Op op, int128 before, int128 since) internal pure returns (bool tighter, bool looser) {
        if (op == Op.Min) return (since > before, since < before);
        if (op == Op.Max) return (since < before, since > before);
        if (op == Op.Equal) return (since != before, since != before);
        (bool more, bool less) = (since & ~before != 0, before & ~since != 0);
        return op == Op.SubsetOf ? (less, more) : (more, less);
    }

    /// @dev Of several accepted sources the highest that has the fact is read. So a source may be dropped only below all
    /// that stay: without the measured value a declared one would be read.
    function compareSources(uint8 before, uint8 since) internal pure returns (bool tighter, bool looser) {
        (uint8 added, uint8 dropped) = (since & ~before, before & ~since);
        tighter = dropped != 0 || added > _lowest(before);
        looser = added != 0 || dropped > _lowest(since);
    }

    // ---- The table of tiers ----

    /// @notice Classes what a changed table does: first without regard to rules.
    /// @param before Purposes by tier; index 0 holds those without one.
    function ofTable(uint128[4] memory before, uint128[4] memory since) internal pure returns (Direction direction) {
        for (uint256 from = 1; from < 4; ++from) {
            for (uint256 to; to < 4; ++to) {
                if (from == to || before[from] & since[to] == 0) continue;
                direction = max(direction, to > from ? Direction.Tighten : Direction.Loosen);
            }
        }
        bool isNew = before[0] & ~since[0] != 0;
        if (isNew) direction = max(direction, Direction.Loosen);
    }

    /// @notice Says whether a rule stops being asked of some purposes because their tier changes.
    /// @dev A model has several purposes and the tier of the strictest. Moving one purpose up from 1 to 3 lifts models of
    /// tier 2 as well, and moving one down leaves a model at any tier between. A purpose that is taken out may come back at
    /// any tier, so only a rule that covers all keeps it.
    function losesPurposes(uint128[4] memory before, uint128[4] memory since, uint8 tiersBefore, uint8 tiersSince)
        internal
        pure
        returns (bool)
    {
        for (uint256 from = 1; from < 4; ++from) {
            for (uint256 to; to < 4; ++to) {
                if (from == to || before[from] & since[to] == 0) continue;
                (uint256 asked, uint256 needed) = (_between(from, to), _between(to, from));
                if (to == 0) (asked, needed) = (1 << from, ALL_TIERS);
                if (tiersBefore & asked != 0 && needed & ~uint256(tiersSince) != 0) return true;
            }
        }
        return false;
    }

    function max(Direction left, Direction right) internal pure returns (Direction) {
        return left > right ? left : right;
    }

    // ---- Internal ----

    /// @dev Tiers from the first on, up to but without the other when that is stricter; the first alone when it is not.
    function _between(uint256 first, uint256 other) private pure returns (uint256 tiers) {
        if (other <= first) return 1 << first;
        for (uint256 tier = first; tier < other; ++tier) {
            tiers |= 1 << tier;
        }
    }

    function _lowest(uint8 mask) private pure returns (uint8) {
        unchecked {
            return mask & (~mask + 1);
        }
    }
}
