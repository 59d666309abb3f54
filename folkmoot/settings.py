"""The one reader of the environment: every variable that this project looks at is named here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from governance.errors import FolkmootError

CHECKOUT = Path(__file__).resolve().parent.parent
"""The folder that holds our packages: a checkout, or the site-packages of an installation."""

MAX_IDLE_BLOCK_S = 10.0
"""The development chain promises a block at least this often while it is up."""


class SettingsError(FolkmootError):
    """An environment variable holds something that we cannot use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment says; everything else is an option of a command."""

    home: Path
    """FOLKMOOT_HOME, else ``var/demo`` in the checkout (or in the current folder)."""
    rpc_url: str | None = None
    """FOLKMOOT_RPC: use this EVM network and start no development chain."""
    anvil: Path | None = None
    """ANVIL: the program that runs the development chain."""
    idle_block_s: float = 2.0
    """FOLKMOOT_IDLE_BLOCK_S: seconds after which the development chain mines an empty block."""
    chain_history_blocks: int = 1000
    """FOLKMOOT_CHAIN_HISTORY: blocks whose old state the development chain keeps readable."""
    password_file: Path | None = None
    """FOLKMOOT_PASSWORD_FILE: password of the keystores; else the file that the home keeps."""
    model: str | None = None
    """FOLKMOOT_MODEL: the chat model that drafts and explains, as LangChain names it."""
    database_url: str | None = None
    """FOLKMOOT_DATABASE: the index, else an SQLite file in the home."""


def default_home(checkout: Path = CHECKOUT) -> Path:
    """Return ``var/demo`` in the checkout, or in the current folder when we are installed."""
    base = checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()
    return base / "var" / "demo"


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the environment once.

    Raises
    ------
    SettingsError
        If a variable is out of its range; the message names it.
    """
    env = os.environ if environment is None else environment
    return Settings(
        home=_path(env, "FOLKMOOT_HOME") or default_home(),
        rpc_url=_text(env, "FOLKMOOT_RPC"),
        anvil=_path(env, "ANVIL"),
        idle_block_s=_seconds(env, "FOLKMOOT_IDLE_BLOCK_S", 2.0),
        chain_history_blocks=_count(env, "FOLKMOOT_CHAIN_HISTORY", 1000),
        password_file=_path(env, "FOLKMOOT_PASSWORD_FILE"),
        model=_text(env, "FOLKMOOT_MODEL"),
        database_url=_text(env, "FOLKMOOT_DATABASE"),
    )


def child_environment(**changes: str) -> dict[str, str]:
    """Return the environment for a process that we start, with ``changes`` on top."""
    return {**os.environ, **changes}


def _text(env: Mapping[str, str], name: str) -> str | None:
    return env.get(name, "").strip() or None


def _path(env: Mapping[str, str], name: str) -> Path | None:
    text = _text(env, name)
    return Path(text).expanduser() if text else None


def _seconds(env: Mapping[str, str], name: str, default: float) -> float:
    text = _text(env, name)
    try:
        value = default if text is None else float(text)
    except ValueError:
        value = -1.0
    if not 0.1 <= value <= MAX_IDLE_BLOCK_S:
        raise SettingsError(f"{name} is {text!r}; give seconds from 0.1 to {MAX_IDLE_BLOCK_S:g}")
    return value


def _count(env: Mapping[str, str], name: str, default: int) -> int:
    text = _text(env, name)
    if text is None:
        return default
    if not text.isdecimal() or not 1 <= int(text) <= 1_000_000:
        raise SettingsError(f"{name} is {text!r}; give a whole number from 1 to 1000000")
    return int(text)
