"""The positive control of the leak test: an owner that sends rows instead of noised sums is caught on the wire."""

from __future__ import annotations

import base64
import random
import struct
import uuid
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import cast

import pytest
from uagents_core.envelope import Envelope
from uagents_core.identity import Identity

from agents.protocols.messages import Update, pack_nanos, schema_digest
from agents.roles.desk import Desk
from agents.roles.owner import TaskReceived, _update_of
from governance.adapters.evm import KeySigner
from tests.e2e.planted import LOWER, UPPER
from tests.leak import clipped_forms, find_leaks

SENTINELS = ("273.314159265", "231.315777298", "244.317667159")
NANOS = 10**9


def as_nanos(rows: Sequence[str]) -> list[int]:
    return [round(float(row) * NANOS) for row in rows]


def as_millionths(rows: Sequence[str]) -> list[int]:
    return [round(float(row) * 10**6) for row in rows]


def clipped_to_one(rows: Sequence[str]) -> list[int]:
    return [int((float(row) - LOWER) / (UPPER - LOWER) * NANOS) for row in rows]


def as_base64(rows: Sequence[str]) -> list[int]:
    return eights(base64.b64encode("\n".join(rows).encode()))


def as_urlsafe_base64_of_floats(rows: Sequence[str]) -> list[int]:
    return eights(base64.urlsafe_b64encode(b"".join(struct.pack("<f", float(row)) for row in rows)))


def as_float32(rows: Sequence[str]) -> list[int]:
    return eights(b"".join(struct.pack("<f", float(row)) for row in rows))


def as_float64(rows: Sequence[str]) -> list[int]:
    return eights(b"".join(struct.pack(">d", float(row)) for row in rows))


def as_text(rows: Sequence[str]) -> list[int]:
    return eights(",".join(rows).encode())


def eights(blob: bytes) -> list[int]:
    """Read any bytes as the integers of an update."""
    padded = blob + bytes(-len(blob) % 8)
    return [value for (value,) in struct.iter_unpack(">q", padded)]


@pytest.mark.parametrize(
    "alter",
    [
        as_nanos,
        as_millionths,
        clipped_to_one,
        as_base64,
        as_urlsafe_base64_of_floats,
        as_float32,
        as_float64,
        as_text,
    ],
)
def test_an_owner_that_sends_rows_is_caught(alter: Callable[[Sequence[str]], list[int]]) -> None:
    sent = on_the_wire(honest_sums() + alter(SENTINELS))

    found = find_leaks(sent, planted())

    caught = [sentinel for sentinel in SENTINELS if {leak.sentinel for leak in found} & set(forms(sentinel))]
    assert caught == list(SENTINELS)


def test_an_owner_that_sends_noised_sums_is_not_accused() -> None:
    assert find_leaks(on_the_wire(honest_sums()), planted()) == []


def on_the_wire(values: Sequence[int]) -> bytes:
    """Return the body that an owner posts for its update: packed, in its message, in a signed envelope."""
    row = TaskReceived(
        job="ab" * 32,
        round_number=3,
        candidate=0,
        round_index=2,
        kind="update",
        task_json="",
        request_json="",
        compute_agent="0x" + "00" * 20,
        update=pack_nanos(values),
    )
    identity = Identity.from_seed("a leaky owner", 0)
    envelope = Envelope(
        version=1,
        sender=identity.address,
        target=Identity.from_seed("a compute provider", 0).address,
        session=uuid.UUID(int=7, version=4),
        schema_digest=schema_digest(Update),
        expires=2**31,
    )
    envelope.encode_payload(_update_of(desk(), row).json())
    envelope.sign(identity)
    return envelope.model_dump_json().encode()


def desk() -> Desk:
    """Return what an owner signs its update with."""
    signer = KeySigner.from_secret(b"\x07" * 32)
    chain = SimpleNamespace(chain_id=7, address=lambda _contract: "0x" + "11" * 20)
    return cast("Desk", SimpleNamespace(signer=signer, address=signer.address, chain=chain))


def honest_sums() -> list[int]:
    draw = random.Random(7)
    return [round(draw.gauss(0, 4) * NANOS) for _ in range(40)]


def planted() -> list[str]:
    return [form for sentinel in SENTINELS for form in forms(sentinel)]


def forms(sentinel: str) -> list[str]:
    return clipped_forms(sentinel, lower=LOWER, upper=UPPER)
