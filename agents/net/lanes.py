"""Outgoing mail: one bounded lane per peer, so that a hanging peer delays nobody else.

uAgents 0.26.1 sends one envelope at a time for the whole agent, with a timeout of 300 seconds.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
from uagents.communication import Dispenser
from uagents_core.envelope import Envelope
from uagents_core.types import DeliveryStatus, MsgStatus

from agents.net.errors import NetError

LOGGER = logging.getLogger(__name__)
MAX_ANSWER_BYTES = 4096


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """How long and how much we wait for a peer."""

    timeout_s: float = 10.0
    """Whole time of one POST."""
    depth: int = 64
    """Envelopes waiting for one peer."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    envelope: Envelope
    endpoints: list[str]
    answer: "asyncio.Future[MsgStatus]"


class NoAnswer(NetError):
    """A peer did not answer at all: it is down, hangs, or has moved."""


class LaneDispenser(Dispenser):  # type: ignore[misc]
    """Sends envelopes, one lane per target.

    Parameters
    ----------
    may_contact
        Says whether a URL may be contacted at all.
    limits
        Timeout and depth of a lane.
    """

    def __init__(self, may_contact: Callable[[str], bool], limits: LaneLimits) -> None:
        super().__init__()
        self._may_contact = may_contact
        self._limits = limits
        self._lanes: dict[str, asyncio.Queue[_Waiting]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    def add_envelope(
        self,
        envelope: Envelope,
        endpoints: list[str],
        response_future: "asyncio.Future[MsgStatus]",
        sync: bool = False,  # noqa: ARG002, FBT001, FBT002  # the signature is uAgents'
    ) -> None:
        """Queue an envelope; the future gets the outcome, at once when the lane is full."""
        lane = self._lanes.get(envelope.target)
        if lane is None:
            lane = self._lanes[envelope.target] = asyncio.Queue(self._limits.depth)
            worker = asyncio.get_running_loop().create_task(self._work(lane))
            self._workers.add(worker)
        try:
            lane.put_nowait(_Waiting(envelope, endpoints, response_future))
        except asyncio.QueueFull:
            response_future.set_result(_failed(envelope, "too many envelopes wait for this peer"))

    async def run(self) -> None:
        """Wait until cancelled, then end all lanes; what they hold is still in the outbox."""
        try:
            await asyncio.Event().wait()
        finally:
            for worker in self._workers:
                worker.cancel()
            if self._session is not None:
                await self._session.close()

    async def _work(self, lane: "asyncio.Queue[_Waiting]") -> None:
        while True:
            waiting = await lane.get()
            if waiting.answer.done():
                continue  # nobody waits any more; sending it now would only surprise
            try:
                status = await self._post(waiting.envelope, waiting.endpoints)
            except NoAnswer as error:
                status = _failed(waiting.envelope, str(error))
                # What waits behind would wait as long, for an endpoint that may have moved meanwhile.
                _fail_all(lane, str(error))
            except Exception as error:
                LOGGER.exception("sending failed in a way that was not foreseen")
                status = _failed(waiting.envelope, type(error).__name__)
            if not waiting.answer.done():
                waiting.answer.set_result(status)

    async def _post(self, envelope: Envelope, endpoints: list[str]) -> MsgStatus:
        reason = "no endpoint"
        for endpoint in endpoints:
            if not self._may_contact(endpoint):
                reason = f"{endpoint} is not a host that this agent may contact"
                continue
            reason = await self._post_once(envelope, endpoint)
            if not reason:
                return MsgStatus(
                    status=DeliveryStatus.DELIVERED,
                    detail="accepted",
                    destination=envelope.target,
                    endpoint=endpoint,
                    session=envelope.session,
                )
        return _failed(envelope, reason)

    async def _post_once(self, envelope: Envelope, endpoint: str) -> str:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self._limits.timeout_s)
            self._session = aiohttp.ClientSession(timeout=timeout, trust_env=False)
        try:
            async with self._session.post(
                endpoint,
                data=envelope.model_dump_json(),
                headers={"content-type": "application/json"},
                allow_redirects=False,
            ) as response:
                answer = await response.content.read(MAX_ANSWER_BYTES)
                return "" if response.status == 200 else f"{response.status} {answer[:200]!r}"
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NoAnswer(f"{endpoint}: {type(error).__name__} {error}") from error


def _fail_all(lane: "asyncio.Queue[_Waiting]", reason: str) -> None:
    while not lane.empty():
        waiting = lane.get_nowait()
        if not waiting.answer.done():
            waiting.answer.set_result(_failed(waiting.envelope, reason))


def _failed(envelope: Envelope, reason: str) -> MsgStatus:
    return MsgStatus(
        status=DeliveryStatus.FAILED,
        detail=reason,
        destination=envelope.target,
        endpoint="",
        session=envelope.session,
    )
