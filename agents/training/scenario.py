"""Splitting a table once, before anything is trained: training, evaluation, reserved.

The split is drawn by hashing, so that it is the same for a seed in every version of every
library. The demonstration's seed was fixed at 0 before any model was trained on it.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from agents.training.canonical import Document
from agents.training.commitment import SaltedRows, SaltSource, system_salts, write_salts
from agents.training.errors import DataError
from agents.training.rows import Row, group_of, label_of, load_rows, read_csv, row_of, write_rows
from agents.training.schema import DataSchema
from governance.domain.naming import plain_name


class RowSet(StrEnum):
    """What a row is for; a row is in exactly one set, for ever."""

    TRAINING = "training"
    EVALUATION = "evaluation"
    RESERVED = "reserved"


SHARE_PERCENT: Mapping[RowSet, int] = {
    RowSet.TRAINING: 60,
    RowSet.EVALUATION: 30,
    RowSet.RESERVED: 10,
}


@dataclass(frozen=True, slots=True)
class CommittedRows:
    """One file of rows and the root that commits to it."""

    path: Path
    rows: int
    root: bytes
    """Merkle root over salted leaves, 32 bytes; all zero if there is no row."""

    def to_json(self) -> Document:
        """Return file name, number of rows and root as JSON."""
        return {"file": self.path.name, "rows": self.rows, "root": "0x" + self.root.hex()}


@dataclass(frozen=True, slots=True)
class OwnerData:
    """The directory of one owner: three CSV files, each with its salts beside it."""

    name: str
    """As in the site column, e.g. ``VA Long Beach``."""
    slug: str
    """Name of the directory, e.g. ``va-long-beach``."""
    directory: Path
    training: CommittedRows
    evaluation: CommittedRows
    reserved: CommittedRows

    def to_json(self) -> Document:
        """Return what may be published: names, numbers of rows, roots."""
        return {
            "name": self.name,
            "slug": self.slug,
            "training": self.training.to_json(),
            "evaluation": self.evaluation.to_json(),
            "reserved": self.reserved.to_json(),
        }


def build(
    csv: Path,
    schema: DataSchema,
    out_dir: Path,
    *,
    seed: int = 0,
    salts: SaltSource = system_salts,
) -> tuple[OwnerData, ...]:
    """Split a public CSV by its site column into one directory per owner.

    Within each owner rows are stratified by label and sensitive group: 60 % training,
    30 % evaluation, 10 % reserved for later jobs, each stratum rounded half up.

    Parameters
    ----------
    csv
        A CSV file, optionally ``.gz``, with the schema's columns and its site column.
    schema
        The table's schema; ``schema.site`` must be set.
    out_dir
        Directory that is made and gets one sub-directory per owner.
    seed
        Draws the split; the same seed gives the same files.
    salts
        Where the rows' secret salts come from: ``system_salts``, or ``seeded_salts(seed)`` for
        a demonstration that must come out the same twice.

    Returns
    -------
    tuple of OwnerData
        In alphabetical order of the owners' names.

    Raises
    ------
    DataError
        If the file does not fit the schema, or a directory cannot be written or is not empty.
    """
    by_site: dict[str, list[Row]] = defaultdict(list)
    for place, record in enumerate(read_csv(csv)):
        where = f"{csv}: line {place + 2}"
        by_site[_site_of(record, schema, where)].append(row_of(record, schema, where))
    return tuple(
        _write_owner(site, rows, schema, _Target(out_dir, seed=seed, salts=salts))
        for site, rows in sorted(by_site.items())
    )


def prepare_owner(
    csv: Path,
    schema: DataSchema,
    out_dir: Path,
    *,
    name: str,
    salts: SaltSource = system_salts,
    seed: int = 0,
) -> OwnerData:
    """Split an operator's own CSV as ``build`` does; no site column is needed."""
    target = _Target(out_dir, seed=seed, salts=salts)
    return _write_owner(name, load_rows(csv, schema), schema, target)


def split_rows(rows: Sequence[Row], schema: DataSchema, *, seed: int) -> dict[RowSet, tuple[Row, ...]]:
    """Split the rows of one owner, stratified by label and sensitive group."""
    strata: dict[tuple[bool, str], list[tuple[bytes, Row]]] = defaultdict(list)
    for place, row in enumerate(rows):
        draw = hashlib.sha256(f"folkmoot split|{seed}|{place}".encode()).digest()
        strata[label_of(row, schema), group_of(row, schema)].append((draw, row))
    split: dict[RowSet, list[tuple[bytes, Row]]] = {row_set: [] for row_set in RowSet}
    for stratum in strata.values():
        stratum.sort()
        evaluation = _share(len(stratum), RowSet.EVALUATION)
        reserved = evaluation + _share(len(stratum), RowSet.RESERVED)
        split[RowSet.EVALUATION] += stratum[:evaluation]
        split[RowSet.RESERVED] += stratum[evaluation:reserved]
        split[RowSet.TRAINING] += stratum[reserved:]
    # In the order of the draw: a file sorted by label would say what its salts hide.
    return {row_set: tuple(row for _, row in sorted(drawn)) for row_set, drawn in split.items()}


def slug(name: str) -> str:
    """Return a directory name for an owner's name, e.g. ``va-long-beach``."""
    plain = plain_name(name)
    if not plain:
        raise DataError(f"{name!r} has no letter or digit to name a directory by")
    return plain


@dataclass(frozen=True, slots=True)
class _Target:
    directory: Path
    seed: int
    salts: SaltSource


def _share(rows: int, row_set: RowSet) -> int:
    return (2 * rows * SHARE_PERCENT[row_set] + 100) // 200


def _site_of(record: Mapping[str, str], schema: DataSchema, where: str) -> str:
    if schema.site not in record or not record[schema.site].strip():
        raise DataError(f"{where}: no site column {schema.site!r}, so the owner is not known")
    missing = [column.name for column in schema.columns if column.name not in record]
    if missing:
        raise DataError(f"{where}: the header lacks {missing}")
    return record[schema.site].strip()


def _write_owner(name: str, rows: Sequence[Row], schema: DataSchema, target: _Target) -> OwnerData:
    split = split_rows(rows, schema, seed=target.seed)
    directory = target.directory / slug(name)
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if any(directory.iterdir()):
            raise DataError(f"{directory} is not empty; rows are split once, so choose another")
        files = {
            row_set: _write_set(directory / f"{row_set.value}.csv", drawn, schema, target.salts)
            for row_set, drawn in split.items()
        }
    except OSError as error:
        raise DataError(f"{directory} cannot be written: {error}") from error
    return OwnerData(
        name=name,
        slug=directory.name,
        directory=directory,
        training=files[RowSet.TRAINING],
        evaluation=files[RowSet.EVALUATION],
        reserved=files[RowSet.RESERVED],
    )


def _write_set(path: Path, rows: tuple[Row, ...], schema: DataSchema, salts: SaltSource) -> CommittedRows:
    name = f"{path.parent.name}/{path.stem}"
    salted = SaltedRows(rows=rows, salts=tuple(salts(name, i) for i in range(len(rows))))
    write_rows(path, rows, schema)
    write_salts(path, salted.salts)
    return CommittedRows(path=path, rows=len(rows), root=salted.root if rows else bytes(32))
