// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgentRegistry} from "../interfaces/IAgentRegistry.sol";
import {IAgreementBook} from "../interfaces/IAgreementBook.sol";
import {IConsent} from "../interfaces/IConsent.sol";
import {IEvaluatorCourt} from "../interfaces/IEvaluatorCourt.sol";
import {IPolicyRegistry} from "../interfaces/IPolicyRegistry.sol";
import {IReleaseRegistry} from "../interfaces/IReleaseRegistry.sol";
import {IRewardVault} from "../interfaces/IRewardVault.sol";
import {IRoundLedger} from "../interfaces/IRoundLedger.sol";
import {Addresses} from "../types/Addresses.sol";

/// @title Where all other contracts stand, for ever
/// @dev An auditor who knows ReleaseRegistry finds every other contract here. There are no setters.
abstract contract Wiring is IReleaseRegistry {
    address internal immutable GOVERNOR;
    address internal immutable TIMELOCK;
    address internal immutable MEMBER_TOKEN;
    IPolicyRegistry internal immutable POLICY;
    IAgentRegistry internal immutable AGENTS;
    IAgreementBook internal immutable BOOK;
    IRoundLedger internal immutable ROUNDS;
    IEvaluatorCourt internal immutable COURT;
    address internal immutable AMENDMENTS;
    IRewardVault internal immutable VAULT;
    IConsent internal immutable CONSENT;
    address internal immutable DISPUTES;

    constructor(Addresses memory a) {
        GOVERNOR = a.governor;
        TIMELOCK = a.timelock;
        MEMBER_TOKEN = a.memberToken;
        POLICY = IPolicyRegistry(a.policyRegistry);
        AGENTS = IAgentRegistry(a.agentRegistry);
        BOOK = IAgreementBook(a.agreementBook);
        ROUNDS = IRoundLedger(a.roundLedger);
        COURT = IEvaluatorCourt(a.evaluatorCourt);
        AMENDMENTS = a.amendments;
        VAULT = IRewardVault(a.rewardVault);
        CONSENT = IConsent(a.consent);
        DISPUTES = a.disputes;
    }

    function governor() external view returns (address) {
        return GOVERNOR;
    }

    function timelock() external view returns (address) {
        return TIMELOCK;
    }

    function memberToken() external view returns (address) {
        return MEMBER_TOKEN;
    }

    function policyRegistry() external view returns (address) {
        return address(POLICY);
    }

    function agentRegistry() external view returns (address) {
        return address(AGENTS);
    }

    function agreementBook() external view returns (address) {
        return address(BOOK);
    }

    function roundLedger() external view returns (address) {
        return address(ROUNDS);
    }

    function evaluatorCourt() external view returns (address) {
        return address(COURT);
    }

    function amendments() external view returns (address) {
        return AMENDMENTS;
    }

    function rewardVault() external view returns (address) {
        return address(VAULT);
    }

    function consent() external view returns (address) {
        return address(CONSENT);
    }

    function disputes() external view returns (address) {
        return DISPUTES;
    }
}
