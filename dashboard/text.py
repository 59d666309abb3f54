"""Text of strangers and long digests, made fit to be shown."""

import unicodedata
from typing import Final

from eth_utils.address import to_checksum_address

DIGEST_CHARACTERS: Final = 8
NAME_CHARACTERS: Final = 60
LONG_CHARACTERS: Final = 20_000
REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


def clean(text: str, limit: int = NAME_CHARACTERS) -> str:
    """Return a stranger's text on one line, without invisible or direction-changing characters, capped.

    Whatever Unicode calls a control, a format character (all bidirectional controls and zero-width
    characters are), a surrogate, private or unassigned becomes U+FFFD, so that tampering stays visible.
    It is safe for ``st.text`` and ``st.code`` only: Markdown in it is left alone.
    """
    return " ".join(clean_lines(text, limit).split())


def clean_lines(text: str, limit: int = LONG_CHARACTERS) -> str:
    """Return a stranger's text with its line ends, else as ``clean`` does."""
    cut = text[:limit]
    shown = "".join(_visible(character) for character in cut)
    return f"{shown}…" if len(text) > limit else shown


def is_suspicious(text: str) -> bool:
    """Say whether a text hides characters or mixes alphabets, as look-alikes of a known name do."""
    hidden = any(_visible(character) == REPLACEMENT for character in text)
    alphabets = {unicodedata.name(c, "").split(" ")[0] for c in text if c.isalpha()}
    return hidden or len(alphabets & {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"}) > 1


def short(digest: str) -> str:
    """Return the first eight characters of a hash, address or id, without the 0x."""
    return digest.removeprefix("0x")[:DIGEST_CHARACTERS]


def short_number(number: int) -> str:
    """Return the first eight digits of a proposal's id, as the command line names it."""
    return str(number)[:DIGEST_CHARACTERS]


def quote(text: str, limit: int = NAME_CHARACTERS) -> str:
    """Return a stranger's name in quotation marks, so that it cannot pose as part of a sentence."""
    inner = clean(text, limit).replace("“", "'").replace("”", "'")
    return f"“{inner}”"


def escape(text: str) -> str:
    """Return text in which nothing is Markdown to Streamlit, for labels that cannot be plain."""
    return "".join(f"\\{character}" if character in _MARKDOWN else character for character in text)


def _visible(character: str) -> str:
    if character in "\n\t":
        return character
    return REPLACEMENT if unicodedata.category(character)[0] == "C" else character


_MARKDOWN: Final = frozenset("\\`*_{}[]()<>#+-.!|~:$&^=@/'\"")


def credits_text(amount_e18: int) -> str:
    """Return an amount of credit, exact, without trailing zeros."""
    whole, fraction = divmod(amount_e18, 10**18)
    digits = f"{fraction:018d}".rstrip("0")
    number = f"{whole:,}" + (f".{digits}" if digits else "")
    return f"{number} credit" if amount_e18 == 10**18 else f"{number} credits"


def whole(value: object) -> int:
    """Return a number of the calldata."""
    return int(str(value))


def hexed(value: object) -> str:
    """Return bytes or an address of the calldata as 0x hex."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return to_checksum_address(str(value))
