"""Cards of proposals and releases, as lists show them."""

import streamlit as st

from dashboard.ballot import Live, countdown, estimate
from dashboard.components.marks import STATES, STATUSES, Mark, badge, class_badge, quorum_bar, words
from dashboard.proposals import Proposal
from dashboard.releases import Release
from dashboard.settings import Supplies
from dashboard.text import clean, short, short_number
from dashboard.times import utc
from dashboard.world import World
from governance.domain.release import RefusalReason, Status
from governance.policy import rule_ids

PROPOSAL_PAGE = "views/proposal.py"
RELEASE_PAGE = "views/release.py"
RELEASES_PAGE = "views/releases.py"
REASONS = {
    RefusalReason.POLICY: "the members agreed, the constitution did not",
    RefusalReason.VOTE: "the vote failed or was not carried out in time",
    RefusalReason.JURY: "no jury measured it",
    RefusalReason.WITHDRAWAL: "somebody whose data stand behind it withdrew consent",
    RefusalReason.NONE: "no reason given",
}


def outlook(proposal: Proposal, world: World) -> Live:
    """Return where a proposal stands as the index tells."""
    return estimate(proposal, world.count(proposal), block=world.freshness.block, now_s=world.now_s)


def headline(proposal: Proposal, world: World) -> str:
    """Say what a proposal does, with the candidate's name where it asks for a release."""
    release = world.release(proposal.releases[0]) if len(proposal.releases) == 1 else None
    if release is None or len(proposal.actions) != 1:
        return proposal.sentence
    return f"Release the model of candidate “{clean(release.manifest.candidate)}”, file {artifact_short(release)}."


def artifact_short(release: Release) -> str:
    """Return the first eight characters of the model file's SHA-256."""
    return short(release.manifest.artifact.hex())


def decided(proposal: Proposal, world: World) -> Release | None:
    """Return the release that a proposal asks for once it is decided: then the proposal has nothing left to do."""
    found = (world.release(key) for key in proposal.releases)
    return next((release for release in found if release is not None and release.decision is not None), None)


def standing(proposal: Proposal, world: World) -> Mark:
    """Return the badge of a proposal: its state, or what became of its release once that is decided."""
    over = decided(proposal, world)
    return STATES[outlook(proposal, world).state] if over is None else STATUSES[over.status]


def proposal_card(proposal: Proposal, world: World, supplies: Supplies) -> None:
    """Show a proposal with its state, its count and a link to its page."""
    seen, over = outlook(proposal, world), decided(proposal, world)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            badge(standing(proposal, world))
            class_badge(proposal.kind)
            if not proposal.known:
                badge(("Unknown call: read it before you vote", "dangerous", "red"))
            st.caption(f"proposal {short_number(proposal.id)}, made {utc(proposal.created.time_s)}")
        words(headline(proposal, world), key=f"p{short_number(proposal.id)}")
        left, right = st.columns([3, 2], vertical_alignment="center")
        with left:
            quorum_bar(world.count(proposal))
        with right:
            st.text(countdown(proposal, seen) if over is None else outcome(over, supplies))
            st.page_link(
                PROPOSAL_PAGE,
                label="Open and vote" if seen.state.name == "ACTIVE" else "Open",
                icon=":material/arrow_forward:",
                query_params={"id": str(proposal.id)},
            )


def release_card(release: Release, world: World, supplies: Supplies) -> None:
    """Show a candidate with its status and why it was refused."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            badge(STATUSES[world.status(release)])
            st.caption(f"release {short(release.id.hex())}, submitted {utc(release.submitted_at_s)}")
        words(f"Candidate “{clean(release.manifest.candidate)}”", key=f"r{short(release.id.hex())}")
        st.text(outcome(release, supplies))
        st.page_link(
            RELEASE_PAGE,
            label="From the vote back to the agreements",
            icon=":material/arrow_forward:",
            query_params={"id": release.id.hex()},
        )


def _since(release: Release) -> str:
    if release.withdrawn is Status.RECALLED:
        return ", and recalled by the members since: stop using it"
    if release.withdrawn is not None:
        return ", and revoked by the members since: it may not be used"
    if release.consent_ended:
        return ", and consent was withdrawn since: it may not be used"
    if release.fails_policy:
        return ", but it breaks rules that bind it now: it may not be used"
    return ": exactly this file may be used, unless it is suspended"


def outcome(release: Release, supplies: Supplies) -> str:
    """Say in one sentence how a candidate stands or ended."""
    decision = release.decision
    if decision is None:
        return f"Jury: {release.case.stage_word if release.case else 'not opened'}. Not decided yet."
    if decision.reason is RefusalReason.NONE:
        return f"Released {utc(decision.time_s)}{_since(release)}."
    sentence = f"Refused {utc(decision.time_s)}: {REASONS[decision.reason]}"
    policy = supplies.index.policy(decision.policy_hash)
    if decision.failed and policy is not None:
        sentence += f". Failed: {', '.join(clean(rule) for rule in rule_ids(policy, decision.failed))}"
    return f"{sentence}."
