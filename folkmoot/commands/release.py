"""``folkmoot release verify | use | collect FILE``: may it be used, pay for its use, collect what it earned."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from folkmoot.commands.audit import RegistryOption, RpcOption
from folkmoot.options import HomeOption, JsonOption, open_home, print_json, read_credits, say, utc
from governance.errors import FolkmootError

group = typer.Typer(
    no_args_is_help=True, help="Ask about a model file or for a vote, pay for its use, collect what it earned."
)


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
    from governance.adapters.evm.witness import EvmWitness
    from governance.domain.urls import without_secrets
    from governance.services.audit import AnswerWrong, judge_file

    digest = _digest(file)
    place, settings = open_home(home)
    subject = find_subject(place, settings, rpc=rpc, registry=registry)
    try:
        answer = judge_file(EvmWitness(subject.rpc_url), subject.registry, digest)
    except AnswerWrong as problem:
        raise RegistryMissing(
            f"no ReleaseRegistry answers at {subject.registry} on {without_secrets(subject.rpc_url)} ({problem}); "
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


@group.command("use")
def use(
    file: Annotated[Path, typer.Argument(help="The model file.", exists=True, dir_okay=False, readable=True)],
    key: Annotated[str, typer.Option(help="Name of the paying key in the home.")],
    at_most: Annotated[
        Decimal, typer.Option(parser=read_credits, metavar="CREDITS", help="Most that you are willing to pay.")
    ],
    months: Annotated[int, typer.Option(min=1, max=120, help="Months of 30 days.")] = 1,
    home: HomeOption = None,
) -> None:
    """Pay for using exactly this file, from now or from the end of what is paid.

    Example: folkmoot release use model.skops --months 3 --at-most 30 --key clinic.operator
    """
    from folkmoot.income import use_model
    from folkmoot.keystore import open_keystore
    from folkmoot.network import open_chain

    place, settings = open_home(home)
    chain, user = open_chain(place, settings), open_keystore(place, settings).signer(key)
    until_s = use_model(chain, user, _digest(file), months=months, limit_e18=int(at_most.scaleb(18)))
    say(f"paid until {utc(until_s)} on chain; whether it may be used: folkmoot release verify {file}")


@group.command("collect")
def collect(
    file: Annotated[Path, typer.Argument(help="The model file.", exists=True, dir_okay=False, readable=True)],
    key: Annotated[str, typer.Option(help="Name of the operator's key in the home.")],
    store: Annotated[
        Path | None,
        typer.Option("--store", help="Folder with the jurors' reports; else the home's.", show_default=False),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Claim your organisation's share of bonus and income, and withdraw all that is owed to you.

    Where the jury decides the shares, its reports hold them; a running agent has fetched them and claimed by itself.

    Example: folkmoot release collect model.skops --key cleveland.operator
    """
    from folkmoot.accounts import CREDIT
    from folkmoot.income import collect as collect_share
    from folkmoot.keystore import open_keystore
    from folkmoot.network import open_chain
    from governance.adapters.store import FileStore

    place, settings = open_home(home)
    chain, operator = open_chain(place, settings), open_keystore(place, settings).signer(key)
    found = collect_share(chain, operator, _digest(file), reports=FileStore(store or place.store))
    if found.problem:
        say(f"nothing could be claimed now: {found.problem}; the folder of the coordinator's store is given by --store")
    say(f"{found.share_e18 / CREDIT:.4f} credits of the pool; {found.withdrawn_e18 / CREDIT:.4f} withdrawn in all")


def _digest(file: Path) -> bytes:
    from folkmoot.files import storage_errors
    from governance.domain.record import sha256

    with storage_errors(file):
        return sha256(file.read_bytes())
