"""A uAgents agent that may listen on a network: no almanac, no ledger, no inspector, no stranger.

Pinned to uagents 0.26.1, whose private names it overrides; ``tests/unit/test_uagents_contract.py``
fails when a release moves one of them.
"""

import asyncio
import contextlib
import logging
import signal
import socket
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field

import uagents.agent
from uagents import Agent
from uagents_core.envelope import Envelope
from uagents_core.registration import AgentRegistrationPolicy
from uagents_core.types import DeliveryStatus

from agents.net.artifacts import PublicStore
from agents.net.directory import CachedDirectory, DirectoryDown, DirectoryResolver
from agents.net.errors import PortTaken
from agents.net.gate import Admitted, Gate, GateLimits
from agents.net.keys import evm_address_of, identity_from_key
from agents.net.lanes import LaneDispenser, LaneLimits
from agents.net.replay import ReplayGuard
from agents.net.server import GuardedServer
from agents.protocols.messages import Wire, schema_digest

LOGGER = logging.getLogger(__name__)
EXIT_OK = 0
EXIT_ILL = 1


@dataclass(frozen=True, slots=True)
class NetSettings:
    """Where an agent listens and how much it bears."""

    name: str
    host: str = "127.0.0.1"
    """Loopback; another host only behind a proxy that speaks TLS."""
    port: int = 0
    """Zero takes a free port; read it from ``NetAgent.port``."""
    gate: GateLimits = field(default_factory=GateLimits)
    lanes: LaneLimits = field(default_factory=LaneLimits)
    envelope_s: int = 60
    """Seconds until our own envelopes expire."""


class NoRegistration(AgentRegistrationPolicy):  # type: ignore[misc]
    """Registers nowhere: our registry is a contract, and the operator writes it."""

    async def register(self, *_arguments: object, **_named: object) -> None:
        return None


class NoStorage:
    """Stands where uAgents keeps a JSON file that a crash leaves unreadable."""

    def __init__(self, *_arguments: object) -> None:
        return

    def get(self, _key: str) -> None:
        return None

    def set(self, key: str, _value: object) -> None:
        raise NotImplementedError(f"{key}: agents keep what they know in the mailbox's database")


