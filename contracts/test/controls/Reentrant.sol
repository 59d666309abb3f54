// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev Wrong on purpose: pays before it writes down that it paid. A run of slither that does not find it finds nothing.
contract Reentrant {
    mapping(address account => uint256) private _deposits;

    error NotPaid(address account);

    function deposit() external payable {
        _deposits[msg.sender] += msg.value;
    }

    function withdraw() external {
        uint256 amount = _deposits[msg.sender];
        (bool paid,) = msg.sender.call{value: amount}("");
        if (!paid) revert NotPaid(msg.sender);
        _deposits[msg.sender] = 0;
    }
}
