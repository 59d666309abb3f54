"""A network that runs one short job, driven by the real commands, for tests that break it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import yaml

from folkmoot import processes
from folkmoot.demo.cast import EXAMPLE, SCHEMA
from folkmoot.demo.run import stop
from folkmoot.devnet import Devnet
from folkmoot.home import Home
from folkmoot.settings import CHECKOUT
from governance.adapters.evm import EvmChain
from governance.adapters.evm.keys import keystore_address
from governance.domain.deployment import Deployment
from governance.errors import FolkmootError
from governance.ports import Event
from governance.services.reading import raw
from tests.e2e.recorder import Recorder

FoundT = TypeVar("FoundT")
SCRIPT = Path(__file__).with_name("short_demo.py")


@dataclass(slots=True)
class ShortNetwork:
    """One home, and the demonstration's script that runs in it."""

    home: Home
    job_file: Path
    example: Path
    script: subprocess.Popen[bytes] | None = None
    recorders: list[Recorder] = field(default_factory=list)

    @classmethod
    def prepare(cls, folder: Path, *, rounds: int, floors: Mapping[str, int] | None = None) -> ShortNetwork:
        """Write a job of one candidate, and the mandates with other floors for data."""
        example = folder / "example"
        shutil.copytree(EXAMPLE, example)
        for owner, floor in (floors or {}).items():
            mandate = example / "mandates" / f"{owner}.yaml"
            fields = yaml.safe_load(mandate.read_text())
            fields["floor_price"]["data"] = floor
            mandate.write_text(yaml.safe_dump(fields))
        job_file = folder / "job.yaml"
        job_file.write_text(
            f"job: short\nschema: {SCHEMA}\npurposes: [medical_diagnosis_support]\nlicence: apache-2.0\n"
            f"epsilon: 8\ndelta: 0.00001\nrounds_per_candidate: {rounds}\ncandidates: [without-sex]\n"
            "deadline_days: 120\n"
        )
        return cls(Home.at(folder / "home"), job_file, example)

    def demonstrate(self, *options: str) -> subprocess.Popen[bytes]:
        """Start the demonstration's script in a process of its own."""
        command = [sys.executable, str(SCRIPT), str(self.job_file), str(self.example), "demo", *options]
        with self.said_file.open("ab") as output:
            self.script = subprocess.Popen(
                [*command, "--home", str(self.home.root)],
                stdout=output,
                stderr=output,
                cwd=CHECKOUT,
                env={**os.environ, "PYTHONPATH": str(CHECKOUT), "COLUMNS": "200"},
                start_new_session=True,
            )
        return self.script

    @property
    def said_file(self) -> Path:
        return self.job_file.with_name("said.txt")

    def said(self) -> str:
        return self.said_file.read_text()

    def close(self) -> None:
        """Stop whatever still runs."""
        if self.script is not None and self.script.poll() is None:
            self.script.kill()
            self.script.wait()
        stop(self.home, Devnet(self.home))
        for recorder in self.recorders:
            recorder.stop()

    # -- commands and processes

    def command(self, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command on this home."""
        command = [sys.executable, "-m", "folkmoot", *arguments, "--home", str(self.home.root)]
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, cwd=CHECKOUT)

    def config(self, name: str) -> Path:
        return self.home.agent(name) / "agent.yaml"

    def kill(self, name: str) -> None:
        """Kill an agent as a power cut would."""
        pid = json.loads((self.home.run / f"{name}.json").read_text())["pid"]
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not processes.is_running(pid), seconds=10)

    def start(self, name: str, *others: str) -> None:
        """Start an agent, or several, as their operators would."""
        configs = [str(self.config(each)) for each in (name, *others)]
        command = [sys.executable, "-m", "folkmoot", "agent", "run", *configs, "--home", str(self.home.root)]
        processes.start(self.home, "agents" if others else name, command)

    def is_up(self, name: str) -> bool:
        """Say whether an agent of now, not one of before, has stepped."""
        running = {process.name: process.pid for process in processes.running(self.home)}
        try:
            status = json.loads((self.home.agent(name) / "status.json").read_text())
        except (OSError, ValueError):
            return False
        return name in running and status["pid"] == running[name]

    def log(self, name: str) -> str:
        return (self.home.logs / f"{name}.log").read_text()

    # -- the chain

    def chain(self) -> EvmChain:
        deployment = Deployment.from_json(self.home.deployment_file.read_text())
        return EvmChain(Devnet(self.home).info().rpc_url, deployment)

    def agent(self, name: str) -> str:
        return keystore_address(self.home.agent(name) / "keys" / "agent.json")

    def events(self, contract: str, name: str) -> list[Event]:
        """Return the events so far; none while there is no chain to ask."""
        try:
            chain = self.chain()
            return chain.events(contract, [name], from_block=chain.first_block)
        except (FolkmootError, OSError):
            return []

    def await_event(self, contract: str, name: str, *, count: int = 1, seconds: float = 180) -> list[Event]:
        """Wait until an event has happened so often."""
        try:
            return wait_until(lambda: enough(self.events(contract, name), count), seconds=seconds)
        except AssertionError as error:
            seen = "\n".join(f"{log.name}: {log.read_text()[-600:]}" for log in sorted(self.home.logs.glob("*.log")))
            raise AssertionError(f"no {count}. {name}; {self.said()[-2000:]}\n{seen}") from error

    def await_round(self, number: int) -> None:
        self.await_event("RoundLedger", "RoundPosted", count=number + 1)

    def job(self) -> bytes:
        return raw(self.events("AgreementBook", "JobOpened")[0].values["job"])


def enough(events: list[Event], count: int) -> list[Event]:
    return events if len(events) >= count else []


def wait_until(look: Callable[[], FoundT], *, seconds: float) -> FoundT:
    """Return what ``look`` finds as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError(f"nothing within {seconds} s")
