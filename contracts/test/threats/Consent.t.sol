// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {Consent} from "../../src/Consent.sol";
import {IConsent} from "../../src/interfaces/IConsent.sol";
import {IReleaseRegistry} from "../../src/interfaces/IReleaseRegistry.sol";
import {Addresses} from "../../src/types/Addresses.sol";
import {Kind} from "../../src/types/Market.sol";
import {Entrenchment, Op, Phase, Rule, Source} from "../../src/types/Policy.sol";
import {CANDIDATE_BOND_E18, DOCTOR, GUARDIAN, OBJECTION_STAKE_E18} from "../Gate.sol";
import {ReleasedBase} from "./Releases.t.sol";

/// @dev Objections and sign-offs, each attack with the defence that stops it.
contract ObjectionThreatsTest is ReleasedBase {
    uint128 private constant ANY_OFFICE = 8;
    uint256 private constant OBJECTION_RULE = 4;

    /// @dev Organisation 1 has one agent behind the candidate, organisation 2 two.
    function _rules() internal pure override returns (Rule[] memory rules) {
        Rule[] memory usual = super._rules();
        rules = new Rule[](3);
        (rules[0], rules[1]) = (usual[0], usual[1]);
        rules[2] = Rule({
            id: "max-objections",
            fact: "objection_ratio",
            bound: 250_000,
            op: Op.Max,
            tiers: 0x0e,
            sources: Source.bit(Source.COMPUTED),
            phases: Phase.RELEASE,
            entrenchment: Entrenchment.Constitutional,
            appliesFromS: 0
        });
    }

    // ---- Who counts ----

    /// @dev Finding 6.
    function test_agents_do_not_dilute_an_objection() public {
        bytes32 id = _measured(0, GOOD_GAP);
        _object(1, "data 1");
        (int128 ratio,) = _ratio(id);
        assertEq(uint128(ratio), 500_000, "one of two organisations, whatever their agents");
        (uint256 failed,,) = releases.check(id);
        assertEq(failed, OBJECTION_RULE, "failed");
    }

    // ---- Extortion ----

    /// @dev Finding 31.
    function test_an_objection_costs_a_stake_that_an_abusive_one_loses() public {
        bytes32 id = _measured(0, GOOD_GAP);
        _object(1, "data 1");
        assertEq(credit.balanceOf(agents.operator(1)), FUNDS - OBJECTION_STAKE_E18, "paid in");
        vm.prank(address(timelock));
        consent.judgeAbusive(id, 1);
        assertEq(vault.balanceOf(address(timelock)), OBJECTION_STAKE_E18, "the treasury's");
        assertEq(consent.objections(id), 0, "counts no more");
        (uint256 failed,,) = releases.check(id);
        assertEq(failed, 0, "failed");
        _expectObjectionRefused(1, "data 1", IConsent.ConsentBadObjection.selector);
    }

    /// @dev Finding 31.
    function test_a_stake_that_nobody_found_abusive_comes_back() public {
        bytes32 id = _measured(0, GOOD_GAP);
        _object(1, "data 1");
        uint64 untilS = uint64(block.timestamp + 30 days);
        vm.warp(untilS - 1);
        vm.expectRevert(abi.encodeWithSelector(IConsent.ConsentStakeHeld.selector, untilS));
        consent.returnStake(id, 1);
        vm.warp(untilS);
        consent.returnStake(id, 1);
        assertEq(vault.balanceOf(agents.operator(1)), OBJECTION_STAKE_E18, "given back");
        assertEq(consent.objections(id), 1, "it still counts");
        vm.prank(address(timelock));
        vm.expectPartialRevert(IConsent.ConsentBadObjection.selector);
        consent.judgeAbusive(id, 1);
    }

    // ---- Killing a release ----

    /// @dev Threat 29.
    function test_only_those_whose_data_stand_behind_it_object_and_once() public {
        _measured(0, GOOD_GAP);
        _object(2, "data 2");
        _expectObjectionRefused(2, "data 3", IConsent.ConsentBadObjection.selector);
        _expectObjectionRefused(3, "evaluation", IConsent.ConsentBadAgreement.selector);
        _expectObjectionRefused(9, "data 1", IConsent.ConsentOnlyContributor.selector);
        _agree("not cited", Kind.Data, 0xA1, FOR_TRIAGE);
        _expectObjectionRefused(1, "not cited", IConsent.ConsentBadAgreement.selector);
    }

    /// @dev Threat 29.
    function test_objections_decide_by_the_rule_and_not_by_themselves() public {
        for (uint160 i; i < 3; ++i) {
            agents.set(address(0xB0 + i), uint32(20 + i), true);
        }
        _agree("data 1", Kind.Data, 0xA1, FOR_TRIAGE);
        _agree("data 2", Kind.Data, 0xB0, FOR_TRIAGE);
        _agree("data 3", Kind.Data, 0xB1, FOR_TRIAGE);
        _agree("data 4", Kind.Data, 0xB2, FOR_TRIAGE);
        IReleaseRegistry.Manifest memory manifest = _manifest(0);
        manifest.agreements = new bytes32[](5);
        (manifest.agreements[0], manifest.agreements[1]) = ("evaluation", "data 1");
        (manifest.agreements[2], manifest.agreements[3]) = ("data 2", "data 3");
        manifest.agreements[4] = "data 4";
        bytes32 id = _submit(manifest);
        court.measure(id, "tpr_gap_abs", GOOD_GAP);
        uint256 proposal = _propose(id);
        _carry(proposal, 13);
        vm.prank(agents.operator(1));
        consent.objectTo(id, "data 1", "not what I agreed to");
        (int128 ratio,) = _ratio(id);
        assertEq(uint128(ratio), 250_000, "one of four");
        governor.execute(proposal);
        _expectStanding(id, IReleaseRegistry.Status.Released, IReleaseRegistry.Reason.None);
    }

    /// @dev Finding 25.
    function test_objections_after_the_vote_can_only_make_it_stricter() public {
        bytes32 id = _measured(0, GOOD_GAP);
        uint256 proposal = _propose(id);
        _carry(proposal, 13);
        bytes32 before = releases.factsHash(id);
        _object(1, "data 1");
        assertEq(releases.factsHash(id), before, "the vote stands for the same facts");
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.PolicyViolation.selector, OBJECTION_RULE));
        governor.execute(proposal);
    }

    /// @dev Finding 25.
    function test_a_result_that_changed_after_the_vote_stops_the_approval() public {
        bytes32 id = _measured(0, GOOD_GAP);
        uint256 proposal = _propose(id);
        _carry(proposal, 13);
        court.setReveals(id, 7);
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseMismatch.selector, bytes32("factsHash")));
        governor.execute(proposal);
    }

    /// @dev Finding 25.
    function test_nobody_signs_off_while_the_vote_runs() public {
        bytes32 id = _measured(0, GOOD_GAP);
        bytes32 manifestHash = releases.release(id).manifestHash;
        uint256 proposal = _propose(id);
        vm.warp(governor.proposalSnapshot(proposal) + 1);
        _expectNotOpen(id);
        vm.warp(governor.proposalDeadline(proposal));
        _expectNotOpen(id);
        vm.warp(governor.proposalSnapshot(proposal));
        _carry(proposal, 13);
        _expectNotOpen(id);
        governor.execute(proposal);
        vm.prank(DOCTOR);
        consent.signOff(id, manifestHash, ANY_OFFICE);
        assertEq(consent.signOffs(id), ANY_OFFICE, "a release may still be signed off");
    }

    /// @dev Finding 25. The day before a vote begins is theirs, so that nobody keeps officers out by calling it early.
    function test_finding_25_a_vote_that_is_called_early_keeps_no_officer_out() public {
        bytes32 id = _measured(0, GOOD_GAP);
        uint256 proposal = _propose(id);
        vm.warp(governor.proposalSnapshot(proposal));
        bytes32 manifestHash = releases.release(id).manifestHash;
        vm.prank(DOCTOR);
        consent.signOff(id, manifestHash, ANY_OFFICE);
        assertEq(consent.signOffs(id), ANY_OFFICE, "on the last second before the vote");
        vm.warp(block.timestamp + 1);
        assertTrue(governor.state(proposal) == IGovernor.ProposalState.Active, "the vote runs");
        _expectNotOpen(id);
    }

    /// @dev Finding 25. Nor does the guardian by stopping it, until the second vote begins.
    function test_finding_25_a_vote_that_was_stopped_keeps_no_officer_out() public {
        bytes32 id = _measured(0, GOOD_GAP);
        uint256 first = _propose(id);
        vm.warp(governor.proposalSnapshot(first) + 1);
        _expectNotOpen(id);
        vm.prank(GUARDIAN);
        releases.stop(first, "no doctor looked at it");
        bytes32 manifestHash = releases.release(id).manifestHash;
        vm.prank(DOCTOR);
        consent.signOff(id, manifestHash, ANY_OFFICE);
        assertEq(consent.signOffs(id), ANY_OFFICE, "between the votes");
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) = _action(_approval(id, _deadline()));
        vm.prank(_member(2));
        uint256 second = governor.propose(targets, values, calls, "once more");
        vm.warp(governor.proposalSnapshot(second) + 1);
        _expectNotOpen(id);
    }

    function test_objections_after_the_release_suspend_it_by_a_recheck() public {
        bytes32 id = _release(0);
        _object(1, "data 1");
        _expectStanding(id, IReleaseRegistry.Status.Released, IReleaseRegistry.Reason.None);
        releases.recheck(id);
        _expectStanding(id, IReleaseRegistry.Status.Suspended, IReleaseRegistry.Reason.Policy);
    }

    // ---- Sign-offs ----

    function test_a_sign_off_is_a_fact_of_its_own_source() public {
        bytes32 id = _measured(0, GOOD_GAP);
        (, uint8 source) = _factOf(id, "signoffs");
        assertEq(source, Source.MISSING, "before");
        bytes32 manifestHash = releases.release(id).manifestHash;
        vm.startPrank(DOCTOR);
        vm.expectRevert(abi.encodeWithSelector(IConsent.ConsentBadManifest.selector, id));
        consent.signOff(id, "another manifest", ANY_OFFICE);
        vm.expectRevert(abi.encodeWithSelector(IConsent.ConsentOnlyOfficer.selector, 0, DOCTOR));
        consent.signOff(id, manifestHash, ANY_OFFICE | 1);
        consent.signOff(id, manifestHash, ANY_OFFICE);
        vm.stopPrank();
        int128 value;
        (value, source) = _factOf(id, "signoffs");
        assertEq(uint128(value), ANY_OFFICE, "offices");
        assertEq(source, Source.SIGNED_OFF, "source");
    }

    // ---- Arranging ----

    function _object(uint32 organisation, bytes32 agreement) private {
        bytes32 id = _lastId();
        vm.prank(agents.operator(organisation));
        consent.objectTo(id, agreement, "not what I agreed to");
    }

    function _expectNotOpen(bytes32 id) private {
        bytes32 manifestHash = releases.release(id).manifestHash;
        vm.prank(DOCTOR);
        vm.expectRevert(
            abi.encodeWithSelector(IConsent.ConsentNotOpen.selector, id, IReleaseRegistry.Status.Candidate)
        );
        consent.signOff(id, manifestHash, ANY_OFFICE);
    }

    function _expectObjectionRefused(uint32 organisation, bytes32 agreement, bytes4 refusal) private {
        bytes32 id = _lastId();
        vm.prank(agents.operator(organisation));
        vm.expectPartialRevert(refusal);
        consent.objectTo(id, agreement, "not what I agreed to");
    }

    function _lastId() private view returns (bytes32) {
        bytes32[] memory ids = releases.releasesOf(JOB);
        return ids[ids.length - 1];
    }

    function _ratio(bytes32 id) private view returns (int128 value, uint8 source) {
        return _factOf(id, "objection_ratio");
    }
}

