"""The vote straight from the contract: tally, state, a wallet's power, and why it may not vote."""

from dataclasses import dataclass
from typing import Final

from dashboard.actions import call_data
from dashboard.people import Organisation, People, Register
from dashboard.proposals import Choice, Proposal
from dashboard.quorum import Count, Tally
from dashboard.text import quote, short
from dashboard.times import span, utc
from governance.domain.amendment import Amendment
from governance.domain.market import Address
from governance.domain.release import ProposalState
from governance.domain.signing import short_text
from governance.ports import Chain
from governance.services import reading
from governance.services.releases import Governor


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """Where a proposal stands now."""

    from_contract: bool
    """False when the contract could not be asked and the index answers."""
    block: int
    now_s: int
    """Chain time of the latest block."""
    state: ProposalState
    tally: Tally
    deadline_s: int
    eta_s: int


STOPPABLE: Final = frozenset(
    {ProposalState.PENDING, ProposalState.ACTIVE, ProposalState.SUCCEEDED, ProposalState.QUEUED}
)


def may_be_stopped(chain: Chain, proposal: Proposal, state: ProposalState, *, held: bool) -> bool:
    """Say whether the guardian may stop a proposal, as ``ReleaseRegistry.stop`` would decide.

    Raises
    ------
    ChainUnreachable, ContractRefused
    """
    if held or state not in STOPPABLE:
        return False
    targets, calls = [a.target for a in proposal.actions], [a.calldata for a in proposal.actions]
    return not reading.flag(chain.read("Amendments", "replacesGuardian", targets, calls))


def stop_call(proposal: int, reason: str) -> str:
    """Return the calldata by which the guardian stops a proposal, as 0x hex.

    Raises
    ------
    ValueError
        If the reason is empty, longer than 31 characters or not ASCII.
    """
    return call_data("stop(uint256,bytes32)", proposal, short_text(reason))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One wallet before one proposal."""

    account: Address
    power: int
    """Votes at the proposal's snapshot, or now while it lies ahead."""
    has_voted: bool
    choice: Choice | None
    """What it voted, once the index has read the vote."""
    may_vote: bool
    sentence: str
    """Says what it may do, or why it may not."""


def read_live(chain: Chain, proposal: int) -> Live:
    """Ask the contract where a proposal stands.

    Raises
    ------
    ChainUnreachable, ContractRefused
    """
    governor = Governor(chain)
    votes = governor.votes(proposal)
    return Live(
        from_contract=True,
        block=chain.block_number(),
        now_s=chain.now_s(),
        state=governor.state(proposal),
        tally=Tally(in_favour=votes.in_favour, against=votes.against, abstain=votes.abstain),
        deadline_s=governor.deadline_s(proposal),
        eta_s=governor.eta_s(proposal),
    )


def estimate(proposal: Proposal, count: Count, *, block: int, now_s: int) -> Live:
    """Return where a proposal stands as the index tells, by the contract's rules."""
    return Live(
        from_contract=False,
        block=block,
        now_s=now_s,
        state=proposal.state(now_s, passes=count.passes),
        tally=proposal.tally,
        deadline_s=proposal.deadline_s,
        eta_s=proposal.eta_s or 0,
    )


def read_standing(
    chain: Chain, proposal: Proposal, *, live: Live, account: Address, people: People, register: Register
) -> Standing:
    """Ask the contract what a wallet may do with a proposal.

    Raises
    ------
    ChainUnreachable, ContractRefused
    """
    # The contract knows no weight of the future: before the snapshot, what the wallet has now is shown.
    moment_s = min(proposal.snapshot_s, live.now_s - 1)
    power = reading.number(chain.read("ModelGovernor", "getVotes", account, moment_s))
    voted = Governor(chain).has_voted(proposal.id, account)
    vote = next((vote for vote in proposal.votes if vote.voter == account), None)
    may_vote = live.state is ProposalState.ACTIVE and power > 0 and not voted
    return Standing(
        account=account,
        power=power,
        has_voted=voted,
        choice=None if vote is None else vote.choice,
        may_vote=may_vote,
        sentence=(
            f"This wallet has {_votes(power)} here."
            if may_vote
            else _why_not(proposal, live, voted=voted, power=power)
            or _why_no_power(account, people, register, proposal=proposal)
        ),
    )


def vote_call(proposal: int, choice: Choice) -> str:
    """Return the calldata of a vote, as 0x hex."""
    return call_data("castVote(uint256,uint8)", proposal, choice.value)


