// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgentIdentity} from "../interfaces/IAgentIdentity.sol";
import {IAgentRegistry} from "../interfaces/IAgentRegistry.sol";

/// @title The read side of an ERC-8004 Identity Registry
/// @dev Docs are in the interface.
abstract contract AgentIdentity is IAgentIdentity {
    /// @inheritdoc IAgentIdentity
    function ownerOf(uint256 agentId) external view returns (address operator) {
        (, operator) = _identity(agentId);
    }

    /// @inheritdoc IAgentIdentity
    function tokenURI(uint256 agentId) external view returns (string memory) {
        (IAgentRegistry.Agent memory found,) = _identity(agentId);
        return found.endpoint;
    }

    /// @inheritdoc IAgentIdentity
    function getAgentWallet(uint256 agentId) external view returns (address operator) {
        (, operator) = _identity(agentId);
    }

    /// @inheritdoc IAgentIdentity
    function getMetadata(uint256 agentId, string calldata key) external view returns (bytes memory) {
        (IAgentRegistry.Agent memory found, address operator) = _identity(agentId);
        bytes32 name = keccak256(bytes(key));
        if (name == keccak256("agentWallet")) return abi.encodePacked(operator);
        if (name == keccak256("organisation")) return abi.encode(found.organisation);
        if (name == keccak256("roles")) return abi.encode(found.roles);
        if (name == keccak256("active")) return abi.encode(found.active);
        if (name == keccak256("publicKey")) return abi.encode(found.publicKeyX, found.publicKeyY);
        if (name == keccak256("encryptionKey")) return abi.encode(found.encryptionKey);
        return "";
    }

    /// @inheritdoc IAgentIdentity
    function totalSupply() external view returns (uint256) {
        return _agentKeys().length;
    }

    /// @inheritdoc IAgentIdentity
    function tokenByIndex(uint256 index) external view returns (uint256) {
        return uint160(_agentKeys()[index]);
    }

    function _identity(uint256 agentId) private view returns (IAgentRegistry.Agent memory found, address operator) {
        address key = address(uint160(agentId));
        (found, operator) = _bound(key);
        if (uint160(key) != agentId || found.organisation == 0) revert ERC721NonexistentToken(agentId);
    }

    function _bound(address key) internal view virtual returns (IAgentRegistry.Agent memory found, address operator);

    function _agentKeys() internal view virtual returns (address[] storage);
}
