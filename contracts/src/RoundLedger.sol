// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {IAgentRegistry, Role} from "./interfaces/IAgentRegistry.sol";
import {IAgreementBook} from "./interfaces/IAgreementBook.sol";
import {IFacts} from "./interfaces/IFacts.sol";
import {IPolicyRegistry} from "./interfaces/IPolicyRegistry.sol";
import {IReleaseRegistry} from "./interfaces/IReleaseRegistry.sol";
import {IRoundLedger} from "./interfaces/IRoundLedger.sol";
import {Addresses} from "./types/Addresses.sol";
import {Phase, Source} from "./types/Policy.sol";

/// @title One Merkle root a round
/// @dev Docs are in the interface. The log's payload of a round is keccak256(abi.encode(job, round, root, leaves)), its
/// subject the job. As a subject of rules a round is keccak256(abi.encode(job, round)).
contract RoundLedger is IRoundLedger, IFacts {
    int128 private constant MILLION = 1e6;

    // ---- Immutables ----

    IReleaseRegistry private immutable LOG;
    IPolicyRegistry private immutable POLICY;
    IAgentRegistry private immutable AGENTS;
    IAgreementBook private immutable BOOK;

    // ---- Storage ----

    mapping(bytes32 job => bytes32[]) private _roots;
    /// @dev By the round as a subject of rules.
    mapping(bytes32 subject => uint32) private _leaves;

    // ---- Constructor ----

    constructor(Addresses memory a) {
        LOG = IReleaseRegistry(a.releaseRegistry);
        POLICY = IPolicyRegistry(a.policyRegistry);
        AGENTS = IAgentRegistry(a.agentRegistry);
        BOOK = IAgreementBook(a.agreementBook);
    }

    // ---- Rounds ----

    /// @inheritdoc IRoundLedger
    /// @dev After the last round every number is out of order.
    function post(bytes32 job, uint32 round, bytes32 root_, uint32 leaves) external {
        IAgreementBook.Job memory found = BOOK.job(job);
        if (found.state != IAgreementBook.JobState.Open) revert RoundJobNotOpen(job);
        bool isCoordinator = msg.sender == found.coordinator && AGENTS.hasRole(msg.sender, Role.COORDINATOR);
        if (!isCoordinator) revert RoundOnlyCoordinator(msg.sender);
        if (block.timestamp > found.deadlineS) revert RoundTooLate(found.deadlineS);
        uint256 expected = _roots[job].length;
        bool inOrder = round == expected && expected < _end(found.candidates, found.roundsPerCandidate);
        if (!inOrder) revert RoundOutOfOrder(round, uint32(expected));
        if (root_ == 0 || leaves == 0) revert RoundEmptyRoot();
        _roots[job].push(root_);
        bytes32 subject = keccak256(abi.encode(job, round));
        _leaves[subject] = leaves;
        (uint256 failed,,) = POLICY.evaluate(this, subject, found.purposes, Phase.ROUND);
        if (failed != 0) revert RoundPolicyViolation(failed);
        emit RoundPosted(job, round, root_, leaves);
        LOG.append("round", job, keccak256(abi.encode(job, round, root_, leaves)));
    }

    // ---- Views ----

    /// @inheritdoc IFacts
    /// @dev One of the leaves is the compute provider's.
    function facts(bytes32 subject, bytes32[] calldata keys, uint8[] calldata sources)
        external
        view
        returns (int128[] memory values, uint8[] memory from)
    {
        (values, from) = (new int128[](keys.length), new uint8[](keys.length));
        uint32 leaves = _leaves[subject];
        if (leaves == 0) return (values, from);
        for (uint256 i; i < keys.length; ++i) {
            bool known = keys[i] == "round_contributors" && sources[i] & Source.bit(Source.DECLARED) != 0;
            if (known) (values[i], from[i]) = (int128(uint128(leaves - 1)) * MILLION, Source.DECLARED);
        }
    }

    /// @inheritdoc IRoundLedger
    function roundCount(bytes32 job) external view returns (uint32) {
        return uint32(_roots[job].length);
    }

    /// @inheritdoc IRoundLedger
    function root(bytes32 job, uint32 round) public view returns (bytes32) {
        return round < _roots[job].length ? _roots[job][round] : bytes32(0);
    }

    /// @inheritdoc IRoundLedger
    function isComplete(bytes32 job, uint8 candidate) external view returns (bool) {
        IAgreementBook.Job memory found = BOOK.job(job);
        if (candidate >= found.candidates) return false;
        return _roots[job].length >= _end(uint256(candidate) + 1, found.roundsPerCandidate);
    }

    /// @inheritdoc IRoundLedger
    function contains(bytes32 job, uint32 round, address agent, bytes32 digest, bytes32[] calldata proof)
        external
        view
        returns (bool)
    {
        bytes32 posted = root(job, round);
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(job, round, agent, digest))));
        return posted != 0 && MerkleProof.verifyCalldata(proof, posted, leaf);
    }

    // ---- Internal ----

    /// @dev Rounds up to and including those of the first `candidates`, with the statistics round.
    function _end(uint256 candidates, uint256 perCandidate) private pure returns (uint256) {
        return 1 + candidates * perCandidate;
    }
}
