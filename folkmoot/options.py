"""Options and output that all commands share."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot.home import Home
from folkmoot.settings import Settings, read_settings

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        help="Folder of this network; else FOLKMOOT_HOME, else var/demo.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object for a program.")]


def open_home(given: Path | None) -> tuple[Home, Settings]:
    """Return the home that a command works on, and the settings it was read with."""
    settings = read_settings()
    return Home.at(given or settings.home), settings


def read_credits(text: str) -> Decimal:
    """Return an amount of credits as it is written; a float would round large ones.

    Raises
    ------
    typer.BadParameter
        If it is no number above zero with at most 18 decimals.
    """
    try:
        amount = Decimal(text)
        whole = amount.is_finite() and amount > 0 and amount.scaleb(18) % 1 == 0
    except InvalidOperation:
        whole = False
    if not whole:
        raise typer.BadParameter(f"{text!r} is no amount of credits: give a number above zero, such as 12.5")
    return amount


FAR_S = 32_503_680_000
"""Beginning of the year 3000, UTC."""


def utc(moment_s: int) -> str:
    """Return a moment of chain time as people write it; the chain may hold one that no calendar has."""
    if moment_s >= FAR_S:
        return "after the year 3000"
    return f"{datetime.fromtimestamp(moment_s, UTC):%Y-%m-%d %H:%M:%S} UTC"


def print_json(value: Mapping[str, object] | DataclassInstance) -> None:
    """Print one JSON object on standard output."""
    fields = asdict(value) if is_dataclass(value) else value
    sys.stdout.write(json.dumps(fields, indent=2, default=str) + "\n")


def say(text: str) -> None:
    """Print one line for a person on standard output."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """Print one line on standard error, where it disturbs no program that reads the output."""
    sys.stderr.write(text + "\n")
