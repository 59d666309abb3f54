from __future__ import annotations

import json
import os
import sys
import time

import pytest

from folkmoot import processes
from folkmoot.home import Home
from folkmoot.processes import ProcessError

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(60)",
]


def test_a_started_process_is_listed_until_it_is_stopped(home: Home) -> None:
    process = processes.start(home, "owner", SLEEP)

    assert processes.running(home) == (process,)
    assert processes.stop_all(home) == ("owner",)
    assert processes.running(home) == ()
    assert list(home.run.iterdir()) == []


def test_a_name_that_runs_is_not_started_twice(home: Home) -> None:
    processes.start(home, "owner", SLEEP)

    with pytest.raises(ProcessError, match="owner runs already"):
        processes.start(home, "owner", SLEEP)

    processes.stop_all(home)


def test_a_process_that_ignores_the_request_is_killed(home: Home) -> None:
    process = processes.start(home, "stubborn", STUBBORN)
    log = home.logs / "stubborn.log"
    while "on" not in log.read_text():
        time.sleep(0.02)

    processes.stop(home, process, grace_s=0.2)

    assert processes.running(home) == ()


def test_a_used_again_process_number_is_never_touched(home: Home) -> None:
    process = processes.start(home, "owner", SLEEP)
    path = home.run / "owner.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"pid": os.getpid(), "born": "long ago"}))

    assert processes.running(home) == ()
    assert processes.stop_all(home) == ()

    processes.stop(home, process)


def test_a_damaged_entry_is_passed_over(home: Home) -> None:
    home.run.mkdir()
    (home.run / "broken.json").write_text("{")

    assert processes.running(home) == ()


def test_a_missing_program_is_named(home: Home) -> None:
    with pytest.raises(ProcessError, match="cannot start owner"):
        processes.start(home, "owner", ["/nowhere/program"])


def test_output_and_environment_reach_the_process(home: Home) -> None:
    command = [sys.executable, "-c", "import os; print(os.environ['SENTENCE'])"]

    process = processes.start(home, "speaker", command, environment={"SENTENCE": "heard"})
    while processes.running(home):
        time.sleep(0.02)

    assert "heard" in (home.logs / "speaker.log").read_text()
    assert process.log == str(home.logs / "speaker.log")
