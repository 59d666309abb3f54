"""From canonical rows to numbers: which features a model has, and their matrix.

A numeric column is clipped to its public bounds and mapped to [−1, 1]; a boolean is −1 or 1;
a category has one feature of −1 or 1 per value but the first. What is not known is NaN in a
numeric or boolean feature; in a category it counts as the baseline.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.training.errors import DataError
from agents.training.rows import Row, group_of, label_of
from agents.training.schema import Column, ColumnType, DataSchema

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Feature:
    """One input of the linear model."""

    name: str
    """The column, or ``column=value`` for a category."""
    column: str
    value: str = ""
    """The category's value; empty for numeric and boolean columns."""


def features_of(schema: DataSchema, dropped: Sequence[str] = ()) -> tuple[Feature, ...]:
    """Return the model's features in schema order, without those of dropped columns."""
    return tuple(feature for column in schema.features if column.name not in dropped for feature in _features(column))


def numeric_columns(schema: DataSchema) -> tuple[Column, ...]:
    """Return the numeric columns but the label, in order: those with noised sums."""
    return tuple(column for column in schema.features if column.type is ColumnType.NUMERIC)


def unit_matrix(rows: Sequence[Row], schema: DataSchema, dropped: Sequence[str] = ()) -> "NDArray[np.float64]":
    """Return the rows as an array of shape (rows, features), within [−1, 1] or NaN."""
    import numpy as np

    columns = [
        values
        for column in schema.features
        if column.name not in dropped
        for values in _unit_columns(rows, column, schema.position(column.name))
    ]
    return np.array(columns, dtype=np.float64).T.reshape(len(rows), len(columns))


def labels(rows: Sequence[Row], schema: DataSchema) -> "NDArray[np.float64]":
    """Return one label per row, 1.0 if positive, shape (rows,)."""
    import numpy as np

    return np.array([label_of(row, schema) for row in rows], dtype=np.float64)


def groups(rows: Sequence[Row], schema: DataSchema) -> tuple[str, ...]:
    """Return the sensitive value of each row, empty where it is not known."""
    return tuple(group_of(row, schema) for row in rows)


def _features(column: Column) -> list[Feature]:
    if column.type is not ColumnType.CATEGORY:
        return [Feature(name=column.name, column=column.name)]
    return [Feature(name=f"{column.name}={value}", column=column.name, value=value) for value in column.values[1:]]


def _unit_columns(rows: Sequence[Row], column: Column, position: int) -> list[list[float]]:
    cells = [row[position] for row in rows]
    if column.type is ColumnType.CATEGORY:
        return [[1.0 if cell == v else -1.0 for cell in cells] for v in column.values[1:]]
    if column.type is ColumnType.BOOLEAN:
        return [[float("nan") if c is None else 1.0 if c == "TRUE" else -1.0 for c in cells]]
    lower, upper = float(column.lower), float(column.upper)
    return [[_unit(cell, lower, upper) for cell in cells]]


def _unit(cell: str | None, lower: float, upper: float) -> float:
    if cell is None:
        return float("nan")
    try:
        value = float(cell)
    except ValueError as error:
        raise DataError(f"{cell[:40]!r} is not a number") from error
    return 2 * (min(max(value, lower), upper) - lower) / (upper - lower) - 1
