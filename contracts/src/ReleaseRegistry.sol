// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {GovernorStorage} from "@openzeppelin/contracts/governance/extensions/GovernorStorage.sol";
import {Role} from "./interfaces/IAgentRegistry.sol";
import {IAgreementBook} from "./interfaces/IAgreementBook.sol";
import {IEvaluatorCourt} from "./interfaces/IEvaluatorCourt.sol";
import {IFacts} from "./interfaces/IFacts.sol";
import {IReleaseRegistry} from "./interfaces/IReleaseRegistry.sol";
import {ApprovalTimes} from "./libraries/ApprovalTimes.sol";
import {Citations} from "./libraries/Citations.sol";
import {HashLog} from "./libraries/HashLog.sol";
import {Manifests} from "./libraries/Manifests.sol";
import {Wiring} from "./parts/Wiring.sol";
import {Addresses} from "./types/Addresses.sol";
import {Phase, Source} from "./types/Policy.sol";

/// @title Candidates, the gate, releases and refusals, and the log
/// @dev Docs are in the interface. A candidate becomes Released through `approve` or Refused through `refuse`; a release
/// may become Revoked or Recalled, and is Suspended while something stops it. Nothing leads back to Candidate. Every log payload is keccak256(abi.encode(arguments of the event in order)).
contract ReleaseRegistry is Wiring {
    using HashLog for HashLog.Chain;

    int128 private constant MILLION = 1e6;
    uint64 private constant SUSPENSION_S = 14 days;
    /// @dev For somebody to call a vote once the facts are beyond appeal.
    uint64 private constant CALL_S = 2 days;

    // ---- Immutables ----

    /// @inheritdoc IReleaseRegistry
    bytes32 public immutable parentHead;
    /// @inheritdoc IReleaseRegistry
    uint128 public immutable candidateBondE18;

    // ---- Storage ----

    mapping(bytes32 id => Release) private _releases;
    mapping(bytes32 id => mapping(bytes32 key => int128)) private _declared;
    mapping(bytes32 id => mapping(bytes32 key => bool)) private _isDeclared;
    mapping(bytes32 artifact => bytes32 id) private _releaseOf;
    mapping(bytes32 job => bytes32[]) private _releasesOf;
    HashLog.Chain private _log;
    /// @dev The set of rules that a release was last found not to keep while it was not bound by it.
    mapping(bytes32 id => bytes32 policyHash) private _noted;
    address private _guardian;
    /// @dev Why the guardian stops the proposal that is being stopped now.
    bytes32 private transient _reason;
    /// @inheritdoc IReleaseRegistry
    address public successor;

    // ---- Constructor ----

    constructor(Addresses memory a, Settings memory settings) Wiring(a) {
        parentHead = settings.parentHead;
        candidateBondE18 = settings.candidateBondE18;
        _log.head = settings.parentHead;
        _setGuardian(settings.guardian);
    }

    // ---- Candidates ----

    /// @inheritdoc IReleaseRegistry
    function submit(Manifest calldata manifest) external returns (bytes32 id) {
        if (successor != address(0)) revert ReleaseRetired(successor);
        address coordinator = _requireTurn(manifest);
        _requireNew(manifest);
        Citations.Cited memory cited = Citations.collect(BOOK, AGENTS, manifest, coordinator);
        ROUNDS.record(manifest.job);
        // Without a tier the candidate could be neither approved nor refused.
        POLICY.tierOf(cited.purposes);
        bytes32 manifestHash = Manifests.hash(manifest);
        id = keccak256(abi.encode(block.chainid, address(this), manifestHash));
        _store(id, manifestHash, manifest, cited);
        emit CandidateSubmitted(id, manifest.job, msg.sender, manifestHash, manifest);
        _append("candidate", id, keccak256(abi.encode(id, manifest.job, msg.sender, manifestHash, manifest)));
        COURT.open(id, manifest.job, manifest.artifact, cited.evaluationRoots, cited.organisations);
        VAULT.hold(id, AGENTS.operatorOf(coordinator), candidateBondE18);
    }

    /// @inheritdoc IReleaseRegistry
    function noteProposal(uint256 proposalId, bytes calldata approval, address proposer)
        external
        returns (bool second, bool own)
    {
        _requireGovernor();
        (bytes32 id, bytes32 manifestHash, bytes32 policyHash, bytes32 factsDigest, uint64 deadlineS) =
            abi.decode(approval[4:], (bytes32, bytes32, bytes32, bytes32, uint64));
        Release storage candidate = _candidate(id);
        second = candidate.proposalId != 0;
        own = candidate.proposer == proposer && AGENTS.hasRole(proposer, Role.COORDINATOR);
        // The guardian alone cancels a release vote, and the governor holds the second: so there is no third.
        if (second && _voteOf(candidate) != IGovernor.ProposalState.Canceled) {
            revert ReleaseProposalLive(id, candidate.proposalId);
        }
        // A vote on what can never be approved would only close the candidate.
        _requireMeasured(id);
        _requireMatch(id, manifestHash, policyHash, factsDigest);
        ApprovalTimes.requireSound(GOVERNOR, proposalId, deadlineS);
        candidate.proposalId = proposalId;
        candidate.approvalDeadlineS = deadlineS;
        emit ReleaseProposed(id, proposalId);
        _append("proposal", id, keccak256(abi.encode(id, proposalId)));
    }

    /// @inheritdoc IReleaseRegistry
    function noteStop(uint256 proposalId) external {
        _requireGovernor();
        emit VoteStopped(proposalId, _guardian, _reason);
        _append("vote-stopped", bytes32(proposalId), keccak256(abi.encode(proposalId, _guardian, _reason)));
    }

    // ---- Decision ----

    /// @inheritdoc IReleaseRegistry
    function approve(bytes32 id, bytes32 manifestHash, bytes32 policyHash, bytes32 factsDigest, uint64 deadlineS) external {
        _requireTimelock();
        if (!CONSENT.isEndorsed()) revert ReleaseNotEndorsed();
        Release storage candidate = _candidate(id);
        if (block.timestamp > deadlineS) revert ReleaseExpired(deadlineS);
        _requireMeasured(id);
        _requireMatch(id, manifestHash, policyHash, factsDigest);
        _requireUsableParent(candidate.parent);
        if (_isWithdrawn(candidate)) revert ReleaseConsentWithdrawn(id);
        (uint256 failed, uint256 applied,) = check(id);
        if (failed != 0) revert PolicyViolation(failed);
        candidate.status = Status.Released;
        candidate.decidedAtS = uint64(block.timestamp);
        emit Released(id, candidate.artifact, policyHash, factsDigest, applied);
        _append("released", id, keccak256(abi.encode(id, candidate.artifact, policyHash, factsDigest, applied)));
        BOOK.finishJob(candidate.job, id);
        _endBond(id, false);
    }

    /// @inheritdoc IReleaseRegistry
    function refuse(bytes32 id) external {
        Release storage candidate = _candidate(id);
        (RefusalReason reason, uint256 failed) = _grounds(id, candidate);
        if (reason == RefusalReason.None) revert ReleaseNotRefusable(id);
        candidate.status = Status.Refused;
        candidate.reason = reason;
        candidate.decidedAtS = uint64(block.timestamp);
        (bytes32 policyHash, bytes32 factsDigest) = (POLICY.activeHash(), factsHash(id));
        emit Refused(id, reason, failed, policyHash, factsDigest);
        _append("refused", id, keccak256(abi.encode(id, reason, failed, policyHash, factsDigest)));
        bool last = candidate.candidateIndex + 1 == BOOK.job(candidate.job).candidates;
        if (last) BOOK.finishJob(candidate.job, 0);
        _endBond(id, reason == RefusalReason.Jury);
    }

    // ---- The guardian ----

    /// @inheritdoc IReleaseRegistry
    function stop(uint256 proposalId, bytes32 reason) external {
        _requireGuardian();
        _reason = _given(reason);
        GovernorStorage(payable(GOVERNOR)).cancel(proposalId);
        // A second one in the same transaction has its own reason or none.
        delete _reason;
    }

    /// @inheritdoc IReleaseRegistry
    function suspend(bytes32 id, bytes32 reason) external {
        _requireGuardian();
        Release storage released = _released(id);
        if (released.suspendedUntilS != 0) revert ReleaseSuspendedBefore(id, released.suspendedUntilS);
        uint64 untilS = uint64(block.timestamp) + SUSPENSION_S;
        released.suspendedUntilS = untilS;
        emit Suspended(id, _given(reason), untilS);
        _append("suspended", id, keccak256(abi.encode(id, reason, untilS)));
    }

    // ---- After the decision ----

    /// @inheritdoc IReleaseRegistry
    function liftSuspension(bytes32 id) external {
        _requireTimelock();
        Release storage released = _released(id);
        if (block.timestamp >= released.suspendedUntilS) revert ReleaseNotSuspended(id);
        released.suspendedUntilS = uint64(block.timestamp);
        emit SuspensionLifted(id);
        _append("suspension-lifted", id, keccak256(abi.encode(id)));
    }

    /// @inheritdoc IReleaseRegistry
    function recheck(bytes32 id) external {
        Release storage released = _released(id);
        bytes32 policyHash = POLICY.activeHash();
        (uint256 binding,,) = POLICY.evaluateExisting(this, id, released.purposes);
        if ((binding != 0) != released.failsPolicy) {
            released.failsPolicy = binding != 0;
            emit Rechecked(id, binding == 0, binding, policyHash);
            _append("rechecked", id, keccak256(abi.encode(id, binding == 0, binding, policyHash)));
            return;
        }
        (uint256 failed,,) = check(id);
        if (binding != 0 || failed == 0 || _noted[id] == policyHash) revert ReleaseNothingChanges(id);
        _noted[id] = policyHash;
        emit NonCompliant(id, failed, policyHash);
        _append("noncompliant", id, keccak256(abi.encode(id, failed, policyHash)));
    }

    /// @inheritdoc IReleaseRegistry
    function revoke(bytes32 id, bytes32 reason) external {
        _requireTimelock();
        _released(id).status = Status.Revoked;
        emit Revoked(id, _given(reason));
        _append("revoked", id, keccak256(abi.encode(id, reason)));
    }

    /// @inheritdoc IReleaseRegistry
    function recall(bytes32 id, bytes32 reason) external {
        _requireTimelock();
        Release storage released = _known(id);
        if (released.status != Status.Revoked) released = _released(id);
        released.status = Status.Recalled;
        emit Recalled(id, _given(reason));
        _append("recalled", id, keccak256(abi.encode(id, reason)));
    }

    /// @inheritdoc IReleaseRegistry
    function setGuardian(address guardian_) external {
        _requireAmendments();
        uint32 organisation = AGENTS.holderOf(guardian_);
        if (organisation != 0) revert ReleaseGuardianHeld(guardian_, organisation);
        _setGuardian(guardian_);
    }

    /// @inheritdoc IReleaseRegistry
    function retire(address successor_) external {
        _requireAmendments();
        if (successor != address(0)) revert ReleaseRetired(successor);
        if (successor_.code.length == 0) revert ReleaseNoSuccessor();
        successor = successor_;
        emit Retired(successor_);
        _append("retired", bytes32(uint256(uint160(successor_))), keccak256(abi.encode(successor_)));
    }

    // ---- Log ----

    /// @inheritdoc IReleaseRegistry
    function append(bytes32 kind, bytes32 subject, bytes32 payload) external {
        bool listed = msg.sender == address(POLICY) || msg.sender == address(AGENTS) || msg.sender == address(BOOK)
            || msg.sender == address(ROUNDS) || msg.sender == address(COURT) || msg.sender == GOVERNOR
            || msg.sender == AMENDMENTS || msg.sender == address(VAULT) || msg.sender == address(CONSENT)
            || msg.sender == DISPUTES;
        if (!listed) revert ReleaseOnlyWriter(msg.sender);
        _log.append(HashLog.Entry(msg.sender, kind, subject, payload));
    }

    // ---- Facts and verdict ----

    /// @inheritdoc IFacts
    /// @dev Of several accepted sources the one that is hardest to invent answers.
    function facts(bytes32 id, bytes32[] calldata keys, uint8[] calldata sources)
        external
        view
        returns (int128[] memory values, uint8[] memory from)
    {
        (values, from) = (new int128[](keys.length), new uint8[](keys.length));
        if (_releases[id].status == Status.None) return (values, from);
        for (uint256 i; i < keys.length; ++i) {
            (values[i], from[i]) = _fact(id, keys[i], sources[i]);
        }
    }

    /// @inheritdoc IReleaseRegistry
    function check(bytes32 id) public view returns (uint256 failed, uint256 applied, uint8 tier) {
        Release storage candidate = _known(id);
        return POLICY.evaluate(this, id, candidate.purposes, Phase.RELEASE);
    }

    /// @inheritdoc IReleaseRegistry
    function factsHash(bytes32 id) public view returns (bytes32) {
        return keccak256(abi.encode(_known(id).manifestHash, COURT.resultHash(id)));
    }

    // ---- Views ----

    /// @inheritdoc IReleaseRegistry
    function hashManifest(Manifest calldata manifest) external pure returns (bytes32) {
        return Manifests.hash(manifest);
    }

    /// @inheritdoc IReleaseRegistry
    function release(bytes32 id) external view returns (Release memory) {
        return _releases[id];
    }

    /// @inheritdoc IReleaseRegistry
    function candidateOf(bytes32 id) external view returns (bytes32 job, uint8 index) {
        return (_releases[id].job, _releases[id].candidateIndex);
    }

    /// @inheritdoc IReleaseRegistry
    function releaseOf(bytes32 artifact) external view returns (bytes32) {
        return _releaseOf[artifact];
    }

    /// @inheritdoc IReleaseRegistry
    function isUsable(bytes32 artifact) external view returns (bool) {
        (Status now_,) = standing(_releaseOf[artifact]);
        return now_ == Status.Released;
    }

    /// @inheritdoc IReleaseRegistry
    function status(bytes32 artifact) external view returns (Status, Reason) {
        return standing(_releaseOf[artifact]);
    }

    /// @inheritdoc IReleaseRegistry
    function standing(bytes32 id) public view returns (Status, Reason) {
        Release storage found = _releases[id];
        Status decided = found.status;
        if (decided == Status.Refused) return (decided, Reason(uint8(found.reason)));
        if (decided == Status.Revoked || decided == Status.Recalled) return (decided, Reason.Members);
        if (decided != Status.Released) return (decided, Reason.None);
        Reason reason = _stopped(found);
        for (bytes32 parent = found.parent; reason == Reason.None && parent != 0; parent = found.parent) {
            found = _releases[parent];
            if (found.status != Status.Released || _stopped(found) != Reason.None) reason = Reason.Parent;
        }
        return (reason == Reason.None ? Status.Released : Status.Suspended, reason);
    }

    /// @inheritdoc IReleaseRegistry
    function guardian() external view returns (address) {
        return _guardian;
    }

    /// @inheritdoc IReleaseRegistry
    function releasesOf(bytes32 job) external view returns (bytes32[] memory) {
        return _releasesOf[job];
    }

    function logHead() external view returns (bytes32) {
        return _log.head;
    }

    function logLength() external view returns (uint64) {
        return HashLog.length(_log.head);
    }

    // ---- Internal: submitting ----

    /// @dev Candidates are tried in the order that was fixed before the split, so nobody picks the luckiest.
    function _requireTurn(Manifest calldata manifest) private view returns (address coordinator) {
        IAgreementBook.Job memory job = BOOK.job(manifest.job);
        if (job.state != IAgreementBook.JobState.Open || block.timestamp > job.deadlineS) {
            revert ReleaseJobNotOpen(manifest.job);
        }
        _requireMetrics(job);
        coordinator = job.coordinator;
        if (msg.sender != coordinator || !AGENTS.isActive(coordinator)) revert ReleaseOnlyCoordinator(msg.sender);
        bytes32[] storage earlier = _releasesOf[manifest.job];
        uint256 index = earlier.length;
        if (manifest.candidateIndex != index || index >= job.candidates) revert ReleaseBadManifest("candidateIndex");
        if (manifest.candidate != BOOK.candidates(manifest.job)[index]) revert ReleaseBadManifest("candidate");
        if (index > 0 && _releases[earlier[index - 1]].status != Status.Refused) revert ReleaseBadManifest("previous");
        if (!ROUNDS.isComplete(manifest.job, manifest.candidateIndex)) revert ReleaseBadManifest("rounds");
    }

    function _requireNew(Manifest calldata manifest) private view {
        Manifests.requireSound(manifest);
        bytes32 known = _releaseOf[manifest.artifact];
        if (known != 0) revert ReleaseArtifactKnown(manifest.artifact, known);
        _requireUsableParent(manifest.parent);
    }

    function _store(bytes32 id, bytes32 manifestHash, Manifest calldata manifest, Citations.Cited memory cited) private {
        // Slot by slot, so that the compiler joins what is small.
        Release storage candidate = _releases[id];
        candidate.status = Status.Candidate;
        candidate.candidateIndex = manifest.candidateIndex;
        candidate.proposer = msg.sender;
        candidate.submittedAtS = uint64(block.timestamp);
        candidate.contributors = cited.contributors;
        candidate.epsilonMicros = cited.epsilonMicros;
        candidate.purposes = cited.purposes;
        candidate.licences = manifest.licences;
        candidate.manifestHash = manifestHash;
        candidate.job = manifest.job;
        candidate.artifact = manifest.artifact;
        if (manifest.parent != 0) candidate.parent = manifest.parent;
        for (uint256 i; i < manifest.declared.length; ++i) {
            _declared[id][manifest.declared[i].key] = manifest.declared[i].value;
            _isDeclared[id][manifest.declared[i].key] = true;
        }
        _releaseOf[manifest.artifact] = id;
        _releasesOf[manifest.job].push(id);
    }

    // ---- Internal: deciding ----

    function _grounds(bytes32 id, Release storage candidate) private view returns (RefusalReason, uint256 failed) {
        if (COURT.stageOf(id) == IEvaluatorCourt.Stage.Lapsed) return (RefusalReason.Jury, 0);
        if (_isWithdrawn(candidate)) return (RefusalReason.Withdrawal, 0);
        IGovernor.ProposalState vote = _voteOf(candidate);
        if (vote == IGovernor.ProposalState.Canceled) {
            return (_isGivenUp(id, candidate) ? RefusalReason.Vote : RefusalReason.None, 0);
        }
        if (vote == IGovernor.ProposalState.Defeated || vote == IGovernor.ProposalState.Expired) {
            return (RefusalReason.Vote, 0);
        }
        bool passed = vote == IGovernor.ProposalState.Succeeded || vote == IGovernor.ProposalState.Queued;
        if (!passed) return (RefusalReason.None, 0);
        // First, for a judgement reverts where the policy has no tier for a purpose any more.
        if (block.timestamp > candidate.approvalDeadlineS) return (RefusalReason.Vote, 0);
        (failed,,) = check(id);
        return (failed != 0 ? RefusalReason.Policy : RefusalReason.None, failed);
    }

    /// @dev Nobody called a vote in time: by the job's deadline, and by a known day after its case is beyond appeal, so that
    /// it is not lost to a jury that took long. Whoever stops a vote must leave time to ask for it again.
    function _isGivenUp(bytes32 id, Release storage candidate) private view returns (bool) {
        IEvaluatorCourt.Case memory measured = COURT.courtCase(id);
        return measured.stage == IEvaluatorCourt.Stage.Final && block.timestamp > measured.windowEndS + CALL_S
            && block.timestamp > BOOK.job(candidate.job).deadlineS && block.timestamp > candidate.approvalDeadlineS;
    }

    /// @dev A candidate without a proposal stands as one whose proposal was cancelled.
    function _voteOf(Release storage candidate) private view returns (IGovernor.ProposalState) {
        uint256 proposalId = candidate.proposalId;
        return proposalId == 0 ? IGovernor.ProposalState.Canceled : IGovernor(GOVERNOR).state(proposalId);
    }

    /// @dev And beyond appeal: an appeal would change the facts behind a vote.
    function _requireMeasured(bytes32 id) private view {
        if (!COURT.isConclusive(id)) revert ReleaseNotMeasured(id);
        _requireMetrics(BOOK.job(_releases[id].job));
    }

    /// @dev A fact means what its code measures, so that other code needs a candidate measured by it.
    function _requireMetrics(IAgreementBook.Job memory job) private view {
        bytes32 current = COURT.settings().metricCode;
        if (job.metricCode != current) revert ReleaseOldMetrics(job.metricCode, current);
    }

    function _requireMatch(bytes32 id, bytes32 manifestHash, bytes32 policyHash, bytes32 factsDigest) private view {
        if (manifestHash != _releases[id].manifestHash) revert ReleaseMismatch("manifestHash");
        if (policyHash != POLICY.activeHash()) revert ReleaseMismatch("policyHash");
        if (factsDigest != factsHash(id)) revert ReleaseMismatch("factsHash");
    }

    function _fact(bytes32 id, bytes32 key, uint8 sources) private view returns (int128 value, uint8 source) {
        bool known;
        for (source = Source.COMPUTED; source > Source.MISSING; --source) {
            if (sources & Source.bit(source) == 0) continue;
            (value, known) = _factFrom(id, key, source);
            if (known) return (value, source);
        }
        return (0, Source.MISSING);
    }

    function _factFrom(bytes32 id, bytes32 key, uint8 source) private view returns (int128 value, bool known) {
        Release storage candidate = _releases[id];
        if (source == Source.COMPUTED) return _computed(id, key, candidate);
        if (source == Source.MEASURED) return COURT.median(id, key);
        if (source == Source.PROMISED) return _promised(key, candidate);
        if (source == Source.SIGNED_OFF) return _signedOff(id, key);
        if (source != Source.DECLARED) return (0, false);
        if (key == "licences") return (int128(candidate.licences), true);
        return (_declared[id][key], _isDeclared[id][key]);
    }

    function _computed(bytes32 id, bytes32 key, Release storage candidate) private view returns (int128, bool) {
        int128 contributors = int128(uint128(candidate.contributors));
        if (key == "distinct_organisations") return (contributors * MILLION, true);
        if (key == "objection_ratio") {
            int128 objecting = int128(uint128(CONSENT.objections(id))) * MILLION;
            return ((objecting + contributors - 1) / contributors, true);
        }
        if (key != "evaluators") return (0, false);
        IEvaluatorCourt.Case memory measured = COURT.courtCase(id);
        bool known = measured.stage == IEvaluatorCourt.Stage.Final;
        return (known ? int128(uint128(measured.reveals)) * MILLION : int128(0), known);
    }

    function _signedOff(bytes32 id, bytes32 key) private view returns (int128, bool) {
        if (key != "signoffs") return (0, false);
        uint128 offices = CONSENT.signOffs(id);
        return (int128(offices), offices != 0);
    }

    function _promised(bytes32 key, Release storage candidate) private view returns (int128, bool) {
        if (key == "purposes") return (int128(candidate.purposes), true);
        if (key == "dp_epsilon") return (int128(uint128(candidate.epsilonMicros)), true);
        return (0, false);
    }

    function _candidate(bytes32 id) private view returns (Release storage candidate) {
        candidate = _known(id);
        if (candidate.status != Status.Candidate) revert ReleaseNotCandidate(id, candidate.status);
    }

    // ---- Internal: standing ----

    function _released(bytes32 id) private view returns (Release storage released) {
        released = _known(id);
        if (released.status != Status.Released) revert ReleaseNotReleased(id, released.status);
    }

    /// @dev What stops a release by itself, its parents aside.
    function _stopped(Release storage released) private view returns (Reason) {
        if (_isWithdrawn(released)) return Reason.Withdrawal;
        if (released.failsPolicy) return Reason.Policy;
        return block.timestamp < released.suspendedUntilS ? Reason.Guardian : Reason.None;
    }

    function _isWithdrawn(Release storage cited) private view returns (bool) {
        return BOOK.isWithdrawn(cited.job, cited.candidateIndex);
    }

    function _requireUsableParent(bytes32 parent) private view {
        if (parent == 0) return;
        (Status now_,) = standing(parent);
        if (now_ != Status.Released) revert ReleaseParentNotUsable(parent);
    }

    /// @dev Kept when no jury could measure it: the next draw must cost something.
    function _endBond(bytes32 id, bool forfeited) private {
        if (candidateBondE18 == 0) return;
        if (forfeited) VAULT.forfeit(id, TIMELOCK, candidateBondE18);
        else VAULT.giveBack(id, candidateBondE18);
    }

    function _requireGovernor() private view {
        if (msg.sender != GOVERNOR) revert ReleaseOnlyGovernor(msg.sender);
    }

    function _requireGuardian() private view {
        if (msg.sender != _guardian) revert ReleaseOnlyGuardian(msg.sender);
    }

    function _requireTimelock() private view {
        if (msg.sender != TIMELOCK) revert ReleaseOnlyTimelock(msg.sender);
    }

    function _requireAmendments() private view {
        if (msg.sender != AMENDMENTS) revert ReleaseOnlyAmendments(msg.sender);
    }

    function _setGuardian(address guardian_) private {
        _guardian = guardian_;
        emit GuardianChanged(guardian_);
        _append("guardian", bytes32(uint256(uint160(guardian_))), keccak256(abi.encode(guardian_)));
    }

    /// @dev People are owed a word.
    function _given(bytes32 reason) private pure returns (bytes32) {
        if (reason == 0) revert ReleaseNoReason();
        return reason;
    }

    function _known(bytes32 id) private view returns (Release storage candidate) {
        candidate = _releases[id];
        if (candidate.status == Status.None) revert ReleaseUnknown(id);
    }

    function _append(bytes32 kind, bytes32 subject, bytes32 payload) private {
        _log.append(HashLog.Entry(address(this), kind, subject, payload));
    }
}
