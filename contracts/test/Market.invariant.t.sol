// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AgreementBook} from "../src/AgreementBook.sol";
import {RewardVault} from "../src/RewardVault.sol";
import {IAgreementBook} from "../src/interfaces/IAgreementBook.sol";
import {IRoundLedger} from "../src/interfaces/IRoundLedger.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Lines} from "../src/libraries/Lines.sol";
import {JobTerms, Kind, Mandate, Terms} from "../src/types/Market.sol";
import {AgreementBase} from "./AgreementBase.sol";
import {Check} from "./Vm.sol";

/// @dev Everything that agents, operators, strangers and time can do to money, in any order.
contract Traders is AgreementBase {
    bytes32[] public made;
    bytes32 public release;
    uint128 public constant MAX_SPEND = 5000e18;
    uint256 public claims;
    uint256 public refunds;
    uint256 public withdrawals;
    uint256 public expiries;
    uint64 private _nonce;

    function setUp() public override {
        super.setUp();
        Mandate memory limits = _wide();
        limits.maxSpendE18 = MAX_SPEND;
        vm.prank(_operator(INSTITUTE));
        agents.setMandate(_agent(INSTITUTE), limits);
        for (uint32 i = 1; i <= ORGANISATIONS; ++i) {
            if (i != INSTITUTE) credit.transfer(_operator(i), FUNDS);
            vm.prank(_operator(i));
            credit.approve(address(vault), type(uint256).max);
        }
        for (uint32 i = 1; i <= OWNERS; ++i) {
            limits = _wide();
            limits.lifetimeEpsilonMicros = 3 * EPSILON;
            vm.prank(_operator(i));
            agents.setMandate(_agent(i), limits);
        }
    }

    function make(uint8 kind, uint8 party, uint128 priceE18) public {
        Kind chosen = Kind(1 + kind % 4);
        uint32 seller = 1 + party % OWNERS;
        if (chosen == Kind.Compute) seller = CENTRE;
        if (chosen == Kind.Evaluation) seller = FIRST_LAB + party % 7;
        Terms memory terms = _terms(chosen, seller);
        terms.priceE18 = uint128(uint256(priceE18) % 1000e18);
        terms.bondE18 = priceE18 % 3 == 0 ? uint128(uint256(priceE18) % 100e18) : 0;
        (terms.validUntilS, terms.nonce) = (DEADLINE_S, ++_nonce);
        (bytes memory bought, bytes memory sold) = _signBoth(terms, seller);
        try book.createAgreement(terms, bought, sold) returns (bytes32 id) {
            made.push(id);
        } catch {}
    }

    function post() public {
        uint32 round = ledger.roundCount(job);
        if (round < ALL_ROUNDS && block.timestamp <= DEADLINE_S && _isOpen()) _post(round);
    }

    function claim(uint16 which, uint8 from, uint8 rounds) public {
        if (made.length == 0) return;
        IAgreementBook.Agreement memory found = book.agreement(made[which % made.length]);
        uint32 first = from % ALL_ROUNDS;
        uint32 last = first + rounds % (ALL_ROUNDS - first) + 1;
        IRoundLedger.RoundClaim[] memory wanted = _claims(first, last, agents.organisationOf(found.seller));
        Lines.Line memory line = _line(first);
        if (from % 2 == 0) vm.prank(found.seller);
        try ledger.claimRounds(made[which % made.length], line, wanted) {
            ++claims;
        } catch {}
    }

    /// @dev Data and rows of the last agreements made, measured by whoever is drawn.
    function measure(uint8 reveals) external {
        if (release != 0 || !_isOpen() || block.timestamp > DEADLINE_S) return;
        bytes32[] memory cited = new bytes32[](2);
        for (uint256 i; i < made.length; ++i) {
            IAgreementBook.Agreement memory found = book.agreement(made[i]);
            if (found.state != IAgreementBook.AgreementState.Active) continue;
            if (found.kind == Kind.Data) cited[0] = made[i];
            if (found.kind == Kind.EvaluationRows) cited[1] = made[i];
        }
        if (cited[0] == 0 || cited[1] == 0 || !ledger.isComplete(job, 0)) return;
        release = _submit(0, cited);
        _measure(release, reveals % 6);
    }

    function look(uint16 which) external {
        if (made.length == 0 || release == 0) return;
        bytes32[] memory looks = new bytes32[](1);
        looks[0] = release;
        try book.claimLooks(made[which % made.length], looks) {
            ++claims;
        } catch {}
    }

    function close(uint16 which, uint8 caller) external {
        if (made.length == 0 || caller % 3 == 0) return;
        bytes32 id = made[which % made.length];
        vm.prank(caller % 6 == 1 ? book.agreement(id).seller : STRANGER);
        try book.close(id) {
            ++refunds;
        } catch {}
    }

    function withdraw(uint16 which, uint8 chance) external {
        if (made.length == 0 || chance % 8 != 0) return;
        bytes32 id = made[which % made.length];
        vm.prank(chance % 16 == 0 ? book.agreement(id).seller : STRANGER);
        try book.withdraw(id) {
            ++withdrawals;
        } catch {}
    }

    function expire(uint16 which) external {
        if (made.length == 0) return;
        vm.prank(STRANGER);
        try book.expire(made[which % made.length]) {
            ++expiries;
        } catch {}
    }

    function slash(uint16 which, uint16 bps, uint8 challenger) external {
        if (made.length == 0 || bps % 4 != 0) return;
        vm.prank(address(disputes));
        book.slash(made[which % made.length], bps % 10_001, challenger % 3 == 0 ? address(0) : _operator(CENTRE));
    }

    function setFee(uint16 bps) external {
        vm.prank(AMENDMENTS);
        try book.setFee(bps % 1100) {} catch {}
    }

    function finish(uint8 chance) external {
        if (chance % 16 != 0 || !_isOpen()) return;
        vm.prank(address(releases));
        book.finishJob(job, 0);
    }

    function removeSeller(uint8 chance) external {
        if (chance % 32 != 0 || !agents.organisation(1).active) return;
        vm.prank(AMENDMENTS);
        agents.remove(1);
    }

    function wait(uint24 seconds_) external {
        vm.warp(block.timestamp + seconds_ % 5 days);
    }

    /// @dev Several steps of work at once, since single ones seldom get far.
    function work(uint8 rounds, uint128 priceE18) external {
        make(0, rounds, priceE18);
        make(1, rounds, priceE18);
        for (uint256 i; i <= rounds % 5; ++i) {
            post();
        }
        if (made.length > 1) claim(uint16(made.length - 2), 0, 0);
    }

    function count() external view returns (uint256) {
        return made.length;
    }

    function parts() external view returns (AgreementBook, IERC20, uint256 outside) {
        for (uint32 i = 1; i <= ORGANISATIONS; ++i) {
            outside += credit.balanceOf(_operator(i));
        }
        outside += credit.balanceOf(TIMELOCK) + credit.balanceOf(address(vault));
        return (book, IERC20(address(credit)), outside);
    }

    function candidateBond() external view returns (uint128 left, uint128 locked) {
        (, left) = vault.held(address(releases), release);
        return (left, releases.candidateBondE18());
    }

    function vaultParts() external view returns (RewardVault, IERC20, uint256 credited) {
        for (uint32 i = 1; i <= ORGANISATIONS; ++i) {
            credited += vault.balanceOf(_operator(i));
        }
        return (vault, IERC20(address(credit)), credited + vault.balanceOf(TIMELOCK) + _stakes());
    }

    function funds() external pure returns (uint256) {
        return ORGANISATIONS * FUNDS + _stakes();
    }

    function buyer() external pure returns (address) {
        return _agent(INSTITUTE);
    }

    function owner(uint32 i) external pure returns (address) {
        return _agent(i);
    }

    function epsilonCap() external pure returns (uint64) {
        return 3 * EPSILON;
    }

    /// @dev The evaluators' stakes; no trader touches them.
    function _stakes() private pure returns (uint256) {
        return (ORGANISATIONS - FIRST_LAB + 1) * uint256(STAKE);
    }

    function _isOpen() private view returns (bool) {
        return book.job(job).state == IAgreementBook.JobState.Open;
    }
}

