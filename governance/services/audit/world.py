"""The state that follows from the events alone, so that what stands in storage can be compared with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from governance.domain.market import NOBODY, Address, Mandate
from governance.domain.release import Outcome
from governance.errors import FolkmootError
from governance.ports import Event
from governance.services import reading
from governance.services.audit.report import Examination
from governance.services.audit.sources import UNFOLLOWABLE
from governance.services.audit.timeline import Moment, Timeline, moment_of
from governance.services.court import CourtSettings, Service

EVALUATOR: Final = 8
NOTHING_AT_STAKE: Final = Service(
    stake_e18=0, leaves_at_s=0, open_seats=0, seated=0, revealed=0, absent=0, deviated=0, slashed_e18=0
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """An organisation as its events tell it."""

    name: str
    member: Address
    operator: Address
    active: bool
    suspended_until_s: int = 0
    """End of its last suspension, in which its agents are not active."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """A key that was announced for another one's place."""

    next: Address = NOBODY
    """Nobody's when none was announced."""
    from_s: int = 0
    by_member: bool = False
    """Of an operator: the organisation's member asked for it."""


NO_CHANGE: Final = KeyChange()


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """An agent as its events tell it."""

    organisation: int
    roles: int
    active: bool
    bound_at_s: int
    keys: tuple[bytes, bytes, bytes]
    """Public key x and y, encryption key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """A committed root."""

    agent: Address
    rows: int
    evaluation: bool
    committed_at_s: int
    family: bytes
    moment: Moment


@dataclass(slots=True)
class World:
    """Everything the contracts hold, replayed."""

    times_s: Mapping[int, int]
    organisations: Timeline[int, Organisation] = field(default_factory=Timeline)
    agents: Timeline[Address, Agent] = field(default_factory=Timeline)
    endpoints: Timeline[Address, str] = field(default_factory=Timeline)
    mandates: Timeline[Address, Mandate] = field(default_factory=Timeline)
    data_sets: dict[bytes, DataSet] = field(default_factory=dict)
    bindings: dict[Address, int] = field(default_factory=dict)
    """How often each agent key was bound."""
    panels: Timeline[str, tuple[int, ...]] = field(default_factory=Timeline)
    """Organisations of the panel, in order, under the one key ``panel``."""
    services: Timeline[int, Service] = field(default_factory=Timeline)
    """Stake and record by organisation."""
    court_versions: list[tuple[CourtSettings, tuple[tuple[object, ...], ...]]] = field(default_factory=list)
    """Settings and metrics of the court, as they were set one after another."""
    seats: dict[tuple[bytes, int], list[int]] = field(default_factory=dict)
    """Organisations of each case's juries, in the order of the draw."""
    agent_order: list[Address] = field(default_factory=list)
    evaluators: Timeline[int, Address] = field(default_factory=Timeline)
    """By organisation its first bound evaluator or, if it has none, the last that it had."""
    rotations: Timeline[Address, KeyChange] = field(default_factory=Timeline)
    """By the agent key that is to end."""
    operator_changes: Timeline[int, KeyChange] = field(default_factory=Timeline)
    """By organisation."""
    origins: dict[Address, Address] = field(default_factory=dict)
    """First key of the line that ends in a key, where there was a rotation."""

    def origin_of(self, agent: Address) -> Address:
        """Return the first key in whose place an agent's key stands."""
        return self.origins.get(agent, agent)

    def time_s(self, moment: Moment) -> int:
        """Return the chain time of a moment; after everything it is that of the last block."""
        return self.times_s[moment[0]] if moment[0] in self.times_s else max(self.times_s.values(), default=0)

    def is_active(self, agent: Address, before: Moment) -> bool:
        """Say whether agent and organisation were active just before a moment."""
        found = self.agents.before(before, agent)
        return found is not None and found.active and self.works(found.organisation, before)

    def works(self, organisation: int, before: Moment) -> bool:
        """Say whether an organisation was a member and not suspended just before a moment."""
        found = self.organisations.before(before, organisation)
        return found is not None and found.active and self.time_s(before) >= found.suspended_until_s

    def organisation_of(self, agent: Address, before: Moment) -> int:
        """Return the number of an agent's organisation, or 0."""
        found = self.agents.before(before, agent)
        return found.organisation if found else 0

    def operator_of(self, agent: Address, before: Moment) -> Address | None:
        """Return who paid and was paid for an agent."""
        organisation = self.organisations.before(before, self.organisation_of(agent, before))
        return organisation.operator if organisation else None


