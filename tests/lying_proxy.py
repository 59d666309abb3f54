"""A JSON-RPC proxy that remembers honest answers and alters what it is told to."""

from __future__ import annotations

import copy
import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Lie = Callable[[str, list[Any], Any], Any]
"""Method, parameters and honest result; returns what the auditor is told."""


class LyingProxy:
    """Serves on loopback; fits anything that speaks JSON-RPC over HTTP."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._memory: dict[str, Any] = {}
        self._lie: Lie | None = None
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                calls = asked if isinstance(asked, list) else [asked]
                answers = [proxy.answer(call) for call in calls]
                raw = json.dumps(answers if isinstance(asked, list) else answers[0]).encode()
                head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n"
                self.wfile.write(head.encode() + raw)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @contextmanager
    def lying(self, lie: Lie) -> Iterator[str]:
        """Alter results inside, and give the address to ask."""
        self._lie = lie
        try:
            yield self.url
        finally:
            self._lie = None

    def answer(self, call: dict[str, Any]) -> dict[str, Any]:
        key = json.dumps([call["method"], call["params"]])
        if key not in self._memory:
            self._memory[key] = self._ask(call)
        honest = self._memory[key]
        if self._lie is None or "result" not in honest:
            return {**honest, "id": call["id"]}
        told = self._lie(call["method"], call["params"], copy.deepcopy(honest["result"]))
        return {"jsonrpc": "2.0", "id": call["id"], "result": told}

    def forget(self) -> None:
        """Ask the node again from now on."""
        self._memory.clear()

    def _ask(self, call: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(
            self._upstream, json.dumps(call).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return dict(json.load(answer))
