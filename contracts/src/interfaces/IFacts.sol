// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A holder of facts that rules judge
interface IFacts {
    /// @notice Returns one fact about a subject.
    /// @param subject An agreement, round or release.
    /// @param key ASCII, left aligned.
    /// @param sources Mask of the sources that the rule accepts.
    /// @return value Millionths, or raw bits.
    /// @return source Where it comes from; zero when no accepted source has it.
    function fact(bytes32 subject, bytes32 key, uint8 sources) external view returns (int128 value, uint8 source);
}
