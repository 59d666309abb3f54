"""``folkmoot up | down | status``."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from folkmoot.options import HomeOption, JsonOption, note, open_home, print_json, say
from governance.domain.urls import without_secrets


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("up")(up)
    app.command("down")(down)
    app.command("status")(status)


def up(
    home: HomeOption = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="Listen here; else where it listened last.")
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Start the development chain of a home, and leave it running.

    Example: folkmoot up --home var/demo
    """
    from folkmoot.devnet import WARNING, Devnet
    from folkmoot.network import require_own_chain

    place, settings = open_home(home)
    if settings.rpc_url is not None:
        node = without_secrets(settings.rpc_url)
        say(f"FOLKMOOT_RPC names {node}: that network is used, and there is nothing to start")
        return
    require_own_chain(place)
    info = Devnet(place, settings).start(port=port)
    note(WARNING)
    if json_:
        print_json(info)
        return
    say(f"up: {info.rpc_url}, chain id {info.chain_id}, home {place.root}")
    say(f"history: {info.history}")


def down(home: HomeOption = None, json_: JsonOption = False) -> None:
    """Stop everything that runs for a home: agents, index, dashboard, chain. Nothing is lost.

    Example: folkmoot down --home var/demo
    """
    from folkmoot import processes
    from folkmoot.devnet import Devnet

    place, settings = open_home(home)
    stopped = list(processes.stop_all(place))
    if Devnet(place, settings).stop():
        stopped.append("chain")
    if json_:
        print_json({"stopped": stopped})
    else:
        say(f"down: {', '.join(stopped) or 'nothing was running'}")


def status(home: HomeOption = None, json_: JsonOption = False) -> None:
    """Say what runs for a home; exit 0 if its chain answers, 1 if not.

    Example: folkmoot status --json
    """
    from folkmoot import processes
    from folkmoot.network import find_network
    from folkmoot.watching import dashboard_address

    place, settings = open_home(home)
    alive = processes.running(place)
    network = find_network(place, settings)
    fields = {"network": asdict(network), "processes": {each.name: each.pid for each in alive}, "chain": None}
    lines = [f"chain: {without_secrets(network.rpc_url)}, chain id {network.chain_id}"]
    if network.development:
        from folkmoot.devnet import Devnet

        chain = Devnet(place, settings).status()
        fields["chain"] = asdict(chain)
        time = datetime.fromtimestamp(chain.timestamp_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        lines += [f"block {chain.block} of {time}, on disk to block {chain.journaled}", f"history: {chain.history}"]
        lines += [f"problem: {chain.problem}"] if chain.problem else []
        lines += [f"snapshots: {', '.join(chain.snapshots) or 'none yet'}"]
    address = dashboard_address(place)
    if address and any(each.name == "dashboard" for each in alive):
        lines.append(f"look: {address}")
    for each in alive:
        # One that was started by hand writes to its terminal.
        log = f", log {each.log}" if Path(each.log).exists() else ""
        lines.append(f"{each.name}: process {each.pid}{log}")
    if json_:
        print_json(fields)
    else:
        say("\n".join(lines))
