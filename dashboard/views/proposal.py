"""One proposal: what it does, what the rules say, how the vote stands, and your own vote."""

from dataclasses import replace

import streamlit as st

from dashboard.actions import Action
from dashboard.ballot import vote_call
from dashboard.bindings import check_bindings
from dashboard.components.frame import open_world
from dashboard.components.lists import RELEASE_PAGE, headline, outcome
from dashboard.components.marks import badge, class_badge, digest, words
from dashboard.components.tables import show_votes
from dashboard.components.verdict import show_verdict
from dashboard.components.voting import ask_contract, show_count, show_vote
from dashboard.proposals import Choice, Proposal, Step
from dashboard.settings import Supplies
from dashboard.text import clean_lines, is_suspicious, short_number
from dashboard.times import utc
from dashboard.world import World
from governance.errors import FolkmootError

REFRESH_S = 3


def page() -> None:
    """Lay out the page."""
    supplies, world = open_world()
    key = str(st.query_params.get("id", ""))
    proposal = world.proposal(int(key)) if key.isascii() and key.isdecimal() and len(key) < 80 else None
    if proposal is None:
        st.title("Proposal")
        st.text("There is no such proposal. The list shows all of them.")
        st.page_link("views/proposals.py", label="All proposals", icon=":material/arrow_back:")
        return
    st.title(f"Proposal {short_number(proposal.id)}")
    _heading(proposal, world)
    left, right = st.columns([3, 2], gap="large")
    with right:
        _vote_panel(proposal)
        _timeline(proposal, world)
    with left:
        _what_it_does(proposal, world, supplies)
    st.header("Votes by organisation", divider="gray")
    show_votes(proposal, world)
    _without_this_page(proposal, supplies)


def _heading(proposal: Proposal, world: World) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        class_badge(proposal.kind)
        digest("id", hex(proposal.id))
        digest("proposed by", proposal.proposer)
    words(headline(proposal, world), key="what")
    if not proposal.known:
        with st.container(border=True):
            badge(("This proposal makes a call that nobody wrote a sentence for", "dangerous", "red"))
            st.text("Its title may say anything. Do not vote For unless you can read the calldata below yourself.")
    with st.expander("What the proposer wrote (not trusted, decides nothing)", icon=":material/format_quote:"):
        if is_suspicious(proposal.description):
            badge(("Hidden or look-alike characters", "warning", "orange"))
        st.code(clean_lines(proposal.description) or "(nothing)", language=None, wrap_lines=True)


@st.fragment(run_every=REFRESH_S)
def _vote_panel(shown: Proposal) -> None:
    supplies, world = open_world()
    proposal = world.proposal(shown.id) or shown
    live = ask_contract(proposal, world, supplies)
    with st.container(border=True):
        st.subheader("The vote")
        show_count(proposal, live, replace(world.count(proposal), tally=live.tally))
    with st.container(border=True):
        st.subheader("Your vote")
        try:
            show_vote(proposal, live, world, supplies)
        except FolkmootError:
            st.text("The contract cannot be asked just now; this page tries again by itself.")


def _what_it_does(proposal: Proposal, world: World, supplies: Supplies) -> None:
    for number, action in enumerate(proposal.actions, start=1):
        with st.container(border=True):
            st.subheader(f"Call {number} of {len(proposal.actions)}")
            _call(action)
        if action.approval is not None:
            _approval(action, world, supplies)


def _call(action: Action) -> None:
    if not action.known:
        badge(("Unknown call", "dangerous", "red"))
    st.text(action.sentence)
    with st.container(horizontal=True):
        digest(f"calls {action.target_name or 'a stranger to this network'}", action.target)
        if action.signature:
            st.caption(action.signature.split("(")[0])
    with st.expander("Arguments and calldata"):
        for label, value in action.arguments:
            st.caption(label)
            st.code(clean_lines(value), language=None, wrap_lines=True)
        st.caption("calldata")
        st.code("0x" + action.calldata.hex()[:20_000], language=None, wrap_lines=True)


def _approval(action: Action, world: World, supplies: Supplies) -> None:
    approval = action.approval
    release = world.release(approval.release) if approval is not None else None
    if approval is None or release is None:
        badge(("This release is not known to the registry; it cannot be approved", "error", "red"))
        return
    st.header("What the constitution says")
    found = world.judge(release, supplies)
    if found is None:
        st.text("The rules have not been read from the chain yet.")
    else:
        show_verdict(*found, release)
    st.text(outcome(release, supplies))
    st.page_link(
        RELEASE_PAGE,
        label="The candidate, its jury and the agreements behind it",
        icon=":material/arrow_forward:",
        query_params={"id": release.id.hex()},
    )
    if release.decision is None:
        with st.expander("What this vote is bound to", icon=":material/link:"):
            for binding in check_bindings(approval, release, world.policy, now_s=world.now_s):
                with st.container(horizontal=True):
                    badge(("Same", "check", "green") if binding.holds else ("Changed", "warning", "red"))
                    st.text(f"{binding.what}: {binding.detail}")


def _timeline(proposal: Proposal, world: World) -> None:
    ahead = [
        Step(word=word, time_s=moment)
        for word, moment in (("Voting opens", proposal.snapshot_s), ("Voting ends", proposal.deadline_s))
    ]
    if proposal.eta_s is not None:
        ahead.append(Step(word="Timelock ends", time_s=proposal.eta_s))
    with st.container(border=True):
        st.subheader("Timeline")
        for step in sorted([*proposal.steps, *ahead], key=lambda s: s.time_s):
            done = step.time_s <= world.now_s
            icon = ":material/check_circle:" if done else ":material/schedule:"
            st.markdown(f"{icon} {step.word}, {utc(step.time_s)}{'' if done else ' (ahead)'}")


def _without_this_page(proposal: Proposal, supplies: Supplies) -> None:
    with st.expander("Vote without this page", icon=":material/terminal:"):
        st.text("With a key in this home's keystore:")
        st.code(f"folkmoot vote {proposal.id} for --key NAME", language=None, wrap_lines=True)
        st.text(f"With any wallet on chain {supplies.chain.chain_id}: send this calldata, no value, to the governor.")
        st.code(supplies.contracts["ModelGovernor"], language=None)
        for choice in (Choice.FOR, Choice.AGAINST, Choice.ABSTAIN):
            st.caption(choice.word)
            st.code(vote_call(proposal.id, choice), language=None, wrap_lines=True)


if __name__ == "__main__":
    page()
