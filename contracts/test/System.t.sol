// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {IAgentRegistry} from "../src/interfaces/IAgentRegistry.sol";
import {IAmendments} from "../src/interfaces/IAmendments.sol";
import {IAgreementBook} from "../src/interfaces/IAgreementBook.sol";
import {IEvaluatorCourt} from "../src/interfaces/IEvaluatorCourt.sol";
import {IMemberToken} from "../src/interfaces/IMemberToken.sol";
import {IModelGovernor} from "../src/interfaces/IModelGovernor.sol";
import {IPools} from "../src/interfaces/IPools.sol";
import {IReleaseRegistry} from "../src/interfaces/IReleaseRegistry.sol";
import {Kind} from "../src/types/Market.sol";
import {CANDIDATE_BOND_E18} from "./Gate.sol";
import {SystemBase} from "./SystemBase.sol";

contract SystemTest is SystemBase {
    function test_one_candidate_is_refused_and_the_next_released() public {
        _openMarket();
        _postRounds(0, 3);
        bytes32 plain = _submit(0);
        _measure(plain, 240_000);
        uint256 unanimous = _proposeRelease(plain);
        _carry(unanimous);
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.PolicyViolation.selector, GAP_RULE));
        governor.execute(unanimous);
        releases.refuse(plain);

        _postRounds(4, 6);
        bytes32 second = _submit(1);
        _measure(second, 90_000);
        uint256 proposal = _proposeRelease(second);
        _carry(proposal);
        governor.execute(proposal);

        assertFalse(releases.isUsable(_manifest(0).artifact), "the refused file");
        assertTrue(releases.isUsable(_manifest(1).artifact), "the released file");
        assertTrue(book.job(job).state == IAgreementBook.JobState.Finished, "job");
        assertEq(court.looks(_evaluation(1)), 2, "looks");
        assertEq(governor.proposalThreshold(), 1, "threshold");
    }

    function test_what_was_locked_is_paid_or_given_back() public {
        _openMarket();
        uint256 locked = credit.balanceOf(address(book));
        assertEq(locked, 16 * PRICE_E18, "locked: 4 data, 4 rows, 1 compute, 7 evaluators");
        _postRounds(0, 3);
        _claimRounds(1, 0, 3);
        assertEq(credit.balanceOf(_operator(1)), 4 * PRICE_E18 / 10, "4 of 10 rounds");

        vm.warp(DEADLINE_S + 7 days + 1);
        _closeAll();

        assertEq(credit.balanceOf(address(book)), 0, "owed");
        assertEq(credit.balanceOf(address(book)), 0, "held");
        uint256 buyer = credit.balanceOf(_operator(INSTITUTE));
        assertEq(buyer + 4 * PRICE_E18 / 10 + BONUS, FUNDS, "sum in = sum out, the bonus aside");
    }

    /// @dev Escrow in is payments, bonus, fees and refunds out; use paid is what four parties get of it.
    function test_bonus_and_paid_use_reach_the_contributors_and_nothing_is_lost() public {
        _openMarket();
        _postRounds(0, 3);
        bytes32 id = _submit(0);
        _measure(id, 90_000);
        uint256 proposal = _proposeRelease(id);
        _carry(proposal);
        vm.expectRevert(abi.encodeWithSelector(IPools.PoolNotOpenable.selector, id));
        vault.openPool(id, _manifest(0));
        governor.execute(proposal);

        vault.openPool(id, _manifest(0));
        vault.settleBonus(job);
        credit.transfer(STRANGER, 6 * MONTH_E18);
        vm.startPrank(STRANGER);
        credit.approve(address(vault), 6 * MONTH_E18);
        vault.payUse(id, 6, 6 * MONTH_E18);
        vm.stopPrank();
        for (uint32 i = 1; i <= OWNERS; ++i) {
            vault.claimShare(id, i, 0, new bytes32[](0));
        }

        // Of 60 without a fee: 4.2 royalties that no ancestor takes, then 27.9 each; and the bond of the candidate.
        assertEq(vault.balanceOf(address(timelock)), 4.2e18, "treasury");
        assertEq(vault.balanceOf(_operator(INSTITUTE)), 27.9e18 + CANDIDATE_BOND_E18, "buyer");
        for (uint32 i = 1; i <= OWNERS; ++i) {
            assertEq(vault.balanceOf(_operator(i)), (BONUS + 27.9e18) / OWNERS, "owner");
            vault.withdraw(_operator(i));
        }
        assertEq(credit.balanceOf(_operator(2)), (BONUS + 27.9e18) / OWNERS, "withdrawn");
        assertEq(vault.pool(id).pooledE18, vault.pool(id).claimedE18, "the pool is empty");
        assertEq(vault.paidUntil(id, STRANGER), block.timestamp + 180 days, "until");
    }

    function test_a_revoked_release_is_no_longer_sold_but_still_shared() public {
        _openMarket();
        _postRounds(0, 3);
        bytes32 id = _submit(0);
        _measure(id, 90_000);
        uint256 proposal = _proposeRelease(id);
        _carry(proposal);
        governor.execute(proposal);
        vault.openPool(id, _manifest(0));
        vault.settleBonus(job);
        _decide(_member(1), address(releases), abi.encodeCall(IReleaseRegistry.revoke, (id, "harm")));

        vm.prank(_operator(INSTITUTE));
        vm.expectRevert(abi.encodeWithSelector(IPools.PoolNotForSale.selector, id));
        vault.payUse(id, 1, MONTH_E18);
        vault.claimShare(id, 1, 0, new bytes32[](0));
        assertEq(vault.balanceOf(_operator(1)), BONUS / OWNERS, "earned before");
    }

    function test_an_organisation_is_admitted_by_two_thirds() public {
        address member = address(0xFEED);
        // Votes count from the second after admission.
        vm.warp(block.timestamp + 1);
        bytes32 id = _stage(
            address(agents), abi.encodeCall(IAgentRegistry.admit, ("a fifth owner", member, address(0xFEE)))
        );
        vm.warp(block.timestamp + 14 days);
        amendments.activate(id);
        assertEq(agents.organisationCount(), ORGANISATIONS + 1, "organisations");
        assertEq(members.getVotes(member), 1, "vote");
    }

    function test_the_deployer_keeps_no_power() public {
        address me = address(this);
        assertEq(members.balanceOf(me), 0, "votes");
        vm.expectRevert(abi.encodeWithSelector(IMemberToken.MemberTokenOnlyController.selector, me));
        members.admit(me);
        vm.expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentOnlyAmendments.selector, me));
        agents.admit("mine", me, STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentOnlyAmendments.selector, me));
        agents.remove(1);
        vm.expectRevert(abi.encodeWithSelector(IEvaluatorCourt.CourtOnly.selector, address(timelock), me));
        court.joinPanel(1);
        vm.expectRevert(abi.encodeWithSelector(IEvaluatorCourt.CourtOnly.selector, address(releases), me));
        court.open(0, 0, 0, new bytes32[](0), new uint32[](0));
        vm.expectRevert(abi.encodeWithSelector(IAgreementBook.AgreementOnlyRegistry.selector, me));
        book.finishJob(0, 0);
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseOnlyTimelock.selector, me));
        releases.approve(0, 0, 0, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseOnlyGovernor.selector, me));
        releases.noteProposal(0, "", me);
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseOnlyWriter.selector, me));
        releases.append(0, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorOnlyExecutor.selector, me));
        governor.setVotingDelay(0);
        vm.expectRevert(IModelGovernor.GovernorNoRelay.selector);
        governor.relay(address(timelock), 0, "");
        vm.expectRevert(abi.encodeWithSelector(IAmendments.AmendmentOnlyTimelock.selector, me));
        amendments.stage(address(agents), "");
        vm.expectRevert(abi.encodeWithSelector(TimelockController.TimelockUnauthorizedCaller.selector, me));
        timelock.updateDelay(0);
        _expectNoTimelockRole(me);
    }

    function test_the_wiring_is_what_was_computed() public view {
        assertEq(releases.governor(), address(governor), "governor");
        assertEq(releases.timelock(), address(timelock), "timelock");
        assertEq(releases.memberToken(), address(members), "members");
        assertEq(releases.policyRegistry(), address(policy), "policy");
        assertEq(releases.agentRegistry(), address(agents), "agents");
        assertEq(releases.agreementBook(), address(book), "book");
        assertEq(releases.roundLedger(), address(ledger), "ledger");
        assertEq(releases.evaluatorCourt(), address(court), "court");
        assertEq(releases.amendments(), address(amendments), "amendments");
        assertEq(releases.rewardVault(), address(vault), "vault");
        assertEq(releases.disputes(), address(disputes), "disputes");
        assertEq(governor.timelock(), address(timelock), "timelock of the governor");
        assertEq(address(governor.token()), address(members), "token of the governor");
    }

    function test_a_proposal_over_a_removed_coordinator_is_refused() public {
        _openMarket();
        _postRounds(0, 3);
        bytes32 id = _submit(0);
        _measure(id, 90_000);
        vm.prank(_operator(INSTITUTE));
        agents.unbind(_agent(INSTITUTE));
        bytes memory approval = _approvalOf(id);
        vm.expectPartialRevert(IGovernor.GovernorInsufficientProposerVotes.selector);
        _propose(_agent(INSTITUTE), address(releases), approval);
    }

    function _closeAll() private {
        for (uint32 i = 1; i <= OWNERS; ++i) {
            book.close(agreements[Kind.Data][i]);
            book.close(agreements[Kind.EvaluationRows][i]);
        }
        book.close(agreements[Kind.Compute][CENTRE]);
        for (uint32 i = FIRST_LAB; i <= ORGANISATIONS; ++i) {
            book.close(agreements[Kind.Evaluation][i]);
        }
    }

    function _expectNoTimelockRole(address account) private {
        bytes32[4] memory roles = [
            timelock.DEFAULT_ADMIN_ROLE(), timelock.PROPOSER_ROLE(), timelock.EXECUTOR_ROLE(), timelock.CANCELLER_ROLE()
        ];
        for (uint256 i; i < roles.length; ++i) {
            assertFalse(timelock.hasRole(roles[i], account), "role");
            vm.expectRevert(
                abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, account, roles[0])
            );
            timelock.grantRole(roles[i], account);
        }
    }
}
