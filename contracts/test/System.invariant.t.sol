// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {Consent} from "../src/Consent.sol";
import {Credit} from "../src/Credit.sol";
import {ModelGovernor} from "../src/ModelGovernor.sol";
import {RewardVault} from "../src/RewardVault.sol";
import {IAgreementBook} from "../src/interfaces/IAgreementBook.sol";
import {IDisputes} from "../src/interfaces/IDisputes.sol";
import {IPools} from "../src/interfaces/IPools.sol";
import {IReleaseRegistry} from "../src/interfaces/IReleaseRegistry.sol";
import {Kind, Terms} from "../src/types/Market.sol";
import {DOCTOR, OBJECTION_STAKE_E18} from "./Gate.sol";
import {Check} from "./Vm.sol";
import {SystemBase} from "./SystemBase.sol";

/// @dev Everything that members, agents, strangers and time can do to the whole system, in any order.
/// What a contract refuses is undone as a whole and leaves the walk where it was.
contract Citizens is SystemBase {
    int128 internal constant FAIR = 60_000;
    int128 private constant UNFAIR = 240_000;

    uint256[] public proposals;
    bytes32[] internal _raised;
    /// @dev Complaints of an organisation on a ground about the one deal with a bond, and those that were upheld.
    mapping(uint32 organisation => mapping(IDisputes.Ground => uint256)) internal _heard;
    uint256 public mostHeard;
    bool public shrank;
    /// @dev Candidates from which somebody whose terms give a veto took consent back.
    mapping(bytes32 id => bool) public mustBlock;
    uint64 private _longest;
    uint32 internal _posted;

    function setUp() public virtual override {
        super.setUp();
        _openMarket();
    }

    /// @dev One short of two thirds, so that the walk has to get there.
    function _endorsers() internal pure virtual override returns (uint32) {
        return 8;
    }

    /// @dev Every second owner's terms give a veto.
    function _terms(Kind kind, uint32 seller) internal view override returns (Terms memory terms) {
        terms = super._terms(kind, seller);
        terms.withdrawalBlocks = kind == Kind.Data && seller % 2 == 0;
    }

    // ---- Agents ----

    function post(uint8 count) external {
        for (uint32 i; i < 1 + count % 4; ++i) {
            _postRounds(_posted, _posted);
            ++_posted;
        }
        _remember();
    }

    function claim(uint8 owner, uint8 first, uint8 count) external {
        bytes32 id = agreements[Kind.Data][1 + owner % OWNERS];
        // Now and then out of turn.
        uint32 start = first % 8 == 0 ? first % ALL_ROUNDS : book.agreement(id).nextUnit;
        _claimRounds(1 + owner % OWNERS, start, start + count % 4);
        _remember();
    }

    function submit(uint8 skew) external {
        uint256 index = releases.releasesOf(job).length;
        // Now and then out of order.
        _submit(uint8(index) + (skew % 16 == 0 ? 1 : 0));
        _remember();
    }

    function measure(bool fair) external {
        bytes32 id = _last();
        _measure(id, fair ? FAIR : UNFAIR);
        _remember();
    }

    function close(uint8 seller) external {
        uint32 organisation = 1 + seller % ORGANISATIONS;
        for (uint256 kind = 1; kind <= uint256(type(Kind).max); ++kind) {
            bytes32 id = agreements[Kind(kind)][organisation];
            if (id == 0) continue;
            if (seller % 2 == 0) vm.prank(_agent(organisation));
            try book.close(id) {} catch {}
        }
        _remember();
    }

    // ---- What people say beside the vote ----

    function endorse(uint8 organisation) external {
        _endorse(1 + organisation % ORGANISATIONS);
        _remember();
    }

    function signOff(uint128 offices_) external {
        bytes32 id = _last();
        bytes32 manifestHash = releases.release(id).manifestHash;
        vm.prank(DOCTOR);
        consent.signOff(id, manifestHash, offices_ % 3 == 0 ? offices_ : 8);
        _remember();
    }

    function objectTo(uint8 owner) external {
        uint32 who = 1 + owner % OWNERS;
        vm.prank(_operator(who));
        credit.approve(address(vault), OBJECTION_STAKE_E18);
        bytes32 id = _last();
        vm.prank(_operator(who));
        consent.objectTo(id, agreements[Kind.Data][who], "not what I agreed to");
        _remember();
    }

    function endObjection(uint8 owner, bool abusive) external {
        uint32 who = 1 + owner % OWNERS;
        bytes32 id = _last();
        if (abusive) vm.prank(address(timelock));
        if (abusive) consent.judgeAbusive(id, who);
        else consent.returnStake(id, who);
        _remember();
    }

    function withdrawConsent(uint8 owner) external {
        // Seldom, else nothing is ever released.
        if (owner % 16 >= OWNERS) return;
        uint32 who = 1 + owner % 16;
        vm.prank(_operator(who));
        book.withdraw(agreements[Kind.Data][who]);
        if (who % 2 == 0) mustBlock[_last()] = true;
        _remember();
    }

    // ---- Members ----

    function propose() external {
        proposals.push(_proposeRelease(_last()));
        _remember();
    }

    function vote(uint16 voters, uint8 choice) public {
        for (uint32 i = 1; i <= ORGANISATIONS; ++i) {
            if ((voters >> i) & 1 == 0) continue;
            vm.prank(_member(i));
            try governor.castVote(proposals[proposals.length - 1], choice % 5 == 0 ? 0 : choice % 7 == 0 ? 2 : 1) {}
                catch {}
        }
        _remember();
    }

    function carry() external {
        _carry(proposals[proposals.length - 1]);
        _remember();
    }

    function execute(uint8 index) external {
        governor.execute(proposals[index % proposals.length]);
        _remember();
    }

    function refuse() external {
        releases.refuse(_last());
        _remember();
    }

    function revokeMandate(uint8 organisation) external {
        uint32 who = 1 + organisation % ORGANISATIONS;
        // Seldom, else nothing is left to be done.
        if (organisation % 64 != 0) return;
        vm.prank(_operator(who));
        agents.unbind(_agent(who));
    }

    // ---- Strangers and time ----

    function donate(uint64 amount, bool toTheVault) external {
        vm.prank(_operator(1));
        credit.transfer(toTheVault ? address(vault) : address(book), amount % (1 + credit.balanceOf(_operator(1))));
    }

    function withdraw(uint8 organisation) external {
        vault.withdraw(_operator(1 + organisation % ORGANISATIONS));
    }

    // ---- Income and disputes ----

    function openPool(uint8 index) external {
        vault.openPool(releases.releasesOf(job)[index % 3], _manifest(index % 3));
        _remember();
    }

    function settleBonus() external {
        vault.settleBonus(job);
        _remember();
    }

    function payUse(uint8 index, uint8 months) external {
        bytes32 id = releases.releasesOf(job)[index % 3];
        vm.prank(_operator(INSTITUTE));
        vault.payUse(id, months % 13, type(uint128).max);
        _remember();
    }

    function claimShare(uint8 index, uint8 owner) external {
        vault.claimShare(releases.releasesOf(job)[index % 3], 1 + owner % OWNERS, 0, new bytes32[](0));
        _remember();
    }

    function raise(uint8 who, uint8 ground, bytes32 evidence) external {
        uint32 challenger = INSTITUTE + who % 4;
        vm.prank(_operator(INSTITUTE));
        credit.transfer(_operator(challenger), DEPOSIT);
        vm.prank(_operator(challenger));
        credit.approve(address(vault), type(uint256).max);
        IDisputes.Ground chosen = IDisputes.Ground(1 + ground % 3);
        vm.prank(_operator(challenger));
        _raised.push(disputes.raise(agreements[Kind.Data][1], chosen, evidence));
        uint256 heard = ++_heard[challenger][chosen];
        if (heard > mostHeard) mostHeard = heard;
        _remember();
    }

    function rule(uint8 index, bool upheld) external {
        vm.prank(_agent(ORGANISATIONS));
        disputes.rule(_raised[index % _raised.length], upheld);
        _remember();
    }

    function conclude(uint8 index, uint8 blocks) external {
        bytes32 id = _raised[index % _raised.length];
        vm.roll(block.number + 3 + uint256(blocks) * 4);
        try court.draw(id) {} catch {}
        disputes.conclude(id);
        _remember();
    }

    function expire(uint8 owner) external {
        book.expire(agreements[Kind.Data][1 + owner % OWNERS]);
        _remember();
    }

    function wait(uint32 seconds_) external {
        vm.warp(block.timestamp + 1 + seconds_ % 2 days);
        vm.roll(block.number + 1 + seconds_ % 7);
    }

    // ---- For the invariants ----

    function parts() external view returns (Credit, RewardVault, IAgreementBook, IReleaseRegistry, ModelGovernor) {
        return (credit, vault, book, releases, governor);
    }

    /// @dev Everybody who may hold credits.
    function owedE18() external view returns (uint256 sumE18) {
        for (uint8 kind = 1; kind <= 4; ++kind) {
            for (uint32 i = 1; i <= ORGANISATIONS; ++i) {
                IAgreementBook.Agreement memory found = book.agreement(agreements[Kind(kind)][i]);
                if (found.state != IAgreementBook.AgreementState.Active) continue;
                sumE18 += found.priceE18 - uint256(found.priceE18) * found.paidUnits / found.units;
            }
        }
    }

    /// @dev Everything that lies in the vault, by whom it belongs to.
    function heldE18() external view returns (uint256 sumE18) {
        bytes32[] memory tried = releases.releasesOf(job);
        for (uint256 i; i < tried.length; ++i) {
            IPools.Pool memory pool = vault.pool(tried[i]);
            sumE18 += pool.pooledE18 - pool.claimedE18 + _deposit(address(releases), tried[i]);
            for (uint32 owner = 1; owner <= OWNERS; ++owner) {
                sumE18 += _deposit(address(consent), keccak256(abi.encode(tried[i], owner)));
            }
        }
        for (uint256 i; i < _raised.length; ++i) {
            sumE18 += _deposit(address(disputes), _raised[i]);
        }
        for (uint32 i = 1; i <= ORGANISATIONS; ++i) {
            sumE18 += _deposit(address(court), keccak256(abi.encode("stake", i))) + vault.balanceOf(_operator(i));
        }
        sumE18 += _deposit(address(book), job) + _deposit(address(book), agreements[Kind.Data][1]);
        sumE18 += vault.balanceOf(address(timelock));
    }

    function _deposit(address holder, bytes32 key) private view returns (uint256 amountE18) {
        (, amountE18) = vault.held(holder, key);
    }

    /// @dev What a bond has to be worth still: each ground that was upheld costs its part once, missed rounds a tenth.
    function leastBondE18() external view returns (uint256) {
        bytes32 deal = agreements[Kind.Data][1];
        bool ended = book.agreement(deal).state != IAgreementBook.AgreementState.Active;
        uint256 lostBps = ended ? 1000 : 0;
        bool[3] memory counted;
        for (uint256 i; i < _raised.length; ++i) {
            IDisputes.Dispute memory found = disputes.dispute(_raised[i]);
            if (found.state != IDisputes.State.Upheld || counted[uint256(found.ground)]) continue;
            counted[uint256(found.ground)] = true;
            lostBps += disputes.slashBps(found.ground);
        }
        return lostBps >= 10_000 ? 0 : PLEDGE * (10_000 - lostBps) / 10_000;
    }

    function bondE18() external view returns (uint256) {
        return _deposit(address(book), agreements[Kind.Data][1]);
    }

    function purses() external view returns (address[] memory all) {
        all = new address[](2 * ORGANISATIONS + 5);
        for (uint32 i = 1; i <= ORGANISATIONS; ++i) {
            (all[2 * i - 2], all[2 * i - 1]) = (_operator(i), _agent(i));
        }
        uint256 n = 2 * ORGANISATIONS;
        (all[n], all[n + 1], all[n + 2]) = (address(book), address(vault), address(timelock));
        (all[n + 3], all[n + 4]) = (address(this), address(court));
    }

    function beside() external view returns (Consent) {
        return consent;
    }

    function jobId() external view returns (bytes32) {
        return job;
    }

    function proposalCount() external view returns (uint256) {
        return proposals.length;
    }

    function _last() private view returns (bytes32) {
        bytes32[] memory ids = releases.releasesOf(job);
        return ids[ids.length - 1];
    }

    function _remember() private {
        uint64 length = releases.logLength();
        if (length < _longest) shrank = true;
        _longest = length;
    }
}

