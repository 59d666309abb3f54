"""One candidate: what the rules and people say of it, and the walk back to the agreements behind it."""

import json

import streamlit as st

from dashboard.components.consent import show_consent
from dashboard.components.frame import REFRESH_S, open_world
from dashboard.components.lists import PROPOSAL_PAGE, RELEASES_PAGE, outcome
from dashboard.components.marks import STATUSES, badge, digest, facts, words
from dashboard.components.tables import show_agreements, show_jury, show_rounds
from dashboard.components.verdict import show_verdict
from dashboard.evidence import purposes_of, read_document
from dashboard.releases import Release
from dashboard.settings import Supplies
from dashboard.text import clean, clean_lines, short, short_number
from dashboard.times import utc
from dashboard.world import World
from governance.domain.policy import PolicySet
from governance.policy import format_micros, licence_names, purpose_names

CARD_CHARACTERS = 20_000


def page() -> None:
    """Lay out the one candidate that the address names."""
    supplies, world = open_world()
    key = str(st.query_params.get("id", ""))
    chosen = next((release for release in world.releases if release.id.hex() == key), None)
    if chosen is None:
        st.title("Release")
        st.text("There is no such release.")
        st.page_link(RELEASES_PAGE, label="All releases and refusals", icon=":material/arrow_back:")
        return
    _one(chosen, world, supplies)


def _one(release: Release, world: World, supplies: Supplies) -> None:
    st.page_link(RELEASES_PAGE, label="All releases and refusals", icon=":material/arrow_back:")
    st.title(f"Release {short(release.id.hex())}")
    with st.container(horizontal=True, vertical_alignment="center"):
        badge(STATUSES[world.status(release)])
        digest("id", release.id.hex())
        digest("model file (SHA-256)", release.manifest.artifact.hex())
        digest("model card (SHA-256)", release.manifest.card.hex())
        digest("manifest", release.manifest_hash.hex())
    words(f"Candidate “{clean(release.manifest.candidate)}”", key="name")
    st.text(outcome(release, supplies))
    st.header("What the rules say", divider="gray")
    found = world.judge(release, supplies)
    if found is None:
        st.text("The rules have not been read from the chain yet.")
    else:
        show_verdict(*found, release)
    st.header("What people say beside the vote", divider="gray")
    _consent(release)
    st.header("The walk back", divider="gray")
    _walk_back(release, world)
    st.header("Model card", divider="gray")
    _card(release, world, supplies)


@st.fragment(run_every=REFRESH_S)
def _consent(shown: Release) -> None:
    supplies, world = open_world()
    show_consent(world.release(shown.id) or shown, world, supplies)


def _walk_back(release: Release, world: World) -> None:
    st.subheader("1. The vote")
    proposal = None if release.proposal_id is None else world.proposal(release.proposal_id)
    if proposal is None:
        st.text("It has not been proposed.")
    else:
        tally = proposal.tally
        st.text(f"{tally.in_favour} For, {tally.against} Against, {tally.abstain} Abstain.")
        st.page_link(
            PROPOSAL_PAGE,
            label=f"Proposal {short_number(proposal.id)}",
            icon=":material/arrow_forward:",
            query_params={"id": str(proposal.id)},
        )
    st.subheader("2. The jury")
    show_jury(release, world)
    st.subheader("3. The rounds")
    show_rounds(release, world)
    st.subheader("4. The agreements")
    cited = [world.market.agreement(key) for key in release.manifest.agreements]
    show_agreements([a for a in cited if a is not None], world)
    if None in cited:
        badge(("An agreement that the manifest cites is not in the index", "error", "red"))


def _card(release: Release, world: World, supplies: Supplies) -> None:
    policy = world.policy
    facts(
        [
            ("made for", _names(policy, purposes_of(release, world.market), licences=False)),
            ("licences", _names(policy, release.manifest.licences, licences=True)),
            ("submitted", utc(release.submitted_at_s)),
            *((f"{clean(key)} (declared)", format_micros(value)) for key, value in release.manifest.declared),
        ]
    )
    card = read_document(supplies.document, release.manifest.card)
    if card is None:
        st.text("The card itself is not in this machine's store; ask the coordinator for the file of its digest.")
        return
    if card.get("noise_is_seeded"):
        badge(("The noise of this run was seeded: it has no privacy", "warning", "orange"))
    outside = card.get("outside_epsilon")
    for line in outside if isinstance(outside, list) else []:
        st.text(f"Outside epsilon: {clean(str(line), 300)}")
    with st.expander("The whole card, as its digest commits to it"):
        st.code(clean_lines(json.dumps(card, indent=2), CARD_CHARACTERS), language=None, wrap_lines=True, height=400)


def _names(policy: PolicySet | None, bits: int, *, licences: bool) -> str:
    if policy is None:
        return f"{bits:#x}"
    return ", ".join(licence_names(policy, bits) if licences else purpose_names(policy, bits)) or "none"


if __name__ == "__main__":
    page()
