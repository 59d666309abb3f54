// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IntegrationMode, JobTerms, Kind, Terms} from "../types/Market.sol";

/// @title Jobs, signed agreements and their escrow
/// @notice Both sides' signatures, both mandates, the policy and the escrow are settled in one transaction.
interface IAgreementBook {
    enum JobState {
        None,
        Open,
        /// A candidate was released, or the last one refused.
        Finished
    }

    enum AgreementState {
        None,
        Active,
        Closed,
        /// The seller took its consent back, before or after the end; what it had earned stays paid.
        Withdrawn
    }

    struct Job {
        JobState state;
        address coordinator;
        IntegrationMode mode;
        uint128 purposes;
        uint32 roundsPerCandidate;
        uint8 candidates;
        uint64 deadlineS;
        uint64 finishedAtS;
        bytes32 metricCode;
    }

    /// @dev In the order that packs: a payment reads three slots and writes the first.
    struct Agreement {
        AgreementState state;
        Kind kind;
        /// The job's.
        IntegrationMode mode;
        address seller;
        uint24 units;
        /// The round from which the next claim is paid; rounds before it are paid or passed over. Zero for looks.
        uint24 nextUnit;
        /// Of data in an overlapped job in hundredths.
        uint24 paidUnits;
        uint128 priceE18;
        /// The seller's, which an agent never changes.
        uint32 organisation;
        uint64 epsilonMicros;
        /// Part of each payment that goes to the treasury, as it stood when the agreement was made.
        uint16 feeBps;
        /// Whether the seller's withdrawal blocks a release alone.
        bool withdrawalBlocks;
        /// The last candidate that cites it, counted from one; zero before any does.
        uint8 citedBy;
        bytes32 job;
        address buyer;
        uint64 deadlineS;
        uint32 rows;
        uint128 purposes;
        /// What was locked; what is left of it lies in the vault under the agreement's id.
        uint128 bondE18;
        bytes32 dataRoot;
        address auditor;
        /// Rounds that were posted before the agreement was made.
        uint24 firstUnit;
    }

    /// @dev What the proof of a round needs of an agreement.
    struct Sold {
        bytes32 job;
        address seller;
        Kind kind;
        IntegrationMode mode;
        uint24 units;
        uint24 nextUnit;
    }

    /// @dev What a manifest that cites an agreement needs of it: half of its slots, for there are many.
    struct Citation {
        AgreementState state;
        Kind kind;
        bytes32 job;
        uint32 organisation;
        uint64 epsilonMicros;
        /// Zero unless it sells data.
        uint128 purposes;
        /// Zero unless it sells evaluation rows.
        bytes32 evaluationRoot;
    }

    error AgreementBadJob(bytes32 job);
    error AgreementJobExists(bytes32 job);
    error AgreementExists(bytes32 id);
    error AgreementUnknown(bytes32 id);
    error AgreementBadSignature(address signer);
    error AgreementExpired(uint64 validUntilS);
    /// @dev Field names the term that contradicts the job, the registry or the other terms.
    error AgreementBadTerms(bytes32 field);
    /// @dev Field names the limit of the operator that would be broken.
    error AgreementOutsideMandate(address agent, bytes32 field);
    error AgreementPolicyViolation(uint256 failedRules);
    /// @dev The token took a fee or moved another amount than asked.
    error AgreementBadToken(uint256 expected, uint256 received);
    error AgreementNothingDue(bytes32 id);
    error AgreementNotProven(bytes32 id, uint32 round);
    error AgreementNotClosable(bytes32 id, uint64 fromS);
    error AgreementOnlyRegistry(address caller);
    error AgreementOnlyDisputes(address caller);
    error AgreementOnlyAmendments(address caller);
    error AgreementOnlySeller(address caller);
    /// @dev Base pay is per organisation: its second agreement about data for the same job is refused.
    error AgreementSecondOfOrganisation(uint32 organisation, bytes32 first);
    /// @dev Its bond stays locked until every dispute about it is decided.
    error AgreementDisputed(bytes32 id);
    error AgreementFeeTooHigh(uint16 feeBps, uint16 mostBps);
    error AgreementOnlyLedger(address caller);
    error AgreementOnlyCoordinator(address caller);

    event JobOpened(bytes32 indexed job, address indexed coordinator, JobTerms terms);
    event JobFinished(bytes32 indexed job, bytes32 indexed release);
    /// @dev The terms stand in full in the calldata and here, so that history needs no one's store.
    event AgreementCreated(
        bytes32 indexed id, bytes32 indexed job, address indexed seller, Terms terms, bytes buyerSignature, bytes sellerSignature
    );
    /// @dev Not logged; `AgreementClosed` says the sum. `nextUnit` is the round from which the next claim is paid.
    event PaymentMade(
        bytes32 indexed id, address indexed seller, address to, uint128 amountE18, uint32 units, uint32 nextUnit
    );
    /// @dev Of what was paid, the treasury gets the fee.
    event AgreementClosed(bytes32 indexed id, uint128 paidE18, uint128 feeE18, uint128 refundedE18);
    event ConsentWithdrawn(bytes32 indexed id, address indexed seller);
    event FeeChanged(uint16 feeBps);

