"""``folkmoot demo``."""

from __future__ import annotations

from typing import Annotated

import typer

from folkmoot.options import HomeOption, JsonOption, open_home, print_json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave chain, agents, index and dashboard running.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seeds the owners' noise; such a run has no privacy.")] = 0,
    private: Annotated[
        bool, typer.Option("--private", help="Take the operating system's randomness for the noise.")
    ] = False,
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """Run the whole story once, on real data: a refusal, a release, payments, and a vote left for you.

    Exit 0: one candidate was refused and one released. 3: all was sound, but decided otherwise. 1: it failed.

    Example: folkmoot demo --keep
    """
    from rich.console import Console

    from folkmoot.demo.progress import Progress
    from folkmoot.demo.run import Demonstration
    from folkmoot.demo.summary import show

    place, settings = open_home(home)
    console = Console(stderr=json_)
    if not private:
        console.print("The owners' noise is seeded: this run has no privacy (--private for real noise).")
    with Progress(console) as progress:
        demonstration = Demonstration(
            root=place.root, settings=settings, seed=None if private else seed, tell=progress.tell
        )
        told = demonstration.run(keep=keep)
    show(console, told, place, keep=keep, seeded=not private)
    if json_:
        print_json({"report": str(place.report_file), "outcome": told.outcome.name.lower()})
    raise typer.Exit(int(told.outcome))
