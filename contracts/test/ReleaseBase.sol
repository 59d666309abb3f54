// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Consent} from "../src/Consent.sol";
import {Credit} from "../src/Credit.sol";
import {MemberToken} from "../src/MemberToken.sol";
import {ModelGovernor} from "../src/ModelGovernor.sol";
import {PolicyRegistry} from "../src/PolicyRegistry.sol";
import {ReleaseRegistry} from "../src/ReleaseRegistry.sol";
import {RewardVault} from "../src/RewardVault.sol";
import {Timelock} from "../src/Timelock.sol";
import {IAgreementBook} from "../src/interfaces/IAgreementBook.sol";
import {IReleaseRegistry} from "../src/interfaces/IReleaseRegistry.sol";
import {Addresses} from "../src/types/Addresses.sol";
import {Kind} from "../src/types/Market.sol";
import {Entrenchment, Op, Phase, Rule, Source, Tier, TierEntry} from "../src/types/Policy.sol";
import {Delays} from "../src/types/Voting.sol";
import {gate, offices} from "./Gate.sol";
import {Sets} from "./Sets.sol";
import {AgentsOnPaper, AmendmentsOnPaper, BookOnPaper, CourtOnPaper, RoundsOnPaper} from "./StandIns.sol";
import {Check} from "./Vm.sol";

