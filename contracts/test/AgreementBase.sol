// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreementBook} from "../src/interfaces/IAgreementBook.sol";
import {IReleaseRegistry} from "../src/interfaces/IReleaseRegistry.sol";
import {IRoundLedger} from "../src/interfaces/IRoundLedger.sol";
import {Lines} from "../src/libraries/Lines.sol";
import {AggregationPrivacy, Kind, PrivacyUnit, Terms} from "../src/types/Market.sol";
import {MarketBase} from "./MarketBase.sol";
import {Tree} from "./Tree.sol";

/// @dev An open job, and what it takes to sign, train, measure and claim in it.
abstract contract AgreementBase is MarketBase {
    uint128 internal constant PRICE = 100e18 + 7;

    bytes32 internal job;
    /// @dev What was posted, since the chain keeps heads only.
    mapping(bytes32 job => bytes32[]) private _roots;
    mapping(bytes32 job => uint32[]) private _counts;

    function setUp() public virtual override {
        super.setUp();
        _stakeLabs();
        job = _openJob();
    }

    // ---- Agreements ----

    function _terms(Kind kind, uint32 seller) internal view returns (Terms memory terms) {
        (terms.kind, terms.buyer, terms.seller) = (kind, _agent(INSTITUTE), _agent(seller));
        (terms.job, terms.priceE18, terms.purposes) = (job, PRICE, TRIAGE);
        bool byRound = kind == Kind.Data || kind == Kind.Compute;
        terms.units = byRound ? ALL_ROUNDS : 3;
        terms.aggregationPrivacy = AggregationPrivacy.Clear;
        if (kind == Kind.Data) {
            (terms.epsilonMicros, terms.deltaE12, terms.privacyUnit) = (EPSILON, 1e7, PrivacyUnit.Record);
            (terms.rows, terms.dataRoot) = (100, _training(seller));
        } else if (kind == Kind.EvaluationRows) {
            (terms.rows, terms.dataRoot) = (50, _evaluation(seller));
        }
        (terms.computeSeconds, terms.withdrawalBlocks) = (600, true);
        (terms.deadlineS, terms.validUntilS) = (DEADLINE_S, START_S + 1 days);
    }

    function _make(Terms memory terms, uint32 seller) internal returns (bytes32) {
        (bytes memory bought, bytes memory sold) = _signBoth(terms, seller);
        return book.createAgreement(terms, bought, sold);
    }

    function _make(Kind kind, uint32 seller) internal returns (bytes32) {
        return _make(_terms(kind, seller), seller);
    }

    function _signBoth(Terms memory terms, uint32 seller) internal view returns (bytes memory, bytes memory) {
        bytes32 digest = _termsDigest(terms);
        return (_sign(_key(INSTITUTE), digest), _sign(_key(seller), digest));
    }

    function _expectRefusal(Terms memory terms, uint32 seller, bytes memory refusal) internal {
        (bytes memory bought, bytes memory sold) = _signBoth(terms, seller);
        vm.expectRevert(refusal);
        book.createAgreement(terms, bought, sold);
    }

    /// @dev Written out here so that the contract's type and domain are checked, not repeated.
    function _termsDigest(Terms memory terms) internal view returns (bytes32) {
        bytes32 typeHash = keccak256(
            "Terms(uint8 kind,address buyer,address seller,bytes32 job,uint128 priceE18,uint32 units,uint64 epsilonMicros,uint64 deltaE12,uint8 privacyUnit,uint8 aggregationPrivacy,uint32 rows,bytes32 dataRoot,uint128 purposes,uint32 computeSeconds,uint128 bondE18,address auditor,bool withdrawalBlocks,uint64 deadlineS,uint64 validUntilS,uint64 nonce)"
        );
        return _typed("Folkmoot AgreementBook", address(book), keccak256(abi.encode(typeHash, terms)));
    }

    // ---- Rounds ----

    function _digest(uint32 round, uint32 organisation) internal pure returns (bytes32) {
        return keccak256(abi.encode("update", round, organisation));
    }

    /// @dev Leaves of all owners, then the compute provider's.
    function _leaves(bytes32 ofJob, uint32 round) internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](OWNERS + 1);
        for (uint32 i = 1; i <= OWNERS; ++i) {
            leaves[i - 1] = Tree.leaf(ofJob, round, _agent(i), _digest(round, i));
        }
        leaves[OWNERS] = Tree.leaf(ofJob, round, _agent(CENTRE), _digest(round, CENTRE));
    }

    function _post(uint32 round) internal {
        _postRoot(round, Tree.root(_leaves(job, round)), OWNERS + 1);
    }

    function _postRoot(uint32 round, bytes32 root, uint32 leaves) internal {
        vm.prank(_agent(INSTITUTE));
        ledger.post(job, round, root, leaves);
        _roots[job].push(root);
        _counts[job].push(leaves);
    }

    /// @dev All rounds from one on; the head before them is computed from the first one on.
    function _line(uint32 first) internal view returns (Lines.Line memory line) {
        uint256 count = _roots[job].length;
        line.before = Lines.start(job);
        uint256 from = first < count ? first : count;
        for (uint256 i; i < from; ++i) {
            line.before = Lines.next(line.before, _roots[job][i], _counts[job][i]);
        }
        (line.roots, line.leaves) = (new bytes32[](count - from), new uint32[](count - from));
        for (uint256 i = from; i < count; ++i) {
            (line.roots[i - from], line.leaves[i - from]) = (_roots[job][i], _counts[job][i]);
        }
    }

    function _claimRounds(bytes32 id, uint32 from, uint32 to, uint32 organisation) internal {
        ledger.claimRounds(id, _line(from), _claims(from, to, organisation));
    }

    function _postUpTo(uint32 end) internal {
        for (uint32 round = ledger.roundCount(job); round < end; ++round) {
            _post(round);
        }
    }

    function _claim(uint32 round, uint32 organisation) internal view returns (IRoundLedger.RoundClaim memory) {
        uint256 index = organisation == CENTRE ? OWNERS : organisation - 1;
        bytes32[] memory proof = Tree.proof(_leaves(job, round), index);
        return IRoundLedger.RoundClaim(round, _digest(round, organisation), proof);
    }

    function _claims(uint32 from, uint32 to, uint32 organisation)
        internal
        view
        returns (IRoundLedger.RoundClaim[] memory claims)
    {
        claims = new IRoundLedger.RoundClaim[](to - from);
        for (uint32 i; i < claims.length; ++i) {
            claims[i] = _claim(from + i, organisation);
        }
    }

    // ---- Candidates and cases ----

    function _submit(uint8 index, bytes32[] memory agreements) internal returns (bytes32) {
        IReleaseRegistry.Manifest memory manifest;
        (manifest.job, manifest.candidate, manifest.candidateIndex) = (job, book.candidates(job)[index], index);
        (manifest.artifact, manifest.card) = (keccak256(abi.encode("model", index)), "card");
        manifest.agreements = agreements;
        vm.prank(_agent(INSTITUTE));
        return releases.submit(manifest);
    }

    function _draw(bytes32 id) internal returns (address[] memory) {
        vm.roll(block.number + 3);
        court.draw(id);
        return court.jury(id);
    }

    function _values(int128 auc) internal pure returns (int128[] memory values) {
        values = new int128[](3);
        (values[0], values[1], values[2]) = (auc, 750_000, 80_000);
    }

    function _commitment(bytes32 id, address juror, int128[] memory values) internal view returns (bytes32) {
        return keccak256(
            abi.encode(
                block.chainid,
                address(court),
                id,
                court.courtCase(id).artifact,
                juror,
                values,
                bytes32("report"),
                bytes32(0),
                bytes32("salt")
            )
        );
    }

    function _commitTo(bytes32 id, address juror, int128[] memory values) internal {
        bytes32 commitment = _commitment(id, juror, values);
        vm.prank(juror);
        court.commit(id, commitment);
    }

    function _revealTo(bytes32 id, address juror, int128[] memory values) internal {
        court.reveal(id, juror, values, "report", 0, "salt");
    }

    /// @dev The first `reveals` jurors measure; the others do nothing.
    function _measure(bytes32 id, uint256 reveals) internal {
        address[] memory jurors = _draw(id);
        for (uint256 i; i < reveals; ++i) {
            _commitTo(id, jurors[i], _values(800_000));
        }
        if (reveals < jurors.length) vm.warp(court.courtCase(id).windowEndS + 1);
        for (uint256 i; i < reveals; ++i) {
            _revealTo(id, jurors[i], _values(800_000));
        }
        court.finalise(id);
    }
}
