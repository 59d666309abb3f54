"""The port that a new agent's configuration names stays free until the agent listens on it."""

import socket
from random import SystemRandom

import pytest

from folkmoot.agent_setup import PORTS, free_port


def test_no_outgoing_connection_is_given_the_port() -> None:
    assert free_port() < 32_768


def test_a_port_that_somebody_listens_on_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
        taken.listen()
        busy = taken.getsockname()[1]
        free = free_port()
        monkeypatch.setattr(SystemRandom, "sample", lambda *_, **__: [busy, free])

        assert free_port() == free
        assert {busy, free} <= set(PORTS)
