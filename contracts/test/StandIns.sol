// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MemberToken} from "../src/MemberToken.sol";
import {Role} from "../src/interfaces/IAgentRegistry.sol";
import {IAgreementBook} from "../src/interfaces/IAgreementBook.sol";
import {IEvaluatorCourt} from "../src/interfaces/IEvaluatorCourt.sol";
import {Kind} from "../src/types/Market.sol";

/// @dev What ReleaseRegistry reads from its neighbours, set by hand, so that each state can be reached in one step.

contract AgentsOnPaper {
    mapping(address key => uint32) public organisationOf;
    mapping(address key => bool) public isActive;

    /// @dev One operator for each organisation.
    function operatorOf(address key) external view returns (address) {
        return operator(organisationOf[key]);
    }

    function operator(uint32 organisation) public pure returns (address) {
        return address(0x0F0000 + uint160(organisation));
    }

    function set(address key, uint32 organisation, bool active) external {
        organisationOf[key] = organisation;
        isActive[key] = active;
    }

    function hasRole(address key, uint8 roles) external view returns (bool) {
        return isActive[key] && roles == Role.COORDINATOR;
    }

    /// @dev No key here is a guardian to be.
    function holderOf(address) external pure returns (uint32) {
        return 0;
    }

    function admit(MemberToken token, address member) external {
        token.admit(member);
    }
}

/// @dev No vote here is about the guardian.
contract AmendmentsOnPaper {
    function replacesGuardian(address[] calldata, bytes[] calldata) external pure returns (bool) {
        return false;
    }
}

contract BookOnPaper {
    mapping(bytes32 id => IAgreementBook.Job) private _jobs;
    mapping(bytes32 id => IAgreementBook.Agreement) private _agreements;
    mapping(bytes32 id => bytes32[]) private _candidates;
    uint256 public finishes;
    bytes32 public finishedBy;
    mapping(bytes32 job => mapping(uint8 candidate => bool)) public isWithdrawn;

    function setJob(bytes32 id, IAgreementBook.Job calldata terms, bytes32[] calldata names) external {
        _jobs[id] = terms;
        _candidates[id] = names;
    }

    function setAgreement(bytes32 id, IAgreementBook.Agreement calldata terms) external {
        _agreements[id] = terms;
    }

    function finishJob(bytes32 id, bytes32 release) external {
        _jobs[id].state = IAgreementBook.JobState.Finished;
        ++finishes;
        finishedBy = release;
    }

    function job(bytes32 id) external view returns (IAgreementBook.Job memory) {
        return _jobs[id];
    }

    function agreement(bytes32 id) external view returns (IAgreementBook.Agreement memory) {
        return _agreements[id];
    }

    function cite(bytes32 id, uint8 candidate) external returns (IAgreementBook.Citation memory) {
        IAgreementBook.Agreement storage found = _agreements[id];
        found.citedBy = candidate + 1;
        return IAgreementBook.Citation(
            found.state,
            found.kind,
            found.job,
            found.organisation,
            found.epsilonMicros,
            found.kind == Kind.Data ? found.purposes : 0,
            found.kind == Kind.EvaluationRows ? found.dataRoot : bytes32(0)
        );
    }

    function standsBehind(bytes32 id) external view returns (uint8) {
        return _agreements[id].citedBy;
    }

    function setWithdrawn(bytes32 job_, uint8 candidate) external {
        isWithdrawn[job_][candidate] = true;
    }

    function candidates(bytes32 id) external view returns (bytes32[] memory) {
        return _candidates[id];
    }
}

contract RoundsOnPaper {
    uint8 public complete;

    function setComplete(uint8 candidates) external {
        complete = candidates;
    }

    function record(bytes32) external {}

    function isComplete(bytes32, uint8 candidate) external view returns (bool) {
        return candidate < complete;
    }
}

contract CourtOnPaper {
    mapping(bytes32 id => IEvaluatorCourt.Case) private _cases;
    mapping(bytes32 id => mapping(bytes32 key => int128)) private _median;
    mapping(bytes32 id => mapping(bytes32 key => bool)) private _known;
    mapping(bytes32 id => bool) private _appealable;
    bytes32[] private _roots;
    uint32[] private _excluded;
    bytes32 private _metricCode = "metric code";

    function open(bytes32 id, bytes32 job, bytes32 artifact, bytes32[] calldata roots, uint32[] calldata excluded)
        external
    {
        _cases[id].stage = IEvaluatorCourt.Stage.Drawing;
        (_cases[id].job, _cases[id].artifact) = (job, artifact);
        (_roots, _excluded) = (roots, excluded);
    }

    function measure(bytes32 id, bytes32 key, int128 value) external {
        _cases[id].stage = IEvaluatorCourt.Stage.Final;
        _cases[id].reveals = 5;
        _median[id][key] = value;
        _known[id][key] = true;
    }

    function setReveals(bytes32 id, uint8 reveals) external {
        _cases[id].reveals = reveals;
    }

    function lapse(bytes32 id) external {
        _cases[id].stage = IEvaluatorCourt.Stage.Lapsed;
    }

    function courtCase(bytes32 id) external view returns (IEvaluatorCourt.Case memory) {
        return _cases[id];
    }

    function stageOf(bytes32 id) external view returns (IEvaluatorCourt.Stage) {
        return _cases[id].stage;
    }

    function isConclusive(bytes32 id) external view returns (bool) {
        return _cases[id].stage == IEvaluatorCourt.Stage.Final && !_appealable[id];
    }

    function setAppealable(bytes32 id, bool appealable) external {
        _appealable[id] = appealable;
    }

    function median(bytes32 id, bytes32 key) external view returns (int128, bool) {
        return (_median[id][key], _known[id][key]);
    }

    function resultHash(bytes32 id) external view returns (bytes32) {
        return _cases[id].stage == IEvaluatorCourt.Stage.Final ? keccak256(abi.encode(id, _cases[id].reveals)) : bytes32(0);
    }

    function setMetricCode(bytes32 code) external {
        _metricCode = code;
    }

    function settings() external view returns (IEvaluatorCourt.Settings memory latest) {
        latest.metricCode = _metricCode;
    }

    function openedWith() external view returns (bytes32[] memory, uint32[] memory) {
        return (_roots, _excluded);
    }
}
