"""``folkmoot key make``: an encrypted key in a home."""

from __future__ import annotations

from typing import Annotated

import typer

from folkmoot.options import HomeOption, open_home, say

group = typer.Typer(no_args_is_help=True, help="Keys of a home.")


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="key")


@group.callback()
def _group() -> None:
    """Keep ``make`` a command of its own while it is the only one."""


@group.command("make")
def make(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Small letters, digits, dots and dashes.")],
    home: HomeOption = None,
) -> None:
    """Make a key, encrypted as every Ethereum wallet reads it, and say its address; none is ever overwritten.

    Example: folkmoot key make deployer --home var/sepolia
    """
    from folkmoot.keystore import open_keystore

    place, settings = open_home(home)
    keystore = open_keystore(place, settings)
    address = keystore.create(name)
    say(f"{address} is the address of {keystore.folder / name}.json; without its file and password it is lost")
