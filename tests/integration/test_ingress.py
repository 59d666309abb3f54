"""Every attack of research on stock uAgents 0.26.1, against a real process behind the gate."""

import socket
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from uagents_core.identity import generate_user_address
from uagents_core.models import ERROR_MESSAGE_DIGEST, Model

from agents.net.artifacts import sign_ticket
from agents.net.keys import identity_from_key
from agents.protocols.messages import Ack, schema_digest
from tests.integration.net_cases import Peer, TableFile, agent_address_of, envelope, post, report, wait_for

VICTIM_KEY, FRIEND_KEY, STRANGER_KEY, INACTIVE_KEY, FLOODER_KEY = (bytes([value]) * 32 for value in (1, 2, 3, 4, 8))
TARGET = agent_address_of(VICTIM_KEY)
NOTHING = "0x" + "0" * 64


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> TableFile:
    table = TableFile(tmp_path_factory.mktemp("registry") / "table.json")
    table.put(FRIEND_KEY, "http://127.0.0.1:9")
    table.put(FLOODER_KEY, "http://127.0.0.1:9")
    table.put(INACTIVE_KEY, "http://127.0.0.1:9", active=False)
    return table


@pytest.fixture(scope="module")
def victim(table: TableFile) -> Iterator[Peer]:
    home = table.path.parent / "victim"
    peer = Peer.start("net_peer.py", VICTIM_KEY.hex(), home, table.path, 0, home=home)
    yield peer
    assert peer.stop() == 0, "an agent that is asked to stop exits cleanly"


def from_friend(msg_id: str, **changes: object) -> object:
    return envelope(report(msg_id), key=FRIEND_KEY, target=TARGET, **changes)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _the_victim_lives_afterwards(victim: Peer) -> Iterator[None]:
    yield
    name = f"after:{uuid.uuid4()}"
    assert requests.get(f"{victim.url}/health", timeout=5).json() == {"status": "ok"}
    assert post(victim, from_friend(name)) == 200
    wait_for(lambda: name in victim.noted(), what="a valid message after the attack")


def test_a_valid_message_is_handled_once_however_often_it_is_replayed(victim: Peer) -> None:
    valid = from_friend("once")

    assert [post(victim, valid) for _ in range(3)] == [200, 200, 200]

    wait_for(lambda: "once" in victim.noted())
    time.sleep(0.2)
    assert victim.noted()["once"] == 1


def test_the_same_message_in_a_new_envelope_is_handled_once(victim: Peer) -> None:
    assert [post(victim, from_friend("resent")) for _ in range(3)] == [200, 200, 200]

    wait_for(lambda: "resent" in victim.noted())
    time.sleep(0.2)
    assert victim.noted()["resent"] == 1


@pytest.mark.parametrize("expires_in_s", [-3600, -1, None, 3600, -(10**10), 2**62])
def test_expiry_must_be_near_and_ahead(victim: Peer, expires_in_s: int | None) -> None:
    attack = from_friend(f"expiry:{expires_in_s}", expires_in_s=30)
    attack.expires = None if expires_in_s is None else int(time.time()) + expires_in_s  # type: ignore[attr-defined]
    if attack.expires is None or attack.expires >= 0:  # type: ignore[attr-defined]
        attack.sign(identity_from_key(FRIEND_KEY))  # type: ignore[attr-defined]

    assert post(victim, attack) == 400
    assert f"expiry:{expires_in_s}" not in victim.noted()


def test_a_tampered_payload_is_refused(victim: Peer) -> None:
    attack = from_friend("untampered")
    attack.encode_payload(report("tampered").json())  # type: ignore[attr-defined]

    assert post(victim, attack) == 400


def test_a_swapped_sender_is_refused(victim: Peer) -> None:
    attack = envelope(report("swapped"), key=STRANGER_KEY, target=TARGET, sender=agent_address_of(FRIEND_KEY))

    assert post(victim, attack) == 400


def test_an_unsigned_envelope_is_refused(victim: Peer) -> None:
    assert post(victim, from_friend("unsigned", signed=False)) == 400


def test_a_foreign_target_is_refused(victim: Peer) -> None:
    attack = envelope(report("elsewhere"), key=FRIEND_KEY, target=agent_address_of(STRANGER_KEY))

    assert post(victim, attack) == 400


