"""``folkmoot dispute raise | rule | conclude | show``: complain of work, and judge it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot.options import HomeOption, open_home, say
from governance.errors import FolkmootError

if TYPE_CHECKING:
    from governance.ports import Chain

group = typer.Typer(no_args_is_help=True, help="Complain of work done under an agreement, and judge it.")
KeyOption = Annotated[str, typer.Option(help="Name of the key in the home.")]
DisputeArgument = Annotated[str, typer.Argument(metavar="DISPUTE", help="Its id, 64 hexadecimal digits.")]


class GroundName(StrEnum):
    """What can be complained of."""

    INVALID_UPDATE = "invalid-update"
    FAILED_REEXECUTION = "failed-reexecution"


class Finding(StrEnum):
    """What an auditor can say."""

    UPHELD = "upheld"
    REJECTED = "rejected"


class DisputeUnusable(FolkmootError):
    """No such dispute, or no id; says what to do."""


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="dispute")


@group.command("raise")
def raise_(
    agreement: Annotated[str, typer.Argument(metavar="AGREEMENT", help="Its id, 64 hexadecimal digits.")],
    ground: Annotated[GroundName, typer.Argument(help="A jury judges the first, the agreement's auditor the second.")],
    evidence: Annotated[Path, typer.Argument(help="What the judge looks at.", exists=True, dir_okay=False)],
    key: KeyOption,
    store: Annotated[
        Path | None,
        typer.Option(help="Store that your agent serves; a jury fetches the file from it. Else the home's."),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Complain; the deposit is yours again unless the complaint is rejected. You give the file to an auditor yourself.

    Example: folkmoot dispute raise AGREEMENT failed-reexecution report.json --key cleveland.operator
    """
    from folkmoot.accounts import allow
    from folkmoot.files import storage_errors
    from folkmoot.keystore import open_keystore
    from folkmoot.network import open_chain
    from governance.domain.record import sha256
    from governance.services.disputes import Disputes, Ground

    place, settings = open_home(home)
    chain, operator = open_chain(place, settings), open_keystore(place, settings).signer(key)
    disputes, deal = Disputes(chain), _id(agreement)
    chosen = Ground[ground.name]
    with storage_errors(evidence):
        document = evidence.read_bytes()
        digest = sha256(document)
    if chosen is Ground.INVALID_UPDATE:
        _publish(document, store or place.store)
    allow(chain, operator, disputes.deposit_e18())
    disputes.raise_(operator, deal, ground=chosen, evidence=digest)
    say(f"dispute {disputes.id_of(deal, ground=chosen, evidence=digest).hex()} is raised about {digest.hex()[:8]}")


@group.command("rule")
def rule(
    dispute: DisputeArgument,
    finding: Annotated[Finding, typer.Argument(help="What you found.")],
    key: KeyOption,
    home: HomeOption = None,
) -> None:
    """Decide a dispute as the auditor that the agreement names.

    Example: folkmoot dispute rule DISPUTE upheld --key laboratory-a.operator
    """
    from folkmoot.keystore import open_keystore
    from folkmoot.network import open_chain
    from governance.services.disputes import Disputes

    place, settings = open_home(home)
    chain, auditor = open_chain(place, settings), open_keystore(place, settings).signer(key)
    Disputes(chain).rule(auditor, _id(dispute), upheld=finding is Finding.UPHELD)
    say(f"the complaint is {finding.value}")


@group.command("conclude")
def conclude(dispute: DisputeArgument, key: KeyOption, home: HomeOption = None) -> None:
    """Carry out a jury's verdict, or end a dispute whose judge gave no answer in time.

    Example: folkmoot dispute conclude DISPUTE --key cleveland.operator
    """
    from folkmoot.keystore import open_keystore
    from folkmoot.network import open_chain
    from governance.services.disputes import Disputes

    place, settings = open_home(home)
    chain, sender = open_chain(place, settings), open_keystore(place, settings).signer(key)
    Disputes(chain).conclude(sender, _id(dispute))
    show(dispute, home)


@group.command("show")
def show(dispute: DisputeArgument, home: HomeOption = None) -> None:
    """Say where a dispute stands and who judges it.

    Example: folkmoot dispute show DISPUTE
    """
    from folkmoot.network import open_chain
    from governance.services.disputes import Disputes, Ground

    place, settings = open_home(home)
    chain = open_chain(place, settings)
    found = Disputes(chain).dispute(_id(dispute))
    if found is None:
        raise DisputeUnusable(f"there is no dispute {dispute} on this chain")
    judge = "a jury judges" if found.ground is Ground.INVALID_UPDATE else "the agreement's auditor judges"
    ground = found.ground.name.lower().replace("_", "-")
    say(f"{found.state.name.lower()}: {ground} under agreement {found.agreement.hex()[:8]}; {judge}")
    if found.ground is Ground.INVALID_UPDATE:
        for line in _heard(chain, _id(dispute)):
            say(line)


def _publish(document: bytes, store: Path) -> None:
    """Put the evidence where agents serve it from: jurors fetch it by its digest."""
    from folkmoot.files import storage_errors
    from governance.adapters.store import FileStore

    with storage_errors(store):
        FileStore(store).put(document)


def _heard(chain: Chain, dispute: bytes) -> list[str]:
    """Return where the jury's case stands, and what each juror of its last jury said."""
    from governance.services import reading
    from governance.services.court import Court

    court, answers = Court(chain), {1_000_000: "upheld", 0: "rejected"}
    case, jury = court.case(dispute), court.jury(dispute)
    events = chain.events("EvaluatorCourt", ["Revealed"], from_block=chain.first_block)
    said = {
        reading.address(event.values["juror"]): reading.number(reading.items(event.values["values"])[0])
        for event in events
        if event.values["id"] == dispute and event.values["round"] == case.round_number
    }
    lines = [f"jury: {case.stage.name.lower()}; {case.commits} of {len(jury)} committed, {case.reveals} revealed"]
    for juror in jury:
        word = answers.get(said[juror], "abstains") if juror in said else "has revealed nothing"
        lines.append(f"  {juror} {word}")
    return lines


def _id(text: str) -> bytes:
    try:
        found = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        found = b""
    if len(found) != 32:
        raise DisputeUnusable(f"{text!r} is no id: give 64 hexadecimal digits")
    return found
