"""Events as files: the same columns as CSV and as JSON."""

import csv
import io
import json
from collections.abc import Iterable
from typing import Final

from dashboard.entries import Entry

COLUMNS: Final = ("block", "log_index", "time_s", "contract", "event", "subject", "transaction", "values")
EXACT_IN_JAVASCRIPT: Final = 2**53
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


def told(entry: Entry) -> str:
    """Return the values of an event on one line."""
    return ", ".join(f"{name}={_short_text(value)}" for name, value in entry.values.items())


def as_json(entries: Iterable[Entry]) -> str:
    """Return events as JSON; integers that a JavaScript reader would round are written as strings."""
    return json.dumps([_row(entry) for entry in entries], indent=1)


def as_csv(entries: Iterable[Entry]) -> str:
    """Return events as CSV, values as JSON; a cell that a spreadsheet would run as a formula is quoted."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for entry in entries:
        row = _row(entry)
        writer.writerow(_inert(json.dumps(row[name]) if name == "values" else row[name]) for name in COLUMNS)
    return out.getvalue()


def _row(entry: Entry) -> dict[str, object]:
    return {
        "block": entry.block,
        "log_index": entry.log_index,
        "time_s": entry.time_s,
        "contract": entry.contract,
        "event": entry.name,
        "subject": entry.subject,
        "transaction": entry.transaction,
        "values": _exact(dict(entry.values)),
    }


def _exact(value: object) -> object:
    if isinstance(value, dict):
        return {key: _exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_exact(item) for item in value]
    if isinstance(value, int) and abs(value) >= EXACT_IN_JAVASCRIPT:
        return str(value)
    return value


def _inert(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell


def _short_text(value: object) -> str:
    text = json.dumps(value) if isinstance(value, list) else str(value)
    return text if len(text) <= 48 else f"{text[:18]}…"
