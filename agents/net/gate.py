"""The gate: decides about an envelope before uAgents sees a byte of its message.

uAgents 0.26.1 accepts replays, expired envelopes and unsigned senders, and one message whose
body does not fit its schema ends its queue for ever. Everything is therefore judged here, in the
order of what it costs us: form, target, expiry, schema, signature, sender, rate, room, body.
"""

import base64
import binascii
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from pydantic import ValidationError
from pydantic.v1 import ValidationError as OldValidationError
from uagents_core.envelope import Envelope
from uagents_core.identity import is_user_address
from uagents_core.models import Model

from agents.net.directory import CachedDirectory, DirectoryDown
from agents.net.keys import evm_address_of, signature_is_valid
from agents.net.replay import ReplayGuard


@dataclass(frozen=True, slots=True)
class GateLimits:
    """How much a peer may ask of us."""

    max_bytes: int = 65_536
    """Largest body of a request."""
    max_ahead_s: int = 120
    """Furthest expiry of an envelope."""
    max_queue: int = 256
    """Messages waiting for a handler."""
    rate_per_s: float = 50.0
    """Messages a second that one sender may send for long."""
    burst: int = 200
    """Messages that one sender may send at once."""
    body_s: float = 10.0
    """Longest wait for the body of a request."""
    max_connections: int = 128


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an envelope was not taken."""

    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """An envelope that may be queued."""

    sender: str
    """The ``agent1…`` address, proven by the signature."""
    agent: str
    """EIP-55 address of the same key."""
    schema_digest: str
    payload: str
    session: UUID


class Duplicate:
    """An envelope that was taken before: acknowledged, and dropped."""


Admission = Admitted | Refusal | Duplicate


class RateLimiter:
    """One token bucket per sender; only senders that passed the allow-list get one."""

    MAX_SENDERS = 4096

    def __init__(self, rate_per_s: float, burst: int, clock: Callable[[], float]) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, sender: str) -> bool:
        """Use up one message of a sender; False when it has none left."""
        now = self._clock()
        tokens, seen_at = self._buckets.get(sender, (float(self._burst), now))
        tokens = min(float(self._burst), tokens + (now - seen_at) * self._rate_per_s)
        allowed = tokens >= 1
        self._buckets[sender] = (tokens - 1 if allowed else tokens, now)
        self._buckets.move_to_end(sender)
        if len(self._buckets) > self.MAX_SENDERS:
            self._buckets.popitem(last=False)
        return allowed


class Gate:
    """Judges envelopes for one agent.

    Parameters
    ----------
    address
        Our own ``agent1…`` address.
    directory
        Says which senders are active on chain.
    replay
        Remembers accepted envelopes.
    limits
        How much a peer may ask of us.
    """

    def __init__(
        self,
        address: str,
        *,
        directory: CachedDirectory,
        replay: ReplayGuard,
        limits: GateLimits,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._address = address
        self._directory = directory
        self._replay = replay
        self._limits = limits
        self._clock = clock
        self._rates = RateLimiter(limits.rate_per_s, limits.burst, time.monotonic)

    async def admit(self, body: bytes, *, schemas: Mapping[str, type[Model]], queued: int) -> Admission:
        """Judge the body of a request.

        Parameters
        ----------
        body
            JSON of one uAgents envelope.
        schemas
            Messages that have a handler, by schema digest.
        queued
            Messages that wait for a handler now.
        """
        envelope = self._parse(body)
        if isinstance(envelope, Refusal):
            return envelope
        model = schemas.get(envelope.schema_digest)
        refusal = self._judge_form(envelope) if model else Refusal(400, "unknown schema")
        if refusal is not None or model is None:
            return refusal or Refusal(400, "unknown schema")
        digest = envelope._digest()  # noqa: SLF001  # pinned version; a test holds its value
        if not signature_is_valid(envelope.sender, digest, envelope.signature or ""):
            return Refusal(400, "bad signature")
        # Before rate and allow-list: a replay costs its sender, who did not send it, nothing.
        if self._replay.was_seen(digest.hex()):
            return Duplicate()
        agent = evm_address_of(envelope.sender)
        refusal = await self._judge_sender(agent)
        if refusal is None and queued >= self._limits.max_queue:
            refusal = Refusal(503, "busy")
        if refusal is not None:
            return refusal
        return await self._take(envelope, agent, model)

    def _parse(self, body: bytes) -> Envelope | Refusal:
        if len(body) > self._limits.max_bytes:
            return Refusal(413, "too large")
        try:
            return Envelope.model_validate_json(body, strict=True)
        except (ValidationError, ValueError, RecursionError):
            return Refusal(400, "not an envelope")

    def _judge_form(self, envelope: Envelope) -> Refusal | None:
        now = self._clock()
        expires = envelope.expires or 0
        faults = (
            (envelope.target != self._address, 400, "not addressed to this agent"),
            (is_user_address(envelope.sender), 403, "unsigned senders are refused"),
            # The envelope's digest runs payload, expiry and nonce together; with a nonce, another
            # payload and expiry could have the same digest.
            (envelope.nonce is not None, 400, "a nonce is not used here"),
            (expires < now, 400, "expired, or no expiry"),
            (expires > now + self._limits.max_ahead_s, 400, "expiry too far ahead"),
        )
        return next((Refusal(status, reason) for bad, status, reason in faults if bad), None)

    async def _judge_sender(self, agent: str) -> Refusal | None:
        try:
            if not await self._directory.is_active(agent):
                return Refusal(403, "sender is not an active agent of this network")
        except DirectoryDown:
            return Refusal(503, "the agent registry cannot be read")
        if not self._rates.take(agent):
            return Refusal(429, "too many messages")
        return None

    async def _take(self, envelope: Envelope, agent: str, model: type[Model]) -> Admission:
        try:
            payload = base64.b64decode(envelope.payload or "", validate=True).decode()
            model.parse_raw(payload)
        except (OldValidationError, binascii.Error, ValueError, TypeError, RecursionError):
            return Refusal(422, "payload does not match its schema")
        digest = envelope._digest().hex()  # noqa: SLF001  # as above
        if not await self._replay.claim(digest, int(envelope.expires or 0)):
            return Duplicate()
        return Admitted(envelope.sender, agent, envelope.schema_digest, payload, UUID(str(envelope.session)))
