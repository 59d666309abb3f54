"""The scikit-learn pipeline of a trained model, with every fitted number set by us."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.training.errors import TaskError
from agents.training.features import Feature, features_of
from agents.training.preprocessing import Preprocessing, feature_moments
from agents.training.privacy import NANOS
from agents.training.schema import Column, ColumnType, DataSchema

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class ColumnBlock:
    """Columns that share one chain of transformers, and their features in the chain's order."""

    columns: tuple[Column, ...]
    features: tuple[Feature, ...]
    markers: tuple[float, ...]
    """Numbers that mean "not known" in these columns."""

    @property
    def is_category(self) -> bool:
        """Whether the columns hold categories."""
        return self.columns[0].type is ColumnType.CATEGORY


def fitted_pipeline(
    weights_nanos: Sequence[int],
    schema: DataSchema,
    preprocessing: Preprocessing,
    *,
    dropped: Sequence[str] = (),
) -> "Pipeline":
    """Return a pipeline that scores rows exactly as training did.

    It is fitted once on two made-up rows, so that every attribute exists in this version of
    scikit-learn; then each learnt number is overwritten.

    Raises
    ------
    TaskError
        If the number of weights does not fit the features.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline

    features = features_of(schema, dropped)
    if len(weights_nanos) != 1 + len(features):
        raise TaskError(f"{len(weights_nanos)} weights for {len(features)} features")
    blocks = column_blocks(schema, dropped)
    places = {column.name: place for place, column in enumerate(schema.features)}
    chains = [
        (f"block{i}", _chain(block), [places[column.name] for column in block.columns])
        for i, block in enumerate(blocks)
    ]
    columns, model = ColumnTransformer(chains), LogisticRegression()
    pipeline = Pipeline([("columns", columns), ("model", model)])
    pipeline.fit(_made_up_rows(schema), [0, 1])
    weight = dict(zip(features, weights_nanos[1:], strict=True))
    _set_columns(columns, blocks, feature_units(schema, preprocessing, dropped))
    _set_model(model, [weights_nanos[0], *(weight[f] for b in blocks for f in b.features)])
    return pipeline


def column_blocks(schema: DataSchema, dropped: Sequence[str]) -> list[ColumnBlock]:
    """Group the used columns: categories together, the others by their missing markers."""
    columns: dict[tuple[float, ...] | None, list[Column]] = {}
    for column in schema.features:
        if column.name not in dropped:
            is_category = column.type is ColumnType.CATEGORY
            key = None if is_category else _markers((*schema.missing, *column.missing))
            columns.setdefault(key, []).append(column)
    features = features_of(schema, dropped)
    return [
        ColumnBlock(
            columns=tuple(members),
            features=tuple(f for c in members for f in features if f.column == c.name),
            markers=markers or (),
        )
        for markers, members in columns.items()
    ]


def feature_units(
    schema: DataSchema, preprocessing: Preprocessing, dropped: Sequence[str]
) -> dict[Feature, tuple[float, float]]:
    """Return mean and scale of each feature on the scale of [−1, 1]."""
    means, scales = feature_moments(schema, preprocessing, dropped)
    features = features_of(schema, dropped)
    return {f: (mean / NANOS, scale / NANOS) for f, mean, scale in zip(features, means, scales, strict=True)}


def _markers(texts: Sequence[str]) -> tuple[float, ...]:
    # A marker such as "NA" never reaches a table of numbers.
    return tuple(float(text) for text in texts if text.lstrip("-").replace(".", "", 1).isdecimal())


def _chain(block: ColumnBlock) -> "Pipeline":
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

    if block.is_category:
        # The baseline is left out, so it and what is not known both encode as zeros.
        values = [list(column.values[1:]) for column in block.columns]
        encoder = OneHotEncoder(categories=values, handle_unknown="ignore", sparse_output=False)
        return Pipeline([("encode", encoder), ("standardise", StandardScaler())])
    marked = [
        (f"known{i}", SimpleImputer(missing_values=number, keep_empty_features=True))
        for i, number in enumerate(block.markers, start=1)
    ]
    known = ("known", SimpleImputer(keep_empty_features=True))
    clip = ("clip", MinMaxScaler((-1, 1), clip=True))
    return Pipeline([known, *marked, clip, ("standardise", StandardScaler())])


def _made_up_rows(schema: DataSchema) -> "NDArray[np.object_]":
    import numpy as np

    table = np.empty((2, len(schema.features)), dtype=object)
    for place, column in enumerate(schema.features):
        is_category = column.type is ColumnType.CATEGORY
        table[:, place] = column.values[:2] if is_category else (0.25, 0.75)
    return table


def _set_columns(
    transformer: "ColumnTransformer",
    blocks: Sequence[ColumnBlock],
    units: dict[Feature, tuple[float, float]],
) -> None:
    import numpy as np

    for i, block in enumerate(blocks):
        chain = transformer.named_transformers_[f"block{i}"]
        means = np.array([units[feature][0] for feature in block.features])
        scales = np.array([units[feature][1] for feature in block.features])
        if block.is_category:
            # Encoded as 0 and 1, where training has −1 and 1.
            means, scales = (means + 1) / 2, scales / 2
        else:
            _set_bounds(chain, block, means)
        standardise = chain.named_steps["standardise"]
        standardise.mean_, standardise.scale_, standardise.var_ = means, scales, scales**2


def _set_bounds(chain: "Pipeline", block: ColumnBlock, means: "NDArray[np.float64]") -> None:
    import numpy as np

    # A boolean is a number of 0 or 1.
    lower = np.array([float(column.lower or 0) for column in block.columns])
    upper = np.array([float(column.upper or 1) for column in block.columns])
    for name, step in chain.steps:
        if name.startswith("known"):
            step.statistics_ = lower + (means + 1) / 2 * (upper - lower)
    clip = chain.named_steps["clip"]
    clip.data_min_, clip.data_max_, clip.data_range_ = lower, upper, upper - lower
    clip.scale_ = 2 / (upper - lower)
    clip.min_ = -1 - lower * clip.scale_


def _set_model(model: "LogisticRegression", weights_nanos: Sequence[int]) -> None:
    import numpy as np

    model.intercept_ = np.array([weights_nanos[0] / NANOS])
    model.coef_ = np.array([[weight / NANOS for weight in weights_nanos[1:]]])
    model.n_iter_ = np.array([0], dtype=np.int32)
