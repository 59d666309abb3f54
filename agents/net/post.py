"""The post office: joins a guarded agent to its mailbox."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from uagents import Context
from uagents import Protocol as Conversation

from agents.net.agent import NetAgent
from agents.net.keys import evm_address_of
from agents.net.mailbox import Mailbox
from agents.net.outbox import Due
from agents.protocols.messages import Ack, Wire

LOGGER = logging.getLogger(__name__)
LONGEST_NAP_S = 1.0
SHORTEST_NAP_S = 0.02
SWEEP_S = 60.0


class PostOffice:
    """Receives into the mailbox, acknowledges after the commit, and sends what is due.

    Build it after all handlers are in the mailbox, before ``agent.run()``.
    """

    def __init__(self, agent: NetAgent, mailbox: Mailbox, *, version: str = "1.0.0") -> None:
        self._agent = agent
        self._mailbox = mailbox
        self._awake: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._leaving: set[int] = set()
        self._outbox = mailbox.outbox
        conversation = Conversation(name="folkmoot", version=version)
        for model in mailbox.handled:
            conversation.on_message(model)(self._receiver())
        conversation.on_message(Ack)(self._on_ack)
        agent.include(conversation)
        agent.background("post office", self._pump)
        self._outbox.on_change(self._wake)

    def _receiver(self) -> Callable[[Context, str, Wire], Awaitable[None]]:
        async def receive(_context: Context, sender: str, message: Wire) -> None:
            peer = evm_address_of(sender)
            verdict = await asyncio.to_thread(self._mailbox.receive, peer, message)
            if verdict.is_acknowledged:
                # Not awaited: a peer that does not take its Ack must not hold up our queue.
                self._keep(asyncio.create_task(self._acknowledge(peer, message.msg_id)))
            else:
                LOGGER.info("%s of %s: %s", message.msg_id, peer, verdict.value)

        return receive

    async def _acknowledge(self, peer: str, msg_id: str) -> None:
        await self._agent.deliver(peer, Ack(msg_id=msg_id))
        await asyncio.to_thread(self._outbox.peer_is_alive, peer)

    async def _on_ack(self, _context: Context, sender: str, ack: Ack) -> None:
        peer = evm_address_of(sender)
        await asyncio.to_thread(self._outbox.acknowledge, peer, ack.msg_id)

    async def _pump(self) -> None:
        self._awake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        swept_at = 0.0
        while True:
            self._awake.clear()
            if self._loop.time() - swept_at > SWEEP_S:
                swept_at = self._loop.time()
                for lost in await asyncio.to_thread(self._outbox.give_up):
                    LOGGER.error("gave up sending %s", lost)
            for row in await asyncio.to_thread(self._outbox.due):
                if row.number not in self._leaving:
                    self._leaving.add(row.number)
                    # Not awaited: a hanging peer must not hold up what goes to others.
                    self._keep(self._loop.create_task(self._send(row)))
            nap_s = min(LONGEST_NAP_S, await asyncio.to_thread(self._outbox.next_due_s))
            try:
                await asyncio.wait_for(self._awake.wait(), max(SHORTEST_NAP_S, nap_s))
            except TimeoutError:
                continue

    async def _send(self, row: Due) -> None:
        try:
            # Counted before it leaves: after a crash in between it is merely sent again later.
            await asyncio.to_thread(self._outbox.sent, row.number)
            reason = await self._agent.deliver(row.recipient, row.message)
            if reason:
                LOGGER.info("%s not delivered yet: %s", row.message.msg_id, reason)
                await asyncio.to_thread(self._outbox.failed, row.number)
        finally:
            self._leaving.discard(row.number)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _wake(self) -> None:
        if self._loop is not None and self._awake is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._awake.set)
