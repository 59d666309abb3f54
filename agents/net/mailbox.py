"""Durable mail: what was received, what is still to be acknowledged, and the role's own tables.

A message is handled in ONE transaction: it is recognised, the handler changes the role's state,
and the replies enter the outbox. The acknowledgement leaves after the commit; an outbox row goes
when the peer's acknowledgement comes. A process killed anywhere therefore loses nothing and does
nothing twice.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine
from sqlmodel import Field, Session, SQLModel

from agents.net.errors import MessageRefused, NotYet
from agents.net.keys import canonical_address
from agents.net.outbox import KEEP_S, MailOutgoing, Outbox
from agents.net.sqlite import create_tables, open_sqlite
from agents.protocols.messages import Wire

LOGGER = logging.getLogger(__name__)
WireT = TypeVar("WireT", bound=Wire)


class MailReceived(SQLModel, table=True):
    """One message that was handled, for ever: the memory that makes handling happen once."""

    __tablename__ = "mail_received"

    sender: str = Field(primary_key=True)
    msg_id: str = Field(primary_key=True)
    body_sha256: str
    received_at_s: int
    refused: str = ""
    """Why the handler refused it; empty when it was taken."""


class Verdict(Enum):
    """What became of a received message."""

    TAKEN = "taken"
    REPEATED = "repeated"
    REFUSED = "refused"
    NOT_YET = "not yet"
    CONFLICT = "conflict"
    """Another body under an id that was taken before."""

    @property
    def is_acknowledged(self) -> bool:
        """Whether the sender should stop sending it."""
        return self in (Verdict.TAKEN, Verdict.REPEATED, Verdict.REFUSED)


@dataclass(frozen=True, slots=True)
class Letter:
    """A message and its recipient."""

    to: str
    """EVM address of the recipient's agent key."""
    message: Wire


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a handler wants done: replies in its transaction, the rest after the commit."""

    replies: Sequence[Letter] = ()
    after_commit: Sequence[Callable[[], None]] = ()
    """Wake-ups only: what must survive a crash belongs into a table of the role."""


Handler = Callable[[Session, str, WireT], Outcome | None]
"""Called inside the transaction with the session, the sender's EVM address and the message.

Raise :class:`MessageRefused` for a message that stays wrong, :class:`NotYet` for one that came
too early; either way the handler's own writes are rolled back.
"""


class Mailbox:
    """The mail of one agent, in one SQLite file in its home.

    Its methods block; call them from a worker thread when the event loop runs.

    Parameters
    ----------
    engine
        From :meth:`open`.
    clock
        Wall clock in seconds; retries know no chain time.
    """

    def __init__(self, engine: Engine, *, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._clock = clock
        self._writing = threading.Lock()
        self._handlers: dict[type[Wire], Handler[Wire]] = {}
        self.outbox = Outbox(engine, writing=self._writing, clock=clock)

    @classmethod
    def open(cls, path: Path, tables: Sequence[type[SQLModel]] = ()) -> "Mailbox":
        """Open or create the file, with the role's own tables beside the mail."""
        engine = open_sqlite(path)
        create_tables(engine, (MailReceived, MailOutgoing, *tables))
        return cls(engine)

    def handle(self, model: type[WireT], handler: Handler[WireT]) -> None:
        """Let ``handler`` judge every message of a model; one handler per model.

        Raises
        ------
        ValueError
            If the model has a handler already.
        """
        if model in self._handlers:
            raise ValueError(f"{model.__name__} already has a handler")
        self._handlers[model] = handler  # each is looked up by its own type

    @property
    def handled(self) -> Sequence[type[Wire]]:
        """Models that have a handler."""
        return tuple(self._handlers)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One transaction on mail and role tables; committed at the end, or not at all."""
        with self._writing, Session(self._engine, expire_on_commit=False) as session:
            yield session
            session.commit()
        self.outbox.wake()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a consistent view of mail and role tables that blocks no writer."""
        reading = self._engine.execution_options(reading=True)
        with Session(reading, expire_on_commit=False) as session:
            yield session

    def send(self, session: Session, to: str, message: Wire, *, keep_s: int = KEEP_S) -> None:
        """Enqueue a message in the caller's transaction; it is sent until acknowledged.

        The first body under an id stays: enqueuing the same id again changes nothing.

        Parameters
        ----------
        to
            EVM address of the recipient's agent key.
        keep_s
            Seconds of wall clock after which it is given up.

        Raises
        ------
        MessageTooLarge
            If no peer would take it.
        """
        self.outbox.enqueue(session, to, message, keep_s=keep_s)

    def receive(self, sender: str, message: Wire) -> Verdict:
        """Handle one message in one transaction.

        Parameters
        ----------
        sender
            EVM address proven by the envelope's signature.

        Returns
        -------
        Verdict
            Says whether to acknowledge.
        """
        sender = canonical_address(sender)
        record = MailReceived(
            sender=sender,
            msg_id=message.msg_id,
            body_sha256=hashlib.sha256(message.json().encode()).hexdigest(),
            received_at_s=int(self._clock()),
        )
        with self.transaction() as session:
            known = session.get(MailReceived, (sender, message.msg_id))
            if known is not None:
                same = known.body_sha256 == record.body_sha256
                return Verdict.REPEATED if same else Verdict.CONFLICT
            try:
                outcome = self._call(session, sender, message)
            except NotYet as reason:
                LOGGER.info("too early: %s of %s: %s", message.msg_id, sender, reason)
                return Verdict.NOT_YET
            except MessageRefused as refusal:
                LOGGER.warning("refused %s of %s: %s", message.msg_id, sender, refusal)
                outcome = Outcome()
                record.refused = str(refusal)[:200] or "refused"
            session.add(record)
        for call in outcome.after_commit:
            call()
        return Verdict.REFUSED if record.refused else Verdict.TAKEN

    def _call(self, session: Session, sender: str, message: Wire) -> Outcome:
        handler = self._handlers.get(type(message))
        if handler is None:
            raise MessageRefused(f"{type(message).__name__} has no handler here")
        with session.begin_nested():
            outcome = handler(session, sender, message) or Outcome()
            for letter in outcome.replies:
                self.send(session, letter.to, letter.message)
        return outcome
