// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What AgreementBook asks Disputes before it frees a bond
interface IOpenDisputes {
    /// @notice Number of undecided disputes about an agreement.
    function openDisputes(bytes32 agreement) external view returns (uint256);
}
