"""The port that a new agent's configuration names stays free until the agent listens on it."""

import socket
from pathlib import Path
from random import SystemRandom

import pytest

from folkmoot.agent_setup import PORTS, free_port


def test_no_outgoing_connection_is_given_the_port(tmp_path: Path) -> None:
    assert free_port(tmp_path) < 32_768


def test_a_port_that_somebody_listens_on_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port(tmp_path)))
        taken.listen()
        busy = taken.getsockname()[1]
        free = free_port(tmp_path)
        monkeypatch.setattr(SystemRandom, "sample", lambda *_, **__: [busy, free])

        assert free_port(tmp_path) == free
        assert {busy, free} <= set(PORTS)


def test_no_two_agents_of_a_folder_are_given_the_same_port(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given, other = free_port(tmp_path), free_port(tmp_path)
    (tmp_path / "cleveland").mkdir()
    (tmp_path / "cleveland" / "agent.yaml").write_text(f"listen: 127.0.0.1:{given}\n")
    monkeypatch.setattr(SystemRandom, "sample", lambda *_, **__: [given, other])

    assert free_port(tmp_path) == other


def test_a_broken_configuration_beside_keeps_no_agent_from_a_port(tmp_path: Path) -> None:
    for name, text in {"a": "listen: [", "b": "listen: nowhere", "c": "- 1", "d": "name: x"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "agent.yaml").write_text(text)

    assert free_port(tmp_path)
