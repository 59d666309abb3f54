"""A staged change whose wait is over can be activated from the page of its proposal, by any wallet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from eth_utils.crypto import keccak
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from dashboard.ballot import due_change
from dashboard.components import wallet
from dashboard.settings import Supplies, provide
from dashboard.world import read_world
from folkmoot.constitution import DAY_S
from folkmoot.devnet import Devnet
from governance.adapters.evm import KeySigner
from governance.adapters.history import sync_once
from governance.adapters.store import FileStore
from governance.adapters.tables import open_for_writing, sqlite_url
from governance.domain.amendment import AmendmentState
from governance.services.amendments import Amendments
from tests.integration.dashboard_network import CENTRE, NAMES, PlayedNetwork

pytestmark = pytest.mark.chain

APP = Path(__file__).parents[2] / "dashboard" / "app.py"
ANYBODY = KeySigner.from_secret(keccak(text="somebody with a wallet and no vote"))


@dataclass
class Browser:
    """Stands where the wallet in a browser is: it is connected, and notes what buttons it is given."""

    offered: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, **told: Any) -> SimpleNamespace:
        self.offered += told["data"].get("steps", [])
        return SimpleNamespace(account=ANYBODY.address)


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    found = Browser()
    monkeypatch.setattr(wallet, "_component", lambda: found)
    return found


@dataclass(frozen=True)
class Voted:
    network: PlayedNetwork
    supplies: Supplies
    engine: Engine
    proposal: int

    def page(self) -> str:
        """Return what the proposal's page says to a wallet without a vote."""
        sync_once(self.network.chain, self.engine)
        app = AppTest.from_file(str(APP), default_timeout=60).run()
        app.query_params["id"] = str(self.proposal)
        app.switch_page("views/proposal.py").run()
        assert not app.exception
        return "\n".join(str(element.value) for element in [*app.text, *app.markdown])


@pytest.fixture(scope="module")
def voted(shared_devnet: Devnet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Voted]:
    folder = tmp_path_factory.mktemp("changes")
    network = PlayedNetwork(shared_devnet, FileStore(folder / "store"))
    network.found()
    # Votes count from the second after they were given.
    shared_devnet.advance(1)
    shared_devnet.fund([ANYBODY.address], 10**18)
    proposal = network.propose_admission("St. Anna")
    network.open_vote()
    network.vote(proposal, NAMES)
    network.end_vote()
    network.governor.queue(network.operator(CENTRE), proposal)
    shared_devnet.advance(2 * DAY_S + 60)
    network.governor.execute(network.operator(CENTRE), proposal)
    engine = open_for_writing(sqlite_url(folder / "index.sqlite"))
    supplies = Supplies(
        database_url=sqlite_url(folder / "index.sqlite"),
        chain=network.chain,
        wallet_rpc_url=shared_devnet.info().rpc_url,
        is_development=True,
        store=network.store,
    )
    provide(supplies)
    yield Voted(network, supplies, engine, proposal)
    supplies.index.close()
    engine.dispose()


def test_anyone_activates_a_change_whose_wait_is_over(voted: Voted, browser: Browser) -> None:
    chain, amendments = voted.network.chain, Amendments(voted.network.chain)
    offer = "The wait is over. Activating makes exactly the call that was voted on; anyone may do it."
    assert offer not in voted.page()
    proposal = read_world(voted.supplies).proposal(voted.proposal)
    assert proposal is not None
    assert proposal.changes == tuple(amendments.ids())
    [change] = proposal.changes
    assert due_change(amendments.amendment(change), chain.now_s()) is None

    voted.network.devnet.advance(14 * DAY_S)
    said = voted.page()
    due = due_change(amendments.amendment(change), chain.now_s())
    assert due is not None
    assert offer in said
    [step] = [each for each in browser.offered if each["label"] == "Activate"]
    assert step["data"] == due[1] == "0x" + chain.encode("Amendments", "activate", change).hex()
    assert (step["to"], step["account"]) == (chain.address("Amendments"), ANYBODY.address)
    # What a wallet would send: the same call, by somebody who is no member.
    amendments.activate(ANYBODY, change)

    assert amendments.amendment(change).state is AmendmentState.ACTIVATED
    assert offer not in voted.page()
    newcomer = voted.network.member("St. Anna").address
    assert newcomer in {each.member for each in read_world(voted.supplies).people.organisations.values()}
