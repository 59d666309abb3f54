// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Staked panel, jury, commit, reveal, median, appeal, settlement
/// @notice A case measures one candidate, or answers one question about evidence. Its jury is drawn from blocks nobody
/// knows when the case is opened. Anyone may appeal once; only then are jurors judged by the result that stands.
interface IEvaluatorCourt {
    enum Stage {
        None,
        /// Waiting for the blocks that decide the draw.
        Drawing,
        Committing,
        Revealing,
        /// There is a result; it is conclusive once the appeal window is over or the appeal has ended.
        Final,
        /// No draw in time, or too few reveals: the candidate is closed.
        Lapsed
    }

    /// @dev What a juror is judged for.
    enum Outcome {
        None,
        /// Revealed, and near the result.
        Held,
        /// Did not reveal what it had to.
        Absent,
        /// Revealed something else than the result.
        Deviated,
        /// Revealed that it can give nothing at all: neither paid nor slashed.
        Abstained
    }

    struct Metric {
        /// Key of the fact.
        bytes32 key;
        /// Of two middle values the worse one counts.
        bool higherIsBetter;
        /// A juror farther from the median than this has deviated, millionths.
        uint64 toleranceMicros;
    }

    struct Settings {
        uint8 jurySize;
        /// For candidates of the highest tier.
        uint8 highJurySize;
        uint8 maxLooks;
        uint64 commitWindowS;
        uint64 revealWindowS;
        uint64 appealWindowS;
        /// From asking for a stake until it is given back.
        uint64 unstakeDelayS;
        /// An organisation with less is not drawn, in 1e-18 credit.
        uint128 stakeE18;
        /// In 1e-18 credit.
        uint128 appealBondE18;
        /// SHA-256 of the metric code.
        bytes32 metricCode;
    }

    struct Case {
        Stage stage;
        /// Zero in a case about evidence.
        bytes32 job;
        /// SHA-256 of the candidate, or the digest of the evidence.
        bytes32 artifact;
        /// Of the jury that sits now.
        uint64 openedAtBlock;
        /// End of the current window, chain time; of a final case the end of its appeal window.
        uint64 windowEndS;
        uint8 commits;
        /// Of a final case those behind the result that stands.
        uint8 reveals;
        /// 0 for the first jury, 1 for that of the appeal.
        uint8 round;
        /// Version of the settings and metrics that the case was opened with.
        uint32 version;
        bool isDispute;
        bool isSettled;
    }

    /// @dev What an organisation has at stake, whether it may leave, and how its evaluators served.
    struct Service {
        uint128 stakeE18;
        /// Chain time from which the stake is given back; zero while it stays.
        uint64 leavesAtS;
        /// Seats in cases that are not settled.
        uint32 openSeats;
        uint32 seated;
        uint32 revealed;
        uint32 absent;
        uint32 deviated;
        uint128 slashedE18;
    }

    /// @dev Another contract or account may do this, not the caller.
    error CourtOnly(address allowed, address caller);
    error CourtCaseExists(bytes32 id);
    error CourtWrongStage(bytes32 id, Stage stage);
    error CourtTooEarly(uint256 blockNumber);
    error CourtPanelTooSmall(uint256 eligible, uint256 needed);
    error CourtNotJuror(address caller);
    error CourtAlreadyCommitted(address juror);
    error CourtEmptyCommitment();
    /// @dev A signed commitment names the end of the window it is meant for.
    error CourtBadDeadline(uint64 windowEndS);
    error CourtWindowOver(uint64 endS);
    error CourtWindowOpen(uint64 endS);
    error CourtCommitmentMismatch(address juror);
    error CourtWrongLength(uint256 given, uint256 expected);
    /// @dev A question is answered with 0 or one million.
    error CourtBadAnswer(int128 value);
    error CourtLooksExhausted(bytes32 root, uint8 looks);
    error CourtNotSettleable(bytes32 id);
    error CourtAlreadyOnPanel(uint32 organisation);
    error CourtNotOnPanel(uint32 organisation);
    /// @dev It was not asked for, the delay runs, or a case of it is open.
    error CourtStakeLocked(uint32 organisation, uint64 leavesAtS, uint32 openSeats);
    error CourtBadSettings();

    event PanelJoined(uint32 indexed organisation);
    event PanelLeft(uint32 indexed organisation);
    event SettingsChanged(uint256 version, Settings settings, Metric[] metrics);
    event Staked(uint32 indexed organisation, uint128 amountE18);
    event UnstakeAsked(uint32 indexed organisation, uint64 leavesAtS);
    event Unstaked(uint32 indexed organisation, uint128 amountE18);
    // Events with lists have no indexed arguments: data and log payload are then one and the same encoding.
    event CaseOpened(
        bytes32 id,
        bytes32 job,
        bytes32 artifact,
        bytes32[] evaluationRoots,
        uint32[] excluded,
        uint8 jurySize,
        uint32 version
    );
    event JuryDrawn(bytes32 id, address[] jurors, bytes32 seed, uint8 round);
    event Committed(bytes32 indexed id, address indexed juror, bytes32 commitment, uint8 round);
    event Revealed(
        bytes32 id, address juror, int128[] values, bytes32 report, bytes32 contributions, bytes32 salt, uint8 round
    );
    event CaseFinal(bytes32 id, bytes32[] keys, int128[] medians, uint8 reveals, bytes32 contributions, uint8 round);
    event CaseLapsed(bytes32 indexed id, uint8 reveals);
    event Appealed(bytes32 indexed id, address indexed appellant, uint128 bondE18, uint8 jurySize);
    /// @dev Decided is false when the appeal's jury gave no result.
    event AppealEnded(bytes32 indexed id, bool decided, bool changed);
    /// @dev In the order of the jury.
    event JurySettled(bytes32 id, uint8 round, Outcome[] outcomes, uint128[] slashedE18);
    event Looked(bytes32 indexed root, bytes32 indexed id, uint8 looks);

