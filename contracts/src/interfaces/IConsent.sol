// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReleaseRegistry} from "./IReleaseRegistry.sol";

/// @title What people say beside the vote
/// @notice Members endorse the deployment; officers sign off candidates; those whose data stand behind a release object to
/// it. Who takes its own consent back does so in AgreementBook.
interface IConsent {
    /// @dev Holder of one office; office is a bit number.
    struct Officer {
        uint8 office;
        address account;
    }

    /// @dev What is fixed when the contract is deployed.
    struct Settings {
        Officer[] officers;
        /// Deposit behind an objection, in 1e-18 credit.
        uint128 objectionStakeE18;
    }

    enum ObjectionState {
        None,
        /// Counts; its stake is held.
        Raised,
        /// Counts; its stake was given back.
        Returned,
        /// Judged abusive: counts no more, its stake is the treasury's.
        Abusive
    }

    struct Objection {
        ObjectionState state;
        uint64 raisedAtS;
        address operator;
    }

    error ConsentOnlyMember(address caller);
    error ConsentOnlyTimelock(address caller);
    error ConsentOnlyAmendments(address caller);
    error ConsentOnlyOfficer(uint8 office, address caller);
    /// @dev Only the operator of the organisation behind the agreement.
    error ConsentOnlyContributor(bytes32 agreement, address caller);
    /// @dev What stands here is not what was endorsed.
    error ConsentWrongDeployment(bytes32 given, bytes32 standing);
    /// @dev Nothing stands at an address of the wiring yet.
    error ConsentNoCode(address part);
    error ConsentGivenBefore(address member);
    error ConsentBadOffice(uint8 office);
    error ConsentBadManifest(bytes32 id);
    /// @dev A vote runs, or all is over.
    error ConsentNotOpen(bytes32 id, IReleaseRegistry.Status status);
    /// @dev Does not stand behind the candidate, or is not about data.
    error ConsentBadAgreement(bytes32 agreement);
    error ConsentNoReason();
    error ConsentBadObjection(bytes32 id, uint32 organisation, ObjectionState state);
    error ConsentStakeHeld(uint64 untilS);

    /// @dev Complete from the moment at which two thirds of the members have endorsed.
    event Endorsed(address indexed member, bytes32 indexed digest, bool complete);
    event OfficerChanged(uint8 indexed office, address indexed account);
    event SignedOff(bytes32 indexed id, address indexed officer, uint128 offices);
    event Objected(bytes32 indexed id, uint32 indexed organisation, bytes32 agreement, bytes32 reason, uint128 stakeE18);
    event ObjectionReturned(bytes32 indexed id, uint32 indexed organisation);
    event ObjectionAbusive(bytes32 indexed id, uint32 indexed organisation);

    // ---- Deployment ----

    /// @notice Says that exactly these contracts are those that the caller agreed to. Only a member, once.
    function endorse(bytes32 digest) external;

    /// @notice keccak256(abi.encode(chainid, addresses, code hashes)) of all contracts in the order of `Addresses`.
    /// @dev Reverts until code stands at every address.
    function deploymentDigest() external view returns (bytes32);

    /// @notice True once an endorsement made it two thirds of the members, and while two thirds of those of today have
    /// endorsed; nothing is released before.
    function isEndorsed() external view returns (bool);

    /// @notice Votes of the endorsers that are members now, and those of all members.
    function endorsement() external view returns (uint256 votes, uint256 ofAll);

    // ---- Sign-offs ----

    /// @notice Signs off a candidate until its vote begins, or again once the guardian stopped that, or a release. Only the
    /// officers of all given offices.
    /// @param offices Bit set.
    function signOff(bytes32 id, bytes32 manifestHash, uint128 offices) external;

    /// @notice Gives an office to another account, or to nobody. Only Amendments.
    function setOfficer(uint8 office, address account) external;

    function officer(uint8 office) external view returns (address);

    /// @notice Offices that signed off.
    function signOffs(bytes32 id) external view returns (uint128);

    // ---- Objections ----

    /// @notice Objects to a candidate or release in the name of an organisation whose data stand behind it. Only its operator, once.
    /// @dev The stake is pulled by allowance into the RewardVault. Objections are a fact; the rules say what follows.
    /// @param agreement About data: the manifest cites it, or a round of this candidate was paid for it.
    /// @param reason A short text for people.
    function objectTo(bytes32 id, bytes32 agreement, bytes32 reason) external;

    /// @notice Gives a stake back 30 days after the objection. Anyone.
    function returnStake(bytes32 id, uint32 organisation) external;

    /// @notice Judges an objection abusive while its stake is held: it counts no more. Only the timelock.
    function judgeAbusive(bytes32 id, uint32 organisation) external;

    /// @notice Deposit behind an objection, in 1e-18 credit.
    function objectionStakeE18() external view returns (uint128);

    /// @notice Organisations that object.
    function objections(bytes32 id) external view returns (uint32);

    function objection(bytes32 id, uint32 organisation) external view returns (Objection memory);
}
