// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOpenDisputes} from "./IOpenDisputes.sol";

/// @title Complaints about work done under an agreement, and who judges them
/// @notice Each ground names its judge, and none of them is ever put to a vote. What the chain can prove needs no complaint:
/// AgreementBook judges a round that was posted and not claimed, RoundLedger an omitted leaf or a second root.
interface IDisputes is IOpenDisputes {
    enum Ground {
        None,
        /// The update or aggregate is not one that the task could produce: wrong shape, not finite, over its bound.
        InvalidUpdate,
        /// Doing the work again inside the seller's site gave something else, or it is somebody else's work.
        FailedReexecution,
        /// The rows are bad. Nobody outside can tell, so nobody judges.
        DataQuality
    }

    enum Judge {
        None,
        /// A jury of EvaluatorCourt, from evidence that anybody can recompute.
        Jury,
        /// The auditor that both sides named in the terms.
        Auditor
    }

    enum State {
        None,
        Open,
        Upheld,
        Rejected,
        /// The judge gave no answer: nobody pays.
        Lapsed
    }

    struct Dispute {
        State state;
        Ground ground;
        /// Paid the deposit.
        address challenger;
        /// Chain time until which an auditor may answer; zero for a jury, which the court ends.
        uint64 decideByS;
        bytes32 agreement;
        /// SHA-256 of what the judge is to look at.
        bytes32 evidence;
    }

    /// @dev Nobody could judge it: data quality, or no auditor in the terms.
    error DisputeNobodyJudges(bytes32 agreement, Ground ground);
    /// @dev No work of this kind, or no bond lies in the vault any more.
    error DisputeNothingAtStake(bytes32 agreement);
    error DisputeNoEvidence(bytes32 agreement);
    error DisputeExists(bytes32 id);
    /// @dev It has cost its part of the bond.
    error DisputeGroundUpheld(bytes32 agreement, Ground ground);
    /// @dev The organisation's last complaint on this ground: it is open or was decided, or was the second that lapsed.
    error DisputeHeard(bytes32 last, State state);
    error DisputeNotOpen(bytes32 id, State state);
    error DisputeOnlyAuditor(address caller);
    error DisputeOnlyOperator(address caller);
    /// @dev Who complains of itself would take a part of its own bond back.
    error DisputeOwnWork(uint32 organisation);
    error DisputeOwnAuditor(uint32 organisation);
    error DisputeClaimsOver(bytes32 agreement, uint64 fromS);
    error DisputeNotDecided(bytes32 id, uint64 decideByS);
    error DisputeTooLate(bytes32 id, uint64 decideByS);

    event DisputeRaised(
        bytes32 indexed id,
        bytes32 indexed agreement,
        address indexed challenger,
        Ground ground,
        bytes32 evidence,
        uint128 depositE18,
        uint64 decideByS
    );
    /// @dev Part of the original bond that the verdict costs; nothing if another one on this ground has.
    event DisputeDecided(bytes32 indexed id, State state, uint16 slashBps);

    /// @notice Raises a complaint. The caller is an active organisation's operator, not the seller's, and its deposit goes to the vault.
    /// @dev Until the time for claims is over, and never of work that its own auditor judges. Each organisation is heard once
    /// on a ground of an agreement, and once more if the judge gave no answer; nobody is after one was upheld. So a bond is
    /// free at latest when the time for claims is over and the longest judgement after it: 14 days of an auditor, or a
    /// case of the court with its appeal.
    /// @return id keccak256(abi.encode(chainid, disputes, agreement, ground, evidence)).
    function raise(bytes32 agreement, Ground ground, bytes32 evidence) external returns (bytes32 id);

    /// @notice Says what the auditor found. Only the auditor that the terms name, in time.
    /// @dev An organisation's key judges as long as it holds it, or the agent's key that replaced it does.
    function rule(bytes32 id, bool upheld) external;

    /// @notice Carries out a jury's verdict, or ends a dispute whose judge gave no answer. Anyone.
    function conclude(bytes32 id) external;

    function dispute(bytes32 id) external view returns (Dispute memory);

    function judgeOf(Ground ground) external pure returns (Judge);

    /// @notice Part of the original bond that a ground costs when it is upheld.
    function slashBps(Ground ground) external pure returns (uint16);

    /// @notice Given back unless the complaint is rejected; then the accused gets it. In 1e-18 credit.
    function depositE18() external view returns (uint128);
}
