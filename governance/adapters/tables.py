"""The index of history: what was read from the chain, so that pages and auditors need not ask a node.

Every row but the one of ``IndexState`` belongs to one block and is never changed, only added or, when the
chain was rewritten, deleted with its block.
"""

import time
from pathlib import Path
from typing import Final

from sqlalchemy import JSON, BigInteger, Column, Engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlmodel import Field, SQLModel, create_engine

from governance.errors import FolkmootError

BUSY_TIMEOUT_MS: Final = 5_000
OPENING_TRIES: Final = 10
OPENING_PAUSE_S: Final = 0.1


class IndexUnavailable(FolkmootError):
    """The index cannot be opened, or holds nothing yet."""


class IndexState(SQLModel, table=True):
    """How far the index has read, and of which network."""

    __tablename__ = "index_state"

    id: int = Field(default=1, primary_key=True)
    chain_id: int = Field(sa_type=BigInteger)
    release_registry: str
    """Address of ReleaseRegistry; another one is another network."""
    first_block: int = Field(sa_type=BigInteger)
    head: int = Field(sa_type=BigInteger)
    """Number of the last block read; one less than ``first_block`` when none was."""
    head_hash: str
    head_time_s: int = Field(sa_type=BigInteger)
    """Chain time."""
    read_at_ms: int = Field(sa_type=BigInteger)
    """Wall clock of the reader; how old this page is."""


class BlockRow(SQLModel, table=True):
    """A block that holds events of ours, or was the head once."""

    __tablename__ = "index_block"

    number: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    hash: str
    time_s: int = Field(sa_type=BigInteger)


class EventRow(SQLModel, table=True):
    """One event of one of our contracts."""

    __tablename__ = "index_event"

    block: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    log_index: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    contract: str = Field(index=True)
    name: str = Field(index=True)
    subject: str = Field(index=True)
    """What it is about: the proposal, else the event's first value; numbers in decimal."""
    transaction: str
    """Hash as 0x hex."""
    contents: dict[str, object] = Field(sa_column=Column(JSON, nullable=False))
    """Values by name; bytes as 0x hex, structs as lists in the field order of the contract."""


class PolicyRow(SQLModel, table=True):
    """A set of rules that came into force, in full."""

    __tablename__ = "index_policy"

    set_hash: str = Field(primary_key=True)
    block: int = Field(sa_type=BigInteger)
    version: int = Field(sa_type=BigInteger)
    document_hash: str
    rules: list[list[object]] = Field(sa_column=Column(JSON, nullable=False))
    """Field order of the struct ``Rule``."""
    tiers: list[list[int]] = Field(sa_column=Column(JSON, nullable=False))
    """Purpose bit and tier."""
    facts: list[list[object]] = Field(sa_column=Column(JSON, nullable=False))
    """Field order of the struct ``FactRange``."""


def sqlite_url(path: Path) -> str:
    """Return the URL of an SQLite file."""
    return f"sqlite:///{path}"


def open_for_writing(database_url: str) -> Engine:
    """Open the index and create its tables where they are missing.

    Raises
    ------
    IndexUnavailable
        If the URL cannot be understood, or nothing can be written there.
    """
    engine = _engine(database_url, read_only=False)
    for left in reversed(range(OPENING_TRIES)):
        try:
            _create_tables(engine)
            break
        except DBAPIError as problem:
            # Two processes that open a new file at once may lock each other out for a moment.
            if not left:
                raise IndexUnavailable(f"cannot open the index: {problem.orig}; check FOLKMOOT_DATABASE") from problem
            time.sleep(OPENING_PAUSE_S)
    return engine


def open_for_reading(database_url: str) -> Engine:
    """Open the index; SQLite then refuses every write.

    Raises
    ------
    IndexUnavailable
        If the URL cannot be understood.
    """
    return _engine(database_url, read_only=True)


TABLES: Final = (IndexState, BlockRow, EventRow, PolicyRow)


def _create_tables(engine: Engine) -> None:
    # Agents keep tables of their own in the same registry of SQLModel; they have no place in this file.
    ours = [SQLModel.metadata.tables[str(table.__tablename__)] for table in TABLES]
    with engine.begin() as connection:
        for table in ours:
            connection.execute(CreateTable(table, if_not_exists=True))
            for index in table.indexes:
                connection.execute(CreateIndex(index, if_not_exists=True))


def _engine(database_url: str, *, read_only: bool) -> Engine:
    try:
        url = make_url(database_url)
        engine = create_engine(url)
    except (ArgumentError, ImportError) as problem:
        raise IndexUnavailable(
            f"FOLKMOOT_DATABASE names no usable database ({problem}); give an SQLAlchemy URL and install its driver"
        ) from problem
    if url.get_backend_name() == "sqlite":
        # Write-ahead log: readers never wait for the indexer, nor it for them.
        own = ["query_only = ON"] if read_only else ["journal_mode = WAL", "synchronous = NORMAL"]
        _run_on_connect(engine, [f"PRAGMA {setting}" for setting in (f"busy_timeout = {BUSY_TIMEOUT_MS}", *own)])
    return engine


def _run_on_connect(engine: Engine, pragmas: list[str]) -> None:
    @event.listens_for(engine, "connect")
    def _(connection: object, _record: object) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined]
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()
