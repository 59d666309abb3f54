"""Addresses as people type them."""

from __future__ import annotations


def typed_address(text: str) -> str:
    """Return the checksummed address that somebody typed, or an empty string if it is none.

    Small or capital letters throughout are taken as they are; mixed ones must be right (EIP-55), which tells most
    typing errors. Nobody has the key of the zero address.
    """
    from eth_utils.address import is_address, is_checksum_address, to_checksum_address

    digits = text[2:]
    is_mixed = digits not in {digits.lower(), digits.upper()}
    if not is_address(text) or (is_mixed and not is_checksum_address(text)) or int(text, 16) == 0:
        return ""
    return str(to_checksum_address(text))
