"""``folkmoot audit verify``: recompute the whole history and say what does not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from folkmoot.options import HomeOption, JsonOption, note, open_home, print_json

group = typer.Typer(no_args_is_help=True, help="Check a network's history without trusting anybody.")

RpcOption = Annotated[
    str | None, typer.Option("--rpc", help="Address of a node; else the home's chain.", show_default=False)
]
RegistryOption = Annotated[
    str | None,
    typer.Option("--registry", help="Address of ReleaseRegistry; else from the home.", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="audit")


@group.callback()
def _group() -> None:
    """Keep ``verify`` a command of its own while it is the only one."""


@group.command("verify")
def verify(
    rpc: RpcOption = None,
    registry: RegistryOption = None,
    store: Annotated[
        Path | None, typer.Option("--store", help="Folder of evidence; else the home's.", show_default=False)
    ] = None,
    policies: Annotated[
        Path | None, typer.Option("--policies", help="Folder of policy files; else those shipped.", show_default=False)
    ] = None,
    from_block: Annotated[
        int | None, typer.Option("--from-block", min=0, help="Block at or before the deployment.", show_default=False)
    ] = None,
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """Recompute log, rules, roles, votes, verdicts, medians, rounds, signatures and payments.

    Exit 0: clean. 1: something does not fit. 4: nothing found, but evidence was not to be had. 2: wrong usage.

    Example: folkmoot audit verify --rpc http://127.0.0.1:8545 --registry 0x5FbD… --store store
    """
    from rich.console import Console

    from folkmoot.audit_view import as_json, show
    from folkmoot.auditing import audit, find_subject
    from folkmoot.devnet import DevnetError
    from governance.errors import ChainUnreachable
    from governance.services.audit import ExitCode

    place, settings = open_home(home)
    try:
        subject = find_subject(place, settings, rpc=rpc, registry=registry, store=store, from_block=from_block)
        report = audit(subject, policies)
    except (ChainUnreachable, DevnetError) as problem:
        note(f"folkmoot: {problem}")
        raise typer.Exit(ExitCode.EVIDENCE_UNAVAILABLE) from None
    if json_:
        print_json(as_json(report))
    else:
        show(report, Console(highlight=False))
    raise typer.Exit(int(report.exit_code))
