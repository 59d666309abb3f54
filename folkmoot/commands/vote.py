"""``folkmoot vote``."""

from __future__ import annotations

from typing import Annotated

import typer

from folkmoot.options import HomeOption, JsonOption, open_home, print_json, say


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("vote")(vote)


def vote(
    proposal: Annotated[str, typer.Argument(help="Its id, the id's first digits, or 'latest'.")],
    choice: Annotated[str, typer.Argument(help="for, against or abstain.")],
    key: Annotated[str, typer.Option(help="Name of the member's key in the home, e.g. laboratory-g.member.")],
    reason: Annotated[str, typer.Option(help="Stands on chain with the vote.")] = "",
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """Vote on a proposal with a member's key.

    Example: folkmoot vote latest for --key laboratory-g.member
    """
    from folkmoot.keystore import open_keystore
    from folkmoot.network import open_chain
    from folkmoot.votes import Proposals, Support

    if choice.upper() not in Support.__members__:
        raise typer.BadParameter("choose for, against or abstain", param_hint="CHOICE")
    place, settings = open_home(home)
    proposals = Proposals(open_chain(place, settings))
    number = proposals.find(proposal)
    signer = open_keystore(place, settings).signer(key)
    receipt = proposals.cast(signer, number, Support[choice.upper()], reason=reason)
    if json_:
        print_json({"proposal_id": str(number), "choice": choice, "voter": signer.address, "tx": receipt.transaction})
    else:
        say(f"{signer.address} voted {choice} on proposal {str(number)[:8]}: {receipt.transaction}")
