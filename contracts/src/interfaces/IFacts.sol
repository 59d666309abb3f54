// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A holder of facts that rules judge
interface IFacts {
    /// @notice Returns facts about a subject, all that one judgement needs in one call.
    /// @param subject An agreement, round or release.
    /// @param keys ASCII, left aligned; a key may come more than once.
    /// @param sources For each key the mask of the sources that its rule accepts.
    /// @return values Millionths, or raw bits; one for each key, in order.
    /// @return from Where each comes from; zero when no accepted source has it.
    function facts(bytes32 subject, bytes32[] calldata keys, uint8[] calldata sources)
        external
        view
        returns (int128[] memory values, uint8[] memory from);
}
