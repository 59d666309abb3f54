"""Overview: what needs a vote now, and what was decided last."""

import streamlit as st

from dashboard.components.frame import open_world
from dashboard.components.lists import decided, outlook, proposal_card, release_card
from dashboard.settings import Supplies
from dashboard.world import World
from governance.domain.release import ProposalState, Status

LATEST = 3
OPEN = {ProposalState.PENDING, ProposalState.ACTIVE, ProposalState.SUCCEEDED, ProposalState.QUEUED}


def page() -> None:
    """Lay out the page."""
    supplies, world = open_world()
    st.title("Overview")
    _figures(world)
    st.header("Needs a decision", divider="gray")
    _open_proposals(world, supplies)
    st.header("Decided last", divider="gray")
    finished = [release for release in world.releases if release.decision is not None]
    if not finished:
        st.text("Nothing has been decided yet.")
    for release in sorted(finished, key=lambda r: r.decision.time_s if r.decision else 0, reverse=True)[:LATEST]:
        release_card(release, world, supplies)


def _figures(world: World) -> None:
    organisations = [o for o in world.people.organisations.values() if o.active]
    agents = [a for a in world.people.agents.values() if a.active]
    released = sum(world.status(release) is Status.RELEASED for release in world.releases)
    refused = sum(release.status is Status.REFUSED for release in world.releases)
    figures = (
        ("Organisations", len(organisations)),
        ("Agents", len(agents)),
        ("Agreements", len(world.market.agreements)),
        ("Models released", released),
        ("Candidates refused", refused),
    )
    for column, (label, value) in zip(st.columns(len(figures)), figures, strict=True):
        column.metric(label, value, border=True)


def _open_proposals(world: World, supplies: Supplies) -> None:
    live = [(proposal, outlook(proposal, world)) for proposal in reversed(world.proposals)]
    due = [proposal for proposal, seen in live if seen.state in OPEN and decided(proposal, world) is None]
    if not due:
        st.text("No proposal is open. " + ("" if world.proposals else "None has been made yet."))
    for proposal in due:
        proposal_card(proposal, world, supplies)


if __name__ == "__main__":
    page()
