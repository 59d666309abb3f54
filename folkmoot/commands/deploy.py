"""``folkmoot deploy``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from folkmoot.options import HomeOption, JsonOption, note, open_home, print_json, say


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("deploy")(deploy)


def deploy(
    founding: Annotated[Path, typer.Argument(metavar="FOUNDING", help="The founding file, see docs/deploying.md.")],
    network: Annotated[str, typer.Option(metavar="FILE|URL", help="RPC address, or a file with rpc and chain_id.")],
    key: Annotated[str, typer.Option(help="Name of the deployer's key in the home's keystore.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and send nothing.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Carry on what was interrupted.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """Found a network on a chain that runs already: print a plan, ask, and deploy all contracts.

    Example: folkmoot deploy founding.yaml --network sepolia.yaml --key deployer --home var/sepolia
    """
    from folkmoot.deploying import Undertaking, written_plan
    from folkmoot.founding_file import read_founding, read_place
    from folkmoot.keystore import open_keystore
    from governance.errors import DeploymentRefused

    place, settings = open_home(home)
    signer = open_keystore(place, settings).signer(key)
    undertaking = Undertaking.prepare(place, read_place(network), read_founding(founding), signer=signer)
    journal = None if dry_run and not resume else undertaking.journal(resume=resume)
    creations = undertaking.creations(start=journal.start if journal else None)
    missing = tuple(each for each in creations if journal is None or journal.sent(each.contract) is None)
    costs = undertaking.costs(missing)
    if resume:
        stand = len(creations) - len(missing)
        note(f"carrying on: {stand} of {len(creations)} contracts were sent before, {len(missing)} are missing")
    # Standard output belongs to the program that asked for JSON.
    (note if json_ else say)("\n".join(written_plan(undertaking, missing, costs)))
    if costs.wei > costs.balance_wei:
        raise DeploymentRefused(f"{signer.address} cannot pay for this; nothing was sent")
    if dry_run or journal is None:
        return
    if not yes and not typer.confirm("deploy this?", err=True):
        raise DeploymentRefused("not confirmed; nothing was sent")
    done = undertaking.carry_out(journal, price_wei=costs.price_wei, progress=lambda name: note(f"deploying {name}"))
    if json_:
        print_json(done)
    else:
        say(f"deployed on chain {done.chain_id}; give {place.deployment_file} to every member and operator")
        say(f"the digest that members endorse: 0x{done.digest().hex()}")
        say("from here on name the node to every command: export FOLKMOOT_RPC=ADDRESS")
