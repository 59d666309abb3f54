"""``folkmoot organisation``: another operator for an organisation, when the key is lost, stolen or old."""

from __future__ import annotations

from typing import Annotated

import typer

from folkmoot.options import HomeOption, open_home, say

group = typer.Typer(no_args_is_help=True, help="Give an organisation another operator key, after 16 days.")
KeyOption = Annotated[str, typer.Option(help="Name of the member's or operator's key in the home.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="organisation")


@group.command("ask-operator")
def ask_operator(
    address: Annotated[str, typer.Argument(help="Address of the key that is to come; it must be new here.")],
    key: KeyOption,
    home: HomeOption = None,
) -> None:
    """Announce another operator in 16 days; asked by the member, the operator cannot stop it.

    Example: folkmoot organisation ask-operator 0x52908400098527886E0F7030069857D2E4169EE7 --key fifth-hospital.member
    """
    from folkmoot.keystore import open_keystore
    from folkmoot.network import open_chain
    from folkmoot.rotating import ask_operator as ask

    place, settings = open_home(home)
    say(ask(open_chain(place, settings), open_keystore(place, settings).signer(key), address))


@group.command("keep-operator")
def keep_operator(key: KeyOption, home: HomeOption = None) -> None:
    """End the announcement of another operator.

    Example: folkmoot organisation keep-operator --key fifth-hospital.member
    """
    from folkmoot.keystore import open_keystore
    from folkmoot.network import open_chain
    from folkmoot.rotating import keep_operator as keep

    place, settings = open_home(home)
    say(keep(open_chain(place, settings), open_keystore(place, settings).signer(key)))


@group.command("change-operator")
def change_operator(
    number: Annotated[int, typer.Argument(help="The organisation's number.")],
    key: Annotated[str, typer.Option(help="Name of the announced operator's key in the home; it pays the gas.")],
    home: HomeOption = None,
) -> None:
    """Take office as the announced operator, after the wait.

    Example: folkmoot organisation change-operator 14 --key fifth-hospital.next-operator
    """
    from folkmoot.keystore import open_keystore
    from folkmoot.network import open_chain
    from folkmoot.rotating import change_operator as change

    place, settings = open_home(home)
    say(change(open_chain(place, settings), open_keystore(place, settings).signer(key), number))
