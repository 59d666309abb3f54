"""Signatures of an agent key over terms (EIP-712, checked on chain) and over steps of a negotiation."""

from typing import Final, Protocol

import coincurve
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from governance.domain.market import Terms
from governance.domain.signing import Domain, hash_terms

SIGNATURE_BYTES: Final = 65
STEP_TYPE: Final = "NegotiationStep(bytes32 step)"
HALF_ORDER: Final = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


class Signer(Protocol):
    """Signs for one agent and tells who signed."""

    def sign_terms(self, terms: Terms) -> bytes:
        """Return our 65 bytes over the EIP-712 digest of terms."""

    def sign_step(self, step_hash: bytes) -> bytes:
        """Return our 65 bytes over a step of a negotiation."""

    def terms_signer(self, terms: Terms, signature: bytes) -> str:
        """Return the address that signed terms, or empty when the signature is none."""

    def step_signer(self, step_hash: bytes, signature: bytes) -> str:
        """Return the address that signed a step, or empty when the signature is none."""


class KeySigner:
    """Signs with an agent key.

    Parameters
    ----------
    key
        32 bytes.
    book
        Domain of AgreementBook; steps are bound to the same chain and contract under a name of their own.
    """

    def __init__(self, key: bytes, book: Domain) -> None:
        self._key = coincurve.PrivateKey(key)
        self._book = book
        self._steps = Domain(name="Folkmoot Negotiation", chain_id=book.chain_id, contract=book.contract)

    def sign_terms(self, terms: Terms) -> bytes:
        return sign_digest(self._key.secret, hash_terms(terms, self._book))

    def sign_step(self, step_hash: bytes) -> bytes:
        return sign_digest(self._key.secret, self._step_digest(step_hash))

    def terms_signer(self, terms: Terms, signature: bytes) -> str:
        return recover(hash_terms(terms, self._book), signature)

    def step_signer(self, step_hash: bytes, signature: bytes) -> str:
        return recover(self._step_digest(step_hash), signature)

    def _step_digest(self, step_hash: bytes) -> bytes:
        return self._steps.digest(keccak(keccak(STEP_TYPE.encode()) + step_hash))


def sign_digest(key: bytes, digest: bytes) -> bytes:
    """Return r, s and v (27 or 28) over a 32-byte digest, 65 bytes; the same each time (RFC 6979)."""
    signature = coincurve.PrivateKey(key).sign_recoverable(digest, hasher=None)
    return signature[:64] + bytes([signature[64] + 27])


def recover(digest: bytes, signature: bytes) -> str:
    """Return the EIP-55 address that signed a digest; empty when the signature is none that the chain takes."""
    if len(signature) != SIGNATURE_BYTES or signature[64] not in (27, 28):
        return ""
    # The other s signs the same digest; OpenZeppelin's ECDSA refuses it, so do we (EIP-2).
    if int.from_bytes(signature[32:64]) > HALF_ORDER:
        return ""
    recoverable = signature[:64] + bytes([signature[64] - 27])
    try:
        key = coincurve.PublicKey.from_signature_and_message(recoverable, digest, hasher=None)
    except Exception:  # noqa: BLE001  # coincurve raises plain Exception for an r that is no point
        return ""
    return to_checksum_address(keccak(key.format(compressed=False)[1:])[12:])
