// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AgentRegistry} from "../src/AgentRegistry.sol";
import {AgreementBook} from "../src/AgreementBook.sol";
import {Amendments} from "../src/Amendments.sol";
import {Consent} from "../src/Consent.sol";
import {Disputes} from "../src/Disputes.sol";
import {EvaluatorCourt} from "../src/EvaluatorCourt.sol";
import {MemberToken} from "../src/MemberToken.sol";
import {ModelGovernor} from "../src/ModelGovernor.sol";
import {PolicyRegistry} from "../src/PolicyRegistry.sol";
import {ReleaseRegistry} from "../src/ReleaseRegistry.sol";
import {RewardVault} from "../src/RewardVault.sol";
import {RoundLedger} from "../src/RoundLedger.sol";
import {Timelock} from "../src/Timelock.sol";
import {IAgreementBook} from "../src/interfaces/IAgreementBook.sol";
import {IAmendments} from "../src/interfaces/IAmendments.sol";
import {IReleaseRegistry} from "../src/interfaces/IReleaseRegistry.sol";
import {IRoundLedger} from "../src/interfaces/IRoundLedger.sol";
import {Addresses} from "../src/types/Addresses.sol";
import {Lines} from "../src/libraries/Lines.sol";
import {AggregationPrivacy, JobTerms, Kind, PrivacyUnit, Terms} from "../src/types/Market.sol";
import {Op, Phase, Rule, Source} from "../src/types/Policy.sol";
import {Delays} from "../src/types/Voting.sol";
import {gate, offices} from "./Gate.sol";
import {MarketBase} from "./MarketBase.sol";
import {Sets} from "./Sets.sol";

