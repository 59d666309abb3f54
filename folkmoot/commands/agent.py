"""``folkmoot agent init | bind | unbind | mandate | stake | unstake | endpoint | rotate | run``."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from folkmoot.options import HomeOption, open_home, read_credits, say

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


@group.command("init")
def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="New folder for the agent.")],
    name: Annotated[str, typer.Option(help="The agent's name, as its organisation's, in small letters.")],
    mandate: Annotated[Path, typer.Option(help="What it may sell or buy; see `folkmoot mandate draft`.")],
    role: Annotated[list[str], typer.Option(help="owner, coordinator, compute, evaluator or keeper.")],
    csv: Annotated[Path | None, typer.Option(help="An owner's rows.", show_default=False)] = None,
    schema: Annotated[Path | None, typer.Option(help="The shape of the rows.", show_default=False)] = None,
    listen: Annotated[str, typer.Option(help="HOST:PORT; else a free port of loopback.")] = "",
    noise_seed: Annotated[
        int | None, typer.Option(min=0, help="Seeded noise, for demonstrations: no privacy.", show_default=False)
    ] = None,
    home: HomeOption = None,
) -> None:
    """Prepare an agent: make its keys, split its rows once, write its configuration.

    Example: folkmoot agent init hospital --name fifth-hospital --role owner --csv rows.csv
    --schema data/heart.schema.yaml --mandate examples/heart/mandates/cleveland.yaml
    """
    from folkmoot.agent_setup import NewAgent, set_up
    from governance.adapters.evm.keys import keystore_address

    place, _ = open_home(home)
    config = set_up(
        NewAgent(
            folder=folder.expanduser().resolve(),
            name=name,
            roles=tuple(role),
            network=place.root,
            mandate=mandate,
            listen=listen,
            csv=csv,
            schema=schema,
            noise_seed=noise_seed,
        )
    )
    say(f"agent {keystore_address(config.key)} is prepared in {config.home}")
    say(f"next, its operator: folkmoot agent bind {config.home / 'agent.yaml'} --key OPERATOR-KEY")


@group.command("bind")
def bind(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The agent's configuration file.")],
    key: Annotated[str, typer.Option(help="Name of the operator's key in the home.")],
    home: HomeOption = None,
) -> None:
    """Bind an agent to its operator's organisation, give it gas, and put its mandate on chain.

    Example: folkmoot agent bind hospital/agent.yaml --key fifth-hospital.operator
    """
    from folkmoot.agent_config import AgentConfig
    from folkmoot.keystore import open_keystore
    from folkmoot.network import open_chain
    from folkmoot.operators import bind_agent, check_before_binding, give_gas, set_mandate

    place, settings = open_home(home)
    chain, operator = open_chain(place, settings), open_keystore(place, settings).signer(key)
    organisation = check_before_binding(chain, operator, config)
    bind_agent(chain, operator, config)
    give_gas(chain, operator, config)
    set_mandate(chain, operator, config)
    roles = ", ".join(AgentConfig.read(config).roles)
    say(f"bound to {organisation} as {roles}, with its mandate on chain; start it: folkmoot agent run {config}")


@group.command("unbind")
def unbind(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The agent's configuration file.")],
    key: Annotated[str, typer.Option(help="Name of the operator's key in the home.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; nobody can undo it.")] = False,
    home: HomeOption = None,
) -> None:
    """End an agent in one transaction, for instance when its key was stolen; nobody can undo it.

    Example: folkmoot agent unbind hospital/agent.yaml --key fifth-hospital.operator
    """
    from folkmoot.keystore import open_keystore
    from folkmoot.network import open_chain
    from folkmoot.operators import unbind as end

    place, settings = open_home(home)
    chain, operator = open_chain(place, settings), open_keystore(place, settings).signer(key)
    if not yes:
        say(
            "its key sells, buys and judges nothing any more and is never bound again; "
            "a seat on a jury that it leaves empty costs a part of the stake"
        )
        typer.confirm(f"Unbind the agent of {config}?", abort=True)
    end(chain, operator, config)
    say(f"the agent of {config} is unbound; what is owed for its work still goes to its operator")


@group.command("mandate")
def mandate(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The agent's configuration file.")],
    key: Annotated[str, typer.Option(help="Name of the operator's key in the home.")],
    revoke: Annotated[bool, typer.Option("--revoke", help="The agent may sign nothing any more.")] = False,
    home: HomeOption = None,
) -> None:
    """Put the limits of an agent's mandate file on chain, or revoke them in one transaction.

    Example: folkmoot agent mandate hospital/agent.yaml --key fifth-hospital.operator --revoke
    """
    from folkmoot.keystore import open_keystore
    from folkmoot.network import open_chain
    from folkmoot.operators import revoke_mandate, set_mandate

    place, settings = open_home(home)
    chain, operator = open_chain(place, settings), open_keystore(place, settings).signer(key)
    (revoke_mandate if revoke else set_mandate)(chain, operator, config)
    say("the agent may sign nothing any more" if revoke else "the mandate is on chain")


@group.command("stake")
def stake(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The evaluator's configuration file.")],
    key: Annotated[str, typer.Option(help="Name of the operator's key in the home.")],
    amount: Annotated[
        Decimal | None,
        typer.Option(parser=read_credits, metavar="CREDITS", help="Credits; else what is missing.", show_default=False),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Stake credits for an evaluator: without a full stake it is not drawn.

    Example: folkmoot agent stake laboratory/agent.yaml --key laboratory-a.operator
    """
    from folkmoot.keystore import open_keystore
    from folkmoot.network import open_chain
    from folkmoot.operators import stake_for

    place, settings = open_home(home)
    chain, operator = open_chain(place, settings), open_keystore(place, settings).signer(key)
    at_stake = stake_for(chain, operator, config, None if amount is None else int(amount.scaleb(18)))
    say(f"{at_stake / 10**18:.2f} credits are at stake; it may be drawn once its organisation is on the panel")


