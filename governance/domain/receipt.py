"""A coordinator's receipt for an update: by its deadline the digest stands in the root of the round."""

from dataclasses import dataclass
from typing import Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from governance.domain.market import Address
from governance.domain.signing import Domain

RECEIPT_TYPE: Final = "Receipt(bytes32 job,uint32 round,address owner,bytes32 digest,uint64 deadlineS)"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateReceipt:
    """What the coordinator signs."""

    job: bytes
    round_number: int
    owner: Address
    digest: bytes
    """SHA-256 of the update's document."""
    deadline_s: int
    """Chain time."""

    def as_tuple(self) -> tuple[object, ...]:
        """Return the receipt in the field order of the contract's struct."""
        return self.job, self.round_number, self.owner, self.digest, self.deadline_s

    def signed_digest(self, domain: Domain) -> bytes:
        """Return the EIP-712 digest that is signed."""
        types = ["bytes32", "bytes32", "uint32", "address", "bytes32", "uint64"]
        return domain.digest(bytes(keccak(encode(types, [keccak(text=RECEIPT_TYPE), *self.as_tuple()]))))


def ledger_domain(chain_id: int, contract: Address) -> Domain:
    """Return the domain of RoundLedger."""
    return Domain(name="Folkmoot RoundLedger", chain_id=chain_id, contract=contract)
