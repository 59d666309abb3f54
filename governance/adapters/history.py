"""Reads the chain's events into the index, again and again, and takes back what the chain took back."""

import logging
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, cast

from sqlalchemy import Engine, delete, func
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session, col, select

from governance.adapters.tables import TABLES, BlockRow, EventRow, IndexState, PolicyRow, open_for_writing
from governance.domain.market import Address
from governance.errors import FolkmootError
from governance.ports import Event, Header

logger = logging.getLogger(__name__)

CHUNK_BLOCKS: Final = 2_000
"""Blocks asked for at once, and written in one transaction."""
KEPT_HEADS: Final = 256
"""Blocks without events that are kept, to find the place where a rewritten chain branched off."""
PERIOD_S: Final = 1.0


class History(Protocol):
    """What the index reads; ``governance.adapters.evm.EvmChain`` fits."""

    @property
    def chain_id(self) -> int: ...

    @property
    def first_block(self) -> int: ...

    def address(self, contract: str) -> Address: ...

    def block_number(self) -> int: ...

    def header(self, number: int) -> Header | None: ...

    def history(self, from_block: int, to_block: int) -> list[Event]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What one pass did."""

    head: int
    """Last block read."""
    added: int
    """Events written."""
    removed: int
    """Events taken back, because the chain was rewritten."""


class HistoryMoved(Exception):
    """The chain changed while it was read; the next pass starts over from what still holds."""


def follow(chain: History, database_url: str, stop: threading.Event, *, period_s: float = PERIOD_S) -> None:
    """Keep the index up to date until ``stop`` is set; an unreachable chain is waited for.

    Raises
    ------
    IndexUnavailable
        If the database URL cannot be understood.
    """
    engine = open_for_writing(database_url)
    complaint = ""
    while not stop.is_set():
        try:
            sync_once(chain, engine)
            complaint = ""
        except (FolkmootError, OperationalError, IntegrityError) as problem:
            # Said once, not every second while a node restarts.
            if str(problem) != complaint:
                complaint = str(problem)
                logger.warning("the index waits: %s", complaint)
        stop.wait(period_s)
    engine.dispose()


def sync_once(chain: History, engine: Engine) -> Progress:
    """Read everything up to the latest block; safe to interrupt and to repeat.

    Raises
    ------
    ChainUnreachable
    """
    with Session(engine) as session:
        state = _state(session, chain)
        removed = _take_back(session, state, chain)
        session.commit()
        added = 0
        tip = chain.block_number()
        while state.head < tip:
            try:
                added += _read_chunk(session, state, chain, last=min(state.head + CHUNK_BLOCKS, tip))
            except HistoryMoved:
                session.rollback()
                break
        state.read_at_ms = time.time_ns() // 1_000_000
        session.add(state)
        session.commit()
        return Progress(head=state.head, added=added, removed=removed)


def _state(session: Session, chain: History) -> IndexState:
    state = session.get(IndexState, 1)
    registry = chain.address("ReleaseRegistry")
    if state is not None and (state.chain_id, state.release_registry) == (chain.chain_id, registry):
        return state
    # Another network than the one that was read: nothing of it may stay.
    for table in TABLES:
        session.exec(delete(table))
    state = IndexState(
        chain_id=chain.chain_id,
        release_registry=registry,
        first_block=chain.first_block,
        head=chain.first_block - 1,
        head_hash="",
        head_time_s=0,
        read_at_ms=0,
    )
    session.add(state)
    return state


def _take_back(session: Session, state: IndexState, chain: History) -> int:
    if not state.head_hash or _still_there(chain, state.head, state.head_hash):
        return 0
    kept = next((row for row in _newest_first(session) if _still_there(chain, row.number, row.hash)), None)
    ancestor = state.first_block - 1 if kept is None else kept.number
    removed = session.exec(select(func.count()).select_from(EventRow).where(col(EventRow.block) > ancestor)).one()
    session.exec(delete(EventRow).where(col(EventRow.block) > ancestor))
    session.exec(delete(BlockRow).where(col(BlockRow.number) > ancestor))
    session.exec(delete(PolicyRow).where(col(PolicyRow.block) > ancestor))
    state.head = ancestor
    state.head_hash = "" if kept is None else kept.hash
    state.head_time_s = 0 if kept is None else kept.time_s
    session.add(state)
    logger.warning("the chain was rewritten after block %d: %d events taken back", ancestor, removed)
    return int(removed)


def _newest_first(session: Session) -> Iterable[BlockRow]:
    return session.exec(select(BlockRow).order_by(col(BlockRow.number).desc()))


def _still_there(chain: History, number: int, digest: str) -> bool:
    header = chain.header(number)
    return header is not None and header.hash == digest


def _read_chunk(session: Session, state: IndexState, chain: History, *, last: int) -> int:
    end = _header(chain, last)
    events = chain.history(state.head + 1, last)
    headers = {number: _header(chain, number) for number in {event.block for event in events} | {last}}
    # The same block at the end of the range before and after: all of the range is of one chain.
    if _header(chain, last).hash != end.hash:
        raise HistoryMoved
    session.add_all(BlockRow(number=h.number, hash=h.hash, time_s=h.time_s) for h in headers.values())
    session.add_all(_event_row(event) for event in events)
    for event in events:
        if event.name == "PolicyActivated":
            session.merge(_policy_row(event))
    state.head, state.head_hash, state.head_time_s = end.number, end.hash, end.time_s
    session.add(state)
    _forget_old_heads(session, state.head)
    session.commit()
    return len(events)


def _header(chain: History, number: int) -> Header:
    header = chain.header(number)
    if header is None:
        raise HistoryMoved
    return header


def _forget_old_heads(session: Session, head: int) -> None:
    with_events = select(EventRow.block)
    session.exec(
        delete(BlockRow).where(col(BlockRow.number) < head - KEPT_HEADS, col(BlockRow.number).not_in(with_events))
    )


def _event_row(event: Event) -> EventRow:
    subject = event.values.get("proposalId", next(iter(event.values.values()), ""))
    return EventRow(
        block=event.block,
        log_index=event.log_index,
        contract=event.contract,
        name=event.name,
        subject=str(_plain(subject)),
        transaction=event.transaction,
        contents=cast("dict[str, object]", _plain(event.values)),
    )


def _policy_row(event: Event) -> PolicyRow:
    return PolicyRow(
        set_hash=str(_plain(event.values["setHash"])),
        block=event.block,
        version=int(str(event.values["version"])),
        document_hash=str(_plain(event.values["documentHash"])),
        rules=cast("list[list[object]]", _plain(event.values["rules"])),
        tiers=cast("list[list[int]]", _plain(event.values["tiers"])),
        facts=cast("list[list[object]]", _plain(event.values["facts"])),
    )


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
