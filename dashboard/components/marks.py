"""Small things that stand on several pages: badges, digests, facts, dates."""

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

import streamlit as st

from dashboard.quorum import Count, ProposalClass
from dashboard.text import clean, short
from governance.domain.release import ProposalState, Status

Colour: TypeAlias = Literal["red", "orange", "blue", "green", "violet", "gray"]
Mark: TypeAlias = tuple[str, str, Colour]
"""Word, icon and colour; the word alone must do."""

STATES: Final[dict[ProposalState, Mark]] = {
    ProposalState.PENDING: ("Pending", "schedule", "gray"),
    ProposalState.ACTIVE: ("Voting open", "how_to_vote", "blue"),
    ProposalState.CANCELED: ("Cancelled", "cancel", "gray"),
    ProposalState.DEFEATED: ("Defeated", "thumb_down", "red"),
    ProposalState.SUCCEEDED: ("Passed", "thumb_up", "green"),
    ProposalState.QUEUED: ("In timelock", "hourglass_top", "violet"),
    ProposalState.EXPIRED: ("Expired", "timer_off", "gray"),
    ProposalState.EXECUTED: ("Carried out", "task_alt", "green"),
}
STATUSES: Final[dict[Status, Mark]] = {
    Status.NONE: ("Unknown", "help", "gray"),
    Status.CANDIDATE: ("Candidate", "science", "blue"),
    Status.RELEASED: ("Released", "verified", "green"),
    Status.REFUSED: ("Refused", "block", "red"),
    Status.SUSPENDED: ("Suspended", "pause_circle", "orange"),
    Status.REVOKED: ("Revoked", "block", "red"),
    Status.RECALLED: ("Recalled: stop using it", "dangerous", "red"),
}


def badge(mark: Mark) -> None:
    """Show a state as word, icon and colour."""
    word, icon, colour = mark
    st.badge(word, icon=f":material/{icon}:", color=colour)


def class_badge(kind: ProposalClass) -> None:
    """Show the class of a proposal."""
    routine = kind is ProposalClass.ROUTINE
    badge(("Routine", "sync", "gray") if routine else ("Constitutional", "account_balance", "violet"))


def digest(label: str, value: str) -> None:
    """Show a digest or address by its first eight characters; opening it gives all of it to copy."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall", width="content", wrap=False):
        st.caption(label, width="content")
        with st.popover(short(value), type="tertiary", help="Show and copy the full value"):
            st.code(value, language=None, wrap_lines=True)


def fact(label: str, text: str) -> None:
    """Show one labelled line; the text may be a stranger's."""
    with st.container(gap=None):
        st.caption(label)
        st.text(clean(text, limit=400))


def facts(pairs: Sequence[tuple[str, str]], *, columns: int = 3) -> None:
    """Show labelled lines side by side."""
    for start in range(0, len(pairs), columns):
        for column, (label, text) in zip(st.columns(columns), pairs[start : start + columns], strict=False):
            with column:
                fact(label, text)


def quorum_bar(count: Count) -> None:
    """Show the count as a bar and in words; the words alone must do."""
    share = 1.0 if not count.needed else min(count.counted / count.needed, 1.0)
    st.progress(share)
    st.text(count.standing())


def words(text: str, *, key: str) -> None:
    """Show a sentence of ours that may quote a stranger, larger than the rest."""
    with st.container(key=f"words_{key}"):
        st.text(text)
