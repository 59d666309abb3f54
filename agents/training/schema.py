"""What a table looks like: columns, missing markers, label rule, public clipping bounds."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from agents.training.canonical import (
    Document,
    Json,
    canonical_decimal,
    canonical_json,
    expect_keys,
    parse_document,
    read_integer,
    read_list,
    read_text,
    read_texts,
)
from agents.training.errors import DataError, TaskError

MAX_COLUMNS = 200
MAX_VALUES = 100


class ColumnType(StrEnum):
    """How the text of a cell is read."""

    NUMERIC = "numeric"
    BOOLEAN = "boolean"
    CATEGORY = "category"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table, label included."""

    name: str
    type: ColumnType
    lower: str = ""
    """Public lower clipping bound, a canonical decimal; numeric columns only."""
    upper: str = ""
    """Public upper clipping bound, a canonical decimal; numeric columns only."""
    values: tuple[str, ...] = ()
    """Allowed texts of a category; the first is its baseline and gets no feature."""
    missing: tuple[str, ...] = ()
    """Texts that mean "not known" in this column, e.g. ``0`` for a cholesterol."""

    def __post_init__(self) -> None:
        if self.type is ColumnType.NUMERIC and not float(self.lower or 0) < float(self.upper or 0):
            raise DataError(f"column {self.name!r}: a lower bound below an upper one is needed")
        if self.type is ColumnType.CATEGORY and not 2 <= len(set(self.values)) == len(self.values):
            raise DataError(f"column {self.name!r}: a category needs two or more different values")

    def to_json(self) -> Document:
        """Return the column as JSON."""
        return {
            "name": self.name,
            "type": self.type.value,
            "lower": self.lower,
            "upper": self.upper,
            "values": list(self.values),
            "missing": list(self.missing),
        }


@dataclass(frozen=True, slots=True)
class LabelRule:
    """Which rows are positive: above a number, or equal to a text. Exactly one is set."""

    column: str
    above: str = ""
    equals: str = ""

    def positive(self, cell: str) -> bool:
        """Say whether a canonical cell of the label column makes its row positive."""
        return float(cell) > float(self.above) if self.above else cell == self.equals

    def to_json(self) -> Document:
        """Return the rule as JSON."""
        return {"column": self.column, "above": self.above, "equals": self.equals}


