"""One proposal: what it does, what the rules say, how the vote stands, and your own vote."""

from dataclasses import replace

import streamlit as st

from dashboard.actions import Action, Approval
from dashboard.ballot import vote_call
from dashboard.bindings import check_bindings
from dashboard.components.frame import open_world
from dashboard.components.lists import RELEASE_PAGE, decided, headline, outcome
from dashboard.components.marks import STATUSES, badge, class_badge, digest, words
from dashboard.components.tables import show_votes
from dashboard.components.verdict import show_verdict
from dashboard.components.voting import ask_contract, show_count, show_vote
from dashboard.proposals import Choice, Proposal, Step
from dashboard.releases import Release
from dashboard.settings import Supplies
from dashboard.text import clean, clean_lines, is_suspicious, short_number
from dashboard.times import utc
from dashboard.world import World
from governance.errors import FolkmootError

REFRESH_S = 3
CALLDATA_CHARACTERS = 20_000


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
    left, right = st.columns([1, 1], gap="medium")
    with right:
        _vote_panel(proposal)
    with left:
        for number, action in enumerate(proposal.actions, start=1):
            _call(action, f"Call {number} of {len(proposal.actions)}")
        _timeline(proposal)
    for action in proposal.actions:
        if action.approval is not None:
            _approval(action.approval, world, supplies)
    st.header("Votes by organisation", divider="gray")
    show_votes(proposal, world)
    _without_this_page(proposal, supplies)


def _heading(proposal: Proposal, world: World) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        class_badge(proposal.kind)
        digest("id", str(proposal.id))
        digest("proposed by", proposal.proposer)
    words(headline(proposal, world), key="what")
    if proposal.stop is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            badge(("Stopped by the guardian", "front_hand", "orange"))
            digest("guardian", proposal.stop.guardian)
        st.text(f"Its reason: “{clean(proposal.stop.reason)}”" if proposal.stop.reason else "It gave no reason.")
    if world.is_held(proposal):
        badge(("Second vote: the guardian stopped the first, and nobody can stop this one", "lock", "blue"))
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
    over = decided(proposal, world)
    with st.container(border=True):
        st.subheader("The vote")
        if over is not None:
            badge(STATUSES[over.status])
            st.text(outcome(over, supplies))
        show_count(proposal, live, replace(world.count(proposal), tally=live.tally), over=over is not None)
    if over is not None:
        return
    with st.container(border=True):
        st.subheader("Your vote")
        try:
            show_vote(proposal, live, world, supplies)
        except FolkmootError:
            st.text("The contract cannot be asked just now; this page tries again by itself.")


def _call(action: Action, title: str) -> None:
    with st.container(border=True):
        st.subheader(title)
        if not action.known:
            badge(("Unknown call", "dangerous", "red"))
        st.text(action.sentence)
        digest(f"calls {action.target_name or 'a stranger to this network'}", action.target)
        with st.expander("Arguments and calldata"):
            if action.signature:
                st.code(action.signature, language=None, wrap_lines=True)
            for label, value in action.arguments:
                st.caption(label)
                st.code(clean_lines(value), language=None, wrap_lines=True)
            st.caption("calldata")
            st.code("0x" + action.calldata.hex()[:CALLDATA_CHARACTERS], language=None, wrap_lines=True)


def _approval(approval: Approval, world: World, supplies: Supplies) -> None:
    st.header("What the constitution says", divider="gray")
    release = world.release(approval.release)
    if release is None:
        badge(("The registry does not know this release; it cannot be approved", "error", "red"))
        return
    found = world.judge(release, supplies)
    if found is None:
        st.text("The rules have not been read from the chain yet.")
    else:
        show_verdict(*found, release)
    st.page_link(
        RELEASE_PAGE,
        label="The candidate, its jury and the agreements behind it",
        icon=":material/arrow_forward:",
        query_params={"id": release.id.hex()},
    )
    if release.decision is None:
        _bindings(approval, release, world)


def _bindings(approval: Approval, release: Release, world: World) -> None:
    with st.expander("What this vote is bound to", icon=":material/link:"):
        for binding in check_bindings(approval, release, world.policy, now_s=world.now_s):
            with st.container(horizontal=True):
                badge(("Same", "check", "green") if binding.holds else ("Changed", "warning", "red"))
                st.text(f"{binding.what}: {binding.detail}")


@st.fragment(run_every=REFRESH_S)
def _timeline(shown: Proposal) -> None:
    _, world = open_world()
    proposal = world.proposal(shown.id) or shown
    ahead = [
        Step(word=word, time_s=moment)
        for word, moment in (("Voting opens", proposal.snapshot_s), ("Voting ends", proposal.deadline_s))
    ]
    if proposal.eta_s is not None:
        ahead.append(Step(word="Timelock ends", time_s=proposal.eta_s))
    over = decided(proposal, world)
    if over is not None and over.decision is not None:
        ahead.append(Step(word=f"Candidate {STATUSES[over.status][0].lower()}", time_s=over.decision.time_s))
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