/// @dev The same from the day on which a model is released and its pool is opened; the walk above seldom comes so far.
contract Patrons is Citizens {
    function _endorsers() internal pure override returns (uint32) {
        return ORGANISATIONS;
    }

    function setUp() public override {
        super.setUp();
        _postRounds(0, 3);
        _posted = 4;
        bytes32 id = _submit(0);
        _measure(id, FAIR);
        proposals.push(_proposeRelease(id));
        _carry(proposals[0]);
        governor.execute(proposals[0]);
        vault.openPool(id, _manifest(0));
    }
}

/// @dev What always holds, from whatever moment the walk begins.
abstract contract SystemInvariants is Check {
    uint256 private constant MEMBERS = 13;

    Citizens internal citizens;
    Credit internal credit;
    RewardVault internal vault;
    IAgreementBook internal book;
    IReleaseRegistry internal registry;
    ModelGovernor internal governor;
    Consent internal consent;

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function _citizens() internal virtual returns (Citizens);

    function setUp() public {
        citizens = _citizens();
        citizens.setUp();
        (credit, vault, book, registry, governor) = citizens.parts();
        consent = citizens.beside();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(citizens);
    }

    function excludeSelectors() external view returns (FuzzSelector[] memory excluded) {
        excluded = new FuzzSelector[](1);
        excluded[0].addr = address(citizens);
        excluded[0].selectors = new bytes4[](1);
        excluded[0].selectors[0] = Citizens.setUp.selector;
    }

    function invariant_value_is_conserved_to_the_wei() public view {
        address[] memory purses = citizens.purses();
        uint256 sum;
        for (uint256 i; i < purses.length; ++i) {
            sum += credit.balanceOf(purses[i]);
        }
        assertEq(sum, credit.totalSupply(), "credits");
    }

    function invariant_nobody_owes_more_than_it_holds() public view {
        assertTrue(credit.balanceOf(address(book)) >= citizens.owedE18(), "escrow");
        assertTrue(credit.balanceOf(address(vault)) >= vault.owedE18(), "deposits");
    }

    /// @dev Sum in is sum out: no deposit, balance or pool counts twice or is forgotten.
    function invariant_the_vault_owes_exactly_its_deposits_balances_and_pools() public view {
        assertEq(vault.owedE18(), citizens.heldE18(), "owed");
    }

    function invariant_no_pool_pays_more_than_came_in() public view {
        bytes32[] memory ids = registry.releasesOf(citizens.jobId());
        for (uint256 i; i < ids.length; ++i) {
            IPools.Pool memory pool = vault.pool(ids[i]);
            assertTrue(pool.claimedE18 <= pool.pooledE18, "claimed");
            if (!pool.open) continue;
            IReleaseRegistry.Status status = registry.release(ids[i]).status;
            assertTrue(status == IReleaseRegistry.Status.Released, "only a release earns");
        }
    }

    function invariant_each_ground_costs_a_bond_its_part_once() public view {
        uint256 leftE18 = citizens.bondE18();
        assertTrue(leftE18 == 0 || leftE18 >= citizens.leastBondE18(), "bond");
        assertTrue(citizens.mostHeard() <= 2, "heard");
    }

    function invariant_what_is_released_was_voted_executed_and_compliant() public view {
        bytes32[] memory ids = registry.releasesOf(citizens.jobId());
        for (uint256 i; i < ids.length; ++i) {
            IReleaseRegistry.Release memory release = registry.release(ids[i]);
            if (release.status != IReleaseRegistry.Status.Released) continue;
            (uint256 against, uint256 forVotes, uint256 abstain) = governor.proposalVotes(release.proposalId);
            assertTrue(governor.state(release.proposalId) == IGovernor.ProposalState.Executed, "executed");
            assertTrue(2 * (forVotes + abstain) >= MEMBERS && forVotes > against, "quorum and majority");
            (uint256 failed,,) = registry.check(ids[i]);
            assertEq(failed, 0, "failed rules");
        }
    }

    function invariant_nothing_is_released_before_two_thirds_endorsed() public view {
        bytes32[] memory ids = registry.releasesOf(citizens.jobId());
        for (uint256 i; i < ids.length; ++i) {
            bool released = registry.release(ids[i]).status == IReleaseRegistry.Status.Released;
            assertTrue(!released || consent.isEndorsed(), "endorsed");
        }
        (uint256 votes, uint256 ofAll) = consent.endorsement();
        assertTrue(consent.isEndorsed() == (3 * votes >= 2 * ofAll), "two thirds");
    }

    function invariant_nothing_is_usable_after_a_veto() public view {
        bytes32[] memory ids = registry.releasesOf(citizens.jobId());
        for (uint256 i; i < ids.length; ++i) {
            bool usable = registry.isUsable(registry.release(ids[i]).artifact);
            assertTrue(!usable || !citizens.mustBlock(ids[i]), "usable");
        }
    }

    function invariant_no_more_votes_than_members() public view {
        for (uint256 i; i < citizens.proposalCount(); ++i) {
            (uint256 against, uint256 forVotes, uint256 abstain) = governor.proposalVotes(citizens.proposals(i));
            assertTrue(against + forVotes + abstain <= MEMBERS, "votes");
        }
    }

    function invariant_the_systems_log_only_grows() public view {
        assertFalse(citizens.shrank(), "log");
    }
}

