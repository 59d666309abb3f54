"""Keys at rest in encrypted keystores, and in use as signers."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_typing import Hash32

from governance.domain.market import Address
from governance.errors import KeystoreUnusable

SCRYPT_WORK: Final = 1 << 13
"""Opens in .02 s instead of .57 s; the password beside it is random, so nobody guesses it."""


class KeySigner:
    """Signs with a private key that it never shows."""

    def __init__(self, account: LocalAccount) -> None:
        self._account = account

    @classmethod
    def from_secret(cls, secret: bytes) -> "KeySigner":
        """Return the signer of a 32-byte private key."""
        return cls(Account.from_key(secret))

    @property
    def address(self) -> Address:
        return str(self._account.address)

    @property
    def public_key(self) -> bytes:
        """The uncompressed public key, 64 bytes x and y."""
        return bytes(self._account._key_obj.public_key.to_bytes())  # noqa: SLF001 - eth-account has no public accessor

    def sign_digest(self, digest: bytes) -> bytes:
        return bytes(self._account.unsafe_sign_hash(Hash32(digest)).signature)

    def sign_transaction(self, transaction: Mapping[str, object]) -> bytes:
        return bytes(self._account.sign_transaction(cast("dict[str, Any]", dict(transaction))).raw_transaction)

    def __repr__(self) -> str:
        return f"KeySigner({self.address})"


def write_keystore(path: Path, secret: bytes, password: str) -> None:
    """Write an encrypted keystore (Web3 Secret Storage version 3) that only its owner can read."""
    document = Account.encrypt(secret, password, kdf="scrypt", iterations=SCRYPT_WORK)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(document))


def read_keystore(path: Path, password: str) -> bytes:
    """Return the private key of a keystore.

    Raises
    ------
    KeystoreUnusable
        If the file is missing or damaged, or the password does not open it.
    """
    try:
        return bytes(Account.decrypt(json.loads(path.read_text()), password))
    except FileNotFoundError as missing:
        raise KeystoreUnusable(f"no keystore at {path}; name another file or make one") from missing
    except (ValueError, KeyError, TypeError) as problem:
        raise KeystoreUnusable(f"the keystore {path} does not open: wrong password or damaged file") from problem


def keystore_address(path: Path) -> Address:
    """Return the address of a keystore without opening it.

    Raises
    ------
    KeystoreUnusable
        If the file is missing or damaged.
    """
    from eth_utils.address import to_checksum_address

    try:
        return to_checksum_address("0x" + str(json.loads(path.read_text())["address"]).removeprefix("0x"))
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise KeystoreUnusable(f"{path} is no keystore that can be read: {problem}") from problem
