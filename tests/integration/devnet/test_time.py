"""Time moves only forward, and only where somebody may move it."""

from __future__ import annotations

import os
import signal
import time

import pytest

from folkmoot.devnet import Devnet, DevnetError
from folkmoot.devnet.rpc import RpcClient

pytestmark = pytest.mark.chain

DAY_S = 86_400


def block_times(devnet: Devnet) -> list[int]:
    client = RpcClient(devnet.info().rpc_url)
    last = client.number("eth_blockNumber")
    headers = [client.fields("eth_getBlockByNumber", hex(each), False) for each in range(last + 1)]
    return [int(str(header["timestamp"]), 16) for header in headers]


def test_advance_moves_the_chain_and_not_back(devnet: Devnet) -> None:
    before = devnet.status().timestamp_s

    now_s = devnet.advance(DAY_S)

    assert DAY_S <= now_s - before <= DAY_S + 5
    assert devnet.advance_to(before) >= now_s


def test_the_clock_stays_ahead_through_kill_and_restart(devnet: Devnet) -> None:
    ahead_s = devnet.advance(10 * DAY_S)
    info = devnet.info()
    os.kill(info.pid, signal.SIGKILL)
    time.sleep(0.2)

    devnet.start()
    devnet.fund(["0x" + "33" * 20], 1)

    assert devnet.status().timestamp_s >= ahead_s
    times = block_times(devnet)
    assert times == sorted(times)


def test_a_chain_that_comes_from_a_snapshot_does_not_go_back_in_time(
    devnet: Devnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOLKMOOT_CHAIN_HISTORY", "1")
    ahead_s = devnet.advance(10 * DAY_S)
    devnet.stop()

    history = Devnet(devnet.home).start().history
    devnet.fund(["0x" + "33" * 20], 1)

    assert "replayed 0 blocks after snapshot" in history
    assert devnet.status().timestamp_s >= ahead_s


def test_a_chain_that_fell_behind_comes_back_at_the_wall_clock(devnet: Devnet) -> None:
    devnet.stop()
    time.sleep(2)

    devnet.start()

    assert abs(devnet.status().timestamp_s - time.time()) <= 2


def test_an_idle_chain_mines_within_ten_seconds(devnet: Devnet) -> None:
    devnet.flush()
    before = devnet.status()

    deadline = time.monotonic() + 10
    while devnet.status().block == before.block and time.monotonic() < deadline:
        time.sleep(0.1)

    assert devnet.status().block > before.block
    assert devnet.status().timestamp_s > before.timestamp_s


@pytest.mark.parametrize("seconds", [0, -5, 10**12])
def test_an_impossible_advance_is_refused(shared_devnet: Devnet, seconds: int) -> None:
    with pytest.raises(DevnetError, match="cannot advance"):
        shared_devnet.advance(seconds)