@dataclass(frozen=True, slots=True)
class DataSchema:
    """The shape of a table that several owners share."""

    name: str
    version: int
    title: str
    columns: tuple[Column, ...]
    """All columns that count, label included, in the order of a canonical row."""
    label: LabelRule
    site: str = ""
    """Column of a public file that says which owner a row belongs to; not part of a row."""
    sensitive: str = ""
    """Category column whose groups the fairness facts compare; empty if there is none."""
    missing: tuple[str, ...] = ()
    """Texts that mean "not known" in every column; an empty cell always does."""

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        if len(set(names)) != len(names):
            raise DataError(f"schema {self.name!r}: a column is named twice")
        if self.label.column not in names or bool(self.label.above) == bool(self.label.equals):
            raise DataError(f"schema {self.name!r}: label needs a listed column and either above or equals")
        if self.sensitive and self.column(self.sensitive).type is not ColumnType.CATEGORY:
            raise DataError(f"schema {self.name!r}: the sensitive column must be a category")

    @property
    def features(self) -> tuple[Column, ...]:
        """All columns but the label, in order."""
        return tuple(column for column in self.columns if column.name != self.label.column)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of the schema, 64 hex digits."""
        return hashlib.sha256(canonical_json(self.to_json())).hexdigest()

    def column(self, name: str) -> Column:
        """Return the column of that name.

        Raises
        ------
        DataError
            If the schema has none.
        """
        return self.columns[self.position(name)]

    def position(self, name: str) -> int:
        """Return the place of a column in a canonical row, counted from 0."""
        for place, column in enumerate(self.columns):
            if column.name == name:
                return place
        raise DataError(f"schema {self.name!r} has no column {name!r}")

    def to_json(self) -> Document:
        """Return the schema as JSON; ``from_json`` reads it back."""
        return {
            "name": self.name,
            "version": self.version,
            "title": self.title,
            "columns": [column.to_json() for column in self.columns],
            "label": self.label.to_json(),
            "site": self.site,
            "sensitive": self.sensitive,
            "missing": list(self.missing),
        }

    @classmethod
    def from_json(cls, document: Json) -> "DataSchema":
        """Read a schema from JSON, refusing unknown keys and wrong types.

        Raises
        ------
        TaskError, DataError
            If the document is not a schema.
        """
        keys = ("name", "version", "title", "columns", "label", "site", "sensitive", "missing")
        fields = expect_keys(document, keys, "data schema")
        label = expect_keys(fields["label"], ("column", "above", "equals"), "label")
        return cls(
            name=read_text(fields, "name"),
            version=read_integer(fields, "version", minimum=1),
            title=read_text(fields, "title"),
            columns=tuple(map(_column, read_list(fields, "columns", longest=MAX_COLUMNS))),
            label=LabelRule(
                column=read_text(label, "column"),
                above=_decimal(label["above"], "label: above"),
                equals=read_text(label, "equals"),
            ),
            site=read_text(fields, "site"),
            sensitive=read_text(fields, "sensitive"),
            missing=read_texts(fields, "missing"),
        )


def parse_schema(text: str | bytes) -> DataSchema:
    """Read a schema from its JSON text."""
    return DataSchema.from_json(parse_document(text, "data schema"))


def load_schema(path: Path) -> DataSchema:
    """Read a schema from a YAML file.

    Raises
    ------
    DataError
        If the file cannot be read or is not a schema; the message names file and place.
    """
    import yaml

    try:
        content: Json = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        # ValueError: bytes that are no text, and dates that are none, such as 2026-13-45.
        raise DataError(f"{path}: cannot be read as a YAML schema: {error}") from error
    try:
        return DataSchema.from_json(_with_defaults(content))
    except (TaskError, DataError) as error:
        raise DataError(f"{path}: {error}") from error


def _with_defaults(content: Json) -> Json:
    if not isinstance(content, Mapping):
        return content
    top: dict[str, Json] = {"version": 1, "title": "", "site": "", "sensitive": "", "missing": []}
    top |= content
    columns, label = content.get("columns"), content.get("label")
    if isinstance(columns, Sequence) and not isinstance(columns, str):
        top["columns"] = [_column_with_defaults(column) for column in columns]
    if isinstance(label, Mapping):
        top["label"] = {"above": "", "equals": ""} | {k: _as_text(v) for k, v in label.items()}
    return top


def _column_with_defaults(column: Json) -> Json:
    if not isinstance(column, Mapping):
        return column
    full: dict[str, Json] = {"lower": "", "upper": "", "values": [], "missing": []}
    full |= {key: _as_text(value) for key, value in column.items()}
    return full


def _as_text(value: Json) -> Json:
    # YAML reads 25 and 2.5 as numbers; a schema holds them as decimal texts.
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _column(document: Json) -> Column:
    keys = ("name", "type", "lower", "upper", "values", "missing")
    fields = expect_keys(document, keys, "column")
    name = read_text(fields, "name")
    kind = read_text(fields, "type")
    if kind not in list(ColumnType):
        raise DataError(f"column {name!r}: type {kind!r} is not one of {[*map(str, ColumnType)]}")
    return Column(
        name=name,
        type=ColumnType(kind),
        lower=_decimal(fields["lower"], f"column {name!r}: lower"),
        upper=_decimal(fields["upper"], f"column {name!r}: upper"),
        values=read_texts(fields, "values")[:MAX_VALUES],
        missing=read_texts(fields, "missing"),
    )


def _decimal(value: Json, what: str) -> str:
    if value == "":
        return ""
    try:
        return canonical_decimal(str(value))
    except ValueError as error:
        raise DataError(f"{what}: {value!r} is {error}") from error
