// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PolicyDirection} from "../../src/libraries/PolicyDirection.sol";
import {PolicyRules} from "../../src/libraries/PolicyRules.sol";
import {Direction} from "../../src/types/Amendment.sol";
import {Entrenchment, Op, Rule} from "../../src/types/Policy.sol";

/// @dev What the registry calls no loosening turns nothing that failed into something that passes.
contract PolicyDirectionProof {
    // ---- Bounds ----

    function check_a_bound_that_is_not_looser_passes_no_more(uint8 op, int128 before, int128 since, int128 value)
        external
        pure
    {
        if (op > uint8(type(Op).max)) return;
        (, bool looser) = PolicyDirection.compareBounds(Op(op), before, since);
        if (looser || !PolicyRules.meets(Op(op), since, value)) return;
        assert(PolicyRules.meets(Op(op), before, value));
    }

    function check_a_bound_that_is_not_tighter_fails_no_more(uint8 op, int128 before, int128 since, int128 value)
        external
        pure
    {
        if (op > uint8(type(Op).max)) return;
        (bool tighter,) = PolicyDirection.compareBounds(Op(op), before, since);
        if (tighter || !PolicyRules.meets(Op(op), before, value)) return;
        assert(PolicyRules.meets(Op(op), since, value));
    }

    // ---- Sources: of those that a rule accepts and that have the fact, the highest is read ----

    /// @param having Sources that have the fact, as a mask.
    /// @param good Those of them whose value meets the bound.
    function check_sources_that_are_not_looser_pass_no_more(uint8 before, uint8 since, uint8 having, uint8 good)
        external
        pure
    {
        (, bool looser) = PolicyDirection.compareSources(before, since);
        if (looser || _highest(since & having) & good == 0) return;
        assert(_highest(before & having) & good != 0);
    }

    function check_sources_that_are_not_tighter_fail_no_more(uint8 before, uint8 since, uint8 having, uint8 good)
        external
        pure
    {
        (bool tighter,) = PolicyDirection.compareSources(before, since);
        if (tighter || _highest(before & having) & good == 0) return;
        assert(_highest(since & having) & good != 0);
    }

    // ---- When a rule is asked ----

    /// @dev Of two rules that differ only in when they are asked.
    function check_a_rule_not_looser_is_asked_whenever_it_was(
        Asked calldata before,
        Asked calldata since,
        uint8 tier,
        uint8 phase,
        uint64 nowS
    ) external pure {
        (, bool looser) = PolicyDirection.compare(_rule(before), _rule(since));
        if (looser || !_isAsked(before, tier, phase, nowS)) return;
        assert(_isAsked(since, tier, phase, nowS));
    }

    // ---- The class of a change ----

    function check_no_loosening_of_an_eternal_rule_is_allowed(int128 bound, int128 since, uint8 op) external pure {
        if (op > uint8(type(Op).max)) return;
        (Rule memory a, Rule memory b) = (_bounded(op, bound), _bounded(op, since));
        (a.entrenchment, b.entrenchment) = (Entrenchment.Eternal, Entrenchment.Eternal);
        (, bool looser) = PolicyDirection.compareBounds(Op(op), bound, since);
        assert((PolicyDirection.ofChange(a, b) == Direction.Forbidden) == looser);
    }

    function check_a_constitutional_rule_is_not_loosened_by_one_vote(int128 bound, int128 since, uint8 op)
        external
        pure
    {
        if (op > uint8(type(Op).max)) return;
        (Rule memory a, Rule memory b) = (_bounded(op, bound), _bounded(op, since));
        (a.entrenchment, b.entrenchment) = (Entrenchment.Constitutional, Entrenchment.Constitutional);
        (, bool looser) = PolicyDirection.compareBounds(Op(op), bound, since);
        assert((PolicyDirection.ofChange(a, b) == Direction.Constitutional) == looser);
    }

    struct Asked {
        uint8 tiers;
        uint8 phases;
        uint64 fromS;
    }

    // ---- Internal ----

    function _rule(Asked calldata asked) private pure returns (Rule memory rule) {
        (rule.tiers, rule.phases, rule.appliesFromS) = (asked.tiers, asked.phases, asked.fromS);
    }

    function _bounded(uint8 op, int128 bound) private pure returns (Rule memory rule) {
        (rule.op, rule.bound) = (Op(op), bound);
    }

    function _isAsked(Asked calldata asked, uint8 tier, uint8 phase, uint64 nowS) private pure returns (bool) {
        return (asked.tiers >> tier) & 1 == 1 && asked.phases & phase != 0 && nowS >= asked.fromS;
    }

    function _highest(uint8 mask) private pure returns (uint8) {
        mask |= mask >> 1;
        mask |= mask >> 2;
        mask |= mask >> 4;
        return mask ^ (mask >> 1);
    }
}
