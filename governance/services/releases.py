"""Candidates, votes, releases and refusals."""

from dataclasses import dataclass

from governance.domain.market import Address
from governance.domain.release import MANIFEST_FIELDS, Manifest, ProposalState, Reason, RefusalReason, Status
from governance.domain.signing import read_short_text, short_text
from governance.errors import InvalidRecord
from governance.ports import Chain, Receipt, Signer
from governance.services import reading

RELEASE_FIELDS = 18
"""Of the contract's struct ``Release``."""
FOR = 1
"""OpenZeppelin GovernorCountingSimple: 0 against, 1 for, 2 abstain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRecord:
    """A release as the registry knows it."""

    id: bytes
    status: Status
    reason: RefusalReason
    manifest_hash: bytes
    job: bytes
    candidate_index: int
    artifact: bytes
    proposer: Address
    purposes: int
    licences: int
    contributors: int
    epsilon_micros: int
    proposal_id: int
    submitted_at_s: int
    decided_at_s: int
    approval_deadline_s: int
    """Until when the proposal that is noted may be carried out, or 0."""
    fails_policy: bool
    parent: bytes
    suspended_until_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Votes:
    """Votes cast on a proposal."""

    against: int
    in_favour: int
    abstain: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the constitution says of a candidate now; bit i is rule i of the set in force."""

    failed: int
    applied: int
    tier: int


class Releases:
    """ReleaseRegistry with types."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def submit(self, coordinator: Signer, manifest: Manifest) -> Receipt:
        """Submit a candidate."""
        return self._chain.send(coordinator, "ReleaseRegistry", "submit", (manifest.as_tuple(),))

    def release_id(self, manifest: Manifest) -> bytes:
        """Return the id that a manifest gets here."""
        return manifest.release_id(self._chain.chain_id, self._chain.address("ReleaseRegistry"))

    def releases_of(self, job: bytes) -> list[bytes]:
        """Return the ids of a job's releases in the order of submission."""
        return [reading.raw(item) for item in reading.items(self._chain.read("ReleaseRegistry", "releasesOf", job))]

    def release(self, release: bytes) -> ReleaseRecord:
        """Return a release; an unknown one has status NONE."""
        values = reading.row(self._chain.read("ReleaseRegistry", "release", release), RELEASE_FIELDS)
        return ReleaseRecord(
            id=release,
            status=Status(reading.number(values[0])),
            reason=RefusalReason(reading.number(values[1])),
            candidate_index=reading.number(values[2]),
            proposer=reading.address(values[3]),
            submitted_at_s=reading.number(values[4]),
            contributors=reading.number(values[5]),
            epsilon_micros=reading.number(values[6]),
            decided_at_s=reading.number(values[7]),
            approval_deadline_s=reading.number(values[8]),
            fails_policy=reading.flag(values[9]),
            purposes=reading.number(values[10]),
            licences=reading.number(values[11]),
            manifest_hash=reading.raw(values[12]),
            job=reading.raw(values[13]),
            artifact=reading.raw(values[14]),
            proposal_id=reading.number(values[15]),
            parent=reading.raw(values[16]),
            suspended_until_s=reading.number(values[17]),
        )

    def manifest(self, release: bytes) -> Manifest:
        """Return the manifest that a release was submitted with.

        Raises
        ------
        InvalidRecord
            If the node shows none that hashes to what the registry holds.
        """
        expected = self.release(release).manifest_hash
        for event in self._chain.events("ReleaseRegistry", ["CandidateSubmitted"], from_block=self._chain.first_block):
            if event.values["id"] == release:
                found = read_manifest(event.values["manifest"])
                if found.manifest_hash() == expected:
                    return found
        raise InvalidRecord(f"the manifest of release 0x{release.hex()} is not in the events; ask another node")

    def check(self, release: bytes) -> Judgement:
        """Ask the contract to judge a candidate now."""
        failed, applied, tier = reading.row(self._chain.read("ReleaseRegistry", "check", release), 3)
        return Judgement(failed=reading.number(failed), applied=reading.number(applied), tier=reading.number(tier))

    def fact(self, release: bytes, key: str, sources: int) -> tuple[int, int]:
        """Return a fact's value and source, 0 when no accepted source has it."""
        answer = self._chain.read("ReleaseRegistry", "facts", release, [short_text(key)], [sources])
        values, found = reading.row(answer, 2)
        return reading.number(reading.items(values)[0]), reading.number(reading.items(found)[0])

    def facts_hash(self, release: bytes) -> bytes:
        """Return the digest of all that the rules of a release read."""
        return reading.raw(self._chain.read("ReleaseRegistry", "factsHash", release))

    def release_of(self, artifact: bytes) -> bytes:
        """Return the release of a model file, or zeros."""
        return reading.raw(self._chain.read("ReleaseRegistry", "releaseOf", artifact))

    def is_usable(self, artifact: bytes) -> bool:
        """Return whether exactly this file may be used now."""
        return reading.flag(self._chain.read("ReleaseRegistry", "isUsable", artifact))

    def candidate_bond_e18(self) -> int:
        """Return what a coordinator's operator leaves as a bond for each candidate, 1e-18 credit."""
        return reading.number(self._chain.read("ReleaseRegistry", "candidateBondE18"))

    def policy_hash(self) -> bytes:
        """Return the hash of the set of rules in force."""
        return reading.raw(self._chain.read("PolicyRegistry", "activeHash"))

    def refuse(self, sender: Signer, release: bytes) -> Receipt:
        """End a candidate that cannot be released any more."""
        return self._chain.send(sender, "ReleaseRegistry", "refuse", (release,))

    def standing(self, release: bytes) -> tuple[Status, Reason]:
        """Return where a release stands now and why, its parents counted."""
        status, reason = reading.row(self._chain.read("ReleaseRegistry", "standing", release), 2)
        return Status(reading.number(status)), Reason(reading.number(reason))

    def suspend(self, guardian: Signer, release: bytes, *, reason: str) -> Receipt:
        """Stop a release for 14 days, once; the reason is a word for people, at most 31 characters."""
        return self._chain.send(guardian, "ReleaseRegistry", "suspend", (release, short_text(reason)))

    def recheck(self, sender: Signer, release: bytes) -> Receipt:
        """Have the rules in force judge a release again."""
        return self._chain.send(sender, "ReleaseRegistry", "recheck", (release,))


