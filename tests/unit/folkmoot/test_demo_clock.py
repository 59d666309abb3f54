"""The clock of a demonstration waits for whoever works, and for the dead only a while."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field

import pytest

import folkmoot.demo.story
from folkmoot.demo.story import IDLE_POLLS, Clock, NewestWork
from folkmoot.home import Home
from folkmoot.processes import adopt

NOW_S, DUE_S = 1_000, 5_000


@dataclass
class NotedDevnet:
    """Notes to when its time was moved."""

    moved: list[int] = field(default_factory=list)

    def advance_to(self, timestamp_s: int) -> int:
        self.moved.append(timestamp_s)
        return timestamp_s


@dataclass
class CountedNode:
    """Answers how many transactions each block holds."""

    transactions: dict[int, int]

    def number(self, method: str) -> int:
        assert method == "eth_blockNumber"
        return max(self.transactions)

    def batch(self, method: str, values: list[str]) -> list[str]:
        assert method == "eth_getBlockTransactionCountByNumber"
        return [hex(self.transactions[int(value, 16)]) for value in values]


@pytest.fixture
def dead_pid() -> int:
    child = subprocess.Popen(["true"])
    child.wait()
    return child.pid


def say(home: Home, slug: str, *, pid: int, busy: str = "", due_at_s: int = DUE_S) -> None:
    folder = home.agent(slug)
    folder.mkdir(parents=True, exist_ok=True)
    status = {"busy": busy, "due_at_s": due_at_s, "block": 7, "pid": pid}
    (folder / "status.json").write_text(json.dumps(status))


def tick(home: Home, *slugs: str, newest_work: int = 7) -> tuple[Clock, list[int]]:
    devnet = NotedDevnet()
    clock = Clock(home=home, devnet=devnet, slugs=slugs, newest_work=lambda: newest_work)  # type: ignore[arg-type]
    for _ in range(IDLE_POLLS + 1):
        clock.tick(7, NOW_S)
    return clock, devnet.moved


def test_when_all_are_idle_the_clock_moves_to_what_is_due(home: Home) -> None:
    say(home, "keeper", pid=os.getpid())

    _, moved = tick(home, "keeper")

    assert moved == [DUE_S]


def test_an_agent_at_work_holds_the_clock(home: Home) -> None:
    say(home, "keeper", pid=os.getpid())
    say(home, "owner", pid=os.getpid(), busy="training", due_at_s=0)

    _, moved = tick(home, "keeper", "owner")

    assert moved == []


def test_an_agent_that_has_not_seen_the_newest_transaction_holds_the_clock(home: Home) -> None:
    say(home, "keeper", pid=os.getpid())

    _, moved = tick(home, "keeper", newest_work=8)

    assert moved == []


def test_the_newest_transaction_is_found_also_when_empty_blocks_follow_it() -> None:
    node = CountedNode({1: 1, 2: 3, 3: 0, 4: 0})
    work = NewestWork(node)  # type: ignore[arg-type]

    first = work()
    node.transactions |= {5: 0, 6: 1, 7: 0}

    assert (first, work(), work()) == (2, 6, 6)


def test_an_agent_that_just_died_holds_the_clock(home: Home, dead_pid: int) -> None:
    say(home, "keeper", pid=os.getpid())
    say(home, "owner", pid=dead_pid, busy="training", due_at_s=0)

    clock, moved = tick(home, "keeper", "owner")

    assert moved == []
    assert clock.gone == ()


def test_an_agent_that_stays_dead_holds_nobody_up(home: Home, dead_pid: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folkmoot.demo.story, "DEAD_S", -1.0)
    say(home, "keeper", pid=os.getpid())
    say(home, "owner", pid=dead_pid, busy="training", due_at_s=0)

    clock, moved = tick(home, "keeper", "owner")

    assert moved == [DUE_S]
    assert clock.gone == ("owner",)


def test_an_agent_that_died_at_its_start_holds_nobody_up(
    home: Home, dead_pid: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folkmoot.demo.story, "DEAD_S", -1.0)
    say(home, "keeper", pid=os.getpid())
    adopt(home, "owner", dead_pid)

    clock, moved = tick(home, "keeper", "owner")

    assert moved == [DUE_S]
    assert clock.gone == ("owner",)


def test_an_agent_that_was_started_again_is_waited_for(
    home: Home, dead_pid: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folkmoot.demo.story, "DEAD_S", -1.0)
    say(home, "keeper", pid=os.getpid())
    say(home, "owner", pid=dead_pid, busy="training", due_at_s=0)
    adopt(home, "owner", os.getpid())

    _, moved = tick(home, "keeper", "owner")

    assert moved == []


def test_an_agent_that_has_not_begun_holds_the_clock(home: Home) -> None:
    say(home, "keeper", pid=os.getpid())

    _, moved = tick(home, "keeper", "owner")

    assert moved == []
