from decimal import Decimal
from enum import IntEnum

import pytest

from governance.domain.record import canonical_json, parse_canonical_json, record_digest
from governance.errors import RecordError


class Colour(IntEnum):
    RED = 1


def test_equal_records_have_equal_bytes_whatever_the_order():
    first = canonical_json({"b": 1, "a": {"d": True, "c": "é"}})
    second = canonical_json({"a": {"c": "é", "d": True}, "b": 1})

    assert first == second == b'{"a":{"c":"\\u00e9","d":true},"b":1}'


def test_digest_is_the_sha256_of_the_canonical_bytes():
    # printf '{"a":1}' | sha256sum
    expected = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"

    assert record_digest({"a": 1}).hex() == expected


@pytest.mark.parametrize("value", [0.5, None, Decimal(1), b"x", {1, 2}, Colour.RED])
def test_what_has_no_canonical_form_is_refused_with_its_place(value):
    with pytest.raises(RecordError, match=r"\$\.outer\[1\]"):
        canonical_json({"outer": [1, value]})


def test_key_that_is_no_string_is_refused():
    with pytest.raises(RecordError, match="key 1"):
        canonical_json({1: "one"})


def test_deep_nesting_is_refused_before_it_exhausts_the_stack():
    record = []
    for _ in range(100):
        record = [record]

    with pytest.raises(RecordError, match="nested"):
        canonical_json(record)


@pytest.mark.parametrize(
    "data",
    [
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b'{"a":1,"a":1}',
        b'{"a":1.0}',
        b'"\xc3\xa9"',
        b"NaN",
        b"{",
        b"[" * 100_000,
        b"1" * 5_000,
        b"\xff",
    ],
)
def test_bytes_with_a_second_spelling_are_refused(data):
    with pytest.raises(RecordError):
        parse_canonical_json(data)
