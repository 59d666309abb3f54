"""What the pages read from the index; the one place that knows its tables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

from sqlalchemy import Engine, func
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import Select

from dashboard.entries import Entry, number, word
from governance.adapters.tables import BlockRow, EventRow, IndexState, IndexUnavailable, PolicyRow, open_for_reading
from governance.domain.policy import PolicySet
from governance.policy import ChainRule, ChainTier, policy_from_chain


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How far the index has read."""

    chain_id: int
    block: int
    block_hash: str
    time_s: int
    """Chain time of that block."""
    read_at_ms: int
    """Wall clock of the reader."""


class Index:
    """Read access to the index of one network."""

    def __init__(self, database_url: str) -> None:
        self._engine: Engine = open_for_reading(database_url)

    def freshness(self) -> Freshness:
        """Return how far the index has read.

        Raises
        ------
        IndexUnavailable
            If nothing was read yet.
        """
        with self._session() as session:
            state = _guarded(lambda: session.get(IndexState, 1))
        if state is None or not state.head_hash:
            raise IndexUnavailable(
                "nothing of the chain has been read yet; start the network and its index with: folkmoot up"
            )
        return Freshness(
            chain_id=state.chain_id,
            block=state.head,
            block_hash=state.head_hash,
            time_s=state.head_time_s,
            read_at_ms=state.read_at_ms,
        )

    def entries(self, contract: str, names: Sequence[str], *, subject: str | None = None) -> list[Entry]:
        """Return the named events of a contract in the order of the chain, all or those about one subject."""
        query = select(EventRow, BlockRow.time_s).join(BlockRow, col(EventRow.block) == col(BlockRow.number))
        query = query.where(EventRow.contract == contract, col(EventRow.name).in_(names))
        if subject is not None:
            query = query.where(col(EventRow.subject) == subject)
        return self._rows(query.order_by(col(EventRow.block), col(EventRow.log_index)))

    def latest(self, *, limit: int, contracts: Sequence[str] = (), part: str = "") -> list[Entry]:
        """Return the newest events first, those of some contracts or that hold a text."""
        query = select(EventRow, BlockRow.time_s).join(BlockRow, col(EventRow.block) == col(BlockRow.number))
        if contracts:
            query = query.where(col(EventRow.contract).in_(contracts))
        if part:
            query = query.where(
                col(EventRow.subject).icontains(part, autoescape=True)
                | col(EventRow.name).icontains(part, autoescape=True)
                | col(EventRow.transaction).icontains(part, autoescape=True)
            )
        return self._rows(query.order_by(col(EventRow.block).desc(), col(EventRow.log_index).desc()).limit(limit))

    def last_change(self) -> tuple[int, int]:
        """Return block and log index of the newest event that is more than a sign of life."""
        query = (
            select(EventRow.block, EventRow.log_index)
            .where(EventRow.name != "Heartbeat")
            .order_by(col(EventRow.block).desc(), col(EventRow.log_index).desc())
        )
        with self._session() as session:
            row = _guarded(lambda: session.exec(query).first())
        return (0, 0) if row is None else (row[0], row[1])

    def count(self) -> int:
        """Return how many events there are."""
        with self._session() as session:
            return int(_guarded(lambda: session.exec(select(func.count()).select_from(EventRow)).one()))

    def last_heartbeats(self) -> dict[str, int]:
        """Return the chain time of each agent's latest heartbeat, by its address."""
        query = (
            select(EventRow.subject, func.max(BlockRow.time_s))
            .join(BlockRow, col(EventRow.block) == col(BlockRow.number))
            .where(EventRow.name == "Heartbeat")
            .group_by(EventRow.subject)
        )
        with self._session() as session:
            return {subject: int(time_s) for subject, time_s in _guarded(lambda: session.exec(query).all())}

    def policy(self, set_hash: bytes | None = None) -> PolicySet | None:
        """Return a set of rules as the contract holds it, by its hash or the one in force."""
        query = select(PolicyRow).order_by(col(PolicyRow.block).desc())
        if set_hash is not None:
            query = query.where(PolicyRow.set_hash == f"0x{set_hash.hex()}")
        with self._session() as session:
            row = _guarded(lambda: session.exec(query).first())
        return None if row is None else _policy(row)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def _session(self) -> Session:
        return Session(self._engine)

    def _rows(self, query: Select[EventRow, int]) -> list[Entry]:
        with self._session() as session:
            return [_entry(row, time_s) for row, time_s in _guarded(lambda: session.exec(query).all())]


T = TypeVar("T")


def _guarded(action: Callable[[], T]) -> T:
    try:
        return action()
    except DBAPIError as problem:
        raise IndexUnavailable(
            f"the index cannot be read ({problem.orig}); start the network and its index with: folkmoot up"
        ) from problem


def _entry(row: EventRow, time_s: int) -> Entry:
    return Entry(
        block=row.block,
        log_index=row.log_index,
        time_s=time_s,
        contract=row.contract,
        name=row.name,
        subject=row.subject,
        transaction=row.transaction,
        values=row.contents,
    )


def _policy(row: PolicyRow) -> PolicySet:
    rules = [(word(rule[0]), word(rule[1]), *(number(value) for value in rule[2:])) for rule in row.rules]
    tiers: list[ChainTier] = [(number(purpose), number(tier)) for purpose, tier in row.tiers]
    facts = [(word(key), bool(is_set), number(least), number(largest)) for key, is_set, least, largest in row.facts]
    return policy_from_chain(row.version, word(row.document_hash), tiers, cast("list[ChainRule]", rules), facts=facts)
