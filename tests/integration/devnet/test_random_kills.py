"""Killed at any moment, over and over: what was once on disk stays, with the same hashes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from folkmoot.devnet import Devnet, NotRunning
from folkmoot.devnet.rpc import RpcClient
from folkmoot.home import Home
from folkmoot.settings import CHECKOUT

pytestmark = [pytest.mark.chain, pytest.mark.slow]


def hash_of(devnet: Devnet, number: int) -> str:
    return str(RpcClient(devnet.info().rpc_url).fields("eth_getBlockByNumber", hex(number), False)["hash"])


def kill_somebody(devnet: Devnet, dice: random.Random) -> None:
    with suppress(NotRunning, ProcessLookupError):
        info = devnet.info()
        pids = dice.choice([(info.pid,), (info.anvil_pid,), (info.pid, info.anvil_pid)])
        for pid in pids:
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("seed", range(3))
def test_no_block_on_disk_is_lost_by_kills_at_random_moments(home: Home, seed: int) -> None:
    dice = random.Random(seed)
    devnet = Devnet(home)
    known: dict[int, str] = {}
    for _ in range(12):
        # Half of the time the start itself is what gets killed.
        if dice.random() < 0.5:
            starting = subprocess.Popen([sys.executable, "-m", "folkmoot.devnet", str(home.root)], cwd=CHECKOUT)
            time.sleep(dice.random())
            starting.kill()
            starting.wait()
        devnet.start()
        for number, block_hash in known.items():
            assert hash_of(devnet, number) == block_hash
        with suppress(NotRunning):
            devnet.fund(["0x" + "66" * 20] * dice.randint(1, 8), 1)
            if dice.random() < 0.3:
                devnet.advance(dice.randint(1, 100_000))
            if dice.random() < 0.3:
                devnet.snapshot()
            last = devnet.flush()
            known[last] = hash_of(devnet, last)
        time.sleep(dice.random() * 0.1)
        kill_somebody(devnet, dice)
    devnet.start()
    for number, block_hash in known.items():
        assert hash_of(devnet, number) == block_hash
    devnet.stop()
