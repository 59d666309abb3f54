"""``folkmoot devnet advance | restore | snapshot``: the powers over a development chain."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from folkmoot.options import HomeOption, JsonOption, open_home, print_json, say

group = typer.Typer(no_args_is_help=True, help="Move the time of a development chain, or go back in it.")


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="devnet")


@group.command("advance")
def advance(
    seconds: Annotated[int | None, typer.Argument(help="How far to move the clock.", show_default=False)] = None,
    to_next: Annotated[bool, typer.Option("--to-next", help="Move to the next deadline on chain.")] = False,
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """Move the chain's clock forward, by seconds or to the next deadline.

    Example: folkmoot devnet advance --to-next
    """
    from folkmoot.network import require_devnet

    if (seconds is None) is not to_next:
        raise typer.BadParameter("give either SECONDS or --to-next")
    place, settings = open_home(home)
    chain = require_devnet(place, settings)
    reason = ""
    if to_next:
        from folkmoot.deadlines import next_deadline
        from folkmoot.network import open_chain

        due = next_deadline(open_chain(place, settings))
        if due is None:
            say("no deadline lies ahead; the clock stays where it is")
            return
        now_s, reason = chain.advance_to(due.timestamp_s), f": {due.what}"
    else:
        now_s = chain.advance(seconds or 0)
    if json_:
        print_json({"timestamp_s": now_s, "reason": reason.removeprefix(": ")})
    else:
        say(f"it is {datetime.fromtimestamp(now_s, UTC):%Y-%m-%d %H:%M:%S} UTC on chain{reason}")


@group.command("snapshot")
def snapshot(home: HomeOption = None, json_: JsonOption = False) -> None:
    """Save the chain's state now, under a name that restore takes.

    Example: folkmoot devnet snapshot
    """
    from folkmoot.network import require_devnet

    place, settings = open_home(home)
    name = require_devnet(place, settings).snapshot()
    if json_:
        print_json({"snapshot": name})
    else:
        say(f"snapshot {name}; back to it: folkmoot devnet restore {name}")


@group.command("restore")
def restore(
    name: Annotated[
        str | None, typer.Argument(metavar="SNAPSHOT", help="Its name; without one, list them.", show_default=False)
    ] = None,
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """Go back to a snapshot, under a new chain id: every signature made since is void.

    Example: folkmoot devnet restore 0-00000500-1a2b3c4d
    """
    from folkmoot.network import require_devnet

    place, settings = open_home(home)
    chain = require_devnet(place, settings)
    if name is None:
        names = [one.name for one in chain.snapshots()]
        if json_:
            print_json({"snapshots": names})
        else:
            say("\n".join(names) or "no snapshots yet; one is made every 500 blocks and by `folkmoot down`")
        return
    restored = chain.restore(name)
    if json_:
        print_json(restored)
        return
    say(f"restored {restored.snapshot}: the chain id is now {restored.chain_id}, it was {restored.old_chain_id}")
    say("every signature made for the old id is void; agents and wallets have to sign again")
