"""Every message on the wire, frozen: a name, a field or a docstring here is part of a digest.

uAgents identifies a message by the SHA-256 of its JSON schema, which holds class name, fields,
bounds and docstring. ``tests/golden/wire-digests.json`` pins them; whoever changes one here breaks
every older peer. The models are pydantic version 1, because uAgents' are: integers are strict,
unknown fields are refused, every size is bounded.

Sizes are constant in the number of training rows: vectors travel as 16 hex digits per value.
Times (``..._s``) are chain time in seconds.
"""

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic.v1 import ConstrainedInt, ConstrainedStr, Field
from uagents import Model


class MsgId(ConstrainedStr):
    """Deterministic id of a message, unique per sender."""

    strict = True
    max_length = 160
    regex = re.compile(r"^[A-Za-z0-9:_.-]+\Z")


class Address(ConstrainedStr):
    """EVM address."""

    strict = True
    regex = re.compile(r"^0x[0-9a-fA-F]{40}\Z")


class Bytes32(ConstrainedStr):
    """32 bytes."""

    strict = True
    regex = re.compile(r"^0x[0-9a-f]{64}\Z")


class Sha256(ConstrainedStr):
    """SHA-256 in hex."""

    strict = True
    regex = re.compile(r"^[0-9a-f]{64}\Z")


class Signature(ConstrainedStr):
    """65 bytes r, s, v."""

    strict = True
    regex = re.compile(r"^0x[0-9a-f]{130}\Z")


class Word(ConstrainedStr):
    """A code or name."""

    strict = True
    regex = re.compile(r"^[a-z0-9_]{1,64}\Z")


class Text(ConstrainedStr):
    """A short text for people."""

    strict = True
    max_length = 200


class TermsJson(ConstrainedStr):
    """Canonical JSON of terms."""

    strict = True
    max_length = 4096


class TaskJson(ConstrainedStr):
    """Canonical JSON of a task."""

    strict = True
    max_length = 16_000


class RequestJson(ConstrainedStr):
    """Canonical JSON of the model so far and its preprocessing; empty for statistics."""

    strict = True
    max_length = 16_000


class PackedNanos(ConstrainedStr):
    """Integers of 64 bits, 16 hex digits each."""

    strict = True
    max_length = 32_000
    regex = re.compile(r"^([0-9a-f]{16})*\Z")


class Base64(ConstrainedStr):
    """Bytes in base64."""

    strict = True
    max_length = 44_000
    regex = re.compile(r"^[A-Za-z0-9+/]*={0,2}\Z")


class OptionalSha256(ConstrainedStr):
    """SHA-256 in hex, or nothing."""

    strict = True
    regex = re.compile(r"^([0-9a-f]{64})?\Z")


class Index(ConstrainedInt):
    """A position, counted from zero."""

    strict = True
    ge = 0
    lt = 2**32


class Rounds(ConstrainedInt):
    """Most proposals of each side."""

    strict = True
    ge = 2
    le = 200


class Seconds(ConstrainedInt):
    """Chain time."""

    strict = True
    ge = 0
    lt = 2**63


class Int128(ConstrainedInt):
    """A figure as the chain holds it."""

    strict = True
    ge = -(2**127)
    lt = 2**127


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
    """An owner and the SHA-256 of the update it sent."""

    owner: Address
    update_digest: Sha256

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
