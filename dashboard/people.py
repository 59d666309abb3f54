"""Who takes part: organisations, their agents, and how many votes each wallet had at a moment."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from dashboard.entries import ZERO_ADDRESS, Entry, address, items, number
from dashboard.times import utc
from governance.domain.market import Address, Mandate
from governance.services.registry import Role

EVENTS: Final = (
    "OrganisationAdmitted",
    "OrganisationRemoved",
    "OrganisationSuspended",
    "OrganisationReinstated",
    "MemberChanged",
    "OperatorAsked",
    "OperatorKept",
    "OperatorChanged",
    "AgentBound",
    "AgentUnbound",
    "EndpointChanged",
    "MandateChanged",
    "DataCommitted",
    "RotationAsked",
    "RotationCancelled",
    "AgentRotated",
)
OF_ORGANISATION: Final = frozenset(
    {
        "OrganisationSuspended",
        "OrganisationReinstated",
        "MemberChanged",
        "OperatorAsked",
        "OperatorKept",
        "OperatorChanged",
    }
)
VOTE_EVENTS: Final = ("Transfer", "DelegateChanged", "DelegateVotesChanged")
"""Of MemberToken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """An organisation that the members admitted."""

    number: int
    name: str
    """As on chain: hostile until cleaned."""
    member: Address
    operator: Address
    admitted_at_s: int
    removed_at_s: int | None = None
    suspended_until_s: int = 0
    """Its agents are stopped until then, by vote."""
    next_operator: Address | None = None
    """Announced, and not in office yet."""
    next_operator_from_s: int = 0

    @property
    def active(self) -> bool:
        """Say whether it still belongs to the network."""
        return self.removed_at_s is None

    def state(self, now_s: int) -> str:
        """Say how it stands, in words."""
        if not self.active:
            return "removed"
        waits = ", another operator announced" if self.next_operator else ""
        if now_s < self.suspended_until_s:
            return f"suspended until {utc(self.suspended_until_s)}{waits}"
        return f"active{waits}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRoot:
    """Rows an agent committed to."""

    root: str
    rows: int
    evaluation: bool
    committed_at_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """An agent as its organisation bound it."""

    address: Address
    organisation: int
    roles: Role
    bound_at_s: int
    active: bool = True
    endpoint: str = ""
    """As on chain: hostile until cleaned."""
    last_seen_s: int | None = None
    mandate: Mandate | None = None
    data: tuple[DataRoot, ...] = ()
    next_key: Address | None = None
    """Announced for its place."""
    replaced_by: Address | None = None

    def state(self, organisation: Organisation | None, now_s: int) -> str:
        """Say how it stands, in words."""
        if self.replaced_by is not None:
            return "replaced by another key"
        if not self.active:
            return "ended"
        if organisation is not None and now_s < organisation.suspended_until_s:
            return "suspended"
        return "active, another key announced" if self.next_key else "active"

    @property
    def role_words(self) -> str:
        """Name the roles."""
        names = [str(role.name).lower() for role in Role if role in self.roles]
        return ", ".join(names) or "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Everybody, as the registry's events tell."""

    organisations: Mapping[int, Organisation]
    agents: Mapping[Address, Agent]

    def organisation_of(self, key: Address) -> Organisation | None:
        """Return the organisation that an agent, member or operator key belongs to."""
        if key in self.agents:
            return self.organisations.get(self.agents[key].organisation)
        owners = (o for o in self.organisations.values() if key in {o.member, o.operator})
        return next(owners, None)


def read_people(entries: Iterable[Entry], heartbeats: Mapping[Address, int]) -> People:
    """Return everybody, from the registry's events in order and each agent's last heartbeat."""
    organisations: dict[int, Organisation] = {}
    agents: dict[Address, Agent] = {}
    for entry in entries:
        match entry.name:
            case "OrganisationAdmitted":
                admitted = _organisation(entry)
                organisations[admitted.number] = admitted
            case "OrganisationRemoved":
                key = entry.number("organisation")
                organisations[key] = replace(organisations[key], removed_at_s=entry.time_s)
                agents |= {a.address: replace(a, active=False) for a in agents.values() if a.organisation == key}
            case _ if entry.name in OF_ORGANISATION:
                key = entry.number("organisation")
                organisations[key] = _of_organisation(organisations[key], entry)
            case "AgentBound":
                agents[entry.address("agent")] = _bound(entry, agents.get(entry.address("agent")))
            case _ if entry.address("agent") in agents:
                agents[entry.address("agent")] = _changed(agents[entry.address("agent")], entry)
    seen = {key: replace(agent, last_seen_s=heartbeats.get(key)) for key, agent in agents.items()}
    return People(organisations=organisations, agents=seen)