def replay(events: list[Event], times_s: Mapping[int, int], examination: Examination) -> World:
    """Return the world after all events; an event that contradicts those before it is a finding."""
    world = World(times_s=times_s)
    for event in events:
        step = STEPS.get((event.contract, event.name))
        if step is None:
            continue
        try:
            step(world, event)
        except (FolkmootError, *UNFOLLOWABLE) as problem:
            examination.fault(f"block {event.block}, {event.name}", "an impossible event", found=str(problem))
    return world


def _admitted(world: World, event: Event) -> None:
    organisation = Organisation(
        name=reading.text(event.values["name"]),
        member=reading.address(event.values["member"]),
        operator=reading.address(event.values["operator"]),
        active=True,
    )
    world.organisations.set(moment_of(event), reading.number(event.values["organisation"]), organisation)


def _removed(world: World, event: Event) -> None:
    number = reading.number(event.values["organisation"])
    known = world.organisations.last(number)
    if known is None:
        raise FolkmootError(f"organisation {number} was never admitted")
    world.organisations.set(moment_of(event), number, replace(known, active=False))


def _changed(world: World, event: Event) -> tuple[int, Organisation]:
    number = reading.number(event.values["organisation"])
    known = world.organisations.last(number)
    if known is None:
        raise FolkmootError(f"organisation {number} was never admitted")
    return number, known


def _suspended(world: World, event: Event) -> None:
    number, known = _changed(world, event)
    until_s = reading.number(event.values["untilS"])
    world.organisations.set(moment_of(event), number, replace(known, suspended_until_s=until_s))


def _reinstated(world: World, event: Event) -> None:
    number, known = _changed(world, event)
    now_s = world.times_s[event.block]
    world.organisations.set(moment_of(event), number, replace(known, suspended_until_s=now_s))


def _member_changed(world: World, event: Event) -> None:
    number, known = _changed(world, event)
    member = reading.address(event.values["member"])
    world.organisations.set(moment_of(event), number, replace(known, member=member))


def _operator_asked(world: World, event: Event) -> None:
    number, known = _changed(world, event)
    asked = KeyChange(
        next=reading.address(event.values["next"]),
        from_s=reading.number(event.values["fromS"]),
        by_member=reading.address(event.values["by"]) == known.member,
    )
    world.operator_changes.set(moment_of(event), number, asked)


def _operator_kept(world: World, event: Event) -> None:
    world.operator_changes.set(moment_of(event), reading.number(event.values["organisation"]), NO_CHANGE)


def _operator_changed(world: World, event: Event) -> None:
    number, known = _changed(world, event)
    operator = reading.address(event.values["operator"])
    world.organisations.set(moment_of(event), number, replace(known, operator=operator))
    world.operator_changes.set(moment_of(event), number, NO_CHANGE)


def _rotation_asked(world: World, event: Event) -> None:
    asked = KeyChange(next=reading.address(event.values["next"]), from_s=reading.number(event.values["fromS"]))
    world.rotations.set(moment_of(event), reading.address(event.values["agent"]), asked)


def _rotation_ended(world: World, event: Event) -> None:
    agent = reading.address(event.values["agent"])
    world.rotations.set(moment_of(event), agent, NO_CHANGE)
    if event.name == "AgentRotated":
        world.origins[reading.address(event.values["next"])] = world.origin_of(agent)


