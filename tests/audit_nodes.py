"""Both development nodes: anvil, and Hardhat's EDR as a second client."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from folkmoot.devnet import find_anvil
from folkmoot.settings import CHECKOUT, read_settings


def _command(client: str, port: int) -> list[str]:
    if client == "anvil":
        return [str(find_anvil(read_settings())), "--port", str(port), "--accounts", "0", "--chain-id", "7770002"]
    node = shutil.which("node")
    assert node is not None
    return [node, str(CHECKOUT / "contracts" / "script" / "edr.js"), str(port)]


@contextmanager
def running_node(client: str) -> Iterator[str]:
    """Start an empty node of ``anvil`` or ``edr``, yield its address, and stop it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen(_command(client, port), stdout=subprocess.DEVNULL, cwd=CHECKOUT) as node:
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url)
            yield url
        finally:
            node.terminate()


def ask(url: str, method: str, *parameters: object) -> object:
    """Call a node."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        document = json.load(answer)
    assert "error" not in document, document
    return document["result"]


def fund(url: str, address: str, wei: str) -> None:
    """Give an account coins by telling the node so, which is no transaction."""
    ask(url, "anvil_setBalance", address, wei)


def _wait(url: str) -> None:
    for _ in range(200):
        try:
            ask(url, "eth_chainId")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the node did not start")