def test_a_nonce_that_could_hide_another_payload_is_refused(victim: Peer) -> None:
    assert post(victim, from_friend("nonce", nonce=7)) == 400


def test_unsigned_user_senders_are_refused(victim: Peer) -> None:
    attack = envelope(report("user"), key=FRIEND_KEY, target=TARGET, sender=generate_user_address(), signed=False)

    assert post(victim, attack) == 403


@pytest.mark.parametrize("key", [STRANGER_KEY, INACTIVE_KEY], ids=["unknown", "inactive"])
def test_senders_that_are_not_active_on_chain_are_refused(victim: Peer, key: bytes) -> None:
    assert post(victim, envelope(report("stranger"), key=key, target=TARGET)) == 403
    assert "stranger" not in victim.noted()


def test_a_schema_without_a_handler_is_refused(victim: Peer) -> None:
    class Unknown(Model):  # type: ignore[misc]
        number: int

    assert post(victim, envelope(Unknown(number=1), key=FRIEND_KEY, target=TARGET)) == 400


@pytest.mark.parametrize(
    "payload",
    ["{}", '{"msg_id": 7}', "not json", "[" * 10_000, '{"msg_id": "x", "more": 1}', "NaN", "9" * 5000, "null"],
    ids=["empty", "wrong-type", "no-json", "deep", "unknown-field", "nan", "huge-number", "null"],
)
def test_a_body_that_does_not_fit_its_schema_is_refused(victim: Peer, payload: str) -> None:
    attack = envelope(payload, key=FRIEND_KEY, target=TARGET, schema=schema_digest(type(report("x"))))

    assert post(victim, attack) == 422


def test_the_one_request_that_kills_stock_agents_is_refused(victim: Peer) -> None:
    attack = envelope(
        "{}",
        key=FRIEND_KEY,
        target=TARGET,
        sender=generate_user_address(),
        schema=ERROR_MESSAGE_DIGEST,
        expires_in_s=None,
        signed=False,
    )

    assert post(victim, attack) == 400


def test_error_messages_of_active_agents_are_refused_too(victim: Peer) -> None:
    assert post(victim, envelope("{}", key=FRIEND_KEY, target=TARGET, schema=ERROR_MESSAGE_DIGEST)) == 400


def test_a_payload_that_is_no_base64_is_refused(victim: Peer) -> None:
    attack = from_friend("base64")
    attack.payload = "!!!no base64"  # type: ignore[attr-defined]
    attack.sign(identity_from_key(FRIEND_KEY))  # type: ignore[attr-defined]

    assert post(victim, attack) == 422


@pytest.mark.parametrize("body", [b"", b"{{{", b'{"a": 1}', b"[" * 60_000, b"\xff\xfe", b"null"])
def test_what_is_no_envelope_is_refused(victim: Peer, body: bytes) -> None:
    assert post(victim, body) == 400


@pytest.mark.parametrize("megabytes", [1, 20])
def test_an_oversized_body_is_refused_unread(victim: Peer, megabytes: int) -> None:
    began = time.monotonic()
    try:
        status = post(victim, b"A" * (megabytes << 20))
    except requests.ConnectionError:
        status = 413  # the server closed the door while we were still sending

    assert status == 413
    assert time.monotonic() - began < 5


def test_an_oversized_body_without_a_length_is_refused(victim: Peer) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(100):
            yield b"A" * 10_000

    try:
        status = requests.post(f"{victim.url}/submit", data=chunks(), timeout=10).status_code
    except requests.ConnectionError:
        status = 413

    assert status == 413


def test_a_body_that_never_comes_is_given_up(victim: Peer) -> None:
    with socket.create_connection(("127.0.0.1", victim.port), timeout=10) as connection:
        connection.sendall(b"POST /submit HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")

        assert b"408" in connection.recv(200)


def test_synchronous_requests_are_refused(victim: Peer) -> None:
    assert post(victim, from_friend("sync"), {"x-uagents-connection": "sync"}) == 400