def _bound(world: World, event: Event) -> None:
    key = reading.address(event.values["agent"])
    values = event.values
    if key not in world.bindings:
        world.agent_order.append(key)
    world.bindings[key] = world.bindings.get(key, 0) + 1
    agent = Agent(
        organisation=reading.number(values["organisation"]),
        roles=reading.number(values["roles"]),
        active=True,
        bound_at_s=world.times_s[event.block],
        keys=(
            reading.raw(values["publicKeyX"]),
            reading.raw(values["publicKeyY"]),
            reading.raw(values["encryptionKey"]),
        ),
    )
    world.agents.set(moment_of(event), key, agent)
    _choose_evaluator(world, agent.organisation, event)


def _choose_evaluator(world: World, organisation: int, event: Event) -> None:
    """Note who is drawn for an organisation; without any evaluator it stays as it was."""
    for key in world.agent_order:
        agent = world.agents.last(key)
        if agent and agent.organisation == organisation and agent.active and agent.roles & EVALUATOR:
            world.evaluators.set(moment_of(event), organisation, key)
            return


def _unbound(world: World, event: Event) -> None:
    key = reading.address(event.values["agent"])
    known = world.agents.last(key)
    if known is None:
        raise FolkmootError(f"agent {key} was never bound")
    ended = Agent(
        organisation=known.organisation,
        roles=known.roles,
        active=False,
        bound_at_s=known.bound_at_s,
        keys=known.keys,
    )
    world.agents.set(moment_of(event), key, ended)
    _choose_evaluator(world, ended.organisation, event)


def _moved(world: World, event: Event) -> None:
    world.endpoints.set(
        moment_of(event), reading.address(event.values["agent"]), reading.text(event.values["endpoint"])
    )


def _mandated(world: World, event: Event) -> None:
    mandate = read_mandate(event.values["mandate"])
    world.mandates.set(moment_of(event), reading.address(event.values["agent"]), mandate)


def _committed(world: World, event: Event) -> None:
    root = reading.raw(event.values["root"])
    if root in world.data_sets:
        raise FolkmootError(f"data root 0x{root.hex()} was committed twice")
    world.data_sets[root] = DataSet(
        agent=reading.address(event.values["agent"]),
        rows=reading.number(event.values["rows"]),
        evaluation=reading.flag(event.values["evaluation"]),
        committed_at_s=world.times_s[event.block],
        family=reading.raw(event.values["family"]),
        moment=moment_of(event),
    )


def _joined(world: World, event: Event) -> None:
    panel = world.panels.last("panel") or ()
    world.panels.set(moment_of(event), "panel", (*panel, reading.number(event.values["organisation"])))


def _left_panel(world: World, event: Event) -> None:
    panel, gone = list(world.panels.last("panel") or ()), reading.number(event.values["organisation"])
    # The last one takes the place that became free.
    panel[panel.index(gone)] = panel[-1]
    world.panels.set(moment_of(event), "panel", tuple(panel[:-1]))


def _court_set(world: World, event: Event) -> None:
    metrics = tuple(tuple(reading.row(item, 3)) for item in reading.items(event.values["metrics"]))
    world.court_versions.append((CourtSettings.of(event.values["settings"]), metrics))


def _serve(world: World, event: Event, organisation: int, **changes: int) -> None:
    known = world.services.last(organisation) or NOTHING_AT_STAKE
    world.services.set(moment_of(event), organisation, replace(known, **changes))


def _staked(world: World, event: Event) -> None:
    organisation = reading.number(event.values["organisation"])
    known = world.services.last(organisation) or NOTHING_AT_STAKE
    amount_e18 = known.stake_e18 + reading.number(event.values["amountE18"])
    _serve(world, event, organisation, stake_e18=amount_e18, leaves_at_s=0)


def _unstake_asked(world: World, event: Event) -> None:
    leaves_at_s = reading.number(event.values["leavesAtS"])
    _serve(world, event, reading.number(event.values["organisation"]), leaves_at_s=leaves_at_s)


def _unstaked(world: World, event: Event) -> None:
    _serve(world, event, reading.number(event.values["organisation"]), stake_e18=0, leaves_at_s=0)


