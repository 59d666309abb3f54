// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreementBook} from "../src/interfaces/IAgreementBook.sol";
import {IPools} from "../src/interfaces/IPools.sol";
import {IReleaseRegistry} from "../src/interfaces/IReleaseRegistry.sol";
import {PoolBase} from "./PoolBase.sol";
import {Tree} from "./Tree.sol";

contract PoolsTest is PoolBase {
    bytes32 private constant MODEL = "model";

    // ---- Opening ----

    function test_only_an_approved_release_gets_a_pool_once() public {
        _setUpRelease(MODEL, 0, IReleaseRegistry.Status.Candidate);
        vm.expectRevert(abi.encodeWithSelector(IPools.PoolNotOpenable.selector, MODEL));
        vault.openPool(MODEL, _manifest(MODEL, 0));

        _open(MODEL, 0);

        vm.expectRevert(abi.encodeWithSelector(IPools.PoolNotOpenable.selector, MODEL));
        vault.openPool(MODEL, _manifest(MODEL, 0));
    }

    function test_a_manifest_with_another_parent_is_not_believed() public {
        _setUpRelease(MODEL, 0, IReleaseRegistry.Status.Released);
        IReleaseRegistry.Manifest memory forged = _manifest(MODEL, "another");
        bytes32 given = paper.hashManifest(forged);
        vm.expectRevert(abi.encodeWithSelector(IPools.PoolBadManifest.selector, MODEL, given));
        vault.openPool(MODEL, forged);
    }

    // ---- Bonus ----

    function test_the_bonus_goes_to_the_owners_by_signed_price() public {
        paper.hold(vault, _job(MODEL), address(this), 60e18);
        _open(MODEL, 0);

        vault.settleBonus(_job(MODEL));
        for (uint32 i = 1; i <= 3; ++i) {
            _claim(MODEL, i);
        }

        for (uint32 i = 1; i <= 3; ++i) {
            // A billionth of 60 credits is what rounding may move.
            assertTrue(_near(vault.balanceOf(_operator(i)), uint256(i) * 10e18, 60e9), "by price");
        }
    }

    /// @dev Finding 18.
    function test_finding_18_the_bonus_follows_the_root_that_the_jury_revealed() public {
        bytes32[] memory leaves = new bytes32[](2);
        leaves[0] = _leaf(1, 900_000_000);
        leaves[1] = _leaf(2, 100_000_000);
        paper.setRoot(MODEL, Tree.root(leaves));
        paper.hold(vault, _job(MODEL), address(this), 60e18);
        _open(MODEL, 0);
        vault.settleBonus(_job(MODEL));

        vault.claimShare(MODEL, 1, 900_000_000, Tree.proof(leaves, 0));

        assertEq(vault.balanceOf(_operator(1)), 54e18, "nine tenths");
        vm.expectRevert(abi.encodeWithSelector(IPools.PoolNotProven.selector, MODEL, 2));
        vault.claimShare(MODEL, 2, 900_000_000, Tree.proof(leaves, 1));
        vm.expectRevert(abi.encodeWithSelector(IPools.PoolNotProven.selector, MODEL, 3));
        vault.claimShare(MODEL, 3, 0, new bytes32[](0));
    }

    /// @dev Finding 18.
    function test_finding_18_a_jury_that_shares_more_than_the_whole_cannot_reach_other_pools() public {
        bytes32[] memory leaves = new bytes32[](2);
        leaves[0] = _leaf(1, 1_000_000_000);
        leaves[1] = _leaf(2, 1_000_000_000);
        paper.setRoot(MODEL, Tree.root(leaves));
        paper.hold(vault, _job(MODEL), address(this), 60e18);
        paper.hold(vault, "somebody's stake", address(this), 500e18);
        _open(MODEL, 0);
        vault.settleBonus(_job(MODEL));
        vault.claimShare(MODEL, 1, 1_000_000_000, Tree.proof(leaves, 0));

        vm.expectRevert(abi.encodeWithSelector(IPools.PoolNothingDue.selector, MODEL, 2));
        vault.claimShare(MODEL, 2, 1_000_000_000, Tree.proof(leaves, 1));

        assertEq(vault.balanceOf(_operator(1)), 60e18, "the pool and no more");
    }

    function test_the_bonus_goes_back_when_the_job_ends_without_a_release() public {
        paper.hold(vault, _job(MODEL), address(this), 60e18);
        _setUpRelease(MODEL, 0, IReleaseRegistry.Status.Refused);
        paper.setJob(_job(MODEL), IAgreementBook.JobState.Finished, 0);

        vault.settleBonus(_job(MODEL));

        assertEq(vault.balanceOf(address(this)), 60e18, "back");
        vm.expectRevert(abi.encodeWithSelector(IPools.PoolNoBonus.selector, _job(MODEL)));
        vault.settleBonus(_job(MODEL));
    }

    function test_the_bonus_stays_while_a_candidate_is_undecided() public {
        paper.hold(vault, _job(MODEL), address(this), 60e18);
        _setUpRelease(MODEL, 0, IReleaseRegistry.Status.Candidate);
        paper.setJob(_job(MODEL), IAgreementBook.JobState.Open, uint64(block.timestamp - 1));

        vm.expectRevert(abi.encodeWithSelector(IPools.PoolJobRuns.selector, _job(MODEL)));
        vault.settleBonus(_job(MODEL));
    }

    function test_the_bonus_stays_while_the_job_runs() public {
        paper.hold(vault, _job(MODEL), address(this), 60e18);
        paper.setJob(_job(MODEL), IAgreementBook.JobState.Open, uint64(block.timestamp));

        vm.expectRevert(abi.encodeWithSelector(IPools.PoolJobRuns.selector, _job(MODEL)));
        vault.settleBonus(_job(MODEL));
    }

    /// @dev Finding 31: the moment of the withdrawal, before the pool is opened or after it, moves nobody else's share.
    function test_finding_31_who_withdraws_forfeits_what_is_unpaid() public {
        _open("early", 0);
        _setUpRelease(MODEL, 0, IReleaseRegistry.Status.Released);
        _setAgreement(MODEL, 3, IAgreementBook.AgreementState.Withdrawn);
        vault.openPool(MODEL, _manifest(MODEL, 0));
        _setAgreement("early", 3, IAgreementBook.AgreementState.Withdrawn);
        paper.hold(vault, _job(MODEL), address(this), 60e18);
        paper.hold(vault, _job("early"), address(this), 60e18);
        vault.settleBonus(_job(MODEL));
        vault.settleBonus(_job("early"));

        _claim(MODEL, 3);
        _claim("early", 3);
        _claim(MODEL, 2);
        _claim("early", 2);

        assertEq(vault.balanceOf(_operator(3)), 0, "its own");
        assertTrue(_near(vault.balanceOf(TREASURY), 60e18, 120e9), "the treasury's");
        assertTrue(_near(vault.balanceOf(_operator(2)), 40e18, 120e9), "the others get no more and no less");
    }

    function test_a_pool_of_owners_that_all_withdrew_still_opens() public {
        _setUpRelease(MODEL, 0, IReleaseRegistry.Status.Released);
        for (uint32 i = 1; i <= 3; ++i) {
            _setAgreement(MODEL, i, IAgreementBook.AgreementState.Withdrawn);
        }

        vault.openPool(MODEL, _manifest(MODEL, 0));

        assertEq(vault.pool(MODEL).contributors, 3, "contributors");
    }

    // ---- A root that nobody can prove ----

    /// @dev Finding 18.
    function test_finding_18_a_root_that_nobody_can_prove_gives_way_to_the_prices() public {
        paper.setRoot(MODEL, "nobody knows the leaves");
        paper.hold(vault, _job(MODEL), address(this), 60e18);
        _open(MODEL, 0);
        vm.expectRevert(abi.encodeWithSelector(IPools.PoolRootStands.selector, MODEL, uint64(180 days)));
        vault.dropRoot(MODEL);
        vault.settleBonus(_job(MODEL));
        uint64 untilS = uint64(block.timestamp + 180 days);
        vm.warp(untilS);
        vm.expectRevert(abi.encodeWithSelector(IPools.PoolRootStands.selector, MODEL, untilS));
        vault.dropRoot(MODEL);

        vm.warp(untilS + 1);
        vault.dropRoot(MODEL);
        _claim(MODEL, 1);

        assertTrue(_near(vault.balanceOf(_operator(1)), 10e18, 60e9), "by price");
        vm.expectRevert(abi.encodeWithSelector(IPools.PoolRootStands.selector, MODEL, untilS));
        vault.dropRoot(MODEL);
    }

    function test_a_root_that_somebody_proved_stands_for_ever() public {
        bytes32[] memory leaves = new bytes32[](1);
        leaves[0] = _leaf(1, 1_000_000_000);
        paper.setRoot(MODEL, leaves[0]);
        _open(MODEL, 0);
        vault.payUse(MODEL, 1, MONTH_E18);
        vault.claimShare(MODEL, 1, 1_000_000_000, new bytes32[](0));
        vm.warp(block.timestamp + 3650 days);

        vm.expectPartialRevert(IPools.PoolRootStands.selector);
        vault.dropRoot(MODEL);
    }

    // ---- Use ----

    function test_use_is_paid_by_the_month_and_split() public {
        _open(MODEL, 0);

        // Of 200: 10 fee, 14 royalties that no ancestor takes, and 88 each.
        vm.expectEmit(address(vault));
        emit IPools.IncomeSplit(MODEL, 24e18, 0, 88e18, 88e18);
        vault.payUse(MODEL, 2, 200e18);

        assertEq(vault.balanceOf(TREASURY), 24e18, "treasury");
        assertEq(vault.balanceOf(_operator(BUYER)), 88e18, "buyer");
        assertEq(vault.pool(MODEL).pooledE18, 88e18, "owners");
        assertEq(vault.paidUntil(MODEL, address(this)), block.timestamp + 60 days, "until");
        vault.payUse(MODEL, 1, 100e18);
        assertEq(vault.paidUntil(MODEL, address(this)), block.timestamp + 90 days, "and a month more");
    }

    function test_nobody_pays_more_than_it_agreed_to() public {
        _open(MODEL, 0);

        vm.expectRevert(abi.encodeWithSelector(IPools.PoolDearer.selector, 300e18, 299e18));
        vault.payUse(MODEL, 3, 299e18);
    }

    function test_a_suspended_release_is_not_for_sale() public {
        _open(MODEL, 0);
        _setUpRelease(MODEL, 0, IReleaseRegistry.Status.Suspended);

        vm.expectRevert(abi.encodeWithSelector(IPools.PoolNotForSale.selector, MODEL));
        vault.payUse(MODEL, 1, 100e18);
    }

    /// @dev Otherwise whoever opens a pool before its parent's keeps the royalties from the owners before it.
    function test_a_pool_is_not_opened_before_its_parents() public {
        _setUpRelease("parent", 0, IReleaseRegistry.Status.Released);
        _setUpRelease(MODEL, "parent", IReleaseRegistry.Status.Released);

        vm.expectRevert(abi.encodeWithSelector(IPools.PoolParentNotOpen.selector, MODEL, bytes32("parent")));
        vault.openPool(MODEL, _manifest(MODEL, "parent"));
    }

    function test_royalties_stop_at_the_eighth_generation() public {
        bytes32 before;
        for (uint256 i = 1; i <= 10; ++i) {
            _open(bytes32(i), before);
            before = bytes32(i);
        }

        vault.payUse(bytes32(uint256(10)), 1, MONTH_E18);

        assertEq(vault.pool(bytes32(uint256(9))).pooledE18, 3.5e18, "half of 7");
        assertEq(vault.pool(bytes32(uint256(2))).pooledE18, vault.pool(bytes32(uint256(3))).pooledE18, "the rest");
        assertEq(vault.pool(bytes32(uint256(1))).pooledE18, 0, "the ninth");
        assertEq(vault.balanceOf(TREASURY), 5e18, "the fee alone");
    }

    function test_a_free_release_and_no_month_are_not_for_sale() public {
        _open(MODEL, 0);
        vm.expectRevert(abi.encodeWithSelector(IPools.PoolNotForSale.selector, MODEL));
        vault.payUse(MODEL, 0, 100e18);
        vm.expectRevert(abi.encodeWithSelector(IPools.PoolNotOpen.selector, bytes32("unknown")));
        vault.payUse("unknown", 1, 100e18);
    }

    function test_royalties_halve_with_each_generation() public {
        _open("grandparent", 0);
        _open("parent", "grandparent");
        _open(MODEL, "parent");

        vault.payUse(MODEL, 10, 1000e18);

        assertEq(vault.pool("parent").pooledE18, 35e18, "half of 70");
        assertEq(vault.pool("grandparent").pooledE18, 35e18, "the oldest takes the rest");
        assertEq(vault.balanceOf(TREASURY), 50e18, "the fee alone");
    }

    // ---- Money ----

    function testFuzz_every_unit_that_comes_in_is_owed_or_gone(uint8[16] calldata steps) public {
        _open("parent", 0);
        _open(MODEL, "parent");
        uint256 before = credit.balanceOf(address(this));
        for (uint256 i; i < steps.length; ++i) {
            _step(steps[i]);
        }

        uint256 owed = vault.balanceOf(TREASURY) + _left("parent") + _left(MODEL) + vault.balanceOf(_operator(BUYER));
        for (uint32 i = 1; i <= 3; ++i) {
            owed += vault.balanceOf(_operator(i));
        }
        assertEq(owed, vault.owedE18(), "owed");
        assertEq(credit.balanceOf(address(vault)), owed, "held");
        assertEq(before - credit.balanceOf(address(this)), owed + _withdrawn(), "came in");
    }

    // ---- Helpers ----

    function _step(uint8 step) private {
        bytes32 release = step & 1 == 0 ? MODEL : bytes32("parent");
        uint32 who = 1 + (step >> 4) % 3;
        uint256 what = (step >> 1) % 3;
        if (what == 0) {
            vault.payUse(release, 1 + step, type(uint128).max);
        } else if (what == 1) {
            try vault.claimShare(release, who, 0, new bytes32[](0)) {} catch {}
        } else {
            try vault.withdraw(_operator(who)) {} catch {}
        }
    }

    function _left(bytes32 release) private view returns (uint256) {
        IPools.Pool memory found = vault.pool(release);
        return found.pooledE18 - found.claimedE18;
    }

    function _withdrawn() private view returns (uint256 sum) {
        for (uint32 i = 1; i <= 3; ++i) {
            sum += credit.balanceOf(_operator(i));
        }
    }

    function _leaf(uint32 organisation, uint64 sharePpb) private pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(MODEL, organisation, sharePpb))));
    }

    function _near(uint256 left, uint256 right, uint256 slack) private pure returns (bool) {
        return left > right ? left - right <= slack : right - left <= slack;
    }
}
