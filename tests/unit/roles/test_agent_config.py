from __future__ import annotations

from pathlib import Path

import pytest

from folkmoot.agent_config import AgentConfig, AgentConfigError

GOOD = """name: hospital
roles: [owner]
network: ../net
key: keys/agent.json
sealing_key: keys/sealing.json
password_file: keys/password
listen: 127.0.0.1:8101
mandate: mandate.yaml
data: {schema: schema.yaml, directory: data}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "agent.yaml"
    path.write_text(text)
    return path


def test_paths_are_those_beside_the_file(tmp_path: Path) -> None:
    config = AgentConfig.read(write(tmp_path, GOOD))

    assert config.network == tmp_path.parent / "net"
    assert config.key == tmp_path / "keys" / "agent.json"
    assert config.store == tmp_path / "store"
    assert config.noise_seed is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("roles: [owner]", "roles: [king]", "roles"),
        ("roles: [owner]", "roles: owner", "roles"),
        ("listen: 127.0.0.1:8101", "listen: 8101", "listen"),
        ("listen: 127.0.0.1:8101", "listen: 127.0.0.1:99999", "listen"),
        ("mandate: mandate.yaml\n", "", "mandate"),
        ("data: {schema: schema.yaml, directory: data}", "data: {schema: schema.yaml}", "data"),
        ("data: {schema: schema.yaml, directory: data}\n", "", "data"),
        ("name: hospital\n", "", "name"),
        ("name: hospital", "name: ../chain", "name"),
        ("name: hospital", "name: 2026-13-45", "cannot be read"),
        ("name: hospital\n", "name: hospital\nprivate_key: 0x12\n", "private_key"),
        ("mandate: mandate.yaml", "mandate: mandate.yaml\nnoise_seed: random", "noise_seed"),
    ],
)
def test_a_wrong_configuration_is_refused_by_field(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in GOOD

    with pytest.raises(AgentConfigError, match=said):
        AgentConfig.read(write(tmp_path, GOOD.replace(old, new)))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AgentConfigError, match=r"nowhere\.yaml"):
        AgentConfig.read(tmp_path / "nowhere.yaml")
