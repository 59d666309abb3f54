"""An owner that is left out of a round is paid by its signed receipt; agents do all of it on a real chain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from eth_utils.crypto import keccak
from sqlmodel import select

from agents.net.artifacts import PublicStore
from agents.net.mailbox import Mailbox, Verdict
from agents.net.outbox import MailOutgoing
from agents.protocols.messages import Aggregate, Leaf, SignedReceipt, pack_nanos
from agents.protocols.records import TABLES as NEGOTIATION
from agents.roles.agreements import Agreements
from agents.roles.answers import Answers
from agents.roles.desk import Desk, Plans
from agents.roles.evidence import keep_round
from agents.roles.job_runs import RoundRun
from agents.roles.omissions import Acknowledged, Omissions
from agents.roles.owner_records import TaskReceived
from agents.roles.training_rounds import TrainingRounds
from governance.adapters.evm import KeySigner
from governance.domain import evidence, payouts
from governance.domain.receipt import UpdateReceipt
from governance.errors import ContractRefused, InvalidRecord
from governance.policy import load_policies
from governance.services.amendments import Amendments
from governance.services.challenges import Challenges, ChallengeState
from governance.services.court import Court
from governance.services.market import Market
from governance.services.policy import PolicyInForce
from governance.services.registry import Registry
from governance.services.releases import Governor, Releases
from tests.audit_cast import CENTRE, INSTITUTE, LABORATORIES, OWNERS, Story, agent, operator, running_network
from tests.audit_job import PRICE_E18, Plan, make_agreements, open_job
from tests.audit_story import prepare
from tests.unit.roles.role_cases import TABLES

pytestmark = pytest.mark.chain

LEFT_OUT = OWNERS[0]
PLAN = Plan(1, ("plain",))
DAY_S = 86_400
NUMBER = 0


@dataclass(frozen=True)
class Parties:
    """The coordinator's roles and the owner's, each with mail and store of its own, on one chain."""

    story: Story
    job: bytes
    coordinator: Desk
    rounds: TrainingRounds
    answers: Answers
    owner: Desk
    omissions: Omissions

    @property
    def agreement(self) -> bytes:
        return self.story.agreements[f"{LEFT_OUT} data"]

    def balance(self, contract_or_key: str) -> int:
        return int(str(self.story.chain.read("Credit", "balanceOf", contract_or_key)))

    def acknowledged(self) -> list[evidence.Leaf]:
        """Have the compute provider name everybody's update, and the coordinator sign for each; return the leaves."""
        leaves = [self.signed(agent(name), digest_of(self.job, name)) for name in OWNERS]
        with self.coordinator.mailbox.transaction() as session:
            owners = "[" + ", ".join(f'"{leaf.agent}"' for leaf in leaves) + "]"
            row = RoundRun(job=self.job.hex(), number=NUMBER, owners=owners, compute=agent(CENTRE).address)
            session.add(row)
        document = evidence.aggregate_document(self.job, NUMBER, agent(CENTRE).address, sum_nanos=[9], owners=leaves)
        message = Aggregate(
            msg_id="sum",
            job="0x" + self.job.hex(),
            candidate=0,
            round_index=0,
            kind="statistics",
            sum_nanos=pack_nanos([9]),
            leaves=[
                Leaf(owner=leaf.agent, update_digest=leaf.digest.hex(), signature="0x" + leaf.signature.hex())
                for leaf in leaves
            ],
            signature="0x" + self.signed(agent(CENTRE), evidence.digest(document)).signature.hex(),
        )
        assert self.coordinator.mailbox.receive(agent(CENTRE).address, message) is Verdict.TAKEN
        return leaves

    def signed(self, signer: KeySigner, digest: bytes) -> evidence.Leaf:
        leaf = evidence.Leaf(agent=signer.address, digest=digest)
        signature = signer.sign_digest(leaf.signed_digest(self.job, NUMBER, Challenges(self.story.chain).domain))
        return replace(leaf, signature=signature)

    def deliver(self) -> list[Verdict]:
        """Bring the owner what the coordinator's outbox holds for it."""
        with self.coordinator.mailbox.reading() as session:
            mail = session.exec(select(MailOutgoing).where(MailOutgoing.recipient == self.owner.address)).all()
        messages = [SignedReceipt.parse_raw(row.body) for row in mail]
        return [self.owner.mailbox.receive(self.coordinator.address, message) for message in messages]

    def post(self, leaves: list[evidence.Leaf]) -> evidence.RoundEvidence:
        """Post a round with these leaves, as its coordinator would keep it."""
        own = evidence.Leaf(agent=agent(CENTRE).address, digest=b"\x09" * 32)
        found = evidence.RoundEvidence(job=self.job, round_number=NUMBER, leaves=(*leaves, own))
        market = self.coordinator.market
        market.post_round(self.coordinator.signer, self.job, NUMBER, root=found.root(), leaves=len(found.leaves))
        with self.coordinator.mailbox.transaction() as session:
            keep_round(self.coordinator, session, found)
        return found

    def instalment(self) -> int:
        """Return what one round earns, without the treasury's fee."""
        agreement = self.owner.market.agreement(self.agreement)
        assert agreement is not None
        return payouts.net(payouts.earned(PRICE_E18, 1, PLAN.rounds), agreement.fee_bps)

    def state(self) -> ChallengeState:
        return Challenges(self.story.chain).omission(self.agreement, NUMBER)[0]


