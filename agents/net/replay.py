"""Remembers accepted envelopes until they expire, across restarts, so that none is taken twice."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import text
from sqlmodel import Field, Session, SQLModel, select

from agents.net.sqlite import create_tables, open_sqlite


class SeenEnvelope(SQLModel, table=True):
    """One accepted envelope."""

    __tablename__ = "seen_envelope"

    digest: str = Field(primary_key=True)
    expires_s: int = Field(index=True)


class ReplayGuard:
    """Accepts each envelope digest once while the envelope is valid.

    The digest, not the signature, is the key: one digest has many valid ECDSA signatures.

    Parameters
    ----------
    path
        Its own SQLite file: the gate must not wait for a role's transaction.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        engine = self._engine = open_sqlite(path)
        create_tables(engine, [SeenEnvelope])
        self._clock = clock
        self._pruned_at = clock()
        with Session(engine) as session:
            rows = session.exec(select(SeenEnvelope).where(SeenEnvelope.expires_s >= int(clock())))
            self._seen = {row.digest: row.expires_s for row in rows}

    def was_seen(self, digest: str) -> bool:
        """Say whether an envelope was accepted before."""
        return digest in self._seen

    async def claim(self, digest: str, expires_s: int) -> bool:
        """Take an envelope; False when it was taken before. Durable once this returns."""
        if digest in self._seen:
            return False
        self._seen[digest] = expires_s
        await asyncio.to_thread(self._store, digest, expires_s)
        return True

    def _store(self, digest: str, expires_s: int) -> None:
        now = self._clock()
        with self._engine.begin() as connection:
            connection.execute(
                text("INSERT OR IGNORE INTO seen_envelope (digest, expires_s) VALUES (:d, :e)"),
                {"d": digest, "e": expires_s},
            )
            if now - self._pruned_at > 30:
                self._pruned_at = now
                connection.execute(text("DELETE FROM seen_envelope WHERE expires_s < :now"), {"now": int(now) - 1})
                for old in [key for key, end in list(self._seen.items()) if end < int(now) - 1]:
                    self._seen.pop(old, None)
