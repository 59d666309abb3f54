// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IAgentRegistry} from "./interfaces/IAgentRegistry.sol";
import {IAgreementBook} from "./interfaces/IAgreementBook.sol";
import {IConsent} from "./interfaces/IConsent.sol";
import {IReleaseRegistry} from "./interfaces/IReleaseRegistry.sol";
import {IRewardVault} from "./interfaces/IRewardVault.sol";
import {Addresses} from "./types/Addresses.sol";
import {Kind} from "./types/Market.sol";

/// @title Endorsements, sign-offs and objections
/// @dev Docs are in the interface. Every log payload is keccak256(abi.encode(arguments of the event in order)).
contract Consent is IConsent {
    uint64 private constant STAKE_HELD_S = 30 days;
    /// @dev Bit 127 would turn the fact negative.
    uint8 private constant MAX_OFFICE = 126;

    // ---- Immutables ----

    IERC20 private immutable MEMBERS;
    IGovernor private immutable GOVERNOR;
    address private immutable TIMELOCK;
    address private immutable AMENDMENTS;
    IReleaseRegistry private immutable RELEASES;
    IAgentRegistry private immutable AGENTS;
    IAgreementBook private immutable BOOK;
    IRewardVault private immutable VAULT;
    /// @inheritdoc IConsent
    uint128 public immutable objectionStakeE18;

    // ---- Storage ----

    /// @dev All contracts in the order of `Addresses`.
    address[] private _contracts;
    address[] private _endorsers;
    mapping(address member => bool) private _hasEndorsed;
    bool private _endorsed;
    mapping(uint8 office => address) private _officers;
    mapping(bytes32 id => uint128) private _signOffs;
    mapping(bytes32 id => uint32) private _objections;
    mapping(bytes32 id => mapping(uint32 organisation => Objection)) private _objection;

    // ---- Constructor ----

    constructor(Addresses memory a, Settings memory settings) {
        MEMBERS = IERC20(a.memberToken);
        GOVERNOR = IGovernor(a.governor);
        TIMELOCK = a.timelock;
        AMENDMENTS = a.amendments;
        RELEASES = IReleaseRegistry(a.releaseRegistry);
        AGENTS = IAgentRegistry(a.agentRegistry);
        BOOK = IAgreementBook(a.agreementBook);
        VAULT = IRewardVault(a.rewardVault);
        objectionStakeE18 = settings.objectionStakeE18;
        bytes memory all = abi.encode(a);
        for (uint256 offset = 32; offset <= all.length; offset += 32) {
            address part;
            assembly ("memory-safe") {
                part := mload(add(all, offset))
            }
            _contracts.push(part);
        }
        for (uint256 i; i < settings.officers.length; ++i) {
            _setOfficer(settings.officers[i].office, settings.officers[i].account);
        }
    }

    // ---- Deployment ----

    /// @inheritdoc IConsent
    function endorse(bytes32 digest) external {
        bytes32 standing = deploymentDigest();
        if (digest != standing) revert ConsentWrongDeployment(digest, standing);
        if (MEMBERS.balanceOf(msg.sender) == 0) revert ConsentOnlyMember(msg.sender);
        if (_hasEndorsed[msg.sender]) revert ConsentGivenBefore(msg.sender);
        _hasEndorsed[msg.sender] = true;
        _endorsers.push(msg.sender);
        // Once is enough: neither addresses nor code can change any more.
        if (isEndorsed()) _endorsed = true;
        emit Endorsed(msg.sender, digest, _endorsed);
        _log("endorsed", bytes32(uint256(uint160(msg.sender))), keccak256(abi.encode(msg.sender, digest, _endorsed)));
    }

    /// @inheritdoc IConsent
    function deploymentDigest() public view returns (bytes32) {
        address[] memory contracts = _contracts;
        bytes32[] memory codeHashes = new bytes32[](contracts.length);
        for (uint256 i; i < contracts.length; ++i) {
            // Else anything could come to stand there later.
            if (contracts[i].code.length == 0) revert ConsentNoCode(contracts[i]);
            codeHashes[i] = contracts[i].codehash;
        }
        return keccak256(abi.encode(block.chainid, contracts, codeHashes));
    }

    /// @inheritdoc IConsent
    /// @dev Whoever left counts neither among those who endorsed nor among all.
    function isEndorsed() public view returns (bool) {
        if (_endorsed) return true;
        (uint256 votes, uint256 ofAll) = endorsement();
        return 3 * votes >= 2 * ofAll;
    }

    /// @inheritdoc IConsent
    function endorsement() public view returns (uint256 votes, uint256 ofAll) {
        for (uint256 i; i < _endorsers.length; ++i) {
            votes += MEMBERS.balanceOf(_endorsers[i]);
        }
        ofAll = MEMBERS.totalSupply();
    }

    // ---- Sign-offs ----

    /// @inheritdoc IConsent
    /// @dev Not from the first ballot on: voters saw which offices had signed off, and that must not change under them.
    function signOff(bytes32 id, bytes32 manifestHash, uint128 offices) external {
        IReleaseRegistry.Release memory release = RELEASES.release(id);
        if (manifestHash != release.manifestHash || manifestHash == 0) revert ConsentBadManifest(id);
        bool open = release.status == IReleaseRegistry.Status.Released
            || (release.status == IReleaseRegistry.Status.Candidate && !_isVotedOn(release.proposalId));
        if (!open) revert ConsentNotOpen(id, release.status);
        if (offices == 0 || offices >> (MAX_OFFICE + 1) != 0) revert ConsentBadOffice(0);
        for (uint8 office; offices >> office != 0; ++office) {
            bool asked = (offices >> office) & 1 == 1;
            if (asked && _officers[office] != msg.sender) revert ConsentOnlyOfficer(office, msg.sender);
        }
        _signOffs[id] |= offices;
        emit SignedOff(id, msg.sender, offices);
        _log("signed-off", id, keccak256(abi.encode(id, msg.sender, offices)));
    }

    /// @inheritdoc IConsent
    function setOfficer(uint8 office, address account) external {
        if (msg.sender != AMENDMENTS) revert ConsentOnlyAmendments(msg.sender);
        _setOfficer(office, account);
    }

    /// @inheritdoc IConsent
    function officer(uint8 office) external view returns (address) {
        return _officers[office];
    }

    /// @inheritdoc IConsent
    function signOffs(bytes32 id) external view returns (uint128) {
        return _signOffs[id];
    }

    // ---- Objections ----

    /// @inheritdoc IConsent
    function objectTo(bytes32 id, bytes32 agreement, bytes32 reason) external {
        if (reason == 0) revert ConsentNoReason();
        IReleaseRegistry.Release memory release = RELEASES.release(id);
        _requireOpen(id, release.status);
        (uint32 organisation, address operator) = _contributor(release, agreement);
        if (msg.sender != operator) revert ConsentOnlyContributor(agreement, msg.sender);
        Objection storage raised = _objection[id][organisation];
        if (raised.state != ObjectionState.None) revert ConsentBadObjection(id, organisation, raised.state);
        (raised.state, raised.raisedAtS, raised.operator) =
            (ObjectionState.Raised, uint64(block.timestamp), operator);
        ++_objections[id];
        emit Objected(id, organisation, agreement, reason, objectionStakeE18);
        _log("objection", id, keccak256(abi.encode(id, organisation, agreement, reason, objectionStakeE18)));
        VAULT.hold(_key(id, organisation), operator, objectionStakeE18);
    }

    /// @inheritdoc IConsent
    function returnStake(bytes32 id, uint32 organisation) external {
        Objection storage raised = _raised(id, organisation);
        uint64 untilS = raised.raisedAtS + STAKE_HELD_S;
        if (block.timestamp < untilS) revert ConsentStakeHeld(untilS);
        raised.state = ObjectionState.Returned;
        emit ObjectionReturned(id, organisation);
        _log("objection-returned", id, keccak256(abi.encode(id, organisation)));
        VAULT.giveBack(_key(id, organisation), objectionStakeE18);
    }

    /// @inheritdoc IConsent
    function judgeAbusive(bytes32 id, uint32 organisation) external {
        if (msg.sender != TIMELOCK) revert ConsentOnlyTimelock(msg.sender);
        _raised(id, organisation).state = ObjectionState.Abusive;
        --_objections[id];
        emit ObjectionAbusive(id, organisation);
        _log("objection-abusive", id, keccak256(abi.encode(id, organisation)));
        VAULT.forfeit(_key(id, organisation), TIMELOCK, objectionStakeE18);
    }

    /// @inheritdoc IConsent
    function objections(bytes32 id) external view returns (uint32) {
        return _objections[id];
    }

    /// @inheritdoc IConsent
    function objection(bytes32 id, uint32 organisation) external view returns (Objection memory) {
        return _objection[id][organisation];
    }

    // ---- Internal ----

    /// @dev Whoever calls a vote early, or stops it, must not keep officers from their word.
    function _isVotedOn(uint256 proposalId) private view returns (bool) {
        if (proposalId == 0) return false;
        IGovernor.ProposalState vote = GOVERNOR.state(proposalId);
        return vote != IGovernor.ProposalState.Pending && vote != IGovernor.ProposalState.Canceled;
    }

    /// @dev What is refused, revoked or recalled cannot be used any more, and needs no objection.
    function _requireOpen(bytes32 id, IReleaseRegistry.Status status) private pure {
        bool open = status == IReleaseRegistry.Status.Candidate || status == IReleaseRegistry.Status.Released;
        if (!open) revert ConsentNotOpen(id, status);
    }

    function _contributor(IReleaseRegistry.Release memory release, bytes32 agreement)
        private
        view
        returns (uint32 organisation, address operator)
    {
        IAgreementBook.Agreement memory signed = BOOK.agreement(agreement);
        bool behind = signed.job == release.job && BOOK.standsBehind(agreement) > release.candidateIndex;
        if (!behind || signed.kind != Kind.Data) revert ConsentBadAgreement(agreement);
        organisation = AGENTS.organisationOf(signed.seller);
        operator = AGENTS.operatorOf(signed.seller);
    }

    function _raised(bytes32 id, uint32 organisation) private view returns (Objection storage raised) {
        raised = _objection[id][organisation];
        if (raised.state != ObjectionState.Raised) revert ConsentBadObjection(id, organisation, raised.state);
    }

    function _setOfficer(uint8 office, address account) private {
        if (office > MAX_OFFICE) revert ConsentBadOffice(office);
        _officers[office] = account;
        emit OfficerChanged(office, account);
        _log("officer", bytes32(uint256(office)), keccak256(abi.encode(office, account)));
    }

    function _key(bytes32 id, uint32 organisation) private pure returns (bytes32) {
        return keccak256(abi.encode(id, organisation));
    }

    function _log(bytes32 kind, bytes32 subject, bytes32 payload) private {
        RELEASES.append(kind, subject, payload);
    }
}
