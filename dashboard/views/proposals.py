"""Proposals: all of them, newest first, with state, count and countdown."""

import streamlit as st

from dashboard.components.frame import open_world
from dashboard.components.lists import proposal_card, standing

ALL = "All"


def page() -> None:
    """Lay out the page."""
    supplies, world = open_world()
    st.title("Proposals")
    st.caption("What a proposal does is read from its calldata. Its title decides nothing and is shown as quoted text.")
    words = {proposal.id: standing(proposal, world)[0] for proposal in world.proposals}
    present = list(dict.fromkeys(words.values()))
    chosen = st.segmented_control("State", [ALL, *present], default=ALL, key="state", bind="query-params") or ALL
    shown = [proposal for proposal in reversed(world.proposals) if chosen in {ALL, words[proposal.id]}]
    if not shown:
        st.text("There is no such proposal yet.")
    for proposal in shown:
        proposal_card(proposal, world, supplies)


if __name__ == "__main__":
    page()
