// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgentRegistry} from "./interfaces/IAgentRegistry.sol";
import {IEvaluatorCourt} from "./interfaces/IEvaluatorCourt.sol";
import {Jury} from "./libraries/Jury.sol";
import {SignedCommits} from "./libraries/SignedCommits.sol";
import {Panel} from "./parts/Panel.sol";
import {Addresses} from "./types/Addresses.sol";
import {Tier} from "./types/Policy.sol";

/// @title Jury, commit, reveal, median, appeal, settlement
/// @dev Docs are in the interface. Every log payload is keccak256(abi.encode(arguments of the event in order)).
contract EvaluatorCourt is Panel {
    /// @dev What a juror did on one jury.
    struct Seat {
        uint32 organisation;
        bytes32 commitment;
        bytes32 contributions;
        int128[] values;
    }

    /// @dev The appeal's jury starts from nothing.
    struct Sitting {
        /// Taken at the opening: who joins, leaves or swaps agents afterwards cannot move the draw.
        uint32[] eligible;
        address[] jurors;
        mapping(address juror => Seat) seats;
    }

    /// @dev All that is known of a case.
    struct File {
        Case head;
        /// Seats that are drawn, at most.
        uint8 jurySize;
        /// The appeal's jury gave no result, so the first result stands and nobody is judged by it.
        bool isUndecided;
        /// Reveals behind the first result while an appeal runs.
        uint8 firstReveals;
        bytes32 resultHash;
        bytes32 contributions;
        bytes32[] roots;
        uint32[] excluded;
        /// In the order of the metrics.
        int128[] medians;
        Sitting[2] sittings;
        mapping(address juror => bool) gave;
    }

    /// @dev Blocks after the opening whose hashes make the seed.
    uint256 private constant FIRST_BLOCK = 1;
    uint256 private constant SECOND_BLOCK = 2;
    bytes32 private constant ANSWER = "upheld";
    int128 private constant YES = 1e6;

    // ---- Immutables ----

    address private immutable DISPUTES;

    // ---- Storage ----

    mapping(bytes32 id => File) private _files;
    /// @dev By the family of row sets.
    mapping(bytes32 family => uint8) private _looks;

    // ---- Constructor ----

    constructor(Addresses memory a, Settings memory settings_, Metric[] memory metrics_, uint32[] memory organisations)
        Panel(a, settings_, metrics_, organisations)
    {
        DISPUTES = a.disputes;
    }

    // ---- Opening ----

    /// @inheritdoc IEvaluatorCourt
    function open(
        bytes32 id,
        bytes32 job,
        bytes32 artifact,
        bytes32[] memory roots,
        uint32[] memory excluded
    ) external {
        _only(address(REGISTRY));
        if (roots.length == 0) revert CourtWrongLength(0, 1);
        _open(id, job, artifact, roots, excluded);
    }

    /// @inheritdoc IEvaluatorCourt
    function openDispute(bytes32 id, bytes32 evidence, uint32[] memory excluded) external {
        _only(DISPUTES);
        _open(id, 0, evidence, new bytes32[](0), excluded);
    }

    // ---- Jury ----

    /// @inheritdoc IEvaluatorCourt
    function draw(bytes32 id) external {
        File storage file = _at(id, Stage.Drawing);
        uint256 openedAt = file.head.openedAtBlock;
        if (block.number <= openedAt + SECOND_BLOCK) revert CourtTooEarly(block.number);
        (bytes32 first, bytes32 second) = (blockhash(openedAt + FIRST_BLOCK), blockhash(openedAt + SECOND_BLOCK));
        // The chain forgets a block's hash after 256 more; drawing again would be rolling the dice again.
        if (first == 0 || second == 0) return _lapse(id, file);
        bytes32 seed = keccak256(abi.encode(id, first ^ second));
        address[] memory jurors = _seat(file, seed);
        _enter(file, Stage.Committing, _settingsOf(file).commitWindowS);
        _publish("jury", JuryDrawn.selector, 0, abi.encode(id, jurors, seed, file.head.round));
    }

    /// @inheritdoc IEvaluatorCourt
    function commit(bytes32 id, bytes32 commitment) external {
        _commit(id, msg.sender, commitment);
    }

    /// @inheritdoc IEvaluatorCourt
    function commitFor(bytes32 id, address juror, bytes32 commitment, uint64 deadlineS, bytes calldata signature)
        external
    {
        Case storage head = _files[id].head;
        // No two juries of a case share the end of a window, so a signature cannot be used again in an appeal.
        if (deadlineS != head.windowEndS) revert CourtBadDeadline(head.windowEndS);
        SignedCommits.Commit memory signed = SignedCommits.Commit(id, head.artifact, juror, commitment, deadlineS);
        if (!SignedCommits.isSigned(signed, signature)) revert CourtNotJuror(juror);
        _commit(id, juror, commitment);
    }

    /// @inheritdoc IEvaluatorCourt
    function reveal(
        bytes32 id,
        address juror,
        int128[] memory values,
        bytes32 report,
        bytes32 contributions,
        bytes32 salt
    ) external {
        File storage file = _at(id, Stage.Revealing);
        _requireInTime(file.head, file.head.round);
        Seat storage seat = _sitting(file).seats[juror];
        if (seat.organisation == 0) revert CourtNotJuror(juror);
        _requireSound(file, values);
        bytes32 artifact = file.head.artifact;
        bytes32 expected = keccak256(
            abi.encode(block.chainid, address(this), id, artifact, juror, values, report, contributions, salt)
        );
        if (seat.commitment != expected) revert CourtCommitmentMismatch(juror);
        // Spent, so that nobody reveals twice.
        seat.commitment = 0;
        (seat.values, seat.contributions) = (values, contributions);
        if (!Jury.isAbstention(values)) file.gave[juror] = true;
        ++file.head.reveals;
        uint8 round = file.head.round;
        _publish("reveal", Revealed.selector, 0, abi.encode(id, juror, values, report, contributions, salt, round));
    }

    /// @inheritdoc IEvaluatorCourt
    function finalise(bytes32 id) external {
        File storage file = _at(id, Stage.Revealing);
        Case storage head = file.head;
        bool over = head.reveals == head.commits || block.timestamp > head.windowEndS;
        if (!over) revert CourtWindowOpen(head.windowEndS);
        // One reveal must not decide a case of several jurors.
        if (2 * uint256(head.reveals) <= _sitting(file).jurors.length) return _lapse(id, file);
        if (head.round != 0) return _decideAppeal(id, file);
        _enter(file, Stage.Final, _settingsOf(file).appealWindowS);
        _decide(id, file);
    }

    // ---- Appeal and settlement ----

    /// @inheritdoc IEvaluatorCourt
    function appeal(bytes32 id) external {
        File storage file = _at(id, Stage.Final);
        Case storage head = file.head;
        // An appeal cannot be appealed: its window is no longer than a moment.
        _requireInTime(head, 0);
        uint32[] memory eligible;
        (eligible, file.jurySize) = _larger(file);
        file.sittings[1].eligible = eligible;
        file.firstReveals = head.reveals;
        (head.round, head.commits, head.reveals) = (1, 0, 0);
        (head.stage, head.openedAtBlock, head.windowEndS) = (Stage.Drawing, uint64(block.number), 0);
        uint128 bondE18 = _settingsOf(file).appealBondE18;
        _publish("appeal", Appealed.selector, 2, abi.encode(id, msg.sender, bondE18, file.jurySize));
        VAULT.hold(id, msg.sender, bondE18);
    }

    /// @inheritdoc IEvaluatorCourt
    function settle(bytes32 id) external {
        File storage file = _files[id];
        bool over = file.head.stage == Stage.Lapsed || isConclusive(id);
        if (!over || file.head.isSettled) revert CourtNotSettleable(id);
        file.head.isSettled = true;
        for (uint8 round; round <= file.head.round; ++round) {
            _settle(id, file, round);
        }
    }

    // ---- Views ----

    /// @inheritdoc IEvaluatorCourt
    /// @dev Shows the revealing stage from the moment the commit window is over.
    function courtCase(bytes32 id) external view returns (Case memory head) {
        head = _files[id].head;
        (head.stage, head.windowEndS) = _now(_files[id]);
    }

    /// @inheritdoc IEvaluatorCourt
    function stageOf(bytes32 id) external view returns (Stage stage) {
        (stage,) = _now(_files[id]);
    }

    /// @inheritdoc IEvaluatorCourt
    function jury(bytes32 id) external view returns (address[] memory) {
        return _jurors(_sitting(_files[id]));
    }

    /// @inheritdoc IEvaluatorCourt
    function evaluationRoots(bytes32 id) external view returns (bytes32[] memory) {
        return _files[id].roots;
    }

    /// @inheritdoc IEvaluatorCourt
    function hasRevealed(bytes32 id, address juror) external view returns (bool) {
        return _files[id].gave[juror];
    }

    /// @inheritdoc IEvaluatorCourt
    function isConclusive(bytes32 id) public view returns (bool) {
        Case storage head = _files[id].head;
        return head.stage == Stage.Final && (head.round != 0 || block.timestamp > head.windowEndS);
    }

    /// @inheritdoc IEvaluatorCourt
    /// @dev While an appeal runs the first result stands; nothing is proposed or approved on it.
    function median(bytes32 id, bytes32 key) public view returns (int128 value, bool known) {
        File storage file = _files[id];
        Metric[] memory measured = _measured(file);
        for (uint256 i; i < file.medians.length; ++i) {
            if (measured[i].key != key) continue;
            value = file.medians[i];
            known = value != Jury.MISSING;
            return (known ? value : int128(0), known);
        }
    }

    /// @inheritdoc IEvaluatorCourt
    function verdict(bytes32 id) external view returns (bool known, bool upheld) {
        int128 value;
        (value, known) = median(id, ANSWER);
        known = known && isConclusive(id);
        upheld = known && value == YES;
    }

    /// @inheritdoc IEvaluatorCourt
    function resultHash(bytes32 id) external view returns (bytes32) {
        return _files[id].resultHash;
    }

    /// @inheritdoc IEvaluatorCourt
    function contributionRoot(bytes32 id) external view returns (bytes32) {
        return _files[id].contributions;
    }

    /// @inheritdoc IEvaluatorCourt
    function looks(bytes32 root) external view returns (uint8) {
        return _looks[AGENTS.dataSet(root).family];
    }

    // ---- Internal: opening ----

    function _open(bytes32 id, bytes32 job, bytes32 artifact, bytes32[] memory roots, uint32[] memory excluded)
        private
    {
        File storage file = _files[id];
        Case storage head = file.head;
        if (head.stage != Stage.None) revert CourtCaseExists(id);
        Settings memory s = settings();
        _look(id, roots, s.maxLooks);
        uint8 size = _tierOf(id) == Tier.HIGH ? s.highJurySize : s.jurySize;
        uint32[] memory eligible = _eligibleBut(excluded, s.stakeE18);
        if (eligible.length < size) revert CourtPanelTooSmall(eligible.length, size);
        (head.stage, head.job, head.artifact) = (Stage.Drawing, job, artifact);
        (head.openedAtBlock, head.version, file.jurySize) = (uint64(block.number), uint32(_latest()), size);
        head.isDispute = roots.length == 0;
        (file.roots, file.excluded, file.sittings[0].eligible) = (roots, excluded, eligible);
        _publish("case", CaseOpened.selector, 0, abi.encode(id, job, artifact, roots, excluded, size, head.version));
    }

    /// @dev One candidate is one look at a family, however many of its sets it reads.
    function _look(bytes32 id, bytes32[] memory roots, uint8 most) private {
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
            if (!seen && before >= most) revert CourtLooksExhausted(roots[i], before);
            uint8 taken = seen ? before : before + 1;
            _looks[set.family] = taken;
            emit Looked(roots[i], id, taken);
        }
    }

    // ---- Internal: jury ----

    /// @dev An organisation that may not sit any more gives its seat to the next in the order. The first jury is
    /// complete or not drawn at all; an appeal's may be smaller, or leaving the panel would stop every appeal.
    function _seat(File storage file, bytes32 seed) private returns (address[] memory jurors) {
        Sitting storage sitting = _sitting(file);
        uint32[] memory order = _copy(sitting.eligible);
        Jury.shuffle(order, seed);
        (uint256 size, uint128 stakeE18) = (file.jurySize, _settingsOf(file).stakeE18);
        jurors = new address[](size);
        uint256 seated;
        for (uint256 i; i < order.length && seated < size; ++i) {
            address juror = _take(order[i], stakeE18);
            if (juror == address(0)) continue;
            sitting.seats[juror].organisation = order[i];
            jurors[seated++] = juror;
        }
        uint256 least = file.head.round == 0 ? size : file.sittings[0].jurors.length / 2 + 1;
        if (seated < least) revert CourtPanelTooSmall(seated, least);
        assembly ("memory-safe") {
            mstore(jurors, seated)
        }
        sitting.jurors = jurors;
    }

    /// @dev 2k + 1 seats for organisations that did not sit before, or the whole panel.
    function _larger(File storage file) private view returns (uint32[] memory eligible, uint8 size) {
        uint128 stakeE18 = _settingsOf(file).stakeE18;
        address[] memory first = _jurors(file.sittings[0]);
        uint32[] memory excluded = _copy(file.excluded);
        uint32[] memory sat = new uint32[](excluded.length + first.length);
        for (uint256 i; i < sat.length; ++i) {
            bool named = i < excluded.length;
            sat[i] = named ? excluded[i] : file.sittings[0].seats[first[i - excluded.length]].organisation;
        }
        eligible = _eligibleBut(sat, stakeE18);
        size = uint8(2 * first.length + 1);
        if (eligible.length >= size) return (eligible, size);
        eligible = _eligibleBut(excluded, stakeE18);
        if (2 * eligible.length <= first.length) revert CourtPanelTooSmall(eligible.length, first.length / 2 + 1);
        size = uint8(eligible.length);
    }

    function _commit(bytes32 id, address juror, bytes32 commitment) private {
        File storage file = _at(id, Stage.Committing);
        Sitting storage sitting = _sitting(file);
        Seat storage seat = sitting.seats[juror];
        // A key that its operator has withdrawn measures nothing any more. A suspended organisation keeps the seat that it
        // had: it would pay for leaving it empty.
        if (seat.organisation == 0 || !AGENTS.actsFor(juror, juror)) revert CourtNotJuror(juror);
        if (commitment == 0) revert CourtEmptyCommitment();
        if (seat.commitment != 0) revert CourtAlreadyCommitted(juror);
        seat.commitment = commitment;
        if (++file.head.commits == sitting.jurors.length) {
            _enter(file, Stage.Revealing, _settingsOf(file).revealWindowS);
        }
        _publish("commit", Committed.selector, 2, abi.encode(id, juror, commitment, file.head.round));
    }

    function _requireSound(File storage file, int128[] memory values) private view {
        uint256 count = _measured(file).length;
        if (values.length != count) revert CourtWrongLength(values.length, count);
        int128 first = values[0];
        bool answer = first == 0 || first == YES || first == Jury.MISSING;
        if (file.head.isDispute && !answer) revert CourtBadAnswer(first);
    }

    // ---- Internal: stages ----

    /// @dev The stage with the passing of time: when the commit window ends, revealing begins by itself.
    function _now(File storage file) private view returns (Stage stage, uint64 windowEndS) {
        Case storage head = file.head;
        (stage, windowEndS) = (head.stage, head.windowEndS);
        if (stage == Stage.Committing && block.timestamp > windowEndS) {
            return (Stage.Revealing, windowEndS + _settingsOf(file).revealWindowS);
        }
    }

    function _at(bytes32 id, Stage expected) private returns (File storage file) {
        file = _files[id];
        (Stage stage, uint64 windowEndS) = _now(file);
        if (stage != expected) revert CourtWrongStage(id, stage);
        (file.head.stage, file.head.windowEndS) = (stage, windowEndS);
    }

    function _requireInTime(Case storage head, uint8 round) private view {
        if (head.round != round || block.timestamp > head.windowEndS) revert CourtWindowOver(head.windowEndS);
    }

    function _enter(File storage file, Stage stage, uint64 windowS) private {
        (file.head.stage, file.head.windowEndS) = (stage, uint64(block.timestamp) + windowS);
    }

    function _lapse(bytes32 id, File storage file) private {
        if (file.head.round != 0) {
            // The first result stands. Nobody is judged by it: the appeal that was to confirm it never ended.
            (file.head.reveals, file.isUndecided) = (file.firstReveals, true);
            return _endAppeal(id, file, false);
        }
        file.head.stage = Stage.Lapsed;
        _publish("lapsed", CaseLapsed.selector, 1, abi.encode(id, file.head.reveals));
    }

    // ---- Internal: results ----

    function _decide(bytes32 id, File storage file) private {
        Metric[] memory measured = _measured(file);
        (int128[][] memory given, bytes32 root) = _revealed(_sitting(file), file.head.reveals);
        bytes32[] memory keys = new bytes32[](measured.length);
        int128[] memory medians = new int128[](measured.length);
        for (uint256 i; i < keys.length; ++i) {
            int128[] memory values = new int128[](given.length);
            for (uint256 j; j < values.length; ++j) {
                values[j] = given[j][i];
            }
            keys[i] = measured[i].key;
            medians[i] = Jury.median(values, measured[i].higherIsBetter);
        }
        (uint8 reveals, uint8 round) = (file.head.reveals, file.head.round);
        (file.medians, file.contributions) = (medians, root);
        file.resultHash = keccak256(abi.encode(keys, medians, reveals));
        _publish("result", CaseFinal.selector, 0, abi.encode(id, keys, medians, reveals, root, round));
    }

    /// @dev Both results are judged now, by the same rules: the set may have changed since the first.
    function _decideAppeal(bytes32 id, File storage file) private {
        uint8 reveals = file.head.reveals;
        (file.head.stage, file.head.reveals) = (Stage.Final, file.firstReveals);
        uint256 before = _verdictOf(id, file);
        file.head.reveals = reveals;
        _decide(id, file);
        _endAppeal(id, file, _verdictOf(id, file) != before);
    }

    function _endAppeal(bytes32 id, File storage file, bool changed) private {
        bool decided = !file.isUndecided;
        _enter(file, Stage.Final, 0);
        _publish("appeal-ended", AppealEnded.selector, 1, abi.encode(id, decided, changed));
        uint128 bondE18 = _settingsOf(file).appealBondE18;
        if (changed) VAULT.giveBack(id, bondE18);
        else VAULT.forfeit(id, TIMELOCK, bondE18);
    }

    /// @dev The failed rules, or the answer.
    function _verdictOf(bytes32 id, File storage file) private view returns (uint256 failed) {
        if (file.head.isDispute) return uint128(file.medians[0]);
        (failed,) = _check(id);
    }

    function _tierOf(bytes32 id) private view returns (uint8 tier) {
        (, tier) = _check(id);
    }

    /// @dev A set that cannot judge this candidate any more must not keep its case open.
    function _check(bytes32 id) private view returns (uint256, uint8) {
        try REGISTRY.check(id) returns (uint256 failed, uint256, uint8 tier) {
            return (failed, tier);
        } catch {
            return (type(uint256).max, 0);
        }
    }

    function _settle(bytes32 id, File storage file, uint8 round) private {
        Sitting storage sitting = file.sittings[round];
        address[] memory jurors = _jurors(sitting);
        Outcome[] memory outcomes = new Outcome[](jurors.length);
        uint128[] memory slashedE18 = new uint128[](jurors.length);
        Metric[] memory measured = _measured(file);
        // Without a result that stands, absence alone is judged.
        int128[] memory medians = file.isUndecided ? new int128[](0) : _copy(file.medians);
        uint128 stakeE18 = _settingsOf(file).stakeE18;
        for (uint256 i; i < jurors.length; ++i) {
            Seat storage seat = sitting.seats[jurors[i]];
            outcomes[i] = _outcome(_copy(seat.values), medians, measured);
            slashedE18[i] = _judge(seat.organisation, outcomes[i], stakeE18);
        }
        _publish("settled", JurySettled.selector, 0, abi.encode(id, round, outcomes, slashedE18));
    }

    function _outcome(int128[] memory values, int128[] memory medians, Metric[] memory measured)
        private
        pure
        returns (Outcome)
    {
        if (values.length == 0) return Outcome.Absent;
        if (Jury.isAbstention(values)) return Outcome.Abstained;
        for (uint256 i; i < medians.length; ++i) {
            if (Jury.deviates(values[i], medians[i], measured[i].toleranceMicros)) return Outcome.Deviated;
        }
        return Outcome.Held;
    }

    function _revealed(Sitting storage sitting, uint256 reveals)
        private
        view
        returns (int128[][] memory given, bytes32 root)
    {
        given = new int128[][](reveals);
        bytes32[] memory roots = new bytes32[](reveals);
        uint256 count;
        address[] memory jurors = _jurors(sitting);
        for (uint256 i; i < jurors.length; ++i) {
            Seat storage seat = sitting.seats[jurors[i]];
            if (seat.values.length == 0) continue;
            roots[count] = seat.contributions;
            given[count++] = _copy(seat.values);
        }
        root = Jury.majority(roots);
    }

    function _measured(File storage file) private view returns (Metric[] memory measured) {
        (, measured) = _version(file.head.version);
        if (!file.head.isDispute) return measured;
        measured = new Metric[](1);
        // Of two middle answers the smaller one counts: a tie upholds nothing.
        measured[0] = Metric(ANSWER, true, 0);
    }

    function _settingsOf(File storage file) private view returns (Settings memory kept) {
        (kept,) = _version(file.head.version);
    }

    // Copying a list takes a loop; without functions there would be one at each place.

    function _jurors(Sitting storage sitting) private view returns (address[] memory) {
        return sitting.jurors;
    }

    function _copy(int128[] storage list) private view returns (int128[] memory copied) {
        copied = list;
    }

    function _sitting(File storage file) private view returns (Sitting storage) {
        return file.sittings[file.head.round];
    }
}
