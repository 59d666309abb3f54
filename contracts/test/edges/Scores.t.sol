// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgentRegistry} from "../../src/interfaces/IAgentRegistry.sol";
import {IAgreementBook} from "../../src/interfaces/IAgreementBook.sol";
import {IRoundScores} from "../../src/interfaces/IRoundScores.sol";
import {IntegrationMode, JobTerms, Kind} from "../../src/types/Market.sol";
import {AgreementBase} from "../AgreementBase.sol";
import {VmMock} from "../threats/Releases.t.sol";

/// @dev Scores of an overlapped round at their first and last seconds, and the median of those that came in any order.
contract ScoreEdgesTest is AgreementBase {
    uint64 private constant SEALED_S = START_S + 1 hours;
    bytes32 private constant SALT = "salt";
    VmMock private constant mocks = VmMock(address(uint160(uint256(keccak256("hevm cheat code")))));

    function setUp() public override {
        super.setUp();
        JobTerms memory terms = _jobTerms();
        (terms.integrationMode, terms.nonce) = (IntegrationMode.Overlapped, 7);
        vm.prank(_agent(INSTITUTE));
        job = book.openJob(terms);
        for (uint32 i = 1; i <= OWNERS; ++i) {
            bytes32 id = _make(Kind.Data, i);
            vm.prank(_agent(i));
            ledger.commitUpdate(id, 0, _digest(0, i));
        }
    }

    function test_scores_are_sealed_and_opened_up_to_the_last_second_of_each() public {
        _post(0);
        vm.warp(SEALED_S);
        _seal(1, [0, 60, 60, 60]);
        _expectNotTheTime(0);
        _open(1, [0, 60, 60, 60]);
        vm.warp(SEALED_S + 1 hours);
        _open(1, [0, 60, 60, 60]);
        vm.warp(SEALED_S + 1 hours + 1);
        ledger.settleScores(job, 0);
        _expectNotTheTime(0);
        ledger.settleScores(job, 0);
    }

    function test_a_round_that_was_not_posted_is_not_settled() public {
        vm.warp(SEALED_S + 2 hours);
        _expectNotTheTime(0);
        ledger.settleScores(job, 0);
        _expectNotTheTime(1);
        ledger.settleScores(job, 1);
    }

    function test_the_median_is_that_of_the_scores_in_order() public {
        _post(0);
        uint8[4][4] memory scores = [[0, 0, 0, 100], [0, 0, 0, 0], [0, 0, 0, 50], [0, 0, 0, 0]];
        for (uint32 i = 1; i <= OWNERS; ++i) {
            _seal(i, scores[i - 1]);
        }
        for (uint32 i = 1; i <= OWNERS; ++i) {
            _open(i, scores[i - 1]);
        }
        ledger.settleScores(job, 0);
        assertEq(ledger.shareOf(job, 0, _agent(4)), 75, "100, 0 and 50");
    }

    /// @dev Settling reads what each gave each, in one transaction.
    function test_a_round_has_up_to_32_participants() public {
        for (uint32 i = OWNERS; i < 33; ++i) {
            (bytes32 id, address seller) = (bytes32(uint256(i)), address(uint160(0x50000 + i)));
            _sellOnPaper(id, seller);
            bytes memory full = abi.encodeWithSelector(IRoundScores.RoundTooManyParticipants.selector, job, uint32(0));
            vm.prank(seller);
            if (i == 32) vm.expectRevert(full);
            ledger.commitUpdate(id, 0, id);
        }
        assertEq(ledger.participants(job, 0).length, 32, "participants");
    }

    // ---- Arranging ----

    /// @dev More owners than there are organisations here.
    function _sellOnPaper(bytes32 id, address seller) private {
        IAgreementBook.Sold memory sold =
            IAgreementBook.Sold(job, seller, Kind.Data, IntegrationMode.Overlapped, uint24(ALL_ROUNDS), 0);
        mocks.mockCall(address(book), abi.encodeCall(IAgreementBook.sold, (id)), abi.encode(sold));
        mocks.mockCall(address(agents), abi.encodeCall(IAgentRegistry.actsFor, (seller, seller)), abi.encode(true));
    }

    function _seal(uint32 organisation, uint8[4] memory scores) private {
        bytes32 commitment = keccak256(
            abi.encode(
                block.chainid, address(ledger), job, uint32(0), _agent(organisation), _list(scores), SALT
            )
        );
        vm.prank(_agent(organisation));
        ledger.commitScores(job, 0, commitment);
    }

    function _open(uint32 organisation, uint8[4] memory scores) private {
        vm.prank(_agent(organisation));
        ledger.revealScores(job, 0, _list(scores), SALT);
    }

    function _expectNotTheTime(uint32 round) private {
        vm.expectRevert(abi.encodeWithSelector(IRoundScores.RoundNotTheTime.selector, job, round));
    }

    function _list(uint8[4] memory scores) private pure returns (uint8[] memory list) {
        list = new uint8[](4);
        for (uint256 i; i < 4; ++i) {
            list[i] = scores[i];
        }
    }
}
