"""``folkmoot agent run``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from folkmoot.options import HomeOption, open_home

group = typer.Typer(no_args_is_help=True, help="Run agents.")


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="agent")


@group.command("run")
def run(
    configs: Annotated[list[Path], typer.Argument(metavar="CONFIG...", help="Configuration files.")],
    home: HomeOption = None,
) -> None:
    """Run one agent, or several in a process each, until they are told to stop.

    Example: folkmoot agent run hospital/agent.yaml
    """
    from folkmoot.agent_host import run_agents

    place, settings = open_home(home)
    raise typer.Exit(run_agents(configs, place, settings))
