"""``folkmoot demo`` from the empty folder to the summary."""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from folkmoot import processes
from folkmoot.demo.cast import EXAMPLE
from folkmoot.demo.founding import Founder13, Network
from folkmoot.demo.newcomer import OpenProposal, leave_open
from folkmoot.demo.report import Candidate, Report
from folkmoot.demo.story import Clock, NewestWork, Story
from folkmoot.demo.turn import own_turn
from folkmoot.devnet import Devnet
from folkmoot.devnet.rpc import RpcClient
from folkmoot.files import storage_errors, write_json
from folkmoot.home import Home
from folkmoot.settings import Settings
from folkmoot.watching import dashboard_address
from governance.domain.release import Status
from governance.errors import FolkmootError

if TYPE_CHECKING:
    from collections.abc import Callable

JOB: Final = EXAMPLE / "job.yaml"
DASHBOARD_S: Final = 30.0
"""Seconds that the summary waits for the dashboard's address."""


class Outcome(IntEnum):
    """Exit codes of the demonstration."""

    TOLD = 0
    """One candidate was refused and one released, as the Python mirror predicted."""
    FAILED = 1
    OTHERWISE = 3
    """All was sound, but the decisions differ from that story."""


@dataclass(slots=True, kw_only=True)
class Told:
    """What a demonstration leaves for its summary."""

    network: Network
    job: bytes
    candidates: list[Candidate]
    open_proposal: OpenProposal
    rpc_url: str
    outcome: Outcome
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Demonstration:
    """Runs once in a fresh home."""

    root: Path
    settings: Settings
    seed: int | None
    """None draws the owners' noise from the operating system."""
    tell: Callable[[str], None]
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self, *, keep: bool) -> Told:
        """Run everything; without ``keep`` nothing is left running.

        Raises
        ------
        FolkmootError
            If a step cannot be done, or another demonstration runs in this home.
        """
        if self.settings.rpc_url is not None:
            raise FolkmootError("the demonstration brings its own development chain; unset FOLKMOOT_RPC")
        with own_turn(self.root):
            return self._run(keep=keep)

    def _run(self, *, keep: bool) -> Told:
        home = self._fresh_home()
        devnet = Devnet(home, self.settings)
        done = False
        try:
            told = self._tell(home, devnet, keep=keep)
            done = keep
        finally:
            if not done:
                stop(home, devnet)
        return told

    def _tell(self, home: Home, devnet: Devnet, *, keep: bool) -> Told:
        started = time.monotonic()
        info = devnet.start()
        self.tell(f"the development chain is up: {info.rpc_url}, chain id {info.chain_id}")
        self.tell("its clock jumps ahead whenever nobody has work, so that days of voting pass in seconds")
        founder = Founder13(
            home=home, settings=self.settings, devnet=devnet, info=info, noise_seed=self.seed, tell=self.tell
        )
        network = founder.found()
        self._lap("founding", started)
        self._start_agents(home, network)
        work = NewestWork(RpcClient(info.rpc_url))
        clock = Clock(home=home, devnet=devnet, slugs=tuple(network.configs), newest_work=work)
        story = Story(home=home, network=network, clock=clock, tell=self.tell)
        begun = time.monotonic()
        story.start_job(JOB, seeded=self.seed is not None)
        job = story.run()
        self._lap("job", begun)
        told = self._report(home, network, job, rpc_url=info.rpc_url)
        told.open_proposal = leave_open(network, devnet)
        self.tell("the admission of a fifth hospital is proposed and one vote short of passing")
        if keep:
            start_watching(home)
        self._lap("everything", started)
        told.seconds = dict(self.seconds)
        document = Report(home, network, _store(home)).document(job, rpc_url=info.rpc_url, seconds=self.seconds)
        write_json(home.report_file, document)
        return told

    def _report(self, home: Home, network: Network, job: bytes, *, rpc_url: str) -> Told:
        candidates = Report(home, network, _store(home)).candidates(job)
        nothing = OpenProposal(proposal=0, voter="", votes_for=0, votes_needed=0)
        return Told(
            network=network,
            job=job,
            candidates=candidates,
            open_proposal=nothing,
            rpc_url=rpc_url,
            outcome=judge(candidates),
        )

    def _start_agents(self, home: Home, network: Network) -> None:
        self.tell("starting thirteen agents, a process each")
        command = [sys.executable, "-m", "folkmoot", "agent", "run", "--home", str(home.root)]
        processes.start(home, "agents", [*command, *map(str, network.configs.values())])

    def _fresh_home(self) -> Home:
        old = Home.at(self.root)
        if old.root.exists() and any(old.root.iterdir()):
            with suppress(FolkmootError):
                stop(old, Devnet(old, self.settings))
            kept = _place_of_old(old)
            with storage_errors(kept):
                if kept.exists():
                    shutil.rmtree(kept)
                old.root.rename(kept)
            self.tell(f"the home of an earlier run is kept as {kept}")
        return Home.create(self.root)

    def _lap(self, what: str, since: float) -> None:
        self.seconds[what] = round(time.monotonic() - since, 1)


def _place_of_old(old: Home) -> Path:
    """Return where a home is kept; one that was never finished does not take the place of one that was."""
    kept = old.root.with_name(old.root.name + ".old")
    takes_its_place = old.report_file.exists() or not Home.at(kept).report_file.exists()
    return kept if takes_its_place else old.root.with_name(old.root.name + ".unfinished")


def judge(candidates: list[Candidate]) -> Outcome:
    """Say whether the decisions tell the story of one refusal and one release."""
    if not all(candidate.agrees for candidate in candidates):
        return Outcome.FAILED
    seen = {candidate.status for candidate in candidates}
    return Outcome.TOLD if {Status.REFUSED, Status.RELEASED} <= seen else Outcome.OTHERWISE


def stop(home: Home, devnet: Devnet) -> None:
    """Stop everything that runs for a home."""
    processes.stop_all(home)
    devnet.stop()


def start_watching(home: Home) -> None:
    """Start index and dashboard, and leave them running."""
    command = [sys.executable, "-m", "folkmoot"]
    processes.start(home, "index", [*command, "index", "--home", str(home.root)])
    processes.start(home, "dashboard", [*command, "dashboard", "--home", str(home.root), "--any-port"])
    deadline = time.monotonic() + DASHBOARD_S
    while not dashboard_address(home) and time.monotonic() < deadline:
        time.sleep(0.2)


def _store(home: Home) -> FileStoreType:
    from governance.adapters.store import FileStore

    return FileStore(home.store)


if TYPE_CHECKING:
    from governance.adapters.store import FileStore as FileStoreType
