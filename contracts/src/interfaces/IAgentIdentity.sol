// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The agents as an ERC-8004 Identity Registry shows them, to read
/// @notice The id of an agent is its key's address as a number. Its owner, and the wallet that is paid, is its operator.
/// @dev Of ERC-8004 (draft) and ERC-721 these views alone. Agents are bound by `bind`, never registered, minted, approved or
/// transferred, so there is no `Transfer` event and no ERC-165 answer: nobody may take this for a token that can be sold.
interface IAgentIdentity {
    /// @dev As ERC-721 implementations name it.
    error ERC721NonexistentToken(uint256 tokenId);

    function ownerOf(uint256 agentId) external view returns (address);

    /// @notice The agent's endpoint.
    function tokenURI(uint256 agentId) external view returns (string memory);

    /// @notice The operator: who is paid for the agent.
    function getAgentWallet(uint256 agentId) external view returns (address);

    /// @param key "agentWallet" (20 bytes), "organisation", "roles", "active" (each `abi.encode`d), "publicKey" (64 bytes) or
    /// "encryptionKey" (32); any other is answered with nothing.
    function getMetadata(uint256 agentId, string calldata key) external view returns (bytes memory);

    /// @notice Agents ever bound.
    function totalSupply() external view returns (uint256);

    /// @notice Id of an agent in the order of first binding, from zero.
    function tokenByIndex(uint256 index) external view returns (uint256);
}
