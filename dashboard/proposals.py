"""Proposals and their votes, as the governor's events tell."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from typing import Final

from dashboard.actions import NOTHING_STAGED, Action, Staged, read_action
from dashboard.entries import Entry, address, name, number, word
from dashboard.people import Register
from dashboard.quorum import Count, ProposalClass, Tally
from governance.domain.market import Address
from governance.domain.policy import PolicySet
from governance.domain.release import ProposalState

EVENTS: Final = (
    "ProposalCreated",
    "ProposalClass",
    "ProposalExtended",
    "ProposalQueued",
    "ProposalExecuted",
    "ProposalCanceled",
    "VoteCast",
    "VoteCastWithParams",
)
DEFAULT_QUORUM_PERCENT: Final = 50


class Choice(Enum):
    """What a voter chose; the numbers are OpenZeppelin's (GovernorCountingSimple)."""

    AGAINST = 0
    FOR = 1
    ABSTAIN = 2

    @property
    def word(self) -> str:
        """Return the choice as people read it."""
        return self.name.capitalize()


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One vote."""

    voter: Address
    choice: Choice
    weight: int
    reason: str
    """As on chain: hostile until cleaned."""
    time_s: int
    transaction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that happened to a proposal, or will not before a moment."""

    word: str
    time_s: int
    transaction: str = ""


@dataclass(frozen=True, slots=True)
class Stop:
    """That the guardian cancelled a proposal."""

    guardian: Address
    reason: str
    """As on chain: hostile until cleaned; empty when none was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A proposal as events tell it."""

    id: int
    proposer: Address
    description: str
    """As on chain: hostile until cleaned, and never what decides what a proposal does."""
    actions: tuple[Action, ...]
    created: Step
    snapshot_s: int
    """Votes are weighed at this moment, and voting opens after it."""
    deadline_s: int
    """Last moment to vote."""
    extended: bool = False
    kind: ProposalClass = ProposalClass.CONSTITUTIONAL
    votes: tuple[Vote, ...] = ()
    eta_s: int | None = None
    """From then on it may be executed."""
    steps: tuple[Step, ...] = field(default=())
    stop: Stop | None = None
    """The guardian's, if it cancelled it."""
    changes: tuple[bytes, ...] = ()
    """Changes that its execution staged or confirmed, and that wait for somebody to activate them."""

    @property
    def tally(self) -> Tally:
        """Votes counted so far."""
        sums = {choice: sum(v.weight for v in self.votes if v.choice is choice) for choice in Choice}
        return Tally(in_favour=sums[Choice.FOR], against=sums[Choice.AGAINST], abstain=sums[Choice.ABSTAIN])

    @property
    def releases(self) -> tuple[bytes, ...]:
        """Ids of the releases it would approve."""
        return tuple(a.approval.release for a in self.actions if a.approval is not None)

    @property
    def sentence(self) -> str:
        """Say what it does, one sentence per call."""
        return " ".join(action.sentence for action in self.actions)

    @property
    def known(self) -> bool:
        """Say whether every call of it is understood."""
        return all(action.known for action in self.actions)

    def happened(self, word: str) -> Step | None:
        """Return the step of this word, if it happened."""
        return next((step for step in self.steps if step.word == word), None)

    def count(self, register: Register, quorum_percent: int = DEFAULT_QUORUM_PERCENT) -> Count:
        """Return where the vote stands."""
        return Count(kind=self.kind, tally=self.tally, supply=register.supply, routine_quorum_percent=quorum_percent)

    def state(self, now_s: int, *, passes: bool) -> ProposalState:
        """Return where it stands at a moment of chain time, as ``ModelGovernor.state`` would say."""
        if self.happened("Cancelled"):
            return ProposalState.CANCELED
        if self.happened("Executed"):
            return ProposalState.EXECUTED
        if now_s <= self.snapshot_s:
            return ProposalState.PENDING
        if now_s <= self.deadline_s:
            return ProposalState.ACTIVE
        if not passes:
            return ProposalState.DEFEATED
        return ProposalState.QUEUED if self.happened("Queued") else ProposalState.SUCCEEDED


