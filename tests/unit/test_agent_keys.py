import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st
from uagents_core.identity import Identity, generate_user_address

from agents.net.errors import BadKey
from agents.net.keys import (
    canonical_address,
    evm_address_of,
    identity_from_key,
    public_key_of,
    signature_is_valid,
    uagents_address,
)
from agents.net.signing import HALF_ORDER, recover, sign_digest

ORDER = 2 * HALF_ORDER + 1
KEYS = st.integers(1, ORDER - 1).map(lambda number: number.to_bytes(32, "big"))
DIGESTS = st.binary(min_size=32, max_size=32)


@given(KEYS)
def test_one_key_has_one_identity_and_one_address(key: bytes) -> None:
    identity = identity_from_key(key)

    assert identity.private_key == key.hex()
    assert uagents_address(public_key_of(key)) == identity.address
    assert evm_address_of(identity.address) == Account.from_key(key).address


@given(KEYS, DIGESTS)
def test_signatures_of_uagents_are_valid_and_only_theirs(key: bytes, digest: bytes) -> None:
    identity = identity_from_key(key)
    signature = identity.sign_digest(digest)

    assert signature_is_valid(identity.address, digest, signature)
    assert not signature_is_valid(identity.address, digest[::-1] + b"", signature) or digest == digest[::-1]
    assert not signature_is_valid(Identity.generate().address, digest, signature)


@given(KEYS, DIGESTS)
def test_signatures_on_terms_are_those_of_ethereum(key: bytes, digest: bytes) -> None:
    signature = sign_digest(key, digest)

    assert recover(digest, signature) == Account._recover_hash(digest, signature=signature)
    assert signature == bytes(Account.unsafe_sign_hash(digest, key).signature)


def test_the_second_form_of_a_signature_is_refused() -> None:
    digest, signature = b"\x01" * 32, sign_digest(b"\x02" * 32, b"\x01" * 32)
    other_s = (ORDER - int.from_bytes(signature[32:64], "big")).to_bytes(32, "big")
    malleated = signature[:32] + other_s + bytes([27 + 28 - signature[64]])

    assert recover(digest, malleated) == ""


@pytest.mark.parametrize("signature", [b"", b"\x00" * 65, b"\xff" * 64 + b"\x1b", b"\x01" * 64 + b"\x02"])
def test_what_is_no_signature_recovers_nobody(signature: bytes) -> None:
    assert recover(b"\x01" * 32, signature) == ""


@pytest.mark.parametrize("key", [b"", b"\x00" * 32, b"\xff" * 32, b"\x01" * 31], ids=["none", "zero", "large", "short"])
def test_what_is_no_key_is_refused_without_being_shown(key: bytes) -> None:
    with pytest.raises(BadKey) as error:
        identity_from_key(key)

    assert not key or key.hex() not in str(error.value)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "agent1",
        "agent1qqqq",
        pytest.param(generate_user_address(), id="a user"),
        identity_from_key(b"\x01" * 32).address.upper(),
        "0x" + "1" * 40,
    ],
)
def test_what_is_no_canonical_agent_address_is_refused(address: str) -> None:
    with pytest.raises(BadKey):
        evm_address_of(address)
    assert not signature_is_valid(address, b"\x01" * 32, "sig1qqqq")


def test_addresses_have_one_spelling() -> None:
    address = Account.from_key(b"\x01" * 32).address

    assert canonical_address(address.lower()) == address
    with pytest.raises(BadKey):
        canonical_address("0x12")
