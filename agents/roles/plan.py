"""The plan of a job: all of a task but who takes part, fixed before anybody signs.

Its SHA-256 stands in the job's terms on chain. The task that rounds run by adds the owners and
their rows, which only the agreements tell.
"""

from collections.abc import Mapping

from agents.training.canonical import Document, canonical_json, parse_document
from agents.training.errors import TaskError
from agents.training.schema import DataSchema
from agents.training.task import OwnerRows, TrainingTask
from governance.domain.record import sha256

PLAN_TYPE = "plan"


def plan_document(task: TrainingTask) -> bytes:
    """Return the plan behind a task, as it lies in the store."""
    body: Document = {key: value for key, value in task.to_json().items() if key != "owners"}
    return canonical_json({"type": PLAN_TYPE, **body})


def plan_digest(task: TrainingTask) -> bytes:
    """Return the digest that a job announces."""
    return sha256(plan_document(task))


def schema_of_plan(document: bytes) -> DataSchema:
    """Return the shape of the rows that a plan is about.

    Raises
    ------
    TaskError, DataError
        If it is no plan; whoever opened the job wrote it.
    """
    return DataSchema.from_json(_fields(document)["schema"])


def task_of_plan(document: bytes, rows: Mapping[str, int]) -> TrainingTask:
    """Return the task of a plan with these owners and the training rows that each of them sold.

    Raises
    ------
    TaskError, DataError, PrivacyError
        If it is no plan, or contradicts itself; whoever opened the job wrote it.
    """
    plan = {key: value for key, value in _fields(document).items() if key != "type"}
    owners = [OwnerRows(owner, count).to_json() for owner, count in rows.items()]
    return TrainingTask.from_json({**plan, "owners": owners})


def _fields(document: bytes) -> Document:
    plan = parse_document(document, "plan")
    if plan.get("type") != PLAN_TYPE or "schema" not in plan:
        raise TaskError("this is no plan: its type or its schema is missing")
    return plan
