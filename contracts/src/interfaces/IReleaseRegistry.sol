// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacts} from "./IFacts.sol";

/// @title Candidates, the gate, releases and refusals, and the log
/// @notice A vote is necessary, never sufficient: `approve` asks the constitution again and reverts naming the rules.
interface IReleaseRegistry is IFacts {
    enum Status {
        None,
        Candidate,
        Released,
        /// Terminal.
        Refused,
        /// For a time or until something is mended; never stored, but told by `standing`.
        Suspended,
        /// Withdrawn by vote; terminal but for a recall.
        Revoked,
        /// Withdrawn by vote with the order to stop using it. Terminal.
        Recalled
    }

    /// @dev Why a release stands as it does; the first five are those of `RefusalReason`.
    enum Reason {
        None,
        Policy,
        Vote,
        Jury,
        Withdrawal,
        /// The guardian suspended it.
        Guardian,
        /// A release that it was built from may not be used.
        Parent,
        /// The members revoked or recalled it.
        Members
    }

    enum RefusalReason {
        None,
        /// The vote passed, the constitution did not.
        Policy,
        /// The vote failed or was not carried out in time.
        Vote,
        /// No jury measured the candidate.
        Jury,
        /// Somebody whose terms give a veto withdrew consent.
        Withdrawal
    }

    struct DeclaredFact {
        bytes32 key;
        int128 value;
    }

    struct Manifest {
        bytes32 job;
        /// Name of the candidate, as in the job's terms.
        bytes32 candidate;
        uint8 candidateIndex;
        /// SHA-256 of the model file.
        bytes32 artifact;
        /// SHA-256 of the model card.
        bytes32 card;
        /// Release that this one was built from, or zero.
        bytes32 parent;
        /// Bit set of licences.
        uint128 licences;
        /// Price of using the model for 30 days, in 1e-18 credit.
        uint128 usePriceE18;
        /// Agreements whose data or evaluation rows stand behind the candidate, each once.
        bytes32[] agreements;
        DeclaredFact[] declared;
    }

    /// @dev What is fixed when a registry is deployed.
    struct Settings {
        /// May suspend each release once and stop proposals, and nothing else.
        address guardian;
        /// Head of the log of the registry that this one succeeds, or zero.
        bytes32 parentHead;
        /// Deposit of the coordinator's operator behind a candidate, in 1e-18 credit.
        uint128 candidateBondE18;
    }

    /// @dev In the order that fills slots: three for what is small, then one each.
    struct Release {
        /// As it was decided; `standing` tells what suspends it.
        Status status;
        RefusalReason reason;
        uint8 candidateIndex;
        address proposer;
        uint64 submittedAtS;
        uint32 contributors;
        uint64 epsilonMicros;
        uint64 decidedAtS;
        /// In the calldata of the noted proposal.
        uint64 approvalDeadlineS;
        /// A recheck found that it breaks rules which bind it.
        bool failsPolicy;
        uint128 purposes;
        uint128 licences;
        bytes32 manifestHash;
        bytes32 job;
        bytes32 artifact;
        uint256 proposalId;
        bytes32 parent;
        /// End of the guardian's suspension; zero when there was none.
        uint64 suspendedUntilS;
    }

