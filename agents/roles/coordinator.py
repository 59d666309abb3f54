"""The coordinator: opens a job, buys, runs the rounds, submits candidates in order, proposes.

What it knows lies on chain, in its store and in its tables, so it can be killed anywhere: each
step looks at how far a job is and does the one next thing.
"""

import json
import logging
import time
from pathlib import Path

from sqlmodel import Session, select

from agents.net.errors import NetError
from agents.net.mailbox import Outcome
from agents.protocols.messages import (
    EvaluationReport,
)
from agents.roles.bonds import require_covered, require_willing
from agents.roles.buying import Purchases
from agents.roles.desk import Desk, Plans, each, merge
from agents.roles.feed import Feed
from agents.roles.job_runs import JobRun, RoundRun, pack_terms, unpack_terms
from agents.roles.jobs import JobFile
from agents.roles.owner_shares import publish_rounds, rounds_of
from agents.roles.plan import plan_digest, plan_document
from agents.roles.training_rounds import TrainingRounds, WrongSum
from agents.roles.veto import Unlawful, job_veto
from agents.training.canonical import canonical_json
from agents.training.client import TrainingChild
from agents.training.errors import TrainingError
from agents.training.metrics import metric_code_digest
from agents.training.replay import replay_rounds
from governance.domain.market import Address, AggregationPrivacy, IntegrationMode, JobTerms, Kind, PrivacyUnit
from governance.domain.release import Manifest, Status
from governance.errors import ContractRefused, FolkmootError
from governance.services import reading
from governance.services.market import JobRecord, JobState
from governance.services.pools import open_line
from governance.services.releases import ReleaseRecord

LOGGER = logging.getLogger(__name__)
LEAST_OWNERS = 3
APPROVAL_DAYS_S = 40 * 86_400
"""From the proposal; delay, voting, extension and timelock take nine days."""
REPORT_PAUSE_S = 60.0
"""Wall time until a juror that did not serve its report is asked again."""


