// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Jury} from "../src/libraries/Jury.sol";
import {Check} from "./Vm.sol";

contract JuryTest is Check {
    int128 private constant MISSING = type(int128).min;

    // ---- Median ----

    function test_medians_worked_by_hand() public pure {
        _expect(_list(3, 1, 2, 0, 3), true, 2);
        _expect(_list(1, 2, 3, 4, 4), true, 2);
        _expect(_list(1, 2, 3, 4, 4), false, 3);
        _expect(_list(-5, 7, MISSING, 0, 3), true, -5);
        _expect(_list(-5, 7, MISSING, 0, 3), false, 7);
        _expect(_list(9, MISSING, 0, 0, 2), true, MISSING);
        _expect(_list(9, MISSING, MISSING, 0, 3), true, MISSING);
        _expect(_list(9, 8, 7, MISSING, 4), true, 8);
        _expect(_list(type(int128).max, -type(int128).max, 0, 0, 2), true, -type(int128).max);
        _expect(_list(6, 0, 0, 0, 1), false, 6);
    }

    /// @dev Small values, so that ties and missing ones are frequent.
    function testFuzz_median_equals_counting_ranks(uint8[] memory raw, bool higherIsBetter) public pure {
        uint256 count = raw.length % 12 + 1;
        int128[] memory values = new int128[](count);
        for (uint256 i; i < count; ++i) {
            uint8 value = i < raw.length ? raw[i] : 0;
            values[i] = value % 4 == 0 ? MISSING : int128(uint128(value / 4 % 8)) - 4;
        }

        int128 expected = _byRank(values, higherIsBetter);

        assertTrue(Jury.median(values, higherIsBetter) == expected, "median");
    }

    function testFuzz_median_lies_among_the_values_and_survives_a_minority(int128[5] memory honest, int128[2] memory wild)
        public
        pure
    {
        int128[] memory values = new int128[](7);
        (int128 least, int128 most) = (type(int128).max, MISSING);
        for (uint256 i; i < 5; ++i) {
            if (honest[i] == MISSING) honest[i] = 0;
            values[i] = honest[i];
            if (honest[i] < least) least = honest[i];
            if (honest[i] > most) most = honest[i];
        }
        (values[5], values[6]) = (wild[0], wild[1]);

        int128 median = Jury.median(values, true);

        assertTrue(median >= least && median <= most, "between the honest ones");
    }

    // ---- Majority ----

    function test_exactly_half_is_no_majority_and_nothing_is_no_root() public pure {
        bytes32[] memory roots = new bytes32[](4);
        (roots[0], roots[1], roots[2], roots[3]) = ("one", "two", "two", "three");
        assertEq(Jury.majority(roots), 0, "half");
        roots[3] = "two";
        assertEq(Jury.majority(roots), "two", "three of four");
        (roots[1], roots[2], roots[3]) = (0, 0, 0);
        assertEq(Jury.majority(roots), 0, "most have none");
    }

    // ---- Lots ----

    function testFuzz_a_shuffle_keeps_every_organisation_once(bytes32 seed, uint8 size) public pure {
        uint32[] memory order = _range(uint256(size) % 40 + 1);
        Jury.shuffle(order, seed);
        bool[] memory seen = new bool[](order.length);
        for (uint256 i; i < order.length; ++i) {
            assertFalse(seen[order[i]], "twice");
            seen[order[i]] = true;
        }
    }

    /// @dev Each of 7 should stand in one of the first 5 places 2143 times of 3000; 3 standard deviations are 74.
    function test_every_organisation_is_drawn_about_equally_often() public pure {
        uint256[] memory drawn = new uint256[](7);
        for (uint256 run; run < 3000; ++run) {
            uint32[] memory order = _range(7);
            Jury.shuffle(order, keccak256(abi.encode(run)));
            for (uint256 i; i < 5; ++i) {
                ++drawn[order[i]];
            }
        }
        for (uint256 i; i < 7; ++i) {
            assertTrue(drawn[i] > 2043 && drawn[i] < 2243, "about equally often");
        }
    }

    // ---- Internal ----

    function _expect(int128[] memory values, bool higherIsBetter, int128 expected) private pure {
        assertTrue(Jury.median(values, higherIsBetter) == expected, "median by hand");
    }

    function _list(int128 a, int128 b, int128 c, int128 d, uint256 count) private pure returns (int128[] memory list) {
        int128[4] memory all = [a, b, c, d];
        list = new int128[](count);
        for (uint256 i; i < count; ++i) {
            list[i] = all[i];
        }
    }

    /// @dev Without sorting: the value with at most `rank` below it and more than `rank` not above it.
    function _byRank(int128[] memory values, bool higherIsBetter) private pure returns (int128) {
        uint256 known;
        for (uint256 i; i < values.length; ++i) {
            if (values[i] != MISSING) ++known;
        }
        if (known * 2 <= values.length) return MISSING;
        uint256 rank = higherIsBetter ? (known - 1) / 2 : known / 2;
        for (uint256 i; i < values.length; ++i) {
            if (values[i] == MISSING) continue;
            (uint256 below, uint256 notAbove) = (0, 0);
            for (uint256 j; j < values.length; ++j) {
                if (values[j] == MISSING) continue;
                if (values[j] < values[i]) ++below;
                if (values[j] <= values[i]) ++notAbove;
            }
            if (below <= rank && notAbove > rank) return values[i];
        }
        revert NotTrue("no value has the rank");
    }

    function _range(uint256 count) private pure returns (uint32[] memory range) {
        range = new uint32[](count);
        for (uint32 i; i < count; ++i) {
            range[i] = i;
        }
    }
}
