"""The agent's HTTP server: four routes, none of uAgents' own."""

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Protocol

import uvicorn
from uagents.asgi import ASGIServer
from uvicorn.protocols.http.h11_impl import H11Protocol

from agents.net.artifacts import PublicStore
from agents.net.errors import ArtifactError
from agents.net.gate import Admitted, Duplicate, Gate, GateLimits, Refusal
from agents.protocols.messages import ArtifactTicket, schema_digest

LOGGER = logging.getLogger(__name__)
Scope = Mapping[str, object]
Receive = Callable[[], Awaitable[Mapping[str, object]]]
Send = Callable[[Mapping[str, object]], Awaitable[None]]
TICKET_HEADER = b"x-folkmoot-ticket"
HEAD_S = 10.0
"""Longest wait for the head of a request."""


class Inside(Protocol):
    """What the server asks of the agent behind it."""

    def schemas(self) -> Mapping[str, type]:
        """Return the messages that have a handler, by schema digest."""

    def queued(self) -> int:
        """Return how many messages wait for a handler."""

    async def enqueue(self, admitted: Admitted) -> None:
        """Put a message into the queue."""

    def ailments(self) -> list[str]:
        """Return what is wrong with the agent; empty when it is well."""


class BodyRefused(Exception):
    """The body of a request is too large, too slow, or its sender went away."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class QuietUvicorn(uvicorn.Server):
    """uvicorn without signal handlers: it would raise the signal again and kill our shutdown."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class PromptH11(H11Protocol):
    """Closes connections that ask for nothing: else a stranger who opens enough of them shuts all others out.

    uvicorn times out between requests, but not before the first, nor within the head of one.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.loop.call_later(HEAD_S, self._check, None)

    def _check(self, before: object) -> None:
        # None before the first request, whatever uvicorn's annotation says.
        cycle = getattr(self, "cycle", None)
        waits = cycle is None or cycle.response_complete
        if self.transport.is_closing():
            return
        if waits and cycle is before:
            self.transport.close()
            return
        self.loop.call_later(HEAD_S, self._check, cycle)


class GuardedServer(ASGIServer):  # type: ignore[misc]
    """Serves ``POST /submit``, ``GET /artifact/<sha256>`` and ``GET /health``; 404 for the rest.

    It takes the place of uAgents' server, none of whose routes it keeps: the inspector, the
    synchronous answers and the readiness probe all tell strangers too much.

    Parameters
    ----------
    listener
        Bound socket.
    gate, limits
        Judge what comes in.
    inside
        The agent.
    store
        Artifacts that peers may fetch; None serves none.
    """

    def __init__(
        self,
        listener: socket.socket,
        *,
        gate: Gate,
        limits: GateLimits,
        inside: Inside,
        store: PublicStore | None,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(listener.getsockname()[1], loop, {}, LOGGER)
        self._listener = listener
        self._gate = gate
        self._limits = limits
        self._inside = inside
        self._store = store

    async def serve(self) -> None:
        """Serve until :meth:`stop`."""
        config = uvicorn.Config(
            self,
            log_level="critical",
            access_log=False,
            lifespan="off",
            http=PromptH11,
            ws="none",
            proxy_headers=False,
            server_header=False,
            limit_concurrency=self._limits.max_connections,
            h11_max_incomplete_event_size=16_384,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=3,
        )
        self._server = QuietUvicorn(config)
        with contextlib.suppress(asyncio.CancelledError):
            await self._server.serve(sockets=[self._listener])

    def stop(self) -> None:
        """End :meth:`serve` once running requests are answered."""
        if self._server is not None:
            self._server.should_exit = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] != "http":
            return
        method, path = str(scope["method"]), str(scope["path"])
        try:
            if (method, path) == ("POST", "/submit"):
                await self._submit(scope, receive, send)
            elif method == "GET" and path.startswith("/artifact/"):
                await self._artifact(scope, path.removeprefix("/artifact/"), send)
            elif (method, path) == ("GET", "/health"):
                await self._health(send)
            else:
                await _answer(send, 404, {"error": "not found"})
        except BodyRefused as refused:
            await _answer(send, refused.status, {"error": "body refused"})

    async def _submit(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _headers(scope)
        if b"x-uagents-connection" in headers:
            await _answer(send, 400, {"error": "synchronous answers are not given"})
            return
        body = await self._body(headers, receive)
        admission = await self._gate.admit(body, schemas=self._inside.schemas(), queued=self._inside.queued())
        if isinstance(admission, Refusal):
            LOGGER.debug("refused a message: %s", admission.reason)
            await _answer(send, admission.status, {"error": admission.reason})
            return
        if isinstance(admission, Admitted):
            await self._inside.enqueue(admission)
        # A duplicate is answered like the first: its sender may never have seen that answer.
        await _answer(send, 200, {})

    async def _body(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        declared = headers.get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > self._limits.max_bytes:
            raise BodyRefused(413)
        try:
            return await asyncio.wait_for(self._read(receive), self._limits.body_s)
        except TimeoutError as error:
            raise BodyRefused(408) from error

    async def _read(self, receive: Receive) -> bytes:
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise BodyRefused(400)
            chunk = message.get("body", b"")
            body += chunk if isinstance(chunk, bytes) else b""
            if len(body) > self._limits.max_bytes:
                raise BodyRefused(413)
            if not message.get("more_body"):
                return bytes(body)

    async def _artifact(self, scope: Scope, digest: str, send: Send) -> None:
        ticket = _headers(scope).get(TICKET_HEADER, b"")
        admission = await self._gate.admit(ticket, schemas=self._ticket_schemas(), queued=0)
        if isinstance(admission, Duplicate):
            admission = Refusal(403, "this ticket was used before")
        if isinstance(admission, Refusal):
            await _answer(send, admission.status, {"error": admission.reason})
            return
        if self._store is None or json.loads(admission.payload).get("sha256") != digest:
            await _answer(send, 404, {"error": "no such artifact, or the ticket names another"})
            return
        try:
            content = await asyncio.to_thread(self._store.read, digest)
        except ArtifactError as error:
            await _answer(send, 404, {"error": str(error)})
            return
        await _start(send, 200, b"application/octet-stream", len(content))
        await send({"type": "http.response.body", "body": content})

    def _ticket_schemas(self) -> Mapping[str, type]:
        return {schema_digest(ArtifactTicket): ArtifactTicket}

    async def _health(self, send: Send) -> None:
        ailments = self._inside.ailments()
        status = 503 if ailments else 200
        await _answer(send, status, {"status": "ill" if ailments else "ok"})


def _headers(scope: Scope) -> dict[bytes, bytes]:
    pairs = scope["headers"]
    return {name.lower(): value for name, value in pairs} if isinstance(pairs, list) else {}


async def _start(send: Send, status: int, content_type: bytes, length: int) -> None:
    headers = [(b"content-type", content_type), (b"content-length", str(length).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _answer(send: Send, status: int, document: Mapping[str, str]) -> None:
    body = json.dumps(document).encode()
    await _start(send, status, b"application/json", len(body))
    await send({"type": "http.response.body", "body": body})
