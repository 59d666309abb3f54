// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev Where the parts stand. Precomputed before the first deployment, so that all wiring is immutable.
struct Addresses {
    address credit;
    address memberToken;
    address timelock;
    address governor;
    address releaseRegistry;
    address policyRegistry;
    address agentRegistry;
    address agreementBook;
    address roundLedger;
    address evaluatorCourt;
    address amendments;
    address rewardVault;
    address consent;
    address disputes;
}
