"""A small network with real keys and a real chain, told by a script, for tests of the audit.

Three owners, an institute, a data centre and five laboratories. The first job has two candidates, of which the
constitution refuses one and the members release the other; in the second no jury is drawn for one candidate, the
members refuse another, whose first vote the guardian stops, and an owner takes its consent back from the last.
Payments, refunds, a delegation, agents that end and come back, an organisation that joins and leaves by vote, a bonus
and paid use, three disputes, a change of the constitution by two votes, another that is dropped, and a proposal left
open.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eth_utils.crypto import keccak

from agents.roles.keeper import Keeper
from folkmoot.constitution import DAY_S, OBJECTION_STAKE_E18
from governance.adapters.evm import KeySigner
from governance.domain.market import Mandate
from governance.domain.record import sha256
from governance.domain.signing import Binding
from governance.services.amendments import Amendments
from governance.services.court import Court
from governance.services.disputes import Disputes, Ground
from governance.services.market import Market
from governance.services.pools import Pools
from governance.services.registry import Registry
from governance.services.releases import Consent, Governor, Releases
from tests.audit_cast import (
    CENTRE,
    GUARDIAN,
    INSTITUTE,
    LABORATORIES,
    OFFICE,
    OWNERS,
    ROLES,
    SUPPLY_E18,
    Story,
    agent,
    desk_of_keeper,
    key,
    member,
    operator,
    running_network,
)
from tests.audit_job import (
    AGAINST,
    BOND_E18,
    EPSILON_MICROS,
    FOR,
    USE_PRICE_E18,
    Plan,
    carry_out,
    commit_rows,
    conclude,
    make_agreements,
    measure,
    open_job,
    post_round,
    proposal_of,
    propose_release,
    submit,
    vote_on,
)

__all__ = ["CANDIDATES", "LABORATORIES", "OWNERS", "Story", "agent", "key", "member", "operator", "running_story"]

CANDIDATES = ("plain", "reweighed")
FIRST, SECOND = Plan(1, CANDIDATES), Plan(2, ("undrawn", "unloved", "retracted"))
UNFAIR, FAIR = (860_000, 780_000, 180_000), (850_000, 790_000, 60_000)
"""AUC, balanced accuracy and gap, millionths."""


@contextmanager
def running_story(folder: Path) -> Iterator[Story]:
    """Start a node, tell the story on it, and stop the node at the end."""
    with running_network(folder) as story:
        prepare(story)
        tell_first_job(story)
        _second_job(story)
        _leave_one_open(story)
        yield story


def prepare(story: Story) -> None:
    """Bind, fund, endorse and stake: everything before the first job."""
    registry = Registry(story.chain)
    for name in ROLES:
        _bind(story, name)
    registry.set_endpoint(operator(OWNERS[0]), agent(OWNERS[0]).address, "http://127.0.0.1/Ashford-moved-é")
    registry.heartbeat(agent(OWNERS[1]))
    for contract in ("AgreementBook", "RewardVault"):
        spender = story.deployment.contracts[contract]
        story.chain.send(operator(INSTITUTE), "Credit", "approve", (spender, SUPPLY_E18))
    vault = story.deployment.contracts["RewardVault"]
    story.chain.send(operator(INSTITUTE), "Credit", "approve", (vault, SUPPLY_E18))
    for name in OWNERS:
        story.chain.send(operator(INSTITUTE), "Credit", "transfer", (operator(name).address, BOND_E18))
        story.chain.send(operator(name), "Credit", "approve", (vault, BOND_E18))
    consent = Consent(story.chain)
    for name in ROLES:
        consent.endorse(member(name), consent.deployment_digest())
    commit_rows(story, FIRST)
    _stake(story, LABORATORIES)


def _stake(story: Story, names: tuple[str, ...]) -> None:
    """Fill up the stakes of laboratories from the institute's credits."""
    registry, court = Registry(story.chain), Court(story.chain)
    for name in names:
        missing = court.settings().stake_e18 - court.service(registry.organisation_of(agent(name).address)).stake_e18
        if missing > 0:
            story.chain.send(operator(INSTITUTE), "Credit", "transfer", (operator(name).address, missing))
            vault = story.deployment.contracts["RewardVault"]
            story.chain.send(operator(name), "Credit", "approve", (vault, missing))
            court.stake(operator(name), agent(name).address, missing)


