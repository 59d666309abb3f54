"""Proposals: all of them, newest first, with state, count and countdown."""

import streamlit as st

from dashboard.components.frame import open_world
from dashboard.components.lists import outlook, proposal_card
from dashboard.components.marks import STATES
from governance.domain.release import ProposalState

ALL = "All"


def page() -> None:
    """Lay out the page."""
    supplies, world = open_world()
    st.title("Proposals")
    st.caption("What a proposal does is read from its calldata. Its title decides nothing and is shown as quoted text.")
    seen = {proposal.id: outlook(proposal, world).state for proposal in world.proposals}
    present = [state for state in ProposalState if state in seen.values()]
    words = {STATES[state][0]: state for state in present}
    chosen = st.segmented_control("State", [ALL, *words], default=ALL, key="state", bind="query-params") or ALL
    shown = [p for p in reversed(world.proposals) if chosen in {ALL, STATES[seen[p.id]][0]}]
    if not shown:
        st.text("There is no such proposal yet.")
    for proposal in shown:
        proposal_card(proposal, world, supplies)


if __name__ == "__main__":
    page()
