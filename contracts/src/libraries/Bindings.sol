// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IAgentRegistry, Role} from "../interfaces/IAgentRegistry.sol";

/// @title What an agent's key signs to be bound, and whether it did
/// @dev An agent is a secp256k1 key, so only the key itself can agree: code that an account delegates to (EIP-7702) can not.
library Bindings {
    bytes32 internal constant TYPE_HASH = keccak256(
        "Binding(address agent,address operator,uint8 roles,bytes32 publicKeyX,bytes32 publicKeyY,bytes32 encryptionKey,string endpoint,uint256 nonce,uint64 deadlineS)"
    );
    uint8 private constant KNOWN_ROLES =
        Role.OWNER | Role.COORDINATOR | Role.COMPUTE | Role.EVALUATOR | Role.KEEPER;

    /// @dev EIP-712 hashStruct.
    function hash(IAgentRegistry.Binding calldata binding) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                TYPE_HASH,
                binding.agent,
                binding.operator,
                binding.roles,
                binding.publicKeyX,
                binding.publicKeyY,
                binding.encryptionKey,
                keccak256(bytes(binding.endpoint)),
                binding.nonce,
                binding.deadlineS
            )
        );
    }

    function requireSound(IAgentRegistry.Binding calldata binding, uint256 expectedNonce) internal view {
        if (block.timestamp > binding.deadlineS) revert IAgentRegistry.AgentExpired(binding.deadlineS);
        if (binding.nonce != expectedNonce) revert IAgentRegistry.AgentBadNonce(binding.nonce, expectedNonce);
        bool known = binding.roles != 0 && binding.roles & ~KNOWN_ROLES == 0;
        if (!known) revert IAgentRegistry.AgentBadRoles(binding.roles);
        address fromKey = address(uint160(uint256(keccak256(abi.encode(binding.publicKeyX, binding.publicKeyY)))));
        if (fromKey != binding.agent) revert IAgentRegistry.AgentKeyMismatch(binding.agent, fromKey);
    }

    function requireSigned(address agent, bytes32 digest, bytes calldata signature) internal pure {
        (address signer, ECDSA.RecoverError problem,) = ECDSA.tryRecoverCalldata(digest, signature);
        bool signed = problem == ECDSA.RecoverError.NoError && signer == agent;
        if (!signed) revert IAgentRegistry.AgentBadSignature(agent, signer);
    }
}
