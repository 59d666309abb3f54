// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAmendments} from "../../src/interfaces/IAmendments.sol";
import {IAgentRegistry} from "../../src/interfaces/IAgentRegistry.sol";
import {IPolicyRegistry} from "../../src/interfaces/IPolicyRegistry.sol";
import {IReleaseRegistry} from "../../src/interfaces/IReleaseRegistry.sol";
import {CodeStore} from "../../src/libraries/CodeStore.sol";
import {Direction} from "../../src/types/Amendment.sol";
import {Sets} from "../Sets.sol";
import {SystemBase} from "../SystemBase.sol";
import {RuleSet} from "../../src/types/Policy.sol";

/// @dev Where what waits is just long enough, just in time, or the only thing that is not as it has to be.
contract AmendmentEdgesTest is SystemBase {
    function setUp() public override {
        super.setUp();
        vm.warp(block.timestamp + 1);
    }

    function test_the_longest_call_that_is_kept() public {
        vm.startPrank(address(timelock));
        bytes memory call = new bytes(CodeStore.MAX_BYTES);
        bytes32 id = amendments.stage(address(governor), call);
        assertEq(keccak256(amendments.callOf(id)), keccak256(call), "whole");
        vm.expectRevert(abi.encodeWithSelector(IAmendments.AmendmentTooLarge.selector, call.length + 1));
        amendments.stage(address(governor), new bytes(call.length + 1));
    }

    function test_an_event_says_until_when_it_may_come() public {
        bytes memory call = abi.encodeCall(book.setFee, (250));
        uint64 fromS = uint64(block.timestamp) + 14 days;
        bytes32 id = keccak256(abi.encode(block.chainid, address(amendments), address(book), keccak256(call), 1));
        vm.expectEmit(address(amendments));
        emit IAmendments.Staged(id, address(book), Direction.Loosen, fromS, fromS + 30 days, call);
        vm.prank(address(timelock));
        amendments.stage(address(book), call);
    }

    function test_only_what_is_constitutional_has_a_second_vote() public {
        bytes32 id = _stage(address(book), abi.encodeCall(book.setFee, (250)));
        vm.warp(amendments.amendment(id).fromS);
        vm.expectRevert(abi.encodeWithSelector(IAmendments.AmendmentNeedsNoRatification.selector, id));
        amendments.openRatification(id);
    }

    function test_what_was_never_staged_is_not_withdrawn() public {
        bytes memory unknown = abi.encodeWithSelector(IAmendments.AmendmentUnknown.selector, bytes32("unknown"));
        vm.prank(address(timelock));
        vm.expectRevert(unknown);
        amendments.withdraw("unknown");
        vm.expectRevert(unknown);
        amendments.callOf("unknown");
    }

    /// @dev Another change has made a loosening of what was no change when it was staged.
    function test_what_became_a_loosening_meanwhile_is_not_made() public {
        RuleSet memory set = Sets.wide(_tiers(), _rules());
        uint256 last = set.rules.length - 1;
        int128 bound = set.rules[last].bound;
        set.rules[last].bound = bound - 1;
        bytes32 less = _stage(address(policy), abi.encodeCall(policy.amend, (set)));
        set.rules[last].bound = bound - 2;
        bytes32 least = _stage(address(policy), abi.encodeCall(policy.amend, (set)));
        vm.warp(amendments.amendment(least).fromS);
        amendments.activate(least);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAmendments.AmendmentStricter.selector, less, Direction.Tighten, Direction.Loosen
            )
        );
        amendments.activate(less);
    }

    /// @dev Both the contract and the function have to be the ones that are listed.
    function test_a_direction_hangs_on_the_contract_and_on_the_function() public view {
        RuleSet memory set = Sets.wide(_tiers(), _rules());
        bytes4[6] memory listed = [
            IReleaseRegistry.append.selector,
            IPolicyRegistry.amend.selector,
            book.setFee.selector,
            IAgentRegistry.admit.selector,
            IAgentRegistry.remove.selector,
            agents.setMember.selector
        ];
        address[4] memory homes = [address(releases), address(policy), address(book), address(agents)];
        for (uint256 i; i < homes.length; ++i) {
            for (uint256 j; j < listed.length; ++j) {
                bytes memory call =
                    j == 1 ? abi.encodeCall(policy.amend, (set)) : abi.encodePacked(listed[j], bytes32(0));
                Direction expected = Direction.Constitutional;
                if (i == 0 && j == 0) expected = Direction.Forbidden;
                if (i == 2 && j == 2) expected = Direction.Loosen;
                if (i == 3 && j > 2) expected = Direction.Loosen;
                if (i == 1 && j == 1) continue;
                assertTrue(amendments.directionOf(homes[i], call) == expected, "direction");
            }
        }
    }
}
