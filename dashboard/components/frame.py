"""What every page has: how fresh it is, whose chain it is, and the network as of one block."""

import time
from typing import Final

import streamlit as st

from dashboard.settings import Supplies, supplied
from dashboard.text import clean, short
from dashboard.world import World, read_world
from governance.errors import FolkmootError

DEVELOPMENT: Final = "development chain: its operator can rewrite everything"
STALE_S: Final = 15
"""The index reads every second; older than this, somebody should look."""
REFRESH_S: Final = 2


def open_world() -> tuple[Supplies, World]:
    """Return what the page shows, or say why there is nothing and end the page."""
    try:
        supplies = supplied()
        world = _cached_world(supplies, supplies.database_url, supplies.index.freshness().block_hash)
    except FolkmootError as problem:
        show_problem(problem)
        st.stop()
    return supplies, world


def show_problem(problem: FolkmootError) -> None:
    """Show a failure as one sentence; it may quote a stranger's text, so it is plain."""
    with st.container(border=True):
        st.badge("Not available", icon=":material/error:", color="red")
        st.text(clean(str(problem), limit=600))


@st.fragment(run_every=REFRESH_S)
def freshness_line() -> None:
    """Say how far the index has read, again and again, and redraw the page when something happened."""
    try:
        supplies = supplied()
        fresh = supplies.index.freshness()
        change = supplies.index.last_change()
    except FolkmootError as problem:
        st.caption(f":material/sync_problem: {_plain_words(problem)}")
        return
    age_s = max(round(time.time() - fresh.read_at_ms / 1000), 0)
    warning = f" · **{age_s} s is old: is the index still running?** (folkmoot status)" if age_s > STALE_S else ""
    chain = f" · :material/warning: {DEVELOPMENT}" if supplies.is_development else ""
    st.caption(
        f":material/database: read to block {fresh.block}, {age_s} s ago, head `{short(fresh.block_hash)}`"
        f" · chain {fresh.chain_id}{chain}{warning}"
    )
    before = st.session_state.setdefault("last_change", change)
    if before != change:
        st.session_state["last_change"] = change
        st.rerun()


@st.cache_resource(max_entries=3, show_spinner=False)
def _cached_world(_supplies: Supplies, database_url: str, head: str) -> World:
    # Streamlit keys its cache by the arguments without an underscore: another head is another world.
    del database_url, head
    return read_world(_supplies)


def _plain_words(problem: FolkmootError) -> str:
    return "".join(c for c in clean(str(problem), limit=200) if c.isalnum() or c in " .,;:()-")
