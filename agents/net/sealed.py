"""Rows sealed to one juror: X25519, HKDF-SHA256, ChaCha20-Poly1305.

The construction is that of ECIES with an ephemeral key (RFC 7748 section 6.1 for the agreement,
RFC 5869 for the derivation, RFC 8439 for the cipher). The key is used once, so the nonce is fixed.
Box: 1 byte version, 32 bytes ephemeral public key, ciphertext with its 16-byte tag.
"""

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from agents.net.errors import SealError
from agents.net.keys import canonical_address

VERSION = b"\x01"
KEY_BYTES = 32
TAG_BYTES = 16
NONCE = bytes(12)
LABEL = b"folkmoot sealed rows v1"


@dataclass(frozen=True, slots=True)
class Binding:
    """What a box is about; it opens under no other case, sender or recipient."""

    case_id: bytes
    """32 bytes, the case at the court."""
    sender: str
    """EVM address of the owner's agent."""
    recipient: str
    """EVM address of the juror's agent."""

    def encode(self) -> bytes:
        """Return the bytes that are authenticated: 32 of the case, 20 of each address."""
        if len(self.case_id) != KEY_BYTES:
            raise SealError(f"a case id has {KEY_BYTES} bytes, not {len(self.case_id)}")
        addresses = (canonical_address(self.sender), canonical_address(self.recipient))
        return self.case_id + b"".join(bytes.fromhex(address[2:]) for address in addresses)


def generate_sealing_key() -> bytes:
    """Return a fresh X25519 private key of 32 bytes."""
    return X25519PrivateKey.generate().private_bytes_raw()


def sealing_public_key(private_key: bytes) -> bytes:
    """Return the public key of 32 bytes that AgentRegistry holds as ``encryptionKey``."""
    return _private(private_key).public_key().public_bytes_raw()


def seal(plaintext: bytes, *, recipient_key: bytes, binding: Binding) -> bytes:
    """Return a box that only the holder of ``recipient_key`` opens, 49 bytes longer.

    Raises
    ------
    SealError
        If the recipient's key is not 32 bytes, or of low order.
    """
    ephemeral = X25519PrivateKey.generate()
    public = ephemeral.public_key().public_bytes_raw()
    key = _derive(ephemeral, recipient_key, public + recipient_key)
    return VERSION + public + ChaCha20Poly1305(key).encrypt(NONCE, plaintext, binding.encode())


def open_sealed(box: bytes, *, private_key: bytes, binding: Binding) -> bytes:
    """Return what was sealed to us under this binding.

    Raises
    ------
    SealError
        If the box is for another recipient, case or sender, or was altered.
    """
    if box[:1] != VERSION or len(box) < 1 + KEY_BYTES + TAG_BYTES:
        raise SealError("this is no sealed box of version 1")
    public, ciphertext = box[1 : 1 + KEY_BYTES], box[1 + KEY_BYTES :]
    mine = _private(private_key)
    key = _derive(mine, public, public + mine.public_key().public_bytes_raw())
    try:
        return ChaCha20Poly1305(key).decrypt(NONCE, ciphertext, binding.encode())
    except InvalidTag as error:
        raise SealError("the box does not open: it is for another recipient, case or sender, or was altered") from error


def _derive(mine: X25519PrivateKey, theirs: bytes, transcript: bytes) -> bytes:
    try:
        shared = mine.exchange(X25519PublicKey.from_public_bytes(theirs))
    except ValueError as error:  # wrong length, or a point that gives everybody the same secret
        raise SealError("the other side's encryption key is no usable X25519 key") from error
    # Both public keys in the derivation: another pair with the same secret has another key.
    derivation = HKDF(hashes.SHA256(), length=KEY_BYTES, salt=None, info=LABEL + transcript)
    return derivation.derive(shared)


def _private(private_key: bytes) -> X25519PrivateKey:
    try:
        return X25519PrivateKey.from_private_bytes(private_key)
    except ValueError as error:
        raise SealError(f"an X25519 key has {KEY_BYTES} bytes") from error
