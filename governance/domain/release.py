"""Candidates, their manifests, facts from juries, and the log, exactly as the contracts know them."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from governance.domain.market import Address
from governance.domain.signing import short_text

MISSING: Final = -(1 << 127)
"""What a juror reveals for a metric that cannot be given."""

CALL_S: Final = 2 * 86_400
"""For somebody to call a vote once a case is beyond appeal; a candidate that has none then may be refused."""

MANIFEST_TYPE: Final = "(bytes32,bytes32,uint8,bytes32,bytes32,bytes32,uint128,uint128,bytes32[],(bytes32,int128)[])"
MANIFEST_FIELDS: Final = 10


class Status(IntEnum):
    """Where a release stands."""

    NONE = 0
    CANDIDATE = 1
    RELEASED = 2
    REFUSED = 3
    SUSPENDED = 4
    """Released, and stopped by something; never stored."""
    REVOKED = 5
    RECALLED = 6
    """Withdrawn with the order to stop using it."""


class Reason(IntEnum):
    """Why a release stands as it does."""

    NONE = 0
    POLICY = 1
    VOTE = 2
    JURY = 3
    WITHDRAWAL = 4
    GUARDIAN = 5
    PARENT = 6
    MEMBERS = 7


class RefusalReason(IntEnum):
    """Why a candidate was refused."""

    NONE = 0
    POLICY = 1
    VOTE = 2
    JURY = 3
    WITHDRAWAL = 4
    """Somebody whose terms give a veto withdrew consent."""


class Stage(IntEnum):
    """Where a case of the court stands."""

    NONE = 0
    DRAWING = 1
    COMMITTING = 2
    REVEALING = 3
    FINAL = 4
    LAPSED = 5


class Outcome(IntEnum):
    """What a juror was judged for when its case was settled."""

    NONE = 0
    HELD = 1
    ABSENT = 2
    DEVIATED = 3
    ABSTAINED = 4


class ProposalState(IntEnum):
    """Where a proposal stands (OpenZeppelin IGovernor)."""

    PENDING = 0
    ACTIVE = 1
    CANCELED = 2
    DEFEATED = 3
    SUCCEEDED = 4
    QUEUED = 5
    EXPIRED = 6
    EXECUTED = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """All that a release consists of, by digest."""

    job: bytes
    candidate: str
    candidate_index: int
    artifact: bytes
    """SHA-256 of the model file."""
    card: bytes
    """SHA-256 of the model card."""
    parent: bytes = b"\0" * 32
    licences: int
    use_price_e18: int = 0
    """Price of using the model for 30 days, in 1e-18 credit."""
    agreements: tuple[bytes, ...]
    declared: tuple[tuple[str, int], ...] = ()
    """Fact key and value in millionths."""

    def as_tuple(self) -> tuple[object, ...]:
        """Return the manifest in the field order of the contract's struct."""
        return (
            self.job,
            short_text(self.candidate),
            self.candidate_index,
            self.artifact,
            self.card,
            self.parent,
            self.licences,
            self.use_price_e18,
            list(self.agreements),
            [(short_text(key), value) for key, value in self.declared],
        )

    def manifest_hash(self) -> bytes:
        """Return keccak256(abi.encode(manifest))."""
        return keccak(encode([MANIFEST_TYPE], [self.as_tuple()]))

    def release_id(self, chain_id: int, registry: Address) -> bytes:
        """Return the id that ReleaseRegistry gives this manifest."""
        return keccak(encode(["uint256", "address", "bytes32"], [chain_id, registry, self.manifest_hash()]))


def jury_commitment(  # noqa: PLR0913 - one argument for each hashed field
    values: tuple[int, ...],
    report: bytes,
    salt: bytes,
    *,
    chain_id: int,
    court: Address,
    case: bytes,
    artifact: bytes,
    juror: Address,
    contributions: bytes = b"\0" * 32,
) -> bytes:
    """Return the commitment of a juror to its values, in millionths, and to the root of the owners' shares.

    Sender, case and artifact are inside, so a copied commitment cannot be opened by the copier.
    """
    types = [
        "uint256",
        "address",
        "bytes32",
        "bytes32",
        "address",
        "int128[]",
        "bytes32",
        "bytes32",
        "bytes32",
    ]
    return keccak(encode(types, [chain_id, court, case, artifact, juror, list(values), report, contributions, salt]))


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One entry of the hash-linked log."""

    sequence: int
    """Counted from one."""
    time_s: int
    writer: Address
    kind: str
    subject: bytes
    payload: bytes

    def head(self, previous: bytes, *, chain_id: int, registry: Address) -> bytes:
        """Return the head of the log after this entry: 28 bytes of a hash, then the entry's number."""
        types = [
            "bytes32",
            "uint64",
            "uint256",
            "address",
            "uint64",
            "address",
            "bytes32",
            "bytes32",
            "bytes32",
        ]
        values = [
            previous,
            self.sequence,
            chain_id,
            registry,
            self.time_s,
            self.writer,
            short_text(self.kind),
            self.subject,
            self.payload,
        ]
        return keccak(encode(types, values))[:28] + self.sequence.to_bytes(4)


def facts_hash(manifest_hash: bytes, court_result: bytes) -> bytes:
    """Return the digest of all that the rules of a release read."""
    return keccak(encode(["bytes32", "bytes32"], [manifest_hash, court_result]))
