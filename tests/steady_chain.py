"""A development chain on which nothing is left to chance: the same steps cost the same gas every time.

Chain id, first time and every block's time are fixed, so that ids, signatures and calldata are the same byte for byte.
"""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from folkmoot.devnet import find_anvil
from folkmoot.settings import read_settings
from tests.node_calls import NodeCalls

CHAIN_ID = 7_770_003
START_S = 1_800_000_000


@dataclass(frozen=True, slots=True)
class Info:
    rpc_url: str


@dataclass(frozen=True, slots=True)
class SteadyChain(NodeCalls):
    """What a played network asks of a development chain."""

    rpc: str

    def info(self) -> Info:
        return Info(self.rpc)

    def fund(self, addresses: Sequence[str], wei: int) -> None:
        for address in addresses:
            self.call("anvil_setBalance", address, hex(wei))

    def advance(self, seconds: int) -> None:
        block = self.call("eth_getBlockByNumber", "latest", False)
        assert isinstance(block, dict)
        self.call("evm_setNextBlockTimestamp", int(block["timestamp"], 16) + seconds)
        self.call("evm_mine")


@contextmanager
def steady_chain() -> Iterator[SteadyChain]:
    """Start a node and stop it at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(find_anvil(read_settings())), "--port", str(port), "--accounts", "0", "--silent"]
    command += ["--chain-id", str(CHAIN_ID), "--timestamp", str(START_S)]
    with subprocess.Popen(command) as node:
        try:
            chain = SteadyChain(f"http://127.0.0.1:{port}")
            _wait(chain)
            chain.call("anvil_setBlockTimestampInterval", 1)
            yield chain
        finally:
            node.terminate()


def _wait(chain: SteadyChain) -> None:
    for _ in range(100):
        try:
            chain.call("eth_chainId")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the node did not start")
