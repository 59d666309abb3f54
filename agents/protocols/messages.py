"""Every message on the wire, frozen: a name, a field or a docstring here is part of a digest.

uAgents identifies a message by the SHA-256 of its JSON schema, which holds class name, fields,
bounds and docstring. ``tests/golden/wire-digests.json`` pins them; whoever changes one here breaks
every older peer. The models are pydantic version 1, because uAgents' are: integers are strict,
unknown fields are refused, every size is bounded.

Sizes are constant in the number of training rows: vectors travel as 16 hex digits per value.
Times (``..._s``) are chain time in seconds.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic.v1 import Field
from uagents import Model

from agents.protocols.fields import (
    Address,
    Base64,
    Bytes32,
    Index,
    Int128,
    MsgId,
    OptionalSha256,
    PackedNanos,
    RequestJson,
    Rounds,
    Seconds,
    Sha256,
    Signature,
    TaskJson,
    TermsJson,
    Text,
    Word,
)

NO_HASH = "0x" + "0" * 64
VALUE_DIGITS = 16


class Wire(Model):  # type: ignore[misc]
    """Any message; its id is the same however often it is sent."""

    msg_id: MsgId

    class Config:
        """Unknown fields are refused."""

        extra = "forbid"
        allow_mutation = False


class Ack(Wire):
    """The message of this id is committed in my inbox; its content is not judged by this."""


class ArtifactTicket(Wire):
    """Please serve me this artifact, once."""

    sha256: Sha256


class Step(Wire):
    """One step of a negotiation; prev_hash is the hash of the step before."""

    negotiation_id: Bytes32
    seq: Index
    prev_hash: Bytes32
    valid_until_s: Seconds
    step_signature: Signature


class Demand(Step):
    """A buyer calls for an offer; the terms are what it would like best."""

    terms_json: TermsJson
    max_rounds: Rounds


class Offer(Step):
    """A seller's first proposal."""

    terms_json: TermsJson


class Counter(Step):
    """Either side's next proposal; repeating the other's terms says that they will do."""

    terms_json: TermsJson


class Accept(Step):
    """The buyer takes the seller's last terms and signs them (EIP-712 Terms)."""

    terms_json: TermsJson
    terms_signature: Signature


class Confirm(Step):
    """The seller signs the same terms (EIP-712 Terms)."""

    terms_json: TermsJson
    terms_signature: Signature


class Decline(Step):
    """The negotiation is over without an agreement."""

    reason: Word
    detail: Text


class TrainingTask(Wire):
    """The coordinator asks an owner for statistics or for one round's update."""

    job: Bytes32
    candidate: Index
    round_index: Index
    kind: Literal["statistics", "update"]
    task_json: TaskJson
    request_json: RequestJson
    compute_agent: Address
    deadline_s: Seconds


class Update(Wire):
    """An owner's noised sum for the compute provider; no row and no count of rows."""

    job: Bytes32
    candidate: Index
    round_index: Index
    kind: Literal["statistics", "update"]
    update_nanos: PackedNanos
    signature: Signature
    """Over the owner's leaf of the round."""


class AggregateTask(Wire):
    """The coordinator asks a compute provider to open a round for these owners."""

    job: Bytes32
    candidate: Index
    round_index: Index
    kind: Literal["statistics", "update"]
    owners: Annotated[list[Address], Field(min_items=1, max_items=64)]
    task_json: TaskJson
    deadline_s: Seconds


class Leaf(Model):  # type: ignore[misc]
    """An owner, the SHA-256 of the update it sent, and its signature over that leaf of the round."""

    owner: Address
    update_digest: Sha256
    signature: Signature

    class Config:
        """Unknown fields are refused."""

        extra = "forbid"
        allow_mutation = False


class Aggregate(Wire):
    """The sum of a round, and whose updates are in it."""

    job: Bytes32
    candidate: Index
    round_index: Index
    kind: Literal["statistics", "update"]
    sum_nanos: PackedNanos
    leaves: Annotated[list[Leaf], Field(max_items=64)]
    signature: Signature
    """Over the provider's leaf of the round."""


class SignedReceipt(Wire):
    """The coordinator signs that an owner's update will stand in the round by a deadline."""

    job: Bytes32
    round_number: Index
    update_digest: Sha256
    deadline_s: Seconds
    signature: Signature


class Receipt(Wire):
    """The coordinator shows an owner that its update is in the recorded round."""

    job: Bytes32
    round_number: Index
    update_digest: Sha256
    round_root: Bytes32
    proof: Annotated[list[Bytes32], Field(max_items=16)]


class EvaluationRows(Wire):
    """Evaluation rows sealed to one drawn juror: in the message, or by digest when large."""

    case_id: Bytes32
    evaluation_root: Bytes32
    ciphertext: Base64
    artifact: OptionalSha256


class MeasuredFact(Model):  # type: ignore[misc]
    """One figure of a juror."""

    name: Word
    value_micros: Int128

    class Config:
        """Unknown fields are refused."""

        extra = "forbid"
        allow_mutation = False


class EvaluationReport(Wire):
    """A juror tells the coordinator what it revealed on chain."""

    case_id: Bytes32
    facts: Annotated[list[MeasuredFact], Field(max_items=32)]
    tx: Bytes32


MESSAGES: tuple[type[Wire], ...] = (
    Ack,
    ArtifactTicket,
    Demand,
    Offer,
    Counter,
    Accept,
    Confirm,
    Decline,
    TrainingTask,
    Update,
    AggregateTask,
    Aggregate,
    SignedReceipt,
    Receipt,
    EvaluationRows,
    EvaluationReport,
)
"""Every message, in the order in which a job needs them: later ones are sent first."""

PHASES = {message.__name__: phase for phase, message in enumerate(MESSAGES)}


DIGESTS = {message.__name__: str(Model.build_schema_digest(message)) for message in MESSAGES}


def schema_digest(message: type[Wire]) -> str:
    """Return the digest by which uAgents knows a message, ``model:`` and 64 hex digits."""
    return DIGESTS[message.__name__]


def pack_nanos(values: Sequence[int]) -> str:
    """Write integers as 16 hex digits each (two's complement), so that size tells nothing.

    Raises
    ------
    OverflowError
        If a value does not fit 64 bits.
    """
    return b"".join(value.to_bytes(8, "big", signed=True) for value in values).hex()


def unpack_nanos(packed: str) -> tuple[int, ...]:
    """Read what :func:`pack_nanos` wrote.

    Raises
    ------
    ValueError
        If the text is not whole values of 16 hex digits.
    """
    if len(packed) % VALUE_DIGITS:
        raise ValueError(f"{len(packed)} hex digits are not whole values of {VALUE_DIGITS}")
    data = bytes.fromhex(packed)
    return tuple(int.from_bytes(data[start : start + 8], "big", signed=True) for start in range(0, len(data), 8))
