// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDisputes} from "../src/interfaces/IDisputes.sol";
import {Kind, Terms} from "../src/types/Market.sol";
import {AgreementBase} from "./AgreementBase.sol";

/// @dev A data agreement with a bond and an auditor, and somebody who complains of it.
abstract contract DisputeBase is AgreementBase {
    uint128 internal constant PLEDGE = 1000e18;
    uint32 internal constant SELLER = 1;
    address internal constant AUDITOR = address(0xA0D1);
    /// @dev The compute centre's operator.
    address internal constant CHALLENGER = address(uint160(0x20000 + CENTRE));

    bytes32 internal deal;

    function setUp() public virtual override {
        super.setUp();
        credit.transfer(CHALLENGER, 100 * DEPOSIT);
        vm.prank(CHALLENGER);
        credit.approve(address(vault), type(uint256).max);
        deal = _bonded(SELLER, AUDITOR);
    }

    function _bonded(uint32 seller, address auditor) internal returns (bytes32) {
        credit.transfer(_operator(seller), PLEDGE);
        vm.prank(_operator(seller));
        credit.approve(address(vault), PLEDGE);
        Terms memory terms = _terms(Kind.Data, seller);
        (terms.bondE18, terms.auditor) = (PLEDGE, auditor);
        return _make(terms, seller);
    }

    function _raise(IDisputes.Ground ground) internal returns (bytes32) {
        vm.prank(CHALLENGER);
        return disputes.raise(deal, ground, "evidence");
    }

    /// @dev The whole jury gives one answer, and the window for appeals passes.
    function _answer(bytes32 id, int128 answer) internal {
        _answerNow(id, answer);
        vm.warp(court.courtCase(id).windowEndS + 1);
    }

    function _answerNow(bytes32 id, int128 answer) internal {
        address[] memory jurors = _draw(id);
        int128[] memory values = new int128[](1);
        values[0] = answer;
        for (uint256 i; i < jurors.length; ++i) {
            _commitTo(id, jurors[i], values);
        }
        for (uint256 i; i < jurors.length; ++i) {
            _revealTo(id, jurors[i], values);
        }
        court.finalise(id);
    }
}
