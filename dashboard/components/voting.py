"""The vote on a proposal: count, countdown, a wallet's power, the buttons, and what the contract says."""

import streamlit as st

from dashboard.ballot import (
    Live,
    Standing,
    countdown,
    due_change,
    estimate,
    may_be_stopped,
    next_step,
    read_live,
    read_standing,
    stop_call,
    vote_call,
)
from dashboard.components import wallet
from dashboard.components.marks import STATES, badge, digest
from dashboard.proposals import Choice, Proposal
from dashboard.quorum import Count
from dashboard.settings import Supplies
from dashboard.text import short, short_number
from dashboard.world import World
from governance.domain.market import Address
from governance.domain.signing import SHORT_TEXT_BYTES
from governance.errors import FolkmootError
from governance.services.amendments import Amendments

LABELS = {Choice.FOR: "✓ For", Choice.AGAINST: "✗ Against", Choice.ABSTAIN: "– Abstain"}


def ask_contract(proposal: Proposal, world: World, supplies: Supplies) -> Live:
    """Return where a proposal stands: by the contract, or by the index while the chain does not answer."""
    try:
        return read_live(supplies.chain, proposal.id)
    except FolkmootError:
        return estimate(proposal, world.count(proposal), block=world.freshness.block, now_s=world.now_s)


def show_count(proposal: Proposal, live: Live, count: Count, *, over: bool) -> None:
    """Show tally and quorum, and, unless it is over, state and countdown."""
    if not over:
        badge(STATES[live.state])
        st.text(countdown(proposal, live))
    columns = st.columns(3)
    columns[0].metric("✓ For", live.tally.in_favour, border=True)
    columns[1].metric("✗ Against", live.tally.against, border=True)
    columns[2].metric("– Abstain", live.tally.abstain, border=True)
    st.progress(min(count.counted / count.needed, 1.0) if count.needed else 1.0)
    st.text(count.standing())
    st.caption(count.rule())
    source = "Read from the contract" if live.from_contract else "The chain does not answer; counted from the index"
    st.caption(f"{source} at block {live.block}. Votes exist: {count.supply}; cast: {live.tally.cast}.")


def show_vote(proposal: Proposal, live: Live, world: World, supplies: Supplies) -> None:
    """Show what the connected wallet may do, and the buttons for it."""
    account: Address | None = st.session_state.get("account")
    if account is None:
        st.text("Connect your wallet in the sidebar to see your power and to vote.")
        return
    digest("your wallet", account)
    if not live.from_contract:
        st.text("The chain does not answer, so this page cannot say what your wallet may do.")
        return
    standing = read_standing(
        supplies.chain, proposal, live=live, account=account, people=world.people, register=world.register(proposal)
    )
    _say_standing(standing)
    steps = _vote_steps(proposal, standing, supplies) if standing.may_vote else []
    steps += _due_steps(proposal, live, account, supplies)
    steps += _change_steps(proposal, live, account, supplies)
    if account == world.guardian:
        steps += _guardian_steps(proposal, live, world, supplies)
    if steps:
        _offer(proposal, steps, supplies)


def _say_standing(standing: Standing) -> None:
    if standing.has_voted:
        word = f"You voted {standing.choice.word}" if standing.choice else "Your vote is in"
        badge((f"{word}: counted by the contract", "task_alt", "green"))
    st.text(standing.sentence)


def _offer(proposal: Proposal, steps: list[wallet.Step], supplies: Supplies) -> None:
    sent = wallet.offer(supplies, steps, key=f"vote_{short_number(proposal.id)}")
    # The browser's word for it lives one run only, and is only a word: the contract decides what is shown as counted.
    if sent is not None:
        st.session_state[f"sent_{proposal.id}"] = sent
    last: wallet.Sent | None = st.session_state.get(f"sent_{proposal.id}")
    if last is not None:
        digest(f"your wallet sent “{last.tag}” as", last.transaction)


def _vote_steps(proposal: Proposal, standing: Standing, supplies: Supplies) -> list[wallet.Step]:
    return [
        wallet.Step(
            label=LABELS[choice],
            to=supplies.contracts["ModelGovernor"],
            data=vote_call(proposal.id, choice),
            summary=_summary(f"{choice.word} with {standing.power}", proposal, supplies),
            tag=choice.word,
            account=standing.account,
        )
        for choice in (Choice.FOR, Choice.AGAINST, Choice.ABSTAIN)
    ]


def _due_steps(proposal: Proposal, live: Live, account: Address, supplies: Supplies) -> list[wallet.Step]:
    step = next_step(proposal, live)
    if step is None:
        return []
    label, data, why = step
    st.text(why)
    summary = _summary(label, proposal, supplies)
    governor = supplies.contracts["ModelGovernor"]
    return [wallet.Step(label=label, to=governor, data=data, summary=summary, tag=label, account=account)]


def _change_steps(proposal: Proposal, live: Live, account: Address, supplies: Supplies) -> list[wallet.Step]:
    amendments, steps = Amendments(supplies.chain), []
    for key in proposal.changes:
        due = due_change(amendments.amendment(key), live.now_s)
        if due is None:
            continue
        label, data, why = due
        st.text(why)
        contract = supplies.contracts["Amendments"]
        what = f"{label} of change {key.hex()[:8]}, staged by proposal {short_number(proposal.id)}"
        summary = (
            f"{what}, contract {short(contract)}, chain {supplies.chain.chain_id}. "
            "Compare these with what your wallet shows."
        )
        steps.append(wallet.Step(label=label, to=contract, data=data, summary=summary, tag=label, account=account))
    return steps


def _guardian_steps(proposal: Proposal, live: Live, world: World, supplies: Supplies) -> list[wallet.Step]:
    if not may_be_stopped(supplies.chain, proposal, live.state, held=world.is_held(proposal)):
        st.text("You are the guardian; this proposal is one that the guardian cannot stop.")
        return []
    st.text("You are the guardian: you may stop this proposal. It cannot be taken up again, and the log names you.")
    reason = st.text_input(
        "Why you stop it", key=f"stop_{short_number(proposal.id)}", max_chars=SHORT_TEXT_BYTES
    ).strip()
    try:
        data = stop_call(proposal.id, reason)
    except ValueError:
        st.text(f"A stop needs a reason of 1 to {SHORT_TEXT_BYTES} plain letters, which everybody will read.")
        return []
    label, registry = "Stop this proposal", supplies.contracts["ReleaseRegistry"]
    summary = _summary(f"{label} (“{reason}”)", proposal, supplies, contract="ReleaseRegistry")
    return [wallet.Step(label=label, to=registry, data=data, summary=summary, tag=label, account=world.guardian)]


def _summary(what: str, proposal: Proposal, supplies: Supplies, *, contract: str = "ModelGovernor") -> str:
    place = short(supplies.contracts[contract])
    return (
        f"{what} on proposal {short_number(proposal.id)}, contract {place}, chain {supplies.chain.chain_id}. "
        "Compare these with what your wallet shows."
    )
