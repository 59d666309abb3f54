// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Bytes that are written once, kept as the code of a contract
/// @dev 200 gas a byte instead of 690. The first byte is STOP, so nobody can run what is stored.
library CodeStore {
    /// @dev EIP-170, less the STOP.
    uint256 internal constant MAX_BYTES = 24_575;

    /// @dev The caller sees to it that `data` has at most MAX_BYTES.
    function write(bytes memory data) internal returns (address store) {
        // PUSH2 length, DUP1, PUSH1 10, 0, CODECOPY, 0, RETURN: what follows becomes the code.
        bytes memory creation = bytes.concat(hex"61", bytes2(uint16(data.length + 1)), hex"80600a3d393df300", data);
        assembly ("memory-safe") {
            store := create(0, add(creation, 32), mload(creation))
        }
        assert(store != address(0));
    }

    function read(address store) internal view returns (bytes memory data) {
        uint256 length = store.code.length - 1;
        data = new bytes(length);
        assembly ("memory-safe") {
            extcodecopy(store, add(data, 32), 1, length)
        }
    }
}
