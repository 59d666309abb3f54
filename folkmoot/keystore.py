"""Encrypted key files of a home, readable by any Ethereum wallet (Web3 Secret Storage v3)."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from folkmoot.files import storage_errors, write_atomically
from folkmoot.home import Home
from folkmoot.settings import Settings
from governance.errors import KeystoreUnusable

if TYPE_CHECKING:
    from governance.adapters.evm.keys import KeySigner

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Keystore:
    """Keys of one folder, each named in small letters, digits, dots and dashes."""

    folder: Path
    password: str

    def create(self, name: str, *, private_key: bytes | None = None) -> str:
        """Make a key (or take ``private_key``), encrypt it, and return its address.

        Raises
        ------
        KeystoreUnusable
            If the name is taken: a key is never overwritten.
        """
        from governance.adapters.evm.keys import KeySigner, write_keystore

        path = self._path(name)
        if path.exists():
            raise KeystoreUnusable(f"the key {name!r} is already in {self.folder}; choose another")
        secret = private_key or secrets.token_bytes(32)
        unfinished = path.with_suffix(".unfinished")
        with storage_errors(path):
            write_keystore(unfinished, secret, self.password)
            unfinished.replace(path)
        return KeySigner.from_secret(secret).address

    def ensure(self, name: str) -> str:
        """Return the address of ``name``, making the key if it is not there."""
        return self.address(name) if self._path(name).exists() else self.create(name)

    def address(self, name: str) -> str:
        """Return the checksummed address of ``name`` without decrypting the key."""
        from eth_utils.address import to_checksum_address

        path = self._known(name)
        try:
            sealed = json.loads(path.read_text())
            return str(to_checksum_address("0x" + str(sealed["address"]).removeprefix("0x")))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise KeystoreUnusable(f"{path} is not a keystore file: {error}") from error

    def signer(self, name: str) -> KeySigner:
        """Decrypt ``name`` and return what signs with it.

        Raises
        ------
        KeystoreUnusable
            If the key is missing or the password is not its password.
        """
        from governance.adapters.evm.keys import KeySigner, read_keystore

        return KeySigner.from_secret(read_keystore(self._known(name), self.password))

    def names(self) -> tuple[str, ...]:
        """Return the names of all keys, sorted."""
        return tuple(sorted(path.stem for path in self.folder.glob("*.json")))

    def _known(self, name: str) -> Path:
        path = self._path(name)
        if not path.exists():
            known = ", ".join(self.names()) or "none"
            raise KeystoreUnusable(f"no key {name!r} in {self.folder}; there are: {known}")
        return path

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise KeystoreUnusable(f"{name!r} is no key name: use small letters, digits, . _ -")
        return self.folder / f"{name}.json"


def open_keystore(home: Home, settings: Settings, *, folder: Path | None = None) -> Keystore:
    """Open the keystore of a home (or of ``folder``, for an agent with its own keys).

    The password is the first line of FOLKMOOT_PASSWORD_FILE, else of ``keys/password`` in the
    home, which is made (mode 0600) when it is missing.
    """
    path = settings.password_file or home.keys / "password"
    if settings.password_file is None and not path.exists():
        write_atomically(path, secrets.token_urlsafe(32) + "\n", mode=0o600)
    with storage_errors(path):
        lines = path.read_text().splitlines()
    if not lines or not lines[0]:
        raise KeystoreUnusable(f"the password file {path} is empty")
    return Keystore(folder or home.keys, lines[0])
