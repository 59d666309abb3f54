// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgentRegistry} from "./interfaces/IAgentRegistry.sol";
import {IEvaluatorCourt} from "./interfaces/IEvaluatorCourt.sol";
import {IReleaseRegistry} from "./interfaces/IReleaseRegistry.sol";
import {Jury} from "./libraries/Jury.sol";
import {Addresses} from "./types/Addresses.sol";

/// @title Panel, jury, commit, reveal, median
/// @dev Docs are in the interface. Every log payload is keccak256(abi.encode(arguments of the event in order)).
contract EvaluatorCourt is IEvaluatorCourt {
    /// @dev Blocks after the opening whose hashes make the seed.
    uint256 private constant FIRST_BLOCK = 1;
    uint256 private constant SECOND_BLOCK = 2;
    uint256 private constant MAX_METRICS = 32;

    // ---- Immutables ----

    IReleaseRegistry private immutable REGISTRY;
    address private immutable TIMELOCK;
    IAgentRegistry private immutable AGENTS;

    // ---- Storage ----

    Settings private _settings;
    Metric[] private _metrics;
    uint32[] private _panel;
    mapping(uint32 organisation => bool) private _isOnPanel;
    mapping(bytes32 id => Case) private _cases;
    mapping(bytes32 id => bytes32[]) private _roots;
    /// @dev Taken at the opening: who joins, leaves or swaps agents afterwards cannot move the draw.
    mapping(bytes32 id => uint32[]) private _eligible;
    mapping(bytes32 id => address[]) private _juries;
    mapping(bytes32 id => mapping(address juror => bool)) private _isJuror;
    mapping(bytes32 id => mapping(address juror => bytes32)) private _commitments;
    mapping(bytes32 id => mapping(address juror => int128[])) private _values;
    mapping(bytes32 id => mapping(bytes32 key => int128)) private _medians;
    mapping(bytes32 id => bytes32) private _resultHashes;
    /// @dev By the family of row sets.
    mapping(bytes32 family => uint8) private _looks;

    // ---- Constructor ----

    constructor(Addresses memory a, Settings memory settings_, Metric[] memory metrics_, uint32[] memory organisations) {
        REGISTRY = IReleaseRegistry(a.releaseRegistry);
        TIMELOCK = a.timelock;
        AGENTS = IAgentRegistry(a.agentRegistry);
        if (!_isSound(settings_, metrics_.length)) revert CourtBadSettings();
        _settings = settings_;
        for (uint256 i; i < metrics_.length; ++i) {
            for (uint256 j; j < i; ++j) {
                if (metrics_[i].key == metrics_[j].key) revert CourtBadSettings();
            }
            _metrics.push(metrics_[i]);
        }
        for (uint256 i; i < organisations.length; ++i) {
            _join(organisations[i]);
        }
    }

    // ---- Cases ----

    /// @inheritdoc IEvaluatorCourt
    function open(
        bytes32 id,
        bytes32 job,
        bytes32 artifact,
        bytes32[] calldata roots,
        uint32[] calldata excluded
    ) external {
        if (msg.sender != address(REGISTRY)) revert CourtOnlyRegistry(msg.sender);
        if (_cases[id].stage != Stage.None) revert CourtCaseExists(id);
        _look(id, roots);
        _roots[id] = roots;
        uint32[] memory eligible = _eligibleBut(excluded);
        if (eligible.length < _settings.jurySize) revert CourtPanelTooSmall(eligible.length, _settings.jurySize);
        _eligible[id] = eligible;
        Case storage opened = _cases[id];
        opened.stage = Stage.Drawing;
        (opened.job, opened.artifact) = (job, artifact);
        opened.openedAtBlock = uint64(block.number);
        emit CaseOpened(id, job, artifact, roots, excluded);
        REGISTRY.append("case", id, keccak256(abi.encode(id, job, artifact, roots, excluded)));
    }

    /// @inheritdoc IEvaluatorCourt
    function draw(bytes32 id) external {
        Case storage found = _at(id, Stage.Drawing);
        uint256 openedAt = found.openedAtBlock;
        if (block.number <= openedAt + SECOND_BLOCK) revert CourtTooEarly(block.number);
        (bytes32 first, bytes32 second) = (blockhash(openedAt + FIRST_BLOCK), blockhash(openedAt + SECOND_BLOCK));
        // The chain forgets a block's hash after 256 more; drawing again would be rolling the dice again.
        if (first == 0 || second == 0) return _lapse(id, found);
        bytes32 seed = keccak256(abi.encode(id, first ^ second));
        address[] memory jurors = _seat(id, seed);
        found.stage = Stage.Committing;
        found.windowEndS = uint64(block.timestamp) + _settings.commitWindowS;
        emit JuryDrawn(id, jurors, seed);
        REGISTRY.append("jury", id, keccak256(abi.encode(id, jurors, seed)));
    }

    /// @inheritdoc IEvaluatorCourt
    function commit(bytes32 id, bytes32 commitment) external {
        Case storage found = _cases[id];
        if (found.stage != Stage.Committing) revert CourtWrongStage(id, found.stage);
        if (block.timestamp > found.windowEndS) revert CourtWindowOver(found.windowEndS);
        // A key that its operator has withdrawn measures nothing any more.
        bool isJuror = _isJuror[id][msg.sender] && AGENTS.isActive(msg.sender);
        if (!isJuror) revert CourtNotJuror(msg.sender);
        if (commitment == 0) revert CourtEmptyCommitment();
        if (_commitments[id][msg.sender] != 0) revert CourtAlreadyCommitted(msg.sender);
        _commitments[id][msg.sender] = commitment;
        if (++found.commits == _juries[id].length) {
            found.stage = Stage.Revealing;
            found.windowEndS = uint64(block.timestamp) + _settings.revealWindowS;
        }
        emit Committed(id, msg.sender, commitment);
        REGISTRY.append("commit", id, keccak256(abi.encode(id, msg.sender, commitment)));
    }

    /// @inheritdoc IEvaluatorCourt
    function reveal(bytes32 id, int128[] calldata values, bytes32 report, bytes32 salt) external {
        Case storage found = _at(id, Stage.Revealing);
        if (block.timestamp > found.windowEndS) revert CourtWindowOver(found.windowEndS);
        if (!_isJuror[id][msg.sender]) revert CourtNotJuror(msg.sender);
        if (values.length != _metrics.length) revert CourtWrongLength(values.length, _metrics.length);
        bytes32 expected = keccak256(
            abi.encode(block.chainid, address(this), id, found.artifact, msg.sender, values, report, salt)
        );
        if (_commitments[id][msg.sender] != expected) revert CourtCommitmentMismatch(msg.sender);
        // Spent, so that nobody reveals twice.
        delete _commitments[id][msg.sender];
        _values[id][msg.sender] = values;
        ++found.reveals;
        emit Revealed(id, msg.sender, values, report, salt);
        REGISTRY.append("reveal", id, keccak256(abi.encode(id, msg.sender, values, report, salt)));
    }

    /// @inheritdoc IEvaluatorCourt
    function finalise(bytes32 id) external {
        Case storage found = _at(id, Stage.Revealing);
        bool over = found.reveals == found.commits || block.timestamp > found.windowEndS;
        if (!over) revert CourtWindowOpen(found.windowEndS);
        if (found.reveals < _settings.minReveals) return _lapse(id, found);
        found.stage = Stage.Final;
        (bytes32[] memory keys, int128[] memory medians) = _settle(id, found.reveals);
        _resultHashes[id] = keccak256(abi.encode(keys, medians, found.reveals));
        emit CaseFinal(id, keys, medians, found.reveals);
        REGISTRY.append("result", id, keccak256(abi.encode(id, keys, medians, found.reveals)));
    }

    // ---- Panel ----

    /// @inheritdoc IEvaluatorCourt
    function joinPanel(uint32 organisation) external {
        if (msg.sender != TIMELOCK) revert CourtOnlyTimelock(msg.sender);
        _join(organisation);
    }

    // ---- Views ----

    /// @inheritdoc IEvaluatorCourt
    function settings() external view returns (Settings memory) {
        return _settings;
    }

    /// @inheritdoc IEvaluatorCourt
    function metrics() external view returns (Metric[] memory) {
        return _metrics;
    }

    /// @inheritdoc IEvaluatorCourt
    function panel() external view returns (uint32[] memory) {
        return _panel;
    }

    /// @inheritdoc IEvaluatorCourt
    /// @dev Shows the revealing stage from the moment the commit window is over.
    function courtCase(bytes32 id) external view returns (Case memory found) {
        found = _cases[id];
        (found.stage, found.windowEndS) = _now(_cases[id]);
    }

    /// @inheritdoc IEvaluatorCourt
    function jury(bytes32 id) external view returns (address[] memory) {
        return _juries[id];
    }

    /// @inheritdoc IEvaluatorCourt
    function evaluationRoots(bytes32 id) external view returns (bytes32[] memory) {
        return _roots[id];
    }

    /// @inheritdoc IEvaluatorCourt
    function hasRevealed(bytes32 id, address juror) external view returns (bool) {
        return _values[id][juror].length != 0;
    }

    /// @inheritdoc IEvaluatorCourt
    function median(bytes32 id, bytes32 key) external view returns (int128 value, bool known) {
        if (_cases[id].stage != Stage.Final || !_isMetric(key)) return (0, false);
        value = _medians[id][key];
        known = value != Jury.MISSING;
        if (!known) value = 0;
    }

    /// @inheritdoc IEvaluatorCourt
    function resultHash(bytes32 id) external view returns (bytes32) {
        return _resultHashes[id];
    }

    /// @inheritdoc IEvaluatorCourt
    function looks(bytes32 root) external view returns (uint8) {
        return _looks[AGENTS.dataSet(root).family];
    }

    // ---- Internal: panel and jury ----

    /// @dev One reveal must not decide a case of several jurors.
    function _isSound(Settings memory given, uint256 metricCount) private pure returns (bool) {
        bool jurors = given.minReveals <= given.jurySize && 2 * uint256(given.minReveals) > given.jurySize;
        bool windows = given.commitWindowS != 0 && given.revealWindowS != 0;
        return jurors && windows && given.maxLooks != 0 && given.metricCode != 0 && metricCount != 0
            && metricCount <= MAX_METRICS;
    }

    function _join(uint32 organisation) private {
        if (_isOnPanel[organisation]) revert CourtAlreadyOnPanel(organisation);
        bool active = AGENTS.organisation(organisation).active;
        if (!active) revert IAgentRegistry.AgentUnknownOrganisation(organisation);
        _isOnPanel[organisation] = true;
        _panel.push(organisation);
        emit PanelJoined(organisation);
        REGISTRY.append("panel", bytes32(uint256(organisation)), keccak256(abi.encode(organisation)));
    }

    function _eligibleBut(uint32[] calldata excluded) private view returns (uint32[] memory eligible) {
        uint32[] memory all = _panel;
        eligible = new uint32[](all.length);
        uint256 count;
        for (uint256 i; i < all.length; ++i) {
            if (_contains(excluded, all[i]) || AGENTS.evaluatorOf(all[i]) == address(0)) continue;
            eligible[count++] = all[i];
        }
        assembly ("memory-safe") {
            mstore(eligible, count)
        }
    }

    function _contains(uint32[] calldata organisations, uint32 organisation) private pure returns (bool) {
        for (uint256 i; i < organisations.length; ++i) {
            if (organisations[i] == organisation) return true;
        }
        return false;
    }

    /// @dev An organisation that has lost its evaluator since the opening gives its seat to the next in the order.
    function _seat(bytes32 id, bytes32 seed) private returns (address[] memory jurors) {
        uint32[] memory order = _eligible[id];
        Jury.shuffle(order, seed);
        uint256 size = _settings.jurySize;
        jurors = new address[](size);
        uint256 seated;
        for (uint256 i; i < order.length && seated < size; ++i) {
            address juror = AGENTS.evaluatorOf(order[i]);
            if (juror == address(0)) continue;
            _isJuror[id][juror] = true;
            jurors[seated++] = juror;
        }
        if (seated < size) revert CourtPanelTooSmall(seated, size);
        _juries[id] = jurors;
    }

    // ---- Internal: looks ----

    /// @dev One candidate is one look at a family, however many of its sets it reads.
    function _look(bytes32 id, bytes32[] calldata roots) private {
        if (roots.length == 0) revert CourtWrongLength(0, 1);
        bytes32[] memory families = new bytes32[](roots.length);
        for (uint256 i; i < roots.length; ++i) {
            IAgentRegistry.DataSet memory set = AGENTS.dataSet(roots[i]);
            if (!set.evaluation) revert IAgentRegistry.AgentUnknownData(roots[i]);
            bool seen;
            for (uint256 j; j < i && !seen; ++j) {
                seen = families[j] == set.family;
            }
            families[i] = set.family;
            uint8 before = _looks[set.family];
            if (!seen && before >= _settings.maxLooks) revert CourtLooksExhausted(roots[i], before);
            uint8 taken = seen ? before : before + 1;
            _looks[set.family] = taken;
            emit Looked(roots[i], id, taken);
        }
    }

    // ---- Internal: stages and medians ----

    /// @dev The stage with the passing of time: when the commit window ends, revealing begins by itself.
    function _now(Case storage found) private view returns (Stage stage, uint64 windowEndS) {
        (stage, windowEndS) = (found.stage, found.windowEndS);
        if (stage == Stage.Committing && block.timestamp > windowEndS) {
            return (Stage.Revealing, windowEndS + _settings.revealWindowS);
        }
    }

    function _at(bytes32 id, Stage expected) private returns (Case storage found) {
        found = _cases[id];
        (Stage stage, uint64 windowEndS) = _now(found);
        if (stage != expected) revert CourtWrongStage(id, stage);
        (found.stage, found.windowEndS) = (stage, windowEndS);
    }

    function _lapse(bytes32 id, Case storage found) private {
        found.stage = Stage.Lapsed;
        emit CaseLapsed(id, found.reveals);
        REGISTRY.append("lapsed", id, keccak256(abi.encode(id, found.reveals)));
    }

    function _settle(bytes32 id, uint256 reveals) private returns (bytes32[] memory keys, int128[] memory medians) {
        uint256 count = _metrics.length;
        (keys, medians) = (new bytes32[](count), new int128[](count));
        int128[][] memory given = _revealed(id, reveals);
        for (uint256 i; i < count; ++i) {
            Metric memory metric = _metrics[i];
            int128[] memory values = new int128[](reveals);
            for (uint256 j; j < reveals; ++j) {
                values[j] = given[j][i];
            }
            keys[i] = metric.key;
            medians[i] = Jury.median(values, metric.higherIsBetter);
            _medians[id][metric.key] = medians[i];
        }
    }

    function _revealed(bytes32 id, uint256 reveals) private view returns (int128[][] memory given) {
        given = new int128[][](reveals);
        uint256 count;
        address[] memory jurors = _juries[id];
        for (uint256 i; i < jurors.length; ++i) {
            int128[] memory values = _values[id][jurors[i]];
            if (values.length != 0) given[count++] = values;
        }
    }

    function _isMetric(bytes32 key) private view returns (bool) {
        for (uint256 i; i < _metrics.length; ++i) {
            if (_metrics[i].key == key) return true;
        }
        return false;
    }
}
