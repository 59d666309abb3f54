// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MemberToken} from "../src/MemberToken.sol";
import {IMemberToken} from "../src/interfaces/IMemberToken.sol";
import {Addresses} from "../src/types/Addresses.sol";
import {Check} from "./Vm.sol";

contract MemberTokenTest is Check {
    address private constant ANN = address(0xA11);
    address private constant BOB = address(0xB0B);

    MemberToken private token;

    function setUp() public {
        Addresses memory a;
        a.agentRegistry = address(this);
        token = new MemberToken(a);
        vm.warp(1_700_000_000);
        token.admit(ANN);
    }

    function test_admission_gives_one_vote_that_counts_at_once() public view {
        assertEq(token.balanceOf(ANN), 1, "balance");
        assertEq(token.getVotes(ANN), 1, "votes");
        assertEq(token.totalSupply(), 1, "supply");
        assertEq(token.decimals(), 0, "decimals");
        assertEq(token.clock(), block.timestamp, "clock");
    }

    function testFuzz_nobody_can_move_a_vote(address to, uint256 value) public {
        vm.assume(to != address(0));
        vm.prank(ANN);
        vm.expectRevert(IMemberToken.MemberTokenNotTransferable.selector);
        token.transfer(to, value);

        vm.prank(ANN);
        vm.expectRevert(IMemberToken.MemberTokenNotTransferable.selector);
        token.approve(to, value);

        vm.prank(to);
        vm.expectRevert(IMemberToken.MemberTokenNotTransferable.selector);
        token.transferFrom(ANN, to, value);
    }

    function testFuzz_only_the_agent_registry_admits_and_removes(address caller) public {
        vm.assume(caller != address(this));
        bytes memory refusal = abi.encodeWithSelector(IMemberToken.MemberTokenOnlyController.selector, caller);
        vm.prank(caller);
        vm.expectRevert(refusal);
        token.admit(BOB);

        vm.prank(caller);
        vm.expectRevert(refusal);
        token.remove(ANN);
    }

    function test_a_member_is_admitted_once() public {
        vm.expectRevert(abi.encodeWithSelector(IMemberToken.MemberTokenAlreadyMember.selector, ANN));
        token.admit(ANN);
    }

    function test_who_is_no_member_cannot_be_removed() public {
        vm.expectRevert(abi.encodeWithSelector(IMemberToken.MemberTokenNotMember.selector, BOB));
        token.remove(BOB);
    }

    function test_a_delegated_vote_counts_elsewhere_and_ends_with_removal() public {
        token.admit(BOB);
        vm.prank(ANN);
        token.delegate(BOB);
        assertEq(token.getVotes(BOB), 2, "votes with delegation");
        assertEq(token.getVotes(ANN), 0, "votes after delegating");

        token.remove(ANN);

        assertEq(token.getVotes(BOB), 1, "votes after removal");
        assertEq(token.totalSupply(), 1, "supply after removal");
    }

    function test_a_delegation_before_admission_is_undone() public {
        vm.prank(BOB);
        token.delegate(ANN);

        token.admit(BOB);

        assertEq(token.getVotes(BOB), 1, "own vote");
        assertEq(token.getVotes(ANN), 1, "other vote");
    }
}
