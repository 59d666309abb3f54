// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IRewardVault} from "./interfaces/IRewardVault.sol";
import {Payouts} from "./libraries/Payouts.sol";
import {Pools} from "./parts/Pools.sol";
import {Addresses} from "./types/Addresses.sol";

/// @title Deposits, and what is owed to whom
/// @dev Docs are in the interface. Every log payload is keccak256(abi.encode(arguments of the event in order)).
/// Money moves last in every function, and nothing can be entered while it does.
contract RewardVault is IRewardVault, Pools {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @dev One slot; 96 bits are 79 billion credits.
    struct Deposit {
        address owner;
        uint96 amountE18;
    }

    /// @dev The second half is never emptied, so that only the first credit of an account pays for a fresh slot.
    struct Account {
        uint128 balanceE18;
        uint128 creditedE18;
    }

    // ---- Immutables ----

    IERC20 private immutable CREDIT;
    address private immutable CONSENT;
    address private immutable DISPUTES;

    // ---- Storage ----

    mapping(address holder => mapping(bytes32 key => Deposit)) private _deposits;
    mapping(address => Account) private _accounts;
    uint256 private _owedE18;

    // ---- Constructor ----

    constructor(Addresses memory a) Pools(a) {
        CREDIT = IERC20(a.credit);
        CONSENT = a.consent;
        DISPUTES = a.disputes;
    }

    // ---- Deposits ----

    /// @inheritdoc IRewardVault
    function hold(bytes32 key, address from, uint128 amountE18) external nonReentrant {
        bool listed = msg.sender == address(BOOK) || msg.sender == address(COURT) || msg.sender == address(RELEASES)
            || msg.sender == CONSENT || msg.sender == DISPUTES;
        if (!listed) revert VaultOnlyHolder(msg.sender);
        if (amountE18 == 0) return;
        if (from == address(0)) revert VaultNobody();
        Deposit storage deposit = _deposits[msg.sender][key];
        if (deposit.amountE18 != 0 && deposit.owner != from) revert VaultOfAnother(key, deposit.owner);
        deposit.owner = from;
        deposit.amountE18 = (uint256(deposit.amountE18) + amountE18).toUint96();
        emit Held(msg.sender, key, from, amountE18);
        RELEASES.append("held", key, keccak256(abi.encode(msg.sender, key, from, amountE18)));
        _take(from, amountE18);
    }

    /// @inheritdoc IRewardVault
    function giveBack(bytes32 key, uint128 amountE18) external nonReentrant {
        _giveBack(key, amountE18);
    }

    /// @inheritdoc IRewardVault
    function giveBackAll(bytes32 key) external nonReentrant returns (uint128 amountE18) {
        amountE18 = _deposits[msg.sender][key].amountE18;
        _giveBack(key, amountE18);
    }

    /// @inheritdoc IRewardVault
    function forfeit(bytes32 key, address to, uint128 amountE18) external nonReentrant {
        _forfeit(key, to, amountE18);
    }

    /// @inheritdoc IRewardVault
    function slash(bytes32 key, uint128 amountE18, address injured, address challenger) external nonReentrant {
        uint128 leftE18 = _deposits[msg.sender][key].amountE18;
        Payouts.Slash memory parts = Payouts.slash(amountE18 < leftE18 ? amountE18 : leftE18, challenger != address(0));
        _forfeit(key, injured, parts.injuredE18);
        _forfeit(key, challenger, parts.challengerE18);
        _forfeit(key, TREASURY, parts.treasuryE18);
    }

    // ---- Accounts ----

    /// @inheritdoc IRewardVault
    function withdraw(address account) external nonReentrant {
        uint128 amountE18 = _accounts[account].balanceE18;
        if (amountE18 == 0) revert VaultNothingDue(account);
        _accounts[account].balanceE18 = 0;
        _owedE18 -= amountE18;
        emit Withdrawn(account, amountE18);
        RELEASES.append("withdrawn", bytes32(uint256(uint160(account))), keccak256(abi.encode(account, amountE18)));
        CREDIT.safeTransfer(account, amountE18);
    }

    // ---- Views ----

    /// @inheritdoc IRewardVault
    function held(address holder, bytes32 key) external view returns (address owner, uint128 amountE18) {
        Deposit storage deposit = _deposits[holder][key];
        return (deposit.owner, deposit.amountE18);
    }

    /// @inheritdoc IRewardVault
    function balanceOf(address account) external view returns (uint128) {
        return _accounts[account].balanceE18;
    }

    /// @inheritdoc IRewardVault
    function owedE18() external view returns (uint256) {
        return _owedE18;
    }

    // ---- Internal ----

    function _take(address from, uint128 amountE18) internal override {
        _owedE18 += amountE18;
        uint256 beforeE18 = CREDIT.balanceOf(address(this));
        CREDIT.safeTransferFrom(from, address(this), amountE18);
        uint256 afterE18 = CREDIT.balanceOf(address(this));
        uint256 receivedE18 = afterE18 > beforeE18 ? afterE18 - beforeE18 : 0;
        if (receivedE18 != amountE18) revert VaultBadToken(amountE18, receivedE18);
    }

    function _takeBonus(bytes32 job) internal override returns (address owner, uint128 amountE18) {
        Deposit storage deposit = _deposits[address(BOOK)][job];
        (owner, amountE18) = (deposit.owner, deposit.amountE18);
        delete _deposits[address(BOOK)][job];
    }

    function _giveBack(bytes32 key, uint128 amountE18) private {
        address owner = _deposits[msg.sender][key].owner;
        if (!_release(key, amountE18)) return;
        _credit(owner, amountE18);
        emit GivenBack(msg.sender, key, owner, amountE18);
        RELEASES.append("given-back", key, keccak256(abi.encode(msg.sender, key, owner, amountE18)));
    }

    function _forfeit(bytes32 key, address to, uint128 amountE18) private {
        if (!_release(key, amountE18)) return;
        _credit(to, amountE18);
        emit Forfeited(msg.sender, key, to, amountE18);
        RELEASES.append("forfeited", key, keccak256(abi.encode(msg.sender, key, to, amountE18)));
    }

    /// @return some False when there is nothing to do.
    function _release(bytes32 key, uint128 amountE18) private returns (bool some) {
        if (amountE18 == 0) return false;
        Deposit storage deposit = _deposits[msg.sender][key];
        uint96 heldE18 = deposit.amountE18;
        if (heldE18 < amountE18) revert VaultTooLittle(key, heldE18, amountE18);
        deposit.amountE18 = heldE18 - uint96(amountE18);
        if (heldE18 == amountE18) deposit.owner = address(0);
        return true;
    }

    function _credit(address to, uint128 amountE18) internal override {
        if (to == address(0)) revert VaultNobody();
        Account storage account = _accounts[to];
        account.balanceE18 += amountE18;
        account.creditedE18 += amountE18;
    }
}
