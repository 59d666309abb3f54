"""What the pages tell equals what the contracts say, on a network of real contracts played by real keys."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.ballot import read_live, read_standing
from dashboard.bindings import check_bindings
from dashboard.components import frame
from dashboard.consent import behind, offices_to_sign, stands_behind, with_consent
from dashboard.evidence import judge
from dashboard.people import read_register
from dashboard.releases import Release
from dashboard.settings import Supplies, provide
from dashboard.world import World, read_world
from folkmoot.devnet import Devnet
from governance.adapters.history import sync_once
from governance.adapters.tables import open_for_writing, sqlite_url
from governance.domain.market import Address, Kind
from governance.domain.payouts import net
from governance.domain.release import ProposalState, Status
from governance.services import reading
from governance.services.releases import Consent
from tests.integration.dashboard_network import CENTRE, HOSPITALS, NAMES, OFFICE, PlayedNetwork, play

pytestmark = pytest.mark.chain

APP = Path(__file__).parents[2] / "dashboard" / "app.py"


@dataclass(frozen=True)
class Played:
    network: PlayedNetwork
    supplies: Supplies
    world: World


@pytest.fixture(scope="module")
def played(shared_devnet: Devnet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    folder = tmp_path_factory.mktemp("pages")
    network = play(shared_devnet, folder)
    engine = open_for_writing(sqlite_url(folder / "index.sqlite"))
    sync_once(network.chain, engine)
    supplies = Supplies(
        database_url=sqlite_url(folder / "index.sqlite"),
        chain=network.chain,
        wallet_rpc_url=shared_devnet.info().rpc_url,
        is_development=True,
        store=network.store,
    )
    provide(supplies)
    yield Played(network, supplies, read_world(supplies))
    supplies.index.close()
    engine.dispose()


def show(view: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=60).run()
    for key, value in query.items():
        app.query_params[key] = value
    if view != "overview":
        app.switch_page(f"views/{view}.py")
    app.run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    said = [*app.text, *app.markdown, *app.caption, *app.title, *app.header, *app.subheader]
    return "\n".join(str(element.value) for element in said)


def test_every_state_and_tally_equals_the_governors(played: Played) -> None:
    chain, world = played.network.chain, played.world

    assert len(world.proposals) == 3
    for proposal in world.proposals:
        live, count = read_live(chain, proposal.id), world.count(proposal)
        assert proposal.state(live.now_s, passes=count.passes) is live.state
        assert (proposal.tally, proposal.deadline_s, proposal.eta_s or 0) == (live.tally, live.deadline_s, live.eta_s)
        assert count.supply == 13


def test_every_power_at_a_snapshot_equals_the_tokens(played: Played) -> None:
    chain, world = played.network.chain, played.world

    for proposal in world.proposals:
        register = read_register(world.votes, proposal.snapshot_s)
        for name in NAMES:
            member = played.network.member(name).address
            expected = reading.number(chain.read("ModelGovernor", "getVotes", member, proposal.snapshot_s))
            assert register.power[member] == expected == 1


def test_every_verdict_equals_the_contracts_decision(played: Played) -> None:
    for release in played.world.releases:
        found = played.world.judge(release, played.supplies)

        assert found is not None
        judged, policy = found
        assert judged.verdict is not None
        assert release.decision is not None
        assert judged.verdict.failed == release.decision.failed
        assert policy.set_hash == release.decision.policy_hash
        if release.status is Status.RELEASED:
            assert judged.verdict.applied == release.decision.applied


def test_the_facts_that_rules_read_hash_to_the_contracts_facts(played: Played) -> None:
    for release in played.world.releases:
        assert release.facts_hash == played.network.releases.facts_hash(release.id)


def test_what_people_say_beside_the_vote_equals_the_contracts(played: Played) -> None:
    network, world = played.network, played.world

    assert world.endorsements.complete
    assert Consent(network.chain).is_endorsed()
    assert world.endorsements.by == {network.member(name).address for name in NAMES}
    assert world.officers == {OFFICE: network.member(CENTRE).address}
    for release in world.releases:
        assert len(release.objecting()) == network.chain.read("Consent", "objections", release.id)
        assert release.offices() == network.chain.read("Consent", "signOffs", release.id)
        assert release.consent_ended is network.market.is_withdrawn(
            release.manifest.job, release.manifest.candidate_index
        )
    for agreement in world.market.agreements:
        behind = network.chain.read("AgreementBook", "standsBehind", agreement.id)
        assert stands_behind(agreement, world.releases, world.market) == behind
    assert len(world.releases[-1].objecting()) == 1


def test_a_wallet_is_offered_only_what_the_contract_would_take(played: Played) -> None:
    network, world = played.network, played.world
    refused, released = world.releases
    officer, owner = network.member(CENTRE).address, network.operator("Cleveland").address
    about = {"releases": world.releases, "market": world.market, "people": world.people}

    def open_offices(account: Address, release: Release) -> int:
        return offices_to_sign(account, release, world.officers, vote=world.vote_on(release))

    assert open_offices(officer, released) == 0, "signed before"
    assert open_offices(officer, refused) == 0, "refused"
    assert open_offices(officer, replace(released, sign_offs=())) == 1 << OFFICE
    assert open_offices(owner, replace(released, sign_offs=())) == 0
    candidate = replace(released, sign_offs=(), decision=None)
    signed = {
        state: bool(offices_to_sign(officer, candidate, world.officers, vote=state)) for state in (None, *ProposalState)
    }
    quiet = {None, ProposalState.PENDING, ProposalState.CANCELED}
    assert {state for state, offered in signed.items() if offered} == quiet
    assert [found.id for found in behind(owner, released, **about)] == [network.agreements["Cleveland", Kind.DATA]]
    assert behind(owner, refused, **about) == [], "it stands behind the last candidate"
    assert behind(officer, released, **about) == []


def test_consent_taken_back_stops_what_the_agreement_stands_behind(played: Played) -> None:
    world, now_s = played.world, played.world.now_s
    key = played.network.agreements["Hungary", Kind.DATA]

    def status(**changes: bool) -> list[Status]:
        agreements = [
            replace(each, withdrawn_at_s=now_s, terms=replace(each.terms, **changes)) if each.id == key else each
            for each in world.market.agreements
        ]
        market = replace(world.market, agreements=tuple(agreements))
        return [release.status_at(now_s) for release in with_consent(world.releases, market)]

    assert status() == [Status.REFUSED, Status.SUSPENDED]
    assert status(withdrawal_blocks=False) == [Status.REFUSED, Status.RELEASED]


def test_payments_and_agreements_equal_the_books(played: Played) -> None:
    market = played.world.market

    assert len(market.agreements) == len(played.network.agreements)
    for agreement in market.agreements:
        record = played.network.market.agreement(agreement.id)
        assert record is not None
        # The treasury's fee is taken when the agreement ends.
        received_e18 = net(record.paid_e18, record.fee_bps)
        assert (agreement.paid_e18, agreement.paid_units) == (received_e18, record.paid_units)
        assert agreement.terms.price_e18 == record.price_e18


def test_agents_equal_the_registrys(played: Played) -> None:
    records = {record.address: record for record in played.network.registry.agents()}

    assert set(records) == set(played.world.people.agents)
    for key, agent in played.world.people.agents.items():
        record = records[key]
        assert (agent.organisation, agent.roles, agent.active) == (record.organisation, record.roles, record.active)
        assert (agent.endpoint, agent.last_seen_s) == (record.endpoint, record.last_seen_s)
        assert agent.mandate == played.network.registry.mandate(key)


def test_what_a_vote_was_bound_to_is_compared_with_what_stands(played: Played) -> None:
    world = played.world
    proposal = world.proposal(played.network.released_proposal)
    release = world.release(played.network.released)
    assert proposal is not None
    assert release is not None
    approval = proposal.actions[0].approval
    assert approval is not None

    same = check_bindings(approval, release, world.policy, now_s=world.now_s)
    later = check_bindings(approval, release, None, now_s=approval.deadline_s + 1)

    assert [binding.holds for binding in same] == [True, True, True, True]
    assert [binding.holds for binding in later] == [True, True, False, False]


def test_intervals_come_only_from_reports_that_fit_the_medians(played: Played) -> None:
    world = played.world
    release = world.release(played.network.refused)
    assert release is not None
    assert world.policy is not None

    def altered(digest: bytes) -> bytes:
        return played.network.store.get(digest) + b" "

    found = judge(release, world.policy, market=world.market, people=world.people, documents=altered, now_s=world.now_s)
    whole = played.world.judge(release, played.supplies)

    assert found.intervals == {}
    assert whole is not None
    assert whole[0].intervals["tpr_gap_abs"].high == 290_000


@pytest.mark.parametrize(
    ("name", "words"),
    [("Hungary", "has voted; the contract counted 1 vote"), ("Laboratory E", "This wallet has 1 vote here.")],
)
def test_a_wallets_standing_is_the_contracts(played: Played, name: str, words: str) -> None:
    network, world = played.network, played.world
    proposal = world.proposal(network.admission)
    assert proposal is not None

    standing = read_standing(
        network.chain,
        proposal,
        live=read_live(network.chain, proposal.id),
        account=network.member(name).address,
        people=world.people,
        register=world.register(proposal),
    )

    assert words in standing.sentence
    assert standing.power == 1


def test_the_overview_asks_for_the_open_vote_alone(played: Played) -> None:
    app = show("overview")

    assert "Admit an organisation that calls itself “St. Anna”" in texts(app)
    assert "Needs 1 more vote For: 8 of the 9 needed." in texts(app)
    assert "Failed: max-tpr-gap" in texts(app)
    assert [metric.value for metric in app.metric] == ["13", "13", str(len(played.network.agreements)), "1", "1"]
    assert texts(app).count("Needs 1 more") == 1, "a refused candidate's vote asks nobody for anything"


def test_the_proposals_can_be_filtered_by_state() -> None:
    app = show("proposals")

    app.button_group(key="state").set_value("Voting open").run()

    assert "St. Anna" in texts(app)
    assert "Release the model" not in texts(app)


def test_a_proposal_shows_its_count_from_the_contract(played: Played) -> None:
    app = show("proposal", id=str(played.network.admission))

    assert "Read from the contract at block" in texts(app)
    assert [metric.value for metric in app.metric] == ["8", "1", "0"]
    votes = app.dataframe[0].value
    assert list(votes[votes["vote"].str.contains("not voted")]["organisation"]) == [
        f"Laboratory {letter}" for letter in "DEFG"
    ]
    assert "Too early for us." in set(votes["reason given"])


def test_a_proposal_shows_the_verdict_rule_by_rule(played: Played) -> None:
    app = show("proposal", id=str(played.network.refused_proposal))

    said = texts(app)
    for words in ("max-tpr-gap", "0.24\nmeasured", "at most 0.10", "0.14 missed", "0.19 to 0.29"):
        assert words in said
    assert "A sick woman must be as likely to be recognised as a sick man" in said
    assert "equal to what the contract decided" in said


def test_an_unknown_proposal_is_said_to_be_unknown() -> None:
    assert "There is no such proposal" in texts(show("proposal", id="1"))
    assert "There is no such proposal" in texts(show("proposal", id="<b>"))


def test_a_release_is_walked_back_to_its_agreements(played: Played) -> None:
    app = show("release", id=played.network.released.hex())

    said = texts(app)
    for words in ("1. The vote", "2. The jury", "3. The rounds", "4. The agreements", "Row counts are public."):
        assert words in said
    objections, jury, rounds, agreements = (frame.value for frame in app.dataframe)
    assert list(objections["reason"]) == ["too many purposes"]
    assert len(jury) == 5
    assert list(rounds["round"]) == [0, 2]
    assert set(agreements["seller"]) == set(HOSPITALS)


def test_participants_are_listed_with_what_they_sell(played: Played) -> None:
    app = show("participants")

    organisations, agents, agreements, _ = (frame.value for frame in app.dataframe)
    assert tuple(organisations["name"]) == NAMES
    assert list(agents["roles"])[:5] == ["owner"] * 4 + ["coordinator"]
    assert len(agreements) == len(played.network.agreements)


def test_history_can_be_filtered_and_taken_away() -> None:
    app = show("history")

    app.text_input(key="holds").set_value("votecast").run()

    rows = app.dataframe[0].value
    assert set(rows["event"]) == {"VoteCast"}
    assert len(rows) == 13 + 13 + 9


def test_every_page_says_whose_chain_it_is() -> None:
    for view in ("overview", "proposals", "releases", "participants", "history"):
        line = next(caption.value for caption in show(view).caption if "read to block" in str(caption.value))
        assert "development chain: its operator can rewrite everything" in str(line)


def test_a_silent_chain_leaves_the_page_readable(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(played.network.chain, "_url", "http://127.0.0.1:9")
    monkeypatch.setattr(played.network.chain._web3.provider, "endpoint_uri", "http://127.0.0.1:9")

    app = show("proposal", id=str(played.network.admission))

    assert "The chain does not answer; counted from the index" in texts(app)
    assert [metric.value for metric in app.metric] == ["8", "1", "0"]


def test_the_admission_is_still_open(played: Played) -> None:
    assert played.network.governor.state(played.network.admission) is ProposalState.ACTIVE


def test_an_index_that_stopped_is_said_to_be_old(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(frame.time, "time", lambda: now + 500)

    line = next(caption.value for caption in show("overview").caption if "read to block" in str(caption.value))

    assert "is old: is the index still running?" in str(line)
