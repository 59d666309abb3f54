"""What people say beside the vote: who stands behind a candidate, and what one wallet may say about it."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final

from dashboard.entries import Entry
from dashboard.market import Agreement, Market
from dashboard.people import People
from dashboard.releases import Release
from governance.domain.market import Address, Kind
from governance.domain.release import ProposalState, Status

EVENTS: Final = ("Endorsed", "OfficerChanged")
FIRST_OF_ITS_OWN: Final = 2
"""The next round to be paid, once a round of the first candidate is: round 0 is everybody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endorsements:
    """Who said that exactly these contracts are the ones that were agreed to."""

    by: frozenset[Address]
    """Member wallets."""
    complete: bool
    """An endorsement made it two thirds of the members, which stays."""

    def suffices(self, members: AbstractSet[Address]) -> bool:
        """Say whether anything can be released, as ``Consent.isEndorsed`` does, for the members of today."""
        return self.complete or 3 * len(self.by & members) >= 2 * len(members)


def read_endorsements(entries: Iterable[Entry]) -> Endorsements:
    """Return the endorsements from Consent's events in order."""
    endorsed = [entry for entry in entries if entry.name == "Endorsed"]
    return Endorsements(
        by=frozenset(entry.address("member") for entry in endorsed),
        complete=any(entry.flag("complete") for entry in endorsed),
    )


def read_officers(entries: Iterable[Entry]) -> dict[int, Address]:
    """Return who holds which office, a bit number, from Consent's events in order."""
    changes = (entry for entry in entries if entry.name == "OfficerChanged")
    return {entry.number("office"): entry.address("account") for entry in changes}


def with_consent(releases: Iterable[Release], market: Market) -> list[Release]:
    """Return the releases, each with whether consent was taken back from what stands behind it."""
    listed = list(releases)
    last: dict[bytes, int] = {}
    for agreement in market.agreements:
        if agreement.withdrawn_at_s is not None and agreement.terms.withdrawal_blocks:
            job = agreement.terms.job
            last[job] = max(last.get(job, 0), stands_behind(agreement, listed, market))
    return [replace(r, consent_ended=last.get(r.manifest.job, 0) > r.manifest.candidate_index) for r in listed]


def stands_behind(agreement: Agreement, releases: Iterable[Release], market: Market) -> int:
    """Return the last candidate that an agreement stands behind, counted from one; 0 for none.

    A manifest cites it, or a round of the candidate was paid for its data. No more is paid, and nothing cites it, once
    consent was taken back.
    """
    cited = [r.manifest.candidate_index + 1 for r in releases if agreement.id in r.manifest.agreements]
    job = market.job(agreement.terms.job)
    next_unit = agreement.payments[-1].next_unit if agreement.payments else 0
    if job is not None and agreement.terms.kind is Kind.DATA and next_unit >= FIRST_OF_ITS_OWN:
        cited.append(1 + (next_unit - FIRST_OF_ITS_OWN) // job.terms.rounds_per_candidate)
    return max(cited, default=0)


def offices_to_sign(
    account: Address, release: Release, officers: Mapping[int, Address], *, vote: ProposalState | None
) -> int:
    """Return the offices of a wallet that may still sign a candidate off, as bits; none while its vote runs."""
    quiet = release.status is Status.CANDIDATE and vote in {None, ProposalState.PENDING, ProposalState.CANCELED}
    if not quiet and release.status is not Status.RELEASED:
        return 0
    held = sum(1 << office for office, holder in officers.items() if holder == account)
    return held & ~release.offices()


def behind(
    account: Address, release: Release, *, releases: Iterable[Release], market: Market, people: People
) -> list[Agreement]:
    """Return the agreements about data, under an operator's key, that stand behind a candidate that is still open."""
    found = list[Agreement]()
    if release.status not in {Status.CANDIDATE, Status.RELEASED}:
        return found
    for agreement in market.agreements:
        terms = agreement.terms
        agent = people.agents.get(terms.seller)
        if agent is None or terms.job != release.manifest.job or terms.kind is not Kind.DATA:
            continue
        owner = people.organisations.get(agent.organisation)
        last = stands_behind(agreement, releases, market)
        if owner is not None and owner.operator == account and last > release.manifest.candidate_index:
            found.append(agreement)
    return found
