"""``folkmoot guardian``: who it is, and the two things it may do."""

from __future__ import annotations

from typing import Annotated

import typer

from folkmoot.options import HomeOption, JsonOption, open_home, print_json, say

group = typer.Typer(no_args_is_help=True, help="Stop a proposal or suspend a release, with the guardian's key.")
KeyOption = Annotated[str, typer.Option(help="Name of the guardian's key in the home, e.g. guardian.")]
ReasonOption = Annotated[str, typer.Option(help="A few words for people, at most 31 characters.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="guardian")


@group.command("show")
def show(home: HomeOption = None, json_: JsonOption = False) -> None:
    """Say who the guardian is.

    Example: folkmoot guardian show
    """
    from folkmoot.network import open_chain
    from governance.services.releases import Governor

    place, settings = open_home(home)
    guardian = Governor(open_chain(place, settings)).guardian()
    if json_:
        print_json({"guardian": guardian})
    else:
        say(f"{guardian} may stop proposals and suspend each release once")


@group.command("stop")
def stop(
    proposal: Annotated[str, typer.Argument(help="Its id, the id's first digits, or 'latest'.")],
    key: KeyOption,
    reason: ReasonOption,
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """Stop a proposal that was not carried out yet; a release can be voted on once more.

    Example: folkmoot guardian stop latest --key guardian --reason "an incident"
    """
    from folkmoot.keystore import open_keystore
    from folkmoot.network import open_chain
    from folkmoot.votes import Proposals

    place, settings = open_home(home)
    proposals = Proposals(open_chain(place, settings))
    number = proposals.find(proposal)
    receipt = proposals.stop(open_keystore(place, settings).signer(key), number, reason=reason)
    if json_:
        print_json({"proposal_id": str(number), "tx": receipt.transaction})
    else:
        say(f"proposal {str(number)[:8]} is stopped, and the log says by whom and why: {receipt.transaction}")


@group.command("suspend")
def suspend(
    release: Annotated[str, typer.Argument(help="The release's id in hex.")],
    key: KeyOption,
    reason: ReasonOption,
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """Suspend a release for 14 days; each can be suspended once.

    Example: folkmoot guardian suspend 0x5d8a... --key guardian --reason "an incident"
    """
    from folkmoot.keystore import open_keystore
    from folkmoot.network import open_chain
    from folkmoot.votes import suspend_release

    place, settings = open_home(home)
    receipt = suspend_release(
        open_chain(place, settings), open_keystore(place, settings).signer(key), release, reason=reason
    )
    if json_:
        print_json({"release": release, "tx": receipt.transaction})
    else:
        say(f"release {release.removeprefix('0x')[:8]} is suspended for 14 days: {receipt.transaction}")
