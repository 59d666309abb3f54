"""``folkmoot agreement list | withdraw | end``."""

from __future__ import annotations

from typing import Annotated

import typer

from folkmoot.options import HomeOption, JsonOption, open_home, print_json, say

group = typer.Typer(no_args_is_help=True, help="What your agents sold and bought; take consent back, free bonds.")
KeyOption = Annotated[str, typer.Option(help="Name of the operator's key in the home.")]
AgreementArgument = Annotated[str, typer.Argument(metavar="AGREEMENT", help="Its id, or how it begins.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="agreement")


@group.command("list")
def list_(key: KeyOption, home: HomeOption = None, json_: JsonOption = False) -> None:
    """List what the organisation of an operator sold and bought, oldest first.

    Example: folkmoot agreement list --key cleveland.operator
    """
    from folkmoot.agreements import Agreements
    from folkmoot.keystore import open_keystore
    from folkmoot.network import open_chain

    place, settings = open_home(home)
    lines = Agreements(open_chain(place, settings)).of(open_keystore(place, settings).address(key))
    if json_:
        print_json({"agreements": [line.fields() for line in lines]})
        return
    for line in lines:
        say(line.words())
    if not lines:
        say("no agreement yet")


@group.command("withdraw")
def withdraw(
    agreement: AgreementArgument,
    key: KeyOption,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; nobody can undo it.")] = False,
    home: HomeOption = None,
) -> None:
    """Take your consent back from an agreement; the law lets you at any time, and it costs nothing.

    Example: folkmoot agreement withdraw 5d8a03 --key cleveland.operator
    """
    from folkmoot.agreements import Agreements
    from folkmoot.keystore import open_keystore
    from folkmoot.network import open_chain

    place, settings = open_home(home)
    chain, keys = open_chain(place, settings), open_keystore(place, settings)
    agreements = Agreements(chain)
    deal = agreements.find(agreement)
    agreements.require_seller(keys.address(key), deal)
    if not yes:
        say(agreements.warning(deal))
        typer.confirm("Take your consent back?", abort=True)
    agreements.withdraw(keys.signer(key), deal)
    say(f"your consent to {deal.id.hex()[:8]} is taken back")


@group.command("end")
def end(agreement: AgreementArgument, key: KeyOption, home: HomeOption = None) -> None:
    """End an agreement a week after its job, pay the rest back to the buyer and free the bond; keepers do it, too.

    Example: folkmoot agreement end 5d8a03 --key cleveland.operator
    """
    from folkmoot.agreements import Agreements
    from folkmoot.keystore import open_keystore
    from folkmoot.network import open_chain

    place, settings = open_home(home)
    agreements = Agreements(open_chain(place, settings))
    deal = agreements.find(agreement)
    agreements.end(open_keystore(place, settings).signer(key), deal)
    say(f"{deal.id.hex()[:8]} is ended; what is owed to you: folkmoot credits withdraw")
