"""A slow node is waited for while it mines; one that stopped is named with what it has done."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from folkmoot.devnet.chain import wait_until_mined
from folkmoot.devnet.errors import DevnetError

HASHES = [f"0x{number:064x}" for number in range(40)]


@dataclass
class SlowNode:
    """Mines a transaction every so many seconds of a clock that it moves itself."""

    every_s: float
    stops_after: int = len(HASHES)
    reverted: int = -1
    now_s: float = 0.0
    asked: list[str] = field(default_factory=list)

    def ask(self, method: str, hashes: list[str]) -> list[object]:
        self.asked.append(method)
        mined = min(int(self.now_s / self.every_s), self.stops_after)
        return [self._receipt(place, digest) if place < mined else None for place, digest in enumerate(hashes)]

    def _receipt(self, place: int, digest: str) -> dict[str, str]:
        return {"status": "0x0" if place == self.reverted else "0x1", "transactionHash": digest}

    def clock(self) -> float:
        return self.now_s

    def pause(self, _seconds: float) -> None:
        self.now_s += 1.0


def wait(node: SlowNode) -> None:
    wait_until_mined(node.ask, HASHES, clock=node.clock, pause=node.pause)


def test_a_node_that_takes_ten_minutes_is_waited_for() -> None:
    node = SlowNode(every_s=15)

    wait(node)

    assert node.now_s == 600
    assert set(node.asked) == {"eth_getTransactionReceipt"}


def test_a_node_that_stopped_is_given_up_and_what_it_did_is_told() -> None:
    node = SlowNode(every_s=2, stops_after=7)

    with pytest.raises(DevnetError, match=f"7 of 40 transactions were mined, and none more for 30 s; .* {HASHES[7]}"):
        wait(node)

    assert node.now_s == 14 + 30


def test_a_revert_ends_the_waiting_at_once() -> None:
    node = SlowNode(every_s=1, reverted=2)

    with pytest.raises(DevnetError, match="reverted"):
        wait(node)

    assert node.now_s == 3