class Consent:
    """Consent with types."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def deployment_digest(self) -> bytes:
        """Return the digest of all addresses and their code, as members endorse it."""
        return reading.raw(self._chain.read("Consent", "deploymentDigest"))

    def is_endorsed(self) -> bool:
        """Return whether two thirds of the members have endorsed the deployment."""
        return reading.flag(self._chain.read("Consent", "isEndorsed"))

    def objection_stake_e18(self) -> int:
        """Return the deposit behind an objection, 1e-18 credit."""
        return reading.number(self._chain.read("Consent", "objectionStakeE18"))

    def endorse(self, member: Signer, digest: bytes) -> Receipt:
        """Say that exactly this deployment is the one that the member agreed to."""
        return self._chain.send(member, "Consent", "endorse", (digest,))

    def object_to(self, operator: Signer, release: bytes, *, agreement: bytes, reason: str) -> Receipt:
        """Object for the organisation behind a data agreement; the reason has at most 31 characters."""
        return self._chain.send(operator, "Consent", "objectTo", (release, agreement, short_text(reason)))

    def return_stake(self, sender: Signer, release: bytes, organisation: int) -> Receipt:
        """Give an objection's stake back, 30 days after it was raised."""
        return self._chain.send(sender, "Consent", "returnStake", (release, organisation))

    def sign_off(self, officer: Signer, release: ReleaseRecord, *, offices: int) -> Receipt:
        """Sign off a candidate before its vote, or a release, for the offices of a bit set."""
        return self._chain.send(officer, "Consent", "signOff", (release.id, release.manifest_hash, offices))


