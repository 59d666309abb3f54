// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";
import {IAgentRegistry, Role} from "./interfaces/IAgentRegistry.sol";
import {IAgreementBook} from "./interfaces/IAgreementBook.sol";
import {IEvaluatorCourt} from "./interfaces/IEvaluatorCourt.sol";
import {IFacts} from "./interfaces/IFacts.sol";
import {IPolicyRegistry} from "./interfaces/IPolicyRegistry.sol";
import {IReleaseRegistry} from "./interfaces/IReleaseRegistry.sol";
import {IRoundLedger} from "./interfaces/IRoundLedger.sol";
import {Mandates} from "./libraries/Mandates.sol";
import {TermsHash} from "./libraries/TermsHash.sol";
import {TermsRules} from "./libraries/TermsRules.sol";
import {Addresses} from "./types/Addresses.sol";
import {JobTerms, Kind, Terms} from "./types/Market.sol";
import {Phase, Source} from "./types/Policy.sol";

/// @title Jobs, signed agreements and their escrow
/// @dev Docs are in the interface. Every log payload is keccak256(abi.encode(arguments of the event in order)).
/// Money moves last in every function, and nothing can be entered while it does.
contract AgreementBook is IAgreementBook, IFacts, EIP712, ReentrancyGuardTransient {
    using BitMaps for BitMaps.BitMap;
    using SafeERC20 for IERC20;

    uint64 private constant CLAIM_PERIOD_S = 7 days;
    int128 private constant MILLION = 1e6;

    // ---- Immutables ----

    IERC20 private immutable CREDIT;
    IReleaseRegistry private immutable RELEASES;
    IPolicyRegistry private immutable POLICY;
    IAgentRegistry private immutable AGENTS;
    IRoundLedger private immutable ROUNDS;
    IEvaluatorCourt private immutable COURT;

    // ---- Storage ----

    mapping(bytes32 id => Job) private _jobs;
    mapping(bytes32 id => bytes32[]) private _candidates;
    mapping(bytes32 id => TermsRules.Privacy) private _privacy;
    mapping(bytes32 id => Agreement) private _agreements;
    mapping(bytes32 id => BitMaps.BitMap) private _paid;
    mapping(address buyer => Mandates.Spending) private _spent;
    mapping(address seller => uint64) private _epsilonGranted;
    uint256 private _totalEscrowE18;

    // ---- Constructor ----

    constructor(Addresses memory a) EIP712("Folkmoot AgreementBook", "1") {
        CREDIT = IERC20(a.credit);
        RELEASES = IReleaseRegistry(a.releaseRegistry);
        POLICY = IPolicyRegistry(a.policyRegistry);
        AGENTS = IAgentRegistry(a.agentRegistry);
        ROUNDS = IRoundLedger(a.roundLedger);
        COURT = IEvaluatorCourt(a.evaluatorCourt);
    }

    // ---- Jobs ----

    /// @inheritdoc IAgreementBook
    function openJob(JobTerms calldata terms) external nonReentrant returns (bytes32 id) {
        bool isCoordinator = msg.sender == terms.coordinator && AGENTS.hasRole(msg.sender, Role.COORDINATOR);
        if (!isCoordinator) revert AgreementOnlyCoordinator(msg.sender);
        id = hashJob(terms);
        if (_jobs[id].state != JobState.None) revert AgreementJobExists(id);
        TermsRules.requireSound(terms, COURT.settings().metricCode);
        _storeJob(id, terms);
        emit JobOpened(id, terms.coordinator, terms);
        RELEASES.append("job", id, keccak256(abi.encode(id, terms.coordinator, terms)));
    }

    /// @inheritdoc IAgreementBook
    function finishJob(bytes32 id, bytes32 release) external {
        if (msg.sender != address(RELEASES)) revert AgreementOnlyRegistry(msg.sender);
        Job storage open = _jobs[id];
        if (open.state != JobState.Open) revert AgreementBadJob(id);
        open.state = JobState.Finished;
        open.finishedAtS = uint64(block.timestamp);
        emit JobFinished(id, release);
        RELEASES.append("job-finished", id, keccak256(abi.encode(id, release)));
    }

    // ---- Agreements ----

    /// @inheritdoc IAgreementBook
    function createAgreement(Terms calldata terms, bytes calldata buyerSignature, bytes calldata sellerSignature)
        external
        nonReentrant
        returns (bytes32 id)
    {
        _requireOpen(terms.job);
        if (block.timestamp > terms.validUntilS) revert AgreementExpired(terms.validUntilS);
        id = hashTerms(terms);
        if (_agreements[id].state != AgreementState.None) revert AgreementExists(id);
        TermsRules.requireFit(terms, _jobs[terms.job], _privacy[terms.job], AGENTS);
        _requireSigned(terms.buyer, id, buyerSignature);
        _requireSigned(terms.seller, id, sellerSignature);
        _charge(terms);
        _store(id, terms);
        _requireLawful(id, terms);
        emit AgreementCreated(id, terms.job, terms.seller, terms, buyerSignature, sellerSignature);
        bytes32 payload = keccak256(abi.encode(id, terms.job, terms.seller, terms, buyerSignature, sellerSignature));
        RELEASES.append("agreement", id, payload);
        _lock(terms.buyer, terms.priceE18);
    }

    /// @inheritdoc IAgreementBook
    function claimRounds(bytes32 id, RoundClaim[] calldata claims) external nonReentrant {
        Agreement storage found = _active(id);
        if (!TermsRules.isPaidByRound(found.kind)) revert AgreementNothingDue(id);
        for (uint256 i; i < claims.length; ++i) {
            RoundClaim calldata claim = claims[i];
            bool proven = ROUNDS.contains(found.job, claim.round, found.seller, claim.digest, claim.proof);
            if (!proven || claim.round >= found.units) revert AgreementNotProven(id, claim.round);
            _markPaid(id, claim.round);
        }
        _pay(id, found, claims.length);
    }

    /// @inheritdoc IAgreementBook
    function claimLooks(bytes32 id, bytes32[] calldata releases) external nonReentrant {
        Agreement storage found = _active(id);
        if (TermsRules.isPaidByRound(found.kind)) revert AgreementNothingDue(id);
        for (uint256 i; i < releases.length; ++i) {
            IReleaseRegistry.Release memory release = RELEASES.release(releases[i]);
            bool proven = release.job == found.job && _wasMeasured(releases[i], found);
            if (!proven) revert AgreementNotProven(id, release.candidateIndex);
            _markPaid(id, release.candidateIndex);
        }
        _pay(id, found, releases.length);
    }

    /// @inheritdoc IAgreementBook
    /// @dev What the seller has not claimed by then is lost to it.
    function close(bytes32 id) external nonReentrant {
        Agreement storage found = _active(id);
        bool isSeller = msg.sender == found.seller || msg.sender == AGENTS.operatorOf(found.seller);
        uint64 fromS = closableFrom(id);
        if (!isSeller && block.timestamp < fromS) revert AgreementNotClosable(id, fromS);
        uint128 refundE18 = found.priceE18 - found.paidE18;
        found.state = AgreementState.Closed;
        _totalEscrowE18 -= refundE18;
        emit AgreementClosed(id, found.paidE18, refundE18);
        RELEASES.append("closed", id, keccak256(abi.encode(id, found.paidE18, refundE18)));
        CREDIT.safeTransfer(AGENTS.operatorOf(found.buyer), refundE18);
    }

    // ---- Views ----

    /// @inheritdoc IFacts
    function facts(bytes32 id, bytes32[] calldata keys, uint8[] calldata sources)
        external
        view
        returns (int128[] memory values, uint8[] memory from)
    {
        (values, from) = (new int128[](keys.length), new uint8[](keys.length));
        Agreement storage found = _agreements[id];
        if (found.state == AgreementState.None) return (values, from);
        for (uint256 i; i < keys.length; ++i) {
            if (sources[i] & Source.bit(Source.PROMISED) == 0) continue;
            bool known = true;
            if (keys[i] == "purposes") values[i] = int128(found.purposes);
            else if (keys[i] == "dp_epsilon") values[i] = int128(uint128(found.epsilonMicros));
            else if (keys[i] == "cohort_rows") values[i] = int128(uint128(found.rows)) * MILLION;
            else known = false;
            if (known) from[i] = Source.PROMISED;
        }
    }

    /// @inheritdoc IAgreementBook
    function job(bytes32 id) external view returns (Job memory) {
        return _jobs[id];
    }

    /// @inheritdoc IAgreementBook
    function candidates(bytes32 id) external view returns (bytes32[] memory) {
        return _candidates[id];
    }

    /// @inheritdoc IAgreementBook
    function agreement(bytes32 id) external view returns (Agreement memory) {
        return _agreements[id];
    }

    /// @inheritdoc IAgreementBook
    function isPaid(bytes32 id, uint32 unit) external view returns (bool) {
        return _paid[id].get(unit);
    }

    /// @inheritdoc IAgreementBook
    function hashTerms(Terms calldata terms) public view returns (bytes32) {
        return _hashTypedDataV4(TermsHash.hash(terms));
    }

    /// @inheritdoc IAgreementBook
    function hashJob(JobTerms calldata terms) public view returns (bytes32) {
        return _hashTypedDataV4(TermsHash.hash(terms));
    }

    /// @inheritdoc IAgreementBook
    /// @dev A decision after the deadline does not move the date that the deadline has set.
    function closableFrom(bytes32 id) public view returns (uint64) {
        if (_agreements[id].state == AgreementState.None) revert AgreementUnknown(id);
        Job storage parent = _jobs[_agreements[id].job];
        uint64 endS = parent.deadlineS;
        bool finished = parent.state == JobState.Finished && parent.finishedAtS <= endS;
        if (!finished && block.timestamp <= endS) return type(uint64).max;
        if (finished) endS = parent.finishedAtS;
        return endS + CLAIM_PERIOD_S;
    }

    /// @inheritdoc IAgreementBook
    function spent(address buyer) external view returns (uint128 spentE18, uint32 count) {
        return (_spent[buyer].spentE18, _spent[buyer].count);
    }

    /// @inheritdoc IAgreementBook
    function epsilonGranted(address seller) external view returns (uint64) {
        return _epsilonGranted[seller];
    }

    /// @inheritdoc IAgreementBook
    function totalEscrowE18() external view returns (uint256) {
        return _totalEscrowE18;
    }

    // ---- Internal: making ----

    function _storeJob(bytes32 id, JobTerms calldata terms) private {
        Job storage made = _jobs[id];
        made.state = JobState.Open;
        made.coordinator = terms.coordinator;
        made.purposes = terms.purposes;
        made.roundsPerCandidate = terms.roundsPerCandidate;
        made.candidates = uint8(terms.candidates.length);
        made.deadlineS = terms.deadlineS;
        made.metricCode = terms.metricCode;
        _candidates[id] = terms.candidates;
        _privacy[id] =
            TermsRules.Privacy(terms.epsilonMicros, terms.deltaE12, terms.privacyUnit, terms.aggregationPrivacy);
    }

    function _requireOpen(bytes32 id) private view {
        bool open = _jobs[id].state == JobState.Open && block.timestamp <= _jobs[id].deadlineS;
        if (!open) revert AgreementBadJob(id);
    }

    /// @dev By the key alone: agents are keys, and an auditor recovers the signer from history without any contract.
    function _requireSigned(address signer, bytes32 digest, bytes calldata signature) private pure {
        (address recovered, ECDSA.RecoverError problem,) = ECDSA.tryRecoverCalldata(digest, signature);
        bool signed = problem == ECDSA.RecoverError.NoError && recovered == signer;
        if (!signed) revert AgreementBadSignature(signer);
    }

    function _charge(Terms calldata terms) private {
        Mandates.Spending memory before = _spent[terms.buyer];
        uint64 grantedMicros = _epsilonGranted[terms.seller];
        Mandates.requireMayBuy(AGENTS.mandate(terms.buyer), terms, before);
        Mandates.requireMaySell(AGENTS.mandate(terms.seller), terms, grantedMicros);
        _spent[terms.buyer] = Mandates.Spending(before.spentE18 + terms.priceE18, before.count + 1);
        _epsilonGranted[terms.seller] = grantedMicros + terms.epsilonMicros;
    }

    function _store(bytes32 id, Terms calldata terms) private {
        Agreement storage made = _agreements[id];
        made.state = AgreementState.Active;
        made.kind = terms.kind;
        made.buyer = terms.buyer;
        made.seller = terms.seller;
        made.job = terms.job;
        made.priceE18 = terms.priceE18;
        made.units = terms.units;
        made.rows = terms.rows;
        made.epsilonMicros = terms.epsilonMicros;
        made.purposes = terms.purposes;
        made.dataRoot = terms.dataRoot;
        made.deadlineS = terms.deadlineS;
    }

    function _requireLawful(bytes32 id, Terms calldata terms) private view {
        if (!TermsRules.hasRows(terms.kind)) return;
        (uint256 failed,,) = POLICY.evaluate(this, id, terms.purposes, Phase.AGREEMENT);
        if (failed != 0) revert AgreementPolicyViolation(failed);
    }

    function _lock(address buyer, uint128 priceE18) private {
        _totalEscrowE18 += priceE18;
        uint256 beforeE18 = CREDIT.balanceOf(address(this));
        CREDIT.safeTransferFrom(AGENTS.operatorOf(buyer), address(this), priceE18);
        uint256 afterE18 = CREDIT.balanceOf(address(this));
        uint256 receivedE18 = afterE18 > beforeE18 ? afterE18 - beforeE18 : 0;
        if (receivedE18 != priceE18) revert AgreementBadToken(priceE18, receivedE18);
    }

    // ---- Internal: paying ----

    function _active(bytes32 id) private view returns (Agreement storage found) {
        found = _agreements[id];
        if (found.state == AgreementState.None) revert AgreementUnknown(id);
        if (found.state == AgreementState.Closed) revert AgreementNothingDue(id);
    }

    function _markPaid(bytes32 id, uint256 unit) private {
        if (_paid[id].get(unit)) revert AgreementNothingDue(id);
        _paid[id].set(unit);
    }

    /// @dev A juror is paid for its own reveal; rows only when the case came to a result.
    function _wasMeasured(bytes32 caseId, Agreement storage found) private view returns (bool) {
        if (found.kind == Kind.Evaluation) return COURT.hasRevealed(caseId, found.seller);
        if (COURT.courtCase(caseId).stage != IEvaluatorCourt.Stage.Final) return false;
        bytes32[] memory roots = COURT.evaluationRoots(caseId);
        for (uint256 i; i < roots.length; ++i) {
            if (roots[i] == found.dataRoot) return true;
        }
        return false;
    }

    /// @dev After k of n units price * k / n is paid, rounded down, so the last unit takes what rounding left.
    function _pay(bytes32 id, Agreement storage found, uint256 count) private {
        if (count == 0) revert AgreementNothingDue(id);
        uint256 units = found.paidUnits + count;
        uint128 paidE18 = uint128((uint256(found.priceE18) * units) / found.units);
        uint128 amountE18 = paidE18 - found.paidE18;
        (found.paidUnits, found.paidE18) = (uint32(units), paidE18);
        _totalEscrowE18 -= amountE18;
        (address seller, address to) = (found.seller, AGENTS.operatorOf(found.seller));
        emit PaymentMade(id, seller, to, amountE18, uint32(count));
        RELEASES.append("payment", id, keccak256(abi.encode(id, seller, to, amountE18, uint32(count))));
        CREDIT.safeTransfer(to, amountE18);
    }
}
