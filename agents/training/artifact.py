"""The artifact: a scikit-learn pipeline that predicts from raw columns, as skops bytes.

Never pickle. The bytes are a pure function of the model's integers and of the versions of
scikit-learn, skops and numpy, which stand on the model card, so jurors and auditors rebuild
the file and compare digests. skops names objects by their memory address and stamps its zip
with the time; both are replaced.
"""

import hashlib
import io
import json
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from agents.training.canonical import Document, Json
from agents.training.errors import DataError, TaskError
from agents.training.pipeline import fitted_pipeline
from agents.training.preprocessing import Preprocessing
from agents.training.rows import Row
from agents.training.schema import Column, ColumnType, DataSchema

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_ARTIFACT_BYTES = 2_000_000
MAX_MEMBERS = 500
TRUSTED_TYPES = ("numpy.dtype",)
"""The one type beyond skops's own list that an imputer needs; a dtype runs no code."""
PACKAGES = ("scikit-learn", "skops", "numpy")


class Estimator(Protocol):
    """What we ask of a loaded model."""

    def decision_function(self, table: "NDArray[np.object_]") -> "NDArray[np.float64]":
        """Return one score per row, positive for the positive class."""


def content_address(artifact: bytes) -> str:
    """Return the SHA-256 of the artifact, 64 hex digits: its name everywhere."""
    return hashlib.sha256(artifact).hexdigest()


def build_artifact(
    weights_nanos: Sequence[int],
    schema: DataSchema,
    preprocessing: Preprocessing,
    *,
    dropped: Sequence[str] = (),
) -> bytes:
    """Build the artifact of a trained model.

    The pipeline takes a table with all feature columns of the schema in order (see
    ``raw_table``), imputes the mean, clips to the public bounds, standardises, and scores by
    logistic regression. Columns in ``dropped`` are ignored.

    Parameters
    ----------
    weights_nanos
        Intercept first, then one weight per feature of ``features_of(schema, dropped)``.
    schema
        Shape of the table.
    preprocessing
        Means and scales from the noised sums.
    dropped
        Columns that the model does not see.

    Raises
    ------
    TaskError
        If the number of weights does not fit.
    """
    import skops.io

    pipeline = fitted_pipeline(weights_nanos, schema, preprocessing, dropped=dropped)
    return _settle(skops.io.dumps(pipeline))


def load_artifact(artifact: bytes) -> Estimator:
    """Load an artifact, refusing every type that skops does not trust.

    Raises
    ------
    TaskError
        If it is too large, not a skops file, holds an untrusted type, or is no classifier.
    """
    import skops.io

    _check_archive(artifact)
    try:
        untrusted = sorted(set(skops.io.get_untrusted_types(data=artifact)) - set(TRUSTED_TYPES))
        if untrusted:
            raise TaskError(f"artifact holds types that nobody should load: {untrusted[:10]}")
        estimator: Estimator = skops.io.loads(artifact, trusted=list(TRUSTED_TYPES))
    except TaskError:
        raise
    except Exception as error:
        raise TaskError(f"artifact cannot be loaded: {_short(error)}") from error
    if type(estimator).__name__ != "Pipeline" or not hasattr(estimator, "decision_function"):
        raise TaskError(f"artifact is a {type(estimator).__name__}, not a pipeline that scores")
    return estimator


def scores(artifact: bytes, rows: Sequence[Row], schema: DataSchema) -> "NDArray[np.float64]":
    """Return the artifact's score of each row, rounded to 1e-9; positive means positive.

    Rounding makes ties of rows that differ only by the order in which a processor adds.

    Raises
    ------
    TaskError
        If the artifact cannot be loaded, fails on the rows, or returns no finite numbers.
    """
    import numpy as np

    estimator = load_artifact(artifact)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = np.asarray(estimator.decision_function(raw_table(rows, schema)), np.float64)
    except DataError:
        raise
    except Exception as error:
        raise TaskError(f"artifact fails on the rows: {_short(error)}") from error
    if found.shape != (len(rows),) or not bool(np.isfinite(found).all()):
        raise TaskError(f"artifact gives scores of shape {found.shape}, or not finite ones")
    return np.round(found, 9)


def raw_table(rows: Sequence[Row], schema: DataSchema) -> "NDArray[np.object_]":
    """Return rows as the table that an artifact takes, shape (rows, feature columns).

    Numeric cells are floats, booleans 0.0 or 1.0, both NaN where not known; categories are
    texts, empty where not known.
    """
    import numpy as np

    table = np.empty((len(rows), len(schema.features)), dtype=object)
    for place, column in enumerate(schema.features):
        position = schema.position(column.name)
        table[:, place] = [_raw_cell(row[position], column) for row in rows]
    return table


def library_versions() -> Document:
    """Return the versions that the artifact's bytes depend on."""
    from importlib.metadata import version

    return {package: version(package) for package in PACKAGES}


def _raw_cell(cell: str | None, column: Column) -> str | float:
    if column.type is ColumnType.CATEGORY:
        return cell or ""
    if cell is None:
        return float("nan")
    return float(cell == "TRUE") if column.type is ColumnType.BOOLEAN else float(cell)


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]


def _check_archive(artifact: bytes) -> None:
    if len(artifact) > MAX_ARTIFACT_BYTES:
        raise TaskError(f"artifact of {len(artifact)} bytes, at most {MAX_ARTIFACT_BYTES}")
    try:
        with zipfile.ZipFile(io.BytesIO(artifact)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise TaskError(f"artifact is no skops file: {_short(error)}") from error
    # Stored, never packed: a packed member could unfold to any size.
    packed = any(m.compress_type != zipfile.ZIP_STORED for m in members)
    if packed or len(members) > MAX_MEMBERS or sum(m.file_size for m in members) > len(artifact):
        raise TaskError("artifact is a packed or oversized archive; ours are stored plainly")


def _settle(dumped: bytes) -> bytes:
    """Rewrite a skops dump so that equal models give equal bytes."""
    with zipfile.ZipFile(io.BytesIO(dumped)) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    numbers: dict[int, int] = {}
    files: dict[str, str] = {}
    tree = _renumber(json.loads(contents.pop("schema.json")), numbers, files)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        text = json.dumps(tree, separators=(",", ":"), sort_keys=True).encode()
        archive.writestr(_member("schema.json"), text)
        for old, new in files.items():
            archive.writestr(_member(new), contents[old])
    return buffer.getvalue()


def _renumber(node: Json, numbers: dict[int, int], files: dict[str, str]) -> Json:
    if isinstance(node, Mapping):
        return {key: _renumber_entry(key, node[key], numbers, files) for key in sorted(node)}
    if isinstance(node, list):
        return [_renumber(entry, numbers, files) for entry in node]
    return node


def _renumber_entry(key: str, value: Json, numbers: dict[int, int], files: dict[str, str]) -> Json:
    if key == "__id__" and isinstance(value, int):
        return numbers.setdefault(value, len(numbers) + 1)
    if key == "file" and isinstance(value, str):
        suffix = value.rpartition(".")[2]
        return files.setdefault(value, f"{len(files) + 1}.{suffix}")
    return _renumber(value, numbers, files)


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    # As on Unix, wherever it is written; the default names the platform.
    member.create_system = 3
    member.external_attr = 0o600 << 16
    return member
