"""``folkmoot mandate draft``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from folkmoot.options import HomeOption, open_home, say

group = typer.Typer(no_args_is_help=True, help="What an agent may agree to.")


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="mandate")


@group.callback()
def _group() -> None:
    """Keep ``draft`` a command of its own while it is the only one."""


@group.command("draft")
def draft(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="New mandate file.")],
    sentence: Annotated[str, typer.Option(help="What you want, in plain words.")] = "",
    side: Annotated[str, typer.Option(help="seller or buyer.")] = "seller",
    home: HomeOption = None,
) -> None:
    """Write a mandate with you, field by field; a language model may suggest, only you confirm.

    FOLKMOOT_MODEL names the chat model, as LangChain does; without one the form starts empty.

    Example: folkmoot mandate draft mandate.yaml --sentence "sell training for at least 60 credits, epsilon 8 at most"
    """
    from agents.advice.mandate_draft import Side, draft_mandate
    from folkmoot.files import write_atomically
    from folkmoot.mandate_form import ask
    from governance.policy import load_policies

    if side not in {each.value for each in Side}:
        raise typer.BadParameter("choose seller or buyer", param_hint="--side")
    if out.exists():
        raise typer.BadParameter(f"{out} exists already; a mandate is not overwritten", param_hint="FILE")
    _, settings = open_home(home)
    purposes = {purpose.name: purpose.bit for purpose in load_policies().purposes}
    made = draft_mandate(sentence, side=Side(side), purposes=purposes, confirm=ask, model=settings.model)
    write_atomically(out, made.text)
    say(made.note)
    say(f"written to {out}; it binds nobody until its operator puts it on chain: folkmoot agent mandate")