class Governor:
    """ModelGovernor with types."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def approval(self, record: ReleaseRecord, *, policy_hash: bytes, facts_hash: bytes, deadline_s: int) -> bytes:
        """Return the calldata that a proposal to release carries."""
        arguments = (record.id, record.manifest_hash, policy_hash, facts_hash, deadline_s)
        return self._chain.encode("ReleaseRegistry", "approve", *arguments)

    def propose(self, proposer: Signer, *, target: str, calldata: bytes, description: str) -> Receipt:
        """Propose one call; the proposer's address is appended so that nobody can take the proposal's place."""
        guarded = f"{description}#proposer={proposer.address.lower()}"
        arguments = ([self._chain.address(target)], [0], [calldata], guarded)
        return self._chain.send(proposer, "ModelGovernor", "propose", arguments)

    def state(self, proposal: int) -> ProposalState:
        """Return where a proposal stands."""
        return ProposalState(reading.number(self._chain.read("ModelGovernor", "state", proposal)))

    def snapshot_s(self, proposal: int) -> int:
        """Return the chain time at which votes are weighed and voting opens."""
        return reading.number(self._chain.read("ModelGovernor", "proposalSnapshot", proposal))

    def deadline_s(self, proposal: int) -> int:
        """Return the chain time at which voting closes."""
        return reading.number(self._chain.read("ModelGovernor", "proposalDeadline", proposal))

    def eta_s(self, proposal: int) -> int:
        """Return the chain time from which a queued proposal may be executed, or 0."""
        return reading.number(self._chain.read("ModelGovernor", "proposalEta", proposal))

    def votes(self, proposal: int) -> Votes:
        """Return the votes cast so far."""
        values = reading.row(self._chain.read("ModelGovernor", "proposalVotes", proposal), 3)
        against, in_favour, abstain = (reading.number(value) for value in values)
        return Votes(against=against, in_favour=in_favour, abstain=abstain)

    def has_voted(self, proposal: int, member: Address) -> bool:
        """Return whether a member voted."""
        return reading.flag(self._chain.read("ModelGovernor", "hasVoted", proposal, member))

    def cast_vote(self, member: Signer, proposal: int, support: int, *, reason: str = "") -> Receipt:
        """Vote with the member's own key."""
        if reason:
            return self._chain.send(member, "ModelGovernor", "castVoteWithReason", (proposal, support, reason))
        return self._chain.send(member, "ModelGovernor", "castVote", (proposal, support))

    def guardian(self) -> Address:
        """Return who may stop proposals and suspend releases, or nobody's address."""
        return reading.address(self._chain.read("ModelGovernor", "proposalGuardian"))

    def stop(self, guardian: Signer, proposal: int, *, reason: str) -> Receipt:
        """Cancel a proposal in the guardian's name; the reason is a word for people, at most 31 characters."""
        return self._chain.send(guardian, "ReleaseRegistry", "stop", (proposal, short_text(reason)))

    def queue(self, sender: Signer, proposal: int) -> Receipt:
        """Queue a passed proposal in the timelock."""
        return self._chain.send(sender, "ModelGovernor", "queue(uint256)", (proposal,))

    def execute(self, sender: Signer, proposal: int) -> Receipt:
        """Carry out a queued proposal."""
        return self._chain.send(sender, "ModelGovernor", "execute(uint256)", (proposal,))


def read_manifest(value: object) -> Manifest:
    """Return the manifest behind the contract's struct."""
    row = reading.row(value, MANIFEST_FIELDS)
    pairs = [reading.row(item, 2) for item in reading.items(row[9])]
    return Manifest(
        job=reading.raw(row[0]),
        candidate=read_short_text(reading.raw(row[1])),
        candidate_index=reading.number(row[2]),
        artifact=reading.raw(row[3]),
        card=reading.raw(row[4]),
        parent=reading.raw(row[5]),
        licences=reading.number(row[6]),
        use_price_e18=reading.number(row[7]),
        agreements=tuple(reading.raw(item) for item in reading.items(row[8])),
        declared=tuple((read_short_text(reading.raw(key)), reading.number(number)) for key, number in pairs),
    )
