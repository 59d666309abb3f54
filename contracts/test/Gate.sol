// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsent} from "../src/interfaces/IConsent.sol";
import {IReleaseRegistry} from "../src/interfaces/IReleaseRegistry.sol";

address constant GUARDIAN = address(0x6A);
uint128 constant CANDIDATE_BOND_E18 = 10e18;
uint128 constant OBJECTION_STAKE_E18 = 5e18;
/// @dev Holds office 3.
address constant DOCTOR = address(0xD0C);

/// @dev One office.
function offices() pure returns (IConsent.Settings memory settings) {
    settings.officers = new IConsent.Officer[](1);
    settings.officers[0] = IConsent.Officer(3, DOCTOR);
    settings.objectionStakeE18 = OBJECTION_STAKE_E18;
}

/// @dev Settings of a registry that succeeds no other.
function gate() pure returns (IReleaseRegistry.Settings memory) {
    return IReleaseRegistry.Settings(GUARDIAN, 0, CANDIDATE_BOND_E18);
}
