"""The keeper carries out what is due: draws, finalises, settles, queues, executes, refuses, pays and closes.

Every call is open to anybody; a keeper only saves the others the waiting. Two keepers may race:
the contract refuses the second, which is no failure.
"""

import logging
from collections.abc import Callable, Iterable
from functools import cached_property

from agents.roles.desk import Desk, Plans, each, merge
from agents.roles.evidence import known_rounds
from agents.roles.feed import Feed
from governance.domain.amendment import AmendmentState
from governance.domain.market import Kind
from governance.domain.release import CALL_S, ProposalState, Stage, Status
from governance.errors import ContractRefused
from governance.ports import Receipt
from governance.services import reading
from governance.services.disputes import Disputes, DisputeState
from governance.services.market import AgreementRecord, AgreementState, JobRecord, JobState, RoundClaim
from governance.services.pools import Pools
from governance.services.releases import ReleaseRecord

LOGGER = logging.getLogger(__name__)
DRAW_BLOCKS = 2
"""Blocks after the opening of a case whose hashes decide its jury."""
NEVER_S = (1 << 64) - 1
CLAIMS_PER_TRANSACTION = 20
PAST_AMENDMENTS = frozenset({AmendmentState.WITHDRAWN, AmendmentState.ACTIVATED})
PAST_HELP = frozenset({"ReleaseNotCandidate", "ReleaseExpired"})
"""Refusals of an execution that no waiting mends."""


