"""What people said beside the vote, as events tell it: endorsements, sign-offs, objections, consent taken back."""

from collections.abc import Iterator
from typing import Final

from governance.domain.market import Address, Kind
from governance.ports import Event
from governance.services import reading
from governance.services.audit.context import END, Context
from governance.services.audit.records import Agreement
from governance.services.audit.timeline import Moment, moment_of

WHERE: Final = "Consent"
FIRST_OF_ITS_OWN: Final = 2
"""The next round to be paid, once a round of the first candidate is."""


def objections_before(context: Context, release: bytes, moment: Moment = END) -> int:
    """Return how many organisations object to a release just before a moment."""
    objecting: set[int] = set()
    for event in _about(context, release, moment, "Objected", "ObjectionAbusive"):
        change = objecting.add if event.name == "Objected" else objecting.discard
        change(reading.number(event.values["organisation"]))
    return len(objecting)


def sign_offs_before(context: Context, release: bytes, moment: Moment = END) -> int:
    """Return the offices that signed off a release just before a moment, as bits."""
    offices = 0
    for event in _about(context, release, moment, "SignedOff"):
        offices |= reading.number(event.values["offices"])
    return offices


def was_withdrawn(context: Context, release: bytes, moment: Moment = END) -> bool:
    """Say whether a seller whose terms give a veto took consent back from what stands behind a release."""
    candidate = context.records.releases[release].manifest
    last = 0
    for agreement in context.records.agreements.values():
        taken = agreement.withdrawn
        if agreement.terms.job != candidate.job or taken is None or moment_of(taken) >= moment:
            continue
        if agreement.terms.withdrawal_blocks:
            last = max(last, stands_behind(context, agreement, moment_of(taken)))
    # Rounds of a later candidate may be paid ahead: such a withdrawal stops the one before it too.
    return last > candidate.candidate_index


def stands_behind(context: Context, agreement: Agreement, moment: Moment = END) -> int:
    """Return the last candidate that an agreement stands behind just before a moment, counted from one; 0 for none.

    A manifest cites it, or a round of the candidate was paid for its data. Round 0 is everybody's.
    """
    last = cited_by(context, agreement, moment)
    paid = [reading.number(event.values["nextUnit"]) for event in agreement.payments if moment_of(event) < moment]
    if agreement.terms.kind is Kind.DATA and paid and paid[-1] >= FIRST_OF_ITS_OWN:
        job = context.records.jobs[agreement.terms.job]
        return max(last, 1 + (paid[-1] - FIRST_OF_ITS_OWN) // job.terms.rounds_per_candidate)
    return last


def cited_by(context: Context, agreement: Agreement, moment: Moment = END) -> int:
    """Return the last candidate that cites an agreement just before a moment, counted from one; 0 for none."""
    cited = (
        release.manifest.candidate_index + 1
        for release in context.records.releases.values()
        if agreement.id in release.manifest.agreements and moment_of(release.submitted) < moment
    )
    return max(cited, default=0)


def endorsed_before(context: Context, moment: Moment = END) -> bool:
    """Say whether two thirds of the members had endorsed the deployment before a moment.

    Once an endorsement made it two thirds it stays; else those count who are members at that moment.
    """
    given = [event for event in context.events(WHERE, "Endorsed") if moment_of(event) < moment]
    if any(reading.flag(event.values["complete"]) for event in given):
        return True
    members = members_before(context, moment)
    by = {reading.address(event.values["member"]) for event in given}
    return 3 * len(by & members) >= 2 * len(members)


def members_before(context: Context, moment: Moment) -> set[Address]:
    """Return the member wallets of all organisations that were active just before a moment."""
    organisations = context.world.organisations
    found = (organisations.before(moment, number) for number in organisations)
    return {each.member for each in found if each is not None and each.active}


def _about(context: Context, release: bytes, moment: Moment, *names: str) -> Iterator[Event]:
    for event in context.events(WHERE, *names):
        if event.values["id"] == release and moment_of(event) < moment:
            yield event