def _organisation(entry: Entry) -> Organisation:
    return Organisation(
        number=entry.number("organisation"),
        name=entry.text("name"),
        member=entry.address("member"),
        operator=entry.address("operator"),
        admitted_at_s=entry.time_s,
    )


def _of_organisation(known: Organisation, entry: Entry) -> Organisation:
    match entry.name:
        case "OrganisationSuspended":
            return replace(known, suspended_until_s=entry.number("untilS"))
        case "OrganisationReinstated":
            return replace(known, suspended_until_s=entry.time_s)
        case "MemberChanged":
            return replace(known, member=entry.address("member"))
        case "OperatorAsked":
            return replace(known, next_operator=entry.address("next"), next_operator_from_s=entry.number("fromS"))
        case "OperatorChanged":
            return replace(known, operator=entry.address("operator"), next_operator=None)
        case _:
            return replace(known, next_operator=None)


def _bound(entry: Entry, before: Agent | None) -> Agent:
    agent = Agent(
        address=entry.address("agent"),
        organisation=entry.number("organisation"),
        roles=Role(entry.number("roles")),
        bound_at_s=entry.time_s,
    )
    if before is None:
        return agent
    return replace(agent, endpoint=before.endpoint, mandate=before.mandate, data=before.data)


def _changed(agent: Agent, entry: Entry) -> Agent:
    match entry.name:
        case "AgentUnbound":
            return replace(agent, active=False)
        case "RotationAsked" | "RotationCancelled" | "AgentRotated":
            return _rotated(agent, entry)
        case "EndpointChanged":
            return replace(agent, endpoint=entry.text("endpoint"))
        case "MandateChanged":
            return replace(agent, mandate=_mandate(entry.items("mandate")))
        case "DataCommitted":
            root = DataRoot(
                root=entry.text("root"),
                rows=entry.number("rows"),
                evaluation=entry.flag("evaluation"),
                committed_at_s=entry.time_s,
            )
            return replace(agent, data=(*agent.data, root))
        case _:
            return agent


def _rotated(agent: Agent, entry: Entry) -> Agent:
    following = None if entry.name == "RotationCancelled" else entry.address("next")
    if entry.name == "AgentRotated":
        return replace(agent, next_key=None, replaced_by=following)
    return replace(agent, next_key=following)


def _mandate(fields: Sequence[object]) -> Mandate:
    spend, count, floors, epsilon, lifetime, purposes, until = fields
    none, data, rows, compute, evaluation = (number(floor) for floor in items(floors))
    return Mandate(
        max_spend_e18=number(spend),
        max_agreements=number(count),
        floors_e18=(none, data, rows, compute, evaluation),
        max_epsilon_micros=number(epsilon),
        lifetime_epsilon_micros=number(lifetime),
        purposes=number(purposes),
        valid_until_s=number(until),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """Who could vote, and with how much, at one moment."""

    supply: int
    power: Mapping[Address, int]
    """Votes by the wallet that may cast them."""
    delegates: Mapping[Address, Address]
    """Which wallet casts a member's vote."""


def read_register(entries: Iterable[Entry], at_s: int) -> Register:
    """Return who could vote at a moment of chain time, from the events of MemberToken in order."""
    supply = 0
    power: dict[Address, int] = {}
    delegates: dict[Address, Address] = {}
    for entry in entries:
        if entry.time_s > at_s:
            break
        match entry.name:
            case "Transfer":
                supply += entry.number("value") * _direction(entry)
            case "DelegateChanged":
                delegates[entry.address("delegator")] = entry.address("toDelegate")
            case "DelegateVotesChanged":
                power[entry.address("delegate")] = entry.number("newVotes")
    return Register(supply=supply, power={k: v for k, v in power.items() if v}, delegates=delegates)


def _direction(entry: Entry) -> int:
    sender, receiver = address(entry.values["from"]), address(entry.values["to"])
    return (sender == ZERO_ADDRESS) - (receiver == ZERO_ADDRESS)
