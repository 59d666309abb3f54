// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IAgentRegistry, Role} from "./interfaces/IAgentRegistry.sol";
import {IMemberToken} from "./interfaces/IMemberToken.sol";
import {IKeyChanges} from "./interfaces/IKeyChanges.sol";
import {Bindings} from "./libraries/Bindings.sol";
import {Mandates} from "./libraries/Mandates.sol";
import {Parties} from "./libraries/Parties.sol";
import {AgentIdentity} from "./parts/AgentIdentity.sol";
import {KeyChanges} from "./parts/KeyChanges.sol";
import {Addresses} from "./types/Addresses.sol";
import {Founder} from "./types/Founder.sol";
import {Mandate, Standing, Terms} from "./types/Market.sol";

/// @title Organisations, their agents, mandates and data roots
/// @dev Docs are in the interface. Every log payload is keccak256(abi.encode(arguments of the event in order));
/// kind "agent" appends the endpoint to those of AgentBound.
contract AgentRegistry is IAgentRegistry, KeyChanges, AgentIdentity, EIP712 {
    // ---- Immutables ----

    address private immutable AMENDMENTS;
    IMemberToken private immutable MEMBERS;

    // ---- Storage ----

    /// @dev Whether an organisation is active is asked in every round, so all that says so is in one slot.
    struct Kept {
        string name;
        address member;
        address operator;
        uint48 admittedAtS;
        uint40 suspendedUntilS;
        bool active;
    }

    mapping(uint32 id => Kept) private _organisations;
    uint32 private _organisationCount;
    mapping(bytes32 nameHash => bool) private _isNameUsed;
    /// @dev Organisation of every key it ever used: member, operator, agents.
    mapping(address key => uint32) private _holder;
    mapping(address key => Agent) private _agents;
    address[] private _agentList;
    mapping(uint32 organisation => address[]) private _agentsOf;
    mapping(uint32 organisation => address) private _evaluatorOf;
    mapping(address key => Mandate) private _mandates;
    mapping(address key => uint256) private _nonces;
    mapping(bytes32 root => DataSet) private _dataSets;

    // ---- Constructor ----

    constructor(Addresses memory a, Founder[] memory founders) KeyChanges(a) EIP712("Folkmoot AgentRegistry", "1") {
        AMENDMENTS = a.amendments;
        MEMBERS = IMemberToken(a.memberToken);
        for (uint256 i; i < founders.length; ++i) {
            _admit(founders[i]);
        }
    }

    // ---- Organisations ----

    /// @inheritdoc IAgentRegistry
    function admit(string calldata name, address member, address operator) external returns (uint32) {
        if (msg.sender != AMENDMENTS) revert AgentOnlyAmendments(msg.sender);
        return _admit(Founder(name, member, operator));
    }

    /// @inheritdoc IAgentRegistry
    /// @dev Its agents end with it, without a loop that it could make too long.
    function remove(uint32 id) external {
        if (msg.sender != AMENDMENTS) revert AgentOnlyAmendments(msg.sender);
        _requireActive(id);
        _organisations[id].active = false;
        emit OrganisationRemoved(id);
        LOG.append("organisation-removed", bytes32(uint256(id)), keccak256(abi.encode(id)));
        MEMBERS.remove(_organisations[id].member);
    }

    /// @inheritdoc IKeyChanges
    function setMember(uint32 id, address member) external {
        if (msg.sender != AMENDMENTS) revert AgentOnlyAmendments(msg.sender);
        _requireActive(id);
        // Whoever had the old key may have asked.
        _dropOperatorChange(id);
        _hold(member, id);
        address before = _organisations[id].member;
        _organisations[id].member = member;
        emit MemberChanged(id, member);
        LOG.append("member", bytes32(uint256(id)), keccak256(abi.encode(id, member)));
        MEMBERS.remove(before);
        MEMBERS.admit(member);
    }

    // ---- Agents ----

    /// @inheritdoc IAgentRegistry
    function bind(Binding calldata binding, bytes calldata agentSignature) external {
        _requireAgreed(binding, agentSignature);
        _bind(_holder[msg.sender], binding);
    }

    /// @inheritdoc IKeyChanges
    function rotate(address key, Binding calldata binding, bytes calldata signature) external {
        _requireReplaceable(key);
        // A key that stands in another one's place already would lose the rows of that one.
        if (_holder[binding.agent] != 0) revert AgentAlreadyUsed(binding.agent);
        _requireAgreed(binding, signature);
        _succeed(key, binding.agent);
        if (_agents[key].active) _unbind(key);
        _bind(_agents[key].organisation, binding);
    }

    function _requireAgreed(Binding calldata binding, bytes calldata agentSignature) private {
        uint32 id = _holder[msg.sender];
        bool isOperator = msg.sender == binding.operator && msg.sender == _organisations[id].operator;
        if (!isOperator) revert AgentOnlyOperator(msg.sender);
        _requireActive(id);
        Bindings.requireSound(binding, _nonces[binding.agent]);
        Bindings.requireSigned(binding.agent, _hashTypedDataV4(Bindings.hash(binding)), agentSignature);
        ++_nonces[binding.agent];
    }

    /// @inheritdoc IAgentRegistry
    /// @dev Its mandate goes with it, so that a later binding starts with none.
    function unbind(address key) external {
        _requireOperatorOf(key);
        _unbind(key);
    }

    /// @inheritdoc IAgentRegistry
    function setEndpoint(address key, string calldata endpoint) external {
        _requireOperatorOf(key);
        _agents[key].endpoint = endpoint;
        emit EndpointChanged(key, endpoint);
        _logAgent(key);
    }

    /// @inheritdoc IAgentRegistry
    function setMandate(address key, Mandate calldata limits) external {
        _requireOperatorOf(key);
        _setMandate(key, limits);
    }

    /// @inheritdoc IAgentRegistry
    function heartbeat() external {
        if (!isActive(msg.sender)) revert AgentNotActive(msg.sender);
        _agents[msg.sender].lastSeenS = uint64(block.timestamp);
        emit Heartbeat(msg.sender);
    }

    // ---- Data ----

    /// @inheritdoc IAgentRegistry
    function commitTraining(bytes32 root, uint32 rows) external {
        _commit(root, DataSet(msg.sender, rows, false, uint64(block.timestamp), root));
    }

    /// @inheritdoc IAgentRegistry
    /// @dev Only rows of the same organisation can be shared; else a stranger could use up an owner's looks.
    function commitEvaluation(bytes32 root, uint32 rows, bytes32 sharesRowsWith) external {
        bytes32 family = root;
        if (sharesRowsWith != 0) {
            DataSet storage earlier = _dataSets[sharesRowsWith];
            bool own = earlier.evaluation && _agents[earlier.agent].organisation == _agents[msg.sender].organisation;
            if (!own) revert AgentUnknownData(sharesRowsWith);
            family = earlier.family;
        }
        _commit(root, DataSet(msg.sender, rows, true, uint64(block.timestamp), family));
    }

    // ---- Views ----

    /// @inheritdoc IAgentRegistry
    function organisation(uint32 id) external view returns (Organisation memory) {
        Kept storage kept = _organisations[id];
        return Organisation(kept.name, kept.member, kept.operator, kept.admittedAtS, kept.active);
    }

    /// @inheritdoc IKeyChanges
    function suspendedUntilS(uint32 id) public view override returns (uint64) {
        return _organisations[id].suspendedUntilS;
    }

    /// @inheritdoc IAgentRegistry
    function organisationCount() external view returns (uint32) {
        return _organisationCount;
    }

    /// @inheritdoc IAgentRegistry
    function agent(address key) external view returns (Agent memory found) {
        found = _agents[key];
        found.active = isActive(key);
    }

    /// @inheritdoc IAgentRegistry
    function agents() external view returns (address[] memory) {
        return _agentList;
    }

    /// @inheritdoc IAgentRegistry
    function mandate(address key) external view returns (Mandate memory) {
        return _mandates[key];
    }

    /// @inheritdoc IAgentRegistry
    function requireMayAgree(Terms calldata terms, address coordinator, Standing calldata before) external view {
        Parties.Sides memory sides = Parties.Sides(
            _agents[terms.buyer].organisation, _agents[terms.seller].organisation, _holder[terms.auditor]
        );
        bool[2] memory able = [hasRole(terms.buyer, Role.COORDINATOR), hasRole(terms.seller, Parties.role(terms.kind))];
        Parties.requireFit(terms, coordinator, sides, able);
        DataSet storage set = _dataSets[terms.dataRoot];
        bool own = set.agent == terms.seller || originOf(set.agent) == originOf(terms.seller);
        Parties.requireRows(terms, set, own);
        Mandates.requireMayBuy(_mandates[terms.buyer], terms, before);
        Mandates.requireMaySell(_mandates[terms.seller], terms, before);
    }

    /// @inheritdoc IAgentRegistry
    function requireMayLock(address key, uint128 purposes, uint256 lockedE18) external view {
        Mandates.requireMayLock(_mandates[key], key, purposes, lockedE18);
    }

    /// @inheritdoc IAgentRegistry
    /// @dev The key's first: an auditor recovers it from history without asking any contract.
    function isSigned(address key, bytes32 digest, bytes calldata signature) external view returns (bool) {
        (address recovered, ECDSA.RecoverError problem,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (problem == ECDSA.RecoverError.NoError && recovered == key) return true;
        return SignatureChecker.isValidSignatureNowCalldata(
            _organisations[_agents[key].organisation].operator, digest, signature
        );
    }

    /// @inheritdoc IAgentRegistry
    function dataSet(bytes32 root) external view returns (DataSet memory) {
        return _dataSets[root];
    }

    /// @inheritdoc IAgentRegistry
    function nonces(address key) external view returns (uint256) {
        return _nonces[key];
    }

    /// @inheritdoc IAgentRegistry
    function isActive(address key) public view returns (bool) {
        return _agents[key].active && _works(_agents[key].organisation);
    }

    /// @inheritdoc IAgentRegistry
    function hasRole(address key, uint8 roles) public view returns (bool) {
        return isActive(key) && _agents[key].roles & roles == roles;
    }

    /// @inheritdoc IAgentRegistry
    function organisationOf(address key) external view returns (uint32) {
        return _agents[key].organisation;
    }

    /// @inheritdoc IAgentRegistry
    function holderOf(address key) external view returns (uint32) {
        return _holder[key];
    }

    /// @inheritdoc IAgentRegistry
    function operatorOf(address key) external view returns (address) {
        return _organisations[_agents[key].organisation].operator;
    }

    /// @inheritdoc IAgentRegistry
    function operatorOfOrganisation(uint32 id) external view returns (address) {
        return _organisations[id].operator;
    }

    /// @inheritdoc IAgentRegistry
    function organisationOfOperator(address key) external view returns (uint32 id) {
        id = _holder[key];
        if (_organisations[id].operator != key || !_organisations[id].active) return 0;
    }

    /// @inheritdoc IAgentRegistry
    /// @dev Not `isActive`: who was removed or suspended still takes back consent and collects its pay.
    function actsFor(address key, address caller) external view returns (bool) {
        if (caller == key) return _agents[key].active;
        return caller == _organisations[_agents[key].organisation].operator;
    }

    /// @inheritdoc IAgentRegistry
    function evaluatorOf(uint32 id) external view returns (address) {
        return _works(id) ? _evaluatorOf[id] : address(0);
    }

    // ---- Internal: organisations ----

    function _admit(Founder memory founder) private returns (uint32 id) {
        if (bytes(founder.name).length == 0) revert AgentEmptyName();
        bytes32 nameHash = keccak256(bytes(founder.name));
        if (_isNameUsed[nameHash]) revert AgentAlreadyUsed(address(0));
        _isNameUsed[nameHash] = true;
        id = ++_organisationCount;
        _hold(founder.member, id);
        _hold(founder.operator, id);
        _organisations[id] =
            Kept(founder.name, founder.member, founder.operator, uint48(block.timestamp), 0, true);
        emit OrganisationAdmitted(id, founder.name, founder.member, founder.operator);
        bytes32 payload = keccak256(abi.encode(id, founder.name, founder.member, founder.operator));
        LOG.append("organisation", bytes32(uint256(id)), payload);
        MEMBERS.admit(founder.member);
    }

    /// @dev A key that serves twice would let one side act for the other.
    function _hold(address key, uint32 id) private {
        if (key == address(0) || _holder[key] != 0) revert AgentAlreadyUsed(key);
        // It could stop the votes that end the theft of that organisation's keys.
        if (key == LOG.guardian()) revert AgentIsGuardian(key);
        _holder[key] = id;
    }

    function _requireActive(uint32 id) internal view override {
        if (!_organisations[id].active) revert AgentUnknownOrganisation(id);
    }

    // ---- Internal: agents ----

    function _bind(uint32 id, Binding calldata binding) private {
        address key = binding.agent;
        Agent storage bound = _agents[key];
        if (bound.organisation == 0) {
            _hold(key, id);
            bound.organisation = id;
            _agentList.push(key);
            _agentsOf[id].push(key);
        } else if (bound.organisation != id || _isRetired[key]) {
            revert AgentAlreadyUsed(key);
        }
        bound.roles = binding.roles;
        bound.active = true;
        bound.boundAtS = uint64(block.timestamp);
        (bound.publicKeyX, bound.publicKeyY) = (binding.publicKeyX, binding.publicKeyY);
        bound.encryptionKey = binding.encryptionKey;
        bound.endpoint = binding.endpoint;
        _chooseEvaluator(id);
        emit AgentBound(key, id, bound.roles, bound.publicKeyX, bound.publicKeyY, bound.encryptionKey);
        emit EndpointChanged(key, binding.endpoint);
        _logAgent(key);
    }

    function _logAgent(address key) private {
        Agent memory found = _agents[key];
        bytes32 payload = keccak256(
            abi.encode(
                key,
                found.organisation,
                found.roles,
                found.publicKeyX,
                found.publicKeyY,
                found.encryptionKey,
                found.endpoint
            )
        );
        LOG.append("agent", _subject(key), payload);
    }

    /// @dev Kept ready, so that no organisation can make the drawing of a jury costly with many agents. Without any
    /// evaluator it stays as it was: who unbinds its own after a case was opened is drawn all the same.
    function _chooseEvaluator(uint32 id) private {
        address[] storage keys = _agentsOf[id];
        address chosen;
        for (uint256 i; i < keys.length && chosen == address(0); ++i) {
            // A suspension ends by itself, so it changes no choice.
            if (_isBound(keys[i]) && _agents[keys[i]].roles & Role.EVALUATOR != 0) chosen = keys[i];
        }
        if (chosen != address(0)) _evaluatorOf[id] = chosen;
    }

    function _unbind(address key) private {
        Agent storage found = _agents[key];
        found.active = false;
        _chooseEvaluator(found.organisation);
        emit AgentUnbound(key);
        LOG.append("agent-unbound", _subject(key), keccak256(abi.encode(key)));
        Mandate memory none;
        _setMandate(key, none);
    }

    /// @dev Admitted, not removed, and not suspended now.
    function _works(uint32 id) private view returns (bool) {
        Kept storage kept = _organisations[id];
        return kept.active && block.timestamp >= kept.suspendedUntilS;
    }

    function _isBound(address key) private view returns (bool) {
        return _agents[key].active && _organisations[_agents[key].organisation].active;
    }

    /// @dev Also while it is suspended: an operator can always end an agent or take its mandate.
    function _requireOperatorOf(address key) private view {
        _requireOperator(key);
        if (!_isBound(key)) revert AgentNotActive(key);
    }

    function _requireOperator(address key) private view {
        if (msg.sender != _organisations[_agents[key].organisation].operator) revert AgentOnlyOperator(msg.sender);
    }

    function _setMandate(address key, Mandate memory limits) private {
        _mandates[key] = limits;
        emit MandateChanged(key, limits);
        LOG.append("mandate", _subject(key), keccak256(abi.encode(key, limits)));
    }

    // ---- Internal: data ----

    function _commit(bytes32 root, DataSet memory set) private {
        if (!hasRole(msg.sender, Role.OWNER)) revert AgentNotActive(msg.sender);
        if (root == 0 || set.rows == 0) revert AgentEmptyData();
        if (_dataSets[root].agent != address(0)) revert AgentDataAlreadyCommitted(root);
        _dataSets[root] = set;
        emit DataCommitted(msg.sender, root, set.rows, set.evaluation, set.family);
        LOG.append("data", root, keccak256(abi.encode(msg.sender, root, set.rows, set.evaluation, set.family)));
    }

    // ---- Internal: what the parts ask ----

    function _requireReplaceable(address key) internal view override {
        _requireOperator(key);
        if (_isRetired[key]) revert KeyReplaced(key);
        _requireActive(_agents[key].organisation);
    }

    function _organisationOf(address key) internal view override returns (uint32) {
        return _agents[key].organisation;
    }

    function _keysOf(uint32 id) internal view override returns (address, address) {
        return (_organisations[id].member, _organisations[id].operator);
    }

    function _setSuspension(uint32 id, uint64 untilS) internal override {
        _organisations[id].suspendedUntilS = uint40(untilS);
    }

    function _setOperator(uint32 id, address next) internal override {
        _hold(next, id);
        _organisations[id].operator = next;
    }

    function _bound(address key) internal view override returns (Agent memory found, address operator) {
        found = _agents[key];
        found.active = isActive(key);
        operator = _organisations[found.organisation].operator;
    }

    function _agentKeys() internal view override returns (address[] storage) {
        return _agentList;
    }
}
