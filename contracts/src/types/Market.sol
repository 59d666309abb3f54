// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev What an agreement sells.
enum Kind {
    None,
    /// Local training on the seller's rows; no row leaves.
    Data,
    /// The seller's evaluation rows, encrypted to the drawn jurors only.
    EvaluationRows,
    /// Aggregation of the rounds' updates.
    Compute,
    /// Measuring candidates as a juror, when drawn.
    Evaluation
}

/// @dev Who sees a single owner's update.
enum AggregationPrivacy {
    None,
    /// Everybody in the job; the owner's own noise is the protection.
    Clear,
    Grouped,
    Masked
}

/// @dev How training and chain are coupled. The definitions are ours; surveys differ.
enum IntegrationMode {
    None,
    /// Training runs off chain; one anchor a candidate, whose tree holds the leaves of all its rounds.
    Decoupled,
    /// One Merkle root a round; the next round is valid only when the last one is on chain.
    Coupled,
    /// Coupled, and the owners of a round score each other's updates; scores set pay and nothing else.
    Overlapped
}

/// @dev Whose presence the privacy loss bounds.
enum PrivacyUnit {
    None,
    Record
}

/// @dev What a coordinator announces before anybody signs. Its EIP-712 digest is the job's id.
struct JobTerms {
    /// Agent key of the coordinator.
    address coordinator;
    /// Bit set of purposes.
    uint128 purposes;
    /// Training rounds of one candidate.
    uint32 roundsPerCandidate;
    /// Total privacy loss for one record over the whole job, millionths.
    uint64 epsilonMicros;
    /// In units of 1e-12.
    uint64 deltaE12;
    PrivacyUnit privacyUnit;
    AggregationPrivacy aggregationPrivacy;
    IntegrationMode integrationMode;
    /// SHA-256 of the canonical task document.
    bytes32 task;
    /// SHA-256 of the metric code that jurors run.
    bytes32 metricCode;
    /// Names of the candidates in the order in which they are tried, fixed before the split is looked at.
    bytes32[] candidates;
    /// Shared by the contributors if a candidate is released, in 1e-18 credit; locked when the job is opened.
    uint128 bonusE18;
    /// Chain time after which no round and no candidate is accepted.
    uint64 deadlineS;
    uint64 nonce;
}

/// @dev What buyer and seller both sign. Its EIP-712 digest is the agreement's id.
struct Terms {
    Kind kind;
    /// Agent key of the buyer: the job's coordinator.
    address buyer;
    /// Agent key of the seller.
    address seller;
    bytes32 job;
    /// Price of all units together, in 1e-18 credit.
    uint128 priceE18;
    /// Instalments the price is paid in: rounds for data and compute, looks for evaluation and its rows.
    uint32 units;
    /// Total privacy loss that the seller grants, millionths; zero unless data.
    uint64 epsilonMicros;
    /// In units of 1e-12; zero unless data.
    uint64 deltaE12;
    PrivacyUnit privacyUnit;
    AggregationPrivacy aggregationPrivacy;
    /// Rows behind `dataRoot`; zero for compute and evaluation.
    uint32 rows;
    /// Root committed by the seller in AgentRegistry; zero for compute and evaluation.
    bytes32 dataRoot;
    uint128 purposes;
    /// Processor seconds granted over the whole job.
    uint32 computeSeconds;
    /// Locked from the seller's operator until the job and its claims are over, in 1e-18 credit; a part is lost for bad work.
    uint128 bondE18;
    /// Judges disputes about what happened inside the seller's site; zero when nobody does.
    address auditor;
    /// Whether the seller's withdrawal blocks a release alone.
    bool withdrawalBlocks;
    /// Chain time by which the work is done.
    uint64 deadlineS;
    /// Chain time until which the signatures may be used.
    uint64 validUntilS;
    uint64 nonce;
}

/// @dev Limits that an operator sets for one of its agents; the chain enforces both sides'.
struct Mandate {
    /// Most that may ever be locked: prices and bonuses as a buyer, bonds as a seller; in 1e-18 credit.
    uint128 maxSpendE18;
    /// As a buyer: most agreements that may ever be made.
    uint32 maxAgreements;
    /// As a seller: least price of a whole agreement by `Kind`, in 1e-18 credit; the entry of `None` is unused.
    uint128[5] floorsE18;
    /// As a seller: most privacy loss in one agreement, millionths.
    uint64 maxEpsilonMicros;
    /// As a seller: most privacy loss over all agreements for life, millionths.
    uint64 lifetimeEpsilonMicros;
    /// Purposes that may be bought or sold for.
    uint128 purposes;
    /// Chain time after which the agent may sign nothing; zero revokes.
    uint64 validUntilS;
}

/// @dev What the two sides of an agreement locked and granted before it.
struct Standing {
    uint128 buyerSpentE18;
    uint32 buyerCount;
    uint128 sellerSpentE18;
    uint64 grantedMicros;
}
