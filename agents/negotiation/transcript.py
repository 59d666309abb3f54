"""The hash chain of a negotiation: each step names the one before, so none can be cut, moved or repeated."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from agents.negotiation.errors import BadStep
from agents.negotiation.judgement import same_frame
from governance.domain.market import Terms
from governance.domain.record import Record, canonical_json, parse_canonical_json, record_digest
from governance.errors import FolkmootError

NO_HASH: Final = "0x" + "0" * 64


class StepKind(StrEnum):
    """Words of the negotiation protocol."""

    DEMAND = "demand"
    OFFER = "offer"
    COUNTER = "counter"
    ACCEPT = "accept"
    CONFIRM = "confirm"
    DECLINE = "decline"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """One step as it is hashed and signed."""

    negotiation_id: str
    """0x and 64 hex digits."""
    kind: StepKind
    seq: int
    prev_hash: str
    sender: str
    """EVM address of the agent key."""
    valid_until_s: int
    content: str
    """Canonical JSON of the terms, or the reason of a refusal."""

    def hash(self) -> bytes:
        """Return the SHA-256 of the canonical JSON of the step, 32 bytes."""
        record: Record = {
            "negotiation_id": self.negotiation_id,
            "kind": str(self.kind),
            "seq": self.seq,
            "prev_hash": self.prev_hash,
            "sender": self.sender,
            "valid_until_s": self.valid_until_s,
            "content": self.content,
        }
        return record_digest(record)


@dataclass(frozen=True, slots=True)
class ChainHead:
    """Where a negotiation's chain ends."""

    seq: int = -1
    hash: str = NO_HASH
    sender: str = ""

    def follow(self, step: StepRecord, *, now_s: int) -> "ChainHead":
        """Return the head after a step.

        Raises
        ------
        BadStep
            If the step repeats, skips, reorders or forks the chain, speaks out of turn, or is too old.
        """
        if step.seq != self.seq + 1:
            raise BadStep(f"step {step.seq} came after step {self.seq}")
        if step.prev_hash != self.hash:
            raise BadStep(f"step {step.seq} follows another history")
        if step.sender == self.sender:
            raise BadStep(f"step {step.seq} is out of turn")
        if step.valid_until_s < now_s:
            raise BadStep(f"step {step.seq} was valid until {step.valid_until_s}, it is {now_s}")
        return ChainHead(step.seq, "0x" + step.hash().hex(), step.sender)


def negotiation_id(frame: Terms) -> str:
    """Return the id that a frame gives its negotiation; the buyer's nonce makes it unique."""
    digest = record_digest(
        {
            "negotiation": 1,
            "kind": int(frame.kind),
            "buyer": frame.buyer,
            "seller": frame.seller,
            "job": "0x" + frame.job.hex(),
            "nonce": frame.nonce,
        }
    )
    return "0x" + digest.hex()


def write_terms(terms: Terms) -> str:
    """Return the canonical JSON of terms."""
    return canonical_json(terms.to_json()).decode()


def read_terms(text: str) -> Terms:
    """Read terms that a peer wrote.

    Raises
    ------
    BadStep
        If they are not canonical JSON of exactly the fields of terms.
    """
    try:
        return Terms.from_json(parse_canonical_json(text.encode()))
    except (FolkmootError, UnicodeEncodeError) as error:
        raise BadStep(str(error)[:200]) from error


def check_frame(frame: Terms, terms: Terms) -> None:
    """Refuse terms that differ from a frame in more than price, epsilon and deadline."""
    if not same_frame(frame, terms):
        raise BadStep("terms that are not negotiated were changed")
