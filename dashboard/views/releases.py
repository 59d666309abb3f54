"""Releases and refusals: every candidate, each with a link to its page."""

import streamlit as st

from dashboard.components.frame import open_world
from dashboard.components.lists import release_card


def page() -> None:
    """Lay out the list."""
    supplies, world = open_world()
    st.title("Releases and refusals")
    st.caption("The gate decides what is recognised, not who holds a file: whoever trained or measured it has it.")
    if not world.releases:
        st.text("No candidate has been submitted yet.")
    for release in reversed(world.releases):
        release_card(release, world, supplies)


if __name__ == "__main__":
    page()
