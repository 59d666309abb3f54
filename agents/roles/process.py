"""One agent as a process: guarded ingress, durable mail, and roles that step when something happened."""

import asyncio
import json
import logging
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agents.net.agent import NetAgent
from agents.net.artifacts import ArtifactSource, fetch_artifact
from agents.net.directory import AgentEntry, CachedDirectory
from agents.net.errors import ArtifactError
from agents.net.keys import identity_from_key
from agents.roles.desk import Plans, Role, merge
from governance.domain.market import Address
from governance.errors import FolkmootError
from governance.ports import Chain
from governance.services.registry import Registry

LOGGER = logging.getLogger(__name__)
POLL_S = 0.4
FETCH_S = 30.0


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
        return asyncio.run_coroutine_threadsafe(self._fetch(agent, digest), self.loop).result(FETCH_S + 5)

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

    def __init__(self, chain: Chain, roles: Sequence[Role], *, waker: Waker, fetcher: Fetcher, status: Path) -> None:
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
            seen = await asyncio.to_thread(self._look, seen, awake)
            try:
                await asyncio.wait_for(awake.wait(), POLL_S)
                seen = -1
            except TimeoutError:
                continue

    def _look(self, seen: int, _awake: asyncio.Event) -> int:
        try:
            block = self._chain.block_number()
            if block != seen:
                self._note(merge([role.step() for role in self._roles]), block)
        except FolkmootError as problem:
            # What a step could not do it tries again: nothing is remembered but what is on chain or on disk.
            LOGGER.warning("%s", problem)
            self._note(Plans(busy=f"trouble: {str(problem)[:200]}"), seen)
            return -1
        except Exception:
            LOGGER.exception("a step failed; it is tried again")
            time.sleep(1)
            return -1
        return block

    def _note(self, plans: Plans, block: int) -> None:
        # The block that our own transactions made counts as seen: it is stepped on once more.
        status = {"busy": plans.busy, "due_at_s": plans.due_at_s, "block": block, "pid": os.getpid()}
        if status != self._written:
            _write(self._status, status)
            self._written = dict(status)


def _write(path: Path, document: dict[str, object]) -> None:
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".status", delete=False) as handle:
        json.dump(document, handle)
    Path(handle.name).replace(path)
