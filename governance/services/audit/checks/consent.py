"""Endorsements of the deployment, sign-offs and objections, each against who might give it, and consent taken back."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from eth_utils.crypto import keccak

from governance.domain.deployment import CONTRACTS, deployment_digest
from governance.domain.market import Address, Kind
from governance.domain.release import ProposalState
from governance.ports import Event
from governance.services import reading
from governance.services.audit.ballots import Proposal, read_power, read_proposals
from governance.services.audit.checks.candidates import name_of
from governance.services.audit.consents import (
    WHERE,
    endorsed_before,
    members_before,
    objections_before,
    sign_offs_before,
    stands_behind,
    was_withdrawn,
)
from governance.services.audit.context import Context, place, short
from governance.services.audit.records import Release
from governance.services.audit.report import Examination
from governance.services.audit.timeline import moment_of

QUIET: Final = (ProposalState.PENDING, ProposalState.CANCELED)
"""States of the vote on a candidate in which officers sign it off."""


def check_consent(context: Context, exam: Examination) -> None:
    """Recompute the digest that members endorsed, and replay what else was said beside the vote."""
    _check_endorsements(context, exam)
    _check_officers(context, exam)
    _check_sign_offs(context, exam)
    for event in context.events(WHERE, "Objected"):
        _check_objection(context, exam, event)
    for release in context.records.releases.values():
        where, key = name_of(release), release.id
        objecting, offices = objections_before(context, key), sign_offs_before(context, key)
        context.state(exam, where, "organisations that object", expected=objecting, call=(WHERE, "objections", key))
        context.state(exam, where, "offices that signed off", expected=offices, call=(WHERE, "signOffs", key))
        withdrawn = was_withdrawn(context, key)
        call = ("AgreementBook", "isWithdrawn", release.manifest.job, release.manifest.candidate_index)
        context.state(exam, where, "was consent taken back", expected=withdrawn, call=call)
    for agreement in context.records.agreements.values():
        where, behind = f"agreement {short(agreement.id)}", stands_behind(context, agreement)
        told = ("AgreementBook", "standsBehind", agreement.id)
        context.state(exam, where, "candidate it stands behind", expected=behind, call=told)


def _check_endorsements(context: Context, exam: Examination) -> None:
    if any(name not in context.history.addresses for name in CONTRACTS):
        exam.lacking(
            "the address of the credit token, so the digest of the deployment; start earlier with --from-block"
        )
        return
    digest = _standing_digest(context)
    context.state(exam, WHERE, "digest of the deployment", expected=digest, call=(WHERE, "deploymentDigest"))
    seen: set[Address] = set()
    complete = False
    for event in context.events(WHERE, "Endorsed"):
        where, member = place(event), reading.address(event.values["member"])
        members = members_before(context, moment_of(event))
        exam.equal(where, "what was endorsed", expected=digest, found=event.values["digest"])
        exam.holds(where, "by a member, once", condition=member in members - seen, found=member)
        seen.add(member)
        complete = complete or 3 * len(seen & members) >= 2 * len(members)
        exam.equal(where, "two thirds have endorsed", expected=complete, found=event.values["complete"])
    context.state(exam, WHERE, "is it endorsed", expected=endorsed_before(context), call=(WHERE, "isEndorsed"))


def _standing_digest(context: Context) -> bytes:
    history = context.history
    codes = {name: keccak(context.witness.code(context.address(name), history.head.number)) for name in CONTRACTS}
    return deployment_digest(history.chain_id, history.addresses, codes)


def _check_officers(context: Context, exam: Examination) -> None:
    officers: dict[int, Address] = {}
    for event in context.events(WHERE, "OfficerChanged", "SignedOff"):
        if event.name == "OfficerChanged":
            officers[reading.number(event.values["office"])] = reading.address(event.values["account"])
            continue
        offices, by = reading.number(event.values["offices"]), reading.address(event.values["officer"])
        held = all(officers.get(office) == by for office in range(offices.bit_length()) if offices >> office & 1)
        exam.holds(place(event), "signed off by who holds the offices", condition=held, found=by)
    for office, account in officers.items():
        context.state(exam, f"office {office}", "its officer", expected=account, call=(WHERE, "officer", office))


def _check_sign_offs(context: Context, exam: Examination) -> None:
    proposals, power = read_proposals(context), read_power(context)
    for event in context.events(WHERE, "SignedOff"):
        release = context.records.releases.get(reading.raw(event.values["id"]))
        if release is None:
            exam.holds(place(event), "of a candidate that is known", condition=False)
            continue
        decided = release.decided
        released = decided is not None and decided.name == "Released" and moment_of(decided) < moment_of(event)
        vote = _vote_before(release, event, proposals)
        if vote is not None and not released:
            state = vote.state_at(context.time_s(event), power)
            exam.holds(place(event), "no vote ran when it was signed off", condition=state in QUIET, found=state.name)


def _vote_before(release: Release, event: Event, proposals: Mapping[int, Proposal]) -> Proposal | None:
    """Return the vote on a candidate as it stood before an event, or None."""
    asked = [each for each in release.proposals if moment_of(each) < moment_of(event)]
    vote = proposals.get(reading.number(asked[-1].values["proposalId"])) if asked else None
    if vote is None or vote.canceled is None or moment_of(vote.canceled) < moment_of(event):
        return vote
    return replace(vote, canceled=None)


def _check_objection(context: Context, exam: Examination, event: Event) -> None:
    where, moment = place(event), moment_of(event)
    release = context.records.releases.get(reading.raw(event.values["id"]))
    agreement = context.records.agreements.get(reading.raw(event.values["agreement"]))
    if not exam.holds(where, "release and agreement exist", condition=None not in (release, agreement)):
        return
    if release is None or agreement is None:
        return
    manifest = release.manifest
    about = agreement.terms.kind is Kind.DATA and agreement.terms.job == manifest.job
    behind = about and stands_behind(context, agreement, moment) > manifest.candidate_index
    exam.holds(where, f"data agreement {short(agreement.id)} stands behind it", condition=behind)
    organisation = context.world.organisation_of(agreement.terms.seller, moment)
    exam.equal(where, "organisation behind it", expected=organisation, found=event.values["organisation"])