    error ReleaseOnlyTimelock(address caller);
    error ReleaseOnlyAmendments(address caller);
    error ReleaseOnlyGovernor(address caller);
    error ReleaseOnlyWriter(address caller);
    error ReleaseOnlyCoordinator(address caller);
    error ReleaseUnknown(bytes32 id);
    error ReleaseNotCandidate(bytes32 id, Status status);
    error ReleaseJobNotOpen(bytes32 job);
    /// @dev Field names the part of the manifest that does not fit the chain.
    error ReleaseBadManifest(bytes32 field);
    error ReleaseBadAgreement(bytes32 agreement);
    error ReleaseArtifactKnown(bytes32 artifact, bytes32 release);
    error ReleaseNotMeasured(bytes32 id);
    /// @dev The court measures with other code now than when the job was opened.
    error ReleaseOldMetrics(bytes32 metricCode, bytes32 current);
    error ReleaseProposalLive(bytes32 id, uint256 proposalId);
    /// @dev What was voted on is not what stands here.
    error ReleaseMismatch(bytes32 field);
    error ReleaseExpired(uint64 deadlineS);
    error ReleaseBadDeadline(uint64 deadlineS, uint256 earliestS, uint256 latestS);
    /// @dev Bit i is rule i of the set in force.
    error PolicyViolation(uint256 failedRules);
    error ReleaseOnlyGuardian(address caller);
    /// @dev A key of an organisation is no guardian: it could stop the votes that end the theft of that organisation's keys.
    error ReleaseGuardianHeld(address guardian, uint32 organisation);
    error ReleaseNotReleased(bytes32 id, Status status);
    /// @dev The guardian has one suspension for each release.
    error ReleaseSuspendedBefore(bytes32 id, uint64 untilS);
    error ReleaseNotSuspended(bytes32 id);
    error ReleaseParentNotUsable(bytes32 parent);
    /// @dev Two thirds of the members have not endorsed this deployment yet.
    error ReleaseNotEndorsed();
    error ReleaseConsentWithdrawn(bytes32 id);
    error ReleaseNoReason();
    /// @dev Candidates go to the successor.
    error ReleaseRetired(address successor);
    error ReleaseNoSuccessor();
    /// @dev The rules say what they said before.
    error ReleaseNothingChanges(bytes32 id);
    /// @dev Nothing to refuse: the vote runs, or the candidate may still be approved.
    error ReleaseNotRefusable(bytes32 id);

    event CandidateSubmitted(bytes32 indexed id, bytes32 indexed job, address indexed proposer, bytes32 manifestHash, Manifest manifest);
    event ReleaseProposed(bytes32 indexed id, uint256 indexed proposalId);
    event Released(bytes32 indexed id, bytes32 indexed artifact, bytes32 policyHash, bytes32 factsHash, uint256 appliedRules);
    event Refused(bytes32 indexed id, RefusalReason reason, uint256 failedRules, bytes32 policyHash, bytes32 factsHash);
    event Retired(address indexed successor);
    /// @dev By the guardian; the governor's `ProposalCanceled` comes just before it. Reason is a short text, or zero
    /// when the guardian asked the governor itself to cancel.
    event VoteStopped(uint256 indexed proposalId, address indexed guardian, bytes32 reason);
    event GuardianChanged(address indexed guardian);
    /// @dev The guardian's, for a time. Reason is a short text.
    event Suspended(bytes32 indexed id, bytes32 reason, uint64 untilS);
    event SuspensionLifted(bytes32 indexed id);
    /// @dev Rules fail that do not bind this release yet.
    event NonCompliant(bytes32 indexed id, uint256 failedRules, bytes32 policyHash);
    /// @dev Holds is false when it may not be used from now on, true when it may again.
    event Rechecked(bytes32 indexed id, bool holds, uint256 failedRules, bytes32 policyHash);
    event Revoked(bytes32 indexed id, bytes32 reason);
    /// @dev Stop using it.
    event Recalled(bytes32 indexed id, bytes32 reason);
    /// @dev One entry of the hash-linked log.
    event Logged(uint64 indexed sequence, bytes32 indexed kind, bytes32 indexed subject, bytes32 payload, address writer, bytes32 head);

    /// @notice Submits the next candidate of a job and opens its case. Only the job's coordinator.
    /// @dev Candidates go in the order of the terms, each after the one before is refused, with all its rounds posted.
    /// @return id keccak256(abi.encode(chainid, registry, manifestHash)).
    function submit(Manifest calldata manifest) external returns (bytes32 id);

    /// @notice Notes the proposal that asks for this release. Only the governor, while proposing.
    /// @dev A candidate has one proposal; after the guardian stopped it, one more, which nobody cancels.
    /// @param approval The calldata of `approve` that the proposal carries.
    /// @return second Whether the guardian stopped an earlier one.
    /// @return own Whether the proposer is the coordinator that submitted the candidate, and still is one.
    function noteProposal(uint256 proposalId, bytes calldata approval, address proposer)
        external
        returns (bool second, bool own);

    /// @notice Writes down that the guardian stopped a proposal. Only the governor, while cancelling.
    function noteStop(uint256 proposalId) external;

    /// @notice Releases a candidate. Only the timelock, so only after a passed vote; reverts naming what the constitution forbids.
    function approve(bytes32 id, bytes32 manifestHash, bytes32 policyHash, bytes32 factsHash, uint64 deadlineS) external;

