// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEvaluatorCourt} from "../src/interfaces/IEvaluatorCourt.sol";
import {CourtBase} from "./CourtBase.sol";
import {Check} from "./Vm.sol";

/// @dev Everything that jurors, operators, appellants, voters and time can do to stakes, in any order.
contract Jurors is CourtBase {
    uint256 public bondsE18;
    uint256 public stakedE18;
    bytes32[] public cases;

    function setUp() public override {
        super.setUp();
        stakedE18 = 7 * uint256(STAKE);
        cases.push(id);
    }

    function ask() external {
        bytes32 fresh = keccak256(abi.encode(cases.length));
        vm.prank(_disputes());
        try court.openDispute(fresh, "evidence", new uint32[](0)) {
            cases.push(fresh);
        } catch {}
    }

    function draw(uint8 which) external {
        vm.roll(block.number + 3);
        try court.draw(_choose(which)) {} catch {}
    }

    function speak(uint8 which, uint8 shows, uint8 lies) external {
        _choose(which);
        address[] memory jurors = court.jury(id);
        for (uint256 i; i < jurors.length; ++i) {
            bytes32 commitment = _commitment(jurors[i], _said(lies & (1 << (i % 8)) != 0), 0);
            if (shows & (1 << (i % 8)) == 0) continue;
            vm.prank(jurors[i]);
            try court.commit(id, commitment) {} catch {}
        }
        if (court.courtCase(id).stage == IEvaluatorCourt.Stage.Committing) vm.warp(court.courtCase(id).windowEndS + 1);
        for (uint256 i; i < jurors.length; ++i) {
            int128[] memory values = _said(lies & (1 << (i % 8)) != 0);
            try court.reveal(id, jurors[i], values, "report", 0, "salt") {} catch {}
        }
        try court.finalise(id) {} catch {}
    }

    function appeal(uint8 which) external {
        _choose(which);
        credit.transfer(STRANGER, BOND);
        vm.startPrank(STRANGER);
        credit.approve(address(vault), BOND);
        try court.appeal(id) {
            bondsE18 += BOND;
        } catch {}
        vm.stopPrank();
    }

    function settle(uint8 which) external {
        vm.warp(block.timestamp + 4 days);
        try court.settle(_choose(which)) {} catch {}
    }

    function stake(uint8 lab, uint64 amountE18) external {
        uint32 organisation = FIRST_LAB + lab % 7;
        credit.transfer(_operator(organisation), amountE18);
        vm.startPrank(_operator(organisation));
        credit.approve(address(vault), amountE18);
        try court.stake(_agent(organisation), amountE18) {
            stakedE18 += amountE18;
        } catch {}
        vm.stopPrank();
    }

    function leave(uint8 lab) external {
        uint32 organisation = FIRST_LAB + lab % 7;
        vm.prank(_operator(organisation));
        court.askUnstake(_agent(organisation));
    }

    function unstake(uint8 lab) external {
        try court.unstake(FIRST_LAB + lab % 7) {} catch {}
    }

    function wait(uint24 seconds_) external {
        vm.warp(block.timestamp + seconds_ % 8 days);
        vm.roll(block.number + 1);
    }

    // ---- What must hold ----

    function requireHeld() external view {
        uint256 stakesE18;
        for (uint32 i = FIRST_LAB; i <= ORGANISATIONS; ++i) {
            IEvaluatorCourt.Service memory served = court.service(i);
            (, uint128 heldE18) = vault.held(address(court), keccak256(abi.encode("stake", i)));
            assertEq(heldE18, served.stakeE18, "held is the stake");
            assertTrue(served.revealed + served.absent + served.openSeats == served.seated, "every seat is judged once");
            stakesE18 += served.stakeE18;
        }
        uint256 openE18;
        for (uint256 i; i < cases.length; ++i) {
            (, uint128 heldE18) = vault.held(address(court), cases[i]);
            openE18 += heldE18;
        }
        uint256 creditedE18 = vault.balanceOf(address(timelock)) + vault.balanceOf(STRANGER);
        for (uint32 i = FIRST_LAB; i <= ORGANISATIONS; ++i) {
            creditedE18 += vault.balanceOf(_operator(i));
        }
        assertEq(stakesE18 + openE18 + creditedE18, stakedE18 + bondsE18, "sum in is sum out");
    }

    function requireSeatsLocked() external view {
        for (uint32 i = FIRST_LAB; i <= ORGANISATIONS; ++i) {
            IEvaluatorCourt.Service memory served = court.service(i);
            // A stake may be eaten up by slashes, but nobody takes it away from under an open seat.
            if (served.openSeats != 0) assertTrue(served.stakeE18 + served.slashedE18 >= STAKE, "locked");
        }
    }

    function _choose(uint8 which) private returns (bytes32) {
        id = cases[which % cases.length];
        return id;
    }

    function _said(bool lie) private view returns (int128[] memory values) {
        if (!court.courtCase(id).isDispute) return _gap(lie ? UNFAIR : FAIR);
        values = new int128[](1);
        values[0] = lie ? int128(1e6) : int128(0);
    }
}

contract CourtInvariantTest is Check {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Jurors private jurors;

    function setUp() public {
        jurors = new Jurors();
        jurors.setUp();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(jurors);
    }

    function excludeSelectors() external view returns (FuzzSelector[] memory excluded) {
        excluded = new FuzzSelector[](1);
        excluded[0] = FuzzSelector(address(jurors), new bytes4[](1));
        excluded[0].selectors[0] = this.setUp.selector;
    }

    function invariant_stakes_and_bonds_are_held_or_credited_to_the_wei() public view {
        jurors.requireHeld();
    }

    function invariant_no_stake_leaves_from_under_an_open_seat() public view {
        jurors.requireSeatsLocked();
    }

    /// @dev Shows that the walk reaches slashes and appeals at all.
    function test_the_walk_reaches_appeal_and_slash() public {
        jurors.draw(0);
        jurors.speak(0, 255, 1);
        jurors.appeal(0);
        assertTrue(jurors.bondsE18() != 0, "appealed");
        jurors.draw(0);
        jurors.speak(0, 255, 1);
        jurors.settle(0);
        invariant_stakes_and_bonds_are_held_or_credited_to_the_wei();
    }
}
