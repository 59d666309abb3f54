"""One demonstration for all tests of a worker: founded on planted rows, every message recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

import folkmoot.demo.founding
from folkmoot.demo.founding import Network
from folkmoot.demo.run import Demonstration, Told, stop
from folkmoot.devnet import Devnet
from folkmoot.home import Home
from folkmoot.settings import read_settings
from governance.adapters.evm.keys import keystore_address
from governance.services.registry import Registry
from tests.e2e.planted import Planted, plant
from tests.e2e.recorder import Recorder


@dataclass(slots=True, kw_only=True)
class RecordedDemonstration(Demonstration):
    """Puts a recording proxy before every agent, by moving its endpoint on chain."""

    recorders: dict[str, Recorder] = field(default_factory=dict)

    def _start_agents(self, home: Home, network: Network) -> None:
        for party in network.parties:
            config = yaml.safe_load(network.configs[party.slug].read_text())
            recorder = Recorder(f"http://{config['listen']}")
            address = keystore_address(home.agent(party.slug) / "keys" / "agent.json")
            operator = network.keys.signer(f"{party.slug}.operator")
            Registry(network.chain).set_endpoint(operator, address, recorder.start())
            self.recorders[party.slug] = recorder
        Demonstration._start_agents(self, home, network)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A finished demonstration that is still up."""

    home: Home
    told: Told
    report: dict[str, object]
    planted: Planted
    recorders: dict[str, Recorder]
    lines: list[str]


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    folder = tmp_path_factory.mktemp("demo")
    planted, lines = plant(folder), []
    patch = pytest.MonkeyPatch()
    patch.setattr(folkmoot.demo.founding, "DATA", planted.path)
    shown = RecordedDemonstration(root=folder / "home", settings=read_settings({}), seed=0, tell=lines.append)
    home = Home.at(folder / "home")
    try:
        told = shown.run(keep=True)
        report = json.loads(home.report_file.read_text())
        yield Shown(home=home, told=told, report=report, planted=planted, recorders=shown.recorders, lines=lines)
    finally:
        patch.undo()
        stop(home, Devnet(home))
        for recorder in shown.recorders.values():
            recorder.stop()


def everything_under(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield every file below a folder."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path, path.read_bytes()