    /// @notice Announces a job. The caller is its coordinator, an active agent with that role.
    /// @return id EIP-712 digest of the terms.
    function openJob(JobTerms calldata terms) external returns (bytes32 id);

    /// @notice Makes an agreement that both agents signed (EIP-712 `Terms`) and locks its price from the buyer's operator. Anyone may send it.
    /// @return id EIP-712 digest of the terms.
    function createAgreement(Terms calldata terms, bytes calldata buyerSignature, bytes calldata sellerSignature)
        external
        returns (bytes32 id);

    /// @notice Pays for rounds that were proven, and moves on to the next. Only RoundLedger; the seller's operator is paid.
    function payRounds(bytes32 id, uint24 nextUnit, uint24 units) external;

    /// @notice Pays one instalment per case that was measured: by this seller (evaluation), or on this seller's rows (evaluation rows). Anyone may send it.
    function claimLooks(bytes32 id, bytes32[] calldata releases) external;

    /// @notice Ends an agreement and refunds what is left to the buyer's operator; the bond stays locked. The seller at any time; anyone as `expire`.
    /// @dev A round that was posted and not claimed by then costs the seller a tenth of its bond.
    function close(bytes32 id) external;

    /// @notice Ends an agreement after the claim period that follows the job's end or the deadline, and frees what is left of the bond. Anyone.
    /// @dev While a dispute is open it settles the price alone; called again after that, it frees the bond.
    function expire(bytes32 id) external;

    /// @notice Takes the seller's consent back. Its agent or its operator; always possible, whatever became of either or of the agreement.
    /// @dev No round is paid after it. It is free: before the job's end it costs nothing of the bond. Where the terms let
    /// it block, the candidate that it stands behind can no longer be released, and a release is suspended, for ever.
    function withdraw(bytes32 id) external;

    /// @notice Takes a part of the original bond: half to the buyer, 30 % to the challenger, 20 % to the treasury. Only Disputes.
    function slash(bytes32 id, uint16 bps, address challenger) external;

    /// @notice Sets the treasury's part of payments for agreements made from now on. Only Amendments.
    function setFee(uint16 feeBps) external;

    /// @notice Ends a job. Only ReleaseRegistry.
    function finishJob(bytes32 job, bytes32 release) external;

    /// @notice Notes that a candidate rests on an agreement. Only ReleaseRegistry.
    /// @param candidate Its index in the agreement's job.
    function cite(bytes32 id, uint8 candidate) external returns (Citation memory);

    /// @notice The last candidate that cites an agreement, or for which one of its rounds was paid; counted from one.
    /// @dev It stands behind those before it as well, of which one at most is undecided.
    function standsBehind(bytes32 id) external view returns (uint8);

    /// @notice True when consent was taken back from what stands behind a candidate, by a seller whose terms let that
    /// block alone.
    function isWithdrawn(bytes32 job, uint8 candidate) external view returns (bool);

    function job(bytes32 id) external view returns (Job memory);

    /// @notice Names of the job's candidates in order.
    function candidates(bytes32 job) external view returns (bytes32[] memory);

    function agreement(bytes32 id) external view returns (Agreement memory);

    /// @notice What a claim of rounds needs to know; reverts when none is due.
    function sold(bytes32 id) external view returns (Sold memory);

    /// @notice True when nothing can be claimed any more for this round, or look (by the index of the candidate).
    function isPaid(bytes32 id, uint32 unit) external view returns (bool);

    /// @notice An organisation's agreement about data for a job, or zero.
    function dataAgreement(bytes32 job, uint32 organisation) external view returns (bytes32);

    /// @notice Treasury's part of the payments of an agreement made now.
    function feeBps() external view returns (uint16);

    /// @notice Digest that both sides sign.
    function hashTerms(Terms calldata terms) external view returns (bytes32);

    function hashJob(JobTerms calldata terms) external view returns (bytes32);

    /// @notice Chain time from which anyone may close the agreement; the largest uint64 while the job runs.
    function closableFrom(bytes32 id) external view returns (uint64);

    /// @notice Locked by an agent so far, in 1e-18 credit: prices and bonuses, and bonds as a seller; and its agreements as a buyer.
    function spent(address buyer) external view returns (uint128 spentE18, uint32 count);

    /// @notice Privacy loss granted by an agent for life so far, millionths.
    function epsilonGranted(address seller) external view returns (uint64);
}
