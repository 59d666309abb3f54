// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IAgreementBook} from "../interfaces/IAgreementBook.sol";
import {IReleaseRegistry} from "../interfaces/IReleaseRegistry.sol";
import {IRoundChallenges} from "../interfaces/IRoundChallenges.sol";
import {IRoundLedger} from "../interfaces/IRoundLedger.sol";
import {Lines} from "../libraries/Lines.sol";
import {TermsRules} from "../libraries/TermsRules.sol";
import {Addresses} from "../types/Addresses.sol";
import {IntegrationMode, Kind} from "../types/Market.sol";

/// @title What can be held against a posted round
/// @dev Docs are in the interface. Every log payload is keccak256(abi.encode(arguments of the event in order)).
abstract contract RoundChallenges is IRoundLedger, IRoundChallenges, EIP712 {
    bytes32 private constant RECEIPT =
        keccak256("Receipt(bytes32 job,uint32 round,address owner,bytes32 digest,uint64 deadlineS)");
    uint64 private constant ANSWER_S = 1 days;

    /// @dev One slot, and one for the digest of an omission.
    struct Claimed {
        Challenge state;
        uint64 untilS;
        bytes32 digest;
    }

    // ---- Immutables ----

    IReleaseRegistry internal immutable LOG;
    IAgreementBook internal immutable BOOK;

    // ---- Storage ----

    /// @dev By the hash of what is challenged.
    mapping(bytes32 key => Claimed) private _claimed;
    mapping(bytes32 job => uint32) private _omissions;
    mapping(bytes32 job => mapping(uint32 round => bool)) private _isFlagged;

    // ---- Constructor ----

    constructor(Addresses memory a) EIP712("Folkmoot RoundLedger", "1") {
        LOG = IReleaseRegistry(a.releaseRegistry);
        BOOK = IAgreementBook(a.agreementBook);
    }

    // ---- Omissions ----

    /// @inheritdoc IRoundChallenges
    /// @dev A round that is paid or passed over cannot be paid again, so it is not challenged either.
    function challengeOmission(bytes32 agreement, Receipt calldata receipt, bytes calldata signature) external {
        IAgreementBook.Agreement memory found = BOOK.agreement(agreement);
        bool fits = found.state == IAgreementBook.AgreementState.Active && found.kind == Kind.Data
            && found.job == receipt.job && found.seller == receipt.owner;
        bool open = receipt.round >= found.nextUnit && receipt.round < found.units
            && _hasBegun(found.mode, receipt.job, receipt.round);
        if (!fits || !open || !_isSigned(receipt, signature)) revert RoundNoReceipt(agreement, receipt.round);
        if (block.timestamp <= receipt.deadlineS) revert RoundNotOverdue(receipt.deadlineS);
        uint64 untilS = _open(_omissionKey(agreement, receipt.round), receipt.digest);
        emit OmissionChallenged(agreement, receipt.job, receipt.round, receipt.owner, receipt.digest, untilS);
        LOG.append(
            "omission-challenge",
            receipt.job,
            keccak256(abi.encode(agreement, receipt.job, receipt.round, receipt.owner, receipt.digest, untilS))
        );
    }

    /// @inheritdoc IRoundChallenges
    function answerOmission(bytes32 agreement, uint32 round, Lines.Line calldata line, bytes32[] calldata proof) external {
        bytes32 digest = _answer(_omissionKey(agreement, round));
        IAgreementBook.Agreement memory found = BOOK.agreement(agreement);
        bytes32 leaf = Lines.leaf(found.job, round, found.seller, digest);
        if (!_holds(found.job, line, round, leaf, proof)) revert RoundNotProven(found.job, round);
        emit OmissionAnswered(agreement, found.job, round);
        LOG.append("omission-answer", found.job, keccak256(abi.encode(agreement, found.job, round)));
    }

    /// @inheritdoc IRoundChallenges
    function settleOmission(bytes32 agreement, uint32 round) external {
        bytes32 digest = _uphold(_omissionKey(agreement, round));
        IAgreementBook.Sold memory sold = BOOK.sold(agreement);
        if (round < sold.nextUnit) revert RoundNothingDue(agreement);
        if (round > sold.nextUnit) revert RoundPassesOver(agreement, sold.nextUnit);
        ++_omissions[sold.job];
        emit Omitted(agreement, sold.job, round, sold.seller, digest);
        LOG.append("omission", sold.job, keccak256(abi.encode(agreement, sold.job, round, sold.seller, digest)));
        BOOK.payRounds(agreement, uint24(round) + 1, sold.mode == IntegrationMode.Overlapped ? 100 : 1);
    }

    // ---- Leaves ----

    /// @inheritdoc IRoundChallenges
    function flagEquivocation(bytes32 job, Lines.Line calldata line, Leaf calldata first, Leaf calldata second) external {
        bool twins = first.round == second.round && first.agent == second.agent && first.digest != second.digest;
        bool proven = twins && _isPosted(job, line, first) && _isPosted(job, line, second);
        if (!proven) revert RoundNotProven(job, first.round);
        _flag(job, first.round, first.agent, "equivocation");
    }

    /// @inheritdoc IRoundChallenges
    function challengeStranger(bytes32 job, Lines.Line calldata line, Leaf calldata leaf) external {
        if (!_isPosted(job, line, leaf)) revert RoundNotProven(job, leaf.round);
        uint64 untilS = _open(_strangerKey(job, leaf.round, leaf.agent), leaf.digest);
        emit StrangerChallenged(job, leaf.round, leaf.agent, untilS);
        LOG.append("stranger-challenge", job, keccak256(abi.encode(job, leaf.round, leaf.agent, untilS)));
    }

    /// @inheritdoc IRoundChallenges
    function answerStranger(bytes32 job, uint32 round, address agent, bytes32 agreement) external {
        _answer(_strangerKey(job, round, agent));
        IAgreementBook.Agreement memory found = BOOK.agreement(agreement);
        bool known = found.state != IAgreementBook.AgreementState.None && found.job == job && found.seller == agent
            && TermsRules.isPaidByRound(found.kind);
        if (!known) revert RoundNotProven(job, round);
        emit StrangerAnswered(job, round, agent, agreement);
        LOG.append("stranger-answer", job, keccak256(abi.encode(job, round, agent, agreement)));
    }

    /// @inheritdoc IRoundChallenges
    function settleStranger(bytes32 job, uint32 round, address agent) external {
        _uphold(_strangerKey(job, round, agent));
        _flag(job, round, agent, "stranger");
    }

    // ---- Views ----

    /// @inheritdoc IRoundChallenges
    function hashReceipt(Receipt calldata receipt) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(RECEIPT, receipt)));
    }

    /// @inheritdoc IRoundChallenges
    function omission(bytes32 agreement, uint32 round) external view returns (Challenge, uint64) {
        Claimed storage found = _claimed[_omissionKey(agreement, round)];
        return (found.state, found.untilS);
    }

    /// @inheritdoc IRoundChallenges
    function omissions(bytes32 job) external view returns (uint32) {
        return _omissions[job];
    }

    /// @inheritdoc IRoundChallenges
    function isFlagged(bytes32 job, uint32 round) external view returns (bool) {
        return _isFlagged[job][round];
    }

    // ---- Internal ----

    function _open(bytes32 key, bytes32 digest) private returns (uint64 untilS) {
        if (_claimed[key].state != Challenge.None) revert RoundChallengeExists(key);
        untilS = uint64(block.timestamp) + ANSWER_S;
        _claimed[key] = Claimed(Challenge.Open, untilS, digest);
    }

    function _answer(bytes32 key) private returns (bytes32) {
        Claimed storage found = _claimed[key];
        bool open = found.state == Challenge.Open && block.timestamp <= found.untilS;
        if (!open) revert RoundNoChallenge(key);
        found.state = Challenge.Answered;
        return found.digest;
    }

    function _uphold(bytes32 key) private returns (bytes32) {
        Claimed storage found = _claimed[key];
        if (found.state != Challenge.Open) revert RoundNoChallenge(key);
        if (block.timestamp <= found.untilS) revert RoundNotOverdue(found.untilS);
        found.state = Challenge.Upheld;
        return found.digest;
    }

    function _flag(bytes32 job, uint32 round, address agent, bytes32 reason) private {
        _isFlagged[job][round] = true;
        emit RoundFlagged(job, round, agent, reason);
        LOG.append("round-flagged", job, keccak256(abi.encode(job, round, agent, reason)));
    }

    /// @dev A round waits for the one before it to be posted, but in decoupled mode. So whoever stole a coordinator's key
    /// that can post no more signs for one round at most.
    function _hasBegun(IntegrationMode mode, bytes32 job, uint32 round) private view returns (bool) {
        return mode == IntegrationMode.Decoupled || round <= _countOf(job);
    }

    /// @dev By the key alone: a coordinator must not get rid of its receipts by having its key unbound.
    function _isSigned(Receipt calldata receipt, bytes calldata signature) private view returns (bool) {
        (address recovered, ECDSA.RecoverError problem,) = ECDSA.tryRecoverCalldata(hashReceipt(receipt), signature);
        return problem == ECDSA.RecoverError.NoError && recovered == _coordinatorOf(receipt.job);
    }

    function _isPosted(bytes32 job, Lines.Line calldata line, Leaf calldata leaf) private view returns (bool) {
        bytes32 hashed = Lines.leaf(job, leaf.round, leaf.agent, leaf.digest);
        return _holds(job, line, leaf.round, hashed, leaf.proof);
    }

    function _omissionKey(bytes32 agreement, uint32 round) private pure returns (bytes32) {
        return keccak256(abi.encode(agreement, round));
    }

    function _strangerKey(bytes32 job, uint32 round, address agent) private pure returns (bytes32) {
        return keccak256(abi.encode(job, round, agent));
    }

    /// @dev Zero when there is no such job; nobody recovers to it.
    function _coordinatorOf(bytes32 job) internal view virtual returns (address);

    function _countOf(bytes32 job) internal view virtual returns (uint32);

    /// @dev True when the leaf is in the posted round, or in the anchor that covers it.
    function _holds(bytes32 job, Lines.Line calldata line, uint32 round, bytes32 leaf, bytes32[] calldata proof)
        internal
        view
        virtual
        returns (bool);
}