    /// @notice Ends a candidate that cannot be released any more. Anyone; terminal.
    function refuse(bytes32 id) external;

    /// @notice Cancels a proposal before it is carried out. Only the guardian; which ones, IModelGovernor says.
    /// @dev `ModelGovernor.cancel` does the same without a reason.
    /// @param reason A short text for people.
    function stop(uint256 proposalId, bytes32 reason) external;

    /// @notice Stops a release for 14 days at most. Only the guardian, once for each release.
    /// @param reason A short text for people.
    function suspend(bytes32 id, bytes32 reason) external;

    /// @notice Ends the guardian's suspension early. Only the timelock.
    function liftSuspension(bytes32 id) external;

    /// @notice Judges a release again by the rules in force. Anyone.
    /// @dev Rules that bind it and fail suspend it until a recheck finds that they hold; a rule that does not bind it yet
    /// is noted, once for each set of rules.
    function recheck(bytes32 id) external;

    /// @notice Withdraws a release. Only the timelock.
    /// @param reason A short text for people.
    function revoke(bytes32 id, bytes32 reason) external;

    /// @notice Withdraws a release, or one that was revoked, and orders everybody to stop using it. Only the timelock.
    /// @param reason A short text for people.
    function recall(bytes32 id, bytes32 reason) external;

    /// @notice Takes no more candidates and names the registry that goes on with the log. Only Amendments, once.
    /// @dev The successor is deployed with this head as its `parentHead`. What is released here stays judged here.
    function retire(address successor) external;

    /// @notice Names another guardian, or none. Only Amendments, so after two votes with 30 days between.
    /// @dev No key that an organisation has or had.
    function setGuardian(address guardian) external;

    /// @notice Adds to the log. Only the fixed list of contracts.
    function append(bytes32 kind, bytes32 subject, bytes32 payload) external;

    function release(bytes32 id) external view returns (Release memory);

    /// @notice Which candidate of which job it is; zeros when there is none.
    function candidateOf(bytes32 id) external view returns (bytes32 job, uint8 index);

    /// @notice Judges a candidate now.
    function check(bytes32 id) external view returns (uint256 failed, uint256 applied, uint8 tier);

    /// @notice keccak256(abi.encode(manifestHash, court result hash)): all that the rules read.
    function factsHash(bytes32 id) external view returns (bytes32);

    /// @notice keccak256(abi.encode(manifest)).
    function hashManifest(Manifest calldata manifest) external pure returns (bytes32);

    /// @notice Release of a model file, or zero.
    function releaseOf(bytes32 artifact) external view returns (bytes32);

    /// @notice Whether exactly this file may be used now.
    function isUsable(bytes32 artifact) external view returns (bool);

    /// @notice Where a release stands now, and why: suspensions and those of its parents count.
    function standing(bytes32 id) external view returns (Status, Reason);

    /// @notice Where a file stands now, and why; a file that is not known has status None.
    function status(bytes32 artifact) external view returns (Status, Reason);

    function guardian() external view returns (address);

    /// @notice The registry that takes candidates instead of this one, or zero.
    function successor() external view returns (address);

    /// @notice Head of the log of the registry that this one succeeds, or zero; this log goes on from there.
    function parentHead() external view returns (bytes32);

    /// @notice Deposit of the coordinator's operator behind a candidate, in 1e-18 credit, pulled by allowance into the
    /// RewardVault. The treasury's when no jury could measure it, else given back at the decision.
    function candidateBondE18() external view returns (uint128);

    /// @notice Releases of a job in the order of submission.
    function releasesOf(bytes32 job) external view returns (bytes32[] memory);

    /// @notice Stands for all entries; its last four bytes are their number.
    function logHead() external view returns (bytes32);

    function logLength() external view returns (uint64);

    function governor() external view returns (address);
    function timelock() external view returns (address);
    function memberToken() external view returns (address);
    function policyRegistry() external view returns (address);
    function agentRegistry() external view returns (address);
    function agreementBook() external view returns (address);
    function roundLedger() external view returns (address);
    function evaluatorCourt() external view returns (address);
    function amendments() external view returns (address);
    function rewardVault() external view returns (address);
    function consent() external view returns (address);
    function disputes() external view returns (address);
}
