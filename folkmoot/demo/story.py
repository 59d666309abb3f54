"""Drives the demonstration: starts processes, casts the members' votes, moves the clock when all are idle.

No decision is made here. The agents bargain, train, measure and propose by themselves; what this
code does a person could do with ``folkmoot agent run``, ``folkmoot vote`` and ``folkmoot devnet advance``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from folkmoot.demo.cast import COORDINATOR
from folkmoot.demo.milestones import Milestones
from folkmoot.devnet.rpc import RpcClient
from folkmoot.jobs import hand_over
from folkmoot.processes import is_running, noted_pid
from folkmoot.votes import Proposals, Support
from governance.errors import FolkmootError
from governance.services.market import AgreementState, JobState, Market
from governance.services.reading import number, raw

if TYPE_CHECKING:
    from folkmoot.demo.founding import Network
    from folkmoot.devnet import Devnet
    from folkmoot.home import Home

POLL_S: Final = 0.3
IDLE_POLLS: Final = 2
DEAD_S: Final = 15.0
"""Seconds that the clock waits for an agent whose process ended, in case somebody starts it again."""
PATIENCE_S: Final = 240.0
"""Seconds without anything new after which the demonstration gives up."""


class StoryError(FolkmootError):
    """The demonstration cannot go on; says where its logs are."""


@dataclass(frozen=True, slots=True)
class AgentPlans:
    """What an agent says of itself in its status file."""

    busy: str
    due_at_s: int
    block: int
    pid: int
    """0 before it has written any."""


@dataclass(slots=True)
class NewestWork:
    """Finds the newest block that holds a transaction; plans that were made before it are out of date."""

    node: RpcClient
    _head: int = 0
    _found: int = 0

    def __call__(self) -> int:
        """Return its number."""
        head = self.node.number("eth_blockNumber")
        new = range(self._head + 1, head + 1)
        counts = self.node.batch("eth_getBlockTransactionCountByNumber", [hex(block) for block in new])
        full = [block for block, count in zip(new, counts, strict=True) if count != "0x0"]
        self._found = max(full, default=self._found)
        self._head = head
        return self._found


@dataclass(slots=True, kw_only=True)
class Clock:
    """Moves the development chain's time when no agent has work or an open window."""

    home: Home
    devnet: Devnet
    slugs: tuple[str, ...]
    newest_work: Callable[[], int]
    _idle: int = 0
    _head: int = 0
    moved: list[int] = field(default_factory=list)
    _dead_since: dict[str, float] = field(default_factory=dict)

    def tick(self, head: int, now_s: int) -> bool:
        """Look at the plans of all that run; move the clock if all have been idle; say whether it moved."""
        plans = [plan for slug in self.slugs if not self._is_gone(slug, plan := self._plans(slug))]
        # Asked after the plans: who acted and has told its plans since has its transaction in a block. Without this a
        # keeper that just closed a vote, and has not looked at its next deadline yet, would let that deadline pass.
        since = max(self._head, self.newest_work())
        seen = all(plan.block >= since for plan in plans)
        self._idle = self._idle + 1 if seen and not any(plan.busy for plan in plans) else 0
        self._head = head
        due = [plan.due_at_s for plan in plans if plan.due_at_s > now_s]
        if self._idle < IDLE_POLLS or not due:
            return False
        self.devnet.advance_to(min(due))
        self.moved.append(min(due))
        self._idle = 0
        return True

    @property
    def gone(self) -> tuple[str, ...]:
        """Agents that ended so long ago that nobody waits for them any more."""
        return tuple(slug for slug, since in self._dead_since.items() if time.monotonic() - since > DEAD_S)

    def _is_gone(self, slug: str, plan: AgentPlans) -> bool:
        # One that died before its first step has left no plans, but a process number.
        known = [pid for pid in (plan.pid, noted_pid(self.home, slug)) if pid]
        if not known or any(map(is_running, known)):
            self._dead_since.pop(slug, None)
            return False
        self._dead_since.setdefault(slug, time.monotonic())
        return slug in self.gone

    def _plans(self, slug: str) -> AgentPlans:
        try:
            document = json.loads((self.home.agent(slug) / "status.json").read_text())
            return AgentPlans(
                str(document["busy"]), int(document["due_at_s"]), int(document["block"]), int(document["pid"])
            )
        except (OSError, ValueError, KeyError, TypeError):
            return AgentPlans("starting", 0, -1, 0)


@dataclass(slots=True, kw_only=True)
class Story:
    """One job from the job file to the last payment."""

    home: Home
    network: Network
    clock: Clock
    tell: Callable[[str], None]
    _missed: set[str] = field(default_factory=set)

    def start_job(self, job_file: Path, *, seeded: bool) -> None:
        """Hand the job to the coordinator."""
        hand_over(job_file, self.home.agent(COORDINATOR), seeded=seeded)

    def run(self) -> bytes:
        """Wait until the job is over and everything is paid; return the job's id.

        Raises
        ------
        StoryError
            If nothing happens for too long, or the development chain cannot be kept.
        """
        milestones = Milestones(self.network.chain)
        quiet_since = time.monotonic()
        while True:
            self._require_chain()
            news = [*milestones.read(), *self._vote(), *self._miss()]
            for line in news:
                self.tell(line)
            job = self._finished_job()
            if job is not None:
                return job
            moved = self.clock.tick(self.network.chain.block_number(), self.network.chain.now_s())
            if news or moved:
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since > PATIENCE_S:
                raise StoryError(f"nothing happened for {PATIENCE_S:.0f} s; the agents' logs are in {self.home.logs}")
            time.sleep(POLL_S)

    def _require_chain(self) -> None:
        # A chain that cannot write down its blocks goes on in memory, and a crash would lose them.
        problem = self.clock.devnet.status().problem
        if problem is not None:
            raise StoryError(problem)

    def _miss(self) -> list[str]:
        new = [slug for slug in self.clock.gone if slug not in self._missed]
        self._missed.update(new)
        return [f"the agent {slug} does not run any more; the others go on without it" for slug in new]

    def _vote(self) -> list[str]:
        proposals, told = Proposals(self.network.chain), []
        for proposal in proposals.active():
            voted = self._voted(proposal)
            for party in self.network.parties:
                member = self.network.keys.address(f"{party.slug}.member")
                if member not in voted:
                    proposals.cast(self.network.keys.signer(f"{party.slug}.member"), proposal, Support.FOR)
                    told.append(f"{party.name} votes for proposal {str(proposal)[:8]}")
        return [f"{len(told)} members vote for, none against"] if told else []

    def _voted(self, proposal: int) -> set[str]:
        events = self.network.chain.events("ModelGovernor", ["VoteCast"], from_block=self.network.chain.first_block)
        return {str(event.values["voter"]) for event in events if number(event.values["proposalId"]) == proposal}

    def _finished_job(self) -> bytes | None:
        chain, market = self.network.chain, Market(self.network.chain)
        jobs = [
            raw(event.values["job"])
            for event in chain.events("AgreementBook", ["JobOpened"], from_block=chain.first_block)
        ]
        if not jobs:
            return None
        record = market.job(jobs[0])
        if record.state is not JobState.FINISHED and chain.now_s() <= record.deadline_s:
            return None
        made = chain.events("AgreementBook", ["AgreementCreated"], from_block=chain.first_block)
        found = [market.agreement(raw(event.values["id"])) for event in made if event.values["job"] == jobs[0]]
        closed = all(each is not None and each.state is AgreementState.CLOSED for each in found)
        return jobs[0] if closed else None
