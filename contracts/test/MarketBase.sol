// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AgentRegistry} from "../src/AgentRegistry.sol";
import {AgreementBook} from "../src/AgreementBook.sol";
import {Credit} from "../src/Credit.sol";
import {Disputes} from "../src/Disputes.sol";
import {EvaluatorCourt} from "../src/EvaluatorCourt.sol";
import {MemberToken} from "../src/MemberToken.sol";
import {PolicyRegistry} from "../src/PolicyRegistry.sol";
import {ReleaseRegistry} from "../src/ReleaseRegistry.sol";
import {RewardVault} from "../src/RewardVault.sol";
import {RoundLedger} from "../src/RoundLedger.sol";
import {IAgentRegistry, Role} from "../src/interfaces/IAgentRegistry.sol";
import {IEvaluatorCourt} from "../src/interfaces/IEvaluatorCourt.sol";
import {Addresses} from "../src/types/Addresses.sol";
import {Founder} from "../src/types/Founder.sol";
import {AggregationPrivacy, IntegrationMode, JobTerms, Mandate, PrivacyUnit} from "../src/types/Market.sol";
import {Entrenchment, Op, Phase, Rule, Source, Tier, TierEntry} from "../src/types/Policy.sol";
import {gate} from "./Gate.sol";
import {Sets} from "./Sets.sol";
import {Check} from "./Vm.sol";

/// @dev The cheat codes for keys, chains and snapshots that only these tests use.
interface VmKeys {
    struct Wallet {
        address addr;
        uint256 publicKeyX;
        uint256 publicKeyY;
        uint256 privateKey;
    }

    function createWallet(uint256 key) external returns (Wallet memory);
    function chainId(uint256 id) external;
    function snapshotState() external returns (uint256);
    function revertToState(uint256 snapshot) external returns (bool);
}

