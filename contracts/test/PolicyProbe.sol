// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacts} from "../src/interfaces/IFacts.sol";
import {IPolicyRegistry} from "../src/interfaces/IPolicyRegistry.sol";
import {Addresses} from "../src/types/Addresses.sol";
import {FactRange, Grace, Rule, RuleChanges, RuleSet, Source, TierEntry} from "../src/types/Policy.sol";

/// @title Deploys a constitution, questions and amends it, all in one call that nobody has to send
/// @dev For tests/integration/test_policy_on_chain.py, which compares every answer with the Python mirror.
/// The creation code comes from the committed artifact, so that what is tested is what is deployed.
contract PolicyProbe is IFacts {
    struct Evidence {
        bytes32 key;
        int128 value;
        uint8 source;
    }

    struct Question {
        uint128 purposes;
        uint8 phase;
        Evidence[] evidence;
    }

    struct Answer {
        uint256 failed;
        uint256 applied;
        uint8 tier;
        /// Empty, or what `evaluate` reverted with.
        bytes refusal;
    }

    struct Stored {
        bytes32 activeHash;
        uint64 version;
        uint64 nowS;
        FactRange[] facts;
        TierEntry[] tiers;
        Rule[] rules;
        Grace[] graces;
    }

    struct Case {
        Rule rule;
        int128 value;
        uint8 source;
    }

    struct Known {
        bool exists;
        int128 value;
    }

    mapping(bytes32 subject => mapping(bytes32 key => mapping(uint8 source => Known))) private _known;

    /// @notice Asks every question of a set.
    /// @return stored What the registry holds.
    /// @return answers One for each question, in order.
    /// @return refusal Empty, or what the registry's constructor reverted with.
    function judge(bytes calldata creation, RuleSet calldata set, Question[] calldata questions)
        external
        returns (Stored memory stored, Answer[] memory answers, bytes memory refusal)
    {
        IPolicyRegistry registry;
        (registry, refusal) = _deploy(creation, set);
        if (address(registry) == address(0)) return (stored, answers, refusal);
        stored = _stored(registry);
        answers = _askAll(registry, questions, false);
    }

    /// @notice Amends a set by another and asks every question again, as of a new and as of an existing release.
    /// @dev `changes` is what the registry says beforehand; `refusal` is empty, or what it reverted with.
    function amend(bytes calldata creation, RuleSet calldata first, RuleSet calldata second, Question[] calldata questions)
        external
        returns (
            RuleChanges memory changes,
            Stored memory stored,
            Answer[] memory answers,
            Answer[] memory existing,
            bytes memory refusal
        )
    {
        IPolicyRegistry registry;
        (registry, refusal) = _deploy(creation, first);
        if (address(registry) == address(0)) return (changes, stored, answers, existing, refusal);
        try registry.changesOf(second) returns (RuleChanges memory found) {
            changes = found;
        } catch (bytes memory reason) {
            return (changes, stored, answers, existing, reason);
        }
        try registry.amend(second) {}
        catch (bytes memory reason) {
            return (changes, stored, answers, existing, reason);
        }
        stored = _stored(registry);
        (answers, existing) = (_askAll(registry, questions, false), _askAll(registry, questions, true));
    }

    /// @notice Asks whether single rules hold for values; the rules need not be in the set.
    function compare(bytes calldata creation, RuleSet calldata set, Case[] calldata cases)
        external
        returns (bool[] memory held)
    {
        (IPolicyRegistry registry,) = _deploy(creation, set);
        held = new bool[](cases.length);
        for (uint256 i; i < cases.length; ++i) held[i] = registry.holds(cases[i].rule, cases[i].value, cases[i].source);
    }

    /// @inheritdoc IFacts
    function facts(bytes32 subject, bytes32[] calldata keys, uint8[] calldata sources)
        external
        view
        returns (int128[] memory values, uint8[] memory from)
    {
        (values, from) = (new int128[](keys.length), new uint8[](keys.length));
        for (uint256 i; i < keys.length; ++i) {
            (values[i], from[i]) = _fact(subject, keys[i], sources[i]);
        }
    }

    /// @dev Stands in for the log that the registry writes to.
    function append(bytes32, bytes32, bytes32) external {}

    /// @dev The order in which ReleaseRegistry reads its sources.
    function _fact(bytes32 subject, bytes32 key, uint8 sources) private view returns (int128 value, uint8 source) {
        for (source = Source.COMPUTED; source > Source.MISSING; --source) {
            Known memory known = _known[subject][key][source];
            if (known.exists && sources & Source.bit(source) != 0) return (known.value, source);
        }
    }

    function _stored(IPolicyRegistry registry) private view returns (Stored memory) {
        return Stored({
            activeHash: registry.activeHash(),
            version: registry.version(),
            nowS: uint64(block.timestamp),
            facts: registry.facts(),
            tiers: registry.tiers(),
            rules: registry.rules(),
            graces: registry.graces()
        });
    }

    function _askAll(IPolicyRegistry registry, Question[] calldata questions, bool existing)
        private
        returns (Answer[] memory answers)
    {
        answers = new Answer[](questions.length);
        for (uint256 i; i < questions.length; ++i) answers[i] = _ask(registry, bytes32(i), questions[i], existing);
    }

    function _ask(IPolicyRegistry registry, bytes32 subject, Question calldata question, bool existing)
        private
        returns (Answer memory answer)
    {
        for (uint256 i; i < question.evidence.length; ++i) {
            Evidence calldata piece = question.evidence[i];
            _known[subject][piece.key][piece.source] = Known(true, piece.value);
        }
        bytes memory call = existing
            ? abi.encodeCall(registry.evaluateExisting, (this, subject, question.purposes))
            : abi.encodeCall(registry.evaluate, (this, subject, question.purposes, question.phase));
        (bool done, bytes memory result) = address(registry).staticcall(call);
        if (!done) answer.refusal = result;
        else (answer.failed, answer.applied, answer.tier) = abi.decode(result, (uint256, uint256, uint8));
    }

    function _deploy(bytes calldata creation, RuleSet calldata set)
        private
        returns (IPolicyRegistry registry, bytes memory refusal)
    {
        Addresses memory a;
        (a.releaseRegistry, a.amendments) = (address(this), address(this));
        bytes memory code = abi.encodePacked(creation, abi.encode(a, set));
        assembly ("memory-safe") {
            registry := create(0, add(code, 32), mload(code))
            if iszero(registry) {
                refusal := mload(0x40)
                mstore(refusal, returndatasize())
                returndatacopy(add(refusal, 32), 0, returndatasize())
                mstore(0x40, and(add(add(refusal, returndatasize()), 63), not(31)))
            }
        }
        if (address(registry) != address(0)) refusal = "";
    }
}
