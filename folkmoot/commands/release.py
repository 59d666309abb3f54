"""``folkmoot release verify FILE``: says whether exactly this file may be used now."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from folkmoot.commands.audit import RegistryOption, RpcOption
from folkmoot.options import HomeOption, JsonOption, open_home, print_json, say
from governance.errors import FolkmootError

group = typer.Typer(no_args_is_help=True, help="Ask the chain about a model file, or for a vote.")


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="release")


class RegistryMissing(FolkmootError):
    """What stands at the registry's address is something else, or the node does not tell the truth."""


@group.command("propose")
def propose(
    release: Annotated[str, typer.Argument(help="The release's id in hex.")],
    key: Annotated[str, typer.Option(help="Name of the member's key in the home, e.g. laboratory-g.member.")],
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """Ask for the vote on a candidate, for instance again after the guardian stopped the first.

    Example: folkmoot release propose 0x5d8a... --key laboratory-g.member
    """
    from folkmoot.keystore import open_keystore
    from folkmoot.network import open_chain
    from folkmoot.votes import Proposals

    place, settings = open_home(home)
    proposals = Proposals(open_chain(place, settings))
    receipt = proposals.ask_again(open_keystore(place, settings).signer(key), release)
    if json_:
        print_json({"release": release, "tx": receipt.transaction})
    else:
        say(f"the vote on release {release.removeprefix('0x')[:8]} is called: {receipt.transaction}")


@group.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="The model file.", exists=True, dir_okay=False, readable=True)],
    rpc: RpcOption = None,
    registry: RegistryOption = None,
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """Say whether exactly this file may be used now; exit 1 with the reason if not.

    Example: folkmoot release verify model.skops
    """
    from folkmoot.auditing import find_subject
    from folkmoot.files import storage_errors
    from governance.adapters.evm.witness import EvmWitness
    from governance.domain.record import sha256
    from governance.services.audit import AnswerWrong, judge_file

    with storage_errors(file):
        digest = sha256(file.read_bytes())
    place, settings = open_home(home)
    subject = find_subject(place, settings, rpc=rpc, registry=registry)
    try:
        answer = judge_file(EvmWitness(subject.rpc_url), subject.registry, digest)
    except AnswerWrong as problem:
        raise RegistryMissing(
            f"no ReleaseRegistry answers at {subject.registry} on {subject.rpc_url} ({problem}); "
            "check --registry and --rpc, and do not use the file meanwhile"
        ) from problem
    if json_:
        print_json(
            {
                "artifact": answer.artifact.hex(),
                "usable": answer.usable,
                "status": answer.status.name.lower(),
                "release": "0x" + answer.release.hex(),
                "reason": answer.reason,
                "failed_rules": list(answer.failed_rules),
            }
        )
    else:
        say(f"{'MAY' if answer.usable else 'MUST NOT'} be used: {file} ({digest.hex()[:8]}): {answer.reason}")
    if not answer.usable:
        raise typer.Exit(1)
