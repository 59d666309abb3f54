"""A bare OpenZeppelin Governor on a development chain: what a vote costs without a constitution."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from web3 import HTTPProvider, Web3

from bench.figures import FiguresError
from folkmoot.constitution import LATE_QUORUM_S, TIMELOCK_S, VOTING_DELAY_S, VOTING_PERIOD_S
from folkmoot.devnet import Devnet
from folkmoot.settings import CHECKOUT
from governance.adapters.evm import KeySigner
from governance.adapters.evm.deployer import created_address

UNITS = {
    "BareToken": "bench/contracts/BareToken.sol",
    "TimelockController": "@openzeppelin/contracts/governance/TimelockController.sol",
    "BareGovernor": "bench/contracts/BareGovernor.sol",
    "BareTarget": "bench/contracts/BareTarget.sol",
}
"""In the order in which they are created."""
NOBODY = "0x" + "00" * 20
FOR = 1
MARGIN_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteGas:
    """Gas of one vote from the proposal to its effect."""

    propose: int
    votes: tuple[int, ...]
    """In the order in which they were cast."""
    queue: int
    execute: int


@dataclass(slots=True, kw_only=True)
class BareNetwork:
    """The bare contracts and the members that vote on them."""

    devnet: Devnet
    deployer: KeySigner
    members: Sequence[KeySigner]
    _web3: Web3 = field(init=False)
    _contracts: dict[str, Any] = field(default_factory=dict)

    def deploy(self) -> None:
        """Compile and create the contracts; every member holds one vote."""
        self._web3 = Web3(HTTPProvider(self.devnet.info().rpc_url, request_kwargs={"timeout": 30}))
        start = self._web3.eth.get_transaction_count(cast("Any", self.deployer.address))
        at = {name: created_address(self.deployer.address, start + i) for i, name in enumerate(UNITS)}
        governor = [at["BareGovernor"]]
        arguments = {
            "BareToken": ([member.address for member in self.members],),
            "TimelockController": (TIMELOCK_S, governor, governor, NOBODY),
            "BareGovernor": (
                at["BareToken"],
                at["TimelockController"],
                VOTING_DELAY_S,
                VOTING_PERIOD_S,
                LATE_QUORUM_S,
            ),
            "BareTarget": (),
        }
        for name, compiled in compile_bare().items():
            factory = self._web3.eth.contract(abi=compiled["abi"], bytecode=compiled["bytecode"])
            self._send(self.deployer, factory.constructor(*arguments[name]))
            self._contracts[name] = self._web3.eth.contract(address=cast("Any", at[name]), abi=compiled["abi"])
        # Votes count from the moment before a proposal, so they must be older than one.
        self.devnet.advance(MARGIN_S)

    def decide(self, value: int) -> VoteGas:
        """Let all members vote to set the target's number, and carry it out."""
        proposer = self.members[0]
        governor, target = self._contracts["BareGovernor"].functions, self._contracts["BareTarget"]
        calldata = bytes.fromhex(target.encode_abi("set", [value])[2:])
        description = f"Release the model#proposer={proposer.address.lower()}"
        call = ([target.address], [0], [calldata], description)
        proposal = self._contracts["BareGovernor"].functions["propose"](*call).call({"from": proposer.address})
        propose = self._send(proposer, governor["propose"](*call))
        self.devnet.advance(VOTING_DELAY_S + MARGIN_S)
        votes = tuple(self._send(member, governor["castVote"](proposal, FOR)) for member in self.members)
        self.devnet.advance(VOTING_PERIOD_S + MARGIN_S)
        queue = self._send(proposer, governor["queue(uint256)"](proposal))
        self.devnet.advance(TIMELOCK_S + MARGIN_S)
        execute = self._send(proposer, governor["execute(uint256)"](proposal))
        if target.functions["number"]().call() != value:
            raise FiguresError("the bare Governor executed a proposal without effect; the comparison is worthless")
        return VoteGas(propose=propose, votes=votes, queue=queue, execute=execute)

    def _send(self, signer: KeySigner, call: Any) -> int:
        nonce = self._web3.eth.get_transaction_count(cast("Any", signer.address))
        raw = signer.sign_transaction(call.build_transaction({"from": signer.address, "nonce": nonce}))
        digest = self._web3.eth.send_raw_transaction(raw)
        receipt = self._web3.eth.wait_for_transaction_receipt(digest, timeout=60, poll_latency=0.05)
        if receipt["status"] != 1:
            raise FiguresError(f"a step of the bare Governor reverted ({digest.to_0x_hex()})")
        return int(receipt["gasUsed"])


def compile_bare() -> dict[str, dict[str, Any]]:
    """Compile the bare contracts with the product's own compiler and settings.

    Raises
    ------
    FiguresError
        If node is missing or a contract does not compile.
    """
    command = ["node", str(CHECKOUT / "bench" / "compile.js"), *UNITS.values()]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except FileNotFoundError as missing:
        raise FiguresError("node is not on PATH; start this with `make bench`, which brings it") from missing
    except subprocess.CalledProcessError as failed:
        raise FiguresError(f"the bare contracts do not compile: {failed.stderr.strip()}") from failed
    compiled: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return compiled
