"""The network at one block, put together from the index."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from dashboard import consent, market, people, proposals, releases
from dashboard.consent import Endorsements
from dashboard.entries import ZERO_ADDRESS, Entry
from dashboard.evidence import Judged, judge
from dashboard.market import Market, Round
from dashboard.people import People, Register
from dashboard.proposals import Proposal
from dashboard.queries import Freshness, Index
from dashboard.quorum import Count
from dashboard.releases import Release
from dashboard.settings import Supplies
from governance.domain.market import Address
from governance.domain.policy import PolicySet
from governance.domain.release import ProposalState, Status

QUORUM_EVENT: Final = "QuorumNumeratorUpdated"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that the pages show, as of one block."""

    freshness: Freshness
    people: People
    market: Market
    rounds: tuple[Round, ...]
    releases: tuple[Release, ...]
    proposals: tuple[Proposal, ...]
    votes: tuple[Entry, ...]
    """Events of MemberToken, from which powers at any moment follow."""
    quorums: tuple[Entry, ...]
    endorsements: Endorsements
    officers: Mapping[int, Address]
    """By office, a bit number."""
    policy: PolicySet | None
    """The set in force."""
    guardian: Address
    """Who may stop proposals and suspend releases."""

    @property
    def now_s(self) -> int:
        """Chain time of the block."""
        return self.freshness.time_s

    def register(self, proposal: Proposal) -> Register:
        """Return who could vote on a proposal."""
        return people.read_register(self.votes, proposal.snapshot_s)

    def count(self, proposal: Proposal) -> Count:
        """Return where the vote on a proposal stands."""
        percent = proposals.DEFAULT_QUORUM_PERCENT
        for entry in self.quorums:
            if entry.time_s <= proposal.snapshot_s:
                percent = entry.number("newQuorumNumerator")
        return proposal.count(self.register(proposal), percent)

    def proposal(self, key: int) -> Proposal | None:
        """Return a proposal by its id."""
        return next((p for p in self.proposals if p.id == key), None)

    def release(self, key: bytes) -> Release | None:
        """Return a release by its id."""
        return next((r for r in self.releases if r.id == key), None)

    def status(self, release: Release) -> Status:
        """Return where a release stands now; one that was built from something stopped is suspended too."""
        seen: set[bytes] = set()
        parent: Release | None = release
        while parent is not None and parent.id not in seen:
            seen.add(parent.id)
            status = parent.status_at(self.now_s)
            if status is not Status.RELEASED:
                return status if parent is release else Status.SUSPENDED
            parent = self.release(parent.manifest.parent)
        return Status.RELEASED

    def vote_on(self, release: Release) -> ProposalState | None:
        """Return where the last vote on a candidate stands by the index, or None when there is none."""
        vote = None if release.proposal_id is None else self.proposal(release.proposal_id)
        return None if vote is None else vote.state(self.now_s, passes=self.count(vote).passes)

    def is_held(self, proposal: Proposal) -> bool:
        """Say whether it is the second vote on a release, which nobody stops."""
        asked = (self.release(key) for key in proposal.releases)
        return any(r is not None and r.votes_asked > 1 and r.proposal_id == proposal.id for r in asked)

    def rounds_of(self, release: Release) -> list[Round]:
        """Return the rounds behind a candidate: the statistics round and its own."""
        job = self.market.job(release.manifest.job)
        if job is None:
            return []
        per = job.terms.rounds_per_candidate
        first = 1 + release.manifest.candidate_index * per
        own = range(first, first + per)
        return [r for r in self.rounds if r.job == job.id and (r.number == 0 or r.number in own)]

    def judge(self, release: Release, supplies: Supplies) -> tuple[Judged, PolicySet] | None:
        """Return what the rules say about a candidate: those it was decided by, else those in force."""
        decision = release.decision
        policy = self.policy
        if decision is not None:
            policy = worded(supplies.index.policy(decision.policy_hash), supplies.worded_policy)
        if policy is None:
            return None
        now_s = self.now_s if decision is None else decision.time_s
        judged = judge(
            release, policy, market=self.market, people=self.people, documents=supplies.document, now_s=now_s
        )
        return judged, policy


def worded(policy: PolicySet | None, words: PolicySet | None) -> PolicySet | None:
    """Return the chain's set with the words of this machine's policy files, if they are of that very set."""
    if policy is None or words is None or words.set_hash != policy.set_hash:
        return policy
    return replace(policy, texts=words.texts, purposes=words.purposes, licences=words.licences)


def read_world(supplies: Supplies) -> World:
    """Return the network as the index has it now.

    Raises
    ------
    IndexUnavailable
        If the index cannot be read or is empty.
    """
    index = supplies.index
    # First how far it has read: what is read after it can only be newer, never older, than it says.
    freshness = index.freshness()
    said = list(index.entries("Consent", consent.EVENTS))
    agreed = market.read_market(index.entries("AgreementBook", market.EVENTS))
    return World(
        freshness=freshness,
        people=people.read_people(index.entries("AgentRegistry", people.EVENTS), index.last_heartbeats()),
        market=agreed,
        rounds=tuple(market.read_rounds(index.entries("RoundLedger", market.ROUND_EVENTS))),
        releases=tuple(consent.with_consent(_releases(index), agreed)),
        proposals=_proposals(index, supplies),
        votes=tuple(index.entries("MemberToken", people.VOTE_EVENTS)),
        endorsements=consent.read_endorsements(said),
        officers=consent.read_officers(said),
        quorums=tuple(index.entries("ModelGovernor", [QUORUM_EVENT])),
        policy=worded(index.policy(), supplies.worded_policy),
        guardian=_guardian(index),
    )


def _proposals(index: Index, supplies: Supplies) -> tuple[Proposal, ...]:
    staged = proposals.read_staged(index.entries("Amendments", ["Staged"]))
    words = supplies.worded_policy
    if words is not None and index.policy(words.set_hash) is None:
        # Names of rules that were never in force here would tell voters something else than the chain will do.
        words = None
    entries = index.entries("ModelGovernor", proposals.EVENTS)
    found = proposals.read_proposals(entries, supplies.contracts, staged, words=words)
    return tuple(proposals.with_stops(found, index.entries("ReleaseRegistry", ["VoteStopped"])))


def _guardian(index: Index) -> Address:
    named = index.entries("ReleaseRegistry", ["GuardianChanged"])
    return named[-1].address("guardian") if named else ZERO_ADDRESS


def _releases(index: Index) -> list[Release]:
    return releases.read_releases(
        index.entries("ReleaseRegistry", releases.EVENTS),
        index.entries("EvaluatorCourt", releases.COURT_EVENTS),
        index.entries("Consent", releases.CONSENT_EVENTS),
    )
