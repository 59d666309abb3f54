// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Income} from "../src/libraries/Income.sol";
import {Check} from "./Vm.sol";

interface VmNumbers {
    function readFile(string calldata path) external view returns (string memory);
    function parseJsonUintArray(string calldata json, string calldata key) external pure returns (uint256[] memory);
}

contract IncomeTest is Check {
    VmNumbers private constant FILES = VmNumbers(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev The cases of tests/unit/test_income.py, which Python computed.
    function test_python_divides_alike() public view {
        string memory json = FILES.readFile("../tests/golden/income.json");
        uint256[] memory amounts = _column(json, ".amount");
        for (uint256 i; i < amounts.length; ++i) {
            Income.Split memory s = Income.split(amounts[i], _column(json, ".feeBps")[i]);
            assertEq(s.feeE18, _column(json, ".fee")[i], "fee");
            assertEq(s.royaltiesE18, _column(json, ".royalties")[i], "royalties");
            assertEq(s.buyerE18, _column(json, ".buyer")[i], "buyer");
            assertEq(s.poolE18, _column(json, ".pool")[i], "pool");
            uint256 first = Income.generation(s.royaltiesE18, false);
            uint256 second = Income.generation(s.royaltiesE18 - first, false);
            assertEq(first, _column(json, ".first")[i], "first generation");
            assertEq(second, _column(json, ".second")[i], "second generation");
            assertEq(s.royaltiesE18 - first - second, _column(json, ".third")[i], "oldest generation");
        }
        assertEq(amounts.length, 64, "cases");
    }

    function test_python_shares_alike() public view {
        string memory json = FILES.readFile("../tests/golden/income.json");
        uint256[] memory pooled = _column(json, ".pool");
        for (uint256 i; i < pooled.length; ++i) {
            uint256[] memory weights = new uint256[](3);
            weights[0] = _column(json, ".weightA")[i];
            weights[1] = _column(json, ".weightB")[i];
            weights[2] = _column(json, ".weightC")[i];
            uint64[] memory shares = Income.byWeight(weights);
            assertEq(shares[0], _column(json, ".shareA")[i], "first share");
            assertEq(shares[1], _column(json, ".shareB")[i], "second share");
            assertEq(shares[2], _column(json, ".shareC")[i], "third share");
            assertEq(Income.entitled(pooled[i], shares[2]), _column(json, ".entitledC")[i], "entitled");
        }
    }

    function _column(string memory json, string memory key) private pure returns (uint256[] memory) {
        return FILES.parseJsonUintArray(json, key);
    }

    function testFuzz_every_payment_is_divided_without_rest(uint96 amountE18, uint16 feeBps) public pure {
        vm.assume(feeBps <= 1000);

        Income.Split memory s = Income.split(amountE18, feeBps);

        assertEq(s.feeE18 + s.royaltiesE18 + s.buyerE18 + s.poolE18, amountE18, "sum of the parts");
        assertTrue(s.poolE18 - s.buyerE18 <= 1, "buyer and owners share alike");
        assertTrue(s.feeE18 * 10 <= amountE18, "a tenth at most for the treasury");
    }

    function testFuzz_shares_add_up_to_the_whole(uint128[8] memory given, uint8 length) public pure {
        uint256[] memory weights = new uint256[](1 + (length % 8));
        for (uint256 i; i < weights.length; ++i) {
            weights[i] = given[i];
        }

        uint64[] memory shares = Income.byWeight(weights);

        uint256 sum;
        for (uint256 i; i < shares.length; ++i) {
            sum += shares[i];
        }
        assertEq(sum, Income.WHOLE_PPB, "billionths");
    }

    function testFuzz_shares_of_a_pool_never_exceed_it(uint96 pooledE18, uint128 a, uint128 b, uint128 c) public pure {
        uint256[] memory weights = new uint256[](3);
        (weights[0], weights[1], weights[2]) = (a, b, c);

        uint64[] memory shares = Income.byWeight(weights);

        uint256 sum;
        for (uint256 i; i < 3; ++i) {
            sum += Income.entitled(pooledE18, shares[i]);
        }
        assertTrue(sum <= pooledE18 && pooledE18 - sum < 3, "all but the rounding is shared");
    }

    function testFuzz_generations_take_all_and_halve(uint96 leftE18, uint8 count) public pure {
        uint256 generations = 1 + (count % 8);
        uint256 left = leftE18;
        uint256 before = type(uint256).max;
        for (uint256 i; i < generations; ++i) {
            uint256 part = Income.generation(left, i + 1 == generations);
            assertTrue(part <= before, "nobody further back gets more, but by the odd unit");
            left -= part;
            before = part + 1;
        }
        assertEq(left, 0, "left");
    }
}
