"""``folkmoot scenario build``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from folkmoot.options import HomeOption, JsonOption, open_home, print_json, say

group = typer.Typer(no_args_is_help=True, help="Data sets, split once.")


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="scenario")


@group.callback()
def _group() -> None:
    """Keep ``build`` a command of its own while it is the only one."""


@group.command("build")
def build(
    csv: Annotated[Path, typer.Argument(help="The rows: of several owners, or of one (--owner).")],
    schema: Annotated[Path, typer.Option(help="The table's schema.")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="New folder; each owner gets one of its own in it. Else `split` in the home.", show_default=False
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Draws the split.")] = 0,
    owner: Annotated[str | None, typer.Option(help="Your organisation, when all rows are yours.")] = None,
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """Split rows once into training (60 %), evaluation (30 %) and later jobs (10 %), and salt every row.

    Example: folkmoot scenario build data/heart_disease_uci.csv --schema data/heart.schema.yaml --out var/split
    """
    from agents.training.scenario import build as split
    from agents.training.scenario import prepare_owner
    from agents.training.schema import load_schema
    from folkmoot.scenario import write_split

    table = load_schema(schema)
    into = out or open_home(home)[0].root / "split"
    owners = [prepare_owner(csv, table, into, name=owner, seed=seed)] if owner else split(csv, table, into, seed=seed)
    written = [write_split(each, each.directory) for each in owners]
    if json_:
        print_json({"owners": [each.to_json() for each in written]})
        return
    for each in written:
        say(
            f"{each.name}: {each.training.rows} training, {each.evaluation.rows} evaluation, "
            f"{each.reserved.rows} reserved rows in {each.directory}"
        )
