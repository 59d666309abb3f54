"""What the tests' played networks ask of a development node that nobody else may ask."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager


class NodeCalls:
    """Asks the node at ``rpc``."""

    __slots__ = ()

    rpc: str

    def call(self, method: str, *parameters: object) -> object:
        """Ask the node something that only a development node answers."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
        request = urllib.request.Request(self.rpc, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            document = json.load(answer)
        assert "error" not in document, document
        return document["result"]

    @contextmanager
    def rewound(self) -> Iterator[None]:
        """Undo on the node whatever happens inside."""
        snapshot = self.call("evm_snapshot")
        try:
            yield
        finally:
            assert self.call("evm_revert", snapshot)