contract SystemInvariantTest is SystemInvariants {
    function _citizens() internal override returns (Citizens) {
        return new Citizens();
    }

    /// @dev Shows that the walk reaches a refusal, a release and payments at all.
    function test_the_citizens_can_reach_a_release() public {
        citizens.post(3);
        citizens.submit(1);
        citizens.measure(false);
        citizens.propose();
        citizens.carry();
        citizens.refuse();
        citizens.claim(0, 0, 3);
        citizens.post(2);
        citizens.submit(1);
        citizens.measure(true);
        citizens.propose();
        citizens.objectTo(0);
        citizens.carry();
        citizens.endorse(8);
        citizens.execute(1);
        assertTrue(registry.isUsable(registry.release(registry.releasesOf(citizens.jobId())[1]).artifact), "usable");
        citizens.signOff(8);
        citizens.endObjection(0, true);
        citizens.withdrawConsent(1);
        citizens.withdraw(4);
        invariant_nothing_is_usable_after_a_veto();
        invariant_nothing_is_released_before_two_thirds_endorsed();
        bytes32[] memory ids = registry.releasesOf(citizens.jobId());
        assertEq(ids.length, 2, "candidates");
        assertTrue(registry.release(ids[0]).status == IReleaseRegistry.Status.Refused, "first");
        assertTrue(registry.release(ids[1]).status == IReleaseRegistry.Status.Released, "second");
        invariant_value_is_conserved_to_the_wei();
        invariant_nobody_owes_more_than_it_holds();
        invariant_what_is_released_was_voted_executed_and_compliant();
    }
}

contract IncomeInvariantTest is SystemInvariants {
    function _citizens() internal override returns (Citizens) {
        return new Patrons();
    }

    /// @dev Shows that the walk reaches every way that money takes.
    function test_the_patrons_can_reach_every_payment() public {
        citizens.settleBonus();
        citizens.payUse(0, 3);
        citizens.claimShare(0, 2);
        citizens.raise(0, 0, "bad shape");
        citizens.raise(0, 1, "other work");
        citizens.raise(1, 1, "more of it");
        invariant_the_vault_owes_exactly_its_deposits_balances_and_pools();
        citizens.rule(1, true);
        citizens.rule(2, false);
        citizens.conclude(0, 255);
        citizens.withdrawConsent(32);
        citizens.claimShare(0, 1);
        citizens.withdraw(2);
        assertTrue(credit.balanceOf(address(0x20000 + 3)) > 10e18, "a claim");
        assertTrue(vault.balanceOf(address(uint160(0x20000 + 1))) == 10e18, "the accused of a false complaint");
        invariant_the_vault_owes_exactly_its_deposits_balances_and_pools();
        invariant_no_pool_pays_more_than_came_in();
        invariant_value_is_conserved_to_the_wei();
    }
}
