"""What all tests share: tools that may be missing, homes, development chains, blocked sockets."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from folkmoot.devnet import Devnet, NodeMissing, find_anvil
from folkmoot.doctor import find_browser
from folkmoot.home import Home
from folkmoot.settings import CHECKOUT, read_settings

# Two busy cores make any deadline of a single example a matter of luck.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fuzz", settings.get_profile("default"), max_examples=5000)
settings.load_profile("default")


def _has_anvil() -> bool:
    try:
        find_anvil(read_settings())
    except NodeMissing:
        return False
    return True


def _has_contract_tools() -> bool:
    return shutil.which("node") is not None and (CHECKOUT / "node_modules" / "solc").is_dir()


def _has_provers() -> bool:
    return all((CHECKOUT / ".venv-prove" / "bin" / name).exists() for name in ("halmos", "slither"))


def _has_second_client() -> bool:
    return shutil.which("node") is not None and (CHECKOUT / "node_modules" / "@nomicfoundation").is_dir()


_NEEDS = {
    "chain": ("FOLKMOOT_REQUIRE_CHAIN", _has_anvil, "there is no anvil"),
    "browser": ("FOLKMOOT_REQUIRE_BROWSER", find_browser, "there is no Chromium"),
    "contracts": ("FOLKMOOT_REQUIRE_CONTRACT_TOOLS", _has_contract_tools, "there is no node or no solc"),
    "provers": ("FOLKMOOT_REQUIRE_CONTRACT_TOOLS", _has_provers, "there is no halmos or no slither"),
    "second_client": ("FOLKMOOT_REQUIRE_CONTRACT_TOOLS", _has_second_client, "there is no second client"),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for marker, (variable, present, words) in _NEEDS.items():
        # Where a tool is required its tests run, and fail with the product's own words.
        if os.environ.get(variable) or present():
            continue
        skip = pytest.mark.skip(reason=f"{words}; `folkmoot doctor` says what to do")
        for item in items:
            if item.get_closest_marker(marker):
                item.add_marker(skip)


@pytest.fixture(autouse=True)
def _no_network_in_unit_tests(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = request.path.relative_to(CHECKOUT / "tests").parts[0]
    if kind not in {"unit", "property"}:
        return
    connect = socket.socket.connect

    def refuse(self: socket.socket, address: object) -> None:
        if self.family != socket.AF_UNIX:
            raise AssertionError(f"a unit test wants to reach {address}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(autouse=True)
def _own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FOLKMOOT_RPC", "FOLKMOOT_PASSWORD_FILE", "FOLKMOOT_MODEL", "FOLKMOOT_DATABASE"):
        monkeypatch.delenv(name, raising=False)
    # A command without --home must never touch the person's own network.
    monkeypatch.setenv("FOLKMOOT_HOME", str(tmp_path / "default-home"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.create(tmp_path / "home")


@pytest.fixture
def devnet(home: Home) -> Iterator[Devnet]:
    """A development chain of its own, up; it is down after the test."""
    chain = Devnet(home)
    chain.start()
    yield chain
    chain.stop()


@pytest.fixture(scope="module")
def shared_devnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devnet]:
    """One development chain for a test file; its tests must not rely on an empty chain."""
    chain = Devnet(Home.create(tmp_path_factory.mktemp("shared") / "home"))
    chain.start()
    yield chain
    chain.stop()
