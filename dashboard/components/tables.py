"""Tables: votes by organisation, agents, agreements, events. Cells are drawn as plain text."""

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd
import streamlit as st

from dashboard.actions import credits_about
from dashboard.market import Agreement
from dashboard.people import Organisation, Register
from dashboard.proposals import Proposal, Vote
from dashboard.releases import Case, Release, Reveal
from dashboard.text import clean, credits_text, short
from dashboard.times import utc
from dashboard.world import World
from governance.domain.market import Terms
from governance.domain.release import MISSING
from governance.policy import format_micros

Cell = str | int | float
DIGEST_WIDTH: Final = 95
"""Shows eight characters; copying a cell gives all of it."""
WHOLE_ROWS: Final = 20
"""Longer tables scroll."""


def show_table(rows: Sequence[Mapping[str, Cell]], *, what: str, digests: Sequence[str] = ()) -> None:
    """Show rows as a table; columns in ``digests`` are narrow, and copying their cells gives the full value."""
    if not rows:
        st.text(f"No {what} yet.")
        return
    frame = pd.DataFrame([dict(row) for row in rows])
    narrow = {name: st.column_config.TextColumn(width=DIGEST_WIDTH) for name in digests}
    st.dataframe(
        frame.style.format(short, subset=list(digests)),
        hide_index=True,
        column_config=narrow,
        height="content" if len(rows) <= WHOLE_ROWS else "auto",
        alt=f"Table of {what}, {len(rows)} rows",
    )


def show_votes(proposal: Proposal, world: World) -> None:
    """Show who voted what, and who may still vote, one organisation a row."""
    register = world.register(proposal)
    votes = {vote.voter: vote for vote in proposal.votes}
    members = sorted(world.people.organisations.values(), key=lambda o: o.number)
    here = [o for o in members if register.delegates.get(o.member) is not None]
    rows = [_vote_row(organisation, register, votes) for organisation in here]
    if world.now_s <= proposal.snapshot_s:
        st.caption("Votes are weighed when voting opens; this is who could vote as of now.")
    show_table(rows, what="organisations with a vote", digests=["wallet", "transaction"])


def _vote_row(organisation: Organisation, register: Register, votes: Mapping[str, Vote]) -> dict[str, Cell]:
    wallet = register.delegates[organisation.member]
    vote = votes.get(wallet)
    delegated = "" if wallet == organisation.member else f" (cast by {short(wallet)})"
    return {
        "organisation": clean(organisation.name),
        "vote": _choice(vote) + delegated,
        "power of the wallet": register.power.get(wallet, 0),
        "when": utc(vote.time_s) if vote else "",
        "reason given": clean(vote.reason, 200) if vote else "",
        "wallet": wallet,
        "transaction": vote.transaction if vote else "",
    }


def _choice(vote: Vote | None) -> str:
    if vote is None:
        return "· not voted"
    return {"For": "✓ For", "Against": "✗ Against", "Abstain": "– Abstain"}[vote.choice.word]


def show_agreements(agreements: Sequence[Agreement], world: World) -> None:
    """Show what was agreed, and what of it was paid."""
    rows = [_agreement_row(agreement, world) for agreement in agreements]
    show_table(rows, what="agreements", digests=["id", "transaction"])


def _agreement_row(agreement: Agreement, world: World) -> dict[str, Cell]:
    terms = agreement.terms
    return {
        "sells": terms.kind.word.replace("_", " "),
        "seller": _who(terms.seller, world),
        "buyer": _who(terms.buyer, world),
        "price": credits_text(terms.price_e18),
        "paid": f"{credits_about(agreement.paid_e18)} credits",
        "instalments": f"{agreement.paid_units} of {terms.units}",
        "state": agreement.state_word,
        "gives": _goods(terms),
        "work until": utc(terms.deadline_s),
        "id": agreement.id.hex(),
        "transaction": agreement.transaction,
    }


def _goods(terms: Terms) -> str:
    parts = [f"{terms.rows} rows" if terms.rows else ""]
    if terms.epsilon_micros:
        parts.append(f"epsilon {format_micros(terms.epsilon_micros)}, {terms.aggregation_privacy.name.lower()}")
    if terms.compute_seconds:
        parts.append(f"{terms.compute_seconds} processor seconds")
    return ", ".join(part for part in parts if part)


def show_jury(release: Release, world: World) -> None:
    """Show who was drawn to measure a candidate, and what each found."""
    case = release.case
    if case is None:
        st.text("No case was opened.")
        return
    st.text(f"{case.stage_word.capitalize()}: {len(case.jurors)} drawn, {len(case.reveals)} revealed.")
    if case.excluded:
        names = (world.people.organisations.get(number) for number in case.excluded)
        told = ", ".join(clean(o.name) for o in names if o is not None)
        st.text(f"Not drawn, because they contributed or proposed: {told}.")
    reveals = {reveal.juror: reveal for reveal in case.reveals}
    rows = [_juror_row(juror, reveals.get(juror), case, world) for juror in case.jurors]
    show_table(rows, what="jurors", digests=["report (SHA-256)", "juror"])


def _juror_row(juror: str, reveal: Reveal | None, case: Case, world: World) -> dict[str, Cell]:
    found = dict(zip(case.metrics, reveal.values, strict=False)) if reveal else {}
    return {
        "organisation": _who(juror, world),
        "revealed": "yes" if reveal else "no",
        **{clean(metric): _measured(found.get(metric)) for metric in case.metrics},
        "report (SHA-256)": reveal.report.hex() if reveal else "",
        "juror": juror,
    }


def _measured(value: int | None) -> str:
    if value is None:
        return ""
    return "cannot be given" if value == MISSING else format_micros(value)


def show_rounds(release: Release, world: World) -> None:
    """Show the rounds behind a candidate; round 0 is that of the statistics."""
    rows: list[dict[str, Cell]] = [
        {
            "round": step.number,
            "leaves": step.leaves,
            "time": utc(step.time_s),
            "root": step.root.hex(),
            "transaction": step.transaction,
        }
        for step in world.rounds_of(release)
    ]
    show_table(rows, what="rounds", digests=["root", "transaction"])


def _who(key: str, world: World) -> str:
    organisation = world.people.organisation_of(key)
    return short(key) if organisation is None else clean(organisation.name)
