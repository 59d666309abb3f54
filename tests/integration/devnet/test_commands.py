"""The commands a person types, from start to end."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from folkmoot.home import Home
from folkmoot.settings import CHECKOUT

pytestmark = pytest.mark.chain

WARNING = "development chain: its operator can rewrite everything"


def folkmoot(home: Home, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "folkmoot", *arguments, "--home", str(home.root)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=CHECKOUT, check=False)


def test_a_chain_is_started_moved_and_stopped_by_commands(home: Home) -> None:
    up = folkmoot(home, "up", "--json")
    before = json.loads(folkmoot(home, "status", "--json").stdout)["chain"]["timestamp_s"]
    moved = folkmoot(home, "devnet", "advance", "3600", "--json")
    down = folkmoot(home, "down")

    assert (up.returncode, moved.returncode, down.returncode) == (0, 0, 0)
    assert json.loads(up.stdout)["chain_id"] > 0
    assert json.loads(moved.stdout)["timestamp_s"] >= before + 3600
    assert down.stdout == "down: chain\n"
    assert folkmoot(home, "status").returncode == 1


def test_every_command_on_a_development_chain_warns(home: Home) -> None:
    commands = (["up"], ["status"], ["devnet", "advance", "1"], ["devnet", "snapshot"], ["devnet", "restore"])

    outputs = [folkmoot(home, *command) for command in commands]
    folkmoot(home, "down")

    assert [WARNING in output.stderr for output in outputs] == [True] * len(commands)


def test_down_on_a_home_that_never_ran_is_no_error(home: Home) -> None:
    done = folkmoot(home, "down")

    assert (done.returncode, done.stdout) == (0, "down: nothing was running\n")
    assert list(home.root.iterdir()) == []


def test_advance_needs_seconds_or_to_next(home: Home) -> None:
    assert folkmoot(home, "devnet", "advance").returncode == 2
    assert folkmoot(home, "devnet", "advance", "5", "--to-next").returncode == 2


def test_doctor_tells_of_a_chain_that_is_up(home: Home) -> None:
    folkmoot(home, "up")

    done = folkmoot(home, "doctor", "--json")
    folkmoot(home, "down")

    findings = {finding["what"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert findings["chain"]["detail"].startswith("up at block")
    assert findings["anvil"]["verdict"] == "ok"