def _bind(story: Story, name: str) -> None:
    registry, signer = Registry(story.chain), agent(name)
    binding = _binding(story, name, signer)
    registry.bind(operator(name), binding, signer.sign_digest(registry.binding_digest(binding)))
    limits = Mandate(
        max_spend_e18=SUPPLY_E18,
        max_agreements=50,
        floors_e18=(0, 1, 1, 1, 1),
        max_epsilon_micros=EPSILON_MICROS,
        lifetime_epsilon_micros=2 * EPSILON_MICROS,
        purposes=1,
        valid_until_s=story.chain.now_s() + 365 * DAY_S,
    )
    registry.set_mandate(operator(name), signer.address, limits)


def _binding(story: Story, name: str, signer: KeySigner) -> Binding:
    return Binding(
        agent=signer.address,
        operator=operator(name).address,
        roles=int(ROLES[name]),
        public_key_x=signer.public_key[:32],
        public_key_y=signer.public_key[32:],
        encryption_key=keccak(text=name),
        endpoint=f"http://127.0.0.1/{name}",
        nonce=Registry(story.chain).binding_nonce(signer.address),
        deadline_s=story.chain.now_s() + DAY_S,
    )


def tell_first_job(story: Story) -> None:
    """Train two candidates: the first is refused, the second released, sold and settled."""
    story.job = open_job(story, FIRST)
    make_agreements(story, FIRST, story.job)
    _admit_newcomer(story)
    post_round(story, FIRST, story.job, 0)
    post_round(story, FIRST, story.job, 1)
    submit(story, FIRST, story.job, 0)
    _ask_to_leave_the_jury(story)
    measure(story, "plain", measured=UNFAIR, reveals=5)
    _stay_on_the_jury(story)
    conclude(story, "plain")
    # Who was slashed is not drawn before its stake is full again.
    _stake(story, LABORATORIES)
    carry_out(story, vote_on(story, "plain", support=FOR), refused=story.releases["plain"])
    post_round(story, FIRST, story.job, 2)
    submit(story, FIRST, story.job, 1)
    measure(story, "reweighed", measured=FAIR, reveals=4)
    conclude(story, "reweighed")
    _stake(story, LABORATORIES)
    _speak_up(story)
    carry_out(story, vote_on(story, "reweighed", support=FOR))
    sell_the_model(story)
    # An incident that turns out to be none: it ends by itself.
    Releases(story.chain).suspend(GUARDIAN, story.releases["reweighed"], reason="an incident")
    activate_newest(story)
    _settle(story)


def _admit_newcomer(story: Story) -> None:
    # A delegation before the snapshot, so that one member votes with the weight of two.
    story.chain.send(member(OWNERS[2]), "MemberToken", "delegate", (member(OWNERS[1]).address,))
    arguments = ("Newcomer", member("Newcomer").address, operator("Newcomer").address)
    story.advance(5)
    _decide_by_all(story, "newcomer", story.chain.encode("AgentRegistry", "admit", *arguments))


def _ask_to_leave_the_jury(story: Story) -> None:
    """One laboratory asks for its stake when a case is open, and is drawn for it all the same."""
    Court(story.chain).ask_unstake(operator(LABORATORIES[0]), agent(LABORATORIES[0]).address)


def _stay_on_the_jury(story: Story) -> None:
    court, name = Court(story.chain), LABORATORIES[0]
    story.chain.send(operator(INSTITUTE), "Credit", "transfer", (operator(name).address, 1))
    story.chain.send(operator(name), "Credit", "approve", (story.deployment.contracts["RewardVault"], 1))
    court.stake(operator(name), agent(name).address, 1)


