"""Rules of the code base that no linter knows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import agents
import dashboard
import folkmoot
import governance
from folkmoot.settings import CHECKOUT

PRODUCT = ("agents", "dashboard", "folkmoot", "governance", "bench", "examples")
# These prove that tampering is found, so they have to tamper; gas repeats only on a chain whose time stands still.
TAMPERING = re.compile(
    r"tests/(audit_\w+|steady_chain|node_calls|integration/audit/\w+|integration/test_history_on_chain|.*tamper\w*)\.py"
)


def sources(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((CHECKOUT / folder).rglob("*.py"))]


def offenders(paths: list[Path], pattern: str) -> list[str]:
    found = re.compile(pattern)
    return [
        f"{path.relative_to(CHECKOUT)}:{number}"
        for path in paths
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if found.search(line)
    ]


def test_time_and_state_of_a_chain_are_moved_in_devnet_only() -> None:
    devnet = CHECKOUT / "folkmoot" / "devnet"
    elsewhere = [
        path
        for path in sources(*PRODUCT, "tests")
        if not path.is_relative_to(devnet) and not TAMPERING.fullmatch(path.relative_to(CHECKOUT).as_posix())
    ]
    # anvil_pid is a field of the devnet's own file, no call.
    calls = r"""["'](evm|anvil|hardhat)_(?!pid\b)[a-zA-Z]+["']"""

    assert offenders(elsewhere, calls) == []
    assert offenders(sources("folkmoot/devnet"), calls)


def test_the_environment_is_read_in_settings_only() -> None:
    elsewhere = [path for path in sources(*PRODUCT) if path != CHECKOUT / "folkmoot" / "settings.py"]

    assert offenders(elsewhere, r"os\.(environ|getenv)|from os import.*environ") == []


@pytest.mark.parametrize("package", [agents, dashboard, folkmoot, governance])
def test_the_package_that_is_imported_is_ours(package: object) -> None:
    name = str(getattr(package, "__name__", ""))

    assert Path(str(getattr(package, "__file__", ""))) == CHECKOUT / name / "__init__.py"


def test_no_module_of_the_dashboard_shadows_a_package_under_streamlit() -> None:
    names = {path.name for path in (CHECKOUT / "dashboard").iterdir()}

    assert names.isdisjoint({"agents.py", "governance.py", "policies.py", "folkmoot.py", "pages"})


def test_there_is_no_drawer_for_everything() -> None:
    names = [path for path in sources(*PRODUCT) if path.stem in {"utils", "helpers", "manager", "common", "misc"}]

    assert names == []


def test_pins_and_locks_name_no_host() -> None:
    pins = (CHECKOUT / "constraints.txt").read_text().splitlines()
    lock = (CHECKOUT / "package-lock.json").read_text()

    assert [pin for pin in pins if not re.fullmatch(r"#.*|[A-Za-z0-9._-]+==[A-Za-z0-9.!+_-]+", pin)] == []
    assert '"resolved"' not in lock
