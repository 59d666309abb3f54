"""History: every event of every contract, to filter and to take away."""

import streamlit as st

from dashboard.components.frame import open_world
from dashboard.components.tables import show_table
from dashboard.entries import Entry
from dashboard.export import as_csv, as_json, told
from dashboard.text import clean
from dashboard.times import utc
from governance.domain.deployment import CONTRACTS

MOST = 5_000
SHOWN_CHARACTERS = 200


def page() -> None:
    """Lay out the page."""
    supplies, world = open_world()
    st.title("History")
    st.caption("Every event of every contract, newest first. To check it against the chain: folkmoot audit verify.")
    left, right = st.columns(2)
    contracts = left.multiselect("Contracts", CONTRACTS, key="contracts", placeholder="all contracts")
    part = right.text_input("Holds", key="holds", max_chars=80, placeholder="event, id or transaction, or a part of it")
    found = supplies.index.latest(limit=MOST, contracts=contracts, part=part.strip())
    st.text(f"{len(found)} of {supplies.index.count()} events, up to block {world.freshness.block}.")
    if len(found) == MOST:
        st.text(f"Only the newest {MOST} are shown; filter to see older ones.")
    show_table([_row(entry) for entry in found], what="events", digests=["about", "transaction"])
    if found:
        _downloads(found, block=world.freshness.block)


def _downloads(found: list[Entry], *, block: int) -> None:
    with st.container(horizontal=True):
        for kind, content, mime in (
            ("CSV", lambda: as_csv(found), "text/csv"),
            ("JSON", lambda: as_json(found), "application/json"),
        ):
            st.download_button(
                f"Download as {kind}",
                content,
                file_name=f"folkmoot-history-{block}.{kind.lower()}",
                mime=mime,
                icon=":material/download:",
                on_click="ignore",
            )


def _row(entry: Entry) -> dict[str, str | int | float]:
    return {
        "block": entry.block,
        "index": entry.log_index,
        "time": utc(entry.time_s),
        "contract": entry.contract,
        "event": entry.name,
        "about": clean(entry.subject, 80),
        "values": clean(told(entry), SHOWN_CHARACTERS),
        "transaction": entry.transaction,
    }


if __name__ == "__main__":
    page()
