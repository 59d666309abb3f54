// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IAgentRegistry} from "../interfaces/IAgentRegistry.sol";
import {IAgreementBook} from "../interfaces/IAgreementBook.sol";
import {IEvaluatorCourt} from "../interfaces/IEvaluatorCourt.sol";
import {IPools} from "../interfaces/IPools.sol";
import {IReleaseRegistry} from "../interfaces/IReleaseRegistry.sol";
import {Contributors} from "../libraries/Contributors.sol";
import {Income} from "../libraries/Income.sol";
import {Addresses} from "../types/Addresses.sol";

/// @title Pools of releases
/// @dev Docs are in the interface. Moves money only between what the vault already owes; `_take` brings new money in.
abstract contract Pools is IPools, ReentrancyGuardTransient {
    using SafeCast for uint256;

    /// @dev One slot.
    struct Share {
        uint64 sharePpb;
        uint96 claimedE18;
        bool contributes;
    }

    uint64 private constant MONTH_S = 30 days;
    uint64 private constant PROOF_PERIOD_S = 180 days;
    /// @dev Keeps a payment's gas bounded; royalties of a longer line stop there.
    uint256 private constant MAX_GENERATIONS = 8;

    // ---- Immutables ----

    IReleaseRegistry internal immutable RELEASES;
    IAgreementBook internal immutable BOOK;
    IAgentRegistry internal immutable AGENTS;
    IEvaluatorCourt internal immutable COURT;
    address internal immutable TREASURY;

    // ---- Storage ----

    mapping(bytes32 release => Pool) private _pools;
    mapping(bytes32 release => mapping(uint32 organisation => Share)) private _shares;
    mapping(bytes32 release => mapping(address user => uint64)) private _paidUntilS;

    // ---- Constructor ----

    constructor(Addresses memory a) {
        RELEASES = IReleaseRegistry(a.releaseRegistry);
        BOOK = IAgreementBook(a.agreementBook);
        AGENTS = IAgentRegistry(a.agentRegistry);
        COURT = IEvaluatorCourt(a.evaluatorCourt);
        TREASURY = a.timelock;
    }

    // ---- What the vault does ----

    function _take(address from, uint128 amountE18) internal virtual;

    function _credit(address to, uint128 amountE18) internal virtual;

    /// @dev Empties the deposit that the book holds for a job's bonus.
    function _takeBonus(bytes32 job) internal virtual returns (address owner, uint128 amountE18);

    // ---- Pools ----

    /// @inheritdoc IPools
    function openPool(bytes32 release, IReleaseRegistry.Manifest calldata manifest) external {
        Pool storage made = _pools[release];
        IReleaseRegistry.Release memory found = RELEASES.release(release);
        if (made.open || !_wasReleased(found.status)) revert PoolNotOpenable(release);
        bytes32 given = RELEASES.hashManifest(manifest);
        if (given != found.manifestHash) revert PoolBadManifest(release, given);
        bytes32 parent = manifest.parent;
        if (parent != 0 && !_pools[parent].open) revert PoolParentNotOpen(release, parent);
        (uint32[] memory organisations, uint256[] memory pricesE18) = Contributors.listed(BOOK, manifest.agreements);
        uint64[] memory sharesPpb = Income.byWeight(pricesE18);
        for (uint256 i; i < organisations.length; ++i) {
            _shares[release][organisations[i]] = Share(sharesPpb[i], 0, true);
        }
        (made.open, made.contributors) = (true, uint32(organisations.length));
        (made.usePriceE18, made.buyer) = (uint96(manifest.usePriceE18), AGENTS.organisationOf(found.proposer));
        (made.job, made.parent, made.root) = (found.job, parent, COURT.contributionRoot(release));
        _announce(release, made, organisations, sharesPpb);
    }

    /// @inheritdoc IPools
    function settleBonus(bytes32 job) external nonReentrant {
        bytes32 release = _outcome(job);
        (address owner, uint128 amountE18) = _takeBonus(job);
        if (amountE18 == 0) revert PoolNoBonus(job);
        if (release == 0) _credit(owner, amountE18);
        else _pool(release, amountE18);
        emit BonusSettled(job, release, owner, amountE18);
        RELEASES.append("bonus", job, keccak256(abi.encode(job, release, owner, amountE18)));
    }

    // ---- Use ----

    /// @inheritdoc IPools
    function payUse(bytes32 release, uint32 months, uint128 limitE18) external nonReentrant {
        Pool storage found = _opened(release);
        uint128 amountE18 = uint128(found.usePriceE18) * months;
        (IReleaseRegistry.Status now_,) = RELEASES.standing(release);
        if (amountE18 == 0 || now_ != IReleaseRegistry.Status.Released) revert PoolNotForSale(release);
        if (amountE18 > limitE18) revert PoolDearer(amountE18, limitE18);
        uint64 fromS = _paidUntilS[release][msg.sender];
        if (fromS < block.timestamp) fromS = uint64(block.timestamp);
        uint64 untilS = fromS + months * MONTH_S;
        _paidUntilS[release][msg.sender] = untilS;
        emit UsePaid(release, msg.sender, months, untilS, amountE18);
        RELEASES.append("use", release, keccak256(abi.encode(release, msg.sender, months, untilS, amountE18)));
        _divide(release, found, amountE18);
        _take(msg.sender, amountE18);
    }

    // ---- Shares ----

    /// @inheritdoc IPools
    function claimShare(bytes32 release, uint32 organisation, uint64 sharePpb, bytes32[] calldata proof)
        external
        nonReentrant
    {
        Pool storage found = _opened(release);
        Share storage mine = _shares[release][organisation];
        if (!mine.contributes) revert PoolNoContributor(release, organisation);
        if (found.root == 0) sharePpb = mine.sharePpb;
        else _requireProven(found.root, release, organisation, sharePpb, proof);
        uint256 amountE18 = _due(found, mine.claimedE18, sharePpb);
        if (amountE18 == 0) revert PoolNothingDue(release, organisation);
        mine.claimedE18 += uint96(amountE18);
        found.claimedE18 += uint96(amountE18);
        address to = _consents(found.job, organisation) ? AGENTS.operatorOfOrganisation(organisation) : TREASURY;
        _credit(to, uint128(amountE18));
        emit ShareClaimed(release, organisation, sharePpb, to, uint128(amountE18));
        bytes32 payload = keccak256(abi.encode(release, organisation, sharePpb, to, uint128(amountE18)));
        RELEASES.append("share", release, payload);
    }

    /// @inheritdoc IPools
    function dropRoot(bytes32 release) external {
        Pool storage found = _opened(release);
        (bytes32 root, uint64 untilS) = (found.root, found.fundedAtS + PROOF_PERIOD_S);
        bool stands = root == 0 || found.claimedE18 != 0 || found.fundedAtS == 0 || block.timestamp <= untilS;
        if (stands) revert PoolRootStands(release, untilS);
        found.root = 0;
        emit RootDropped(release, root);
        RELEASES.append("root-dropped", release, keccak256(abi.encode(release, root)));
    }

    // ---- Views ----

    /// @inheritdoc IPools
    function pool(bytes32 release) external view returns (Pool memory) {
        return _pools[release];
    }

    /// @inheritdoc IPools
    function share(bytes32 release, uint32 organisation) external view returns (uint64 sharePpb, uint96 claimedE18) {
        Share storage found = _shares[release][organisation];
        return (found.sharePpb, found.claimedE18);
    }

    /// @inheritdoc IPools
    function paidUntil(bytes32 release, address user) external view returns (uint64) {
        return _paidUntilS[release][user];
    }

    // ---- Internal: opening ----

    function _announce(
        bytes32 release,
        Pool storage made,
        uint32[] memory organisations,
        uint64[] memory sharesPpb
    ) private {
        (bytes32 job, bytes32 parent, bytes32 root) = (made.job, made.parent, made.root);
        (uint32 buyer, uint96 usePriceE18) = (made.buyer, made.usePriceE18);
        emit PoolOpened(release, job, parent, buyer, usePriceE18, root, organisations, sharesPpb);
        bytes memory arguments = abi.encode(release, job, parent, buyer, usePriceE18, root, organisations, sharesPpb);
        RELEASES.append("pool", release, keccak256(arguments));
    }

    function _opened(bytes32 release) private view returns (Pool storage found) {
        found = _pools[release];
        if (!found.open) revert PoolNotOpen(release);
    }

    /// @dev A release that was revoked or recalled since has earned its bonus all the same.
    function _wasReleased(IReleaseRegistry.Status status) private pure returns (bool) {
        return status != IReleaseRegistry.Status.None && status != IReleaseRegistry.Status.Candidate
            && status != IReleaseRegistry.Status.Refused;
    }

    /// @return release The job's release, or zero when it ended without one.
    function _outcome(bytes32 job) private view returns (bytes32 release) {
        bytes32[] memory tried = RELEASES.releasesOf(job);
        if (tried.length != 0) {
            bytes32 last = tried[tried.length - 1];
            IReleaseRegistry.Status status = RELEASES.release(last).status;
            if (_wasReleased(status)) return last;
            if (status == IReleaseRegistry.Status.Candidate) revert PoolJobRuns(job);
        }
        IAgreementBook.Job memory found = BOOK.job(job);
        bool late = found.state == IAgreementBook.JobState.Open && block.timestamp > found.deadlineS;
        if (!late && found.state != IAgreementBook.JobState.Finished) revert PoolJobRuns(job);
    }

    // ---- Internal: income ----

    function _divide(bytes32 release, Pool storage found, uint128 amountE18) private {
        Income.Split memory parts = Income.split(amountE18, BOOK.feeBps());
        uint256 unclaimedE18 = _payRoyalties(found.parent, release, parts.royaltiesE18);
        (uint256 treasuryE18, uint256 royaltiesE18) = (parts.feeE18 + unclaimedE18, parts.royaltiesE18 - unclaimedE18);
        _credit(TREASURY, uint128(treasuryE18));
        _credit(AGENTS.operatorOfOrganisation(found.buyer), uint128(parts.buyerE18));
        _pool(release, parts.poolE18);
        emit IncomeSplit(
            release, uint128(treasuryE18), uint128(royaltiesE18), uint128(parts.buyerE18), uint128(parts.poolE18)
        );
    }

    /// @return leftE18 What no ancestor takes: all of it when there is none.
    function _payRoyalties(bytes32 ancestor, bytes32 release, uint256 leftE18) private returns (uint256) {
        for (uint256 i = 1; ancestor != 0 && i <= MAX_GENERATIONS; ++i) {
            bytes32 next = _pools[ancestor].parent;
            uint256 partE18 = Income.generation(leftE18, next == 0 || i == MAX_GENERATIONS);
            leftE18 -= partE18;
            _pool(ancestor, partE18);
            emit RoyaltyPaid(release, ancestor, uint128(partE18));
            ancestor = next;
        }
        return leftE18;
    }

    function _pool(bytes32 release, uint256 amountE18) private {
        Pool storage found = _pools[release];
        found.pooledE18 = (uint256(found.pooledE18) + amountE18).toUint96();
        if (found.fundedAtS == 0) found.fundedAtS = uint64(block.timestamp);
    }

    // ---- Internal: shares ----

    /// @dev A jury's shares may add up to more than the whole; then who comes last takes no more than there is.
    function _due(Pool storage found, uint256 claimedE18, uint256 sharePpb) private view returns (uint256 amountE18) {
        uint256 dueE18 = Income.entitled(found.pooledE18, sharePpb);
        uint256 leftE18 = found.pooledE18 - found.claimedE18;
        amountE18 = dueE18 > claimedE18 ? dueE18 - claimedE18 : 0;
        if (amountE18 > leftE18) amountE18 = leftE18;
    }

    /// @dev Who takes its consent back gives up what was not paid to it.
    function _consents(bytes32 job, uint32 organisation) private view returns (bool) {
        return BOOK.agreement(BOOK.dataAgreement(job, organisation)).state != IAgreementBook.AgreementState.Withdrawn;
    }

    function _requireProven(bytes32 root, bytes32 release, uint32 organisation, uint64 sharePpb, bytes32[] calldata proof)
        private
        pure
    {
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(release, organisation, sharePpb))));
        if (!MerkleProof.verifyCalldata(proof, root, leaf)) revert PoolNotProven(release, organisation);
    }
}
