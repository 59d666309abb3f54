"""``folkmoot job start``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from folkmoot.options import HomeOption, note, open_home, say

group = typer.Typer(no_args_is_help=True, help="Jobs of a coordinator.")


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="job")


@group.callback()
def _group() -> None:
    """Keep ``start`` a command of its own while it is the only one."""


@group.command("start")
def start(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The job, as examples/heart/job.yaml.")],
    coordinator: Annotated[str, typer.Option(help="Name of the coordinator's agent in this home.")] = "institute",
    seeded_noise: Annotated[
        bool, typer.Option("--seeded-noise", help="The owners' noise is seeded; the card says: no privacy.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """Hand a job to a coordinator that runs on this machine; it then goes on by itself.

    What the rules in force forbid whatever comes of it is refused, and nothing is handed over.

    Example: folkmoot job start examples/heart/job-2.yaml
    """
    from folkmoot.jobs import check, hand_over
    from folkmoot.network import open_chain

    place, settings = open_home(home)
    open_points = check(open_chain(place, settings), file, place.agent(coordinator))
    name = hand_over(file, place.agent(coordinator), seeded=seeded_noise)
    for point in open_points:
        note(f"the job waits for it until its deadline: {point}")
    say(f"{name} is handed to {coordinator}; watch it with `folkmoot dashboard`")
