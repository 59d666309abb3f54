// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AgreementBook} from "../src/AgreementBook.sol";
import {ReleaseRegistry} from "../src/ReleaseRegistry.sol";
import {IAgentRegistry} from "../src/interfaces/IAgentRegistry.sol";
import {IReleaseRegistry} from "../src/interfaces/IReleaseRegistry.sol";
import {Bindings} from "../src/libraries/Bindings.sol";
import {HashLog} from "../src/libraries/HashLog.sol";
import {SignedCommits} from "../src/libraries/SignedCommits.sol";
import {Addresses} from "../src/types/Addresses.sol";
import {AggregationPrivacy, IntegrationMode, JobTerms, Kind, PrivacyUnit, Terms} from "../src/types/Market.sol";
import {gate} from "./Gate.sol";
import {Check} from "./Vm.sol";

interface VmGolden {
    function readFile(string calldata path) external view returns (string memory);
    function parseJsonBytes32(string calldata json, string calldata key) external pure returns (bytes32);
    function chainId(uint256 id) external;
}

/// @dev Opens what the libraries keep internal.
contract Opened {
    using HashLog for HashLog.Chain;

    HashLog.Chain private _log;

    function hashBinding(IAgentRegistry.Binding calldata binding) external pure returns (bytes32) {
        return Bindings.hash(binding);
    }

    function hashCommit(SignedCommits.Commit calldata commit) external view returns (bytes32) {
        return SignedCommits.digest(commit);
    }

    function append(bytes32 previous, HashLog.Entry calldata entry) external returns (bytes32) {
        _log.head = previous;
        _log.append(entry);
        return _log.head;
    }
}

