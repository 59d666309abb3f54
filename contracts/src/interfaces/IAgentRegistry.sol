// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Mandate, Standing, Terms} from "../types/Market.sol";

/// @dev What an agent may do. A bit set.
library Role {
    uint8 internal constant OWNER = 1;
    uint8 internal constant COORDINATOR = 2;
    uint8 internal constant COMPUTE = 4;
    uint8 internal constant EVALUATOR = 8;
    uint8 internal constant KEEPER = 16;
}

/// @title Organisations, their agents, mandates and data roots
/// @notice An organisation is admitted by vote; its operator binds agents, whose keys agree by signature.
interface IAgentRegistry {
    struct Organisation {
        string name;
        /// Wallet of a person; votes.
        address member;
        /// Administers agents, mandates and money; never on an agent's host.
        address operator;
        uint64 admittedAtS;
        bool active;
    }

    struct Agent {
        uint32 organisation;
        uint8 roles;
        bool active;
        uint64 boundAtS;
        uint64 lastSeenS;
        /// Uncompressed secp256k1 key; its hash is the agent's address.
        bytes32 publicKeyX;
        bytes32 publicKeyY;
        /// X25519 key to which evaluation rows are sealed.
        bytes32 encryptionKey;
        string endpoint;
    }

    /// @dev What operator and agent key both agree to.
    struct Binding {
        address agent;
        address operator;
        uint8 roles;
        bytes32 publicKeyX;
        bytes32 publicKeyY;
        bytes32 encryptionKey;
        string endpoint;
        uint256 nonce;
        uint64 deadlineS;
    }

    /// @dev A committed Merkle root over salted rows.
    struct DataSet {
        address agent;
        uint32 rows;
        /// True for evaluation rows, false for training rows.
        bool evaluation;
        uint64 committedAtS;
        /// The first root of those that share rows; looks are counted under it.
        bytes32 family;
    }

    error AgentOnlyAmendments(address caller);
    error AgentOnlyOperator(address caller);
    error AgentNotActive(address agent);
    error AgentUnknownOrganisation(uint32 organisation);
    /// @dev Names and keys belong to one organisation for ever.
    error AgentAlreadyUsed(address key);
    /// @dev The guardian's key is no organisation's.
    error AgentIsGuardian(address key);
    error AgentEmptyName();
    error AgentBadSignature(address agent, address recovered);
    error AgentKeyMismatch(address agent, address fromKey);
    error AgentExpired(uint64 deadlineS);
    error AgentBadNonce(uint256 given, uint256 expected);
    error AgentBadRoles(uint8 roles);
    error AgentDataAlreadyCommitted(bytes32 root);
    error AgentUnknownData(bytes32 root);
    error AgentEmptyData();

    event OrganisationAdmitted(uint32 indexed organisation, string name, address indexed member, address indexed operator);
    event OrganisationRemoved(uint32 indexed organisation);
    event AgentBound(
        address indexed agent, uint32 indexed organisation, uint8 roles, bytes32 publicKeyX, bytes32 publicKeyY, bytes32 encryptionKey
    );
    event AgentUnbound(address indexed agent);
    event EndpointChanged(address indexed agent, string endpoint);
    event MandateChanged(address indexed agent, Mandate mandate);
    event DataCommitted(address indexed agent, bytes32 indexed root, uint32 rows, bool evaluation, bytes32 family);
    event Heartbeat(address indexed agent);

    /// @notice Admits an organisation with one vote. Only Amendments, so 14 days after its vote.
    /// @return organisation Its number, counted from one.
    function admit(string calldata name, address member, address operator) external returns (uint32 organisation);

    /// @notice Removes an organisation, its vote and all its agents. Only Amendments, so 14 days after its vote.
    function remove(uint32 organisation) external;

    /// @notice Binds an agent to the caller's organisation; the agent's key signs the EIP-712 struct `Binding`.
    function bind(Binding calldata binding, bytes calldata agentSignature) external;

    /// @notice Ends an agent. Only its operator.
    function unbind(address agent) external;

    /// @notice Moves an agent's endpoint. Only its operator.
    function setEndpoint(address agent, string calldata endpoint) external;

    /// @notice Sets the limits of an agent. Only its operator; one transaction revokes.
    function setMandate(address agent, Mandate calldata mandate) external;

    /// @notice Commits to training rows. The caller is the agent.
    function commitTraining(bytes32 root, uint32 rows) external;

    /// @notice Commits to evaluation rows. The caller is the agent.
    /// @param sharesRowsWith A root committed earlier that shares rows with this one, or zero.
    function commitEvaluation(bytes32 root, uint32 rows, bytes32 sharesRowsWith) external;

    /// @notice Says that the calling agent is alive.
    function heartbeat() external;

    function organisation(uint32 id) external view returns (Organisation memory);

    function organisationCount() external view returns (uint32);

    function agent(address key) external view returns (Agent memory);

    function agents() external view returns (address[] memory);

    function mandate(address key) external view returns (Mandate memory);

    /// @notice Reverts with AgreementBook's error when a side may not be party to these terms, or they are outside its mandate.
    function requireMayAgree(Terms calldata terms, address coordinator, Standing calldata before) external view;

    /// @notice Reverts with AgreementBook's error when an agent may not lock that much, all it ever locked included.
    function requireMayLock(address key, uint128 purposes, uint256 lockedE18) external view;

    /// @notice Says whether a signature binds an agent: it is its key's, or its operator's, whose wallet may be a contract (ERC-1271).
    function isSigned(address key, bytes32 digest, bytes calldata signature) external view returns (bool);

    function dataSet(bytes32 root) external view returns (DataSet memory);

    /// @notice Next nonce of `Binding` for an agent key.
    function nonces(address key) external view returns (uint256);

    /// @notice True while the agent and its organisation are active.
    function isActive(address key) external view returns (bool);

    /// @notice True when the agent is active and holds every role of the mask.
    function hasRole(address key, uint8 roles) external view returns (bool);

    /// @notice Organisation of an agent, bound now or before; zero when never bound.
    function organisationOf(address key) external view returns (uint32);

    /// @notice Organisation that a key is or ever was the member, operator or agent of, or zero.
    function holderOf(address key) external view returns (uint32 organisation);

    /// @notice Operator that pays and is paid for an agent.
    function operatorOf(address key) external view returns (address);

    /// @notice Operator of an organisation, also after its removal.
    function operatorOfOrganisation(uint32 organisation) external view returns (address);

    /// @notice Active organisation that a key is the operator of, or zero.
    function organisationOfOperator(address key) external view returns (uint32);

    /// @notice True for the operator of an agent, and for the agent's own key until it is unbound or replaced.
    function actsFor(address key, address caller) external view returns (bool);

    /// @notice The organisation's first bound evaluator agent or, while it has none, the last that it had; zero for an
    /// organisation that never had one, was removed or is suspended.
    function evaluatorOf(uint32 organisation) external view returns (address);
}
