"""By what name tasks, model cards and the audit call an organisation."""

from __future__ import annotations

from collections.abc import Iterable


def plain_name(name: str) -> str:
    """Return the ASCII letters and digits of a name, joined by dashes, e.g. ``va-long-beach``; empty if it has none."""
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in name.lower()).split())[:60]


def owner_name(name: str, number: int, earlier: Iterable[str]) -> str:
    """Return what cards call the organisation of a number, given the names of those with smaller numbers.

    That is its plain name, or e.g. ``organisation--7`` without one and ``st-anna--7`` if an earlier one has it.
    No plain name holds two dashes in a row, so no two organisations are ever called alike.
    """
    plain = plain_name(name)
    return plain if plain and plain not in map(plain_name, earlier) else f"{plain or 'organisation'}--{number}"
