// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Credit} from "../src/Credit.sol";
import {RewardVault} from "../src/RewardVault.sol";
import {IAgreementBook} from "../src/interfaces/IAgreementBook.sol";
import {IReleaseRegistry} from "../src/interfaces/IReleaseRegistry.sol";
import {Manifests} from "../src/libraries/Manifests.sol";
import {Addresses} from "../src/types/Addresses.sol";
import {Kind} from "../src/types/Market.sol";
import {Check} from "./Vm.sol";

/// @dev What the vault reads from all its neighbours, set by hand.
contract NetworkOnPaper {
    mapping(bytes32 id => IReleaseRegistry.Release) private _releases;
    mapping(bytes32 id => IAgreementBook.Agreement) private _agreements;
    mapping(bytes32 job => bytes32[]) private _releasesOf;
    mapping(bytes32 job => IAgreementBook.Job) private _jobs;
    mapping(bytes32 release => bytes32) public contributionRoot;
    mapping(bytes32 job => mapping(uint32 organisation => bytes32)) public dataAgreement;
    mapping(address key => uint32) public organisationOf;
    uint16 public feeBps = 500;
    uint256 public entries;

    function setRelease(bytes32 id, IReleaseRegistry.Release calldata found) external {
        if (_releases[id].status == IReleaseRegistry.Status.None) _releasesOf[found.job].push(id);
        _releases[id] = found;
    }

    function setAgreement(bytes32 id, IAgreementBook.Agreement calldata found) external {
        _agreements[id] = found;
        dataAgreement[found.job][found.organisation] = id;
    }

    function setJob(bytes32 id, IAgreementBook.JobState state, uint64 deadlineS) external {
        (_jobs[id].state, _jobs[id].deadlineS) = (state, deadlineS);
    }

    function setRoot(bytes32 release_, bytes32 root) external {
        contributionRoot[release_] = root;
    }

    function setOrganisation(address key, uint32 organisation) external {
        organisationOf[key] = organisation;
    }

    function setFee(uint16 bps) external {
        feeBps = bps;
    }

    function hold(RewardVault vault, bytes32 key, address from, uint128 amountE18) external {
        vault.hold(key, from, amountE18);
    }

    function append(bytes32, bytes32, bytes32) external {
        ++entries;
    }

    function hashManifest(IReleaseRegistry.Manifest calldata manifest) external pure returns (bytes32) {
        return Manifests.hash(manifest);
    }

    function release(bytes32 id) external view returns (IReleaseRegistry.Release memory) {
        return _releases[id];
    }

    function standing(bytes32 id) external view returns (IReleaseRegistry.Status, IReleaseRegistry.Reason) {
        return (_releases[id].status, IReleaseRegistry.Reason.None);
    }

    function releasesOf(bytes32 job_) external view returns (bytes32[] memory) {
        return _releasesOf[job_];
    }

    function agreement(bytes32 id) external view returns (IAgreementBook.Agreement memory) {
        return _agreements[id];
    }

    function job(bytes32 id) external view returns (IAgreementBook.Job memory) {
        return _jobs[id];
    }

    function operatorOfOrganisation(uint32 organisation) external pure returns (address) {
        return address(uint160(0xa000 + organisation));
    }
}

/// @dev A vault among neighbours on paper, with releases of the owners 1, 2 and 3 for the buyer 9.
abstract contract PoolBase is Check {
    address internal constant TREASURY = address(0x7777);
    uint32 internal constant BUYER = 9;
    uint128 internal constant MONTH_E18 = 100e18;

    NetworkOnPaper internal paper;
    Credit internal credit;
    RewardVault internal vault;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        paper = new NetworkOnPaper();
        credit = new Credit(address(this), 1e27);
        Addresses memory a;
        (a.credit, a.timelock) = (address(credit), TREASURY);
        (a.releaseRegistry, a.agreementBook) = (address(paper), address(paper));
        (a.agentRegistry, a.evaluatorCourt) = (address(paper), address(paper));
        vault = new RewardVault(a);
        credit.approve(address(vault), type(uint256).max);
        paper.setOrganisation(_agent(BUYER), BUYER);
    }

    function _agent(uint32 organisation) internal pure returns (address) {
        return address(uint160(0xb000 + organisation));
    }

    function _operator(uint32 organisation) internal pure returns (address) {
        return address(uint160(0xa000 + organisation));
    }

    function _job(bytes32 release) internal pure returns (bytes32) {
        return keccak256(abi.encode("job", release));
    }

    function _agreement(bytes32 release, uint32 organisation) internal pure returns (bytes32) {
        return keccak256(abi.encode("agreement", release, organisation));
    }

    function _manifest(bytes32 release, bytes32 parent) internal pure returns (IReleaseRegistry.Manifest memory m) {
        (m.job, m.artifact, m.parent, m.usePriceE18) = (_job(release), release, parent, MONTH_E18);
        m.agreements = new bytes32[](3);
        for (uint32 i; i < 3; ++i) {
            m.agreements[i] = _agreement(release, i + 1);
        }
    }

    /// @dev The owners' prices are 10, 20 and 30.
    function _setUpRelease(bytes32 release, bytes32 parent, IReleaseRegistry.Status status) internal {
        for (uint32 i = 1; i <= 3; ++i) {
            _setAgreement(release, i, IAgreementBook.AgreementState.Active);
        }
        IReleaseRegistry.Release memory found;
        (found.status, found.job, found.artifact, found.proposer) = (status, _job(release), release, _agent(BUYER));
        found.manifestHash = paper.hashManifest(_manifest(release, parent));
        paper.setRelease(release, found);
    }

    function _setAgreement(bytes32 release, uint32 organisation, IAgreementBook.AgreementState state) internal {
        IAgreementBook.Agreement memory found;
        (found.kind, found.state, found.job) = (Kind.Data, state, _job(release));
        (found.seller, found.organisation) = (_agent(organisation), organisation);
        found.priceE18 = uint128(organisation) * 10e18;
        paper.setAgreement(_agreement(release, organisation), found);
    }

    function _open(bytes32 release, bytes32 parent) internal {
        _setUpRelease(release, parent, IReleaseRegistry.Status.Released);
        vault.openPool(release, _manifest(release, parent));
    }

    function _claim(bytes32 release, uint32 organisation) internal {
        vault.claimShare(release, organisation, 0, new bytes32[](0));
    }
}
