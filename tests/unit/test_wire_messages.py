import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic.v1 import ValidationError
from uagents_core.models import Model

from agents.protocols.conversations import EVALUATION, NEGOTIATION, TRAINING, IllegalMessage
from agents.protocols.messages import MESSAGES, AggregateTask, Update, Wire, pack_nanos, schema_digest, unpack_nanos

GOLDEN = Path(__file__).parents[1] / "golden" / "wire-digests.json"
ZERO = "0x" + "0" * 64
UPDATE = {
    "msg_id": "a",
    "job": ZERO,
    "candidate": 0,
    "round_index": 0,
    "kind": "update",
    "update_nanos": "",
    "signature": "0x" + "0" * 130,
}
INT64 = st.integers(-(2**63), 2**63 - 1)


def test_messages_are_those_that_older_peers_know() -> None:
    found = {message.__name__: schema_digest(message) for message in MESSAGES}

    known = json.loads(GOLDEN.read_text())
    changed = sorted(name for name in {*found, *known} if found.get(name) != known.get(name))
    # Meant? Then every older peer is cut off: raise the protocol's version and write the new digests there.
    assert changed == [], f"{GOLDEN.name} holds other digests: {json.dumps(found, indent=2)}"


def test_our_digest_is_the_one_that_uagents_computes() -> None:
    assert all(schema_digest(message) == Model.build_schema_digest(message) for message in MESSAGES)


def test_every_conversation_speaks_of_messages_that_exist() -> None:
    names = {message.__name__ for message in MESSAGES}

    for conversation in (NEGOTIATION, TRAINING, EVALUATION):
        for (_, _, message), replies in conversation.table.items():
            assert {message, *replies} - {None} <= names


@pytest.mark.parametrize("role", ["buyer", "seller"])
def test_every_negotiation_can_end_from_every_state(role: str) -> None:
    states = {state for whose, state, _ in NEGOTIATION.table if whose == role}
    ends = {"agreed", "declined"}
    reached = {
        state: {
            after
            for (whose, before, _), replies in NEGOTIATION.table.items()
            if (whose, before) == (role, state)
            for after in replies.values()
        }
        for state in states
    }

    assert all(after & ends for after in reached.values())
    assert ends <= set().union(*reached.values())


def test_what_has_no_place_in_a_conversation_is_illegal() -> None:
    with pytest.raises(IllegalMessage, match="a seller in state new takes no Accept"):
        NEGOTIATION.advance("seller", "new", "Accept", reply="Confirm")
    with pytest.raises(IllegalMessage, match="Confirm is no reply to Demand"):
        NEGOTIATION.advance("seller", "new", "Demand", reply="Confirm")


@pytest.mark.parametrize(
    "change",
    [
        {"candidate": "1"},
        {"candidate": True},
        {"candidate": 1.0},
        {"candidate": -1},
        {"candidate": 2**32},
        {"job": "0x1"},
        {"job": ZERO.upper()},
        {"msg_id": 1},
        {"msg_id": "a b"},
        {"msg_id": "a\n"},
        {"msg_id": "a" * 161},
        {"kind": "rows"},
        {"update_nanos": "00"},
        {"update_nanos": "0" * 32_016},
        {"rows": 100},
        {"signature": "0x" + "0" * 128},
    ],
)
def test_a_message_takes_no_other_type_size_or_field(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Update(**{**UPDATE, **change})


def test_lists_are_bounded_and_typed() -> None:
    task = {key: value for key, value in UPDATE.items() if key not in {"update_nanos", "signature"}}
    for owners in ([], ["0x1"], ["0x" + "1" * 40] * 65):
        with pytest.raises(ValidationError):
            AggregateTask(**task, owners=owners, task_json="", deadline_s=1)


@given(st.lists(INT64, max_size=50))
def test_vectors_survive_packing(values: list[int]) -> None:
    assert unpack_nanos(pack_nanos(values)) == tuple(values)


@given(st.lists(INT64, min_size=7, max_size=7))
def test_the_size_of_an_update_tells_nothing_about_its_values(values: list[int]) -> None:
    assert len(Update(**{**UPDATE, "update_nanos": pack_nanos(values)}).json()) == len(
        Update(**{**UPDATE, "update_nanos": pack_nanos([0] * 7)}).json()
    )


def test_a_value_that_does_not_fit_is_refused() -> None:
    with pytest.raises(OverflowError):
        pack_nanos([2**63])
    with pytest.raises(ValueError, match="whole values"):
        unpack_nanos("00")


def test_messages_cannot_be_changed_after_they_were_made() -> None:
    message: Wire = Update(**UPDATE)

    with pytest.raises(TypeError):
        message.msg_id = "b"