def digest_of(job: bytes, name: str) -> bytes:
    return evidence.digest(evidence.update_document(job, NUMBER, agent(name).address, [3]))


def desk_of(story: Story, home: Path, name: str, signer: KeySigner) -> Desk:
    market, store = Market(story.chain), PublicStore(home / name / "store")
    return Desk(
        name=name,
        home=home / name,
        signer=signer,
        sealing_key=lambda: keccak(text=name),
        chain=story.chain,
        mailbox=Mailbox.open(home / name / "agent.sqlite", (*TABLES, *NEGOTIATION)),
        store=store,
        fetch=lambda _agent, digest: store.read(digest.hex()),
        wake=lambda: None,
        constitution=PolicyInForce(story.chain, load_policies()),
        registry=Registry(story.chain),
        market=market,
        agreements=Agreements(story.chain, market),
        court=Court(story.chain),
        releases=Releases(story.chain),
        governor=Governor(story.chain),
        amendments=Amendments(story.chain),
    )


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A network with one job under way, whose first round is not posted yet."""
    with running_network(tmp_path_factory.mktemp("network")) as story:
        prepare(story)
        story.job = open_job(story, PLAN)
        make_agreements(story, PLAN, story.job)
        yield story


@pytest.fixture
def parties(network: Story, tmp_path: Path) -> Iterator[Parties]:
    with network.rewound():
        for name in (INSTITUTE, LEFT_OUT):
            (tmp_path / name).mkdir()
        coordinator = desk_of(network, tmp_path, INSTITUTE, agent(INSTITUTE))
        owner = desk_of(network, tmp_path, LEFT_OUT, agent(LEFT_OUT))
        with owner.mailbox.transaction() as session:
            session.add(
                TaskReceived(
                    job=network.job.hex(),
                    round_number=NUMBER,
                    candidate=0,
                    round_index=0,
                    kind="statistics",
                    task_json="",
                    request_json="",
                    compute_agent=agent(CENTRE).address,
                    update=pack_nanos([3]),
                )
            )
        yield Parties(
            network,
            network.job,
            coordinator,
            TrainingRounds(coordinator),
            Answers(coordinator),
            owner,
            Omissions(owner),
        )


def test_finding_19_agents_get_an_omitted_owner_paid_by_its_receipt(parties: Parties) -> None:
    story, book = parties.story, parties.story.deployment.contracts["AgreementBook"]
    leaves = parties.acknowledged()
    assert parties.deliver() == [Verdict.TAKEN]
    # Fewer contributors than the policy asks for would not be taken: somebody stands in the owner's place.
    parties.post([*leaves[1:], evidence.Leaf(agent=agent(LABORATORIES[0]).address, digest=b"\x07" * 32)])
    escrow, paid = parties.balance(book), parties.balance(operator(LEFT_OUT).address)

    before = parties.omissions.step()
    story.advance(DAY_S + 1)
    parties.omissions.step()
    assert parties.state() is ChallengeState.OPEN
    parties.answers.step()
    assert parties.state() is ChallengeState.OPEN, "a leaf that is not there cannot be shown"
    story.advance(DAY_S + 1)
    parties.omissions.step()

    assert before.due_at_s > 0
    assert parties.state() is ChallengeState.UPHELD
    assert Challenges(story.chain).omissions(parties.job) == 1
    assert parties.balance(operator(LEFT_OUT).address) - paid == parties.instalment()
    assert escrow - parties.balance(book) == parties.instalment()
    assert parties.omissions.step() == Plans()


def test_a_round_that_was_acknowledged_and_never_posted_is_paid_too(parties: Parties) -> None:
    parties.acknowledged()
    parties.deliver()
    paid = parties.balance(operator(LEFT_OUT).address)

    for _ in range(2):
        parties.story.advance(DAY_S + 1)
        parties.omissions.step()
        parties.answers.step()

    assert parties.state() is ChallengeState.UPHELD
    assert parties.balance(operator(LEFT_OUT).address) - paid == parties.instalment()


def test_a_coordinator_that_posts_within_the_day_answers_by_itself(parties: Parties) -> None:
    leaves = parties.acknowledged()
    parties.deliver()
    paid = parties.balance(operator(LEFT_OUT).address)
    parties.story.advance(DAY_S + 1)
    parties.omissions.step()
    parties.answers.step()
    assert parties.state() is ChallengeState.OPEN

    parties.post(leaves)
    parties.answers.step()
    parties.omissions.step()
    parties.story.advance(DAY_S + 1)
    parties.omissions.step()

    assert parties.state() is ChallengeState.ANSWERED
    assert Challenges(parties.story.chain).omissions(parties.job) == 0
    assert parties.balance(operator(LEFT_OUT).address) == paid, "the leaf is claimed as every other one"


def test_a_receipt_is_signed_as_the_contract_hashes_it_and_by_nobody_else(parties: Parties) -> None:
    challenges = Challenges(parties.story.chain)
    receipt = UpdateReceipt(
        job=parties.job,
        round_number=NUMBER,
        owner=parties.owner.address,
        digest=digest_of(parties.job, LEFT_OUT),
        deadline_s=parties.story.chain.now_s() - 1,
    )
    forged = agent(CENTRE).sign_digest(receipt.signed_digest(challenges.domain))

    hashed = parties.story.chain.read("RoundLedger", "hashReceipt", receipt.as_tuple())
    with pytest.raises(ContractRefused, match="RoundNoReceipt"):
        challenges.challenge_omission(parties.owner.signer, parties.agreement, receipt, forged)

    assert receipt.signed_digest(challenges.domain) == hashed
    with parties.owner.mailbox.reading() as session:
        assert session.exec(select(Acknowledged)).all() == []


def test_a_coordinator_that_counts_an_owner_twice_is_flagged(parties: Parties) -> None:
    challenges, market = Challenges(parties.story.chain), parties.owner.market
    leaves = parties.acknowledged()
    twin = evidence.Leaf(agent=parties.owner.address, digest=b"\x08" * 32)
    found = parties.post([*leaves, twin])

    with pytest.raises(InvalidRecord):
        challenges.flag_equivocation(parties.owner.signer, found, agent(OWNERS[1]).address, market=market)
    assert not challenges.is_flagged(parties.job, NUMBER)
    challenges.flag_equivocation(parties.owner.signer, found, parties.owner.address, market=market)

    assert challenges.is_flagged(parties.job, NUMBER)


@pytest.mark.parametrize(("name", "flagged"), [(OWNERS[1], False), (LABORATORIES[0], True)])
def test_a_stranger_in_a_round_is_flagged_and_a_seller_is_named(parties: Parties, name: str, *, flagged: bool) -> None:
    challenges, leaves = Challenges(parties.story.chain), parties.acknowledged()
    found = parties.post([*leaves, evidence.Leaf(agent=agent(LABORATORIES[0]).address, digest=b"\x07" * 32)])
    suspect = agent(name).address
    place = next(place for place, leaf in enumerate(found.leaves) if leaf.agent == suspect)

    challenges.challenge_stranger(parties.owner.signer, found, place, market=parties.owner.market)
    parties.answers.step()
    parties.story.advance(DAY_S + 1)
    settle = (parties.owner.signer, parties.job)
    if flagged:
        challenges.settle_stranger(*settle, number=NUMBER, agent=suspect)
    else:
        with pytest.raises(ContractRefused, match="RoundNoChallenge"):
            challenges.settle_stranger(*settle, number=NUMBER, agent=suspect)

    assert challenges.is_flagged(parties.job, NUMBER) is flagged
