// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @dev A token that misbehaves when it is told to.
contract HostileCredit is ERC20 {
    uint256 public feeE18;
    bool public isSilentlyFailing;
    address public target;
    bytes public attack;
    bytes public answer;
    bool public wasLetIn;

    constructor(address holder) ERC20("Hostile", "HST") {
        _mint(holder, 1e27);
    }

    function setFee(uint256 feeE18_) external {
        feeE18 = feeE18_;
    }

    function failSilently() external {
        isSilentlyFailing = true;
    }

    /// @dev Calls this in the middle of every transfer, and remembers what came of it.
    function setAttack(address target_, bytes calldata attack_) external {
        (target, attack) = (target_, attack_);
    }

    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        return isSilentlyFailing ? false : super.transferFrom(from, to, value);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0) && feeE18 != 0) super._update(to, address(this), feeE18);
        if (target == address(0)) return;
        (wasLetIn, answer) = target.call(attack);
    }
}
