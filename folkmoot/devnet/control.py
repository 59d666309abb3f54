"""The line between the supervisor and everybody else: one JSON request, one JSON answer."""

from __future__ import annotations

import json
import logging
import os
import socket
import socketserver
import stat
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import cast

from folkmoot.devnet.errors import DevnetError, NotRunning
from folkmoot.devnet.rpc import Json
from governance.errors import FolkmootError

# A Unix socket's path holds at most 108 bytes on Linux and 104 on macOS.
_LONGEST_PATH = 100
_LONGEST_REQUEST = 1 << 20

Request = dict[str, Json]
Handler = Callable[[Request], Json]

log = logging.getLogger(__name__)


def socket_path(folder: Path) -> Path:
    """Return where to listen: in the home if its path is short enough, else in a private folder."""
    inside = folder / "control.sock"
    if len(os.fsencode(inside)) <= _LONGEST_PATH:
        return inside
    return Path(tempfile.mkdtemp(prefix="folkmoot-")) / "control.sock"


class ControlServer:
    """Answers requests on a socket that only this user can open."""

    def __init__(self, path: Path, handler: Handler) -> None:
        path.unlink(missing_ok=True)
        old_mask = os.umask(0o177)
        try:
            self._server = _Server(str(path), _Connection)
        finally:
            os.umask(old_mask)
        self._server.answer = handler
        self.path = path
        threading.Thread(target=self._server.serve_forever, daemon=True, name="control").start()

    def close(self) -> None:
        """Stop listening and remove the socket, with its folder if that was made for it."""
        self._server.shutdown()
        self._server.server_close()
        self.path.unlink(missing_ok=True)
        if self.path.parent.name.startswith("folkmoot-"):
            self.path.parent.rmdir()


def ask(path: Path, request: Request, *, timeout_s: float = 120.0) -> Json:
    """Send one request and return its answer.

    Raises
    ------
    NotRunning
        If nobody listens.
    DevnetError
        If the supervisor refused; the message is its own.
    """
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise NotRunning(f"{path} is no socket")
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(timeout_s)
            line.connect(str(path))
            line.sendall(json.dumps(request).encode() + b"\n")
            with line.makefile("rb") as stream:
                answer = json.loads(stream.readline())
    except (OSError, ValueError) as error:
        raise NotRunning(f"the development chain does not answer at {path} ({error})") from error
    if not isinstance(answer, dict) or "error" in answer:
        raise DevnetError(str(answer.get("error") if isinstance(answer, dict) else answer))
    return cast("Json", answer.get("ok"))


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    answer: Handler


class _Connection(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.request.settimeout(10.0)
        try:
            line = self.rfile.readline(_LONGEST_REQUEST)
            self.wfile.write(json.dumps(self._answer(line)).encode() + b"\n")
        except OSError as error:
            log.info("a client went away: %s", error)

    def _answer(self, line: bytes) -> Request:
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise DevnetError("a request is a JSON object")
            return {"ok": cast("_Server", self.server).answer(request)}
        except (FolkmootError, ValueError) as error:
            return {"error": str(error)}
        except Exception:
            # A process edge: the operator gets a sentence, the log the rest.
            log.exception("a request failed")
            return {"error": "the supervisor failed; see chain/supervisor.log in the home"}