@contextlib.contextmanager
def _without_outside() -> Iterator[None]:
    """Build an agent without its almanac contract, ledger and JSON file (two gRPC calls)."""
    offline: Mapping[str, object] = {
        "get_almanac_contract": lambda *_: None,
        "get_ledger": lambda *_: None,
        "KeyValueStore": NoStorage,
    }
    before = {name: getattr(uagents.agent, name) for name in offline}
    for name, value in offline.items():
        setattr(uagents.agent, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(uagents.agent, name, value)


class NetAgent(Agent):  # type: ignore[misc]
    """One agent of the network.

    Parameters
    ----------
    settings
        Where to listen.
    key
        32 bytes, the agent's secp256k1 key: its EVM address is its address in AgentRegistry.
    directory
        Who the peers are and where they listen.
    replay
        Accepted envelopes.
    store
        Artifacts that peers may fetch.

    Raises
    ------
    PortTaken
        If the address cannot be listened on.
    BadKey
        If the key is none.
    """

    def __init__(
        self,
        settings: NetSettings,
        *,
        key: bytes,
        directory: CachedDirectory,
        replay: ReplayGuard,
        store: PublicStore | None = None,
    ) -> None:
        self._key_identity = identity_from_key(key)
        self._directory = directory
        self._settings = settings
        self._background: dict[str, Callable[[], Awaitable[None]]] = {}
        self._background_tasks: dict[str, asyncio.Task[None]] = {}
        self._failure = ""
        listener = _listen(settings.host, settings.port)
        self.port: int = listener.getsockname()[1]
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        with _without_outside():
            super().__init__(
                name=settings.name,
                port=self.port,
                endpoint=f"{self.base_url}/submit",
                resolve=DirectoryResolver(directory),
                registration_policy=NoRegistration(),
                network="testnet",
                loop=loop,
                # Any other level would be set on every logger of this process.
                log_level=logging.INFO,
                enable_agent_inspector=False,
                publish_agent_details=False,
                mark_inactive_on_shutdown=False,
                report_events=False,
                shutdown_timeout=10.0,
            )
        self._logger = LOGGER  # uAgents' own writes to standard output
        self._dispenser = LaneDispenser(directory.may_contact, settings.lanes)
        gate = Gate(self.address, directory=directory, replay=replay, limits=settings.gate)
        self._server = GuardedServer(listener, gate=gate, limits=settings.gate, inside=self, store=store, loop=loop)

    @property
    def evm_address(self) -> str:
        """EIP-55 address of the agent key."""
        return evm_address_of(self.address)

    @property
    def base_url(self) -> str:
        """Where this agent listens, as the registry should hold it on one machine."""
        return f"http://{self._settings.host}:{self.port}"

    def background(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run ``work()`` for as long as the agent lives; the agent stops when it ends or fails."""
        self._background[name] = work

    def run(self) -> int:
        """Run until a signal or :meth:`stop`; return 0, or 1 when a vital part died."""
        for wanted in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(wanted, self.stop)
        try:
            self._loop.run_until_complete(self.run_async())
        finally:
            self._loop.close()
        if self._failure:
            LOGGER.error("agent %s stopped: %s", self.name, self._failure)
        return EXIT_ILL if self._failure else EXIT_OK

    def stop(self) -> None:
        """Stop listening, finish what runs, and let :meth:`run` return."""
        self._server.stop()

    def setup(self) -> None:
        super().setup()
        for name, work in self._background.items():
            self._background_tasks[name] = self._loop.create_task(self._vital(work))
        self._background_tasks["watch"] = self._loop.create_task(self._watch())

    async def deliver(self, agent: str, message: Wire) -> str:
        """Post one message to a peer, once.

        Parameters
        ----------
        agent
            EIP-55 address of the peer's agent key.

        Returns
        -------
        str
            Empty when the peer queued it; else why not. Only an ``Ack`` says that it was kept.
        """
        try:
            entry = await self._directory.entry(agent)
            endpoint = await self._directory.endpoint(agent)
        except DirectoryDown as error:
            return str(error)
        if entry is None or endpoint is None:
            return f"{agent} is not registered, not active, or not on a host we may contact"
        envelope = self._envelope(entry.agent_address, message)
        answer = self._loop.create_future()
        self._dispenser.add_envelope(envelope, [f"{endpoint}/submit"], answer)
        status = await answer
        if status.status == DeliveryStatus.DELIVERED:
            return ""
        self._directory.forget(agent)
        return str(status.detail)

    def schemas(self) -> Mapping[str, type]:
        return self._signed_models

    def queued(self) -> int:
        return int(self._message_queue.qsize())

    async def enqueue(self, admitted: Admitted) -> None:
        await self.handle_message(admitted.sender, admitted.schema_digest, admitted.payload, admitted.session)

    def ailments(self) -> list[str]:
        """Return which vital parts are dead; empty when the agent is well."""
        tasks = {
            "message queue": self._message_queue_task,
            "dispenser": self._dispenser_task,
            **self._background_tasks,
        }
        return [name for name, task in tasks.items() if task is None or task.done()]

    def _envelope(self, target: str, message: Wire) -> Envelope:
        envelope = Envelope(
            version=1,
            sender=self.address,
            target=target,
            session=uuid.uuid4(),
            schema_digest=schema_digest(type(message)),
            expires=int(time.time()) + self._settings.envelope_s,
        )
        envelope.encode_payload(message.json())
        envelope.sign(self._identity)
        return envelope

    @property
    def _signed_models(self) -> Mapping[str, type]:
        # uAgents' own ErrorMessage has a handler too; nobody needs to send us one.
        return {digest: model for digest, model in self._models.items() if issubclass(model, Wire)}

    async def _vital(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except asyncio.CancelledError:
            raise
        except Exception:
            LOGGER.exception("a vital part of agent %s failed", self.name)
            raise

    async def _watch(self) -> None:
        """Stop an agent that would answer 200 and do nothing."""
        while True:
            await asyncio.sleep(1.0)
            if ill := self.ailments():
                self._failure = f"dead: {', '.join(ill)}"
                self.stop()
                return

    async def _process_single_message(self, *message: object) -> None:
        # uAgents ends its queue for ever on any exception from here.
        try:
            await super()._process_single_message(*message)
        except Exception:
            LOGGER.exception("agent %s dropped a message", self.name)

    async def _update_agent_status(self, active: bool) -> None:  # noqa: FBT001  # as uAgents has it
        """Tell no outside service; uAgents retries for 33 s before its startup handlers run."""

    def _initialize_wallet_and_identity(self, *_arguments: object) -> None:
        # uAgents would write private_keys.json, readable by all, into the working directory.
        self._identity = self._key_identity
        self._wallet = None


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=128)
    except OSError as error:
        raise PortTaken(
            f"cannot listen on {host}:{port}: {error.strerror}; stop what uses it, "
            "or configure another port and name it on chain"
        ) from error
