"""Where the contracts of one network stand."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from governance.domain.market import NOBODY, Address
from governance.errors import DeploymentMissing

CONTRACTS: Final = (
    "Credit",
    "MemberToken",
    "Timelock",
    "ModelGovernor",
    "ReleaseRegistry",
    "PolicyRegistry",
    "AgentRegistry",
    "AgreementBook",
    "RoundLedger",
    "EvaluatorCourt",
    "Amendments",
    "RewardVault",
    "Consent",
    "Disputes",
)
"""In the order of deployment, and of the places in the contracts' wiring."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Addresses on one chain, and the block from which history is read."""

    chain_id: int
    genesis: str
    """Hash of block 0, so that a file cannot be used with another chain of the same id."""
    first_block: int
    contracts: dict[str, Address]
    code: dict[str, str] = field(default_factory=dict)
    """Keccak-256 of the code at each address on the day of the deployment; empty in files of older versions."""

    def digest(self) -> bytes:
        """Return what members endorse if this file tells the truth: 32 bytes.

        Raises
        ------
        DeploymentMissing
            If the file does not say what code was deployed.
        """
        missing = [name for name in CONTRACTS if name not in self.code]
        if missing:
            raise DeploymentMissing(
                f"the deployment file names no code for {', '.join(missing)}; copy the file again from whoever deployed"
            )
        codes = {name: bytes.fromhex(self.code[name].removeprefix("0x")) for name in CONTRACTS}
        return deployment_digest(self.chain_id, self.contracts, codes)

    def to_json(self) -> str:
        """Return the deployment file's text."""
        document = {
            "chain_id": self.chain_id,
            "genesis": self.genesis,
            "first_block": self.first_block,
            "contracts": self.contracts,
            "code": self.code,
        }
        return json.dumps(document, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a deployment file.

        Raises
        ------
        DeploymentMissing
            If it is not such a file.
        """
        try:
            document = json.loads(text)
            contracts = {name: str(document["contracts"][name]) for name in CONTRACTS}
            return cls(
                chain_id=int(document["chain_id"]),
                genesis=str(document["genesis"]),
                first_block=int(document["first_block"]),
                contracts=contracts,
                code={str(name): str(value) for name, value in document.get("code", {}).items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            raise DeploymentMissing(
                f"the deployment file is damaged ({problem!r}); copy it again from whoever deployed"
            ) from problem


def deployment_digest(chain_id: int, contracts: Mapping[str, Address], codes: Mapping[str, bytes]) -> bytes:
    """Return keccak256(abi.encode(chainid, addresses, code hashes)) of all places of the wiring, in their order.

    Parameters
    ----------
    contracts, codes
        Address and Keccak-256 of the code, 32 bytes, by name; a place without a contract stands with zeros.
    """
    addresses = [contracts.get(name, NOBODY) for name in CONTRACTS]
    hashes = [codes.get(name, bytes(32)) for name in CONTRACTS]
    return bytes(keccak(encode(["uint256", "address[]", "bytes32[]"], [chain_id, addresses, hashes])))
