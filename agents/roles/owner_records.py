"""What an owner keeps about rounds, privacy and evaluation rows."""

from sqlmodel import Field, SQLModel

from agents.protocols.messages import unpack_nanos
from governance.domain import evidence
from governance.domain.market import Address


class TaskReceived(SQLModel, table=True):
    """One round's task, and our answer once there is one."""

    __tablename__ = "owner_task"

    job: str = Field(primary_key=True)
    round_number: int = Field(primary_key=True)
    candidate: int
    round_index: int
    kind: str
    task_json: str
    request_json: str
    compute_agent: str
    update: str = ""
    """Packed; kept for ever, so that the same round is never answered twice."""
    failed: str = ""


class PrivacySpent(SQLModel, table=True):
    """What one job may cost a record of one table; written before its first round runs."""

    __tablename__ = "owner_privacy"

    table_root: str = Field(primary_key=True)
    job: str = Field(primary_key=True)
    epsilon_micros: int


class RoundReceipt(SQLModel, table=True):
    """Proof, countersigned by being on chain, that our update is in a round."""

    __tablename__ = "owner_receipt"

    job: str = Field(primary_key=True)
    round_number: int = Field(primary_key=True)
    root: str
    proof: str


class RowsSent(SQLModel, table=True):
    """A juror that got our evaluation rows for a case."""

    __tablename__ = "owner_rows_sent"

    case: str = Field(primary_key=True)
    juror: str = Field(primary_key=True)


def answer_digest(row: TaskReceived, owner: Address) -> bytes:
    """Return the digest of our update that a round's leaf must hold."""
    values = unpack_nanos(row.update)
    return evidence.digest(evidence.update_document(bytes.fromhex(row.job), row.round_number, owner, values))