def _decide_by_all(story: Story, name: str, calldata: bytes) -> None:
    decide_by_vote(story, name, Amendments(story.chain).staging("AgentRegistry", calldata))


def decide_by_vote(
    story: Story, name: str, calldata: bytes, *, period_s: int = 6 * DAY_S, target: str = "Amendments"
) -> None:
    """Propose a call, let enough members vote for it, and carry it out."""
    governor = Governor(story.chain)
    receipt = governor.propose(member(OWNERS[0]), target=target, calldata=calldata, description=name)
    proposal = story.proposals[name] = proposal_of(receipt.events)
    story.advance(DAY_S + 2)
    for voter in (*OWNERS[:2], INSTITUTE, CENTRE, *LABORATORIES[:4]):
        governor.cast_vote(member(voter), proposal, FOR, reason="so be it")
    story.advance(period_s + 2)
    carry_out(story, proposal)


def activate_newest(story: Story) -> None:
    """Carry out the change that was staged last; its wait must be over."""
    amendments = Amendments(story.chain)
    amendments.activate(operator(CENTRE), amendments.ids()[-1])


def _speak_up(story: Story) -> None:
    """One owner objects, which no rule of the set asks about, and an officer signs off."""
    consent, release = Consent(story.chain), story.releases["reweighed"]
    vault = story.deployment.contracts["RewardVault"]
    story.chain.send(operator(INSTITUTE), "Credit", "transfer", (operator(OWNERS[0]).address, OBJECTION_STAKE_E18))
    story.chain.send(operator(OWNERS[0]), "Credit", "approve", (vault, OBJECTION_STAKE_E18))
    agreement = story.agreements[f"{OWNERS[0]} data"]
    consent.object_to(operator(OWNERS[0]), release, agreement=agreement, reason="too many purposes")
    consent.sign_off(member(CENTRE), Releases(story.chain).release(release), offices=1 << OFFICE)


def _settle(story: Story) -> None:
    dispute_work(story)
    market = Market(story.chain)
    both = list(story.releases.values())
    for name in OWNERS:
        market.claim_looks(operator(CENTRE), story.agreements[f"{name} evaluation_rows"], both)
    market.claim_looks(operator(CENTRE), story.agreements[f"{LABORATORIES[0]} evaluation"], both[:1])
    story.advance(7 * DAY_S + 2)
    # The owner that forgot a round loses a tenth of its bond; the buyer fetches its half.
    market.expire(operator(CENTRE), story.agreements[f"{OWNERS[2]} data"])
    story.chain.send(operator(CENTRE), "RewardVault", "withdraw", (operator(INSTITUTE).address,))
    market.close(operator(OWNERS[0]), story.agreements[f"{OWNERS[0]} data"])


def sell_the_model(story: Story) -> None:
    """Open the pool, pay the bonus into it and for use, let one owner claim twice and another once."""
    pools, release = Pools(story.chain), story.releases["reweighed"]
    pools.open(operator(CENTRE), release, story.manifests["reweighed"])
    pools.settle_bonus(operator(CENTRE), story.job)
    registry = Registry(story.chain)
    numbers = [registry.organisation_of(agent(name).address) for name in OWNERS]
    pools.claim(operator(CENTRE), release, numbers[0])
    for months in (2, 1):
        pools.pay_use(operator(INSTITUTE), release, months=months, limit_e18=months * USE_PRICE_E18)
    pools.claim(operator(CENTRE), release, numbers[0])
    pools.claim(operator(CENTRE), release, numbers[1])


