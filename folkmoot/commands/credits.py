"""``folkmoot credits show | allow | withdraw``."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from folkmoot.accounts import CREDIT, Taker
from folkmoot.options import HomeOption, JsonOption, open_home, print_json, say

WITHOUT_LIMIT_E18 = 2**128
"""More than there can be: wallets allow as much when no limit is wanted."""
group = typer.Typer(no_args_is_help=True, help="Credits of your keys: what contracts may take, what waits for you.")
KeyOption = Annotated[str, typer.Option(help="Name of the key in the home.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="credits")


def _read_limit(text: str) -> Decimal:
    """Return credits as they are written; zero, too."""
    try:
        amount = Decimal(text)
        whole = amount.is_finite() and 0 <= amount < 10**20 and amount.scaleb(18) % 1 == 0
    except InvalidOperation:
        whole = False
    if not whole:
        raise typer.BadParameter(f"{text!r} is no amount of credits: give a number, such as 12.5, or 0")
    return amount


@group.command("show")
def show(key: KeyOption, home: HomeOption = None, json_: JsonOption = False) -> None:
    """Say what a key has, what contracts may take of it, and what waits for it.

    Example: folkmoot credits show --key cleveland.operator
    """
    from folkmoot.accounts import read_account
    from folkmoot.keystore import open_keystore
    from folkmoot.network import open_chain

    place, settings = open_home(home)
    account = read_account(open_chain(place, settings), open_keystore(place, settings).address(key))
    if json_:
        print_json(account)
        return
    rows = (
        (account.has_e18, f"are held by {account.address}"),
        (account.owed_e18, "wait in the vault: folkmoot credits withdraw"),
        (account.agreements_may_take_e18, "may be taken for prices of agreements"),
        (account.vault_may_take_e18, "may be taken for bonds, stakes, bonuses and deposits"),
    )
    for amount_e18, meaning in rows:
        amount = f"{amount_e18 / CREDIT:,.4f}" if amount_e18 < WITHOUT_LIMIT_E18 else "any number"
        say(f"{amount:>16}  {meaning}")


@group.command("allow")
def allow(
    taker: Annotated[Taker, typer.Argument(help="agreements: prices. vault: bonds, stakes, bonuses, deposits.")],
    amount: Annotated[
        Decimal, typer.Argument(parser=_read_limit, metavar="CREDITS", help="Most that it may take from now on.")
    ],
    key: KeyOption,
    home: HomeOption = None,
) -> None:
    """Set how much a contract may take of a key from now on, whatever it was before; 0 allows nothing.

    Example: folkmoot credits allow agreements 500 --key institute.operator
    """
    from folkmoot.accounts import set_allowance
    from folkmoot.keystore import open_keystore
    from folkmoot.network import open_chain

    place, settings = open_home(home)
    chain, payer = open_chain(place, settings), open_keystore(place, settings).signer(key)
    set_allowance(chain, payer, int(amount.scaleb(18)), taker=taker)
    say(f"{taker.contract} may take {amount:,} credits of {payer.address} from now on")


@group.command("withdraw")
def withdraw(key: KeyOption, home: HomeOption = None) -> None:
    """Take all that waits for a key in the vault: payments, freed bonds, shares of income.

    Example: folkmoot credits withdraw --key cleveland.operator
    """
    from folkmoot.accounts import withdraw as take
    from folkmoot.keystore import open_keystore
    from folkmoot.network import open_chain

    place, settings = open_home(home)
    chain, holder = open_chain(place, settings), open_keystore(place, settings).signer(key)
    say(f"{take(chain, holder) / CREDIT:,.4f} credits are withdrawn to {holder.address}")
