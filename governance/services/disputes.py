"""Complaints about work, and who judges them."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from governance.domain.market import Address
from governance.ports import Chain, Receipt, Signer
from governance.services import reading

WHERE = "Disputes"
DISPUTE_FIELDS = 6
REPORT_TYPE = "dispute-report"
"""Of what a juror of a dispute says about its answer."""


class Ground(IntEnum):
    """What is complained of; each names its judge."""

    INVALID_UPDATE = 1
    """One that the task could not produce: judged by a jury."""
    FAILED_REEXECUTION = 2
    """Doing it again gave something else: judged by the auditor of the terms."""
    DATA_QUALITY = 3
    """Nobody outside can tell: refused."""


class DisputeState(IntEnum):
    """Where a dispute stands."""

    NONE = 0
    OPEN = 1
    UPHELD = 2
    REJECTED = 3
    LAPSED = 4


SLASH_BPS: Final = {Ground.INVALID_UPDATE: 2_500, Ground.FAILED_REEXECUTION: 10_000}
"""Part of the original bond that a ground costs when it is upheld."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeRecord:
    """A dispute as the contract knows it."""

    state: DisputeState
    ground: Ground
    challenger: Address
    decide_by_s: int
    """Chain time until which an auditor may answer; 0 for a jury."""
    agreement: bytes
    evidence: bytes


def dispute_id(chain_id: int, disputes: Address, agreement: bytes, *, ground: Ground, evidence: bytes) -> bytes:
    """Return the id of a dispute, which is that of its case as well."""
    types = ["uint256", "address", "bytes32", "uint8", "bytes32"]
    return bytes(keccak(encode(types, [chain_id, disputes, agreement, int(ground), evidence])))


class Disputes:
    """The contract with types."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def id_of(self, agreement: bytes, *, ground: Ground, evidence: bytes) -> bytes:
        """Return the id that a complaint has here."""
        return dispute_id(self._chain.chain_id, self._chain.address(WHERE), agreement, ground=ground, evidence=evidence)

    def deposit_e18(self) -> int:
        """Return what a complaint costs whoever loses it."""
        return reading.number(self._chain.read(WHERE, "depositE18"))

    def raise_(self, operator: Signer, agreement: bytes, *, ground: Ground, evidence: bytes) -> Receipt:
        """Complain; the vault takes the deposit by the operator's allowance.

        Raises
        ------
        ContractRefused
            If nobody judges this ground, nothing is at stake any more, the sender is nobody's operator, or its
            organisation was heard on this ground before.
        """
        return self._chain.send(operator, WHERE, "raise", (agreement, int(ground), evidence))

    def rule(self, auditor: Signer, dispute: bytes, *, upheld: bool) -> Receipt:
        """Say what the auditor found."""
        return self._chain.send(auditor, WHERE, "rule", (dispute, upheld))

    def conclude(self, sender: Signer, dispute: bytes) -> Receipt:
        """Carry out a jury's verdict, or end a dispute whose judge gave none."""
        return self._chain.send(sender, WHERE, "conclude", (dispute,))

    def dispute(self, dispute: bytes) -> DisputeRecord | None:
        """Return a dispute, or None when there is none of this id."""
        row = reading.row(self._chain.read(WHERE, "dispute", dispute), DISPUTE_FIELDS)
        state = DisputeState(reading.number(row[0]))
        if state is DisputeState.NONE:
            return None
        return DisputeRecord(
            state=state,
            ground=Ground(reading.number(row[1])),
            challenger=reading.address(row[2]),
            decide_by_s=reading.number(row[3]),
            agreement=reading.raw(row[4]),
            evidence=reading.raw(row[5]),
        )

    def open_count(self, agreement: bytes) -> int:
        """Return how many open disputes keep an agreement's bond locked."""
        return reading.number(self._chain.read(WHERE, "openDisputes", agreement))
