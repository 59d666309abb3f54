"""Moments and spans of chain time in words."""

from datetime import UTC, datetime
from typing import Final

UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def utc(moment_s: int) -> str:
    """Return a moment as ``2026-11-23 04:05 UTC``; beyond any calendar, its seconds."""
    try:
        return datetime.fromtimestamp(moment_s, tz=UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
        return f"second {moment_s}"


def span(seconds: int) -> str:
    """Return a span in its two largest units, e.g. ``4 d 23 h``; nothing below zero."""
    left = max(seconds, 0)
    parts: list[str] = []
    for size, unit in UNITS:
        count, left = divmod(left, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])


def ago(moment_s: int, now_s: int) -> str:
    """Return how long ago a moment was in chain time."""
    return "now" if now_s <= moment_s else f"{span(now_s - moment_s)} ago"
