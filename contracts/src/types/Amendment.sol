// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev Which way a change of the constitution goes; larger waits longer.
enum Direction {
    None,
    /// Binds more than before.
    Tighten,
    /// Binds less than before, or changes who decides.
    Loosen,
    /// Changes what every other decision rests on.
    Constitutional,
    /// Nobody may do it.
    Forbidden
}
