// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";
import {IAgentRegistry, Role} from "./interfaces/IAgentRegistry.sol";
import {IAgreementBook} from "./interfaces/IAgreementBook.sol";
import {IEvaluatorCourt} from "./interfaces/IEvaluatorCourt.sol";
import {IFacts} from "./interfaces/IFacts.sol";
import {IOpenDisputes} from "./interfaces/IOpenDisputes.sol";
import {IPolicyRegistry} from "./interfaces/IPolicyRegistry.sol";
import {IReleaseRegistry} from "./interfaces/IReleaseRegistry.sol";
import {IRewardVault} from "./interfaces/IRewardVault.sol";
import {IRoundLedger} from "./interfaces/IRoundLedger.sol";
import {Payouts} from "./libraries/Payouts.sol";
import {TermsHash} from "./libraries/TermsHash.sol";
import {TermsRules} from "./libraries/TermsRules.sol";
import {Addresses} from "./types/Addresses.sol";
import {IntegrationMode, JobTerms, Kind, Standing, Terms} from "./types/Market.sol";
import {Phase, Source} from "./types/Policy.sol";

/// @title Jobs, signed agreements and their escrow
/// @dev Docs are in the interface. Every log payload is keccak256(abi.encode(arguments of the event in order)).
/// Money moves last in every function, and nothing can be entered while it does.
contract AgreementBook is IAgreementBook, IFacts, EIP712, ReentrancyGuardTransient {
    using BitMaps for BitMaps.BitMap;
    using SafeERC20 for IERC20;

    uint64 private constant CLAIM_PERIOD_S = 7 days;
    int128 private constant MILLION = 1e6;
    uint16 private constant MOST_FEE_BPS = 1000;
    /// @dev For any number of rounds that were posted and never claimed.
    uint16 private constant MISSED_BPS = 1000;

    /// @dev What an agent locked and granted so far; one slot.
    struct Spending {
        uint128 spentE18;
        uint32 count;
        uint64 grantedMicros;
    }

    // ---- Immutables ----

    IERC20 private immutable CREDIT;
    IReleaseRegistry private immutable RELEASES;
    IPolicyRegistry private immutable POLICY;
    IAgentRegistry private immutable AGENTS;
    IRoundLedger private immutable ROUNDS;
    IEvaluatorCourt private immutable COURT;
    IRewardVault private immutable VAULT;
    address private immutable TREASURY;
    address private immutable AMENDMENTS;
    address private immutable DISPUTES;

    // ---- Storage ----

    mapping(bytes32 id => Job) private _jobs;
    mapping(bytes32 id => bytes32[]) private _candidates;
    mapping(bytes32 id => TermsRules.Privacy) private _privacy;
    mapping(bytes32 id => Agreement) private _agreements;
    /// @dev Looks only; rounds are paid upwards.
    mapping(bytes32 id => BitMaps.BitMap) private _paidLooks;
    mapping(bytes32 job => mapping(uint32 organisation => bytes32)) private _dataAgreements;
    /// @dev Counted from one. It stops the candidates before it as well: rounds of a later one may be paid ahead, and what
    /// was refused stays so.
    mapping(bytes32 job => uint8 candidate) private _lastWithdrawn;
    mapping(address agent => Spending) private _spent;
    uint16 private _feeBps;

    // ---- Constructor ----

    constructor(Addresses memory a, uint16 feeBps_) EIP712("Folkmoot AgreementBook", "1") {
        _requireFee(feeBps_);
        _feeBps = feeBps_;
        CREDIT = IERC20(a.credit);
        RELEASES = IReleaseRegistry(a.releaseRegistry);
        POLICY = IPolicyRegistry(a.policyRegistry);
        AGENTS = IAgentRegistry(a.agentRegistry);
        ROUNDS = IRoundLedger(a.roundLedger);
        COURT = IEvaluatorCourt(a.evaluatorCourt);
        VAULT = IRewardVault(a.rewardVault);
        TREASURY = a.timelock;
        AMENDMENTS = a.amendments;
        DISPUTES = a.disputes;
    }

    // ---- Jobs ----

    /// @inheritdoc IAgreementBook
    function openJob(JobTerms calldata terms) external nonReentrant returns (bytes32 id) {
        bool isCoordinator = msg.sender == terms.coordinator && AGENTS.hasRole(msg.sender, Role.COORDINATOR);
        if (!isCoordinator) revert AgreementOnlyCoordinator(msg.sender);
        id = hashJob(terms);
        if (_jobs[id].state != JobState.None) revert AgreementJobExists(id);
        _storeJob(id, terms);
        emit JobOpened(id, terms.coordinator, terms);
        _log("job", id, keccak256(abi.encode(id, terms.coordinator, terms)));
        ROUNDS.open(id, terms);
        if (terms.bonusE18 != 0) _promise(id, terms);
    }

    /// @inheritdoc IAgreementBook
    function finishJob(bytes32 id, bytes32 release) external {
        if (msg.sender != address(RELEASES)) revert AgreementOnlyRegistry(msg.sender);
        Job storage open = _jobs[id];
        if (open.state != JobState.Open) revert AgreementBadJob(id);
        open.state = JobState.Finished;
        open.finishedAtS = uint64(block.timestamp);
        emit JobFinished(id, release);
        _log("job-finished", id, keccak256(abi.encode(id, release)));
        ROUNDS.finish(id);
    }

    /// @inheritdoc IAgreementBook
    function cite(bytes32 id, uint8 candidate) external returns (Citation memory cited) {
        if (msg.sender != address(RELEASES)) revert AgreementOnlyRegistry(msg.sender);
        Agreement storage found = _agreements[id];
        found.citedBy = candidate + 1;
        (cited.organisation, cited.epsilonMicros, cited.job) = (found.organisation, found.epsilonMicros, found.job);
        (cited.state, cited.kind) = (found.state, found.kind);
        if (cited.kind == Kind.Data) cited.purposes = found.purposes;
        else if (cited.kind == Kind.EvaluationRows) cited.evaluationRoot = found.dataRoot;
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
        _charge(terms, _jobs[terms.job].coordinator);
        TermsRules.requireFit(terms, _jobs[terms.job], _privacy[terms.job]);
        _requireSigned(terms.buyer, id, buyerSignature);
        _requireSigned(terms.seller, id, sellerSignature);
        if (terms.kind == Kind.Data) _requireFirst(id, terms);
        _store(id, terms);
        _requireLawful(id, terms);
        emit AgreementCreated(id, terms.job, terms.seller, terms, buyerSignature, sellerSignature);
        bytes32 payload = keccak256(abi.encode(id, terms.job, terms.seller, terms, buyerSignature, sellerSignature));
        _log("agreement", id, payload);
        if (terms.bondE18 != 0) VAULT.hold(id, _operatorOf(terms.seller), terms.bondE18);
        _lock(terms.buyer, terms.priceE18);
    }

    /// @inheritdoc IAgreementBook
    function payRounds(bytes32 id, uint24 nextUnit, uint24 units) external nonReentrant {
        if (msg.sender != address(ROUNDS)) revert AgreementOnlyLedger(msg.sender);
        _pay(id, _active(id), nextUnit, units);
    }

    /// @inheritdoc IAgreementBook
    function claimLooks(bytes32 id, bytes32[] calldata releases) external nonReentrant {
        Agreement storage found = _active(id);
        if (TermsRules.isPaidByRound(found.kind)) revert AgreementNothingDue(id);
        for (uint256 i; i < releases.length; ++i) {
            (bytes32 parent, uint8 candidate) = RELEASES.candidateOf(releases[i]);
            bool proven = parent == found.job && _wasMeasured(releases[i], found);
            if (!proven) revert AgreementNotProven(id, candidate);
            if (_paidLooks[id].get(candidate)) revert AgreementNothingDue(id);
            _paidLooks[id].set(candidate);
        }
        _pay(id, found, 0, releases.length);
    }

    /// @inheritdoc IAgreementBook
    /// @dev What the seller has not claimed by then is lost to it.
    function close(bytes32 id) external nonReentrant {
        Agreement storage found = _active(id);
        uint64 fromS = closableFrom(id);
        if (block.timestamp >= fromS) return _expire(id, found);
        if (!_isSeller(found)) revert AgreementNotClosable(id, fromS);
        _fineForMissed(id, found);
        _settle(id, found, AgreementState.Closed);
    }

    /// @inheritdoc IAgreementBook
    function expire(bytes32 id) external nonReentrant {
        uint64 fromS = closableFrom(id);
        if (block.timestamp < fromS) revert AgreementNotClosable(id, fromS);
        _expire(id, _agreements[id]);
    }

    /// @inheritdoc IAgreementBook
    function withdraw(bytes32 id) external nonReentrant {
        Agreement storage found = _agreements[id];
        if (!_isSeller(found)) revert AgreementOnlySeller(msg.sender);
        AgreementState before = found.state;
        if (before == AgreementState.Withdrawn) revert AgreementNothingDue(id);
        found.state = AgreementState.Withdrawn;
        uint8 last = _standsBehind(found);
        if (found.withdrawalBlocks && last > _lastWithdrawn[found.job]) _lastWithdrawn[found.job] = last;
        emit ConsentWithdrawn(id, found.seller);
        _log("consent-withdrawn", id, keccak256(abi.encode(id, found.seller)));
        if (before != AgreementState.Active) return;
        // Otherwise who did not do its work would call that a withdrawal when the work is over.
        if (closableFrom(id) != type(uint64).max) _fineForMissed(id, found);
        _settle(id, found, AgreementState.Withdrawn);
    }

    /// @inheritdoc IAgreementBook
    function slash(bytes32 id, uint16 bps, address challenger) external nonReentrant {
        if (msg.sender != DISPUTES) revert AgreementOnlyDisputes(msg.sender);
        _slash(id, _agreements[id], bps, challenger);
    }

    /// @inheritdoc IAgreementBook
    function setFee(uint16 feeBps_) external {
        if (msg.sender != AMENDMENTS) revert AgreementOnlyAmendments(msg.sender);
        _requireFee(feeBps_);
        _feeBps = feeBps_;
        emit FeeChanged(feeBps_);
        _log("fee", 0, keccak256(abi.encode(feeBps_)));
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
    function agreement(bytes32 id) public view returns (Agreement memory) {
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
    function standsBehind(bytes32 id) external view returns (uint8) {
        return _standsBehind(_agreements[id]);
    }

    /// @inheritdoc IAgreementBook
    function isWithdrawn(bytes32 job_, uint8 candidate) external view returns (bool) {
        return _lastWithdrawn[job_] > candidate;
    }

    /// @inheritdoc IAgreementBook
    function dataAgreement(bytes32 job_, uint32 organisation) external view returns (bytes32) {
        return _dataAgreements[job_][organisation];
    }

    /// @inheritdoc IAgreementBook
    function feeBps() external view returns (uint16) {
        return _feeBps;
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
        return _spent[seller].grantedMicros;
    }

    // ---- Internal: neighbours ----

    function _log(bytes32 kind, bytes32 subject, bytes32 payload) private {
        RELEASES.append(kind, subject, payload);
    }

    function _operatorOf(address agent) private view returns (address) {
        return AGENTS.operatorOf(agent);
    }

    function _posted(bytes32 job_) private view returns (uint24) {
        return uint24(ROUNDS.roundCount(job_));
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

    function _requireOpen(bytes32 id) private view {
        bool open = _jobs[id].state == JobState.Open && block.timestamp <= _jobs[id].deadlineS;
        if (!open) revert AgreementBadJob(id);
    }

    function _requireSigned(address signer, bytes32 digest, bytes calldata signature) private view {
        if (!AGENTS.isSigned(signer, digest, signature)) revert AgreementBadSignature(signer);
    }

    /// @dev One data set split over several agents would be paid several times.
    function _requireFirst(bytes32 id, Terms calldata terms) private {
        uint32 organisation = AGENTS.organisationOf(terms.seller);
        bytes32 first = _dataAgreements[terms.job][organisation];
        if (first != 0) revert AgreementSecondOfOrganisation(organisation, first);
        _dataAgreements[terms.job][organisation] = id;
    }

    /// @dev Locked before anybody works for it; RewardVault sends it to the pool of the release, or back.
    function _promise(bytes32 id, JobTerms calldata terms) private {
        uint256 lockedE18 = uint256(_spent[msg.sender].spentE18) + terms.bonusE18;
        AGENTS.requireMayLock(msg.sender, terms.purposes, lockedE18);
        _spent[msg.sender].spentE18 = uint128(lockedE18);
        VAULT.hold(id, _operatorOf(msg.sender), terms.bonusE18);
    }

    function _charge(Terms calldata terms, address coordinator) private {
        Spending storage buying = _spent[terms.buyer];
        Spending storage selling = _spent[terms.seller];
        Standing memory before = Standing(buying.spentE18, buying.count, selling.spentE18, selling.grantedMicros);
        AGENTS.requireMayAgree(terms, coordinator, before);
        (buying.spentE18, buying.count) = (buying.spentE18 + terms.priceE18, buying.count + 1);
        (selling.spentE18, selling.grantedMicros) =
            (selling.spentE18 + terms.bondE18, selling.grantedMicros + terms.epsilonMicros);
    }

    function _store(bytes32 id, Terms calldata terms) private {
        Agreement storage made = _agreements[id];
        (made.state, made.kind, made.mode) = (AgreementState.Active, terms.kind, _jobs[terms.job].mode);
        (made.seller, made.units) = (terms.seller, uint24(terms.units));
        (made.priceE18, made.organisation) = (terms.priceE18, AGENTS.organisationOf(terms.seller));
        (made.epsilonMicros, made.feeBps) = (terms.epsilonMicros, _feeBps);
        (made.withdrawalBlocks, made.job) = (terms.withdrawalBlocks, terms.job);
        (made.buyer, made.deadlineS, made.rows) = (terms.buyer, terms.deadlineS, terms.rows);
        (made.purposes, made.bondE18, made.dataRoot) = (terms.purposes, terms.bondE18, terms.dataRoot);
        if (terms.auditor != address(0)) made.auditor = terms.auditor;
        // Rounds before it are not its to claim, nor to miss.
        uint24 posted = TermsRules.isPaidByRound(terms.kind) ? _posted(terms.job) : 0;
        if (posted != 0) (made.firstUnit, made.nextUnit) = (posted, posted);
    }

    function _requireFee(uint16 bps) private pure {
        if (bps > MOST_FEE_BPS) revert AgreementFeeTooHigh(bps, MOST_FEE_BPS);
    }

    function _requireLawful(bytes32 id, Terms calldata terms) private view {
        if (!TermsRules.hasRows(terms.kind)) return;
        (uint256 failed,,) = POLICY.evaluate(this, id, terms.purposes, Phase.AGREEMENT);
        if (failed != 0) revert AgreementPolicyViolation(failed);
    }

    function _lock(address buyer, uint128 priceE18) private {
        uint256 beforeE18 = CREDIT.balanceOf(address(this));
        CREDIT.safeTransferFrom(_operatorOf(buyer), address(this), priceE18);
        uint256 afterE18 = CREDIT.balanceOf(address(this));
        uint256 receivedE18 = afterE18 > beforeE18 ? afterE18 - beforeE18 : 0;
        if (receivedE18 != priceE18) revert AgreementBadToken(priceE18, receivedE18);
    }

    // ---- Internal: paying ----

    function _active(bytes32 id) private view returns (Agreement storage found) {
        found = _agreements[id];
        AgreementState state = found.state;
        if (state == AgreementState.Active) return found;
        if (state == AgreementState.None) revert AgreementUnknown(id);
        revert AgreementNothingDue(id);
    }

    /// @dev A juror is paid for its own reveal; rows only when the case came to a result.
    function _wasMeasured(bytes32 caseId, Agreement storage found) private view returns (bool) {
        if (found.kind == Kind.Evaluation) return COURT.hasRevealed(caseId, found.seller);
        if (COURT.stageOf(caseId) != IEvaluatorCourt.Stage.Final) return false;
        bytes32[] memory roots = COURT.evaluationRoots(caseId);
        for (uint256 i; i < roots.length; ++i) {
            if (roots[i] == found.dataRoot) return true;
        }
        return false;
    }

    function _pay(bytes32 id, Agreement storage found, uint24 nextUnit, uint256 count) private {
        if (count == 0) revert AgreementNothingDue(id);
        uint256 whole = _whole(found);
        uint24 paid = found.paidUnits;
        uint24 done = paid + uint24(count);
        // Read in one line, so that their slot is read once.
        (uint128 priceE18, uint256 bps, uint32 organisation) = (found.priceE18, found.feeBps, found.organisation);
        uint256 amountE18 = Payouts.net(Payouts.earned(priceE18, done, whole), bps);
        amountE18 -= Payouts.net(Payouts.earned(priceE18, paid, whole), bps);
        (found.nextUnit, found.paidUnits) = (nextUnit, done);
        address to = AGENTS.operatorOfOrganisation(organisation);
        emit PaymentMade(id, found.seller, to, uint128(amountE18), done - paid, nextUnit);
        CREDIT.safeTransfer(to, amountE18);
    }

    /// @dev With the fee in it. After k of n units price * k / n is paid, rounded down, so the last unit takes what rounding left.
    function _paidE18(Agreement storage found) private view returns (uint256) {
        return Payouts.earned(found.priceE18, found.paidUnits, _whole(found));
    }

    /// @dev What `paidUnits` comes to when everything is paid.
    function _whole(Agreement storage found) private view returns (uint256) {
        return uint256(found.units) * (_inHundredths(found) ? 100 : 1);
    }

    function _inHundredths(Agreement storage found) private view returns (bool) {
        return found.mode == IntegrationMode.Overlapped && found.kind == Kind.Data;
    }

    // ---- Internal: ending ----

    function _isSeller(Agreement storage found) private view returns (bool) {
        address seller = found.seller;
        return seller != address(0) && AGENTS.actsFor(seller, msg.sender);
    }

    /// @dev Whoever leaves an owner out of a manifest does not get rid of its word: the rounds that it was paid for tell
    /// too. Round 0 is everybody's.
    function _standsBehind(Agreement storage found) private view returns (uint8) {
        (uint8 cited, uint256 next) = (found.citedBy, found.nextUnit);
        if (found.kind != Kind.Data || found.paidUnits == 0 || next < 2) return cited;
        uint256 trained = 1 + (next - 2) / _jobs[found.job].roundsPerCandidate;
        return trained > cited ? uint8(trained) : cited;
    }

    /// @dev A dispute is about the bond, so the price does not wait for it; the next call frees the bond.
    function _expire(bytes32 id, Agreement storage found) private {
        bool disputed = IOpenDisputes(DISPUTES).openDisputes(id) != 0;
        bool active = found.state == AgreementState.Active;
        if (active) _fineForMissed(id, found);
        else if (disputed) revert AgreementDisputed(id);
        if (!disputed && VAULT.giveBackAll(id) == 0 && !active) revert AgreementNothingDue(id);
        if (active) _settle(id, found, AgreementState.Closed);
    }

    /// @dev The fee waits here until now, so that a payment is one transfer.
    function _settle(bytes32 id, Agreement storage found, AgreementState ended) private {
        uint256 paidE18 = _paidE18(found);
        uint128 feeE18 = uint128(paidE18 - Payouts.net(paidE18, found.feeBps));
        uint128 refundE18 = uint128(found.priceE18 - paidE18);
        found.state = ended;
        emit AgreementClosed(id, uint128(paidE18), feeE18, refundE18);
        _log("closed", id, keccak256(abi.encode(id, uint128(paidE18), feeE18, refundE18)));
        CREDIT.safeTransfer(_operatorOf(found.buyer), refundE18);
        if (feeE18 != 0) CREDIT.safeTransfer(TREASURY, feeE18);
    }

    /// @dev Posted since the agreement was made, and not claimed. Nobody challenged, so that part goes to the treasury.
    function _fineForMissed(bytes32 id, Agreement storage found) private {
        if (found.bondE18 == 0 || !TermsRules.isPaidByRound(found.kind)) return;
        uint256 claimed = uint256(found.firstUnit) + found.paidUnits;
        // Scores say how well a round went, so that only the end of the claims tells whether any is missing.
        if (_inHundredths(found)) claimed = found.nextUnit;
        if (_posted(found.job) > claimed) _slash(id, found, MISSED_BPS, address(0));
    }

    function _slash(bytes32 id, Agreement storage found, uint16 bps, address challenger) private {
        VAULT.slash(id, Payouts.part(found.bondE18, bps), _operatorOf(found.buyer), challenger);
    }
}
