// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Panel, jury, commit, reveal, median
/// @notice A case measures one candidate. Its jury is drawn from blocks nobody knows when the case is opened.
interface IEvaluatorCourt {
    enum Stage {
        None,
        /// Waiting for the blocks that decide the draw.
        Drawing,
        Committing,
        Revealing,
        Final,
        /// No draw in time, or too few reveals: the candidate is closed.
        Lapsed
    }

    struct Metric {
        /// Key of the fact.
        bytes32 key;
        /// Of two middle values the worse one counts.
        bool higherIsBetter;
    }

    struct Settings {
        uint8 jurySize;
        uint8 minReveals;
        uint8 maxLooks;
        uint64 commitWindowS;
        uint64 revealWindowS;
        /// SHA-256 of the metric code.
        bytes32 metricCode;
    }

    struct Case {
        Stage stage;
        bytes32 job;
        /// SHA-256 of the candidate.
        bytes32 artifact;
        uint64 openedAtBlock;
        /// End of the current window, chain time.
        uint64 windowEndS;
        uint8 commits;
        uint8 reveals;
    }

    error CourtOnlyRegistry(address caller);
    error CourtOnlyTimelock(address caller);
    error CourtCaseExists(bytes32 id);
    error CourtWrongStage(bytes32 id, Stage stage);
    error CourtTooEarly(uint256 blockNumber);
    error CourtPanelTooSmall(uint256 eligible, uint256 needed);
    error CourtNotJuror(address caller);
    error CourtAlreadyCommitted(address juror);
    error CourtEmptyCommitment();
    error CourtWindowOver(uint64 endS);
    error CourtWindowOpen(uint64 endS);
    error CourtCommitmentMismatch(address juror);
    error CourtWrongLength(uint256 given, uint256 expected);
    error CourtLooksExhausted(bytes32 root, uint8 looks);
    error CourtAlreadyOnPanel(uint32 organisation);
    error CourtBadSettings();

    event PanelJoined(uint32 indexed organisation);
    event CaseOpened(bytes32 indexed id, bytes32 indexed job, bytes32 artifact, bytes32[] evaluationRoots, uint32[] excluded);
    event JuryDrawn(bytes32 indexed id, address[] jurors, bytes32 seed);
    event Committed(bytes32 indexed id, address indexed juror, bytes32 commitment);
    event Revealed(bytes32 indexed id, address indexed juror, int128[] values, bytes32 report, bytes32 salt);
    event CaseFinal(bytes32 indexed id, bytes32[] keys, int128[] medians, uint8 reveals);
    event CaseLapsed(bytes32 indexed id, uint8 reveals);
    event Looked(bytes32 indexed root, bytes32 indexed id, uint8 looks);

    /// @notice Opens a case and counts a look at every evaluation root. Only ReleaseRegistry.
    /// @param excluded Organisations that may not be drawn: contributors and the proposer's.
    function open(bytes32 id, bytes32 job, bytes32 artifact, bytes32[] calldata evaluationRoots, uint32[] calldata excluded) external;

    /// @notice Draws the jury from two later block hashes, or closes the case when those are gone. Anyone.
    function draw(bytes32 id) external;

    /// @notice Commits to values before anybody else's are known. Only a drawn juror, once.
    function commit(bytes32 id, bytes32 commitment) external;

    /// @notice Opens a commitment: keccak256(abi.encode(chainid, court, id, artifact, juror, values, report, salt)).
    /// @param values One per metric in order, millionths; `MISSING` where the metric cannot be given.
    /// @param report SHA-256 of the juror's report.
    function reveal(bytes32 id, int128[] calldata values, bytes32 report, bytes32 salt) external;

    /// @notice Settles the medians once all have revealed or the window is over. Anyone.
    function finalise(bytes32 id) external;

    /// @notice Adds an organisation to the panel. Only the timelock.
    function joinPanel(uint32 organisation) external;

    function settings() external view returns (Settings memory);

    function metrics() external view returns (Metric[] memory);

    function panel() external view returns (uint32[] memory);

    function courtCase(bytes32 id) external view returns (Case memory);

    function jury(bytes32 id) external view returns (address[] memory);

    /// @notice Evaluation roots that the case measures.
    function evaluationRoots(bytes32 id) external view returns (bytes32[] memory);

    function hasRevealed(bytes32 id, address juror) external view returns (bool);

    /// @notice Median of a metric; not known before the case is final, or when more than half could not give it.
    function median(bytes32 id, bytes32 key) external view returns (int128 value, bool known);

    /// @notice keccak256(abi.encode(keys, medians, reveals)) of a final case, else zero.
    function resultHash(bytes32 id) external view returns (bytes32);

    /// @notice Looks taken so far at a root and at all that share rows with it.
    function looks(bytes32 root) external view returns (uint8);
}