def dispute_work(story: Story) -> None:
    """The auditor rejects a complaint of one owner and upholds one of another; nobody answers a third."""
    disputes, deposit = Disputes(story.chain), Disputes(story.chain).deposit_e18()
    vault, challenger = story.deployment.contracts["RewardVault"], operator(CENTRE)
    story.chain.send(operator(INSTITUTE), "Credit", "transfer", (challenger.address, 3 * deposit))
    story.chain.send(challenger, "Credit", "approve", (vault, 3 * deposit))
    complaints = [(OWNERS[0], "the same work again"), (OWNERS[1], "other work"), (OWNERS[2], "nobody looked")]
    raised = []
    for name, what in complaints:
        deal, evidence = story.agreements[f"{name} data"], sha256(what.encode())
        disputes.raise_(challenger, deal, ground=Ground.FAILED_REEXECUTION, evidence=evidence)
        raised.append(disputes.id_of(deal, ground=Ground.FAILED_REEXECUTION, evidence=evidence))
    auditor = agent(LABORATORIES[0])
    disputes.rule(auditor, raised[0], upheld=False)
    disputes.rule(auditor, raised[1], upheld=True)
    keeper = Keeper(desk_of_keeper(story))
    due_at_s = keeper._dispute(raised[2]).due_at_s
    story.advance(due_at_s - story.chain.now_s())
    keeper._dispute(raised[2])


def _second_job(story: Story) -> None:
    registry = Registry(story.chain)
    commit_rows(story, SECOND)
    first_rows = keccak(text=f"{OWNERS[0]} evaluation rows")
    registry.commit_evaluation(agent(OWNERS[0]), keccak(text="some rows again"), 10, shares_with=first_rows)
    job = open_job(story, SECOND)
    make_agreements(story, SECOND, job)
    for number in (0, 1):
        post_round(story, SECOND, job, number)
    submit(story, SECOND, job, 0)
    # The chain forgets the two blocks that decide the draw.
    story.call("anvil_mine", hex(300))
    Court(story.chain).draw(operator(CENTRE), story.releases["undrawn"])
    Court(story.chain).settle(operator(CENTRE), story.releases["undrawn"])
    Releases(story.chain).refuse(operator(CENTRE), story.releases["undrawn"])
    post_round(story, SECOND, job, 2)
    submit(story, SECOND, job, 1)
    measure(story, "unloved", measured=FAIR, reveals=5)
    court = Court(story.chain)
    story.chain.send(operator(INSTITUTE), "Credit", "approve", (story.deployment.contracts["RewardVault"], SUPPLY_E18))
    court.appeal(operator(INSTITUTE), story.releases["unloved"])
    # Without a key it is drawn all the same, for it did not ask to leave.
    registry.unbind(operator(LABORATORIES[4]), agent(LABORATORIES[4]).address)
    measure(story, "unloved", measured=UNFAIR, reveals=4, away=LABORATORIES[4])
    _bind(story, LABORATORIES[4])
    conclude(story, "unloved")
    _stop_the_vote(story, "unloved")
    vote_on(story, "unloved", support=AGAINST, proposer=member(OWNERS[0]))
    Releases(story.chain).refuse(operator(CENTRE), story.releases["unloved"])
    _retract(story, job)
    _leave(story)


def _stop_the_vote(story: Story, candidate: str) -> None:
    """The guardian stops a vote on a release, which a member then asks for again."""
    proposal = propose_release(story, candidate)
    story.advance(DAY_S + 2)
    Governor(story.chain).stop(GUARDIAN, proposal, reason="nobody looked at it")


def _retract(story: Story, job: bytes) -> None:
    """An owner whose terms give a veto takes its consent back from the last candidate."""
    _stake(story, LABORATORIES)
    post_round(story, SECOND, job, 3)
    submit(story, SECOND, job, 2)
    # No jury has to measure what can never be released.
    Market(story.chain).withdraw(agent(OWNERS[1]), story.agreements[SECOND.label(OWNERS[1], "data")])
    Releases(story.chain).refuse(operator(CENTRE), story.releases["retracted"])


