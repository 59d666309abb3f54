"""The index against a chain that grows, is rewritten, and disappears."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select

from governance.adapters.history import KEPT_HEADS, follow, sync_once
from governance.adapters.tables import (
    BlockRow,
    EventRow,
    IndexState,
    IndexUnavailable,
    PolicyRow,
    open_for_reading,
    open_for_writing,
    sqlite_url,
)
from governance.errors import ChainUnreachable
from governance.ports import Event, Header

REGISTRY = "0x" + "11" * 20
RULES = [(b"max-tpr-gap".ljust(32, b"\0"), b"tpr_gap_abs".ljust(32, b"\0"), 100_000, 1, 8, 16, 4, 1, 0)]


class ScriptedChain:
    """A chain whose blocks are (hash, event names); a fork replaces them."""

    def __init__(self, *, chain_id: int = 7, first_block: int = 1) -> None:
        self.chain_id = chain_id
        self.first_block = first_block
        self.blocks: list[tuple[str, list[str]]] = [("genesis", [])]
        self.reachable = True
        self.after_history: Callable[[], None] = lambda: None

    def mine(self, *names: str, fork: str = "a") -> None:
        self.blocks.append((f"{fork}{len(self.blocks)}", list(names)))

    def address(self, contract: str) -> str:
        assert contract == "ReleaseRegistry"
        return REGISTRY

    def block_number(self) -> int:
        if not self.reachable:
            raise ChainUnreachable("no chain answers")
        return len(self.blocks) - 1

    def header(self, number: int) -> Header | None:
        if not 0 <= number < len(self.blocks):
            return None
        return Header(number=number, hash=self.blocks[number][0], time_s=1_000 + number)

    def history(self, from_block: int, to_block: int) -> list[Event]:
        found = [
            Event(
                contract="ModelGovernor",
                name=name,
                values={"rules": RULES, "tiers": [(3, 3)], "facts": []}
                | {"voter": "0x" + "22" * 20, "proposalId": 2**255 + number, "raw": b"\1", "setHash": b"\2" * 32}
                | {"version": 1, "documentHash": b"\3" * 32, "list": (1, (b"\4",))},
                block=number,
                log_index=index,
                transaction=f"0x{self.blocks[number][0]}",
            )
            for number in range(from_block, min(to_block, self.block_number()) + 1)
            for index, name in enumerate(self.blocks[number][1])
        ]
        self.after_history()
        return found


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_for_writing(sqlite_url(tmp_path / "index.sqlite"))
    yield engine
    engine.dispose()


def names(engine: Engine) -> list[str]:
    with Session(engine) as session:
        rows = session.exec(select(EventRow).order_by(EventRow.block, EventRow.log_index))  # type: ignore[arg-type]
        return [row.name for row in rows]


def state(engine: Engine) -> IndexState:
    with Session(engine) as session:
        found = session.get(IndexState, 1)
        assert found is not None
        return found


def test_new_blocks_are_added_and_a_second_pass_adds_nothing(engine: Engine) -> None:
    chain = ScriptedChain()
    chain.mine("ProposalCreated")
    chain.mine()
    chain.mine("VoteCast", "VoteCast")

    first = sync_once(chain, engine)
    second = sync_once(chain, engine)

    assert (first.added, first.head, second.added) == (3, 3, 0)
    assert names(engine) == ["ProposalCreated", "VoteCast", "VoteCast"]
    assert (state(engine).head_hash, state(engine).head_time_s) == ("a3", 1_003)


def test_values_keep_every_digit_and_byte(engine: Engine) -> None:
    chain = ScriptedChain()
    chain.mine("VoteCast")

    sync_once(chain, engine)

    with Session(engine) as session:
        row = session.exec(select(EventRow)).one()
    assert row.subject == str(2**255 + 1), "votes are found by their proposal"
    assert row.contents["proposalId"] == 2**255 + 1
    assert row.contents["raw"] == "0x01"
    assert row.contents["list"] == [1, ["0x04"]]


def test_a_rewritten_chain_is_rolled_back_to_where_it_branched(engine: Engine) -> None:
    chain = ScriptedChain()
    for name in ("ProposalCreated", "VoteCast", "ProposalQueued"):
        chain.mine(name)
    sync_once(chain, engine)
    del chain.blocks[2:]
    chain.mine("ProposalCanceled", fork="b")
    chain.mine(fork="b")

    progress = sync_once(chain, engine)

    assert (progress.removed, progress.added) == (2, 1)
    assert names(engine) == ["ProposalCreated", "ProposalCanceled"]
    assert state(engine).head_hash == "b3"


def test_a_chain_cut_short_loses_its_tail_here_too(engine: Engine) -> None:
    chain = ScriptedChain()
    chain.mine("ProposalCreated")
    chain.mine("VoteCast")
    sync_once(chain, engine)
    del chain.blocks[2:]

    progress = sync_once(chain, engine)

    assert (progress.head, progress.removed) == (1, 1)
    assert names(engine) == ["ProposalCreated"]


def test_a_rewrite_while_reading_leaves_nothing_half_read(engine: Engine) -> None:
    chain = ScriptedChain()
    chain.mine("ProposalCreated")

    def rewrite() -> None:
        chain.blocks[1:] = [("b1", ["ProposalCanceled"])]
        chain.after_history = lambda: None

    chain.after_history = rewrite
    interrupted = sync_once(chain, engine)
    sync_once(chain, engine)

    assert interrupted.added == 0
    assert names(engine) == ["ProposalCanceled"]


def test_another_network_starts_from_nothing(engine: Engine) -> None:
    old = ScriptedChain(chain_id=7)
    old.mine("ProposalCreated", "PolicyActivated")
    sync_once(old, engine)
    new = ScriptedChain(chain_id=8)

    sync_once(new, engine)

    assert names(engine) == []
    assert state(engine).chain_id == 8
    with Session(engine) as session:
        assert session.exec(select(PolicyRow)).all() == []


def test_rules_are_kept_when_a_set_comes_into_force(engine: Engine) -> None:
    chain = ScriptedChain()
    chain.mine("PolicyActivated")

    sync_once(chain, engine)

    with Session(engine) as session:
        policy = session.exec(select(PolicyRow)).one()
    assert policy.set_hash == "0x" + "02" * 32
    assert policy.rules[0][:3] == ["0x" + RULES[0][0].hex(), "0x" + RULES[0][1].hex(), 100_000]
    assert policy.tiers == [[3, 3]]


def test_empty_blocks_are_forgotten_and_blocks_with_events_stay(engine: Engine) -> None:
    chain = ScriptedChain()
    chain.mine("ProposalCreated")
    for _ in range(3):
        chain.mine()
        sync_once(chain, engine)
    for _ in range(KEPT_HEADS + 5):
        chain.mine()
    sync_once(chain, engine)

    with Session(engine) as session:
        kept = sorted(session.exec(select(BlockRow.number)).all())
    assert kept == [1, KEPT_HEADS + 9]


def test_following_outlasts_an_unreachable_chain(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "index.sqlite")
    chain = ScriptedChain()
    chain.mine("ProposalCreated")
    chain.reachable = False
    stop = threading.Event()
    worker = threading.Thread(target=follow, args=(chain, url, stop), kwargs={"period_s": 0.01})
    worker.start()

    chain.reachable = True
    engine = open_for_writing(url)
    for _ in range(300):
        if names(engine):
            break
        stop.wait(0.01)
    stop.set()
    worker.join(timeout=5)

    assert names(engine) == ["ProposalCreated"]
    assert not worker.is_alive()
    engine.dispose()


def test_readers_cannot_write(engine: Engine) -> None:
    reader = open_for_reading(str(engine.url))

    with reader.connect() as connection, pytest.raises(OperationalError, match="readonly"):
        connection.execute(text("DELETE FROM index_event"))

    reader.dispose()


def test_a_database_that_cannot_be_named_is_refused_with_advice() -> None:
    with pytest.raises(IndexUnavailable, match="FOLKMOOT_DATABASE"):
        open_for_writing("not a url")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(IndexUnavailable, match="unable to open database file"):
        open_for_writing(sqlite_url(tmp_path / "missing" / "index.sqlite"))


def test_two_processes_may_open_a_new_index_at_once(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "index.sqlite")
    failures: list[BaseException] = []

    def open_it() -> None:
        try:
            open_for_writing(url).dispose()
        except IndexUnavailable as problem:
            failures.append(problem)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
