"""What an owner spends of its table's privacy: never more than its life allows, never twice for one round."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agents.training.scenario import build
from agents.training.schema import load_schema
from folkmoot.demo.cast import DATA, SCHEMA
from folkmoot.scenario import write_split
from folkmoot.settings import CHECKOUT, child_environment

SCRIPT = Path(__file__).with_name("owner_peer.py")
ONE_JOB_AND_A_HALF, TWO_JOBS = 12_000_000, 16_000_000


@dataclass(slots=True)
class Peer:
    process: subprocess.Popen[str]

    def ask(self, line: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        reply = self.process.stdout.readline()
        assert reply, "the owner ended"
        answer = json.loads(reply)
        assert isinstance(answer, dict)
        return answer


@contextmanager
def owner(home: Path, *, lifetime_micros: int) -> Iterator[Peer]:
    """Run an owner, and kill it without a last word at the end."""
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), str(home), str(lifetime_micros)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
        env=child_environment(PYTHONPATH=str(CHECKOUT)),
    )
    with process:
        yield Peer(process)
        os.kill(process.pid, signal.SIGKILL)


def split(folder: Path) -> Path:
    owners = build(DATA, load_schema(SCHEMA), folder / "scenario", seed=0)
    cleveland = next(each for each in owners if each.slug == "cleveland")
    home = folder / "home"
    shutil.copytree(cleveland.directory, home / "data")
    write_split(cleveland, home / "data")
    return home


@dataclass(frozen=True, slots=True)
class Answers:
    """What two owners with the same rows said; each was killed and started again midway."""

    here: list[dict[str, Any]]
    there: list[dict[str, Any]]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    here = split(tmp_path_factory.mktemp("here"))
    there = tmp_path_factory.mktemp("there") / "home"
    shutil.copytree(here, there)
    thrice, then = ["1 task:1", "1 task:1", "1 again"], ["1 later", "ack", "1 after-ack", "2 task:2", "3 task:3"]
    return Answers(
        here=talk(here, TWO_JOBS, before=thrice, after=then),
        there=talk(there, ONE_JOB_AND_A_HALF, before=["1 task:1"], after=["2 task:2", "1 again"]),
    )


def talk(home: Path, lifetime_micros: int, *, before: list[str], after: list[str]) -> list[dict[str, Any]]:
    found = []
    for asked in (before, after):
        with owner(home, lifetime_micros=lifetime_micros) as peer:
            found += [peer.ask(line) for line in asked]
    return found


def test_a_round_asked_twice_is_answered_once_with_the_same_bytes(answers: Answers) -> None:
    first, again, otherwise, after_the_kill = answers.here[:4]

    assert [first["verdict"], again["verdict"]] == ["taken", "repeated"]
    assert len(first["sent"]) == 1
    assert first["kept"]["1"] in first["sent"][0]
    assert first["sent"] == again["sent"] == otherwise["sent"] == after_the_kill["sent"]
    # The same rows with noise of its own: were it drawn again, it would show.
    assert len(answers.there[0]["sent"]) == 1
    assert answers.there[0]["sent"] != first["sent"]


def test_a_round_whose_answer_has_arrived_is_not_answered_again(answers: Answers) -> None:
    first, (acknowledged, asked_again) = answers.here[0], answers.here[4:6]

    assert acknowledged["sent"] == asked_again["sent"] == []
    assert asked_again["kept"] == first["kept"]


def test_a_job_beyond_the_lifetime_epsilon_is_refused_before_a_round(answers: Answers) -> None:
    first, second, first_again = answers.there

    assert [answer["verdict"] for answer in answers.there] == ["taken", "refused", "taken"]
    assert "the privacy of this table is spent" in second["refused"]
    assert set(second["kept"]) == set(first_again["kept"]) == {"1"}
    assert second["sent"] == first["sent"]


def test_a_lifetime_of_two_jobs_bears_two_and_no_third(answers: Answers) -> None:
    second, third = answers.here[-2:]

    assert [second["verdict"], third["verdict"]] == ["taken", "refused"]
    assert set(third["kept"]) == {"1", "2"}
    assert len(third["sent"]) == 1
