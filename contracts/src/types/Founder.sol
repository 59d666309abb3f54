// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev An organisation that is there from the first block.
struct Founder {
    string name;
    /// Wallet of a person; votes.
    address member;
    /// Administers agents, mandates and money.
    address operator;
}