class Keeper:
    """Looks after every job, release and proposal on the chain."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._ended: set[int | bytes] = set()
        """Proposals, cases, jobs and changes that nothing is due for any more."""
        self._past_disputes: set[bytes] = set()
        """Apart, since the jury's case about a dispute has the same id."""

    def step(self) -> Plans:
        """Do all that is due for every job and proposal."""
        plans = each(self._open_proposals(), self._proposal, name=lambda number: f"proposal {str(number)[:8]}")
        plans += each(self._waiting_amendments(), self._amendment, name=lambda change: f"change {change.hex()[:8]}")
        plans += each(self._open_cases(), self._case, name=lambda case: f"case {case.hex()[:8]}")
        plans += each(self._open_disputes(), self._dispute, name=lambda dispute: f"dispute {dispute.hex()[:8]}")
        return merge(plans + each(self._open_jobs(), self._job, name=lambda job: f"job {job.hex()[:8]}"))

    def _job(self, job: bytes) -> Plans:
        releases = [self.desk.releases.release(release) for release in self.desk.releases.releases_of(job)]
        undecided = any(release.status is Status.CANDIDATE for release in releases)
        return merge([*(self._release(release) for release in releases), *self._settle(job, undecided=undecided)])

    @cached_property
    def _job_feed(self) -> Feed:
        return Feed(self.desk.chain, "AgreementBook", ["JobOpened"])

    @cached_property
    def _case_feed(self) -> Feed:
        return Feed(self.desk.chain, "EvaluatorCourt", ["CaseOpened"])

    @cached_property
    def _proposal_feed(self) -> Feed:
        return Feed(self.desk.chain, "ModelGovernor", ["ProposalCreated"])

    def _open_jobs(self) -> list[bytes]:
        jobs = [reading.raw(event.values["job"]) for event in self._job_feed.read()]
        return [job for job in jobs if job not in self._ended]

    def _open_cases(self) -> list[bytes]:
        cases = [reading.raw(event.values["id"]) for event in self._case_feed.read()]
        return [case for case in cases if case not in self._ended]

    def _open_proposals(self) -> list[int]:
        proposals = [reading.number(event.values["proposalId"]) for event in self._proposal_feed.read()]
        return [proposal for proposal in proposals if proposal not in self._ended]

    @cached_property
    def _amendment_feed(self) -> Feed:
        return Feed(self.desk.chain, "Amendments", ["Staged"])

    def _waiting_amendments(self) -> list[bytes]:
        changes = [reading.raw(event.values["id"]) for event in self._amendment_feed.read()]
        return [change for change in changes if change not in self._ended]

    @cached_property
    def _dispute_feed(self) -> Feed:
        return Feed(self.desk.chain, "Disputes", ["DisputeRaised"])

    def _open_disputes(self) -> list[bytes]:
        disputes = [reading.raw(event.values["id"]) for event in self._dispute_feed.read()]
        return [dispute for dispute in disputes if dispute not in self._past_disputes]

    def _dispute(self, dispute: bytes) -> Plans:
        """Carry out a verdict, or end what its judge left unanswered; a jury's case has the same id."""
        disputes = Disputes(self.desk.chain)
        record = disputes.dispute(dispute)
        if record is None or record.state is not DisputeState.OPEN:
            self._past_disputes.add(dispute)
            return Plans()
        if record.decide_by_s and self.desk.chain.now_s() <= record.decide_by_s:
            return Plans(due_at_s=record.decide_by_s + 1)
        lapsed = not record.decide_by_s and self.desk.court.case(dispute).stage is Stage.LAPSED
        if record.decide_by_s or lapsed or self.desk.court.is_conclusive(dispute):
            self._try(lambda: disputes.conclude(self.desk.signer, dispute), "conclude")
        return Plans()

    def _amendment(self, change: bytes) -> Plans:
        record, now = self.desk.amendments.amendment(change), self.desk.chain.now_s()
        if now > record.until_s or record.state in PAST_AMENDMENTS:
            self._ended.add(change)
            return Plans()
        if not (record.waits_for_its_vote or record.waits_for_activation):
            return Plans()
        if now < record.from_s:
            return Plans(due_at_s=record.from_s)
        if record.waits_for_its_vote:
            self._try(lambda: self.desk.amendments.open_ratification(self.desk.signer, change), "open ratification")
        else:
            self._try(lambda: self.desk.amendments.activate(self.desk.signer, change), "activate")
        return Plans()

    def _proposal(self, proposal: int) -> Plans:
        governor, now = self.desk.governor, self.desk.chain.now_s()
        state = governor.state(proposal)
        if state is ProposalState.PENDING:
            return Plans(due_at_s=governor.snapshot_s(proposal) + 1)
        if state is ProposalState.ACTIVE:
            return Plans(due_at_s=governor.deadline_s(proposal) + 1)
        if state is ProposalState.SUCCEEDED:
            self._try(lambda: governor.queue(self.desk.signer, proposal), "queue")
            return Plans(due_at_s=governor.eta_s(proposal))
        if state is ProposalState.QUEUED:
            eta = governor.eta_s(proposal)
            if now < eta:
                return Plans(due_at_s=eta)
            refusal = self._try(lambda: governor.execute(self.desk.signer, proposal), "execute")
            if refusal is None or refusal.name not in PAST_HELP:
                return Plans()
        self._ended.add(proposal)
        return Plans()

    def _release(self, release: ReleaseRecord) -> Plans:
        if release.status is not Status.CANDIDATE:
            return Plans()
        case = self.desk.court.case(release.id)
        if case.stage is Stage.LAPSED or self.desk.market.is_withdrawn(release.job, release.candidate_index):
            self._try(lambda: self.desk.releases.refuse(self.desk.signer, release.id), "refuse")
            return Plans()
        # Without a proposal it stands as one whose proposal was stopped: somebody may still ask.
        state = self.desk.governor.state(release.proposal_id) if release.proposal_id else ProposalState.CANCELED
        end_s = max(
            self.desk.market.job(release.job).deadline_s, release.approval_deadline_s, case.window_end_s + CALL_S
        )
        late = case.stage is Stage.FINAL and self.desk.chain.now_s() > end_s
        if state is ProposalState.CANCELED and late:
            self._try(lambda: self.desk.releases.refuse(self.desk.signer, release.id), "refuse")
        if release.proposal_id:
            # A passed vote is carried out first: the contract itself says no, in its own words.
            due = state is ProposalState.QUEUED and self.desk.chain.now_s() >= self.desk.governor.eta_s(
                release.proposal_id
            )
            if due or state in {ProposalState.DEFEATED, ProposalState.EXPIRED}:
                self._try(lambda: self.desk.releases.refuse(self.desk.signer, release.id), "refuse")
        return Plans()

    def _case(self, case: bytes) -> Plans:
        court, record = self.desk.court, self.desk.court.case(case)
        if record.stage is Stage.DRAWING:
            if self.desk.chain.block_number() > record.opened_at_block + DRAW_BLOCKS:
                self._try(lambda: court.draw(self.desk.signer, case), "draw")
            return Plans(busy="a jury is being drawn")
        if record.stage in {Stage.COMMITTING, Stage.REVEALING}:
            over = self.desk.chain.now_s() > record.window_end_s
            complete = record.stage is Stage.REVEALING and record.reveals == len(court.jury(case))
            if over or complete:
                self._try(lambda: court.finalise(self.desk.signer, case), "finalise")
                return Plans()
            return Plans(due_at_s=record.window_end_s + 1)
        if record.stage is Stage.FINAL and not court.is_conclusive(case):
            return Plans(due_at_s=record.window_end_s + 1)
        if record.is_settled:
            self._ended.add(case)
        else:
            self._try(lambda: court.settle(self.desk.signer, case), "settle")
        return Plans()

    def _settle(self, job: bytes, *, undecided: bool) -> list[Plans]:
        record = self.desk.market.job(job)
        over = record.state is JobState.FINISHED or self.desk.chain.now_s() > record.deadline_s
        if not over:
            return [Plans(due_at_s=record.deadline_s + 1)]
        self._record(job, record)
        everything = self.desk.agreements.of(job)
        active = [a for a in everything if a.state is AgreementState.ACTIVE]
        bonded = [a for a in everything if a.state is not AgreementState.ACTIVE and self._is_bonded(a)]
        promised = self._settle_bonus(job)
        if not active and not bonded:
            if not promised and not undecided:
                self._ended.add(job)
            return []
        cases = self._measured_cases(job)
        self._pay_rounds(job, active)
        for agreement in active:
            self._pay(agreement, cases)
        return [self._expire(agreement) for agreement in (*active, *bonded)]

    def _settle_bonus(self, job: bytes) -> int:
        """Send a job's bonus where it belongs; return what still waits, for a candidate that is undecided."""
        pools = Pools(self.desk.chain)
        if pools.bonus_left_e18(job):
            self._try(lambda: pools.settle_bonus(self.desk.signer, job), "settle the bonus")
        return pools.bonus_left_e18(job)

    def _is_bonded(self, agreement: AgreementRecord) -> bool:
        return bool(agreement.bond_e18 and self.desk.market.bond_left_e18(agreement.id))

    def _record(self, job: bytes, record: JobRecord) -> None:
        """Put the rounds of a job that ended by its deadline into the log; one that was finished has done so."""
        market = self.desk.market
        if record.state is JobState.OPEN and market.recorded_rounds(job) < market.round_count(job):
            self._try(lambda: market.record_rounds(self.desk.signer, job), "record")

    def _measured_cases(self, job: bytes) -> list[tuple[int, bytes]]:
        releases = self.desk.releases.releases_of(job)
        return [(i, case) for i, case in enumerate(releases) if self.desk.court.case(case).stage is Stage.FINAL]

    def _pay_rounds(self, job: bytes, active: Iterable[AgreementRecord]) -> None:
        """Claim the rounds of all sellers at once; whoever makes that fail is left to a claim of its own."""
        by_round = [agreement for agreement in active if agreement.kind in {Kind.DATA, Kind.COMPUTE}]
        due = {a.id: claims[:CLAIMS_PER_TRANSACTION] for a in by_round if (claims := self._round_claims(a))}
        if len(due) > 1:
            self._try(lambda: self.desk.market.claim_for_all(self.desk.signer, job, due), "pay")

    def _pay(self, agreement: AgreementRecord, cases: Iterable[tuple[int, bytes]]) -> None:
        if agreement.kind in {Kind.DATA, Kind.COMPUTE}:
            # What was claimed for all a moment ago is not due any more.
            claims = self._round_claims(self.desk.market.agreement(agreement.id) or agreement)
            for start in range(0, len(claims), CLAIMS_PER_TRANSACTION):
                part = claims[start : start + CLAIMS_PER_TRANSACTION]
                self._try(lambda part=part: self._claim_rounds(agreement, part), "pay")  # type: ignore[misc]
            return
        due = [
            case for i, case in cases if not self.desk.market.is_paid(agreement.id, i) and self._earned(agreement, case)
        ]
        if due:
            self._try(lambda: self.desk.market.claim_looks(self.desk.signer, agreement.id, due), "pay")

    def _earned(self, agreement: AgreementRecord, case: bytes) -> bool:
        if agreement.kind is Kind.EVALUATION:
            return self.desk.court.has_revealed(case, agreement.seller)
        return agreement.data_root in self.desk.court.evaluation_roots(case)

    def _claim_rounds(self, agreement: AgreementRecord, claims: list[RoundClaim]) -> Receipt:
        return self.desk.market.claim_rounds(self.desk.signer, agreement.id, claims, job=agreement.job)

    def _round_claims(self, agreement: AgreementRecord) -> list[RoundClaim]:
        """Return the seller's rounds from the next one on, up to one that is missing: only it may pass over that."""
        claims: list[RoundClaim] = []
        for evidence in known_rounds(self.desk, agreement.job):
            if evidence.round_number != agreement.next_unit + len(claims):
                continue
            if not any(leaf.agent == agreement.seller for leaf in evidence.leaves):
                break
            leaf, proof = evidence.proof(agreement.seller)
            claims.append(RoundClaim(round_number=evidence.round_number, digest=leaf.digest, proof=tuple(proof)))
        return claims

    def _expire(self, agreement: AgreementRecord) -> Plans:
        from_s = self.desk.market.closable_from_s(agreement.id)
        if self.desk.chain.now_s() < from_s:
            return Plans(due_at_s=from_s if from_s < NEVER_S else 0)
        self._try(lambda: self.desk.market.expire(self.desk.signer, agreement.id), "expire")
        return Plans()

    def _try(self, action: Callable[[], Receipt], what: str) -> ContractRefused | None:
        try:
            action()
        except ContractRefused as refusal:
            LOGGER.info("%s: %s", what, refusal)
            return refusal
        return None
