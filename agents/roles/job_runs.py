"""What a coordinator keeps about its jobs and their rounds."""

import json
from dataclasses import asdict

from sqlmodel import Field, SQLModel

from governance.domain.market import AggregationPrivacy, IntegrationMode, JobTerms, PrivacyUnit


class JobRun(SQLModel, table=True):
    """One job of ours."""

    __tablename__ = "coordinator_job"

    name: str = Field(primary_key=True)
    job: str
    file: str
    terms: str
    state: str = "bargaining"
    note: str = ""


class RoundRun(SQLModel, table=True):
    """One round of a job: who was asked, and what came back."""

    __tablename__ = "coordinator_round"

    job: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    owners: str
    """JSON list of addresses."""
    compute: str
    sum_packed: str = ""
    leaves: str = ""
    """JSON list of owner, update digest and signature."""
    signature: str = ""
    """Of the compute provider over its leaf."""
    posted: bool = False


def pack_terms(terms: JobTerms) -> str:
    """Return a job's terms as text for a table."""
    values = asdict(terms)
    return json.dumps({k: v.hex() if isinstance(v, bytes) else v for k, v in values.items()})


def unpack_terms(text: str) -> JobTerms:
    """Return the terms that :func:`pack_terms` wrote."""
    values = json.loads(text)
    return JobTerms(
        **{
            **values,
            "privacy_unit": PrivacyUnit(values["privacy_unit"]),
            "aggregation_privacy": AggregationPrivacy(values["aggregation_privacy"]),
            "integration_mode": IntegrationMode(values["integration_mode"]),
            "task": bytes.fromhex(values["task"]),
            "metric_code": bytes.fromhex(values["metric_code"]),
            "candidates": tuple(values["candidates"]),
        }
    )
