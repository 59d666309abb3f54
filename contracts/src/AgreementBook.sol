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
import {IntegrationMode, JobTerms, Kind, Terms} from "./types/Market.sol";
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
    /// @dev Looks only; rounds are paid upwards.
    mapping(bytes32 id => BitMaps.BitMap) private _paidLooks;
    mapping(address buyer => Mandates.Spending) private _spent;
    mapping(address seller => uint64) private _epsilonGranted;

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
        ROUNDS.open(id, _opening(terms));
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
        ROUNDS.finish(id);
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
    function payRounds(bytes32 id, uint24 nextUnit, uint24 units) external nonReentrant {
        if (msg.sender != address(ROUNDS)) revert AgreementOnlyLedger(msg.sender);
        Agreement storage found = _active(id);
        found.nextUnit = nextUnit;
        _pay(id, found, units);
    }

    /// @inheritdoc IAgreementBook
    function claimLooks(bytes32 id, bytes32[] calldata releases) external nonReentrant {
        Agreement storage found = _active(id);
        if (TermsRules.isPaidByRound(found.kind)) revert AgreementNothingDue(id);
        for (uint256 i; i < releases.length; ++i) {
            IReleaseRegistry.Release memory release = RELEASES.release(releases[i]);
            bool proven = release.job == found.job && _wasMeasured(releases[i], found);
            if (!proven) revert AgreementNotProven(id, release.candidateIndex);
            if (_paidLooks[id].get(release.candidateIndex)) revert AgreementNothingDue(id);
            _paidLooks[id].set(release.candidateIndex);
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
        uint128 paidE18 = _paidE18(found);
        uint128 refundE18 = found.priceE18 - paidE18;
        found.state = AgreementState.Closed;
        emit AgreementClosed(id, paidE18, refundE18);
        RELEASES.append("closed", id, keccak256(abi.encode(id, paidE18, refundE18)));
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
    function sold(bytes32 id) external view returns (Sold memory) {
        Agreement storage found = _active(id);
        if (!TermsRules.isPaidByRound(found.kind)) revert AgreementNothingDue(id);
        return Sold(found.job, found.seller, found.kind, found.mode, found.units, found.nextUnit);
    }

    /// @inheritdoc IAgreementBook
    function isPaid(bytes32 id, uint32 unit) external view returns (bool) {
        Agreement storage found = _agreements[id];
        return TermsRules.isPaidByRound(found.kind) ? unit < found.nextUnit : _paidLooks[id].get(unit);
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

    // ---- Internal: making ----

    function _storeJob(bytes32 id, JobTerms calldata terms) private {
        Job storage made = _jobs[id];
        made.state = JobState.Open;
        made.coordinator = terms.coordinator;
        made.mode = terms.integrationMode;
        made.purposes = terms.purposes;
        made.roundsPerCandidate = terms.roundsPerCandidate;
        made.candidates = uint8(terms.candidates.length);
        made.deadlineS = terms.deadlineS;
        made.metricCode = terms.metricCode;
        _candidates[id] = terms.candidates;
        _privacy[id] =
            TermsRules.Privacy(terms.epsilonMicros, terms.deltaE12, terms.privacyUnit, terms.aggregationPrivacy);
    }

    function _opening(JobTerms calldata terms) private pure returns (IRoundLedger.Opening memory) {
        return IRoundLedger.Opening({
            coordinator: terms.coordinator,
            deadlineS: terms.deadlineS,
            mode: terms.integrationMode,
            purposes: terms.purposes,
            roundsPerCandidate: terms.roundsPerCandidate,
            candidates: uint8(terms.candidates.length)
        });
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
        (made.state, made.kind, made.mode) = (AgreementState.Active, terms.kind, _jobs[terms.job].mode);
        (made.seller, made.units) = (terms.seller, uint24(terms.units));
        (made.priceE18, made.organisation) = (terms.priceE18, AGENTS.organisationOf(terms.seller));
        (made.rows, made.epsilonMicros) = (terms.rows, terms.epsilonMicros);
        made.job = terms.job;
        (made.buyer, made.deadlineS) = (terms.buyer, terms.deadlineS);
        (made.purposes, made.dataRoot) = (terms.purposes, terms.dataRoot);
    }

    function _requireLawful(bytes32 id, Terms calldata terms) private view {
        if (!TermsRules.hasRows(terms.kind)) return;
        (uint256 failed,,) = POLICY.evaluate(this, id, terms.purposes, Phase.AGREEMENT);
        if (failed != 0) revert AgreementPolicyViolation(failed);
    }

    function _lock(address buyer, uint128 priceE18) private {
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

    function _pay(bytes32 id, Agreement storage found, uint256 count) private {
        if (count == 0) revert AgreementNothingDue(id);
        uint128 beforeE18 = _paidE18(found);
        found.paidUnits += uint24(count);
        uint128 amountE18 = _paidE18(found) - beforeE18;
        address to = AGENTS.operatorOfOrganisation(found.organisation);
        emit PaymentMade(id, found.seller, to, amountE18, uint32(count), found.nextUnit);
        CREDIT.safeTransfer(to, amountE18);
    }

    /// @dev After k of n units price * k / n is paid, rounded down, so the last unit takes what rounding left.
    function _paidE18(Agreement storage found) private view returns (uint128) {
        bool inHundredths = found.mode == IntegrationMode.Overlapped && found.kind == Kind.Data;
        uint256 units = uint256(found.units) * (inHundredths ? 100 : 1);
        return uint128((uint256(found.priceE18) * found.paidUnits) / units);
    }
}