contract MarketInvariantTest is Check {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Traders private traders;

    function setUp() public {
        traders = new Traders();
        traders.setUp();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(traders);
    }

    function excludeSelectors() external view returns (FuzzSelector[] memory excluded) {
        excluded = new FuzzSelector[](1);
        excluded[0] = FuzzSelector(address(traders), new bytes4[](1));
        excluded[0].selectors[0] = this.setUp.selector;
    }

    function invariant_the_book_holds_exactly_what_it_owes() public view {
        (AgreementBook book, IERC20 credit, uint256 outside) = traders.parts();
        uint256 owed;
        for (uint256 i; i < traders.count(); ++i) {
            IAgreementBook.Agreement memory found = book.agreement(traders.made(i));
            bool active = found.state == IAgreementBook.AgreementState.Active;
            uint256 paid = uint256(found.priceE18) * found.paidUnits / found.units;
            if (active) owed += found.priceE18 - paid + paid * found.feeBps / 10_000;
        }
        assertEq(credit.balanceOf(address(book)), owed, "held is owed");
        assertEq(outside + owed, traders.funds(), "sum in is sum out");
    }

    /// @dev What is left of each bond, the candidate's among them, lies in the vault; nothing else does but what was credited.
    function invariant_the_vault_holds_what_is_left_of_the_bonds() public view {
        (RewardVault vault, IERC20 credit, uint256 credited) = traders.vaultParts();
        (AgreementBook book,,) = traders.parts();
        for (uint256 i; i < traders.count(); ++i) {
            (, uint128 left) = vault.held(address(book), traders.made(i));
            assertTrue(left <= book.agreement(traders.made(i)).bondE18, "no more than was locked");
            credited += left;
        }
        (uint128 ofCandidate, uint128 locked) = traders.candidateBond();
        assertEq(ofCandidate, traders.release() == 0 ? 0 : locked, "nobody decided on the candidate");
        credited += ofCandidate;
        assertEq(vault.owedE18(), credited, "owed");
        assertEq(credit.balanceOf(address(vault)), credited, "held");
    }

    function invariant_no_agreement_pays_more_than_its_price() public view {
        (AgreementBook book,,) = traders.parts();
        for (uint256 i; i < traders.count(); ++i) {
            IAgreementBook.Agreement memory found = book.agreement(traders.made(i));
            assertTrue(found.paidUnits <= found.units, "units");
            bool byRound = found.kind == Kind.Data || found.kind == Kind.Compute;
            assertTrue(!byRound || found.paidUnits <= found.nextUnit, "one payment a round");
        }
    }

    function invariant_mandates_bound_what_was_ever_spent_and_granted() public view {
        (AgreementBook book,,) = traders.parts();
        (uint128 spentE18, uint32 count) = book.spent(traders.buyer());
        assertTrue(spentE18 <= traders.MAX_SPEND(), "spent");
        assertEq(count, traders.count(), "agreements");
        for (uint32 i = 1; i <= 4; ++i) {
            assertTrue(book.epsilonGranted(traders.owner(i)) <= traders.epsilonCap(), "epsilon for life");
        }
    }

    /// @dev Shows that the walk reaches payments, looks and refunds at all.
    function test_the_traders_can_reach_every_payment() public {
        traders.make(3, 0, 30e18);
        traders.work(4, 100e18);
        traders.measure(5);
        traders.claim(1, 0, 1);
        traders.look(2);
        traders.close(1, 1);
        traders.withdraw(0, 0);
        traders.wait(5 days - 1);
        assertEq(traders.count(), 3, "agreements");
        assertEq(traders.withdrawals(), 1, "withdrawals");
        assertTrue(traders.claims() >= 2, "claims");
        assertEq(traders.refunds(), 1, "refunds");
        invariant_the_book_holds_exactly_what_it_owes();
    }
}
