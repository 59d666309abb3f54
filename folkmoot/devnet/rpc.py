"""A small JSON-RPC client: no third-party import, one kept connection, not for several threads."""

from __future__ import annotations

import http.client
import json
from typing import TypeAlias
from urllib.parse import urlsplit

from governance.domain.urls import without_secrets
from governance.errors import ChainUnreachable, FolkmootError

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


class RpcRefused(FolkmootError):
    """The node answered with an error."""


class RpcClient:
    """Calls one node over HTTP.

    Parameters
    ----------
    url
        Where the node listens, ``http://host:port``.
    timeout_s
        How long one call may take.
    """

    def __init__(self, url: str, *, timeout_s: float = 60.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ChainUnreachable(f"{without_secrets(url)} is no RPC address; give http://host:port")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self.url = url
        self._shown = without_secrets(url)
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._connection = kind(parts.hostname, parts.port, timeout=timeout_s)

    def call(self, method: str, *params: Json) -> Json:
        """Return the result of one call.

        Raises
        ------
        ChainUnreachable
            If nobody answers, or what answers does not speak JSON-RPC.
        RpcRefused
            If the node answers with an error.
        """
        answer = self._post({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        return self._result(answer, method)

    def batch(self, method: str, values: list[str]) -> list[Json]:
        """Call ``method`` once per value in one request; results in the order of the values."""
        if not values:
            return []
        answers = self._post(
            [{"jsonrpc": "2.0", "id": index, "method": method, "params": [value]} for index, value in enumerate(values)]
        )
        if not isinstance(answers, list) or len(answers) != len(values):
            raise RpcRefused(f"{self._shown} does not answer batches of {method}")
        return [self._result(answer, method) for answer in answers]

    def number(self, method: str, *params: Json) -> int:
        """Return a result that is a hexadecimal quantity."""
        result = self.call(method, *params)
        try:
            return int(str(result), 16)
        except ValueError as error:
            raise RpcRefused(f"{method} at {self._shown} returned {result!r}, no number") from error

    def fields(self, method: str, *params: Json) -> dict[str, Json]:
        """Return a result that is an object."""
        result = self.call(method, *params)
        if not isinstance(result, dict):
            raise RpcRefused(f"{method} at {self._shown} returned {str(result)[:80]}, no object")
        return result

    def close(self) -> None:
        """Close the connection; the next call opens it again."""
        self._connection.close()

    def _post(self, body: Json) -> Json:
        data = json.dumps(body).encode()
        try:
            return self._exchange(data)
        except (http.client.HTTPException, ConnectionError):
            # The node may have closed the kept connection between two calls, and has then seen
            # nothing of this one. If it died instead, the second try fails as well.
            self.close()
        except OSError as error:
            self.close()
            raise ChainUnreachable(f"no answer from the chain at {self._shown}: {error}") from error
        try:
            return self._exchange(data)
        except (http.client.HTTPException, OSError) as error:
            self.close()
            raise ChainUnreachable(f"no answer from the chain at {self._shown}: {error}") from error

    def _exchange(self, body: bytes) -> Json:
        self._connection.request("POST", self._path, body, {"Content-Type": "application/json"})
        raw = self._connection.getresponse().read()
        try:
            answer: Json = json.loads(raw)
        except ValueError as error:
            raise ChainUnreachable(f"{self._shown} does not speak JSON-RPC: {raw[:80]!r}") from error
        return answer

    def _result(self, answer: Json, method: str) -> Json:
        if not isinstance(answer, dict):
            raise ChainUnreachable(f"{self._shown} does not speak JSON-RPC")
        if "error" in answer:
            error = answer["error"]
            message = error.get("message") if isinstance(error, dict) else error
            raise RpcRefused(f"{method}: {message}")
        return answer.get("result")
