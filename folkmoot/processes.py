"""The processes that were started for a home: start them detached, list them, stop them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from folkmoot.files import storage_errors, write_json
from folkmoot.home import Home
from folkmoot.settings import CHECKOUT, child_environment
from governance.errors import FolkmootError

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_GRACE_S = 5.0


class ProcessError(FolkmootError):
    """A process cannot be started, or its name is taken."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a home."""

    name: str
    pid: int
    born: str
    """When the system says the process began; a number is used again, the pair is not."""
    log: str


def start(home: Home, name: str, command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Process:
    """Start a process in its own session, with its output in ``HOME/logs/NAME.log``.

    Raises
    ------
    ProcessError
        If one of that name runs already, or the program is missing.
    """
    if not _NAME.fullmatch(name):
        raise ProcessError(f"{name!r} is no process name: use small letters, digits, . _ -")
    if any(process.name == name for process in running(home)):
        raise ProcessError(f"{name} runs already in {home.root}; `folkmoot down` stops it")
    log = home.logs / f"{name}.log"
    with storage_errors(log):
        log.parent.mkdir(parents=True, exist_ok=True)
        output = log.open("ab")
    with output:
        try:
            child = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=CHECKOUT,
                env=child_environment(**(environment or {})),
                start_new_session=True,
            )
        except OSError as error:
            raise ProcessError(f"cannot start {name}: {error}") from error
    process = Process(name, child.pid, _born(child.pid), str(log))
    write_json(_file(home, name), asdict(process))
    return process


def adopt(home: Home, name: str, pid: int) -> None:
    """Note a process that was started in another way, so that it is listed and stopped with the rest."""
    log = home.logs / f"{name}.log"
    write_json(_file(home, name), asdict(Process(name, pid, _born(pid), str(log))))


def adopt_this(home: Home, name: str) -> None:
    """Note this process, which a person may have started by hand, unless another has the name."""
    if not any(process.name == name for process in running(home)):
        adopt(home, name, os.getpid())


def running(home: Home) -> tuple[Process, ...]:
    """Return the processes of a home that are alive, by name."""
    return tuple(process for path in sorted(home.run.glob("*.json")) if (process := _read(path)) and _is_alive(process))


def noted_pid(home: Home, name: str) -> int:
    """Return the number of the process that was last started under a name, 0 if there was none."""
    process = _read(_file(home, name))
    return process.pid if process else 0


def is_running(pid: int) -> bool:
    """Say whether there is a process of this number that has not ended."""
    return bool(_born(pid))


def stop(home: Home, process: Process, *, grace_s: float = _GRACE_S) -> None:
    """Ask a process to end, wait, and kill it if it does not; forget it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if not _is_alive(process):
            break
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)
        deadline = time.monotonic() + grace_s
        while _is_alive(process) and time.monotonic() < deadline:
            time.sleep(0.05)
    _file(home, process.name).unlink(missing_ok=True)


def stop_all(home: Home) -> tuple[str, ...]:
    """Stop every process of a home and return their names."""
    stopped = running(home)
    for process in stopped:
        with suppress(ProcessLookupError):
            # All at once first: each then has the whole grace, and agents end together.
            os.kill(process.pid, signal.SIGTERM)
    for process in stopped:
        stop(home, process)
    for path in home.run.glob("*.json"):
        path.unlink(missing_ok=True)
    return tuple(process.name for process in stopped)


def _file(home: Home, name: str) -> Path:
    return home.run / f"{name}.json"


def _read(path: Path) -> Process | None:
    try:
        fields = json.loads(path.read_text())
        return Process(
            name=str(fields["name"]), pid=int(fields["pid"]), born=str(fields["born"]), log=str(fields["log"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_alive(process: Process) -> bool:
    with suppress(ChildProcessError):
        # A child of ours that ended stays listed until somebody asks for its exit code.
        os.waitpid(process.pid, os.WNOHANG)
    born = _born(process.pid)
    return bool(born) and born == process.born


def _born(pid: int) -> str:
    """Return when a process began, or nothing if it is gone."""
    with suppress(OSError, IndexError):
        # The 22nd field, counted after the name, which may itself hold spaces and brackets.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    listed = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)],  # noqa: S607 - ps is where PATH says
        capture_output=True,
        text=True,
        check=False,
    )
    return listed.stdout.strip()
