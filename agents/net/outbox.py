"""What an agent has still to say: sent again until its recipient has committed it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine, UniqueConstraint, text
from sqlmodel import Field, Session, SQLModel, select

from agents.net.errors import NetError
from agents.net.keys import canonical_address
from agents.protocols.messages import MESSAGES, PHASES, Wire

MAX_BODY_BYTES = 47_000
"""So that the envelope, in which a body is base64, stays under 64 KiB."""
WINDOW = 16
"""Unacknowledged messages per peer; without it, retries crowd out what follows them."""
KEEP_S = 7 * 86_400
MODELS = {model.__name__: model for model in MESSAGES}
INSERT = text(
    "INSERT OR IGNORE INTO mail_outgoing"
    " (recipient, msg_id, schema_name, body, phase, attempts, next_at_ms, expires_at_s)"
    " VALUES (:recipient, :msg_id, :schema, :body, :phase, 0, 0, :expires)"
)
POSTPONE = text(
    "UPDATE mail_outgoing SET attempts = attempts + 1,"
    " next_at_ms = :now + MIN(:cap, :base * (1 << MIN(attempts, 10))) WHERE number = :number"
)


class MailOutgoing(SQLModel, table=True):
    """One message that its recipient has not acknowledged."""

    __tablename__ = "mail_outgoing"
    __table_args__ = (UniqueConstraint("recipient", "msg_id"),)

    number: int | None = Field(default=None, primary_key=True)
    recipient: str = Field(index=True)
    msg_id: str
    schema_name: str
    body: str
    phase: int
    attempts: int = 0
    next_at_ms: int = 0
    expires_at_s: int


@dataclass(frozen=True, slots=True)
class Due:
    """An outbox row whose time has come."""

    number: int
    recipient: str
    """EVM address of the recipient's agent key."""
    message: Wire


class MessageTooLarge(NetError):
    """A message that no peer would take; send its content by artifact digest."""


class Outbox:
    """Messages on their way.

    Every write is plain SQL: an ORM object would be stale when an acknowledgement wins a race.

    Parameters
    ----------
    engine
        The mailbox's database.
    writing
        Held during every write of this process.
    clock
        Wall clock in seconds.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        writing: threading.Lock,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._reading = engine.execution_options(reading=True)
        self._writing = writing
        self._clock = clock
        self._wake: Callable[[], None] = lambda: None

    def enqueue(self, session: Session, to: str, message: Wire, *, keep_s: int = KEEP_S) -> None:
        """Add a message in the caller's transaction; see :meth:`Mailbox.send`."""
        body = message.json()
        if len(body.encode()) > MAX_BODY_BYTES:
            raise MessageTooLarge(
                f"{message.msg_id} has {len(body)} bytes, at most {MAX_BODY_BYTES} are taken; "
                "send the content by artifact digest"
            )
        values = {
            "recipient": canonical_address(to),
            "msg_id": message.msg_id,
            "schema": type(message).__name__,
            "body": body,
            "phase": PHASES[type(message).__name__],
            "expires": int(self._clock()) + keep_s,
        }
        session.connection().execute(INSERT, values)

    def due(self) -> list[Due]:
        """Return what to send now: later phases first, at most a window per peer."""
        now_ms = self._now_ms()
        with Session(self._reading) as session:
            rows = session.exec(select(MailOutgoing)).all()
        room: dict[str, int] = {}
        for row in rows:
            in_flight = row.attempts > 0 and row.next_at_ms > now_ms
            room[row.recipient] = room.get(row.recipient, WINDOW) - in_flight
        chosen: list[Due] = []
        waiting = [row for row in rows if row.next_at_ms <= now_ms]
        for row in sorted(waiting, key=lambda row: (-row.phase, row.number or 0)):
            if room[row.recipient] > 0:
                room[row.recipient] -= 1
                chosen.append(_due(row))
        return chosen

    def next_due_s(self) -> float:
        """Return the seconds until a row is due; 3600 when there is none."""
        with Session(self._reading) as session:
            statement = text("SELECT MIN(next_at_ms) FROM mail_outgoing WHERE next_at_ms > :now")
            first = session.connection().execute(statement, {"now": self._now_ms()}).scalar()
        return 3600.0 if first is None else max(0.0, (int(first) - self._now_ms()) / 1000)

    def sent(self, number: int) -> None:
        """Note that a row is leaving: 2, 4, 8, 16, 30 seconds for its acknowledgement."""
        self._write(POSTPONE, number=number, base=2000, cap=30_000, now=self._now_ms())

    def failed(self, number: int) -> None:
        """Note that a row was not delivered: again after half a second, later every 4 seconds."""
        self._write(POSTPONE, number=number, base=250, cap=4000, now=self._now_ms())

    def acknowledge(self, peer: str, msg_id: str) -> None:
        """Forget a message that its recipient has committed."""
        statement = "DELETE FROM mail_outgoing WHERE recipient = :peer AND msg_id = :msg_id"
        self._write(text(statement), peer=canonical_address(peer), msg_id=msg_id)
        self._wake()

    def peer_is_alive(self, peer: str) -> None:
        """Send soon what waits long for a peer that was just heard of."""
        statement = "UPDATE mail_outgoing SET next_at_ms = :now, attempts = 1 WHERE recipient = :peer AND attempts > 1"
        self._write(text(statement), peer=canonical_address(peer), now=self._now_ms())

    def give_up(self) -> list[str]:
        """Drop rows whose time is over and return their message ids."""
        statement = text("DELETE FROM mail_outgoing WHERE expires_at_s < :now RETURNING msg_id")
        with self._writing, self._engine.begin() as connection:
            rows = connection.execute(statement, {"now": int(self._clock())}).all()
        return [str(row[0]) for row in rows]

    def pending(self) -> int:
        """Return how many messages wait for an acknowledgement."""
        with Session(self._reading) as session:
            return len(session.exec(select(MailOutgoing.number)).all())

    def on_change(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` (from any thread) after each commit that may let something leave."""
        self._wake = wake

    def wake(self) -> None:
        """Say that something may have been enqueued."""
        self._wake()

    def _write(self, statement: object, **values: int | str) -> None:
        with self._writing, self._engine.begin() as connection:
            connection.execute(statement, values)  # type: ignore[call-overload]

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def _due(row: MailOutgoing) -> Due:
    message = MODELS[row.schema_name].parse_raw(row.body)
    return Due(number=row.number or 0, recipient=row.recipient, message=message)