def read_staged(entries: Iterable[Entry]) -> dict[bytes, Staged]:
    """Return all changes that were ever staged, by id."""
    return {
        entry.word("id"): Staged(entry.address("target"), entry.word("call"), entry.transaction) for entry in entries
    }


def read_proposals(
    entries: Iterable[Entry],
    contracts: Mapping[str, Address],
    staged: Mapping[bytes, Staged] = NOTHING_STAGED,
    *,
    words: PolicySet | None = None,
) -> list[Proposal]:
    """Return all proposals, oldest first, from the governor's events in order.

    Parameters
    ----------
    contracts
        Ours, by name.
    staged
        Changes that were staged, by id.
    words
        A set of rules that was in force here, with the names of purposes and licences.
    """
    read = partial(read_action, contracts=contracts, staged=staged, words=words)
    found: dict[int, Proposal] = {}
    # The class is told by its own event, in OpenZeppelin's order after ProposalCreated.
    for entry in entries:
        key = entry.number("proposalId")
        if entry.name == "ProposalCreated":
            found[key] = _created(entry, read)
        elif key in found:
            found[key] = _advanced(found[key], entry, staged)
    return list(found.values())


def with_stops(proposals: Iterable[Proposal], stops: Iterable[Entry]) -> list[Proposal]:
    """Return the proposals with the guardian's stop of each, from the registry's events."""
    by = {entry.number("proposalId"): Stop(entry.address("guardian"), name(entry.word("reason"))) for entry in stops}
    return [replace(proposal, stop=by.get(proposal.id)) for proposal in proposals]


def _created(entry: Entry, read: Callable[[Address, int, bytes], Action]) -> Proposal:
    calls = zip(entry.items("targets"), entry.items("values"), entry.items("calldatas"), strict=True)
    created = Step(word="Proposed", time_s=entry.time_s, transaction=entry.transaction)
    return Proposal(
        id=entry.number("proposalId"),
        proposer=entry.address("proposer"),
        description=entry.text("description"),
        actions=tuple(read(address(target), number(value), word(calldata)) for target, value, calldata in calls),
        created=created,
        snapshot_s=entry.number("voteStart"),
        deadline_s=entry.number("voteEnd"),
        steps=(created,),
    )


def _advanced(proposal: Proposal, entry: Entry, staged: Mapping[bytes, Staged]) -> Proposal:
    match entry.name:
        case "ProposalClass":
            routine = entry.flag("routine")
            return replace(proposal, kind=ProposalClass.ROUTINE if routine else ProposalClass.CONSTITUTIONAL)
        case "ProposalExtended":
            return replace(proposal, deadline_s=entry.number("extendedDeadline"), extended=True)
        case "ProposalQueued":
            return _stepped(replace(proposal, eta_s=entry.number("etaSeconds")), "Queued", entry)
        case "ProposalExecuted":
            changes = [key for key, change in staged.items() if change.transaction == entry.transaction]
            # A second vote names the change that it confirms.
            changes += [each.calldata[4:36] for each in proposal.actions if each.signature.startswith("ratify(")]
            return _stepped(replace(proposal, changes=tuple(changes)), "Executed", entry)
        case "ProposalCanceled":
            return _stepped(proposal, "Cancelled", entry)
        case _:
            return replace(proposal, votes=(*proposal.votes, _vote(entry)))


def _stepped(proposal: Proposal, word_: str, entry: Entry) -> Proposal:
    step = Step(word=word_, time_s=entry.time_s, transaction=entry.transaction)
    return replace(proposal, steps=(*proposal.steps, step))


def _vote(entry: Entry) -> Vote:
    return Vote(
        voter=entry.address("voter"),
        choice=Choice(entry.number("support")),
        weight=entry.number("weight"),
        reason=entry.text("reason"),
        time_s=entry.time_s,
        transaction=entry.transaction,
    )