    // ---- Cases ----

    /// @notice Opens a case and counts a look at every evaluation root. Only ReleaseRegistry.
    /// @param excluded Organisations that may not be drawn: contributors and the proposer's.
    function open(bytes32 id, bytes32 job, bytes32 artifact, bytes32[] calldata evaluationRoots, uint32[] calldata excluded) external;

    /// @notice Opens a case that answers one question with yes (one million) or no (0). No look is counted. Only Disputes.
    /// @param evidence Digest of what the jurors judge.
    function openDispute(bytes32 id, bytes32 evidence, uint32[] calldata excluded) external;

    /// @notice Draws the jury from two later block hashes, or closes the case when those are gone. Anyone.
    function draw(bytes32 id) external;

    /// @notice Commits to values before anybody else's are known. Only a drawn juror, once for each jury it sits on.
    function commit(bytes32 id, bytes32 commitment) external;

    /// @notice The same for a juror that signed EIP-712 `EvaluationCommit`. Anyone may send it.
    /// @param deadlineS Exactly the end of the commit window, so that the signature fits one jury only.
    function commitFor(bytes32 id, address juror, bytes32 commitment, uint64 deadlineS, bytes calldata signature) external;

    /// @notice Opens a commitment: keccak256(abi.encode(chainid, court, id, artifact, juror, values, report, contributions, salt)).
    /// Anyone who knows the values may send it.
    /// @param values One per metric in order, millionths; `MISSING` where the metric cannot be given.
    /// @param report SHA-256 of the juror's report.
    /// @param contributions Merkle root of the owners' shares, or zero.
    function reveal(
        bytes32 id,
        address juror,
        int128[] calldata values,
        bytes32 report,
        bytes32 contributions,
        bytes32 salt
    ) external;

    /// @notice Settles the medians once all have revealed or the window is over. Anyone.
    function finalise(bytes32 id) external;

    /// @notice Asks for another jury to measure the same rows again. Anyone, once for each case, within the appeal window.
    /// @dev The bond is pulled by allowance into the RewardVault. It is given back if and only if the verdict changes:
    /// another set of rules fails, or the question is answered otherwise. Else it goes to the treasury.
    /// The jury has 2k + 1 seats for organisations that did not sit before; if there are fewer, the whole panel sits.
    function appeal(bytes32 id) external;

    /// @notice Judges the jurors of a conclusive or lapsed case by the result that stands. Anyone, once.
    /// @dev Who did not reveal, or deviated, loses a fifth of the required stake to the treasury.
    function settle(bytes32 id) external;

    // ---- Panel ----

    /// @notice Adds to an organisation's stake, pulled by allowance into the RewardVault, and takes back any wish to leave.
    /// Only its operator.
    /// @param agent Any agent of the organisation, bound now or before.
    function stake(address agent, uint128 amountE18) external;

    /// @notice Ends an organisation's service: it is drawn for no case that is opened from now on. Only its operator.
    /// @param agent Any agent of the organisation, bound now or before.
    function askUnstake(address agent) external;

    /// @notice Gives the stake back to whoever paid it in, once the delay is over and no case of
    /// the organisation is open. Anyone.
    function unstake(uint32 organisation) external;

    /// @notice Adds an organisation to the panel. Only the timelock.
    function joinPanel(uint32 organisation) external;

    /// @notice Takes an organisation from the panel. Only Amendments.
    function removeFromPanel(uint32 organisation) external;

    /// @notice Changes the settings for later cases. Only Amendments.
    function setSettings(Settings calldata settings) external;

    /// @notice Changes what juries of later cases measure. Only Amendments.
    function setMetrics(Metric[] calldata metrics) external;

    // ---- Views ----

    /// @notice The settings for cases that are opened now.
    function settings() external view returns (Settings memory);

    /// @notice The metrics for cases that are opened now.
    function metrics() external view returns (Metric[] memory);

    function panel() external view returns (uint32[] memory);

    /// @notice True when the panel has too few organisations that may be drawn (less than 3k + 1) for an appeal by others.
    function appealIsWholePanel() external view returns (bool);

    /// @notice Stake and record of an organisation's evaluators.
    function service(uint32 organisation) external view returns (Service memory);

    function courtCase(bytes32 id) external view returns (Case memory);

    /// @notice The stage alone, for who needs no more.
    function stageOf(bytes32 id) external view returns (Stage stage);

    /// @notice The jury that was drawn last.
    function jury(bytes32 id) external view returns (address[] memory);

    /// @notice Evaluation roots that the case measures.
    function evaluationRoots(bytes32 id) external view returns (bytes32[] memory);

    /// @notice Whether a juror revealed at least one value, in either jury.
    function hasRevealed(bytes32 id, address juror) external view returns (bool);

    /// @notice True when there is a result that no appeal can change any more.
    function isConclusive(bytes32 id) external view returns (bool);

    /// @notice Median of a metric; not known before the case is final, or when more than half could not give it.
    function median(bytes32 id, bytes32 key) external view returns (int128 value, bool known);

    /// @notice Answer of a case about evidence; known once it is conclusive and more than half gave one.
    function verdict(bytes32 id) external view returns (bool known, bool upheld);

    /// @notice keccak256(abi.encode(keys, medians, reveals)) of the result that stands, else zero.
    function resultHash(bytes32 id) external view returns (bytes32);

    /// @notice The root that more than half of the revealing jurors gave, or zero.
    function contributionRoot(bytes32 id) external view returns (bytes32);

    /// @notice Looks taken so far at a root and at all that share rows with it.
    function looks(bytes32 root) external view returns (uint8);
}
