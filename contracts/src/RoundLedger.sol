// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgentRegistry, Role} from "./interfaces/IAgentRegistry.sol";
import {IAgreementBook} from "./interfaces/IAgreementBook.sol";
import {IEvaluatorCourt} from "./interfaces/IEvaluatorCourt.sol";
import {IPolicyRegistry} from "./interfaces/IPolicyRegistry.sol";
import {IRoundLedger} from "./interfaces/IRoundLedger.sol";
import {JobRules} from "./libraries/JobRules.sol";
import {Lines} from "./libraries/Lines.sol";
import {RoundChallenges} from "./parts/RoundChallenges.sol";
import {RoundScores} from "./parts/RoundScores.sol";
import {Addresses} from "./types/Addresses.sol";
import {IntegrationMode, JobTerms, Kind} from "./types/Market.sol";
import {Phase, Source} from "./types/Policy.sol";

/// @title One Merkle root a round
/// @dev Docs are in the interface. A round writes one slot, which the opening has made. The log's payload of recorded
/// rounds is keccak256(abi.encode(job, count, head)).
contract RoundLedger is RoundScores {
    using Lines for bytes32;
    using Lines for Lines.Line;

    int128 private constant MILLION = 1e6;

    /// @dev Two slots, of which a round writes none.
    struct Course {
        address coordinator;
        uint64 deadlineS;
        State state;
        IntegrationMode mode;
        uint128 purposes;
        uint32 roundsPerCandidate;
        /// Rounds that stand in the log.
        uint32 recorded;
        uint8 candidates;
    }

    // ---- Immutables ----

    IPolicyRegistry private immutable POLICY;
    IAgentRegistry private immutable AGENTS;
    IEvaluatorCourt private immutable COURT;

    // ---- Storage ----

    mapping(bytes32 job => Course) private _courses;
    mapping(bytes32 job => bytes32) private _heads;

    // ---- Constructor ----

    constructor(Addresses memory a) RoundChallenges(a) {
        POLICY = IPolicyRegistry(a.policyRegistry);
        AGENTS = IAgentRegistry(a.agentRegistry);
        COURT = IEvaluatorCourt(a.evaluatorCourt);
    }

    // ---- Jobs ----

    /// @inheritdoc IRoundLedger
    /// @dev The book has seen to it that the job is new.
    function open(bytes32 job, JobTerms calldata terms) external {
        if (msg.sender != address(BOOK)) revert RoundOnlyBook(msg.sender);
        JobRules.requireSound(terms, COURT.settings().metricCode);
        Course storage course = _courses[job];
        course.coordinator = terms.coordinator;
        course.deadlineS = terms.deadlineS;
        (course.state, course.mode) = (State.Open, terms.integrationMode);
        course.purposes = terms.purposes;
        (course.roundsPerCandidate, course.candidates) = (terms.roundsPerCandidate, uint8(terms.candidates.length));
        _heads[job] = Lines.start(job);
    }

    /// @inheritdoc IRoundLedger
    function finish(bytes32 job) external {
        if (msg.sender != address(BOOK)) revert RoundOnlyBook(msg.sender);
        record(job);
        _courses[job].state = State.Finished;
    }

    // ---- Rounds ----

    /// @inheritdoc IRoundLedger
    /// @dev After the last round every number is out of order.
    function post(bytes32 job, uint32 round, bytes32 root, uint32 leaves) external {
        Course memory course = _courses[job];
        if (course.state != State.Open) revert RoundJobNotOpen(job);
        bool isCoordinator = msg.sender == course.coordinator && AGENTS.hasRole(msg.sender, Role.COORDINATOR);
        if (!isCoordinator) revert RoundOnlyCoordinator(msg.sender);
        if (block.timestamp > course.deadlineS) revert RoundTooLate(course.deadlineS);
        bytes32 before = _heads[job];
        uint32 expected = before.count();
        bool inOrder = round == expected && expected < _end(course.mode, course.candidates, course.roundsPerCandidate);
        if (!inOrder) revert RoundOutOfOrder(round, expected);
        if (root == 0 || leaves == 0) revert RoundEmptyRoot();
        if (course.mode == IntegrationMode.Overlapped) _openScoring(job, round, leaves);
        _heads[job] = before.next(root, leaves);
        _requireLawful(leaves, course.purposes);
        emit RoundPosted(job, round, root, leaves);
    }

    /// @inheritdoc IRoundLedger
    function claimRounds(bytes32 agreement, Lines.Line calldata line, RoundClaim[] calldata claims) external {
        IAgreementBook.Sold memory sold = BOOK.sold(agreement);
        if (!line.leadsTo(_heads[sold.job])) revert RoundBadLine(sold.job);
        _claim(agreement, sold, line, claims);
    }

    /// @inheritdoc IRoundLedger
    function claimForAll(bytes32 job, Lines.Line calldata line, AgreementClaims[] calldata all) external {
        if (!line.leadsTo(_heads[job])) revert RoundBadLine(job);
        for (uint256 i; i < all.length; ++i) {
            IAgreementBook.Sold memory sold = BOOK.sold(all[i].agreement);
            if (sold.job != job) revert RoundNothingDue(all[i].agreement);
            _claim(all[i].agreement, sold, line, all[i].claims);
        }
    }

    /// @inheritdoc IRoundLedger
    function record(bytes32 job) public {
        bytes32 head_ = _heads[job];
        uint32 count = head_.count();
        Course storage course = _courses[job];
        if (count == course.recorded) return;
        course.recorded = count;
        emit RoundsRecorded(job, count, head_);
        LOG.append("rounds", job, keccak256(abi.encode(job, count, head_)));
    }

    // ---- Views ----

    /// @inheritdoc IRoundLedger
    function roundCount(bytes32 job) external view returns (uint32) {
        return _heads[job].count();
    }

    /// @inheritdoc IRoundLedger
    function recordedCount(bytes32 job) external view returns (uint32) {
        return _courses[job].recorded;
    }

    /// @inheritdoc IRoundLedger
    function head(bytes32 job) external view returns (bytes32) {
        return _heads[job];
    }

    /// @inheritdoc IRoundLedger
    function isComplete(bytes32 job, uint8 candidate) external view returns (bool) {
        Course storage course = _courses[job];
        if (candidate >= course.candidates) return false;
        return _heads[job].count() >= _end(course.mode, uint256(candidate) + 1, course.roundsPerCandidate);
    }

    /// @inheritdoc IRoundLedger
    function contains(
        bytes32 job,
        Lines.Line calldata line,
        uint32 round,
        address agent,
        bytes32 digest,
        bytes32[] calldata proof
    ) external view returns (bool) {
        return _holds(job, line, round, Lines.leaf(job, round, agent, digest), proof);
    }

    // ---- Internal ----

    function _claim(
        bytes32 agreement,
        IAgreementBook.Sold memory sold,
        Lines.Line calldata line,
        RoundClaim[] calldata claims
    ) private {
        if (claims.length == 0) revert RoundNothingDue(agreement);
        bool scored = sold.mode == IntegrationMode.Overlapped && sold.kind == Kind.Data;
        (uint256 next, uint256 units) = (sold.nextUnit, 0);
        for (uint256 i; i < claims.length; ++i) {
            RoundClaim calldata claim = claims[i];
            uint32 round = claim.round;
            if (round != next) _requireUpwards(agreement, sold.seller, round, uint32(next));
            if (!_isProven(sold, line, claim, round)) revert RoundNotProven(sold.job, round);
            unchecked {
                // Hundredths for the owners of an overlapped job, whole rounds for everybody else.
                units += scored ? shareOf(sold.job, round, sold.seller) : 1;
                next = uint256(round) + 1;
            }
        }
        BOOK.payRounds(agreement, uint24(next), uint24(units));
    }

    function _isProven(
        IAgreementBook.Sold memory sold,
        Lines.Line calldata line,
        RoundClaim calldata claim,
        uint32 round
    ) private pure returns (bool) {
        if (round >= sold.units) return false;
        bytes32 leaf = Lines.leaf(sold.job, round, sold.seller, claim.digest);
        return _isInLine(sold.mode, line, round, leaf, claim.proof);
    }

    /// @dev A leaf names its round, so in decoupled mode any anchor may hold it; the line starts with that one.
    function _isInLine(
        IntegrationMode mode,
        Lines.Line calldata line,
        uint32 round,
        bytes32 leaf,
        bytes32[] calldata proof
    ) private pure returns (bool) {
        if (mode == IntegrationMode.Decoupled) return line.holds(0, leaf, proof);
        uint32 first = line.before.count();
        return round >= first && line.holds(round - first, leaf, proof);
    }

    function _holds(bytes32 job, Lines.Line calldata line, uint32 round, bytes32 leaf, bytes32[] calldata proof)
        internal
        view
        override
        returns (bool)
    {
        return line.leadsTo(_heads[job]) && _isInLine(_courses[job].mode, line, round, leaf, proof);
    }

    function _coordinatorOf(bytes32 job) internal view override returns (address) {
        return _courses[job].coordinator;
    }

    function _countOf(bytes32 job) internal view override returns (uint32) {
        return _heads[job].count();
    }

    /// @dev Whoever could pass over a round in the seller's name would take its pay.
    function _requireUpwards(bytes32 agreement, address seller, uint32 round, uint32 next) private view {
        if (round < next) revert RoundNothingDue(agreement);
        if (!_mayActFor(seller)) revert RoundPassesOver(agreement, next);
    }

    function _mayActFor(address seller) internal view override returns (bool) {
        return AGENTS.actsFor(seller, msg.sender);
    }

    /// @dev One of the leaves is the compute provider's.
    function _requireLawful(uint32 leaves, uint128 purposes) private view {
        int128 contributors = int128(uint128(leaves - 1)) * MILLION;
        IPolicyRegistry.Fact memory fact = IPolicyRegistry.Fact("round_contributors", contributors, Source.DECLARED);
        (uint256 failed,) = POLICY.evaluateFact(fact, purposes, Phase.ROUND);
        if (failed != 0) revert RoundPolicyViolation(failed);
    }

    /// @dev Rounds up to and including those of the first `candidates`, with the statistics round; in decoupled mode
    /// one anchor a candidate, of which the first holds the statistics round too.
    function _end(IntegrationMode mode, uint256 candidates, uint256 perCandidate) private pure returns (uint256) {
        return mode == IntegrationMode.Decoupled ? candidates : 1 + candidates * perCandidate;
    }
}
