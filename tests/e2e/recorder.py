"""A proxy before an agent that keeps every byte that goes in and comes out."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "content-encoding", "server", "date"}


@dataclass(slots=True)
class Exchange:
    """One request and its answer."""

    path: str
    request: bytes
    response: bytes


@dataclass(slots=True)
class Recorder:
    """Forwards everything to ``target`` and keeps a copy."""

    target: str
    exchanges: list[Exchange] = field(default_factory=list)
    server: ThreadingHTTPServer | None = None

    def start(self) -> str:
        """Listen on a free port of loopback and return the URL."""
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                recorder._forward(self, b"")

            def do_HEAD(self) -> None:
                recorder._forward(self, b"")

            def do_POST(self) -> None:
                recorder._forward(self, self.rfile.read(int(self.headers.get("content-length", 0))))

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def stop(self) -> None:
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()

    def _forward(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        headers = {name: value for name, value in handler.headers.items() if name.lower() not in {"host", "connection"}}
        try:
            answer = requests.request(
                handler.command,
                self.target + handler.path,
                data=body,
                headers=headers,
                timeout=30,
                allow_redirects=False,
            )
            status, content, given = answer.status_code, answer.content, answer.headers
        except requests.RequestException:
            status, content, given = 502, b"", {}
        self.exchanges.append(Exchange(handler.path, body, content))
        handler.send_response(status)
        for name, value in given.items():
            if name.lower() not in HOP_BY_HOP:
                handler.send_header(name, value)
        handler.send_header("content-length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)
