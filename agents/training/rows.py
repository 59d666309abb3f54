"""Rows: reading an owner's CSV by its schema, and the canonical text of a row."""

import csv
import gzip
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from agents.training.canonical import Json, canonical_decimal
from agents.training.errors import DataError
from agents.training.schema import Column, ColumnType, DataSchema

Row: TypeAlias = tuple[str | None, ...]
"""Canonical cells in the order of ``DataSchema.columns``; ``None`` where the value is not known."""

MAX_BYTES = 200_000_000
MAX_ROWS = 1_000_000
TRUE_TEXTS = frozenset({"true", "t", "yes", "y", "1"})
FALSE_TEXTS = frozenset({"false", "f", "no", "n", "0"})


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read a CSV file (optionally ``.gz``) with a header line into one mapping per row.

    Raises
    ------
    DataError
        If the file is missing, too large, not UTF-8, empty, or a line has too many or few cells.
    """
    try:
        raw = path.read_bytes()
        content = _decompress(raw, path) if path.suffix == ".gz" else raw
        text = content.decode("utf-8-sig")
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: cannot be read: {reason}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
    if len(content) > MAX_BYTES:
        raise DataError(f"{path}: larger than {MAX_BYTES} bytes")
    return _records(text, path)


def load_rows(path: Path, schema: DataSchema) -> list[Row]:
    """Read an owner's CSV by its schema; columns that the schema does not name are ignored.

    Raises
    ------
    DataError
        If the file, its header or a cell does not fit; the message names line and column.
    """
    records = read_csv(path)
    missing = [column.name for column in schema.columns if column.name not in records[0]]
    if missing:
        raise DataError(
            f"{path}: the header lacks {', '.join(missing)}; rename or add columns: schema {schema.name!r} needs "
            f"{', '.join(column.name for column in schema.columns)}, separated by commas"
        )
    # Line 1 is the header, so the first row stands on line 2.
    return [row_of(record, schema, f"{path}: line {i + 2}") for i, record in enumerate(records)]


def row_of(record: Mapping[str, str], schema: DataSchema, where: str) -> Row:
    """Turn the cells of one CSV line into a canonical row."""
    return tuple(_cell(record[column.name], column, schema, where) for column in schema.columns)


def row_text(row: Row) -> bytes:
    """Return the bytes that a row's leaf commits to: a JSON list of its canonical cells.

    Cells stand in schema order, ``null`` where not known, without blanks, ASCII only, so that
    any language can write the same bytes.
    """
    return json.dumps(list(row), separators=(",", ":"), ensure_ascii=True).encode()


def parse_rows(entries: Iterable[Json], schema: DataSchema) -> list[Row]:
    """Check rows that arrived as JSON lists of cells; each must already be canonical.

    Raises
    ------
    DataError
        If a row has the wrong number of cells or a cell does not fit the schema.
    """
    rows = []
    for place, entry in enumerate(entries):
        where = f"row {place}"
        if isinstance(entry, str) or not isinstance(entry, Sequence):
            raise DataError(f"{where}: a list of cells is expected")
        if len(entry) != len(schema.columns):
            raise DataError(f"{where}: {len(entry)} cells, the schema has {len(schema.columns)}")
        rows.append(
            tuple(
                _canonical_cell(cell, column, schema, where) for cell, column in zip(entry, schema.columns, strict=True)
            )
        )
    return rows


def label_of(row: Row, schema: DataSchema) -> bool:
    """Say whether the row is positive."""
    cell = row[schema.position(schema.label.column)]
    if cell is None:
        raise DataError(f"a row has no label (column {schema.label.column!r})")
    return schema.label.positive(cell)


def group_of(row: Row, schema: DataSchema) -> str:
    """Return the row's value of the sensitive column, empty if not known or not defined."""
    return (row[schema.position(schema.sensitive)] or "") if schema.sensitive else ""


def write_rows(path: Path, rows: Iterable[Row], schema: DataSchema) -> None:
    """Write rows as a CSV that ``load_rows`` reads back unchanged; readable by its owner only."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([column.name for column in schema.columns])
    writer.writerows([cell or "" for cell in row] for row in rows)
    path.touch(mode=0o600)
    path.write_text(buffer.getvalue(), encoding="utf-8")


def _records(text: str, path: Path) -> list[dict[str, str]]:
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(lines, [])
        if not header:
            raise DataError(f"{path}: line 1 is empty; it must name the columns, separated by commas")
        if len(set(header)) != len(header):
            raise DataError(f"{path}: line 1 must name every column once, found {header[:20]}")
        records = []
        for cells in lines:
            if len(cells) != len(header):
                raise DataError(
                    f"{path}: line {lines.line_num} has {len(cells)} cells, the header has {len(header)}; "
                    f"fill or remove the line, and put quotes round a text with a comma"
                )
            records.append(dict(zip(header, cells, strict=True)))
    except csv.Error as error:
        raise DataError(f"{path}: line {lines.line_num}: not CSV: {error}") from error
    if not 1 <= len(records) <= MAX_ROWS:
        raise DataError(f"{path}: {len(records)} rows below the header; between 1 and {MAX_ROWS} are needed")
    return records


def _decompress(raw: bytes, path: Path) -> bytes:
    with gzip.open(io.BytesIO(raw)) as stream:
        # One byte more than allowed is enough to know, and a bomb stays packed.
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise DataError(f"{path}: larger than {MAX_BYTES} bytes when unpacked")
    return content


def _cell(text: str, column: Column, schema: DataSchema, where: str) -> str | None:
    text = text.strip()
    if text == "" or text in schema.missing or text in column.missing:
        _check_may_miss(column, schema, where)
        return None
    if column.type is ColumnType.CATEGORY:
        return _category(text, column, where)
    if column.type is ColumnType.BOOLEAN:
        return _boolean(text, column, where)
    try:
        number = canonical_decimal(text)
    except ValueError as error:
        raise DataError(
            f"{where}, column {column.name!r}: {text[:40]!r} is {error}; write a plain decimal "
            f"number, or list the text under missing in the schema"
        ) from error
    # "0.0" is the marker "0" too.
    if number in column.missing:
        _check_may_miss(column, schema, where)
        return None
    return number


def _check_may_miss(column: Column, schema: DataSchema, where: str) -> None:
    if column.name == schema.label.column:
        raise DataError(f"{where}, column {column.name!r}: the label is missing; leave the row out")


def _category(text: str, column: Column, where: str) -> str:
    if text not in column.values:
        raise DataError(
            f"{where}, column {column.name!r}: {text[:40]!r} is not one of {', '.join(column.values)}; "
            f"write one of these, or leave the cell empty"
        )
    return text


def _boolean(text: str, column: Column, where: str) -> str:
    if text.lower() in TRUE_TEXTS:
        return "TRUE"
    if text.lower() in FALSE_TEXTS:
        return "FALSE"
    raise DataError(
        f"{where}, column {column.name!r}: {text[:40]!r} is neither TRUE nor FALSE; write one, or leave the cell empty"
    )


def _canonical_cell(cell: Json, column: Column, schema: DataSchema, where: str) -> str | None:
    if cell is not None and not isinstance(cell, str):
        raise DataError(f"{where}, column {column.name!r}: a cell is a text or null")
    canonical = _cell(cell or "", column, schema, where)
    if canonical != cell:
        raise DataError(f"{where}, column {column.name!r}: {cell!r:.40} is not canonical")
    return canonical