def next_step(proposal: Proposal, live: Live) -> tuple[str, str, str] | None:
    """Return label, calldata and explanation of the step that is due, or None.

    Anyone may take it; a keeper normally does.
    """
    if live.state is ProposalState.SUCCEEDED:
        label, why = "Queue", "The vote passed. Queueing starts the timelock; anyone may do it."
        return label, call_data("queue(uint256)", proposal.id), why
    if live.state is ProposalState.QUEUED and live.now_s >= live.eta_s:
        why = "The timelock is over. Carrying it out asks the constitution again; anyone may do it."
        return "Execute", call_data("execute(uint256)", proposal.id), why
    return None


def due_change(change: Amendment, now_s: int) -> tuple[str, str, str] | None:
    """Return label, calldata and explanation of what is due for a change that was staged, or None.

    Anyone may do it; a keeper normally does.
    """
    if not change.from_s <= now_s <= change.until_s:
        return None
    if change.waits_for_activation:
        why = "The wait is over. Activating makes exactly the call that was voted on; anyone may do it."
        return "Activate", call_data("activate(bytes32)", change.id), why
    if change.waits_for_its_vote:
        why = "The wait is over. Opening makes the number that the second vote has to name; anyone may do it."
        return "Open the second vote", call_data("openRatification(bytes32)", change.id), why
    return None


def countdown(proposal: Proposal, live: Live) -> str:
    """Say what happens next and when, in chain time."""
    match live.state:
        case ProposalState.PENDING:
            return f"Voting opens in {span(proposal.snapshot_s - live.now_s)} ({utc(proposal.snapshot_s)})."
        case ProposalState.ACTIVE:
            late = " It was prolonged because the quorum came late." if proposal.extended else ""
            return f"Voting ends in {span(live.deadline_s - live.now_s)} ({utc(live.deadline_s)}).{late}"
        case ProposalState.QUEUED if live.now_s < live.eta_s:
            return f"It can be carried out in {span(live.eta_s - live.now_s)} ({utc(live.eta_s)})."
        case ProposalState.DEFEATED:
            return f"Voting ended {utc(live.deadline_s)} without enough votes."
        case ProposalState.EXECUTED if any(action.signature.startswith("stage(") for action in proposal.actions):
            return (
                "It was carried out. What it staged takes effect only after its wait, and after a second vote "
                "where it needs one; then a keeper activates it, or anyone with a wallet on this page."
            )
    return _OUTCOMES[live.state]


_OUTCOMES: Final = {
    ProposalState.SUCCEEDED: "The vote passed; it waits to be queued.",
    ProposalState.QUEUED: "The timelock is over; it waits to be carried out.",
    ProposalState.CANCELED: "It was cancelled.",
    ProposalState.EXPIRED: "It was not carried out in time.",
    ProposalState.EXECUTED: "It was carried out.",
}


def _why_not(proposal: Proposal, live: Live, *, voted: bool, power: int) -> str:
    if voted:
        return f"This wallet has voted; the contract counted {_votes(power)}."
    if live.state is ProposalState.PENDING:
        opens = span(proposal.snapshot_s - live.now_s)
        return f"Voting has not opened yet; it opens in {opens}. This wallet would have {_votes(power)}."
    if live.state is not ProposalState.ACTIVE:
        return f"Voting is over (ended {utc(live.deadline_s)})."
    return ""


def _why_no_power(account: Address, people: People, register: Register, *, proposal: Proposal) -> str:
    organisation = people.organisation_of(account)
    if organisation is None:
        return "This wallet has no vote: it belongs to no organisation of this network."
    who = quote(organisation.name)
    if account in people.agents:
        return f"This is the key of an agent of {who}. Agents never vote."
    if account != organisation.member:
        return f"This is the operator key of {who}. Votes are cast with its member key {short(organisation.member)}."
    return _why_member_has_none(organisation, who, register, proposal)


def _why_member_has_none(organisation: Organisation, who: str, register: Register, proposal: Proposal) -> str:
    if not organisation.active:
        return f"{who} was removed from the network."
    if organisation.admitted_at_s > proposal.snapshot_s:
        return f"{who} was admitted after this vote's snapshot ({utc(proposal.snapshot_s)}); it votes on later ones."
    delegate = register.delegates.get(organisation.member)
    if delegate and delegate != organisation.member:
        return f"{who} has delegated its vote to {short(delegate)}, who casts it."
    return f"{who} had no vote at this vote's snapshot ({utc(proposal.snapshot_s)})."


def _votes(count: int) -> str:
    return "1 vote" if count == 1 else f"{count} votes"
