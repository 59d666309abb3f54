// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReleaseRegistry} from "./IReleaseRegistry.sol";

/// @title What a release earns, and who shares it
/// @notice A pool belongs to the organisations whose data trained the release. Into it go the bonus of the job, the owners'
/// part of income from paid use, and royalties of releases built on this one. An organisation may claim its share of all that
/// ever came in, less what it has claimed, at any time; nothing expires. Shares follow the root that the jury revealed, and
/// the signed prices where there is none.
interface IPools {
    /// @dev The first four fields fill one slot, the next three another.
    struct Pool {
        /// All that ever came in for the contributors, in 1e-18 credit.
        uint96 pooledE18;
        uint96 claimedE18;
        uint32 contributors;
        bool open;
        /// Price of 30 days of use, in 1e-18 credit; zero when the release is free.
        uint96 usePriceE18;
        /// Organisation that gets the buyer's part of the income.
        uint32 buyer;
        /// Chain time at which the first money came in; zero before.
        uint64 fundedAtS;
        bytes32 job;
        /// Release this one was built from, or zero.
        bytes32 parent;
        /// Shares that the jury revealed, or zero: then they follow the signed prices.
        bytes32 root;
    }

    /// @dev Only a release that was approved, once.
    error PoolNotOpenable(bytes32 release);
    error PoolNotOpen(bytes32 release);
    /// @dev Royalties need the pools of all earlier generations.
    error PoolParentNotOpen(bytes32 release, bytes32 parent);
    error PoolBadManifest(bytes32 release, bytes32 given);
    error PoolNoContributor(bytes32 release, uint32 organisation);
    /// @dev The proof does not lead to the root that the jury revealed.
    error PoolNotProven(bytes32 release, uint32 organisation);
    error PoolNothingDue(bytes32 release, uint32 organisation);
    /// @dev There is no root, somebody has proved a share, or the owners still have time to.
    error PoolRootStands(bytes32 release, uint64 untilS);
    /// @dev Free, or not usable now, or for no month.
    error PoolNotForSale(bytes32 release);
    /// @dev It costs more than the caller agreed to.
    error PoolDearer(uint256 priceE18, uint256 limitE18);
    error PoolNoBonus(bytes32 job);
    /// @dev A candidate is still undecided, or may still come.
    error PoolJobRuns(bytes32 job);

    event PoolOpened(
        bytes32 indexed release,
        bytes32 indexed job,
        bytes32 parent,
        uint32 buyer,
        uint96 usePriceE18,
        bytes32 root,
        uint32[] organisations,
        uint64[] sharesPpb
    );
    /// @dev Release is zero when the bonus went back.
    event BonusSettled(bytes32 indexed job, bytes32 indexed release, address owner, uint128 amountE18);
    event UsePaid(bytes32 indexed release, address indexed user, uint32 months, uint64 untilS, uint128 amountE18);
    /// @dev What became of one payment; the parts add up to it. Not logged: it follows from `UsePaid`. The treasury's part
    /// is its fee, and the royalties where there is no earlier generation.
    event IncomeSplit(
        bytes32 indexed release, uint128 treasuryE18, uint128 royaltiesE18, uint128 buyerE18, uint128 poolE18
    );
    /// @dev Not logged, as above.
    event RoyaltyPaid(bytes32 indexed release, bytes32 indexed ancestor, uint128 amountE18);
    event ShareClaimed(
        bytes32 indexed release, uint32 indexed organisation, uint64 sharePpb, address to, uint128 amountE18
    );
    event RootDropped(bytes32 indexed release, bytes32 root);

    /// @notice Opens the pool of an approved release, after its parent's. Anyone, with its manifest.
    function openPool(bytes32 release, IReleaseRegistry.Manifest calldata manifest) external;

    /// @notice Sends the bonus of a job to the pool of its release, or back to the buyer when it ended without one. Anyone.
    function settleBonus(bytes32 job) external;

    /// @notice Pays for months of 30 days of use from now, or from the end of what is paid. The caller pays by allowance.
    /// @param limitE18 Most that the caller is willing to pay.
    function payUse(bytes32 release, uint32 months, uint128 limitE18) external;

    /// @notice Credits to an organisation's operator what is due from a pool; to the treasury if the organisation withdrew
    /// its consent. Anyone.
    /// @param sharePpb Its share in billionths, by the jury's root; ignored where the signed prices decide.
    /// @param proof StandardMerkleTree proof of the leaf (bytes32 release, uint32 organisation, uint64 sharePpb).
    function claimShare(bytes32 release, uint32 organisation, uint64 sharePpb, bytes32[] calldata proof) external;

    /// @notice Lets the signed prices decide when nobody has proved a share for 180 days though there is money. Anyone.
    /// @dev A jury may have agreed on a root whose shares nobody knows; without this the money would lie here for ever.
    function dropRoot(bytes32 release) external;

    function pool(bytes32 release) external view returns (Pool memory);

    /// @notice Share by signed price, in billionths, and what was claimed; zeros for who did not contribute.
    function share(bytes32 release, uint32 organisation) external view returns (uint64 sharePpb, uint96 claimedE18);

    /// @notice Chain time until which a user has paid.
    function paidUntil(bytes32 release, address user) external view returns (uint64);
}
