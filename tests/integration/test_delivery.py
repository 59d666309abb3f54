"""What leaves an agent: a hanging peer, a moved endpoint, a foreign host."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.net_cases import Peer, TableFile, address_of, wait_for

SENDER_KEY, GOOD_KEY, HANGING_KEY = (bytes([value]) * 32 for value in (21, 22, 23))


@pytest.fixture
def table(tmp_path: Path) -> TableFile:
    return TableFile(tmp_path / "table.json")


@pytest.fixture
def peers() -> Iterator[list[Peer]]:
    started: list[Peer] = []
    yield started
    for peer in started:
        peer.kill()


def start(table: TableFile, key: bytes, name: str, *more: object) -> Peer:
    home = table.path.parent / name
    return Peer.start("net_peer.py", key.hex(), home, table.path, 0, *more, home=home)


def test_a_hanging_peer_delays_nobody_else(table: TableFile, peers: list[Peer]) -> None:
    good = start(table, GOOD_KEY, "good")
    peers.append(good)
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        table.put(HANGING_KEY, f"http://127.0.0.1:{hanging.getsockname()[1]}")
        table.put(GOOD_KEY, good.url)
        targets = f"{address_of(HANGING_KEY)},{address_of(GOOD_KEY)}"
        sender = start(table, SENDER_KEY, "sender", targets, 5)
        peers.append(sender)
        table.put(SENDER_KEY, sender.url)
        began = time.monotonic()

        wait_for(lambda: len(good.noted()) == 5, timeout_s=8, what="mail to the good peer")

        assert time.monotonic() - began < 8
        assert sender.outgoing() >= 5


def test_moving_an_endpoint_moves_the_traffic(table: TableFile, peers: list[Peer]) -> None:
    first, second = start(table, GOOD_KEY, "first"), start(table, GOOD_KEY, "second")
    peers.extend([first, second])
    table.put(GOOD_KEY, first.url)
    sender = start(table, SENDER_KEY, "sender", address_of(GOOD_KEY), 3)
    peers.append(sender)
    table.put(SENDER_KEY, sender.url)
    wait_for(lambda: len(first.noted()) == 3 and sender.outgoing() == 0, what="mail to the first endpoint")
    sender.kill()

    table.put(GOOD_KEY, second.url)
    sender = start(table, SENDER_KEY, "sender", address_of(GOOD_KEY), 6)
    peers.append(sender)
    table.put(SENDER_KEY, sender.url)

    wait_for(lambda: len(second.noted()) == 6, what="mail to the second endpoint")
    assert len(first.noted()) == 3


def test_mail_for_an_endpoint_that_hangs_follows_it_when_it_moves(table: TableFile, peers: list[Peer]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        table.put(GOOD_KEY, f"http://127.0.0.1:{hanging.getsockname()[1]}")
        sender = start(table, SENDER_KEY, "sender", address_of(GOOD_KEY), 12)
        peers.append(sender)
        table.put(SENDER_KEY, sender.url)
        hanging.settimeout(10)
        hanging.accept()

        moved = start(table, GOOD_KEY, "moved")
        peers.append(moved)
        table.put(GOOD_KEY, moved.url)

        wait_for(lambda: len(moved.noted()) == 12, timeout_s=12, what="mail to the new endpoint")


def test_no_host_is_contacted_that_is_not_configured(table: TableFile, peers: list[Peer]) -> None:
    with socket.create_server(("127.0.0.2", 0)) as foreign:
        foreign.settimeout(1.5)
        table.put(GOOD_KEY, f"http://127.0.0.2:{foreign.getsockname()[1]}")
        sender = start(table, SENDER_KEY, "sender", address_of(GOOD_KEY), 1)
        peers.append(sender)

        with pytest.raises(TimeoutError):
            foreign.accept()
