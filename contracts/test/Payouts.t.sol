// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Payouts} from "../src/libraries/Payouts.sol";
import {Check} from "./Vm.sol";

interface VmNumbers {
    function readFile(string calldata path) external view returns (string memory);
    function parseJsonUintArray(string calldata json, string calldata key) external pure returns (uint256[] memory);
}

/// @dev The random cases of tests/unit/test_payouts.py; both sides must come to tests/golden/payouts.json.
contract PayoutsTest is Check {
    VmNumbers private constant FILES = VmNumbers(address(uint160(uint256(keccak256("hevm cheat code")))));

    function test_instalments_and_fee_are_those_of_python() public view {
        string memory json = FILES.readFile("../tests/golden/payouts.json");
        uint256[] memory price = FILES.parseJsonUintArray(json, ".price_e18");
        uint256[] memory done = FILES.parseJsonUintArray(json, ".done");
        uint256[] memory units = FILES.parseJsonUintArray(json, ".units");
        uint256[] memory fee = FILES.parseJsonUintArray(json, ".fee_bps");
        uint256[] memory earned = FILES.parseJsonUintArray(json, ".earned_e18");
        uint256[] memory net = FILES.parseJsonUintArray(json, ".net_e18");
        for (uint256 i; i < price.length; ++i) {
            uint256 got = Payouts.earned(uint128(price[i]), uint24(done[i]), units[i]);
            assertEq(got, earned[i], "earned");
            assertEq(Payouts.net(got, fee[i]), net[i], "net");
        }
    }

    function test_slashes_are_those_of_python() public view {
        string memory json = FILES.readFile("../tests/golden/payouts.json");
        uint256[] memory bond = FILES.parseJsonUintArray(json, ".bond_e18");
        uint256[] memory bps = FILES.parseJsonUintArray(json, ".bps");
        uint256[] memory challenged = FILES.parseJsonUintArray(json, ".challenged");
        uint256[] memory injured = FILES.parseJsonUintArray(json, ".injured_e18");
        uint256[] memory challenger = FILES.parseJsonUintArray(json, ".challenger_e18");
        uint256[] memory treasury = FILES.parseJsonUintArray(json, ".treasury_e18");
        for (uint256 i; i < bond.length; ++i) {
            uint128 cut = Payouts.part(uint128(bond[i]), uint16(bps[i]));
            Payouts.Slash memory parts = Payouts.slash(cut, challenged[i] == 1);
            assertEq(parts.injuredE18, injured[i], "injured");
            assertEq(parts.challengerE18, challenger[i], "challenger");
            assertEq(parts.treasuryE18, treasury[i], "treasury");
        }
    }

    function testFuzz_a_slash_adds_up(uint128 amountE18, bool challenged) public pure {
        Payouts.Slash memory parts = Payouts.slash(amountE18, challenged);
        uint256 sum = uint256(parts.injuredE18) + parts.challengerE18 + parts.treasuryE18;
        assertEq(sum, amountE18, "sum out is sum in");
    }

    function testFuzz_a_part_is_at_most_the_whole(uint128 bondE18, uint16 bps) public pure {
        bps %= 10_001;
        uint128 partE18 = Payouts.part(bondE18, bps);
        assertTrue(partE18 <= bondE18, "at most the bond");
        assertTrue(bps != 10_000 || partE18 == bondE18, "all of it");
    }

    function testFuzz_a_fee_is_at_most_a_tenth(uint128 amountE18, uint16 feeBps) public pure {
        uint256 netE18 = Payouts.net(amountE18, feeBps % 1001);
        assertTrue(netE18 <= amountE18 && amountE18 - netE18 <= amountE18 / 10, "a tenth");
    }

    function testFuzz_pay_never_falls_when_more_is_earned(uint128 lessE18, uint128 moreE18, uint16 feeBps) public pure {
        (uint256 a, uint256 b) = lessE18 < moreE18 ? (lessE18, moreE18) : (moreE18, lessE18);
        assertTrue(Payouts.net(a, feeBps % 1001) <= Payouts.net(b, feeBps % 1001), "grows");
    }
}
