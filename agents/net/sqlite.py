"""SQLite as an agent needs it: what is committed survives a crash, and readers never wait."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, Engine, event
from sqlmodel import SQLModel, create_engine


def open_sqlite(path: Path) -> Engine:
    """Open or create a database in write-ahead mode with ``synchronous=FULL``.

    Transactions take the write lock when they begin, so that none fails half-way; an engine with
    ``execution_options(reading=True)`` takes none and may read during another's transaction.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Limits of negotiations lie in it; what SQLite puts beside it gets the same mode.
    path.touch(mode=0o600)
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 20})
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def create_tables(engine: Engine, tables: Sequence[type[SQLModel]]) -> None:
    """Create these tables, and no other that some import may have declared."""
    SQLModel.metadata.create_all(engine, tables=[table.__table__ for table in tables])  # type: ignore[attr-defined]


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    # The driver would begin transactions by rules of its own; _begin does it.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
