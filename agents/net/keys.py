"""One secp256k1 key, three faces: uAgents identity, ``agent1…`` address, EVM address."""

import hashlib

import coincurve
import ecdsa  # type: ignore[import-untyped]
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from eth_utils.address import is_address, to_checksum_address
from eth_utils.crypto import keccak
from uagents_core.identity import Identity, _decode_bech32, _encode_bech32

from agents.net.errors import BadKey

KEY_BYTES = 32
PUBLIC_KEY_BYTES = 64


def identity_from_key(key: bytes) -> Identity:
    """Return the uAgents identity whose signing key is exactly ``key``.

    uAgents derives keys from a seed string by one SHA-256; with the key itself the address
    that signs envelopes is the address that the chain knows.

    Parameters
    ----------
    key
        32 bytes, a secp256k1 private key.

    Raises
    ------
    BadKey
        If the bytes are no such key; the message never holds them.
    """
    if len(key) != KEY_BYTES:
        raise BadKey(f"an agent key has {KEY_BYTES} bytes, not {len(key)}")
    try:
        coincurve.PrivateKey(key)
    except ValueError as error:
        raise BadKey("these 32 bytes are no secp256k1 private key") from error
    return Identity(ecdsa.SigningKey.from_string(key, curve=ecdsa.SECP256k1, hashfunc=hashlib.sha256))


def public_key_of(key: bytes) -> bytes:
    """Return the 64 bytes X and Y of the public key that belongs to a private key."""
    if len(key) != KEY_BYTES:
        raise BadKey(f"an agent key has {KEY_BYTES} bytes, not {len(key)}")
    return coincurve.PrivateKey(key).public_key.format(compressed=False)[1:]


def uagents_address(public_key_xy: bytes) -> str:
    """Return the ``agent1…`` address of a public key.

    Parameters
    ----------
    public_key_xy
        64 bytes, X and Y, as AgentRegistry holds them.

    Raises
    ------
    BadKey
        If the bytes are no point of secp256k1.
    """
    return str(_encode_bech32("agent", _point(b"\x04" + public_key_xy).format(compressed=True)))


def evm_address_of_public_key(public_key_xy: bytes) -> str:
    """Return the EIP-55 address of a public key of 64 bytes."""
    if len(public_key_xy) != PUBLIC_KEY_BYTES:
        raise BadKey(f"a public key has {PUBLIC_KEY_BYTES} bytes, not {len(public_key_xy)}")
    return to_checksum_address(keccak(public_key_xy)[12:])


def evm_address_of(agent_address: str) -> str:
    """Return the EIP-55 address of the key behind an ``agent1…`` address, offline.

    Raises
    ------
    BadKey
        If the text is not the one canonical address of a secp256k1 key.
    """
    return evm_address_of_public_key(_point_of(agent_address).format(compressed=False)[1:])


def canonical_address(address: str) -> str:
    """Return an EVM address in its EIP-55 form.

    Raises
    ------
    BadKey
        If the text is no address.
    """
    if not is_address(address):
        raise BadKey(f"{address[:60]!r} is no EVM address")
    return to_checksum_address(address)


def signature_is_valid(agent_address: str, digest: bytes, signature: str) -> bool:
    """Say whether ``signature`` (``sig1…``) is the agent's over a 32-byte digest.

    Accepts both forms of s, as uAgents signs both. About four times faster than the pure-Python
    curve of uAgents, so that a flood of forgeries costs us little.
    """
    try:
        prefix, data = _decode_bech32(signature)
        point = _point_of(agent_address)
    except ValueError:
        return False
    if prefix != "sig" or len(data) != 64:
        return False
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), point.format())
    pair = encode_dss_signature(int.from_bytes(data[:32]), int.from_bytes(data[32:]))
    try:
        key.verify(pair, digest, ec.ECDSA(Prehashed(hashes.SHA256())))
    except InvalidSignature:
        return False
    return True


def _point_of(agent_address: str) -> coincurve.PublicKey:
    try:
        prefix, data = _decode_bech32(agent_address)
    except ValueError as error:
        raise BadKey(f"{agent_address[:80]!r} is no agent address") from error
    if prefix != "agent" or len(data) != 33:
        raise BadKey(f"{agent_address[:80]!r} is no agent address")
    point = _point(data)
    # Bech32 also accepts capitals; two spellings of one sender would be two senders.
    if _encode_bech32("agent", point.format(compressed=True)) != agent_address:
        raise BadKey(f"{agent_address[:80]!r} is not written the canonical way")
    return point


def _point(encoded: bytes) -> coincurve.PublicKey:
    try:
        return coincurve.PublicKey(encoded)
    except ValueError as error:
        raise BadKey("these bytes are no point of secp256k1") from error
