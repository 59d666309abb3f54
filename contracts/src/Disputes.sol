// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgentRegistry} from "./interfaces/IAgentRegistry.sol";
import {IAgreementBook} from "./interfaces/IAgreementBook.sol";
import {IDisputes} from "./interfaces/IDisputes.sol";
import {IEvaluatorCourt} from "./interfaces/IEvaluatorCourt.sol";
import {IKeyChanges} from "./interfaces/IKeyChanges.sol";
import {IOpenDisputes} from "./interfaces/IOpenDisputes.sol";
import {IReleaseRegistry} from "./interfaces/IReleaseRegistry.sol";
import {IRewardVault} from "./interfaces/IRewardVault.sol";
import {Addresses} from "./types/Addresses.sol";
import {Kind} from "./types/Market.sol";

/// @title Complaints about work, and who judges them
/// @dev Docs are in the interface. Every log payload is keccak256(abi.encode(arguments of the event in order)).
/// Money moves last: a deposit comes in at the end of `raise`, and a verdict only credits accounts of the vault.
contract Disputes is IDisputes {
    uint64 private constant AUDITOR_WINDOW_S = 14 days;
    /// @dev The second only after a judge gave no answer to the first.
    uint256 private constant MOST_COMPLAINTS = 2;

    // ---- Immutables ----

    IReleaseRegistry private immutable LOG;
    IAgreementBook private immutable BOOK;
    IAgentRegistry private immutable AGENTS;
    IEvaluatorCourt private immutable COURT;
    IRewardVault private immutable VAULT;
    uint128 private immutable DEPOSIT_E18;

    // ---- Storage ----

    mapping(bytes32 id => Dispute) private _disputes;
    mapping(bytes32 agreement => uint256) private _open;
    /// @dev By organisation, so that no friend of the seller takes the place of who has evidence.
    mapping(bytes32 agreement => mapping(Ground => mapping(uint32 organisation => bytes32[]))) private _raised;
    mapping(bytes32 agreement => mapping(Ground => bool)) private _isUpheld;

    // ---- Constructor ----

    constructor(Addresses memory a, uint128 depositE18_) {
        LOG = IReleaseRegistry(a.releaseRegistry);
        BOOK = IAgreementBook(a.agreementBook);
        AGENTS = IAgentRegistry(a.agentRegistry);
        COURT = IEvaluatorCourt(a.evaluatorCourt);
        VAULT = IRewardVault(a.rewardVault);
        DEPOSIT_E18 = depositE18_;
    }

    // ---- Disputes ----

    /// @inheritdoc IDisputes
    function raise(bytes32 agreement, Ground ground, bytes32 evidence) external returns (bytes32 id) {
        IAgreementBook.Agreement memory found = _atStake(agreement);
        uint32 challengers = _requireChallenger(found.organisation);
        Judge judge = _judge(agreement, ground, found.auditor);
        if (judge == Judge.Auditor) _requireOthersAuditor(found.auditor, challengers);
        if (evidence == 0) revert DisputeNoEvidence(agreement);
        if (_isUpheld[agreement][ground]) revert DisputeGroundUpheld(agreement, ground);
        bytes32[] storage earlier = _raised[agreement][ground][challengers];
        _requireUnheard(earlier);
        id = keccak256(abi.encode(block.chainid, address(this), agreement, ground, evidence));
        if (_disputes[id].state != State.None) revert DisputeExists(id);
        uint64 decideByS = judge == Judge.Auditor ? uint64(block.timestamp) + AUDITOR_WINDOW_S : 0;
        _disputes[id] = Dispute(State.Open, ground, msg.sender, decideByS, agreement, evidence);
        earlier.push(id);
        ++_open[agreement];
        emit DisputeRaised(id, agreement, msg.sender, ground, evidence, DEPOSIT_E18, decideByS);
        bytes32 payload = keccak256(abi.encode(id, agreement, msg.sender, ground, evidence, DEPOSIT_E18, decideByS));
        LOG.append("dispute", id, payload);
        if (judge == Judge.Jury) COURT.openDispute(id, evidence, _parties(found, challengers));
        VAULT.hold(id, msg.sender, DEPOSIT_E18);
    }

    /// @inheritdoc IDisputes
    function rule(bytes32 id, bool upheld) external {
        Dispute storage found = _openOne(id);
        bool judged = judgeOf(found.ground) == Judge.Auditor;
        bool isAuditor = judged && _isAuditor(BOOK.agreement(found.agreement).auditor, msg.sender);
        if (!isAuditor) revert DisputeOnlyAuditor(msg.sender);
        // Anyone may have relied on the end of the window.
        if (block.timestamp > found.decideByS) revert DisputeTooLate(id, found.decideByS);
        _decide(id, found, upheld ? State.Upheld : State.Rejected);
    }

    /// @inheritdoc IDisputes
    /// @dev The court ends every case: each of its steps is anyone's, and each of its windows has an end.
    function conclude(bytes32 id) external {
        Dispute storage found = _openOne(id);
        if (judgeOf(found.ground) == Judge.Jury) return _carryOut(id, found);
        if (block.timestamp <= found.decideByS) revert DisputeNotDecided(id, found.decideByS);
        _decide(id, found, State.Lapsed);
    }

    // ---- Views ----

    /// @inheritdoc IDisputes
    function dispute(bytes32 id) external view returns (Dispute memory) {
        return _disputes[id];
    }

    /// @inheritdoc IOpenDisputes
    function openDisputes(bytes32 agreement) external view returns (uint256) {
        return _open[agreement];
    }

    /// @inheritdoc IDisputes
    function judgeOf(Ground ground) public pure returns (Judge) {
        if (ground == Ground.InvalidUpdate) return Judge.Jury;
        return ground == Ground.FailedReexecution ? Judge.Auditor : Judge.None;
    }

    /// @inheritdoc IDisputes
    function slashBps(Ground ground) public pure returns (uint16) {
        if (ground == Ground.InvalidUpdate) return 2500;
        return ground == Ground.FailedReexecution ? 10_000 : 0;
    }

    /// @inheritdoc IDisputes
    function depositE18() external view returns (uint128) {
        return DEPOSIT_E18;
    }

    // ---- Internal ----

    /// @dev The vault knows what is left: a seller that closed its agreement still answers with its bond, one whose bond
    /// is spent or freed does not. Rows and measurements have no updates; the court judges jurors itself.
    function _atStake(bytes32 agreement) private view returns (IAgreementBook.Agreement memory found) {
        found = BOOK.agreement(agreement);
        bool work = found.kind == Kind.Data || found.kind == Kind.Compute;
        (, uint128 heldE18) = VAULT.held(address(BOOK), agreement);
        if (!work || heldE18 == 0) revert DisputeNothingAtStake(agreement);
        // Later complaints would only keep a bond locked that is due to be freed.
        uint64 fromS = BOOK.closableFrom(agreement);
        if (block.timestamp >= fromS) revert DisputeClaimsOver(agreement, fromS);
    }

    function _requireChallenger(uint32 seller) private view returns (uint32 organisation) {
        organisation = AGENTS.organisationOfOperator(msg.sender);
        if (organisation == 0) revert DisputeOnlyOperator(msg.sender);
        if (organisation == seller) revert DisputeOwnWork(seller);
    }

    /// @dev Nobody judges its own complaint, with whichever key it has or ever had.
    function _requireOthersAuditor(address auditor, uint32 challengers) private view {
        if (AGENTS.holderOf(auditor) == challengers) revert DisputeOwnAuditor(challengers);
    }

    /// @dev The key that the terms name, or the agent's key in its place. Whoever stole a key that was taken out since would
    /// else take a whole bond with it. A key that is no organisation's cannot be taken out.
    function _isAuditor(address auditor, address caller) private view returns (bool) {
        if (IKeyChanges(address(AGENTS)).originOf(caller) != IKeyChanges(address(AGENTS)).originOf(auditor)) return false;
        uint32 holder = AGENTS.holderOf(caller);
        if (holder == 0 || AGENTS.actsFor(caller, caller)) return true;
        IAgentRegistry.Organisation memory kept = AGENTS.organisation(holder);
        return caller == kept.member || caller == kept.operator;
    }

    /// @dev Who was turned down, or had its answer, does not try again with other evidence; and a judge's silence, which
    /// costs nobody anything, is not asked for again and again.
    function _requireUnheard(bytes32[] storage earlier) private view {
        uint256 count = earlier.length;
        if (count == 0) return;
        bytes32 last = earlier[count - 1];
        State state = _disputes[last].state;
        if (state != State.Lapsed || count == MOST_COMPLAINTS) revert DisputeHeard(last, state);
    }

    function _judge(bytes32 agreement, Ground ground, address auditor) private pure returns (Judge judge) {
        judge = judgeOf(ground);
        bool nobody = judge == Judge.None || (judge == Judge.Auditor && auditor == address(0));
        if (nobody) revert DisputeNobodyJudges(agreement, ground);
    }

    /// @dev None of these may sit on the jury.
    function _parties(IAgreementBook.Agreement memory found, uint32 challengers)
        private
        view
        returns (uint32[] memory parties)
    {
        parties = new uint32[](3);
        (parties[0], parties[1], parties[2]) = (AGENTS.organisationOf(found.buyer), found.organisation, challengers);
    }

    function _openOne(bytes32 id) private view returns (Dispute storage found) {
        found = _disputes[id];
        if (found.state != State.Open) revert DisputeNotOpen(id, found.state);
    }

    function _costs(Dispute storage found, State state) private returns (uint16) {
        if (state != State.Upheld || _isUpheld[found.agreement][found.ground]) return 0;
        _isUpheld[found.agreement][found.ground] = true;
        return slashBps(found.ground);
    }

    function _carryOut(bytes32 id, Dispute storage found) private {
        (bool known, bool upheld) = COURT.verdict(id);
        if (known) return _decide(id, found, upheld ? State.Upheld : State.Rejected);
        bool over = COURT.isConclusive(id) || COURT.stageOf(id) == IEvaluatorCourt.Stage.Lapsed;
        if (!over) revert DisputeNotDecided(id, found.decideByS);
        _decide(id, found, State.Lapsed);
    }

    /// @dev A rejected complaint pays whom it accused; a judge's silence costs nobody anything. Of several complaints on one
    /// ground that are upheld the first costs a part of the bond: they may be about the same fault.
    function _decide(bytes32 id, Dispute storage found, State state) private {
        found.state = state;
        --_open[found.agreement];
        uint16 bps = _costs(found, state);
        emit DisputeDecided(id, state, bps);
        LOG.append("dispute-decided", id, keccak256(abi.encode(id, state, bps)));
        if (state != State.Rejected) {
            VAULT.giveBack(id, DEPOSIT_E18);
        } else {
            uint32 accused = BOOK.agreement(found.agreement).organisation;
            VAULT.forfeit(id, AGENTS.operatorOfOrganisation(accused), DEPOSIT_E18);
        }
        if (bps != 0) BOOK.slash(found.agreement, bps, found.challenger);
    }
}
