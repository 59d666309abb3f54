// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreementBook} from "../src/interfaces/IAgreementBook.sol";
import {IPools} from "../src/interfaces/IPools.sol";
import {IReleaseRegistry} from "../src/interfaces/IReleaseRegistry.sol";
import {PoolBase} from "./PoolBase.sol";

interface VmShares {
    function readFile(string calldata path) external view returns (string memory);
    function parseJsonBytes32(string calldata json, string calldata key) external pure returns (bytes32);
    function parseJsonUintArray(string calldata json, string calldata key) external pure returns (uint256[] memory);
    function parseJsonBytes32Array(string calldata json, string calldata key) external pure returns (bytes32[] memory);
}

/// @dev The shares of tests/unit/test_income.py, which Python computed as the agents' jurors do.
contract SharesTest is PoolBase {
    VmShares private constant FILES = VmShares(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint128 private constant BONUS_E18 = 60e18;

    function test_python_owners_claim_by_the_root_that_python_jurors_reveal() public {
        string memory json = FILES.readFile("../tests/golden/shares.json");
        bytes32 release = FILES.parseJsonBytes32(json, ".release");
        uint256[] memory organisations = FILES.parseJsonUintArray(json, ".organisations");
        uint256[] memory sharesPpb = FILES.parseJsonUintArray(json, ".sharesPpb");
        _openFor(release, organisations, FILES.parseJsonBytes32(json, ".root"));
        uint256 sumE18;
        for (uint256 i; i < organisations.length; ++i) {
            bytes32[] memory proof = FILES.parseJsonBytes32Array(json, _proofOf(i));
            (uint32 organisation, uint64 sharePpb) = (uint32(organisations[i]), uint64(sharesPpb[i]));
            vm.expectRevert(abi.encodeWithSelector(IPools.PoolNotProven.selector, release, organisation));
            vault.claimShare(release, organisation, sharePpb + 1, proof);
            // Nothing is due to who contributed nothing; all the others are paid to the last billionth.
            if (sharePpb == 0) {
                vm.expectRevert(abi.encodeWithSelector(IPools.PoolNothingDue.selector, release, organisation));
            }
            vault.claimShare(release, organisation, sharePpb, proof);
            uint256 paidE18 = vault.balanceOf(_operator(organisation));
            assertEq(paidE18, (uint256(BONUS_E18) * sharePpb) / 1e9, "share of the bonus");
            sumE18 += paidE18;
        }
        assertEq(sumE18, BONUS_E18, "the shares are the whole bonus");
    }

    function _openFor(bytes32 release, uint256[] memory organisations, bytes32 root) private {
        IReleaseRegistry.Manifest memory manifest = _manifest(release, 0);
        manifest.agreements = new bytes32[](organisations.length);
        for (uint256 i; i < organisations.length; ++i) {
            _setAgreement(release, uint32(organisations[i]), IAgreementBook.AgreementState.Active);
            manifest.agreements[i] = _agreement(release, uint32(organisations[i]));
        }
        IReleaseRegistry.Release memory found;
        (found.status, found.job) = (IReleaseRegistry.Status.Released, _job(release));
        (found.artifact, found.proposer) = (release, _agent(BUYER));
        found.manifestHash = paper.hashManifest(manifest);
        paper.setRelease(release, found);
        paper.setRoot(release, root);
        paper.hold(vault, _job(release), address(this), BONUS_E18);
        vault.openPool(release, manifest);
        vault.settleBonus(_job(release));
    }

    function _proofOf(uint256 i) private pure returns (string memory) {
        bytes1 digit = bytes1(uint8(48 + i));
        return string(abi.encodePacked(".proofs[", digit, "]"));
    }
}
