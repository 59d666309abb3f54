import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.net.errors import SealError
from agents.net.sealed import Binding, generate_sealing_key, open_sealed, seal, sealing_public_key
from tests.unit.desk_cases import BUYER_KEY, SELLER_KEY, address_of

OWNER, JUROR = address_of(SELLER_KEY), address_of(BUYER_KEY)
BINDING = Binding(b"\x01" * 32, OWNER, JUROR)
KEY = generate_sealing_key()


@given(st.binary(max_size=2000))
def test_the_recipient_opens_what_was_sealed(plaintext: bytes) -> None:
    box = seal(plaintext, recipient_key=sealing_public_key(KEY), binding=BINDING)

    assert open_sealed(box, private_key=KEY, binding=BINDING) == plaintext
    assert len(box) == len(plaintext) + 49


def test_equal_rows_give_different_boxes() -> None:
    one, other = (seal(b"row", recipient_key=sealing_public_key(KEY), binding=BINDING) for _ in range(2))

    assert one != other


@pytest.mark.parametrize(
    "binding",
    [Binding(b"\x02" * 32, OWNER, JUROR), Binding(b"\x01" * 32, JUROR, JUROR), Binding(b"\x01" * 32, OWNER, OWNER)],
    ids=["case", "sender", "recipient"],
)
def test_a_box_opens_under_no_other_binding(binding: Binding) -> None:
    box = seal(b"row", recipient_key=sealing_public_key(KEY), binding=BINDING)

    with pytest.raises(SealError, match="does not open"):
        open_sealed(box, private_key=KEY, binding=binding)


def test_nobody_else_opens_a_box() -> None:
    box = seal(b"row", recipient_key=sealing_public_key(KEY), binding=BINDING)

    with pytest.raises(SealError):
        open_sealed(box, private_key=generate_sealing_key(), binding=BINDING)


@given(st.integers(0, 51), st.integers(1, 255))
def test_any_altered_byte_is_noticed(place: int, change: int) -> None:
    box = bytearray(seal(b"row", recipient_key=sealing_public_key(KEY), binding=BINDING))
    box[place] ^= change

    # The top bit of an X25519 point is ignored (RFC 7748 section 5), but it is part of the derivation.
    with pytest.raises(SealError):
        open_sealed(bytes(box), private_key=KEY, binding=BINDING)


@pytest.mark.parametrize("key", [bytes(32), b"\x01" + bytes(31), b"short"], ids=["zero", "low-order", "short"])
def test_a_key_that_gives_everybody_the_same_secret_is_refused(key: bytes) -> None:
    with pytest.raises(SealError, match="no usable X25519 key"):
        seal(b"row", recipient_key=key, binding=BINDING)


def test_a_case_is_named_by_32_bytes() -> None:
    with pytest.raises(SealError, match="32 bytes"):
        seal(b"row", recipient_key=sealing_public_key(KEY), binding=Binding(b"\x01", OWNER, JUROR))
