"""Votes and voting power as the events tell them."""

from bisect import bisect_right
from dataclasses import dataclass, field

from governance.domain.market import Address
from governance.domain.release import ProposalState
from governance.ports import Event
from governance.services import reading
from governance.services.audit.context import Context

AGAINST, FOR, ABSTAIN = 0, 1, 2
"""OpenZeppelin GovernorCountingSimple."""
NOBODY = "0x" + "0" * 40


@dataclass(slots=True)
class Checkpoints:
    """A number that changes over chain time; of several changes in one second the last counts (OpenZeppelin Votes)."""

    _times_s: list[int] = field(default_factory=list)
    _values: list[int] = field(default_factory=list)

    def set(self, time_s: int, value: int) -> None:
        """Note a change; times must not run back."""
        self._times_s.append(time_s)
        self._values.append(value)

    def at(self, time_s: int) -> int:
        """Return the number as it stood at the end of a second."""
        place = bisect_right(self._times_s, time_s)
        return self._values[place - 1] if place else 0

    @property
    def last(self) -> int:
        """The number as it stands now."""
        return self._values[-1] if self._values else 0


@dataclass(slots=True)
class Power:
    """Who could vote with how much, and when."""

    votes: dict[Address, Checkpoints] = field(default_factory=dict)
    supply: Checkpoints = field(default_factory=Checkpoints)
    quorum_percent: Checkpoints = field(default_factory=Checkpoints)
    """Of the supply, for routine proposals."""
    balances: dict[Address, int] = field(default_factory=dict)
    delegates: dict[Address, Address] = field(default_factory=dict)

    def votes_at(self, voter: Address, time_s: int) -> int:
        """Return the votes of an account at a second."""
        return self.votes[voter].at(time_s) if voter in self.votes else 0


@dataclass(slots=True, kw_only=True)
class Proposal:
    """A proposal and all that happened to it."""

    id: int
    proposer: Address
    targets: tuple[Address, ...]
    values: tuple[int, ...]
    calldatas: tuple[bytes, ...]
    description: str
    start_s: int
    end_s: int
    """With the extension for a late quorum, if there was one."""
    created: Event
    classified: Event | None = None
    votes: list[Event] = field(default_factory=list)
    queued: Event | None = None
    executed: Event | None = None
    canceled: Event | None = None

    @property
    def routine(self) -> bool:
        """What the governor said about its class."""
        return self.classified is not None and bool(self.classified.values["routine"])

    @property
    def approval_deadline_s(self) -> int:
        """Until when the approval that a routine proposal carries may be carried out: its fifth argument."""
        return int.from_bytes(self.calldatas[0][4 + 4 * 32 : 4 + 5 * 32])

    def tally(self) -> tuple[int, int, int]:
        """Return the votes against, for and abstaining, from the single votes."""
        sums = [0, 0, 0]
        for vote in self.votes:
            support = reading.number(vote.values["support"])
            if support < len(sums):
                sums[support] += reading.number(vote.values["weight"])
        return (sums[AGAINST], sums[FOR], sums[ABSTAIN])

    def has_passed(self, power: Power) -> bool:
        """Say whether quorum and majority of its class are reached, whatever the time."""
        against, favour, abstain = self.tally()
        supply = power.supply.at(self.start_s)
        if not self.routine:
            return favour > 0 and 3 * favour >= 2 * supply
        quorum = -(-supply * power.quorum_percent.at(self.start_s) // 100)
        return favour + abstain >= quorum and favour > against

    def state_at(self, time_s: int, power: Power) -> ProposalState:
        """Return where it stands at a time after everything that is known of it (OpenZeppelin Governor.state)."""
        if self.executed is not None:
            return ProposalState.EXECUTED
        if self.canceled is not None:
            return ProposalState.CANCELED
        if time_s <= self.start_s:
            return ProposalState.PENDING
        if time_s <= self.end_s:
            return ProposalState.ACTIVE
        if not self.has_passed(power):
            return ProposalState.DEFEATED
        return ProposalState.QUEUED if self.queued else ProposalState.SUCCEEDED


def read_power(context: Context) -> Power:
    """Return all balances, delegations and voting power from the token's events."""
    power = Power()
    for event in context.events("MemberToken"):
        time_s = context.time_s(event)
        if event.name == "Transfer":
            _move(power, event, time_s)
        elif event.name == "DelegateChanged":
            power.delegates[reading.address(event.values["delegator"])] = reading.address(event.values["toDelegate"])
        elif event.name == "DelegateVotesChanged":
            delegate = reading.address(event.values["delegate"])
            power.votes.setdefault(delegate, Checkpoints()).set(time_s, reading.number(event.values["newVotes"]))
    for event in context.events("ModelGovernor", "QuorumNumeratorUpdated"):
        power.quorum_percent.set(context.time_s(event), reading.number(event.values["newQuorumNumerator"]))
    return power


def read_proposals(context: Context) -> dict[int, Proposal]:
    """Return all proposals by id, in the order in which they were made."""
    proposals: dict[int, Proposal] = {}
    for event in context.events("ModelGovernor"):
        if event.name == "ProposalCreated":
            made = _created(event)
            proposals[made.id] = made
        elif (found := proposals.get(_id_of(event))) is not None:
            _note(found, event)
    return proposals


def _move(power: Power, event: Event, time_s: int) -> None:
    sender, receiver = reading.address(event.values["from"]), reading.address(event.values["to"])
    amount = reading.number(event.values["value"])
    if sender == NOBODY:
        power.supply.set(time_s, power.supply.last + amount)
    else:
        power.balances[sender] = power.balances.get(sender, 0) - amount
    if receiver == NOBODY:
        power.supply.set(time_s, power.supply.last - amount)
    else:
        power.balances[receiver] = power.balances.get(receiver, 0) + amount


def _id_of(event: Event) -> int:
    value = event.values.get("proposalId")
    return value if isinstance(value, int) else -1


def _created(event: Event) -> Proposal:
    values = event.values
    return Proposal(
        id=reading.number(values["proposalId"]),
        proposer=reading.address(values["proposer"]),
        targets=tuple(reading.address(target) for target in reading.items(values["targets"])),
        values=tuple(reading.number(value) for value in reading.items(values["values"])),
        calldatas=tuple(reading.raw(data) for data in reading.items(values["calldatas"])),
        description=reading.text(values["description"]),
        start_s=reading.number(values["voteStart"]),
        end_s=reading.number(values["voteEnd"]),
        created=event,
    )


def _note(proposal: Proposal, event: Event) -> None:
    match event.name:
        case "ProposalClass":
            proposal.classified = event
        case "VoteCast" | "VoteCastWithParams":
            proposal.votes.append(event)
        case "ProposalExtended":
            proposal.end_s = reading.number(event.values["extendedDeadline"])
        case "ProposalQueued":
            proposal.queued = event
        case "ProposalExecuted":
            proposal.executed = event
        case "ProposalCanceled":
            proposal.canceled = event
        case _:
            pass