@group.command("unstake")
def unstake(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The evaluator's configuration file.")],
    key: Annotated[str, typer.Option(help="Name of the operator's key in the home.")],
    home: HomeOption = None,
) -> None:
    """End an evaluator's service; called again after the delay, take the stake back.

    Example: folkmoot agent unstake laboratory/agent.yaml --key laboratory-a.operator
    """
    from folkmoot.keystore import open_keystore
    from folkmoot.network import open_chain
    from folkmoot.operators import leave_jury_service

    place, settings = open_home(home)
    chain, operator = open_chain(place, settings), open_keystore(place, settings).signer(key)
    say(leave_jury_service(chain, operator, config))


@group.command("endpoint")
def endpoint(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The agent's configuration file.")],
    url: Annotated[str, typer.Argument(metavar="URL", help="Where peers reach it from now on.")],
    key: Annotated[str, typer.Option(help="Name of the operator's key in the home.")],
    home: HomeOption = None,
) -> None:
    """Move an agent's endpoint on chain; its peers follow within seconds.

    Example: folkmoot agent endpoint hospital/agent.yaml http://127.0.0.1:8202 --key fifth-hospital.operator
    """
    from folkmoot.keystore import open_keystore
    from folkmoot.network import open_chain
    from folkmoot.operators import move_endpoint

    place, settings = open_home(home)
    chain, operator = open_chain(place, settings), open_keystore(place, settings).signer(key)
    move_endpoint(chain, operator, config, url)
    say(f"peers now reach it at {url}")


@group.command("rotate")
def rotate(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The agent's configuration file.")],
    key: Annotated[str, typer.Option(help="Name of the operator's key in the home.")],
    home: HomeOption = None,
) -> None:
    """Announce a new key for an agent; called again after 2 days, put it in the old key's place.

    Stop the agent before the second call, and start it again after it.

    Example: folkmoot agent rotate hospital/agent.yaml --key fifth-hospital.operator
    """
    from folkmoot.keystore import open_keystore
    from folkmoot.network import open_chain
    from folkmoot.operators import give_gas
    from folkmoot.rotating import rotate as step

    place, settings = open_home(home)
    chain, operator = open_chain(place, settings), open_keystore(place, settings).signer(key)
    done = step(chain, operator, config)
    give_gas(chain, operator, config)
    say(done)


@group.command("cancel-rotation")
def cancel_rotation(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The agent's configuration file.")],
    key: Annotated[str, typer.Option(help="Name of the operator's or the member's key in the home.")],
    home: HomeOption = None,
) -> None:
    """End the announcement of a new key.

    Example: folkmoot agent cancel-rotation hospital/agent.yaml --key fifth-hospital.operator
    """
    from folkmoot.keystore import open_keystore
    from folkmoot.network import open_chain
    from folkmoot.rotating import cancel_rotation as cancel

    place, settings = open_home(home)
    cancel(open_chain(place, settings), open_keystore(place, settings).signer(key), config)
    say("the agent keeps its key")