contract EndorsementThreatsTest is ReleasedBase {
    function _endorsers() internal pure override returns (uint256) {
        return 0;
    }

    function _addressesAgain() private view returns (Addresses memory a) {
        (a.memberToken, a.timelock, a.governor) = (address(token), address(timelock), address(governor));
        (a.releaseRegistry, a.policyRegistry) = (address(releases), address(policy));
        (a.agentRegistry, a.agreementBook, a.credit) = (address(agents), address(book), address(credit));
        (a.roundLedger, a.evaluatorCourt) = (address(rounds), address(court));
        (a.rewardVault, a.consent, a.amendments) = (address(vault), address(consent), address(amendments));
        a.disputes = address(book);
    }

    /// @dev Finding 33.
    function test_nothing_is_released_before_two_thirds_endorsed_the_deployment() public {
        (bytes32 id, uint256 proposal) = _carriedWithEightEndorsements();
        _endorse(8);
        governor.execute(proposal);
        _expectStanding(id, IReleaseRegistry.Status.Released, IReleaseRegistry.Reason.None);
    }

    /// @dev Finding 33.
    function test_only_members_endorse_once_and_exactly_what_stands() public {
        bytes32 digest = consent.deploymentDigest();
        vm.prank(_member(0));
        vm.expectRevert(
            abi.encodeWithSelector(IConsent.ConsentWrongDeployment.selector, bytes32("another"), digest)
        );
        consent.endorse("another");
        vm.expectRevert(abi.encodeWithSelector(IConsent.ConsentOnlyMember.selector, address(this)));
        consent.endorse(digest);
        _endorse(0);
        vm.prank(_member(0));
        vm.expectRevert(abi.encodeWithSelector(IConsent.ConsentGivenBefore.selector, _member(0)));
        consent.endorse(digest);
        (uint256 votes, uint256 ofAll) = consent.endorsement();
        assertEq(votes, 1, "votes");
        assertEq(ofAll, MEMBERS, "of all");
    }

    /// @dev Finding 33.
    function test_an_endorser_that_was_removed_counts_no_more() public {
        _endorseFirst(6);
        _remove(0);
        (uint256 votes, uint256 ofAll) = consent.endorsement();
        assertEq(votes, 5, "votes");
        assertEq(ofAll, MEMBERS - 1, "of all");
        _endorse(6);
        _endorse(7);
        assertFalse(consent.isEndorsed(), "7 of 12");
        _endorse(8);
        assertTrue(consent.isEndorsed(), "8 of 12");
    }

    /// @dev Finding 33. The last of those who have not endorsed may be removed, and nobody be left to endorse.
    function test_finding_33_two_thirds_by_a_removal_count_at_once() public {
        (bytes32 id, uint256 proposal) = _carriedWithEightEndorsements();
        assertFalse(consent.isEndorsed(), "8 of 13");
        _remove(12);
        assertTrue(consent.isEndorsed(), "8 of 12");
        _remove(0);
        assertFalse(consent.isEndorsed(), "7 of 11: whoever left has endorsed nothing");
        _remove(11);
        assertTrue(consent.isEndorsed(), "7 of 10");
        governor.execute(proposal);
        _expectStanding(id, IReleaseRegistry.Status.Released, IReleaseRegistry.Reason.None);
    }

    /// @dev Finding 33. Once noticed it stays: neither addresses nor code can change any more.
    function test_finding_33_newcomers_undo_no_endorsement() public {
        _endorseFirst(9);
        for (uint256 i = MEMBERS; i < 2 * MEMBERS; ++i) {
            agents.admit(token, _member(i));
        }
        (uint256 votes, uint256 ofAll) = consent.endorsement();
        assertTrue(3 * votes < 2 * ofAll, "9 of 26");
        assertTrue(consent.isEndorsed(), "endorsed");
    }

    /// @dev Finding 33. What is not there yet cannot be endorsed: anything could come to stand in its place.
    function test_finding_33_nothing_is_endorsed_before_code_stands_everywhere() public {
        Addresses memory empty = _addressesAgain();
        empty.disputes = address(0xD15);
        Consent early = new Consent(empty, _noOfficers());
        // Ether makes an account, and no code.
        vm.deal(address(0xD15), 1 ether);
        bytes memory refusal = abi.encodeWithSelector(IConsent.ConsentNoCode.selector, address(0xD15));
        vm.expectRevert(refusal);
        early.deploymentDigest();
        vm.prank(_member(0));
        vm.expectRevert(refusal);
        early.endorse("anything");
    }

    /// @dev Finding 33.
    function test_the_digest_changes_with_any_address_or_code() public {
        bytes32 before = consent.deploymentDigest();
        vm.etch(address(court), hex"00");
        assertTrue(consent.deploymentDigest() != before, "code");
        Addresses memory other = _addressesAgain();
        other.policyRegistry = address(this);
        Consent elsewhere = new Consent(other, _noOfficers());
        assertTrue(elsewhere.deploymentDigest() != consent.deploymentDigest(), "address");
    }

    /// @dev Finding 24.
    function test_a_draw_that_lapses_costs_the_bond_and_nothing_else_does() public {
        bytes32 first = _submit(_manifest(0));
        (, uint128 held) = vault.held(address(releases), first);
        assertEq(held, CANDIDATE_BOND_E18, "held");
        court.lapse(first);
        releases.refuse(first);
        assertEq(vault.balanceOf(address(timelock)), CANDIDATE_BOND_E18, "the treasury's");
        for (uint256 i; i < MEMBERS; ++i) {
            _endorse(i);
        }
        bytes32 second = _release(1);
        (, held) = vault.held(address(releases), second);
        assertEq(held, 0, "held after the decision");
        assertEq(vault.balanceOf(agents.operator(9)), CANDIDATE_BOND_E18, "given back");
    }

    function _remove(uint256 member) private {
        vm.prank(address(agents));
        token.remove(_member(member));
    }

    /// @dev The vote is carried, and execution refused: eight of thirteen members have endorsed what stands.
    function _carriedWithEightEndorsements() private returns (bytes32 id, uint256 proposal) {
        id = _measured(0, GOOD_GAP);
        proposal = _propose(id);
        _carry(proposal, 13);
        _endorseFirst(8);
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ReleaseNotEndorsed.selector));
        governor.execute(proposal);
    }

    function _endorseFirst(uint256 count) private {
        for (uint256 i; i < count; ++i) {
            _endorse(i);
        }
    }

    function _endorse(uint256 member) private {
        bytes32 digest = consent.deploymentDigest();
        vm.prank(_member(member));
        consent.endorse(digest);
    }

    function _noOfficers() private pure returns (IConsent.Settings memory settings) {
        settings.objectionStakeE18 = OBJECTION_STAKE_E18;
    }
}
