"""The public table with unique numbers planted in a few training rows of every hospital."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from agents.training.rows import read_csv, row_of
from agents.training.scenario import RowSet, slug, split_rows
from agents.training.schema import load_schema
from folkmoot.demo.cast import DATA, SCHEMA

PER_OWNER = 3
LOWER, UPPER = 100.0, 600.0


@dataclass(frozen=True, slots=True)
class Planted:
    """A table on disk, and the numbers that must never leave each owner."""

    path: Path
    sentinels: dict[str, list[str]]
    """By the owner's folder."""


def plant(folder: Path) -> Planted:
    """Write the table with cholesterol values like 273.018264937 in training rows only."""
    records = read_csv(DATA)
    schema = load_schema(SCHEMA)
    sites: dict[str, list[int]] = {}
    for place, record in enumerate(records):
        sites.setdefault(record[schema.site], []).append(place)
    sentinels: dict[str, list[str]] = {}
    for number, (site, places) in enumerate(sorted(sites.items())):
        rows = [row_of(records[place], schema, str(place)) for place in places]
        training = {id(row) for row in split_rows(rows, schema, seed=0)[RowSet.TRAINING]}
        chosen = [place for place, row in zip(places, rows, strict=True) if id(row) in training][:PER_OWNER]
        for index, place in enumerate(chosen):
            value = f"{230 + 7 * number + index}.{314159265 + 1618033 * number + 271828 * index:09d}"
            records[place]["chol"] = value
            sentinels.setdefault(slug(site), []).append(value)
    path = folder / "planted.csv"
    with path.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, fieldnames=list(records[0]))
        writer.writeheader()
        writer.writerows(records)
    return Planted(path, sentinels)
