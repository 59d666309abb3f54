// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Deposits, and what is owed to whom
/// @notice Holds every deposit that is not the escrow of an agreement: bonds, stakes, bonuses, challenges, appeals, disputes.
/// @dev Money leaves in one way only: it is credited to an account, and `withdraw` sends it there.
interface IRewardVault {
    /// @dev Only the contracts of this network hold deposits.
    error VaultOnlyHolder(address caller);
    /// @dev A key is one owner's as long as anything lies under it.
    error VaultOfAnother(bytes32 key, address owner);
    error VaultTooLittle(bytes32 key, uint256 heldE18, uint256 askedE18);
    error VaultNothingDue(address account);
    error VaultNobody();
    /// @dev The token took a fee or moved another amount than asked.
    error VaultBadToken(uint256 expected, uint256 received);

    event Held(address indexed holder, bytes32 indexed key, address indexed owner, uint128 amountE18);
    event GivenBack(address indexed holder, bytes32 indexed key, address indexed owner, uint128 amountE18);
    event Forfeited(address indexed holder, bytes32 indexed key, address indexed to, uint128 amountE18);
    event Withdrawn(address indexed account, uint128 amountE18);

    /// @notice Adds to the deposit under a key of the calling contract, by `from`'s allowance. Nothing happens for an amount of zero.
    /// @dev Callers see to it that `from` agreed: its own transaction, or its agent's within the mandate.
    function hold(bytes32 key, address from, uint128 amountE18) external;

    /// @notice Credits a part of a deposit to its owner. Only the contract that holds it.
    function giveBack(bytes32 key, uint128 amountE18) external;

    /// @notice Credits a part of a deposit to somebody else. Only the contract that holds it.
    function forfeit(bytes32 key, address to, uint128 amountE18) external;

    /// @notice Takes a part of a deposit, or what is left of it: half to the injured, 30 % to the challenger if there is one, the rest to the treasury. Only the contract that holds it.
    function slash(bytes32 key, uint128 amountE18, address injured, address challenger) external;

    /// @notice Credits all that is left of a deposit to its owner. Only the contract that holds it.
    /// @return amountE18 Zero when nothing was left.
    function giveBackAll(bytes32 key) external returns (uint128 amountE18);

    /// @notice Sends to an account all that is credited to it. Anyone.
    function withdraw(address account) external;

    /// @notice What lies under a key of a contract, and whose it is; zero when nothing does.
    function held(address holder, bytes32 key) external view returns (address owner, uint128 amountE18);

    /// @notice What an account may withdraw, in 1e-18 credit.
    function balanceOf(address account) external view returns (uint128);

    /// @notice All that the vault owes, in 1e-18 credit; never more than it holds.
    function owedE18() external view returns (uint256);
}
