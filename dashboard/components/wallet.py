"""The browser wallet: connects, and sends what a page prepared. Keys never leave the wallet."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import streamlit as st
from eth_utils.address import is_address, to_checksum_address

from dashboard.settings import Supplies
from governance.domain.market import Address

HERE: Final = Path(__file__).parent
HTML: Final = (
    '<div id="card"><span id="who"></span><div id="buttons" role="group" aria-label="Wallet"></div>'
    '<p id="message" role="status" aria-live="polite"></p></div>'
)
HASH_CHARACTERS: Final = 66


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One transaction that a button of the wallet sends."""

    label: str
    to: Address
    data: str
    """Calldata as 0x hex."""
    summary: str
    """What the person is asked to confirm: choice, proposal, chain, contract."""
    tag: str
    """Comes back with the transaction."""
    account: Address | None = None
    """The wallet that the page spoke of; another one may not send this."""
    kind: str = ""
    """Style of the button."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A transaction that the wallet says it sent; only the chain says whether it counts."""

    transaction: str
    tag: str


def connect(supplies: Supplies) -> Address | None:
    """Show the wallet's card and return the account that is connected."""
    result = _component()(
        key="wallet_connect",
        data={"mode": "connect", "chain": _chain(supplies)},
        on_account_change=_nothing,
        on_failed_change=_nothing,
    )
    return read_account(getattr(result, "account", None))


def offer(supplies: Supplies, steps: Sequence[Step], *, key: str) -> Sent | None:
    """Show a button for each step, and return what was sent in this run of the page."""
    result = _component()(
        key=key,
        data={"mode": "act", "chain": _chain(supplies), "steps": [asdict(step) for step in steps]},
        on_sent_change=_nothing,
        on_mined_change=_nothing,
        on_failed_change=_nothing,
    )
    return read_sent(getattr(result, "sent", None))


def read_account(value: object) -> Address | None:
    """Return the account that a browser names, or None when it is none."""
    return to_checksum_address(value) if isinstance(value, str) and is_address(value) else None


def read_sent(value: object) -> Sent | None:
    """Return the transaction that a browser says it sent, or None when it says nothing of use."""
    if not isinstance(value, dict):
        return None
    digest, tag = str(value.get("hash", "")), str(value.get("tag", ""))
    if len(digest) != HASH_CHARACTERS or any(c not in "0123456789abcdefx" for c in digest.lower()):
        return None
    return Sent(transaction=digest, tag=tag)


def _chain(supplies: Supplies) -> dict[str, str]:
    kind = "Folkmoot development chain" if supplies.is_development else "Folkmoot chain"
    # As text: JavaScript loses digits of large numbers.
    chain_id = str(supplies.chain.chain_id)
    return {"id": chain_id, "name": f"{kind} {chain_id}", "rpcUrl": supplies.wallet_rpc_url}


def _component() -> Callable[..., object]:
    # Declared on every run: Streamlit keeps one definition per name, and a test's runtime starts empty.
    return st.components.v2.component(
        "folkmoot_wallet",
        html=HTML,
        css=(HERE / "wallet.css").read_text("utf-8"),
        js=(HERE / "wallet.js").read_text("utf-8"),
    )


def _nothing() -> None:
    """Ask Streamlit to keep the value; it does so only for values with a callback."""
