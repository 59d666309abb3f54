// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEvaluatorCourt} from "../interfaces/IEvaluatorCourt.sol";

/// @title A version of the court's settings and metrics as the code of a contract that can do nothing
/// @dev The code is a zero byte, which is STOP, and then `abi.encode(number, settings, metrics)`: the number, ten words
/// of settings, the place and the number of the metrics, three words each. In memory structs of words look the same,
/// so nothing is decoded: only this court writes what it reads.
library CourtCode {
    error CourtCodeNotWritten();

    uint256 private constant SETTINGS = 32;
    uint256 private constant COUNT = 384;
    uint256 private constant METRICS = 416;
    uint256 private constant METRIC = 96;
    /// @dev Copies all but its own eleven bytes into the code: PUSH1 11, MSIZE, DUP2, CODESIZE, SUB, DUP1, SWAP3, MSIZE,
    /// CODECOPY, RETURN, and the zero byte that the code begins with.
    bytes12 private constant CREATION = 0x600b5981380380925939f300;

    function write(bytes memory encoded) internal returns (address code) {
        bytes memory creation = bytes.concat(CREATION, encoded);
        assembly ("memory-safe") {
            code := create(0, add(creation, 32), mload(creation))
        }
        if (code == address(0)) revert CourtCodeNotWritten();
    }

    function read(address code)
        internal
        view
        returns (IEvaluatorCourt.Settings memory settings, IEvaluatorCourt.Metric[] memory metrics)
    {
        uint256 start;
        uint256 count;
        assembly ("memory-safe") {
            let size := sub(extcodesize(code), 1)
            start := mload(0x40)
            extcodecopy(code, start, 1, size)
            mstore(0x40, add(start, size))
            settings := add(start, SETTINGS)
            count := mload(add(start, COUNT))
        }
        metrics = new IEvaluatorCourt.Metric[](count);
        for (uint256 i; i < count; ++i) {
            assembly ("memory-safe") {
                mstore(add(metrics, mul(add(i, 1), 32)), add(add(start, METRICS), mul(i, METRIC)))
            }
        }
    }
}
