"""``folkmoot endorse``."""

from __future__ import annotations

from typing import Annotated

import typer

from folkmoot.options import HomeOption, JsonOption, open_home, print_json, say


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("endorse")(endorse)


def endorse(
    key: Annotated[str, typer.Option(help="Name of the member's key in the home, e.g. laboratory-g.member.")],
    digest: Annotated[str, typer.Option(help="The digest that you were told to expect; another one is refused.")] = "",
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """Say with a member's key that exactly these contracts are those you agreed to; run `folkmoot audit verify` first.

    The digest is worked out from the deployment file; a chain on which something else stands is refused.

    Example: folkmoot endorse --key laboratory-g.member
    """
    from folkmoot.keystore import open_keystore
    from folkmoot.network import open_chain, read_deployment
    from governance.services.releases import Consent

    place, settings = open_home(home)
    expected = read_deployment(place).digest()
    if digest and digest.lower().removeprefix("0x") != expected.hex():
        raise typer.BadParameter(f"the deployment file has the digest 0x{expected.hex()}", param_hint="--digest")
    consent = Consent(open_chain(place, settings))
    signer = open_keystore(place, settings).signer(key)
    # The contract refuses a digest that is not that of what stands.
    receipt = consent.endorse(signer, expected)
    endorsed = consent.is_endorsed()
    if json_:
        told = {"digest": f"0x{expected.hex()}", "member": signer.address, "complete": endorsed}
        print_json({**told, "tx": receipt.transaction})
    else:
        rest = "two thirds have" if endorsed else "nothing is released before two thirds have"
        say(f"{signer.address} endorsed 0x{expected.hex()}; {rest}: {receipt.transaction}")