def test_a_bug_in_a_handler_does_not_stop_the_agent(victim: Peer) -> None:
    attack = envelope(report("bug", "0x" + "0" * 61 + "bad"), key=FRIEND_KEY, target=TARGET)

    assert post(victim, attack) == 200
    time.sleep(0.3)
    assert "bug" not in victim.noted(), "what a failed handler wrote is rolled back"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/messages"), ("GET", "/agent_info"), ("POST", "/connect"), ("HEAD", "/submit"), ("OPTIONS", "/submit")],
)
def test_routes_of_stock_agents_do_not_exist(victim: Peer, method: str, path: str) -> None:
    headers = {"X-Forwarded-For": "127.0.0.1"}

    answer = requests.request(method, victim.url + path, headers=headers, timeout=5)

    assert answer.status_code == 404
    assert "access-control-allow-origin" not in answer.headers


def test_artifacts_are_served_to_active_agents_once_per_ticket(victim: Peer) -> None:
    from agents.net.artifacts import PublicStore

    digest = PublicStore(victim.home / "public").put(b"a model card")
    ticket = sign_ticket(identity_from_key(FRIEND_KEY), TARGET, digest)
    url, headers = f"{victim.url}/artifact/{digest}", {"x-folkmoot-ticket": ticket}

    first, second = (requests.get(url, headers=headers, timeout=5) for _ in range(2))

    assert (first.status_code, first.content) == (200, b"a model card")
    assert second.status_code == 403


def test_artifacts_are_not_served_to_others_nor_from_elsewhere(victim: Peer) -> None:
    from agents.net.artifacts import PublicStore

    digest = PublicStore(victim.home / "public").put(b"another")
    (victim.home / "public" / ("f" * 64)).symlink_to(victim.home / "mail.sqlite")

    def get(path: str, *, key: bytes, names: str = "") -> int:
        ticket = sign_ticket(identity_from_key(key), TARGET, names or path)
        headers = {"x-folkmoot-ticket": ticket}
        return requests.get(f"{victim.url}/artifact/{path}", headers=headers, timeout=5).status_code

    assert requests.get(f"{victim.url}/artifact/{digest}", timeout=5).status_code == 400
    assert get(digest, key=STRANGER_KEY) == 403
    assert get(digest, key=FRIEND_KEY, names="0" * 64) == 404
    assert get("f" * 64, key=FRIEND_KEY) == 404
    assert get("..%2Fmail.sqlite", key=FRIEND_KEY, names="0" * 64) == 404


def test_replays_use_up_nothing_of_the_sender(victim: Peer) -> None:
    valid = from_friend("replayed-often")

    statuses = {post(victim, valid) for _ in range(100)}

    assert statuses == {200}


def test_a_flood_of_one_sender_is_slowed_down(victim: Peer) -> None:
    # Signed beforehand and sent side by side: on a slow machine one after the other is no flood.
    letters = [envelope(Ack(msg_id="a"), key=FLOODER_KEY, target=TARGET) for _ in range(240)]
    with ThreadPoolExecutor(max_workers=6) as pool:
        statuses = list(pool.map(lambda letter: post(victim, letter), letters))

    assert set(statuses) == {200, 429}
    assert statuses.count(200) >= 60, "what the burst allows is taken"


def test_a_replay_after_a_restart_is_not_handled_again(table: TableFile, tmp_path: Path) -> None:
    key = b"\x07" * 32
    home = tmp_path / "restarted"
    first = Peer.start("net_peer.py", key.hex(), home, table.path, 0, home=home)
    valid = envelope(report("before"), key=FRIEND_KEY, target=agent_address_of(key))
    assert post(first, valid) == 200
    wait_for(lambda: "before" in first.noted())
    first.kill()

    second = Peer.start("net_peer.py", key.hex(), home, table.path, 0, home=home)
    replayed = post(second, valid)
    time.sleep(0.3)

    assert (replayed, second.noted()["before"]) == (200, 1)
    assert second.stop() == 0


def test_a_second_process_with_the_same_key_does_not_start(victim: Peer, table: TableFile) -> None:
    with pytest.raises(AssertionError, match=f"process {victim.process.pid} already runs this agent"):
        Peer.start("net_peer.py", VICTIM_KEY.hex(), victim.home, table.path, 0, home=victim.home)


def test_a_port_in_use_is_named(victim: Peer, table: TableFile, tmp_path: Path) -> None:
    home = tmp_path / "late"

    with pytest.raises(AssertionError, match=f"cannot listen on 127.0.0.1:{victim.port}"):
        Peer.start("net_peer.py", (b"\x08" * 32).hex(), home, table.path, victim.port, home=home)
