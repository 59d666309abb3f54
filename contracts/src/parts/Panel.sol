// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgentRegistry} from "../interfaces/IAgentRegistry.sol";
import {IEvaluatorCourt} from "../interfaces/IEvaluatorCourt.sol";
import {IReleaseRegistry} from "../interfaces/IReleaseRegistry.sol";
import {IRewardVault} from "../interfaces/IRewardVault.sol";
import {CourtCode} from "../libraries/CourtCode.sol";
import {Addresses} from "../types/Addresses.sol";

/// @title Who may be drawn: settings, panel, stakes and records
/// @dev Docs are in the interface. The stakes lie in the RewardVault; what stands here is the court's own account of them.
abstract contract Panel is IEvaluatorCourt {
    uint256 private constant MAX_METRICS = 32;
    /// @dev An appeal has 2k + 1 seats, and a case is settled in one transaction.
    uint8 private constant MAX_JURY = 15;
    uint128 private constant SLASH_BPS = 2000;

    // ---- Immutables ----

    IReleaseRegistry internal immutable REGISTRY;
    IAgentRegistry internal immutable AGENTS;
    IRewardVault internal immutable VAULT;
    /// @dev The timelock's address is the treasury.
    address internal immutable TIMELOCK;
    address internal immutable AMENDMENTS;

    // ---- Storage ----

    /// @dev A case keeps the version that it was opened with.
    address[] private _versions;
    uint32[] private _panel;
    mapping(uint32 organisation => bool) private _isOnPanel;
    mapping(uint32 organisation => Service) private _services;

    // ---- Constructor ----

    constructor(Addresses memory a, Settings memory settings_, Metric[] memory metrics_, uint32[] memory organisations) {
        REGISTRY = IReleaseRegistry(a.releaseRegistry);
        AGENTS = IAgentRegistry(a.agentRegistry);
        VAULT = IRewardVault(a.rewardVault);
        TIMELOCK = a.timelock;
        AMENDMENTS = a.amendments;
        _setVersion(settings_, metrics_);
        for (uint256 i; i < organisations.length; ++i) {
            _join(organisations[i]);
        }
    }

    // ---- Settings ----

    /// @inheritdoc IEvaluatorCourt
    function setSettings(Settings memory settings_) external {
        _only(AMENDMENTS);
        (, Metric[] memory same) = _version(_latest());
        _setVersion(settings_, same);
    }

    /// @inheritdoc IEvaluatorCourt
    function setMetrics(Metric[] memory metrics_) external {
        _only(AMENDMENTS);
        (Settings memory same,) = _version(_latest());
        _setVersion(same, metrics_);
    }

    // ---- Panel ----

    /// @inheritdoc IEvaluatorCourt
    function joinPanel(uint32 organisation) external {
        _only(TIMELOCK);
        _join(organisation);
    }

    /// @inheritdoc IEvaluatorCourt
    function removeFromPanel(uint32 organisation) external {
        _only(AMENDMENTS);
        if (!_isOnPanel[organisation]) revert CourtNotOnPanel(organisation);
        _isOnPanel[organisation] = false;
        uint256 last = _panel.length - 1;
        for (uint256 i; i < last; ++i) {
            if (_panel[i] == organisation) _panel[i] = _panel[last];
        }
        _panel.pop();
        _publish("panel-left", PanelLeft.selector, 1, abi.encode(organisation));
    }

    // ---- Stakes ----

    /// @inheritdoc IEvaluatorCourt
    function stake(address agent, uint128 amountE18) external {
        uint32 organisation = _owned(agent);
        Service storage own = _services[organisation];
        own.stakeE18 += amountE18;
        own.leavesAtS = 0;
        _publish("stake", Staked.selector, 1, abi.encode(organisation, amountE18));
        VAULT.hold(_stakeKey(organisation), msg.sender, amountE18);
    }

    /// @inheritdoc IEvaluatorCourt
    function askUnstake(address agent) external {
        uint32 organisation = _owned(agent);
        uint64 leavesAtS = uint64(block.timestamp) + settings().unstakeDelayS;
        _services[organisation].leavesAtS = leavesAtS;
        _publish("unstake-asked", UnstakeAsked.selector, 1, abi.encode(organisation, leavesAtS));
    }

    /// @inheritdoc IEvaluatorCourt
    function unstake(uint32 organisation) external {
        Service storage own = _services[organisation];
        uint64 leavesAtS = own.leavesAtS;
        bool free = leavesAtS != 0 && block.timestamp >= leavesAtS && own.openSeats == 0;
        if (!free) revert CourtStakeLocked(organisation, leavesAtS, own.openSeats);
        uint128 amountE18 = own.stakeE18;
        (own.stakeE18, own.leavesAtS) = (0, 0);
        _publish("unstaked", Unstaked.selector, 1, abi.encode(organisation, amountE18));
        VAULT.giveBack(_stakeKey(organisation), amountE18);
    }

    // ---- Views ----

    /// @inheritdoc IEvaluatorCourt
    function settings() public view returns (Settings memory latest) {
        (latest,) = _version(_latest());
    }

    /// @inheritdoc IEvaluatorCourt
    function metrics() external view returns (Metric[] memory latest) {
        (, latest) = _version(_latest());
    }

    /// @inheritdoc IEvaluatorCourt
    function panel() external view returns (uint32[] memory) {
        return _copy(_panel);
    }

    /// @inheritdoc IEvaluatorCourt
    function appealIsWholePanel() external view returns (bool) {
        Settings memory s = settings();
        uint256 largest = s.highJurySize > s.jurySize ? s.highJurySize : s.jurySize;
        return _eligibleBut(new uint32[](0), s.stakeE18).length < 3 * largest + 1;
    }

    /// @inheritdoc IEvaluatorCourt
    function service(uint32 organisation) external view returns (Service memory) {
        return _services[organisation];
    }

    // ---- Internal ----

    function _only(address allowed) internal view {
        if (msg.sender != allowed) revert CourtOnly(allowed, msg.sender);
    }

    function _owned(address agent) private view returns (uint32 organisation) {
        organisation = AGENTS.organisationOf(agent);
        _only(AGENTS.operatorOf(agent));
    }

    /// @dev Emits an event and appends its entry to the log, from one encoding of the arguments; the subject is the
    /// first of them. Only events without dynamic arguments have indexed ones, and these come first: then what is
    /// left of the encoding is their data. Apart, the two would cost a tenth of all the code that a contract may have.
    function _publish(bytes32 kind, bytes32 topic, uint256 indexed_, bytes memory arguments) internal {
        bytes32 subject;
        assembly ("memory-safe") {
            subject := mload(add(arguments, 32))
            let skipped := mul(indexed_, 32)
            let data := add(add(arguments, 32), skipped)
            let size := sub(mload(arguments), skipped)
            switch indexed_
            case 0 { log1(data, size, topic) }
            case 1 { log2(data, size, topic, subject) }
            default { log3(data, size, topic, subject, mload(add(arguments, 64))) }
        }
        REGISTRY.append(kind, subject, keccak256(arguments));
    }

    function _latest() internal view returns (uint256) {
        return _versions.length - 1;
    }

    function _version(uint256 number) internal view returns (Settings memory, Metric[] memory) {
        return CourtCode.read(_versions[number]);
    }

    function _setVersion(Settings memory given, Metric[] memory measured) private {
        bool sound = _isJury(given.jurySize) && _isJury(given.highJurySize) && given.maxLooks != 0;
        sound = sound && given.commitWindowS != 0 && given.revealWindowS != 0 && given.appealWindowS != 0;
        sound = sound && given.unstakeDelayS != 0 && given.stakeE18 != 0 && given.metricCode != 0;
        if (!sound || measured.length == 0 || measured.length > MAX_METRICS) revert CourtBadSettings();
        for (uint256 i; i < measured.length; ++i) {
            for (uint256 j; j < i; ++j) {
                if (measured[i].key == measured[j].key) revert CourtBadSettings();
            }
        }
        uint256 number = _versions.length;
        bytes memory encoded = abi.encode(number, given, measured);
        _versions.push(CourtCode.write(encoded));
        _publish("court-settings", SettingsChanged.selector, 0, encoded);
    }

    function _isJury(uint8 size) private pure returns (bool) {
        return size != 0 && size <= MAX_JURY;
    }

    function _join(uint32 organisation) private {
        if (_isOnPanel[organisation]) revert CourtAlreadyOnPanel(organisation);
        bool known = organisation != 0 && organisation <= AGENTS.organisationCount();
        if (!known) revert IAgentRegistry.AgentUnknownOrganisation(organisation);
        _isOnPanel[organisation] = true;
        _panel.push(organisation);
        _publish("panel", PanelJoined.selector, 1, abi.encode(organisation));
    }

    /// @dev Evaluator that sits for an organisation, or zero when it may not be drawn. Who asks to leave after a case was
    /// opened is drawn all the same: its stake cannot have gone, or it is not enough. So is who unbinds its evaluator,
    /// at any time: a seat that nobody fills costs a part of the stake, until it asks to leave.
    function _evaluatorOf(uint32 organisation, uint128 stakeE18) private view returns (address) {
        Service storage own = _services[organisation];
        bool serves = _isOnPanel[organisation] && own.stakeE18 >= stakeE18;
        return serves ? AGENTS.evaluatorOf(organisation) : address(0);
    }

    function _eligibleBut(uint32[] memory excluded, uint128 stakeE18) internal view returns (uint32[] memory eligible) {
        uint32[] memory all = _copy(_panel);
        eligible = new uint32[](all.length);
        uint256 count;
        for (uint256 i; i < all.length; ++i) {
            bool leaves = _services[all[i]].leavesAtS != 0;
            if (leaves || _contains(excluded, all[i]) || _evaluatorOf(all[i], stakeE18) == address(0)) continue;
            eligible[count++] = all[i];
        }
        assembly ("memory-safe") {
            mstore(eligible, count)
        }
    }

    /// @dev Seats an organisation; zero when it may not be drawn.
    function _take(uint32 organisation, uint128 stakeE18) internal returns (address juror) {
        juror = _evaluatorOf(organisation, stakeE18);
        if (juror == address(0)) return juror;
        Service storage own = _services[organisation];
        unchecked {
            ++own.openSeats;
            ++own.seated;
        }
    }

    /// @dev Notes how a juror served and takes its stake if it did not. Returns what was taken.
    function _judge(uint32 organisation, Outcome outcome, uint128 stakeE18) internal returns (uint128 slashedE18) {
        Service storage own = _services[organisation];
        unchecked {
            --own.openSeats;
            if (outcome == Outcome.Absent) ++own.absent;
            else ++own.revealed;
            if (outcome == Outcome.Deviated) ++own.deviated;
            if (outcome != Outcome.Absent && outcome != Outcome.Deviated) return 0;
            slashedE18 = uint128(uint256(stakeE18) * SLASH_BPS / 10_000);
            if (slashedE18 > own.stakeE18) slashedE18 = own.stakeE18;
            own.stakeE18 -= slashedE18;
            own.slashedE18 += slashedE18;
        }
        VAULT.forfeit(_stakeKey(organisation), TIMELOCK, slashedE18);
    }

    function _contains(uint32[] memory organisations, uint32 organisation) private pure returns (bool) {
        for (uint256 i; i < organisations.length; ++i) {
            if (organisations[i] == organisation) return true;
        }
        return false;
    }

    function _stakeKey(uint32 organisation) private pure returns (bytes32) {
        return keccak256(abi.encode("stake", organisation));
    }

    /// @dev Copying a list takes a loop; without a function there would be one at each place.
    function _copy(uint32[] storage list) internal view returns (uint32[] memory copied) {
        copied = list;
    }
}
