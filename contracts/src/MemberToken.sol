// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Time} from "@openzeppelin/contracts/utils/types/Time.sol";
import {IMemberToken} from "./interfaces/IMemberToken.sol";
import {Addresses} from "./types/Addresses.sol";

/// @title One vote per organisation
/// @dev Docs are in the interface. Votes cannot be bought, lent or moved, so a flash loan finds nothing to borrow.
contract MemberToken is IMemberToken, ERC20Votes {
    // ---- Immutables ----

    address private immutable CONTROLLER;

    // ---- Constructor ----

    constructor(Addresses memory a) ERC20("Folkmoot Member", "FMM") EIP712("Folkmoot Member", "1") {
        CONTROLLER = a.agentRegistry;
    }

    modifier onlyController() {
        if (msg.sender != CONTROLLER) revert MemberTokenOnlyController(msg.sender);
        _;
    }

    // ---- Admission ----

    /// @inheritdoc IMemberToken
    function admit(address member) external onlyController {
        if (balanceOf(member) != 0) revert MemberTokenAlreadyMember(member);
        _mint(member, 1);
        // Also undoes a delegation made before admission: a new member starts with its own vote.
        _delegate(member, member);
    }

    /// @inheritdoc IMemberToken
    function remove(address member) external onlyController {
        if (balanceOf(member) == 0) revert MemberTokenNotMember(member);
        _burn(member, 1);
    }

    // ---- ERC-20 and ERC-6372 ----

    /// @dev An allowance could never be used, so none is given.
    function approve(address, uint256) public pure override returns (bool) {
        revert MemberTokenNotTransferable();
    }

    function transferFrom(address, address, uint256) public pure override returns (bool) {
        revert MemberTokenNotTransferable();
    }

    function decimals() public pure override returns (uint8) {
        return 0;
    }

    function clock() public view override returns (uint48) {
        return Time.timestamp();
    }

    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }

    // ---- Internal ----

    function _update(address from, address to, uint256 value) internal override {
        if (from != address(0) && to != address(0)) revert MemberTokenNotTransferable();
        super._update(from, to, value);
    }
}
