"""Prepares the folder of a new agent: keys, rows split once, mandate, configuration."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

import yaml

from folkmoot.agent_config import AgentConfig, AgentConfigError
from folkmoot.files import storage_errors, write_atomically
from folkmoot.keystore import Keystore


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAgent:
    """What an operator decides about a new agent."""

    folder: Path
    name: str
    roles: tuple[str, ...]
    network: Path
    mandate: Path
    listen: str = ""
    """Host and port; empty takes a free port of loopback."""
    csv: Path | None = None
    schema: Path | None = None
    noise_seed: int | None = None


def set_up(agent: NewAgent) -> AgentConfig:
    """Make the folder and return its configuration.

    Raises
    ------
    AgentConfigError
        If the folder holds an agent already, or an owner brings no rows.
    """
    path = agent.folder / "agent.yaml"
    if path.exists():
        raise AgentConfigError(f"{path} exists already; an agent's keys and split are made once")
    with storage_errors(agent.folder):
        agent.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copy(agent.mandate, agent.folder / "mandate.yaml")
    _make_keys(agent.folder / "keys")
    fields: dict[str, object] = {
        "name": agent.name,
        "roles": list(agent.roles),
        "network": os.path.relpath(agent.network, agent.folder),
        "key": "keys/agent.json",
        "sealing_key": "keys/sealing.json",
        "password_file": "keys/password",
        "listen": agent.listen or f"127.0.0.1:{free_port()}",
        "mandate": "mandate.yaml",
    }
    if "owner" in agent.roles:
        _split(agent)
        fields["data"] = {"schema": "schema.yaml", "directory": "data"}
    if agent.noise_seed is not None:
        fields["noise_seed"] = agent.noise_seed
    write_atomically(path, yaml.safe_dump(fields, sort_keys=False))
    return AgentConfig.read(path)


def _make_keys(folder: Path) -> None:
    password = secrets.token_urlsafe(32)
    write_atomically(folder / "password", password + "\n", mode=0o600)
    own = Keystore(folder, password)
    own.create("agent")
    own.create("sealing", private_key=secrets.token_bytes(32))


def _split(agent: NewAgent) -> None:
    from agents.training.scenario import prepare_owner
    from agents.training.schema import load_schema
    from folkmoot.scenario import write_split

    if agent.csv is None or agent.schema is None:
        raise AgentConfigError("an owner brings rows: give --csv and --schema")
    schema = load_schema(agent.schema)
    owner = prepare_owner(agent.csv, schema, agent.folder / "split", name=agent.name)
    shutil.move(str(owner.directory), agent.folder / "data")
    (agent.folder / "split").rmdir()
    shutil.copy(agent.schema, agent.folder / "schema.yaml")
    write_split(owner, agent.folder / "data")


def free_port() -> int:
    """Return a port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
