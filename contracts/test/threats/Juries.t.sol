// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Role} from "../../src/interfaces/IAgentRegistry.sol";
import {SystemBase} from "../SystemBase.sol";

/// @dev Everybody is on the panel and may be drawn, so that only what a manifest cites keeps anybody out.
contract JuryThreatsTest is SystemBase {
    function setUp() public override {
        super.setUp();
        for (uint32 i = 1; i < FIRST_LAB; ++i) {
            vm.prank(address(timelock));
            court.joinPanel(i);
            _bind(i, _key(i), _role(i) | Role.EVALUATOR);
            _stake(i);
        }
        // What the operators allowed for the stakes is less than what they need now.
        vm.prank(_operator(INSTITUTE));
        credit.approve(address(vault), type(uint256).max);
        _openMarket();
        _postRounds(0, 3);
    }

    /// @dev Threat 1. From the submission on, with every contract real.
    function testFuzz_threat_1_neither_proposer_nor_contributors_are_drawn(bytes32 first, bytes32 second) public {
        vm.assume(first != 0 && second != 0);
        bytes32 id = _submit(0);
        vm.roll(block.number + 3);
        vm.setBlockhash(block.number - 2, first);
        vm.setBlockhash(block.number - 1, second);
        court.draw(id);
        _expectOutsiders(court.jury(id), 5);
    }

    /// @dev Threat 1. Eight outsiders are too few for an appeal without the first jury; none of the others fills a seat.
    function test_threat_1_neither_proposer_nor_contributors_are_drawn_for_the_appeal() public {
        bytes32 id = _submit(0);
        _measure(id, 60_000);
        vm.warp(court.courtCase(id).windowEndS);
        credit.transfer(STRANGER, BOND);
        vm.startPrank(STRANGER);
        credit.approve(address(vault), BOND);
        court.appeal(id);
        vm.stopPrank();
        vm.roll(block.number + 3);
        court.draw(id);
        _expectOutsiders(court.jury(id), ORGANISATIONS - INSTITUTE);
    }

    function _expectOutsiders(address[] memory jurors, uint256 seats) private view {
        assertEq(jurors.length, seats, "seats");
        for (uint256 i; i < seats; ++i) {
            assertTrue(agents.organisationOf(jurors[i]) > INSTITUTE, "an owner or the institute");
        }
    }
}
