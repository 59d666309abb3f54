"""People and their wallets in a real Chromium against real contracts: what they see, and what is counted."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, expect, sync_playwright

from folkmoot.constitution import DAY_S
from folkmoot.devnet import Devnet
from folkmoot.doctor import find_browser
from folkmoot.settings import CHECKOUT
from governance.adapters.tables import sqlite_url
from governance.domain.release import ProposalState, Reason, Status
from governance.services.amendments import Amendments
from governance.services.releases import Consent
from tests.e2e.browser_wallet import BrowserWallet
from tests.integration.dashboard_network import PlayedNetwork, key, play

pytestmark = [pytest.mark.browser, pytest.mark.chain]

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 30_000


@dataclass(frozen=True)
class Site:
    network: PlayedNetwork
    devnet: Devnet
    url: str


@pytest.fixture(scope="module")
def site(shared_devnet: Devnet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    network = play(shared_devnet, folder)
    deployment = folder / "deployment.json"
    deployment.write_text(network.deployment.to_json())
    port = _free_port()
    script = CHECKOUT / "tests" / "e2e" / "dashboard_server.py"
    rpc, database = shared_devnet.info().rpc_url, sqlite_url(folder / "index.sqlite")
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, str(script), str(deployment), rpc, database, str(folder / "store"), str(port)],
            cwd=folder,
            stdout=log,
            stderr=log,
            env={"PYTHONPATH": str(CHECKOUT), "HOME": str(folder), "PATH": ""},
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_up(url, server, folder / "server.log")
        yield Site(network, shared_devnet, url)
    finally:
        server.terminate()
        server.wait(timeout=15)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_up(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(240):
        assert server.poll() is None, log.read_text()
        try:
            if requests.get(f"{url}/_stcore/health", timeout=1).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.25)
    raise AssertionError(f"the dashboard does not come up: {log.read_text()}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(find_browser()), args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1360, "height": 1400})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    yield page
    context.close()


def wallet_of(site: Site, name: str, what: str = "member") -> BrowserWallet:
    return BrowserWallet(
        signer=key(name, what), rpc_url=site.devnet.info().rpc_url, chain_id=site.network.chain.chain_id
    )


def open_proposal(page: Page, site: Site, proposal: int) -> None:
    page.goto(f"{site.url}/proposal?id={proposal}")
    expect(page.get_by_role("heading", name="Your vote")).to_be_visible()


def connect(page: Page) -> None:
    page.get_by_role("button", name="Connect Test Wallet").click()


def test_whoever_has_no_wallet_reads_everything_and_nothing_leaves_the_page(page: Page, site: Site) -> None:
    strangers: list[str] = []
    refusals: list[str] = []
    page.on(
        "request", lambda r: strangers.append(r.url) if not r.url.startswith((site.url, "data:", "blob:")) else None
    )
    page.on("console", lambda m: refusals.append(m.text) if "Content Security Policy" in m.text else None)

    for path, heading in (
        ("/", "Overview"),
        ("/proposals", "Proposals"),
        (f"/proposal?id={site.network.refused_proposal}", "What the constitution says"),
        (f"/release?id={site.network.released.hex()}", "The walk back"),
        ("/participants", "Agents and agreements"),
        ("/history", "History"),
    ):
        page.goto(site.url + path)
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
        expect(page.get_by_text("read to block").first).to_be_visible()
        expect(page.get_by_text("its operator can rewrite everything").first).to_be_visible()
        expect(page.get_by_text("No browser wallet found. You can still read everything.")).to_be_visible()

    assert strangers == []
    assert refusals == []


def test_a_refusal_names_its_rule_with_value_limit_margin_and_interval(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/proposal?id={site.network.refused_proposal}")

    expect(page.get_by_text("The constitution forbids it: 1 rule fails of 9 (high tier)")).to_be_visible()
    expect(page.get_by_text("equal to what the contract decided")).to_be_visible()
    for words in ("max-tpr-gap", "at most 0.10", "0.14 missed", "0.19 to 0.29"):
        expect(page.get_by_text(words, exact=True).first).to_be_visible()
    expect(page.get_by_text("AIA Art. 10(2)(f) and (g)").first).to_be_visible()
    assert page.get_by_role("heading", name="Your vote").count() == 0, "a settled vote offers no button"


WHY_NOT = (
    (("Cleveland", "operator"), "This is the operator key of “Cleveland”."),
    (("Cleveland", "agent"), "Agents never vote."),
    (("Nobody", "member"), "it belongs to no organisation of this network"),
    (("Hungary", "member"), "This wallet has voted; the contract counted 1 vote."),
)


def test_a_wallet_that_may_not_vote_is_told_why_also_when_it_changes(page: Page, site: Site) -> None:
    wallet = wallet_of(site, "Laboratory E")
    wallet.install(page)
    open_proposal(page, site, site.network.admission)
    connect(page)
    expect(page.get_by_role("button", name="✓ For")).to_be_visible()

    for who, sentence in WHY_NOT:
        wallet.become(page, key(*who))

        expect(page.get_by_text(sentence)).to_be_visible()
        expect(page.get_by_role("button", name="✓ For")).to_have_count(0)


def test_a_declined_vote_is_not_sent_and_not_counted(page: Page, site: Site) -> None:
    wallet = wallet_of(site, "Laboratory D")
    wallet.declines = True
    wallet.install(page, legacy=True)
    open_proposal(page, site, site.network.admission)

    page.get_by_role("button", name="Connect browser wallet").click()
    page.get_by_role("button", name="✗ Against").click()

    expect(page.get_by_text("You declined in your wallet. Nothing was sent.")).to_be_visible()
    assert not site.network.governor.has_voted(site.network.admission, wallet.signer.address)


def test_a_vote_from_a_browser_wallet_is_counted_and_carried_out(page: Page, site: Site) -> None:
    network, proposal = site.network, site.network.admission
    wallet = wallet_of(site, "Laboratory D")
    wallet.install(page)
    open_proposal(page, site, proposal)
    expect(page.get_by_text("Needs 1 more vote For: 8 of the 9 needed.")).to_be_visible()

    connect(page)
    expect(page.get_by_text("This wallet has 1 vote here.")).to_be_visible()
    page.get_by_role("button", name="✓ For").click()

    expect(page.get_by_text("You voted For: counted by the contract")).to_be_visible()
    expect(page.get_by_text("Has what it needs: 9 For, 9 needed.")).to_be_visible()
    assert network.governor.has_voted(proposal, wallet.signer.address)
    assert network.governor.votes(proposal).in_favour == 9
    assert wallet.added["rpcUrls"] == [site.devnet.info().rpc_url], "the wallet did not know the chain and was told"

    page.reload()
    expect(page.get_by_text("You voted For: counted by the contract")).to_be_visible()

    network.end_vote()
    page.get_by_role("button", name="Queue").click()
    expect(page.get_by_text("It can be carried out in")).to_be_visible()
    site.devnet.advance(2 * DAY_S)
    page.get_by_role("button", name="Execute").click()

    expect(page.get_by_text("It was carried out. What it staged takes effect only after its wait")).to_be_visible()
    assert network.governor.state(proposal) is ProposalState.EXECUTED
    assert network.registry.organisations()[-1].name != "St. Anna", "admitted before its wait was over"
    amendments = Amendments(network.chain)
    (admission,) = amendments.ids()
    site.devnet.advance(amendments.amendment(admission).from_s - network.chain.now_s())
    amendments.activate(network.operator("Cleveland"), admission)
    assert network.registry.organisations()[-1].name == "St. Anna"


HOSTILE_TITLE = (
    "# :material/verified: Verified by the network ![](http://127.0.0.1:9/beacon.png)\n"
    "[vote here](javascript:alert(1)) <img src=http://127.0.0.1:9/x.png onerror=alert(1)> \u202eFor\u200b"
)


def test_hostile_text_on_chain_stays_text_and_calls_nobody(page: Page, site: Site) -> None:
    strangers: list[str] = []
    page.on("request", lambda r: strangers.append(r.url) if ":9/" in r.url else None)
    page.on("dialog", lambda dialog: strangers.append(dialog.message))
    proposal = site.network.propose_admission("![](http://127.0.0.1:9/n.png) **St. Anna**", title=HOSTILE_TITLE)

    for path in ("/", "/proposals", f"/proposal?id={proposal}", "/participants", "/history"):
        page.goto(site.url + path)
        expect(page.get_by_text("read to block").first).to_be_visible()
        if path == "/proposals":
            expect(page.get_by_text("“![](http://127.0.0.1:9/n.png) **St. Anna**”").first).to_be_visible()
        if path.startswith("/proposal?"):
            page.get_by_text("What the proposer wrote").click()
            expect(page.get_by_text("Hidden or look-alike characters")).to_be_visible()
            expect(page.get_by_text("Verified by the network").first).to_be_visible()

    assert strangers == []
    assert page.locator("[data-testid=stMain] a[href^=javascript]").count() == 0


def test_an_unknown_call_is_a_danger_whatever_its_title(page: Page, site: Site) -> None:
    network = site.network
    calldata = network.chain.encode("Credit", "approve", network.member("Cleveland").address, 10**18)
    proposal = network._propose(network.member("Hungary"), "Credit", calldata, "Routine maintenance")

    page.goto(f"{site.url}/proposal?id={proposal}")

    expect(page.get_by_text("This proposal makes a call that nobody wrote a sentence for")).to_be_visible()
    expect(page.get_by_text("Unknown call 0x095ea7b3 to our contract Credit").first).to_be_visible()
    expect(page.get_by_text("Constitutional (everything but a release)").first).to_be_visible()


def test_other_sites_cannot_frame_the_page(site: Site) -> None:
    headers = requests.get(site.url, timeout=5).headers

    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "'unsafe-eval'" not in headers["Content-Security-Policy"]
    assert "script-src 'self' blob: 'wasm-unsafe-eval' 'sha256-" in headers["Content-Security-Policy"]


def test_a_candidate_opened_from_the_list_stays_when_a_wallet_is_connected(page: Page, site: Site) -> None:
    wallet_of(site, "Hungary", "operator").install(page)
    page.goto(f"{site.url}/releases")
    page.get_by_role("link", name="From the vote back to the agreements").first.click()
    expect(page.get_by_role("heading", name="The walk back")).to_be_visible()

    connect(page)

    expect(page.get_by_text("Connect your wallet in the sidebar to sign off")).to_have_count(0)
    expect(page.get_by_role("heading", name="The walk back")).to_be_visible()
    assert "/release?id=" in page.url


def test_an_owner_objects_and_takes_its_consent_back_from_its_wallet(page: Page, site: Site) -> None:
    network = site.network
    stake, owner = Consent(network.chain).objection_stake_e18(), network.operator("Hungary")
    network.chain.send(network.operator("Moot Institute"), "Credit", "transfer", (owner.address, stake))
    wallet_of(site, "Hungary", "operator").install(page)
    page.goto(f"{site.url}/release?id={network.released.hex()}")

    connect(page)
    page.get_by_role("button", name="Allow the stake of").click()
    reason = page.get_by_label("Why you object")
    reason.fill("not what I agreed to")
    reason.press("Enter")
    page.get_by_role("button", name="Object", exact=True).click()
    expect(page.get_by_text("Organisations that object: 2.")).to_be_visible()
    page.get_by_role("button", name="Take consent back").click()

    expect(page.get_by_text("Consent was taken back by somebody whose terms let that block it")).to_be_visible()
    assert network.releases.standing(network.released) == (Status.SUSPENDED, Reason.WITHDRAWAL)
