"""The entry script that Streamlit runs for every page: navigation, wallet, and the line that says how fresh it is."""

from pathlib import Path

import streamlit as st

from dashboard.components import wallet
from dashboard.components.frame import freshness_line, show_problem
from dashboard.settings import supplied
from governance.errors import FolkmootError

HERE = Path(__file__).parent
STYLE = """<style>
[class*="st-key-words_"] [data-testid="stText"] { font-size: 1.2rem; font-weight: 600; line-height: 1.45; }
[class*="st-key-quiet_"] [data-testid="stText"] { font-size: .9rem; opacity: .8; }
[data-testid="stText"] { white-space: pre-wrap; overflow-wrap: anywhere; }
</style>"""


def main() -> None:
    """Lay out what all pages share, and run the one that the address names."""
    st.set_page_config(page_title="Folkmoot", page_icon=str(HERE / "components" / "icon.png"), layout="wide")
    st.html(STYLE)
    page = st.navigation(
        [
            st.Page("views/overview.py", title="Overview", icon=":material/home:", default=True),
            st.Page("views/proposals.py", title="Proposals", icon=":material/how_to_vote:"),
            st.Page("views/proposal.py", title="Proposal", visibility="hidden"),
            st.Page("views/releases.py", title="Releases and refusals", icon=":material/verified:"),
            # Of its own: a link from a page to itself leaves the address without the candidate, and the next run of the
            # page, such as after a wallet was connected, would show the list.
            st.Page("views/release.py", title="Release", visibility="hidden"),
            st.Page("views/participants.py", title="Agents and agreements", icon=":material/handshake:"),
            st.Page("views/history.py", title="History", icon=":material/receipt_long:"),
        ]
    )
    with st.sidebar:
        st.caption("Your wallet")
        try:
            st.session_state["account"] = wallet.connect(supplied())
        except FolkmootError as problem:
            show_problem(problem)
    freshness_line()
    page.run()


main()