class Coordinator:
    """Buys data, rows, compute and evaluation, and brings a job to a decision."""

    tables = (JobRun, RoundRun)

    def __init__(self, desk: Desk, purchases: Purchases, child: TrainingChild) -> None:
        self.desk = desk
        self.purchases = purchases
        self.child = child
        self.rounds = TrainingRounds(desk)
        self._reveals = Feed(desk.chain, "EvaluatorCourt", ["Revealed"])
        self._ask_again_at: dict[bytes, float] = {}
        desk.mailbox.handle(EvaluationReport, self._on_report)

    def step(self) -> Plans:
        """Take up new job files and bring every job one step further."""
        self._take_up_files()
        with self.desk.mailbox.reading() as session:
            runs = list(session.exec(select(JobRun).where(JobRun.state != "ended")))
        return merge(each(runs, self._advance, name=lambda run: run.name))

    # -- jobs

    @property
    def inbox(self) -> Path:
        """Folder into which ``folkmoot job start`` puts job files."""
        return self.desk.home / "jobs"

    def _take_up_files(self) -> None:
        # A file that is still being written has a name with a dot in front.
        for path in sorted(self.inbox.glob("[!.]*.yaml")):
            try:
                job = JobFile.read(path, self.desk.policy)
            except FolkmootError as problem:
                self._refuse_file(path, problem)
                continue
            with self.desk.mailbox.transaction() as session:
                if session.get(JobRun, job.name) is None:
                    session.add(self._new_run(job, path))

    def _refuse_file(self, path: Path, problem: FolkmootError) -> None:
        with self.desk.mailbox.reading() as session:
            runs = session.exec(select(JobRun).where(JobRun.file == str(path), JobRun.state != "ended")).first()
        if runs is not None:
            # A slip of the pen in the file of a running job: its step says so, and goes on when it is mended.
            return
        LOGGER.error("%s is not started: %s", path.name, problem)
        path.rename(path.with_suffix(".refused"))

    def _new_run(self, job: JobFile, path: Path) -> JobRun:
        import secrets

        plan = job.task()
        self.desk.store.put(plan_document(plan))
        terms = JobTerms(
            coordinator=self.desk.address,
            purposes=job.purposes,
            rounds_per_candidate=job.rounds_per_candidate,
            epsilon_micros=job.epsilon_micros,
            delta_e12=job.delta_e12,
            privacy_unit=PrivacyUnit.RECORD,
            aggregation_privacy=AggregationPrivacy.CLEAR,
            integration_mode=IntegrationMode.COUPLED,
            task=plan_digest(plan),
            metric_code=bytes.fromhex(metric_code_digest()),
            candidates=tuple(candidate.name for candidate in job.candidates),
            bonus_e18=job.bonus_e18,
            deadline_s=self.desk.chain.now_s() + job.deadline_s,
            nonce=secrets.randbits(63),
        )
        key = self.desk.market.job_id(terms).hex()
        return JobRun(name=job.name, job=key, file=str(path), terms=pack_terms(terms))

    def _advance(self, run: JobRun) -> Plans:
        job = bytes.fromhex(run.job)
        file = JobFile.read(Path(run.file), self.desk.policy)
        record = self.desk.market.job(job)
        if record.state is JobState.NONE:
            if unpack_terms(run.terms).coordinator != self.desk.address:
                return self._end(run, "our key changed before it was opened; start it under another name")
            broken = self._veto(file)
            if broken:
                return self._end(run, f"the constitution forbids it: {broken}")
            # Before anything is bought: what the operator would not leave later need not be begun.
            require_willing(self.desk, file)
            require_covered(self.desk, "bonus", unpack_terms(run.terms).bonus_e18)
            self.desk.market.open_job(self.desk.signer, unpack_terms(run.terms))
            record = self.desk.market.job(job)
        late = self.desk.chain.now_s() > record.deadline_s
        waiting = self._candidate(job) if late else None
        if waiting:
            # A jury that took long leaves time for a vote.
            return self._shepherd(run, waiting)
        if record.state is JobState.FINISHED or late:
            self._collect_reports(job)
            self._open_pool(job)
            return self._end(run, "finished" if record.state is JobState.FINISHED else "the deadline passed")
        return self._carry_on(run, file, record)

    def _veto(self, file: JobFile) -> str:
        return job_veto(
            self.desk.policy,
            purposes=file.purposes,
            licences=file.licences,
            epsilon_micros=file.epsilon_micros,
            now_s=self.desk.chain.now_s(),
        )

    def _carry_on(self, run: JobRun, file: JobFile, record: JobRecord) -> Plans:
        job, obstacle = bytes.fromhex(run.job), self._obstacle(record)
        if obstacle != run.note:
            LOGGER.warning("%s: %s", run.name, f"stands still: {obstacle}" if obstacle else "goes on")
            self._set_state(run, run.state, note=obstacle)
        if obstacle:
            return Plans(due_at_s=record.deadline_s + 1)
        if run.state == "bargaining":
            if not self.purchases.buy(job, unpack_terms(run.terms)):
                return Plans(busy=f"{run.name}: bargaining")
            missing = self._missing(job)
            if missing:
                return self._end(run, f"not enough was bought: {missing}")
            self._set_state(run, "training")
        return self._decide(run, file)

    def _missing(self, job: bytes) -> str:
        found = self.rounds.active(job)
        needs = {Kind.DATA: LEAST_OWNERS, Kind.EVALUATION_ROWS: 1, Kind.COMPUTE: 1}
        lacks = [kind.word for kind, least in needs.items() if sum(a.kind is kind for a in found) < least]
        return ", ".join(lacks)

    def _decide(self, run: JobRun, file: JobFile) -> Plans:
        job = bytes.fromhex(run.job)
        candidate = self._candidate(job)
        if candidate:
            return self._shepherd(run, candidate)
        index = len(self.desk.releases.releases_of(job))
        posted = self.desk.market.round_count(job)
        if posted < 1 + file.rounds_per_candidate * (index + 1):
            return self._drive(run, file, posted)
        if not self.rounds.is_kept(run, self.rounds.task(job, file), posted - 1):
            return Plans(busy=f"{run.name}: waiting for the evidence of round {posted - 1}")
        require_covered(self.desk, "candidate_bond", require_willing(self.desk, file))
        try:
            self._submit(run, file, index)
        except TrainingError as problem:
            return self._end(run, f"candidate {index} cannot be built: {problem}")
        return Plans(busy=f"{run.name}: candidate {index} is submitted")

    def _candidate(self, job: bytes) -> ReleaseRecord | None:
        """Return the candidate of a job that waits for its decision."""
        keys = self.desk.releases.releases_of(job)
        last = self.desk.releases.release(keys[-1]) if keys else None
        return last if last and last.status is Status.CANDIDATE else None

    def _drive(self, run: JobRun, file: JobFile, number: int) -> Plans:
        try:
            return self.rounds.drive(run, file, number)
        except ContractRefused as refusal:
            return self._end(run, f"round {number} was refused: {refusal}")
        except Unlawful as problem:
            return self._end(run, f"the constitution forbids it: {problem}")
        except WrongSum as problem:
            return self._end(run, f"the compute provider's sum is wrong: {problem}")

    def _obstacle(self, record: JobRecord) -> str:
        """Return why the chain takes nothing of ours for a job now; its end is looked after all the same."""
        if record.coordinator != self.desk.address:
            return f"it was opened by {record.coordinator}; the key that took its place cannot carry it on"
        if not self.desk.registry.is_active(self.desk.address):
            return "our organisation is suspended, or our key was taken out; it goes on when that ends in time"
        return ""

    def _end(self, run: JobRun, note: str) -> Plans:
        LOGGER.info("%s ends: %s", run.name, note)
        self._set_state(run, "ended", note=note)
        return Plans()

    def _set_state(self, run: JobRun, state: str, *, note: str = "") -> None:
        with self.desk.mailbox.transaction() as session:
            run.state, run.note = state, note
            session.merge(run)

    # -- candidates

    def _submit(self, run: JobRun, file: JobFile, index: int) -> None:
        job = bytes.fromhex(run.job)
        task = self.rounds.task(job, file)
        totals = self.rounds.totals(run, task, index)
        state = replay_rounds(task, totals, candidate=index)
        names = tuple(entry.owner for entry in task.owners)
        rounds = publish_rounds(self.desk, job, rounds_of(index, file.rounds_per_candidate))
        artifact, card = self.child.build_artifact(
            task,
            candidate=index,
            weights_nanos=state.weights_nanos,
            preprocessing=self.rounds.preprocessing(run, task),
            statistics_owners=self.rounds.names(self.rounds.rows(run)[0]),
            owners_per_round=[total.owners for total in totals],
            seeded_owners=names if file.seeded_noise else (),
            rounds_sha256=rounds,
        )
        self.desk.store.put(canonical_json(task.to_json()))
        manifest = Manifest(
            job=job,
            candidate=file.candidates[index].name,
            candidate_index=index,
            artifact=bytes.fromhex(self.desk.store.put(artifact)),
            card=bytes.fromhex(self.desk.store.put(card)),
            licences=file.licences,
            use_price_e18=file.use_price_e18,
            agreements=self._cited(run),
            declared=(("energy_kwh", _energy_micros(len(totals), len(names))),),
        )
        self.desk.releases.submit(self.desk.signer, manifest)

    def _cited(self, run: JobRun) -> tuple[bytes, ...]:
        """Return the agreements behind a candidate: all data, and the evaluation rows that can be had.

        An owner that fell silent in a round would not send its rows either, and a jury that waits
        for them in vain measures nothing.
        """
        found, last = self.rounds.active(bytes.fromhex(run.job)), self.rounds.rows(run)[-1]
        answered = {leaf["owner"] for leaf in json.loads(last.leaves)}
        silent = {a.seller for a in found if a.kind is Kind.DATA} - answered
        rows = {a.id for a in found if a.kind is Kind.EVALUATION_ROWS and a.seller not in silent}
        return tuple(a.id for a in found if a.kind is Kind.DATA or a.id in rows)

    def _open_pool(self, job: bytes) -> None:
        """Open the pool of the job's release, so that bonus and use can be paid into it and claimed."""
        released = [key for key in self.desk.releases.releases_of(job) if self._is_released(key)]
        for release in released:
            try:
                open_line(self.desk.chain, self.desk.signer, release)
            except ContractRefused as refusal:
                # An owner was first, or will be: whoever claims opens it.
                LOGGER.info("the pool of release %s: %s", release.hex()[:8], refusal)

    def _is_released(self, release: bytes) -> bool:
        return self.desk.releases.release(release).status is Status.RELEASED

    def _shepherd(self, run: JobRun, release: ReleaseRecord) -> Plans:
        # Before that an appeal may change the facts.
        if not self.desk.court.is_conclusive(release.id):
            return Plans()
        if not release.proposal_id:
            self._propose(run, release)
        self._collect_reports(release.job)
        return Plans()

    def _propose(self, run: JobRun, release: ReleaseRecord) -> None:
        approval = self.desk.governor.approval(
            release,
            policy_hash=self.desk.releases.policy_hash(),
            facts_hash=self.desk.releases.facts_hash(release.id),
            deadline_s=self.desk.chain.now_s() + APPROVAL_DAYS_S,
        )
        name = unpack_terms(run.terms).candidates[release.candidate_index]
        text = f"Release candidate {name} of job {run.name}, file {release.artifact.hex()}."
        self.desk.governor.propose(self.desk.signer, target="ReleaseRegistry", calldata=approval, description=text)

    def _on_report(self, session: Session, sender: Address, message: EvaluationReport) -> Outcome | None:
        del session, sender, message
        # The figures stand on chain; the report behind them is fetched when the case is final.
        return Outcome(after_commit=(self.desk.wake,))

    def _has(self, digest: bytes) -> bool:
        try:
            self.desk.store.read(digest.hex())
        except NetError:
            return False
        return True

    def _collect_reports(self, job: bytes) -> None:
        for event in self._reveals.read():
            digest = reading.raw(event.values["report"])
            if time.monotonic() < self._ask_again_at.get(digest, 0.0) or self._has(digest):
                continue
            if self.desk.court.case(reading.raw(event.values["id"])).job != job:
                continue
            try:
                self.desk.store.put(self.desk.fetch(reading.address(event.values["juror"]), digest))
            except NetError as problem:
                # A juror that serves nothing, slowly, must not take up every step of ours.
                self._ask_again_at[digest] = time.monotonic() + REPORT_PAUSE_S
                LOGGER.warning("a report is not to be had: %s", problem)


def _energy_micros(rounds: int, owners: int) -> int:
    # Declared, not measured: one second of a 65 W processor for each owner and round.
    watt_seconds = 65 * rounds * owners
    return -(-watt_seconds * 1_000_000 // 3_600_000)
