"""A node's address is shown without what may be a key."""

import pytest

from governance.domain.urls import without_secrets


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        ("http://127.0.0.1:8545/", "http://127.0.0.1:8545"),
        ("http://[::1]:8545", "http://[::1]:8545"),
        ("https://rpc.example/v3/0123456789abcdef", "https://rpc.example/…"),
        ("https://user:word@rpc.example", "https://rpc.example/…"),
        ("https://rpc.example?key=0123456789abcdef", "https://rpc.example/…"),
        ("https://rpc.example:port/secret", "an address that is none"),
        ("0123456789abcdef", "an address without scheme or host"),
    ],
)
def test_an_address_is_shown_without_what_may_be_a_key(url: str, shown: str) -> None:
    assert without_secrets(url) == shown
