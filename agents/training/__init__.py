"""Training and evaluation: pure functions and a keyless child; no transport, no chain.

Nothing here imports numpy, scikit-learn or dp-accounting before it computes with them.
"""

from agents.training.artifact import content_address, load_artifact, raw_table
from agents.training.card import ModelCard, check_release, make_release
from agents.training.client import NoisedSums, TrainingChild
from agents.training.commitment import SaltedRows, load_salted, row_leaf, seeded_salts, system_salts
from agents.training.errors import (
    ChildError,
    DataError,
    PrivacyError,
    TaskError,
    TrainingError,
)
from agents.training.federated import (
    RoundRequest,
    ServerState,
    aggregate,
    check_update,
    initial_state,
    local_update,
    server_step,
)
from agents.training.metrics import (
    METRICS,
    Evaluation,
    Fact,
    evaluate,
    evaluation_report,
    metric_code_digest,
)
from agents.training.noise import NoiseSource, SeededNoise, SystemNoise
from agents.training.preprocessing import Preprocessing, derive_preprocessing, local_statistics
from agents.training.privacy import Budget, Sigmas, delta_of
from agents.training.replay import RoundTotal, replay_rounds
from agents.training.rows import Row, load_rows, row_text
from agents.training.scenario import CommittedRows, OwnerData, RowSet, build, prepare_owner
from agents.training.schema import DataSchema, load_schema, parse_schema
from agents.training.task import (
    Candidate,
    OwnerRows,
    TrainingTask,
    default_candidates,
    parse_task,
    plan_task,
    sigma_for,
)

__all__ = [
    "METRICS",
    "Budget",
    "Candidate",
    "ChildError",
    "CommittedRows",
    "DataError",
    "DataSchema",
    "Evaluation",
    "Fact",
    "ModelCard",
    "NoiseSource",
    "NoisedSums",
    "OwnerData",
    "OwnerRows",
    "Preprocessing",
    "PrivacyError",
    "RoundRequest",
    "RoundTotal",
    "Row",
    "RowSet",
    "SaltedRows",
    "SeededNoise",
    "ServerState",
    "Sigmas",
    "SystemNoise",
    "TaskError",
    "TrainingChild",
    "TrainingError",
    "TrainingTask",
    "aggregate",
    "build",
    "check_release",
    "check_update",
    "content_address",
    "default_candidates",
    "delta_of",
    "derive_preprocessing",
    "evaluate",
    "evaluation_report",
    "initial_state",
    "load_artifact",
    "load_rows",
    "load_salted",
    "load_schema",
    "local_statistics",
    "local_update",
    "make_release",
    "metric_code_digest",
    "parse_schema",
    "parse_task",
    "plan_task",
    "prepare_owner",
    "raw_table",
    "replay_rounds",
    "row_leaf",
    "row_text",
    "seeded_salts",
    "server_step",
    "sigma_for",
    "system_salts",
]
