"""The file from which one agent runs: what it is, its keys, its mandate, its data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from governance.errors import FolkmootError

ROLES: Final = ("owner", "coordinator", "compute", "evaluator", "keeper")
REQUIRED: Final = frozenset({"name", "roles", "network", "key", "sealing_key", "password_file", "listen"})
NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
OPTIONAL: Final = frozenset({"mandate", "data", "noise_seed", "store"})


class AgentConfigError(FolkmootError):
    """An agent's configuration cannot be used; names file and field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataConfig:
    """Where an owner's split rows lie, and what they look like."""

    schema: Path
    directory: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentConfig:
    """One agent; every path is absolute."""

    name: str
    home: Path
    """Folder of the configuration file; the agent's database and status lie there."""
    roles: tuple[str, ...]
    network: Path
    """Home of the network: its deployment file, and its development chain if it has one."""
    key: Path
    sealing_key: Path
    password_file: Path
    host: str
    port: int
    mandate: Path | None = None
    data: DataConfig | None = None
    noise_seed: int | None = None
    """Seeds the owner's noise for a demonstration, which then has no privacy."""
    store: Path

    @classmethod
    def read(cls, path: Path) -> AgentConfig:
        """Read a configuration file.

        Raises
        ------
        AgentConfigError
            If it is missing, no YAML, or a field is missing, unknown or wrong.
        """
        path = path.expanduser().resolve()
        fields = _fields(path)
        home = path.parent
        host, port = _listen(str(fields["listen"]), path)
        data, mandate = fields.get("data"), fields.get("mandate")
        config = cls(
            name=_name(fields["name"], path),
            home=home,
            roles=_roles(fields["roles"], path),
            network=(home / str(fields["network"])).resolve(),
            key=home / str(fields["key"]),
            sealing_key=home / str(fields["sealing_key"]),
            password_file=home / str(fields["password_file"]),
            host=host,
            port=port,
            mandate=None if mandate is None else home / str(mandate),
            data=None if data is None else _data(data, home, path),
            noise_seed=_seed(fields.get("noise_seed"), path),
            store=(home / str(fields.get("store", "store"))).resolve(),
        )
        config._check(path)
        return config

    def _check(self, path: Path) -> None:
        if "owner" in self.roles and self.data is None:
            raise AgentConfigError(f"{path}: an owner needs data with a schema and a directory")
        needs_mandate = set(self.roles) & {"owner", "coordinator", "compute", "evaluator"}
        if needs_mandate and self.mandate is None:
            raise AgentConfigError(f"{path}: an agent that buys or sells needs a mandate file")


def _fields(path: Path) -> dict[str, object]:
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as problem:
        raise AgentConfigError(f"{path} cannot be read: {problem}") from problem
    given = set(document) if isinstance(document, dict) else set()
    wrong = sorted(map(str, (REQUIRED - given) | (given - REQUIRED - OPTIONAL)))
    if not isinstance(document, dict) or wrong:
        what_to_do = "`folkmoot agent init` writes a file that works"
        raise AgentConfigError(f"{path}: missing or unknown fields {wrong}; {what_to_do}")
    return document


def _name(value: object, path: Path) -> str:
    # Logs and process files are named after it.
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise AgentConfigError(f"{path}: name must be small letters, digits, dots and dashes, at most 64")
    return value


def _roles(value: object, path: Path) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not {str(role) for role in value} <= set(ROLES):
        raise AgentConfigError(f"{path}: roles must be one or more of {list(ROLES)}")
    return tuple(str(role) for role in value)


def _listen(value: str, path: Path) -> tuple[str, int]:
    host, _, port = value.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise AgentConfigError(f"{path}: listen must be HOST:PORT such as 127.0.0.1:8101")
    return host, int(port)


def _data(value: object, home: Path, path: Path) -> DataConfig:
    if not isinstance(value, dict) or set(value) != {"schema", "directory"}:
        raise AgentConfigError(f"{path}: data must have schema and directory")
    return DataConfig(
        schema=(home / str(value["schema"])).resolve(), directory=(home / str(value["directory"])).resolve()
    )


def _seed(value: object, path: Path) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise AgentConfigError(f"{path}: noise_seed must be a whole number, or left out for real noise")
    return value
