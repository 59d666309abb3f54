"""Organisations, agents, mandates and data roots: what stands against what happened."""

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from governance.domain.market import Address
from governance.errors import ContractRefused
from governance.ports import Event
from governance.services import reading
from governance.services.audit.checks.amendments import activated_calls
from governance.services.audit.context import END, Context, place
from governance.services.audit.report import Examination
from governance.services.audit.world import read_mandate

WHERE = "AgentRegistry"


def check_organisations(context: Context, exam: Examination) -> None:
    """Compare every organisation with its admission."""
    world = context.world
    numbers = list(world.organisations)
    exam.equal(WHERE, "organisations are counted from one", expected=list(range(1, len(numbers) + 1)), found=numbers)
    context.state(exam, WHERE, "number of organisations", expected=len(numbers), call=(WHERE, "organisationCount"))
    admitted = {event.values["organisation"]: event for event in context.events(WHERE, "OrganisationAdmitted")}
    for number in numbers:
        known = world.organisations.last(number)
        if known is None:
            continue
        where = f"organisation {number} ({place(admitted[number])})"
        time_s = context.time_s(admitted[number])
        expected = (known.name, known.member, known.operator, time_s, known.active)
        context.state(exam, where, "what stands of it", expected=expected, call=(WHERE, "organisation", number))
        until_s = known.suspended_until_s
        context.state(exam, where, "its suspension", expected=until_s, call=(WHERE, "suspendedUntilS", number))
    _check_admissions(context, exam)


def _check_admissions(context: Context, exam: Examination) -> None:
    creation = context.history.creations.get(WHERE)
    founders = {tuple(reading.row(item, 3)) for item in reading.items(creation[1][1])} if creation else set()
    activated = {(transaction, call) for transaction, _, call in activated_calls(context)}
    for event in context.events(WHERE, "OrganisationAdmitted", "OrganisationRemoved", "MemberChanged"):
        values = event.values
        founder = event.name == "OrganisationAdmitted" and (
            (values["name"], values["member"], values["operator"]) in founders and event.block == _created_in(context)
        )
        # Without the creation the founders are not known, and the missing evidence is noted there.
        voted = founder or (event.transaction, _call_of(event)) in activated or creation is None
        exam.holds(place(event), "a founder, or a change that was staged by vote and waited", condition=voted)


def _call_of(event: Event) -> bytes:
    values = event.values
    if event.name == "OrganisationRemoved":
        return keccak(b"remove(uint32)")[:4] + encode(["uint32"], [values["organisation"]])
    if event.name == "MemberChanged":
        encoded = encode(["uint32", "address"], [values["organisation"], values["member"]])
        return keccak(b"setMember(uint32,address)")[:4] + encoded
    arguments = [values[name] for name in ("name", "member", "operator")]
    return keccak(b"admit(string,address,address)")[:4] + encode(["string", "address", "address"], arguments)


def _created_in(context: Context) -> int:
    return context.history.creations[WHERE][0].block


def check_agents(context: Context, exam: Examination) -> None:
    """Compare every agent with its bindings, and its address with its public key."""
    world = context.world
    context.state(exam, WHERE, "list of agents", expected=tuple(world.agent_order), call=(WHERE, "agents"))
    seen = _last_heartbeats(context)
    for event in context.events(WHERE, "AgentBound"):
        key = reading.raw(event.values["publicKeyX"]) + reading.raw(event.values["publicKeyY"])
        address = bytes.fromhex(reading.address(event.values["agent"])[2:])
        exam.equal(place(event), "address of the public key", expected=address, found=keccak(key)[12:])
    for agent in world.agent_order:
        _check_agent(context, exam, agent, seen.get(agent, 0))


def _check_agent(context: Context, exam: Examination, agent: Address, seen_s: int) -> None:
    world = context.world
    known = world.agents.last(agent)
    if known is None:
        return
    where = f"agent {agent}"
    active = world.is_active(agent, END)
    endpoint = world.endpoints.last(agent) or ""
    record = (known.organisation, known.roles, active, known.bound_at_s, seen_s, *known.keys, endpoint)
    context.state(exam, where, "what stands of it", expected=record, call=(WHERE, "agent", agent))
    context.state(exam, where, "active", expected=active, call=(WHERE, "isActive", agent))
    bindings = world.bindings[agent]
    context.state(exam, where, "number of bindings", expected=bindings, call=(WHERE, "nonces", agent))
    operator = world.operator_of(agent, END)
    context.state(exam, where, "who is paid for it", expected=operator, call=(WHERE, "operatorOf", agent))
    origin = world.origin_of(agent)
    context.state(exam, where, "first key of its line", expected=origin, call=(WHERE, "originOf", agent))
    _check_mandate(context, exam, agent)


def _check_mandate(context: Context, exam: Examination, agent: Address) -> None:
    where = f"mandate of {agent}"
    try:
        found = read_mandate(context.read(WHERE, "mandate", agent))
    except ContractRefused as refusal:
        exam.fault(where, "what stands of it", found=str(refusal))
        return
    expected = context.world.mandates.last(agent)
    empty = found.valid_until_s == 0 and found.max_spend_e18 == 0
    exam.holds(
        where, "as its operator set it", condition=found == expected or (expected is None and empty), found=found
    )


def _last_heartbeats(context: Context) -> dict[Address, int]:
    return {
        reading.address(event.values["agent"]): context.time_s(event) for event in context.events(WHERE, "Heartbeat")
    }


def check_data(context: Context, exam: Examination) -> None:
    """Compare every committed data root."""
    for root, known in context.world.data_sets.items():
        where = f"data root 0x{root.hex()}"
        record = (known.agent, known.rows, known.evaluation, known.committed_at_s, known.family)
        context.state(exam, where, "what stands of it", expected=record, call=(WHERE, "dataSet", root))
        agent = context.world.agents.before(known.moment, known.agent)
        owner = agent is not None and agent.roles & 1 == 1 and context.world.is_active(known.agent, known.moment)
        exam.holds(where, "committed by an active owner", condition=owner, found=known.agent)