def _jury_drawn(world: World, event: Event) -> None:
    jurors = [reading.address(juror) for juror in reading.items(event.values["jurors"])]
    organisations = [world.organisation_of(juror, moment_of(event)) for juror in jurors]
    world.seats[reading.raw(event.values["id"]), reading.number(event.values["round"])] = organisations
    for organisation in organisations:
        known = world.services.last(organisation) or NOTHING_AT_STAKE
        _serve(world, event, organisation, open_seats=known.open_seats + 1, seated=known.seated + 1)


def _jury_settled(world: World, event: Event) -> None:
    organisations = world.seats.get((reading.raw(event.values["id"]), reading.number(event.values["round"])), [])
    judged = zip(reading.items(event.values["outcomes"]), reading.items(event.values["slashedE18"]), strict=True)
    for organisation, (word, amount) in zip(organisations, judged, strict=True):
        known, outcome = world.services.last(organisation) or NOTHING_AT_STAKE, Outcome(reading.number(word))
        absent, taken = outcome is Outcome.ABSENT, reading.number(amount)
        served = replace(
            known,
            open_seats=known.open_seats - 1,
            revealed=known.revealed + (not absent),
            absent=known.absent + absent,
            deviated=known.deviated + (outcome is Outcome.DEVIATED),
            stake_e18=known.stake_e18 - taken,
            slashed_e18=known.slashed_e18 + taken,
        )
        world.services.set(moment_of(event), organisation, served)


def read_mandate(value: object) -> Mandate:
    """Return the mandate behind the contract's struct."""
    spend, count, floors, epsilon, lifetime, purposes, until = reading.row(value, 7)
    prices = tuple(reading.number(floor) for floor in reading.row(floors, 5))
    return Mandate(
        max_spend_e18=reading.number(spend),
        max_agreements=reading.number(count),
        floors_e18=(prices[0], prices[1], prices[2], prices[3], prices[4]),
        max_epsilon_micros=reading.number(epsilon),
        lifetime_epsilon_micros=reading.number(lifetime),
        purposes=reading.number(purposes),
        valid_until_s=reading.number(until),
    )


STEPS: Final[Mapping[tuple[str, str], Callable[[World, Event], None]]] = {
    ("AgentRegistry", "OrganisationAdmitted"): _admitted,
    ("AgentRegistry", "OrganisationRemoved"): _removed,
    ("AgentRegistry", "OrganisationSuspended"): _suspended,
    ("AgentRegistry", "OrganisationReinstated"): _reinstated,
    ("AgentRegistry", "MemberChanged"): _member_changed,
    ("AgentRegistry", "OperatorAsked"): _operator_asked,
    ("AgentRegistry", "OperatorKept"): _operator_kept,
    ("AgentRegistry", "OperatorChanged"): _operator_changed,
    ("AgentRegistry", "RotationAsked"): _rotation_asked,
    ("AgentRegistry", "RotationCancelled"): _rotation_ended,
    ("AgentRegistry", "AgentRotated"): _rotation_ended,
    ("AgentRegistry", "AgentBound"): _bound,
    ("AgentRegistry", "AgentUnbound"): _unbound,
    ("AgentRegistry", "EndpointChanged"): _moved,
    ("AgentRegistry", "MandateChanged"): _mandated,
    ("AgentRegistry", "DataCommitted"): _committed,
    ("EvaluatorCourt", "PanelJoined"): _joined,
    ("EvaluatorCourt", "PanelLeft"): _left_panel,
    ("EvaluatorCourt", "SettingsChanged"): _court_set,
    ("EvaluatorCourt", "Staked"): _staked,
    ("EvaluatorCourt", "UnstakeAsked"): _unstake_asked,
    ("EvaluatorCourt", "Unstaked"): _unstaked,
    ("EvaluatorCourt", "JuryDrawn"): _jury_drawn,
    ("EvaluatorCourt", "JurySettled"): _jury_settled,
}