/// @dev The whole system as it is deployed: every contract real, in the order and at the addresses of a deployment.
abstract contract SystemBase is MarketBase {
    uint256 internal constant GAP_RULE = 16;
    uint128 internal constant PRICE_E18 = 100e18;
    uint128 internal constant BONUS = 40e18;
    uint128 internal constant PLEDGE = 1000e18;
    uint128 internal constant MONTH_E18 = 10e18;

    Timelock internal timelock;
    Consent internal consent;
    ModelGovernor internal governor;
    Amendments internal amendments;
    bytes32 internal job;
    mapping(Kind kind => mapping(uint32 organisation => bytes32)) internal agreements;

    function setUp() public virtual override {
        super.setUp();
        _stakeLabs();
    }

    // ---- Deployment ----

    function _addresses() internal view override returns (Addresses memory a) {
        uint256 nonce = vm.getNonce(address(this));
        a.credit = address(credit);
        a.memberToken = vm.computeCreateAddress(address(this), nonce);
        a.timelock = vm.computeCreateAddress(address(this), nonce + 1);
        a.governor = vm.computeCreateAddress(address(this), nonce + 2);
        a.releaseRegistry = vm.computeCreateAddress(address(this), nonce + 3);
        a.policyRegistry = vm.computeCreateAddress(address(this), nonce + 4);
        a.agentRegistry = vm.computeCreateAddress(address(this), nonce + 5);
        a.agreementBook = vm.computeCreateAddress(address(this), nonce + 6);
        a.roundLedger = vm.computeCreateAddress(address(this), nonce + 7);
        a.evaluatorCourt = vm.computeCreateAddress(address(this), nonce + 8);
        a.amendments = vm.computeCreateAddress(address(this), nonce + 9);
        a.rewardVault = vm.computeCreateAddress(address(this), nonce + 10);
        a.consent = vm.computeCreateAddress(address(this), nonce + 11);
        a.disputes = vm.computeCreateAddress(address(this), nonce + 12);
    }

    function _deploy(Addresses memory a) internal override {
        members = new MemberToken(a);
        timelock = new Timelock(2 days, a);
        governor = new ModelGovernor(a, Delays(1 days, 5 days, 1 days));
        releases = new ReleaseRegistry(a, gate());
        policy = new PolicyRegistry(a, Sets.wide(_tiers(), _rules()));
        agents = new AgentRegistry(a, _founders());
        book = new AgreementBook(a, 0);
        ledger = new RoundLedger(a);
        court = new EvaluatorCourt(a, _settings(), _metrics(), _labs());
        amendments = new Amendments(a);
        vault = new RewardVault(a);
        consent = new Consent(a, offices());
        disputes = new Disputes(a, DEPOSIT);
        for (uint32 i = 1; i <= _endorsers(); ++i) {
            _endorse(i);
        }
    }

    function _endorsers() internal pure virtual returns (uint32) {
        return ORGANISATIONS;
    }

    function _endorse(uint32 organisation) internal {
        bytes32 digest = consent.deploymentDigest();
        vm.prank(_member(organisation));
        consent.endorse(digest);
    }

    function _rules() internal pure override returns (Rule[] memory rules) {
        Rule[] memory market = super._rules();
        rules = new Rule[](market.length + 1);
        for (uint256 i; i < market.length; ++i) {
            rules[i] = market[i];
        }
        rules[market.length] =
            _rule("max-tpr-gap", "tpr_gap_abs", 100_000, Op.Max, Source.MEASURED, Phase.RELEASE);
    }

    // ---- The market ----

    function _openMarket() internal {
        job = _openJobWith(BONUS);
        for (uint32 i = 1; i <= OWNERS; ++i) {
            _agree(Kind.Data, i);
            _agree(Kind.EvaluationRows, i);
        }
        _agree(Kind.Compute, CENTRE);
        for (uint32 i = FIRST_LAB; i <= ORGANISATIONS; ++i) {
            _agree(Kind.Evaluation, i);
        }
    }

    function _openJobWith(uint128 bonusE18) private returns (bytes32) {
        JobTerms memory terms = _jobTerms();
        terms.bonusE18 = bonusE18;
        vm.prank(_operator(INSTITUTE));
        credit.approve(address(vault), type(uint256).max);
        vm.prank(_agent(INSTITUTE));
        return book.openJob(terms);
    }

    /// @dev The first owner pledges a bond; the last laboratory's agent judges what happens in its site.
    function _pledge(Terms memory terms) private {
        (terms.bondE18, terms.auditor) = (PLEDGE, _agent(ORGANISATIONS));
        credit.transfer(_operator(1), PLEDGE);
        vm.prank(_operator(1));
        credit.approve(address(vault), PLEDGE);
    }

    function _agree(Kind kind, uint32 seller) private {
        Terms memory terms = _terms(kind, seller);
        if (kind == Kind.Data && seller == 1) _pledge(terms);
        bytes32 digest = book.hashTerms(terms);
        bytes32 id = book.createAgreement(terms, _sign(_key(INSTITUTE), digest), _sign(_key(seller), digest));
        agreements[kind][seller] = id;
    }

    function _terms(Kind kind, uint32 seller) internal view virtual returns (Terms memory terms) {
        bool byRound = kind == Kind.Data || kind == Kind.Compute;
        (terms.kind, terms.buyer, terms.seller, terms.job) = (kind, _agent(INSTITUTE), _agent(seller), job);
        (terms.priceE18, terms.units) = (PRICE_E18, byRound ? ALL_ROUNDS : 3);
        (terms.aggregationPrivacy, terms.purposes) = (AggregationPrivacy.Clear, TRIAGE);
        (terms.deadlineS, terms.validUntilS) = (DEADLINE_S, START_S + 1 days);
        if (kind == Kind.Data) {
            (terms.epsilonMicros, terms.deltaE12, terms.privacyUnit) = (EPSILON, 1e7, PrivacyUnit.Record);
            (terms.rows, terms.dataRoot) = (100, _training(seller));
        }
        if (kind == Kind.EvaluationRows) (terms.rows, terms.dataRoot) = (50, _evaluation(seller));
    }

    // ---- Rounds ----

    /// @dev The number of leaves is declared, so a tree of the first owner's leaf alone will do.
    function _postRounds(uint32 first, uint32 last) internal {
        for (uint32 round = first; round <= last; ++round) {
            bytes32 root = _leaf(round, 1);
            vm.prank(_agent(INSTITUTE));
            ledger.post(job, round, root, OWNERS + 1);
        }
    }

    /// @dev In a tree of one leaf the root is the leaf and the proof is empty.
    function _leaf(uint32 round, uint32 organisation) internal view returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(job, round, _agent(organisation), bytes32("update")))));
    }

    /// @dev All rounds so far, each a tree of the first owner's leaf.
    function _line(uint32 count) internal view returns (Lines.Line memory line) {
        (line.before, line.roots, line.leaves) = (Lines.start(job), new bytes32[](count), new uint32[](count));
        for (uint32 round; round < count; ++round) {
            (line.roots[round], line.leaves[round]) = (_leaf(round, 1), OWNERS + 1);
        }
    }

    function _claimRounds(uint32 organisation, uint32 first, uint32 last) internal {
        IRoundLedger.RoundClaim[] memory claims = new IRoundLedger.RoundClaim[](last + 1 - first);
        for (uint32 i; i < claims.length; ++i) {
            claims[i] = IRoundLedger.RoundClaim(first + i, "update", new bytes32[](0));
        }
        ledger.claimRounds(agreements[Kind.Data][organisation], _line(ledger.roundCount(job)), claims);
    }

    // ---- Candidates ----

    function _manifest(uint8 index) internal view returns (IReleaseRegistry.Manifest memory manifest) {
        (manifest.job, manifest.candidate, manifest.candidateIndex) = (job, _jobTerms().candidates[index], index);
        (manifest.artifact, manifest.card, manifest.licences) = (keccak256(abi.encode("model", index)), "card", 1);
        manifest.usePriceE18 = MONTH_E18;
        manifest.agreements = new bytes32[](2 * OWNERS);
        for (uint32 i; i < OWNERS; ++i) {
            manifest.agreements[2 * i] = agreements[Kind.Data][i + 1];
            manifest.agreements[2 * i + 1] = agreements[Kind.EvaluationRows][i + 1];
        }
        manifest.declared = new IReleaseRegistry.DeclaredFact[](0);
    }

    function _submit(uint8 index) internal returns (bytes32 id) {
        IReleaseRegistry.Manifest memory manifest = _manifest(index);
        vm.prank(_agent(INSTITUTE));
        id = releases.submit(manifest);
    }

    function _measure(bytes32 id, int128 gap) internal {
        vm.roll(block.number + 3);
        court.draw(id);
        address[] memory jury = court.jury(id);
        int128[] memory values = new int128[](3);
        (values[0], values[1], values[2]) = (870_000, 800_000, gap);
        bytes32 artifact = court.courtCase(id).artifact;
        for (uint256 i; i < jury.length; ++i) {
            bytes32 commitment = keccak256(
                abi.encode(
                    block.chainid,
                    address(court),
                    id,
                    artifact,
                    jury[i],
                    values,
                    bytes32("report"),
                    bytes32(0),
                    bytes32("salt")
                )
            );
            vm.prank(jury[i]);
            court.commit(id, commitment);
        }
        for (uint256 i; i < jury.length; ++i) {
            court.reveal(id, jury[i], values, "report", 0, "salt");
        }
        court.finalise(id);
        vm.warp(court.courtCase(id).windowEndS + 1);
    }

    // ---- Votes ----

    function _proposeRelease(bytes32 id) internal returns (uint256) {
        return _propose(_agent(INSTITUTE), address(releases), _approvalOf(id));
    }

    /// @dev As things stand now.
    function _approvalOf(bytes32 release) internal view returns (bytes memory) {
        return abi.encodeCall(
            IReleaseRegistry.approve,
            (
                release,
                releases.release(release).manifestHash,
                policy.activeHash(),
                releases.factsHash(release),
                uint64(block.timestamp + 14 days)
            )
        );
    }

    function _propose(address proposer, address target, bytes memory call) internal returns (uint256) {
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) =
            (new address[](1), new uint256[](1), new bytes[](1));
        (targets[0], calls[0]) = (target, call);
        vm.prank(proposer);
        return governor.propose(targets, values, calls, "a proposal");
    }

    /// @dev Carries a vote that stages a call, and returns the amendment.
    function _stage(address target, bytes memory call) internal returns (bytes32) {
        return _stageAs(_member(1), target, call);
    }

    function _stageAs(address proposer, address target, bytes memory call) internal returns (bytes32) {
        _decide(proposer, address(amendments), abi.encodeCall(IAmendments.stage, (target, call)));
        return keccak256(
            abi.encode(block.chainid, address(amendments), target, keccak256(call), amendments.count())
        );
    }

    /// @dev Proposes, carries and executes.
    function _decide(address proposer, address target, bytes memory call) internal {
        // Votes count from the second after admission.
        vm.warp(block.timestamp + 1);
        uint256 proposal = _propose(proposer, target, call);
        _carry(proposal);
        governor.execute(proposal);
    }

    /// @dev Everybody votes For; then it is queued and waits until it may be executed.
    function _carry(uint256 proposal) internal {
        vm.warp(governor.proposalSnapshot(proposal) + 1);
        for (uint32 i = 1; i <= ORGANISATIONS; ++i) {
            vm.prank(_member(i));
            governor.castVote(proposal, 1);
        }
        vm.warp(governor.proposalDeadline(proposal) + 1);
        governor.queue(proposal);
        vm.warp(governor.proposalEta(proposal));
    }
}