/// @dev The records are those of tests/unit/test_encodings.py; both sides must come to tests/golden/encodings.json.
contract EncodingsTest is Check {
    VmGolden private constant FILES = VmGolden(address(uint160(uint256(keccak256("hevm cheat code")))));
    address private constant REGISTRY = 0x1111111111111111111111111111111111111111;
    address private constant BOOK = 0x2222222222222222222222222222222222222222;
    address private constant RELEASES = 0x3333333333333333333333333333333333333333;
    address private constant COURT = 0x4444444444444444444444444444444444444444;
    address private constant COORDINATOR = 0x5555555555555555555555555555555555555555;
    address private constant SELLER = 0x6666666666666666666666666666666666666666;
    address private constant OPERATOR = 0x7777777777777777777777777777777777777777;
    uint256 private constant CHAIN_ID = 7_134_252;

    Opened private opened;

    function setUp() public {
        FILES.chainId(CHAIN_ID);
        vm.warp(1_800_000_004);
        Addresses memory a;
        vm.etch(BOOK, address(new AgreementBook(a, 0)).code);
        vm.etch(RELEASES, address(new Opened()).code);
        vm.etch(COURT, RELEASES.code);
        opened = Opened(RELEASES);
    }

    function test_a_binding() public view {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Folkmoot AgentRegistry"),
                keccak256("1"),
                block.chainid,
                REGISTRY
            )
        );
        IAgentRegistry.Binding memory binding = IAgentRegistry.Binding(
            SELLER,
            OPERATOR,
            9,
            bytes32(uint256(10)),
            bytes32(uint256(11)),
            bytes32(uint256(12)),
            "http://127.0.0.1:8000/submit",
            3,
            1_800_000_000
        );
        _expect(keccak256(bytes.concat(hex"1901", domain, opened.hashBinding(binding))), ".binding");
    }

    function test_a_job() public view {
        JobTerms memory job;
        (job.coordinator, job.purposes, job.roundsPerCandidate) = (COORDINATOR, 5, 20);
        (job.epsilonMicros, job.deltaE12, job.privacyUnit) = (8_000_000, 10_000_000, PrivacyUnit.Record);
        (job.aggregationPrivacy, job.integrationMode) = (AggregationPrivacy.Clear, IntegrationMode.Coupled);
        (job.task, job.metricCode) = (bytes32(uint256(20)), bytes32(uint256(21)));
        job.candidates = new bytes32[](3);
        (job.candidates[0], job.candidates[1], job.candidates[2]) = ("plain", "without-sex", "reweighed");
        (job.bonusE18, job.deadlineS, job.nonce) = (40_000_000_000_000_000_001, 1_800_000_001, 4);
        _expect(AgreementBook(BOOK).hashJob(job), ".job");
    }

    function test_terms() public view {
        Terms memory terms;
        (terms.kind, terms.buyer, terms.seller, terms.job) = (Kind.Data, COORDINATOR, SELLER, bytes32(uint256(30)));
        (terms.priceE18, terms.units) = (123_456_789_000_000_000_000, 61);
        (terms.epsilonMicros, terms.deltaE12, terms.privacyUnit) = (8_000_000, 10_000_000, PrivacyUnit.Record);
        (terms.aggregationPrivacy, terms.rows, terms.dataRoot) = (AggregationPrivacy.Clear, 181, bytes32(uint256(31)));
        (terms.purposes, terms.computeSeconds, terms.withdrawalBlocks) = (5, 600, true);
        (terms.bondE18, terms.auditor) = (30_000_000_000_000_000_002, OPERATOR);
        (terms.deadlineS, terms.validUntilS, terms.nonce) = (1_800_000_002, 1_800_000_003, 5);
        _expect(AgreementBook(BOOK).hashTerms(terms), ".terms");
    }

    function test_a_manifest_its_release_and_its_facts() public {
        Addresses memory a;
        IReleaseRegistry registry = new ReleaseRegistry(a, gate());
        IReleaseRegistry.Manifest memory manifest;
        (manifest.job, manifest.candidate, manifest.candidateIndex) = (bytes32(uint256(30)), "without-sex", 1);
        (manifest.artifact, manifest.card, manifest.licences) = (bytes32(uint256(40)), bytes32(uint256(41)), 6);
        manifest.usePriceE18 = 10e18;
        manifest.agreements = new bytes32[](3);
        for (uint256 i; i < 3; ++i) {
            manifest.agreements[i] = bytes32(42 + i);
        }
        manifest.declared = new IReleaseRegistry.DeclaredFact[](2);
        manifest.declared[0] = IReleaseRegistry.DeclaredFact("energy_kwh", 1_500_000);
        manifest.declared[1] = IReleaseRegistry.DeclaredFact("below_zero", -1);
        bytes32 hash = registry.hashManifest(manifest);
        _expect(hash, ".manifest");
        _expect(keccak256(abi.encode(block.chainid, RELEASES, hash)), ".release");
        _expect(keccak256(abi.encode(hash, _result())), ".facts");
    }

    function test_a_round_leaf() public view {
        bytes memory leaf = abi.encode(bytes32(uint256(30)), uint32(7), SELLER, bytes32(uint256(70)));
        _expect(keccak256(bytes.concat(keccak256(leaf))), ".leaf");
    }

    function test_a_commitment_and_a_result() public view {
        int128[] memory values = new int128[](3);
        (values[0], values[1], values[2]) = (870_000, type(int128).min, 240_000);
        bytes32 commitment = keccak256(
            abi.encode(
                block.chainid,
                COURT,
                bytes32(uint256(62)),
                bytes32(uint256(40)),
                SELLER,
                values,
                bytes32(uint256(60)),
                bytes32(uint256(63)),
                bytes32(uint256(61))
            )
        );
        _expect(commitment, ".commitment");
        SignedCommits.Commit memory signed = SignedCommits.Commit(
            bytes32(uint256(62)), bytes32(uint256(40)), SELLER, commitment, 1_800_000_000
        );
        _expect(Opened(COURT).hashCommit(signed), ".commit");
        _expect(_result(), ".result");
    }

    function test_the_log() public {
        HashLog.Entry memory entry = HashLog.Entry(BOOK, "agreement", bytes32(uint256(50)), bytes32(uint256(51)));
        // Sixteen entries stand before it.
        _expect(opened.append(bytes32((uint256(52) << 32) | 16), entry), ".log");
    }

    function _result() private pure returns (bytes32) {
        bytes32[] memory keys = new bytes32[](2);
        (keys[0], keys[1]) = ("auc", "tpr_gap_abs");
        int128[] memory medians = new int128[](2);
        (medians[0], medians[1]) = (870_000, type(int128).min);
        return keccak256(abi.encode(keys, medians, uint8(5)));
    }

    function _expect(bytes32 digest, string memory name) private view {
        string memory json = FILES.readFile("../tests/golden/encodings.json");
        assertEq(digest, FILES.parseJsonBytes32(json, name), name);
    }
}
