"""Runs agents, each in an operating system process of its own.

Several agents of one machine are forked from a parent that has the libraries in memory and no key:
thirteen of them start in the time of two. What one of them knows the others never held.
"""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from folkmoot.agent_config import AgentConfig
from folkmoot.files import StorageError, explain_os_error
from folkmoot.home import Home
from folkmoot.processes import adopt
from folkmoot.settings import Settings
from governance.errors import FolkmootError

LOGGER = logging.getLogger(__name__)
SHARED = (
    "agents.net.agent",
    "agents.net.post",
    "agents.protocols.buying",
    "agents.roles.claims",
    "agents.roles.buying",
    "agents.roles.compute",
    "agents.roles.coordinator",
    "agents.roles.evaluator",
    "agents.roles.income",
    "agents.roles.keeper",
    "agents.roles.owner",
    "agents.roles.process",
    "agents.roles.selling",
    "folkmoot.agent_process",
    "folkmoot.network",
    "governance.adapters.evm.chain",
    "governance.policy",
)
"""Loaded before the fork, once for all agents; scikit-learn is not among them."""


def run_agents(paths: Sequence[Path], home: Home, settings: Settings) -> int:
    """Run the agents of these configurations; return 0, or 1 if one of them failed."""
    configs = [AgentConfig.read(path) for path in paths]
    if len(configs) == 1:
        # Started by hand it is listed and stopped with its network like any other.
        with suppress(StorageError):
            adopt(Home.at(configs[0].network), configs[0].name, os.getpid())
        return _run(configs[0], settings)
    _load_libraries()
    children = {_fork(config, home, settings): config.name for config in configs}

    def pass_on(number: int, _frame: object) -> None:
        for pid in list(children):
            os.kill(pid, number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, pass_on)
    return _wait(children)


def _wait(children: dict[int, str]) -> int:
    failed = False
    while children:
        pid, status = os.wait()
        name = children.pop(pid, "?")
        code = os.waitstatus_to_exitcode(status)
        failed |= code != 0
        if code:
            LOGGER.error("%s ended with %s", name, code)
    return int(failed)


def _fork(config: AgentConfig, home: Home, settings: Settings) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        adopt(home, config.name, pid)
        return pid
    # From here on this is the agent's process: it must never return into the parent's code.
    code = 1
    try:
        _redirect(home.logs / f"{config.name}.log")
        code = _run(config, settings)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _redirect(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(handle, 1)
    os.dup2(handle, 2)


def _run(config: AgentConfig, settings: Settings) -> int:
    from folkmoot.agent_process import run_agent

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True)
    try:
        return run_agent(config, settings)
    except FolkmootError as problem:
        sys.stderr.write(f"folkmoot: {config.name}: {problem}\n")
    except OSError as problem:
        sys.stderr.write(f"folkmoot: {config.name}: {explain_os_error(problem, 'a file')}\n")
    except Exception:  # noqa: BLE001 - the process edge
        traceback.print_exc()
        sys.stderr.write(f"folkmoot: {config.name}: this is a fault of ours; please report the lines above\n")
    return 1


def _load_libraries() -> None:
    for module in SHARED:
        importlib.import_module(module)
