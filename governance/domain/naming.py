"""By what name tasks, model cards and the audit call an organisation."""

from __future__ import annotations


def plain_name(name: str) -> str:
    """Return the ASCII letters and digits of a name, joined by dashes, e.g. ``va-long-beach``; empty if it has none."""
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in name.lower()).split())[:60]


def owner_name(name: str, number: int) -> str:
    """Return what cards call the organisation of a number: its plain name, or e.g. ``organisation-7`` without one."""
    return plain_name(name) or f"organisation-{number}"