/// @dev Thirteen organisations, every contract real; only the vote itself is left out (the timelock and Amendments are keys).
abstract contract MarketBase is Check {
    uint32 internal constant OWNERS = 4;
    uint32 internal constant INSTITUTE = 5;
    uint32 internal constant CENTRE = 6;
    uint32 internal constant FIRST_LAB = 7;
    uint32 internal constant ORGANISATIONS = 13;
    address internal constant TIMELOCK = address(0x71);
    address internal constant AMENDMENTS = address(0xA3);
    address internal constant GOVERNOR = address(0x60);
    address internal constant STRANGER = address(0x57);
    uint64 internal constant START_S = 1_700_000_000;
    uint64 internal constant DEADLINE_S = START_S + 60 days;
    uint128 internal constant TRIAGE = 1;
    uint128 internal constant SOCIAL_SCORING = 1 << 8;
    uint64 internal constant EPSILON = 8e6;
    uint32 internal constant ROUNDS_EACH = 3;
    uint32 internal constant ALL_ROUNDS = 10;
    uint256 internal constant FUNDS = 1e24;
    uint128 internal constant STAKE = 1000e18;
    uint128 internal constant SLASH = 200e18;
    uint128 internal constant BOND = 300e18;
    uint128 internal constant DEPOSIT = 10e18;
    uint64 internal constant TOLERANCE = 10_000;
    uint256 internal constant PURPOSE_RULE = 1;
    uint256 internal constant EPSILON_RULE = 2;
    uint256 internal constant COHORT_RULE = 4;
    uint256 internal constant ROUND_RULE = 8;
    VmKeys internal constant KEYS = VmKeys(address(uint160(uint256(keccak256("hevm cheat code")))));

    Credit internal credit;
    MemberToken internal members;
    ReleaseRegistry internal releases;
    PolicyRegistry internal policy;
    AgentRegistry internal agents;
    AgreementBook internal book;
    RoundLedger internal ledger;
    EvaluatorCourt internal court;
    RewardVault internal vault;
    Disputes internal disputes;

    function setUp() public virtual {
        vm.warp(START_S);
        vm.roll(1000);
        credit = Credit(_makeCredit());
        _deploy(_addresses());
        _bindAll();
        _commitData();
        credit.transfer(_operator(INSTITUTE), FUNDS);
        vm.startPrank(_operator(INSTITUTE));
        credit.approve(address(book), type(uint256).max);
        credit.approve(address(vault), type(uint256).max);
        vm.stopPrank();
    }

    // ---- Deployment ----

    function _makeCredit() internal virtual returns (address) {
        return address(new Credit(address(this), 1e27));
    }

    function _addresses() internal view virtual returns (Addresses memory a) {
        uint256 nonce = vm.getNonce(address(this));
        (a.credit, a.timelock, a.governor) = (address(credit), TIMELOCK, GOVERNOR);
        a.amendments = AMENDMENTS;
        a.memberToken = vm.computeCreateAddress(address(this), nonce);
        a.releaseRegistry = vm.computeCreateAddress(address(this), nonce + 1);
        a.policyRegistry = vm.computeCreateAddress(address(this), nonce + 2);
        a.agentRegistry = vm.computeCreateAddress(address(this), nonce + 3);
        a.agreementBook = vm.computeCreateAddress(address(this), nonce + 4);
        a.roundLedger = vm.computeCreateAddress(address(this), nonce + 5);
        a.evaluatorCourt = vm.computeCreateAddress(address(this), nonce + 6);
        a.rewardVault = vm.computeCreateAddress(address(this), nonce + 7);
        a.disputes = vm.computeCreateAddress(address(this), nonce + 8);
    }

    function _deploy(Addresses memory a) internal virtual {
        members = new MemberToken(a);
        releases = new ReleaseRegistry(a, gate());
        policy = new PolicyRegistry(a, Sets.wide(_tiers(), _rules()));
        agents = new AgentRegistry(a, _founders());
        book = new AgreementBook(a, 0);
        ledger = new RoundLedger(a);
        court = new EvaluatorCourt(a, _settings(), _metrics(), _labs());
        vault = new RewardVault(a);
        disputes = new Disputes(a, DEPOSIT);
    }

    function _founders() internal pure returns (Founder[] memory founders) {
        founders = new Founder[](ORGANISATIONS);
        for (uint32 i = 1; i <= ORGANISATIONS; ++i) {
            founders[i - 1] = Founder(string(abi.encodePacked("organisation ", bytes1(64 + uint8(i)))), _member(i), _operator(i));
        }
    }

    function _settings() internal pure returns (IEvaluatorCourt.Settings memory) {
        return IEvaluatorCourt.Settings(5, 5, 3, 1 days, 2 days, 3 days, 7 days, STAKE, BOND, "metric code");
    }

    function _metrics() internal pure returns (IEvaluatorCourt.Metric[] memory metrics) {
        metrics = new IEvaluatorCourt.Metric[](3);
        metrics[0] = IEvaluatorCourt.Metric("auc", true, TOLERANCE);
        metrics[1] = IEvaluatorCourt.Metric("balanced_accuracy", true, TOLERANCE);
        metrics[2] = IEvaluatorCourt.Metric("tpr_gap_abs", false, TOLERANCE);
    }

    function _labs() internal pure returns (uint32[] memory labs) {
        labs = new uint32[](ORGANISATIONS + 1 - FIRST_LAB);
        for (uint32 i; i < labs.length; ++i) {
            labs[i] = FIRST_LAB + i;
        }
    }

    function _tiers() internal pure returns (TierEntry[] memory tiers) {
        tiers = new TierEntry[](3);
        tiers[0] = TierEntry(0, Tier.HIGH);
        tiers[1] = TierEntry(1, Tier.HIGH);
        tiers[2] = TierEntry(8, Tier.HIGH);
    }

    function _rules() internal pure virtual returns (Rule[] memory rules) {
        uint8 both = Phase.AGREEMENT | Phase.RELEASE;
        rules = new Rule[](4);
        rules[0] = _rule("no-prohibited-purpose", "purposes", int128(SOCIAL_SCORING), Op.NoneOf, Source.PROMISED, both);
        rules[1] = _rule("max-dp-epsilon", "dp_epsilon", int128(int64(EPSILON)), Op.Max, Source.PROMISED, both);
        rules[2] = _rule("min-cohort-rows", "cohort_rows", 10e6, Op.Min, Source.PROMISED, Phase.AGREEMENT);
        rules[3] = _rule("min-round-contributors", "round_contributors", 3e6, Op.Min, Source.DECLARED, Phase.ROUND);
    }

    function _rule(bytes32 id, bytes32 fact, int128 bound, Op op, uint8 source, uint8 phases)
        internal
        pure
        returns (Rule memory)
    {
        return Rule(id, fact, bound, op, 0x0e, Source.bit(source), phases, Entrenchment.Ordinary, 0);
    }

    // ---- Parties ----

    function _member(uint32 organisation) internal pure returns (address) {
        return address(uint160(0x10000 + organisation));
    }

    function _operator(uint32 organisation) internal pure returns (address) {
        return address(uint160(0x20000 + organisation));
    }

    function _key(uint32 organisation) internal pure returns (uint256) {
        return 0xA0000 + organisation;
    }

    function _agent(uint32 organisation) internal pure returns (address) {
        return vm.addr(_key(organisation));
    }

    function _role(uint32 organisation) internal pure returns (uint8) {
        if (organisation <= OWNERS) return Role.OWNER;
        if (organisation == INSTITUTE) return Role.COORDINATOR;
        return organisation == CENTRE ? Role.COMPUTE | Role.KEEPER : Role.EVALUATOR;
    }

    function _bindAll() private {
        for (uint32 i = 1; i <= ORGANISATIONS; ++i) {
            _bind(i, _key(i), _role(i));
            vm.prank(_operator(i));
            agents.setMandate(_agent(i), _wide());
        }
    }

    function _binding(uint32 organisation, uint256 key, uint8 roles)
        internal
        returns (IAgentRegistry.Binding memory binding)
    {
        VmKeys.Wallet memory wallet = KEYS.createWallet(key);
        (binding.agent, binding.operator, binding.roles) = (wallet.addr, _operator(organisation), roles);
        (binding.publicKeyX, binding.publicKeyY) = (bytes32(wallet.publicKeyX), bytes32(wallet.publicKeyY));
        (binding.encryptionKey, binding.endpoint) = ("x25519", "http://127.0.0.1:8000/submit");
        binding.nonce = agents.nonces(wallet.addr);
        binding.deadlineS = uint64(block.timestamp) + 1 hours;
    }

    function _bind(uint32 organisation, uint256 key, uint8 roles) internal {
        IAgentRegistry.Binding memory binding = _binding(organisation, key, roles);
        bytes memory signature = _sign(key, _bindingDigest(binding));
        vm.prank(_operator(organisation));
        agents.bind(binding, signature);
    }

    function _bindingDigest(IAgentRegistry.Binding memory b) internal view returns (bytes32) {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "Binding(address agent,address operator,uint8 roles,bytes32 publicKeyX,bytes32 publicKeyY,bytes32 encryptionKey,string endpoint,uint256 nonce,uint64 deadlineS)"
                ),
                b.agent,
                b.operator,
                b.roles,
                b.publicKeyX,
                b.publicKeyY,
                b.encryptionKey,
                keccak256(bytes(b.endpoint)),
                b.nonce,
                b.deadlineS
            )
        );
        return _typed("Folkmoot AgentRegistry", address(agents), structHash);
    }

    /// @dev Written out here so that the contracts' domain is checked, not repeated.
    function _typed(string memory name, address verifier, bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256(bytes(name)),
                keccak256("1"),
                block.chainid,
                verifier
            )
        );
        return keccak256(bytes.concat(hex"1901", domain, structHash));
    }

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _wide() internal pure returns (Mandate memory limits) {
        limits.maxSpendE18 = type(uint128).max;
        limits.maxAgreements = type(uint32).max;
        limits.maxEpsilonMicros = type(uint64).max;
        limits.lifetimeEpsilonMicros = type(uint64).max;
        limits.purposes = type(uint128).max;
        limits.validUntilS = START_S + 365 days;
    }

    function _stakeLabs() internal {
        for (uint32 i = FIRST_LAB; i <= ORGANISATIONS; ++i) {
            _stake(i);
        }
    }

    function _stake(uint32 organisation) internal {
        credit.transfer(_operator(organisation), STAKE);
        vm.startPrank(_operator(organisation));
        credit.approve(address(vault), STAKE);
        court.stake(_agent(organisation), STAKE);
        vm.stopPrank();
    }

    // ---- Data and jobs ----

    function _training(uint32 organisation) internal pure returns (bytes32) {
        return keccak256(abi.encode("training", organisation));
    }

    function _evaluation(uint32 organisation) internal pure returns (bytes32) {
        return keccak256(abi.encode("evaluation", organisation));
    }

    function _commitData() private {
        for (uint32 i = 1; i <= OWNERS; ++i) {
            vm.startPrank(_agent(i));
            agents.commitTraining(_training(i), 100);
            agents.commitEvaluation(_evaluation(i), 50, 0);
            vm.stopPrank();
        }
    }

    function _jobTerms() internal pure returns (JobTerms memory terms) {
        (terms.coordinator, terms.purposes) = (_agent(INSTITUTE), TRIAGE);
        (terms.roundsPerCandidate, terms.epsilonMicros, terms.deltaE12) = (ROUNDS_EACH, EPSILON, 1e7);
        terms.privacyUnit = PrivacyUnit.Record;
        terms.aggregationPrivacy = AggregationPrivacy.Clear;
        terms.integrationMode = IntegrationMode.Coupled;
        (terms.task, terms.metricCode) = ("task", "metric code");
        terms.candidates = new bytes32[](3);
        (terms.candidates[0], terms.candidates[1], terms.candidates[2]) = ("plain", "without-sex", "reweighed");
        terms.deadlineS = DEADLINE_S;
    }

    function _openJob() internal returns (bytes32) {
        vm.prank(_agent(INSTITUTE));
        return book.openJob(_jobTerms());
    }
}