def _leave(story: Story) -> None:
    """An owner whose terms give no veto takes its consent back, and an organisation is removed."""
    market = Market(story.chain)
    market.withdraw(operator(OWNERS[2]), story.agreements[f"{OWNERS[2]} data"])
    _decide_by_all(story, "expulsion", story.chain.encode("AgentRegistry", "remove", 11))
    story.advance(14 * DAY_S)
    activate_newest(story)
    _change_keys(story)
    _decide_constitutionally(story)


def _change_keys(story: Story) -> None:
    """An agent, an operator and a member get other keys, and an organisation is suspended and reinstated."""
    registry, old, new = Registry(story.chain), agent(OWNERS[1]).address, key(f"{OWNERS[1]} next agent")
    registry.ask_rotation(operator(OWNERS[1]), old, new.address)
    registry.cancel_rotation(member(OWNERS[1]), old)
    registry.ask_rotation(operator(OWNERS[1]), old, new.address)
    registry.ask_operator(operator(OWNERS[2]), 3, key("a mistake").address)
    registry.keep_operator(operator(OWNERS[2]), 3)
    next_operator = key(f"{OWNERS[2]} next operator")
    registry.ask_operator(member(OWNERS[2]), 3, next_operator.address)
    story.advance(16 * DAY_S)
    registry.change_operator(next_operator, 3)
    binding = _binding(story, OWNERS[1], new)
    registry.rotate(operator(OWNERS[1]), old, binding, new.sign_digest(registry.binding_digest(binding)))
    call = story.chain.encode("AgentRegistry", "setMember", 10, key(f"{LABORATORIES[4]} next member").address)
    _decide_by_all(story, "another member", call)
    story.advance(14 * DAY_S)
    activate_newest(story)
    until_s = story.chain.now_s() + 60 * DAY_S
    call = story.chain.encode("AgentRegistry", "suspend", 9, until_s, b"an incident".ljust(32, b"\0"))
    decide_by_vote(story, "suspension", call, target="AgentRegistry")
    decide_by_vote(story, "reinstatement", story.chain.encode("AgentRegistry", "reinstate", 9), target="AgentRegistry")
    call = story.chain.encode("AgentRegistry", "suspend", 10, until_s, b"another".ljust(32, b"\0"))
    decide_by_vote(story, "second suspension", call, target="AgentRegistry")


def _decide_constitutionally(story: Story) -> None:
    """Two votes for another voting period, the second called after the wait; and a change that is dropped."""
    amendments, call = Amendments(story.chain), story.chain.encode("ModelGovernor", "setVotingPeriod", 6 * DAY_S)
    decide_by_vote(story, "staging", amendments.staging("ModelGovernor", call))
    change = amendments.ids()[-1]
    story.advance(30 * DAY_S)
    objecting = Registry(story.chain).organisation_of(agent(OWNERS[0]).address)
    Consent(story.chain).return_stake(operator(CENTRE), story.releases["reweighed"], objecting)
    amendments.open_ratification(operator(CENTRE), change)
    nonce = amendments.amendment(change).nonce
    decide_by_vote(story, "ratification", story.chain.encode("Amendments", "ratify", change, nonce))
    amendments.activate(operator(CENTRE), change)
    # The next vote is a day longer.
    decide_by_vote(story, "another staging", amendments.staging("ModelGovernor", call), period_s=7 * DAY_S)
    decide_by_vote(
        story, "dropping", story.chain.encode("Amendments", "withdraw", amendments.ids()[-1]), period_s=7 * DAY_S
    )


def _leave_one_open(story: Story) -> None:
    calldata = story.chain.encode("EvaluatorCourt", "joinPanel", 4)
    governor = Governor(story.chain)
    receipt = governor.propose(
        member(OWNERS[1]), target="EvaluatorCourt", calldata=calldata, description="Join the panel"
    )
    story.proposals["open"] = proposal_of(receipt.events)
    story.advance(DAY_S + 2)
    governor.cast_vote(member(OWNERS[1]), story.proposals["open"], FOR)
