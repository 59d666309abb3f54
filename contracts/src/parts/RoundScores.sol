// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreementBook} from "../interfaces/IAgreementBook.sol";
import {IRoundScores} from "../interfaces/IRoundScores.sol";
import {IntegrationMode, Kind} from "../types/Market.sol";
import {RoundChallenges} from "./RoundChallenges.sol";

/// @title Scores of overlapped rounds
/// @dev Docs are in the interface. Every log payload is keccak256(abi.encode(arguments of the event in order)).
abstract contract RoundScores is RoundChallenges, IRoundScores {
    uint8 internal constant WHOLE = 100;
    uint8 private constant BASE = 50;
    uint64 private constant WINDOW_S = 1 hours;
    uint256 private constant MAX_PARTICIPANTS = 32;

    struct Scoring {
        address[] agents;
        uint64 postedAtS;
        uint8 sealedCount;
        uint8 openCount;
        bool settled;
    }

    struct Paper {
        bytes32 digest;
        bytes32 commitment;
        uint8[] scores;
        uint8 share;
    }

    // ---- Storage ----

    mapping(bytes32 job => mapping(uint32 round => Scoring)) private _scorings;
    mapping(bytes32 job => mapping(uint32 round => mapping(address agent => Paper))) private _papers;

    // ---- Updates ----

    /// @inheritdoc IRoundScores
    function commitUpdate(bytes32 agreement, uint32 round, bytes32 digest) external {
        IAgreementBook.Sold memory sold = BOOK.sold(agreement);
        if (sold.mode != IntegrationMode.Overlapped) revert RoundNotOverlapped(sold.job);
        bool own = msg.sender == sold.seller && sold.kind == Kind.Data;
        // A key that was unbound or replaced works no more; one that is suspended finishes what it sold.
        if (!own || !_mayActFor(sold.seller)) revert RoundNotParticipant(sold.job, round, msg.sender);
        if (round != _countOf(sold.job)) revert RoundOutOfOrder(round, _countOf(sold.job));
        address[] storage agents = _scorings[sold.job][round].agents;
        uint256 count = agents.length;
        if (count == MAX_PARTICIPANTS) revert RoundTooManyParticipants(sold.job, round);
        for (uint256 i; i < count; ++i) {
            bool taken = agents[i] == msg.sender || _papers[sold.job][round][agents[i]].digest == digest;
            if (taken) revert RoundUpdateTaken(sold.job, round);
        }
        agents.push(msg.sender);
        _papers[sold.job][round][msg.sender].digest = digest;
        emit UpdateCommitted(sold.job, round, msg.sender, digest);
        LOG.append("update", sold.job, keccak256(abi.encode(sold.job, round, msg.sender, digest)));
    }

    // ---- Scores ----

    /// @inheritdoc IRoundScores
    function commitScores(bytes32 job, uint32 round, bytes32 commitment) external {
        (Scoring storage scoring, Paper storage paper) = _participant(job, round);
        bool open = scoring.postedAtS != 0 && block.timestamp <= scoring.postedAtS + WINDOW_S;
        if (!open || paper.commitment != 0 || commitment == 0) revert RoundNotTheTime(job, round);
        paper.commitment = commitment;
        ++scoring.sealedCount;
        emit ScoresCommitted(job, round, msg.sender, commitment);
        LOG.append("scores-sealed", job, keccak256(abi.encode(job, round, msg.sender, commitment)));
    }

    /// @inheritdoc IRoundScores
    function revealScores(bytes32 job, uint32 round, uint8[] calldata scores, bytes32 salt) external {
        (Scoring storage scoring, Paper storage paper) = _participant(job, round);
        if (!_mayOpen(scoring) || paper.scores.length != 0) revert RoundNotTheTime(job, round);
        bytes32 commitment =
            keccak256(abi.encode(block.chainid, address(this), job, round, msg.sender, scores, salt));
        bool sound = commitment == paper.commitment && scores.length == scoring.agents.length;
        for (uint256 i; sound && i < scores.length; ++i) {
            sound = scores[i] <= (scoring.agents[i] == msg.sender ? 0 : WHOLE);
        }
        if (!sound) revert RoundBadScores(job, round);
        paper.scores = scores;
        ++scoring.openCount;
        emit ScoresRevealed(job, round, msg.sender, scores, salt);
        LOG.append("scores-open", job, keccak256(abi.encode(job, round, msg.sender, scores, salt)));
    }

    /// @inheritdoc IRoundScores
    function settleScores(bytes32 job, uint32 round) external {
        Scoring storage scoring = _scorings[job][round];
        uint256 count = scoring.agents.length;
        bool over = scoring.openCount == count || block.timestamp > scoring.postedAtS + 2 * WINDOW_S;
        if (scoring.postedAtS == 0 || scoring.settled || !over) revert RoundNotTheTime(job, round);
        scoring.settled = true;
        uint8[] memory shares = new uint8[](count);
        for (uint256 i; i < count; ++i) {
            shares[i] = _share(job, round, scoring.agents, i);
            _papers[job][round][scoring.agents[i]].share = shares[i];
        }
        emit RoundScored(job, round, scoring.agents, shares);
        LOG.append("scores", job, keccak256(abi.encode(job, round, scoring.agents, shares)));
    }

    // ---- Views ----

    /// @inheritdoc IRoundScores
    function participants(bytes32 job, uint32 round) external view returns (address[] memory) {
        return _scorings[job][round].agents;
    }

    /// @inheritdoc IRoundScores
    function shareOf(bytes32 job, uint32 round, address agent) public view returns (uint8) {
        if (!_scorings[job][round].settled) revert RoundNotScored(job, round);
        return _papers[job][round][agent].share;
    }

    // ---- Internal ----

    /// @dev The root stands for exactly the updates that were committed to, as far as their number can say.
    function _openScoring(bytes32 job, uint32 round, uint32 leaves) internal {
        Scoring storage scoring = _scorings[job][round];
        uint32 expected = uint32(scoring.agents.length) + 1;
        if (leaves != expected) revert RoundOtherUpdates(leaves, expected);
        scoring.postedAtS = uint64(block.timestamp);
    }

    function _participant(bytes32 job, uint32 round) private view returns (Scoring storage scoring, Paper storage paper) {
        (scoring, paper) = (_scorings[job][round], _papers[job][round][msg.sender]);
        if (paper.digest == 0) revert RoundNotParticipant(job, round, msg.sender);
    }

    function _mayOpen(Scoring storage scoring) private view returns (bool) {
        uint64 sealedByS = scoring.postedAtS + WINDOW_S;
        bool closed = scoring.sealedCount == scoring.agents.length || block.timestamp > sealedByS;
        return scoring.postedAtS != 0 && closed && block.timestamp <= sealedByS + WINDOW_S;
    }

    /// @dev The base, and of the rest what the median of the others' scores says. Who does not score gets the base.
    function _share(bytes32 job, uint32 round, address[] storage agents, uint256 index) private view returns (uint8) {
        if (_papers[job][round][agents[index]].scores.length == 0) return BASE;
        uint256 count = agents.length;
        uint8[] memory given = new uint8[](count);
        uint256 known;
        for (uint256 i; i < count; ++i) {
            uint8[] storage scores = _papers[job][round][agents[i]].scores;
            if (i != index && scores.length != 0) _insert(given, known++, scores[index]);
        }
        // Of two middle ones the larger: a doubt is not held against anyone.
        uint256 median = known == 0 ? WHOLE : given[known / 2];
        return uint8(BASE + ((WHOLE - BASE) * median) / WHOLE);
    }

    function _insert(uint8[] memory sorted, uint256 length, uint8 score) private pure {
        uint256 place = length;
        for (; place > 0 && sorted[place - 1] > score; --place) {
            sorted[place] = sorted[place - 1];
        }
        sorted[place] = score;
    }

    /// @dev Whether the caller acts for a seller now.
    function _mayActFor(address seller) internal view virtual returns (bool);
}