/// @dev Votes, constitution and gate for real; market and court on paper.
abstract contract ReleaseBase is Check {
    uint256 internal constant MEMBERS = 13;
    uint256 internal constant FUNDS = 1000e18;
    address internal constant COORDINATOR = address(0xC0);
    bytes32 internal constant JOB = "the job";
    uint128 internal constant FOR_TRIAGE = 1;
    int128 internal constant GOOD_GAP = 100_000;
    int128 internal constant BAD_GAP = 240_000;
    /// @dev Bit of the second rule.
    uint256 internal constant GAP_RULE = 2;

    AgentsOnPaper internal agents;
    BookOnPaper internal book;
    RoundsOnPaper internal rounds;
    CourtOnPaper internal court;
    AmendmentsOnPaper internal amendments;
    MemberToken internal token;
    Timelock internal timelock;
    ModelGovernor internal governor;
    ReleaseRegistry internal releases;
    PolicyRegistry internal policy;
    Credit internal credit;
    RewardVault internal vault;
    Consent internal consent;

    function setUp() public virtual {
        vm.warp(1_700_000_000);
        (agents, book, rounds, court) =
            (new AgentsOnPaper(), new BookOnPaper(), new RoundsOnPaper(), new CourtOnPaper());
        credit = new Credit(address(this), 10 * FUNDS);
        amendments = new AmendmentsOnPaper();
        _deploy(_addresses());
        for (uint256 i; i < MEMBERS; ++i) {
            agents.admit(token, _member(i));
        }
        vm.warp(block.timestamp + 1);
        _fillBook();
        _settleIn();
    }

    function _addresses() private view returns (Addresses memory a) {
        uint256 nonce = vm.getNonce(address(this));
        a.memberToken = vm.computeCreateAddress(address(this), nonce);
        a.timelock = vm.computeCreateAddress(address(this), nonce + 1);
        a.governor = vm.computeCreateAddress(address(this), nonce + 2);
        a.releaseRegistry = vm.computeCreateAddress(address(this), nonce + 3);
        a.policyRegistry = vm.computeCreateAddress(address(this), nonce + 4);
        (a.agentRegistry, a.agreementBook) = (address(agents), address(book));
        (a.roundLedger, a.evaluatorCourt) = (address(rounds), address(court));
        a.rewardVault = vm.computeCreateAddress(address(this), nonce + 5);
        a.consent = vm.computeCreateAddress(address(this), nonce + 6);
        a.amendments = address(amendments);
        a.credit = address(credit);
        // Nothing here comes to a dispute, but what is endorsed stands whole.
        a.disputes = address(book);
    }

    function _deploy(Addresses memory a) private {
        token = new MemberToken(a);
        timelock = new Timelock(2 days, a);
        governor = new ModelGovernor(a, Delays(1 days, 5 days, 1 days));
        releases = new ReleaseRegistry(a, gate());
        policy = new PolicyRegistry(a, Sets.wide(_tiers(), _rules()));
        vault = new RewardVault(a);
        consent = new Consent(a, offices());
    }

    /// @dev Everybody endorses, and the operators can pay what they put at stake.
    function _settleIn() private {
        bytes32 digest = consent.deploymentDigest();
        for (uint256 i; i < _endorsers(); ++i) {
            vm.prank(_member(i));
            consent.endorse(digest);
        }
        for (uint32 i = 1; i <= 9; ++i) {
            credit.transfer(agents.operator(i), FUNDS);
            vm.prank(agents.operator(i));
            credit.approve(address(vault), FUNDS);
        }
    }

    /// @dev Three owners' agents of two organisations, and one organisation with evaluation rows.
    function _fillBook() private {
        agents.set(COORDINATOR, 9, true);
        agents.set(address(0xA1), 1, true);
        agents.set(address(0xA2), 2, true);
        agents.set(address(0xA3), 2, true);
        agents.set(address(0xA4), 3, true);
        bytes32[] memory names = new bytes32[](3);
        (names[0], names[1], names[2]) = ("plain", "without-sex", "reweighed");
        book.setJob(JOB, _job(), names);
        rounds.setComplete(3);
        _agree("data 1", Kind.Data, 0xA1, FOR_TRIAGE | 2);
        _agree("data 2", Kind.Data, 0xA2, FOR_TRIAGE);
        _agree("data 3", Kind.Data, 0xA3, FOR_TRIAGE);
        _agree("evaluation", Kind.EvaluationRows, 0xA4, FOR_TRIAGE);
    }

    function _agree(bytes32 id, Kind kind, uint160 seller, uint128 purposes) internal {
        IAgreementBook.Agreement memory agreement;
        agreement.state = IAgreementBook.AgreementState.Active;
        agreement.kind = kind;
        agreement.buyer = COORDINATOR;
        (agreement.seller, agreement.organisation) = (address(seller), agents.organisationOf(address(seller)));
        agreement.job = JOB;
        agreement.purposes = purposes;
        agreement.epsilonMicros = kind == Kind.Data ? (seller == 0xA1 ? 8e6 : 4e6) : 0;
        agreement.dataRoot = kind == Kind.EvaluationRows ? bytes32("rows") : bytes32(0);
        book.setAgreement(id, agreement);
    }

    /// @dev The same agreement for another job.
    function _copy(bytes32 id, bytes32 own, bytes32 job) internal {
        IAgreementBook.Agreement memory agreement = book.agreement(id);
        agreement.job = job;
        book.setAgreement(own, agreement);
    }

    function _job() internal pure returns (IAgreementBook.Job memory job) {
        job.state = IAgreementBook.JobState.Open;
        job.coordinator = COORDINATOR;
        job.purposes = FOR_TRIAGE;
        job.roundsPerCandidate = 5;
        job.candidates = 3;
        job.deadlineS = 1_700_000_000 + 60 days;
        job.metricCode = "metric code";
    }

    function _manifest(uint8 index) internal view returns (IReleaseRegistry.Manifest memory manifest) {
        manifest.job = JOB;
        manifest.candidate = book.candidates(JOB)[index];
        manifest.candidateIndex = index;
        manifest.artifact = bytes32(uint256(index) + 1);
        manifest.card = "card";
        manifest.licences = 2;
        manifest.agreements = new bytes32[](4);
        (manifest.agreements[0], manifest.agreements[1]) = ("evaluation", "data 1");
        (manifest.agreements[2], manifest.agreements[3]) = ("data 2", "data 3");
        manifest.declared = new IReleaseRegistry.DeclaredFact[](1);
        manifest.declared[0] = IReleaseRegistry.DeclaredFact("energy_kwh", 1_500_000);
    }

    function _submit(IReleaseRegistry.Manifest memory manifest) internal returns (bytes32) {
        vm.prank(COORDINATOR);
        return releases.submit(manifest);
    }

    function _measured(uint8 index, int128 gap) internal returns (bytes32 id) {
        id = _submit(_manifest(index));
        court.measure(id, "tpr_gap_abs", gap);
    }

    function _bindings(bytes32 id) internal view returns (bytes32 manifestHash, bytes32 policyHash, bytes32 facts) {
        manifestHash = releases.release(id).manifestHash;
        policyHash = policy.activeHash();
        facts = manifestHash == 0 ? bytes32(0) : releases.factsHash(id);
    }

    function _deadline() internal view returns (uint64) {
        return uint64(block.timestamp + 14 days);
    }

    function _approval(bytes32 id, uint64 deadlineS) internal view returns (bytes memory) {
        (bytes32 manifestHash, bytes32 policyHash, bytes32 facts) = _bindings(id);
        return abi.encodeCall(IReleaseRegistry.approve, (id, manifestHash, policyHash, facts, deadlineS));
    }

    function _action(bytes memory call)
        internal
        view
        returns (address[] memory targets, uint256[] memory values, bytes[] memory calls)
    {
        (targets, values, calls) = (new address[](1), new uint256[](1), new bytes[](1));
        (targets[0], calls[0]) = (address(releases), call);
    }

    function _propose(bytes32 id) internal returns (uint256) {
        return _proposeCall(_approval(id, _deadline()), "a release");
    }

    function _proposeCall(bytes memory call, string memory description) internal returns (uint256) {
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) = _action(call);
        vm.prank(COORDINATOR);
        return governor.propose(targets, values, calls, description);
    }

    /// @dev Votes For, queues, and waits until the proposal may be executed.
    function _carry(uint256 proposal, uint256 votes) internal {
        vm.warp(governor.proposalSnapshot(proposal) + 1);
        for (uint256 i; i < votes; ++i) {
            vm.prank(_member(i));
            governor.castVote(proposal, 1);
        }
        vm.warp(governor.proposalDeadline(proposal) + 1);
        governor.queue(proposal);
        vm.warp(block.timestamp + 2 days);
    }

    function _member(uint256 index) internal pure returns (address) {
        return vm.addr(index + 1);
    }

    function _endorsers() internal pure virtual returns (uint256) {
        return MEMBERS;
    }

    function _tiers() private pure returns (TierEntry[] memory tiers) {
        tiers = new TierEntry[](2);
        tiers[0] = TierEntry(0, Tier.HIGH);
        tiers[1] = TierEntry(1, Tier.LIMITED);
    }

    function _rules() internal pure virtual returns (Rule[] memory rules) {
        rules = new Rule[](2);
        rules[0] = Rule({
            id: "no-social-scoring",
            fact: "purposes",
            bound: 256,
            op: Op.NoneOf,
            tiers: 0x0e,
            sources: Source.bit(Source.PROMISED),
            phases: 7,
            entrenchment: Entrenchment.Eternal,
            appliesFromS: 0
        });
        rules[1] = Rule({
            id: "max-tpr-gap",
            fact: "tpr_gap_abs",
            bound: 100_000,
            op: Op.Max,
            tiers: 0x0e,
            sources: Source.bit(Source.MEASURED),
            phases: Phase.RELEASE,
            entrenchment: Entrenchment.Constitutional,
            appliesFromS: 0
        });
    }
}
