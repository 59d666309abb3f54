"""Whatever JSON a node sends, the reader raises its own errors and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from governance.adapters.evm.answers import as_bytes, as_list, as_number, as_object
from governance.adapters.evm.codebook import ArtifactCodebook
from governance.adapters.evm.interface import events_of
from governance.adapters.evm.witness import HEADER_FIELDS, _header, _receipt
from governance.services.audit.blocks import RawLog
from governance.services.audit.sources import AnswerMissing, AnswerWrong

OURS = (AnswerWrong, AnswerMissing)

hexes = st.binary(max_size=70).map(lambda raw: "0x" + raw.hex())
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | hexes
json = st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner))
headers = st.fixed_dictionaries(
    {}, optional={name: json for name, _ in HEADER_FIELDS} | {"hash": json, "transactions": json}
)
receipts = st.fixed_dictionaries(
    {},
    optional={
        "type": json,
        "status": json,
        "cumulativeGasUsed": json,
        "logsBloom": json,
        "logs": st.lists(st.fixed_dictionaries({"address": json, "topics": json, "data": json}), max_size=2),
    },
)


@given(json)
@example("0x")
@example("0x_1")
@example("0x-1")
@example("0x" + "f" * 10_000)
@example("0x١")
def test_numbers_lists_and_bytes_are_read_or_refused(value: Any) -> None:
    for read in (as_number, as_object, as_list, as_bytes):
        try:
            read(value, "here")
        except OURS:
            continue


@pytest.mark.parametrize(
    "text", ["0x", "1", "0x_1", "0x1_0", "-0x1", "0x-1", "0x 1", "0x١", "0x" + "1" * 17, 5, None, True]
)
def test_no_other_spelling_of_a_number_is_taken(text: Any) -> None:
    with pytest.raises(AnswerWrong):
        as_number(text, "here")


@given(json | headers)
def test_no_header_breaks_the_reader(value: Any) -> None:
    with pytest.raises(OURS):
        _header(value, 5)


@given(json | receipts)
def test_no_receipt_breaks_the_reader(value: Any) -> None:
    try:
        _receipt(value, "here")
    except OURS:
        return


@given(st.binary(max_size=300))
def test_no_transaction_breaks_the_reader(raw: bytes) -> None:
    try:
        assert ArtifactCodebook().creation(raw, 5) is None
    except AnswerWrong:
        return


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=4), st.binary(max_size=400), st.data())
def test_no_log_breaks_the_reader(topics: list[bytes], data: bytes, draws: st.DataObject) -> None:
    known = draws.draw(st.sampled_from(sorted(events_of("AgreementBook"))))
    log = RawLog(address="0x" + "12" * 20, topics=(known, *topics), data=data)
    try:
        ArtifactCodebook().decode("AgreementBook", log)
    except AnswerWrong:
        return


def test_text_that_is_no_utf8_survives_decoding_and_encoding() -> None:
    from eth_abi.abi import encode
    from eth_utils.crypto import keccak

    from governance.ports import Event

    broken = b"clinic \xff\xfe"
    data = encode(["bytes"], [broken])
    log = RawLog(
        address="0x" + "12" * 20,
        topics=(keccak(b"EndpointChanged(address,string)"), encode(["address"], ["0x" + "34" * 20])),
        data=data,
    )

    decoded = ArtifactCodebook().decode("AgentRegistry", log)

    assert decoded is not None
    event = Event(contract="AgentRegistry", name=decoded[0], values=decoded[1], block=1, log_index=0, transaction="0x")
    assert ArtifactCodebook().event_arguments(event) == encode(["address", "bytes"], ["0x" + "34" * 20, broken])
