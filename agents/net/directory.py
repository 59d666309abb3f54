"""Who an agent is and where it listens: a cached view of the registry on chain."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from uagents.resolver import Resolver
from uagents_core.identity import parse_identifier

from agents.net.errors import BadKey, NetError
from agents.net.keys import (
    canonical_address,
    evm_address_of,
    evm_address_of_public_key,
    uagents_address,
)

LOGGER = logging.getLogger(__name__)
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class AgentEntry:
    """One agent as the registry knows it."""

    public_key_xy: bytes
    """64 bytes, uncompressed secp256k1 key without its prefix."""
    endpoint: str
    """Base URL, e.g. ``http://127.0.0.1:8101``."""
    active: bool
    """Whether agent and organisation are active."""

    @property
    def address(self) -> str:
        """EIP-55 address of the agent key."""
        return evm_address_of_public_key(self.public_key_xy)

    @property
    def agent_address(self) -> str:
        """The ``agent1…`` address of the agent key."""
        return uagents_address(self.public_key_xy)


class AgentDirectory(Protocol):
    """Reads AgentRegistry. May block; it is called from a worker thread."""

    def find(self, agent: str) -> AgentEntry | None:
        """Return the entry of an agent by its EIP-55 address, or None when it was never bound."""


@dataclass(frozen=True, slots=True)
class DirectoryTimes:
    """How long answers of the registry are believed, in seconds."""

    fresh_s: float = 3.0
    unknown_s: float = 1.0
    stale_s: float = 60.0
    """How long a known entry is still used while the registry cannot be read."""


@dataclass(frozen=True, slots=True)
class _Cached:
    entry: AgentEntry | None
    read_at: float


class DirectoryDown(NetError):
    """The registry cannot be read and nothing is remembered about an agent."""


class CachedDirectory:
    """The registry behind a short cache, so that a moved endpoint moves the traffic in seconds.

    Parameters
    ----------
    directory
        The registry itself.
    times
        How long answers are believed.
    hosts
        Hosts that may be contacted; loopback unless the operator names others.
    """

    MAX_ENTRIES = 4096
    MAX_READS = 4

    def __init__(
        self,
        directory: AgentDirectory,
        *,
        times: DirectoryTimes | None = None,
        hosts: frozenset[str] = LOOPBACK,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._times = times or DirectoryTimes()
        self._hosts = hosts
        self._clock = clock
        self._cache: OrderedDict[str, _Cached] = OrderedDict()
        self._reads: asyncio.Semaphore | None = None

    async def entry(self, agent: str) -> AgentEntry | None:
        """Return what the registry says about an agent.

        Raises
        ------
        DirectoryDown
            If the registry cannot be read and the agent is not remembered.
        """
        agent = canonical_address(agent)
        cached = self._cache.get(agent)
        if cached is not None and self._is_fresh(cached):
            return cached.entry
        # Strangers choose the addresses that we look up; they may not choose how many at once.
        self._reads = self._reads or asyncio.Semaphore(self.MAX_READS)
        async with self._reads:
            cached = self._cache.get(agent)
            if cached is not None and self._is_fresh(cached):
                return cached.entry
            return await self._read(agent, cached)

    async def is_active(self, agent: str) -> bool:
        """Say whether an agent is active in the registry."""
        entry = await self.entry(agent)
        return entry is not None and entry.active

    async def endpoint(self, agent: str) -> str | None:
        """Return where an active agent listens, or None when it may not be contacted."""
        entry = await self.entry(agent)
        if entry is None or not entry.active or not self.may_contact(entry.endpoint):
            return None
        return entry.endpoint.rstrip("/")

    def may_contact(self, url: str) -> bool:
        """Say whether a URL is http(s), carries no credentials, and names an allowed host."""
        try:
            parts = urlsplit(url)
            allowed = parts.hostname in self._hosts and parts.port != 0
        except ValueError:
            return False
        return allowed and parts.scheme in ("http", "https") and "@" not in parts.netloc

    def forget(self, agent: str) -> None:
        """Read an agent anew next time; called when its endpoint did not answer."""
        self._cache.pop(canonical_address(agent), None)

    def _is_fresh(self, cached: _Cached) -> bool:
        believed_s = self._times.fresh_s if cached.entry else self._times.unknown_s
        return self._clock() - cached.read_at < believed_s

    async def _read(self, agent: str, cached: _Cached | None) -> AgentEntry | None:
        try:
            entry = await asyncio.to_thread(self._directory.find, agent)
            if entry is not None and entry.address != agent:
                raise BadKey(f"the registry's key for {agent} belongs to {entry.address}")
        except Exception as error:  # any adapter may stand behind the port
            LOGGER.warning("agent registry cannot be read for %s: %s", agent, error)
            if cached is not None and self._clock() - cached.read_at < self._times.stale_s:
                return cached.entry
            raise DirectoryDown(f"the agent registry cannot be read for {agent}") from error
        self._cache[agent] = _Cached(entry, self._clock())
        self._cache.move_to_end(agent)
        if len(self._cache) > self.MAX_ENTRIES:
            self._cache.popitem(last=False)
        return entry


class DirectoryResolver(Resolver):  # type: ignore[misc]
    """Lets uAgents find endpoints in our directory, by the key inside the address."""

    def __init__(self, directory: CachedDirectory) -> None:
        self._directory = directory

    async def resolve(self, destination: str) -> tuple[str | None, list[str]]:
        _, _, address = parse_identifier(destination)
        try:
            endpoint = await self._directory.endpoint(evm_address_of(address))
        except NetError:
            return None, []
        return (address, [f"{endpoint}/submit"]) if endpoint else (None, [])
