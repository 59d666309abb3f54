"""A set of rules comes into force while jobs run: agents judge by it, and refuse instead of running into a revert."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from eth_utils.crypto import keccak
from sqlmodel import select

from agents.negotiation.mandate import BuyerMandate
from agents.negotiation.quality import DealQuality
from agents.negotiation.transcript import write_terms
from agents.net.outbox import MailOutgoing
from agents.net.signing import KeySigner as TermsSigner
from agents.protocols.records import NegotiationRow
from agents.roles.buying import Purchases
from agents.roles.desk import Desk
from agents.roles.job_runs import JobRun
from agents.roles.rounds import name_round
from agents.roles.training_rounds import TrainingRounds
from agents.roles.veto import Unlawful
from folkmoot.constitution import DAY_S
from governance.domain.market import Kind, Terms
from governance.errors import ContractRefused
from governance.policy import chain_set, load_policies
from governance.services.amendments import Amendments
from governance.services.market import Market
from governance.services.policy import PolicyInForce
from tests.audit_cast import INSTITUTE, OWNERS, Story, agent, running_network
from tests.audit_job import Plan, commit_rows, make_agreements, open_job, terms_of
from tests.audit_story import activate_newest, decide_by_vote, prepare
from tests.integration.test_omitted_owner import desk_of
from tests.unit.roles.role_cases import task

pytestmark = pytest.mark.chain

RUNNING, BARGAINING = Plan(1, ("plain",)), Plan(2, ("plain",))
BOUNDS = {"dp_epsilon": 7_000_000, "round_contributors": (len(OWNERS) + 1) * 10**6}
"""Less epsilon than the agreements promise, and an owner more than there are."""


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with running_network(tmp_path_factory.mktemp("network")) as story:
        prepare(story)
        story.job = open_job(story, RUNNING)
        make_agreements(story, RUNNING, story.job)
        commit_rows(story, BARGAINING)
        yield story


@pytest.fixture
def desk(network: Story, tmp_path: Path) -> Iterator[Desk]:
    (tmp_path / INSTITUTE).mkdir()
    with network.rewound():
        yield desk_of(network, tmp_path, INSTITUTE, agent(INSTITUTE))


def amend(story: Story) -> None:
    """Carry out an amendment that tightens two rules."""
    shipped = load_policies()
    rules = tuple(replace(rule, bound=BOUNDS.get(rule.fact, rule.bound)) for rule in shipped.rules)
    call = story.chain.encode("PolicyRegistry", "amend", chain_set(replace(shipped, rules=rules)))
    decide_by_vote(story, "tighter", Amendments(story.chain).staging("PolicyRegistry", call))
    story.advance(2 * DAY_S)
    activate_newest(story)


def signed_terms(story: Story, job: bytes) -> tuple[Terms, bytes, bytes]:
    """Return terms about data, and both agents' signatures."""
    terms = terms_of(story, BARGAINING, job, name=OWNERS[0], kind=Kind.DATA)
    terms = replace(terms, valid_until_s=story.chain.now_s() + 60 * DAY_S)
    digest = Market(story.chain).terms_digest(terms)
    return terms, agent(INSTITUTE).sign_digest(digest), agent(OWNERS[0]).sign_digest(digest)


def agreed(terms: Terms, buyer: bytes, seller: bytes) -> NegotiationRow:
    """Return the row of a bargain that is over and not on chain yet."""
    quality = DealQuality(rounds=1, utility_micros=0, opening_micros=0, at_deadline=False)
    return NegotiationRow(
        negotiation_id="deal",
        side="buyer",
        peer=terms.seller,
        kind=int(terms.kind),
        job="0x" + terms.job.hex(),
        state="agreed",
        max_rounds=1,
        frame_json=write_terms(terms),
        position_json="{}",
        head_hash="",
        valid_until_s=terms.valid_until_s,
        terms_json=write_terms(terms),
        buyer_signature="0x" + buyer.hex(),
        seller_signature="0x" + seller.hex(),
        quality_json=json.dumps(asdict(quality)),
    )


def test_the_set_in_force_is_read_again_when_it_changed(network: Story, desk: Desk) -> None:
    files, before = load_policies(), desk.policy

    amend(network)
    after = desk.policy

    assert (before.set_hash, before.version) == (files.set_hash, 1)
    assert (after.set_hash, after.version) == (desk.releases.policy_hash(), 2)
    assert {rule.fact: rule.bound for rule in after.rules if rule.fact in BOUNDS} == BOUNDS
    assert (after.purposes, after.licences, after.texts) == (files.purposes, files.licences, files.texts)
    assert PolicyInForce(network.chain, files).now() == after


def test_a_deal_that_became_unlawful_is_void_before_it_reaches_the_chain(network: Story, desk: Desk) -> None:
    job = open_job(network, BARGAINING)
    terms, buyer, seller = signed_terms(network, job)
    secret = keccak(text=f"story {INSTITUTE} agent")
    mandate = BuyerMandate(
        max_spend_e18={Kind.DATA: 10**21}, max_agreements=9, purposes=1, until_s=network.chain.now_s() + 300 * DAY_S
    )
    purchases = Purchases(desk, mandate, signer=TermsSigner(secret, desk.market.domain))
    with desk.mailbox.transaction() as session:
        session.add(agreed(terms, buyer, seller))
    assert purchases.veto(terms) == ""

    amend(network)
    purchases.buy(job, None)  # type: ignore[arg-type] # the terms of a job serve the call for offers, which is over

    with desk.mailbox.reading() as session:
        row = session.get(NegotiationRow, "deal")
    assert row is not None
    assert (row.state, row.detail) == (
        "void",
        "the rules that came into force meanwhile forbid it: max-dp-epsilon",
    )
    with pytest.raises(ContractRefused, match="PolicyViolation"):
        desk.market.create_agreement(desk.signer, terms, buyer_signature=buyer, seller_signature=seller)


def test_a_round_that_became_unlawful_is_not_asked_for(network: Story, desk: Desk) -> None:
    rounds, name = TrainingRounds(desk), name_round(0, 1)
    run = JobRun(name="job", job=network.job.hex(), file="", terms="")

    amend(network)
    with pytest.raises(Unlawful, match="round 0 with 3 owners, by the rules in force now: min-round-contributors"):
        rounds._open_round(run, task(), name, 1)

    with desk.mailbox.reading() as session:
        assert session.exec(select(MailOutgoing)).all() == []
    with pytest.raises(ContractRefused, match="RoundPolicyViolation"):
        desk.market.post_round(desk.signer, network.job, 0, root=b"\x01" * 32, leaves=4)
