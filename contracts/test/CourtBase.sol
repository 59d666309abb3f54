// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEvaluatorCourt} from "../src/interfaces/IEvaluatorCourt.sol";
import {SystemBase} from "./SystemBase.sol";

/// @dev A candidate of a real job before its jury, and what jurors, appellants and time do to it.
abstract contract CourtBase is SystemBase {
    int128 internal constant MISSING = type(int128).min;
    int128 internal constant FAIR = 60_000;
    int128 internal constant UNFAIR = 240_000;

    bytes32 internal id;

    function setUp() public virtual override {
        super.setUp();
        _openMarket();
        _postRounds(0, 3);
        id = _submit(0);
    }

    // ---- Jury ----

    function _drawNow() internal returns (address[] memory) {
        vm.roll(block.number + 3);
        court.draw(id);
        return court.jury(id);
    }

    function _gap(int128 gap) internal pure returns (int128[] memory values) {
        values = new int128[](3);
        (values[0], values[1], values[2]) = (870_000, 800_000, gap);
    }

    function _nothing() internal pure returns (int128[] memory values) {
        values = new int128[](3);
        (values[0], values[1], values[2]) = (MISSING, MISSING, MISSING);
    }

    function _commitment(address juror, int128[] memory values, bytes32 root) internal view returns (bytes32) {
        bytes32 artifact = court.courtCase(id).artifact;
        return keccak256(
            abi.encode(
                block.chainid, address(court), id, artifact, juror, values, bytes32("report"), root, bytes32("salt")
            )
        );
    }

    function _commitTo(address juror, int128[] memory values, bytes32 root) internal {
        bytes32 commitment = _commitment(juror, values, root);
        vm.prank(juror);
        court.commit(id, commitment);
    }

    function _revealTo(address juror, int128[] memory values, bytes32 root) internal {
        court.reveal(id, juror, values, "report", root, "salt");
    }

    /// @dev All jurors measure; those of the colluders' bits say so, the others the truth.
    function _measureAs(uint256 colluders, int128 lie, int128 truth) internal {
        address[] memory jurors = court.jury(id);
        for (uint256 i; i < jurors.length; ++i) {
            _commitTo(jurors[i], _gap(colluders & (1 << i) != 0 ? lie : truth), 0);
        }
        for (uint256 i; i < jurors.length; ++i) {
            _revealTo(jurors[i], _gap(colluders & (1 << i) != 0 ? lie : truth), 0);
        }
        court.finalise(id);
    }

    // ---- Appeal ----

    function _appealAs(address appellant) internal {
        credit.transfer(appellant, BOND);
        vm.startPrank(appellant);
        credit.approve(address(vault), BOND);
        court.appeal(id);
        vm.stopPrank();
    }

    function _waitForAppeals() internal {
        vm.warp(court.courtCase(id).windowEndS + 1);
    }

    function _treasury() internal view returns (uint256) {
        return vault.balanceOf(address(timelock));
    }

    function _lab(address juror) internal view returns (uint32) {
        return agents.organisationOf(juror);
    }

    function _stakeOf(address juror) internal view returns (uint256) {
        return court.service(_lab(juror)).stakeE18;
    }

    function _set(IEvaluatorCourt.Settings memory given) internal {
        vm.prank(_amendments());
        court.setSettings(given);
    }

    function _amendments() internal view returns (address) {
        return address(amendments);
    }

    function _disputes() internal view returns (address) {
        return address(disputes);
    }

    function _expectStage(IEvaluatorCourt.Stage stage) internal view {
        assertEq(uint8(court.courtCase(id).stage), uint8(stage), "stage");
    }
}
