"""Prepares the folder of a new agent: keys, rows split once, mandate, configuration."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import Final

import yaml

from folkmoot.agent_config import ROLES, AgentConfig, AgentConfigError
from folkmoot.files import storage_errors, write_atomically
from folkmoot.keystore import Keystore

PORTS: Final = range(10_000, 32_768)
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


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

    Everything is made beside and moved in at the end, so that an attempt with a wrong row or a
    wrong mandate leaves nothing behind and is simply repeated.

    Raises
    ------
    AgentConfigError
        If the folder holds an agent already, the name or listening address is no such thing, an
        owner brings no rows, or the mandate is of the wrong side.
    MandateError, DataError
        If the mandate, the schema or a row does not fit; the message names the place.
    """
    path = agent.folder / "agent.yaml"
    if path.exists():
        raise AgentConfigError(f"{path} exists already; an agent's keys and split are made once: name another folder")
    _check(agent)
    existed = agent.folder.exists()
    with storage_errors(agent.folder):
        agent.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with tempfile.TemporaryDirectory(dir=agent.folder, prefix=".unfinished-") as work:
            _make(agent, Path(work))
    except BaseException:
        if not existed:
            agent.folder.rmdir()
        raise
    return AgentConfig.read(path)


def _check(agent: NewAgent) -> None:
    from agents.negotiation.mandate import SellerMandate, load_mandate
    from governance.policy import load_policies

    if not _NAME.fullmatch(agent.name):
        raise AgentConfigError(f"--name {agent.name!r}: use small letters, digits and dashes, such as fifth-hospital")
    unknown = sorted(set(agent.roles) - set(ROLES))
    if unknown:
        raise AgentConfigError(f"--role {unknown[0]!r} is unknown; there are {', '.join(ROLES)}")
    host, _, port = agent.listen.rpartition(":")
    if agent.listen and not (host and port.isdecimal() and 0 < int(port) < 65_536):
        raise AgentConfigError(f"--listen {agent.listen!r}: write HOST:PORT such as 127.0.0.1:8101")
    mandate = load_mandate(agent.mandate, {purpose.name: purpose.bit for purpose in load_policies().purposes})
    sells = isinstance(mandate, SellerMandate)
    if sells and "coordinator" in agent.roles:
        raise AgentConfigError(f"{agent.mandate}: a coordinator buys, so its mandate needs side: buyer")
    if not sells and set(agent.roles) & {"owner", "compute", "evaluator"}:
        raise AgentConfigError(f"{agent.mandate}: this agent sells, so its mandate needs side: seller")


def _make(agent: NewAgent, work: Path) -> None:
    fields: dict[str, object] = {
        "name": agent.name,
        "roles": list(agent.roles),
        "network": os.path.relpath(agent.network, agent.folder),
        "key": "keys/agent.json",
        "sealing_key": "keys/sealing.json",
        "password_file": "keys/password",
        "listen": agent.listen or f"127.0.0.1:{free_port(agent.folder.parent)}",
        "mandate": "mandate.yaml",
    }
    with storage_errors(agent.folder):
        shutil.copy(agent.mandate, work / "mandate.yaml")
    if "owner" in agent.roles:
        _split(agent, work)
        fields["data"] = {"schema": "schema.yaml", "directory": "data"}
    if agent.noise_seed is not None:
        fields["noise_seed"] = agent.noise_seed
    write_atomically(work / "agent.yaml", yaml.safe_dump(fields, sort_keys=False))
    AgentConfig.read(work / "agent.yaml")
    _make_keys(work / "keys")
    with storage_errors(agent.folder):
        # The configuration goes last: a folder that has one is complete.
        for made in sorted(work.iterdir(), key=lambda each: each.name == "agent.yaml"):
            made.rename(agent.folder / made.name)


def _make_keys(folder: Path) -> None:
    password = secrets.token_urlsafe(32)
    write_atomically(folder / "password", password + "\n", mode=0o600)
    own = Keystore(folder, password)
    own.create("agent")
    own.create("sealing", private_key=secrets.token_bytes(32))


def _split(agent: NewAgent, work: Path) -> None:
    from agents.training.scenario import prepare_owner
    from agents.training.schema import load_schema
    from folkmoot.scenario import write_split

    if agent.csv is None or agent.schema is None:
        raise AgentConfigError("an owner brings rows: give --csv and --schema")
    schema = load_schema(agent.schema)
    owner = prepare_owner(agent.csv, schema, work / "split", name=agent.name)
    shutil.move(str(owner.directory), work / "data")
    (work / "split").rmdir()
    shutil.copy(agent.schema, work / "schema.yaml")
    write_split(owner, work / "data")


def free_port(neighbours: Path) -> int:
    """Return a port of loopback that nobody listens on and no agent in the folder has been given.

    It stays in a configuration, so it lies below the ports that systems hand to outgoing
    connections (RFC 6335 section 6: 49152; Linux: 32768), one of which could hold it later.

    Parameters
    ----------
    neighbours
        Folder with a folder for each agent; those set up before may not listen yet.
    """
    given = _given_ports(neighbours)
    for port in SystemRandom().sample(PORTS, k=len(PORTS)):
        with socket.socket() as probe, suppress(OSError):
            if port not in given:
                probe.bind(("127.0.0.1", port))
                return port
    raise AgentConfigError(f"no port of 127.0.0.1 from {PORTS[0]} to {PORTS[-1]} is free: give --listen")


def _given_ports(neighbours: Path) -> set[int]:
    ports = set[int]()
    for path in neighbours.glob("*/agent.yaml"):
        # Somebody else's broken configuration is for its own start to complain of.
        with suppress(OSError, ValueError, yaml.YAMLError, KeyError, TypeError):
            ports.add(int(str(yaml.safe_load(path.read_text())["listen"]).rpartition(":")[2]))
    return ports
