"""Agents and agreements: who takes part, what they sell, and what was paid."""

import streamlit as st

from dashboard.actions import credits_about
from dashboard.components.consent import show_endorsement
from dashboard.components.frame import REFRESH_S, open_world
from dashboard.components.marks import digest
from dashboard.components.tables import Cell, show_agreements, show_table
from dashboard.entries import ZERO_ADDRESS
from dashboard.people import Agent, Organisation
from dashboard.text import clean, credits_text
from dashboard.times import ago, utc
from dashboard.world import World
from governance.domain.market import Kind, Mandate
from governance.policy import format_micros
from governance.services.registry import Role

SOLD = {
    Role.OWNER: (Kind.DATA, Kind.EVALUATION_ROWS),
    Role.COMPUTE: (Kind.COMPUTE,),
    Role.EVALUATOR: (Kind.EVALUATION,),
}


def page() -> None:
    """Lay out the page."""
    _, world = open_world()
    st.title("Agents and agreements")
    st.header("Organisations", divider="gray")
    organisations = sorted(world.people.organisations.values(), key=lambda o: o.number)
    show_table(
        [_organisation(o, world) for o in organisations],
        what="organisations",
        digests=["member wallet", "operator key"],
    )
    _endorsement()
    _guardian(world)
    st.header("Agents", divider="gray")
    agents = sorted(world.people.agents.values(), key=lambda a: (a.organisation, a.bound_at_s))
    show_table([_agent(a, world) for a in agents], what="agents", digests=["agent key"])
    st.caption("Last seen is what an agent's own key wrote on chain, in chain time; endpoints are what operators set.")
    st.header("Agreements", divider="gray")
    _money(world)
    show_agreements(world.market.agreements, world)
    st.header("Mandates", divider="gray")
    st.caption("Limits that an operator's key set on chain; the contract refuses every agreement outside them.")
    show_table([_mandate(a, world) for a in agents if a.mandate is not None], what="mandates", digests=["agent key"])


@st.fragment(run_every=REFRESH_S)
def _endorsement() -> None:
    supplies, world = open_world()
    show_endorsement(world, supplies)


def _guardian(world: World) -> None:
    st.header("Guardian", divider="gray")
    if world.guardian == ZERO_ADDRESS:
        st.text("This network has no guardian.")
        return
    holder = world.people.organisation_of(world.guardian)
    words = "a key of no organisation" if holder is None else f"a key of {clean(holder.name)}"
    digest(words, world.guardian)
    st.text(
        "The guardian may stop any proposal before it is carried out, but for one that only replaces the guardian "
        "and for the second vote on a release, and may suspend each release once for 14 days. "
        "Another guardian takes two votes with 30 days between."
    )
    stopped = sum(p.stop is not None for p in world.proposals)
    st.caption(f"Proposals stopped so far: {stopped}. Each stands in the log.")


def _money(world: World) -> None:
    agreements = world.market.agreements
    if not agreements:
        return
    locked = sum(a.terms.price_e18 for a in agreements)
    paid, refunded = sum(a.paid_e18 for a in agreements), sum(a.refunded_e18 for a in agreements)
    fees = sum(a.fee_e18 for a in agreements)
    figures = (
        ("Agreed", locked),
        ("Paid", paid),
        ("Treasury", fees),
        ("Refunded", refunded),
        ("Still locked", locked - paid - fees - refunded),
    )
    # The first figure is the sum of the others and needs the room.
    for column, (label, amount) in zip(st.columns([3, 2, 2, 2, 2]), figures, strict=True):
        column.metric(f"{label}, credits", credits_about(amount), border=True)


def _organisation(organisation: Organisation, world: World) -> dict[str, Cell]:
    agents = [a for a in world.people.agents.values() if a.organisation == organisation.number and a.active]
    return {
        "no.": organisation.number,
        "name": clean(organisation.name),
        "state": organisation.state(world.now_s),
        "admitted": utc(organisation.admitted_at_s),
        "agents": len(agents),
        "endorsed": "yes" if organisation.member in world.endorsements.by else "no",
        "member wallet": organisation.member,
        "operator key": organisation.operator,
    }


def _agent(agent: Agent, world: World) -> dict[str, Cell]:
    return {
        "organisation": _name(agent, world),
        "roles": agent.role_words,
        "state": agent.state(world.people.organisations.get(agent.organisation), world.now_s),
        "last seen": "never" if agent.last_seen_s is None else ago(agent.last_seen_s, world.now_s),
        "training + evaluation rows": _rows(agent),
        "endpoint": clean(agent.endpoint, 120),
        "agent key": agent.address,
    }


def _rows(agent: Agent) -> str:
    training = sum(root.rows for root in agent.data if not root.evaluation)
    evaluation = sum(root.rows for root in agent.data if root.evaluation)
    return f"{training} + {evaluation}" if agent.data else ""


def _mandate(agent: Agent, world: World) -> dict[str, Cell]:
    mandate = agent.mandate
    if mandate is None:
        return {}
    return {
        "organisation": _name(agent, world),
        "may spend": credits_text(mandate.max_spend_e18) if Role.COORDINATOR in agent.roles else "",
        "sells, from": _floors(agent, mandate),
        "epsilon a deal": format_micros(mandate.max_epsilon_micros),
        "epsilon for life": format_micros(mandate.lifetime_epsilon_micros),
        "until": "revoked" if mandate.valid_until_s == 0 else utc(mandate.valid_until_s),
        "agent key": agent.address,
    }


def _floors(agent: Agent, mandate: Mandate) -> str:
    kinds = [kind for role, sold in SOLD.items() if role in agent.roles for kind in sold]
    return ", ".join(f"{kind.word.replace('_', ' ')} {credits_text(mandate.floors_e18[kind])}" for kind in kinds)


def _name(agent: Agent, world: World) -> str:
    organisation = world.people.organisations.get(agent.organisation)
    return "unknown" if organisation is None else clean(organisation.name)


if __name__ == "__main__":
    page()
