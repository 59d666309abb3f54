"""One agent as a process: guarded ingress, durable mail, and roles that step when something happened."""

import asyncio
import json
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agents.net.agent import NetAgent
from agents.net.artifacts import ArtifactSource, fetch_artifact
from agents.net.directory import AgentEntry, CachedDirectory
from agents.net.errors import ArtifactError
from agents.net.keys import identity_from_key
from agents.roles.desk import Plans, Role, merge
from agents.roles.still import StillChain
from governance.domain.market import Address
from governance.errors import FolkmootError
from governance.services.registry import Registry

LOGGER = logging.getLogger(__name__)
POLL_S = 0.4
FETCH_S = 30.0
TROUBLE = "trouble"


@dataclass(frozen=True, slots=True)
class RegistryDirectory:
    """AgentRegistry as the network's directory."""

    registry: Registry

    def find(self, agent: str) -> AgentEntry | None:
        """Return the entry of an agent, or None when it was never bound."""
        record = self.registry.agent(agent)
        if not record.organisation:
            return None
        active = self.registry.is_active(agent)
        return AgentEntry(public_key_xy=record.public_key, endpoint=record.endpoint, active=active)


class Fetcher:
    """Fetches artifacts from other agents' endpoints, for roles that work in threads."""

    def __init__(self, directory: CachedDirectory, key: bytes) -> None:
        self._directory = directory
        self._identity = identity_from_key(key)
        self.loop: asyncio.AbstractEventLoop | None = None
        """Set once the agent runs."""

    def __call__(self, agent: Address, digest: bytes) -> bytes:
        """Return the verified bytes of a digest.

        Raises
        ------
        ArtifactError
            If the agent cannot be reached or does not serve them.
        """
        if self.loop is None:
            raise ArtifactError("the agent does not run yet")
        asked = asyncio.run_coroutine_threadsafe(self._fetch(agent, digest), self.loop)
        try:
            return asked.result(FETCH_S + 5)
        except TimeoutError as late:
            asked.cancel()
            raise ArtifactError(f"{agent} did not serve {digest.hex()[:8]}… in time") from late

    async def _fetch(self, agent: Address, digest: bytes) -> bytes:
        entry, endpoint = await self._directory.entry(agent), await self._directory.endpoint(agent)
        if entry is None or endpoint is None:
            raise ArtifactError(f"{agent} has no endpoint that we may contact")
        source = ArtifactSource(agent_address=entry.agent_address, endpoint=endpoint)
        return await fetch_artifact(source, digest.hex(), identity=self._identity, timeout_s=FETCH_S)


class Waker:
    """Lets any thread wake the roles."""

    def __init__(self) -> None:
        self._set: Callable[[], object] = lambda: None

    def bind(self, loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
        """Wake this event from now on."""
        self._set = lambda: loop.call_soon_threadsafe(event.set)

    def __call__(self) -> None:
        self._set()


class RoleLoop:
    """Steps an agent's roles on every block and after every mail, and writes down their plans.

    Parameters
    ----------
    status
        File with the plans, for ``folkmoot status`` and for whoever moves a development clock.
    """

    def __init__(
        self, chain: StillChain, roles: Sequence[Role], *, waker: Waker, fetcher: Fetcher, status: Path
    ) -> None:
        self._chain = chain
        self._roles = tuple(roles)
        self._waker = waker
        self._fetcher = fetcher
        self._status = status
        self._written: dict[str, object] = {}

    def attach(self, agent: NetAgent) -> None:
        """Run beside the agent's mail."""
        agent.background("roles", self._run)

    async def _run(self) -> None:
        loop, awake = asyncio.get_running_loop(), asyncio.Event()
        self._fetcher.loop = loop
        self._waker.bind(loop, awake)
        seen = -1
        while True:
            awake.clear()
            seen = await asyncio.to_thread(self._step_all, seen)
            try:
                await asyncio.wait_for(awake.wait(), POLL_S)
                seen = -1
            except TimeoutError:
                continue

    def _step_all(self, seen: int) -> int:
        with self._chain.step():
            return self._look(seen)

    def _look(self, seen: int) -> int:
        """Step every role if the chain moved; return the block that was looked at, or -1 to look again."""
        try:
            block = self._chain.block_number()
        except FolkmootError as problem:
            self._note(Plans(busy=f"{TROUBLE}: {str(problem)[:200]}"), seen)
            return -1
        except Exception:
            # Whatever a node answers, it must not end the agent.
            LOGGER.exception("the chain's node answered what nobody can read")
            self._note(Plans(busy=f"{TROUBLE}: the chain's node answers nonsense; see the log"), seen)
            return -1
        if block == seen:
            return block
        plans = [_step(role) for role in self._roles]
        self._note(merge(plans), block)
        return -1 if any(plan.busy.startswith(TROUBLE) for plan in plans) else block

    def _note(self, plans: Plans, block: int) -> None:
        status = {"busy": plans.busy, "due_at_s": plans.due_at_s, "block": block, "pid": os.getpid()}
        if status == self._written:
            return
        try:
            _write(self._status, status)
            self._written = dict(status)
        except OSError as problem:
            # A full disk: the status is for watchers, the work goes on as far as it can.
            LOGGER.error("cannot write %s: %s", self._status, problem.strerror)  # noqa: TRY400 - for the operator


def _step(role: Role) -> Plans:
    """Let one role step; what it could not do it tries again, and the other roles go on.

    Nothing is remembered of a failed step but what is on chain or on disk.
    """
    try:
        return role.step()
    except FolkmootError as problem:
        LOGGER.warning("%s", problem)
        return Plans(busy=f"{TROUBLE}: {str(problem)[:200]}")
    except Exception:
        LOGGER.exception("a step of %s failed; it is tried again", type(role).__name__)
        return Plans(busy=f"{TROUBLE}: a fault in {type(role).__name__}; see the log")


def _write(path: Path, document: dict[str, object]) -> None:
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.write_text(json.dumps(document))
    unfinished.replace(path)
