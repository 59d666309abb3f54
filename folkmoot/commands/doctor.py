"""``folkmoot doctor``."""

from __future__ import annotations

import typer

from folkmoot.options import HomeOption, JsonOption, open_home, print_json, say


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(home: HomeOption = None, json_: JsonOption = False) -> None:
    """Say what is installed, reachable and misconfigured, and what to do; exit 1 if something must be done.

    Example: folkmoot doctor
    """
    from folkmoot.doctor import Verdict, examine

    place, settings = open_home(home)
    findings = examine(place, settings)
    if json_:
        print_json({"findings": [{"what": f.what, "verdict": f.verdict.value, "detail": f.detail} for f in findings]})
    else:
        for finding in findings:
            say(f"{finding.verdict.value:>7}  {finding.what}: {finding.detail}")
    if any(finding.verdict is Verdict.WRONG for finding in findings):
        raise typer.Exit(1)
