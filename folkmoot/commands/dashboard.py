"""``folkmoot dashboard`` and ``folkmoot index``."""

from __future__ import annotations

from typing import Annotated

import typer

from folkmoot.options import HomeOption, open_home, say


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("dashboard")(dashboard)
    app.command("index")(index)


def dashboard(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Listen here, on 127.0.0.1.")] = 8501,
    any_port: Annotated[bool, typer.Option("--any-port", help="Take another port if that one is in use.")] = False,
    home: HomeOption = None,
) -> None:
    """Show a network in the browser: proposals, verdicts, votes, releases, agents, history.

    It reads the index that `folkmoot index` fills. Example: folkmoot dashboard --port 8501
    """
    from folkmoot.watching import run_dashboard

    place, settings = open_home(home)
    run_dashboard(place, settings, port=port, any_port=any_port)


def index(home: HomeOption = None) -> None:
    """Read the chain's events into the index, and keep on reading until stopped.

    Example: folkmoot index
    """
    import signal
    import threading

    from folkmoot.watching import database_url, run_index

    place, settings = open_home(home)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    say(f"indexing into {database_url(place, settings)}; stop with Ctrl-C")
    run_index(place, settings, stop)
