// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PolicyRegistry} from "../src/PolicyRegistry.sol";
import {Addresses} from "../src/types/Addresses.sol";
import {Direction} from "../src/types/Amendment.sol";
import {Entrenchment, FactRange, Op, Phase, Rule, RuleSet, Source, Tier, TierEntry} from "../src/types/Policy.sol";
import {FactsOnPaper} from "./FactsOnPaper.sol";
import {Check} from "./Vm.sol";

/// @dev A constitution with a rule of each rank, and the test in the place of Amendments.
abstract contract PolicyAmendBase is Check {
    uint8 internal constant TRIAGE = 0;
    uint8 internal constant SCORING = 1;
    uint8 internal constant SOCIAL = 8;
    uint128 internal constant FOR_TRIAGE = 1;
    uint8 internal constant HIGH_TIER = uint8(1) << Tier.HIGH;
    int128 internal constant MANY = 64e6;

    uint256 internal constant BAN = 0;
    uint256 internal constant GAP = 1;
    uint256 internal constant AUC = 2;
    uint256 internal constant OWNERS = 3;

    FactsOnPaper internal facts;
    PolicyRegistry internal policy;

    function setUp() public virtual {
        vm.warp(1_700_000_000);
        facts = new FactsOnPaper();
        facts.set("purposes", 1, Source.PROMISED);
        facts.set("tpr_gap_abs", 100_000, Source.MEASURED);
        facts.set("auc", 800_000, Source.MEASURED);
        facts.set("distinct_organisations", 3e6, Source.COMPUTED);
        policy = _deploy(_set());
    }

    function _deploy(RuleSet memory set) internal returns (PolicyRegistry) {
        Addresses memory a;
        (a.releaseRegistry, a.amendments) = (address(facts), address(this));
        return new PolicyRegistry(a, set);
    }

    /// @dev Amends and says which way it went.
    function _amend(RuleSet memory set) internal returns (Direction direction) {
        direction = policy.directionOf(set);
        policy.amend(set);
    }

    function _expect(RuleSet memory set, Direction direction, string memory what) internal view {
        assertEq(uint256(policy.directionOf(set)), uint256(direction), what);
    }

    function _refused(RuleSet memory set, bytes memory refusal) internal {
        vm.expectRevert(refusal);
        policy.amend(set);
    }

    function _failed() internal view returns (uint256 failed) {
        (failed,,) = policy.evaluate(facts, 0, FOR_TRIAGE, Phase.RELEASE);
    }

    function _failedExisting() internal view returns (uint256 failed) {
        (failed,,) = policy.evaluateExisting(facts, 0, FOR_TRIAGE);
    }

    function _set() internal pure returns (RuleSet memory set) {
        set.documentHash = "document";
        set.facts = new FactRange[](4);
        set.facts[0] = FactRange("purposes", true, 0, int128((1 << 16) - 1));
        set.facts[1] = FactRange("tpr_gap_abs", false, 0, 1e6);
        set.facts[2] = FactRange("auc", false, 0, 1e6);
        set.facts[3] = FactRange("distinct_organisations", false, 0, MANY);
        set.tiers = new TierEntry[](3);
        set.tiers[0] = TierEntry(TRIAGE, Tier.HIGH);
        set.tiers[1] = TierEntry(SCORING, Tier.LIMITED);
        set.tiers[2] = TierEntry(SOCIAL, Tier.HIGH);
        set.rules = new Rule[](4);
        set.rules[BAN] = _rule("no-social-scoring", "purposes", int128(1) << SOCIAL, Op.NoneOf);
        set.rules[BAN].entrenchment = Entrenchment.Eternal;
        set.rules[BAN].phases = 7;
        set.rules[BAN].sources = Source.bit(Source.PROMISED);
        set.rules[GAP] = _rule("max-tpr-gap", "tpr_gap_abs", 100_000, Op.Max);
        (set.rules[GAP].entrenchment, set.rules[GAP].tiers) = (Entrenchment.Constitutional, HIGH_TIER);
        set.rules[AUC] = _rule("min-auc", "auc", 700_000, Op.Min);
        set.rules[OWNERS] = _rule("min-organisations", "distinct_organisations", 3e6, Op.Min);
        set.rules[OWNERS].sources = Source.bit(Source.COMPUTED);
    }

    /// @dev Ordinary, for releases of every tier, measured.
    function _rule(bytes32 id, bytes32 fact, int128 bound, Op op) internal pure returns (Rule memory) {
        uint8 measured = Source.bit(Source.MEASURED);
        return Rule(id, fact, bound, op, 0x0e, measured, Phase.RELEASE, Entrenchment.Ordinary, 0);
    }

    function _with(RuleSet memory set, Rule memory more) internal pure returns (RuleSet memory) {
        Rule[] memory rules = new Rule[](set.rules.length + 1);
        for (uint256 i; i < set.rules.length; ++i) {
            rules[i] = set.rules[i];
        }
        rules[set.rules.length] = more;
        set.rules = rules;
        return set;
    }

    function _without(RuleSet memory set, uint256 index) internal pure returns (RuleSet memory) {
        Rule[] memory rules = new Rule[](set.rules.length - 1);
        for (uint256 i; i < rules.length; ++i) {
            rules[i] = set.rules[i < index ? i : i + 1];
        }
        set.rules = rules;
        return set;
    }
}
