"""Negotiations between two processes that are killed again and again."""

import sqlite3
from pathlib import Path

from tests.integration.net_cases import Peer, TableFile, address_of, wait_for

BUYER_KEY, SELLER_KEY = b"\x31" * 32, b"\x32" * 32
COUNT = 16


def rows(peer: Peer, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(peer.home / "mail.sqlite", timeout=20) as database:
        return database.execute(query).fetchall()


def agreed(peer: Peer) -> int:
    return int(str(rows(peer, "SELECT COUNT(*) FROM negotiation WHERE state = 'agreed'")[0][0]))


def steps(peer: Peer) -> int:
    return int(str(rows(peer, "SELECT COUNT(*) FROM negotiation_step")[0][0]))


def start(side: str, table: TableFile) -> Peer:
    key, peer = (BUYER_KEY, SELLER_KEY) if side == "buyer" else (SELLER_KEY, BUYER_KEY)
    home = table.path.parent / side
    started = Peer.start("bargain_peer.py", side, key.hex(), home, table.path, 0, address_of(peer), COUNT, home=home)
    table.put(key, started.url)
    return started


def test_killed_negotiators_lose_nothing_and_do_nothing_twice(tmp_path: Path) -> None:
    table = TableFile(tmp_path / "table.json")
    peers = {"seller": start("seller", table), "buyer": start("buyer", table)}

    for killed, reached in (("seller", 12), ("buyer", 30), ("seller", 50)):
        wait_for(lambda least=reached: steps(peers["buyer"]) >= least, timeout_s=60, what=f"{reached} steps")
        peers[killed].kill()
        peers[killed] = start(killed, table)
    buyer, seller = peers["buyer"], peers["seller"]
    wait_for(lambda: agreed(buyer) == agreed(seller) == COUNT, timeout_s=90, what="all agreements")
    wait_for(lambda: buyer.outgoing() == seller.outgoing() == 0, timeout_s=60, what="all acknowledgements")

    history = "SELECT negotiation_id, seq, step_hash, sender FROM negotiation_step ORDER BY negotiation_id, seq"
    deal = "SELECT negotiation_id, terms_json, buyer_signature, seller_signature FROM negotiation ORDER BY 1"
    assert rows(buyer, history) == rows(seller, history)
    assert rows(buyer, deal) == rows(seller, deal)
    assert (buyer.stop(), seller.stop()) == (0, 0)
