"""The coordinator: opens a job, buys, runs the rounds, submits candidates in order, proposes.

What it knows lies on chain, in its store and in its tables, so it can be killed anywhere: each
step looks at how far a job is and does the one next thing.
"""

import json
import logging
from dataclasses import asdict
from pathlib import Path

from sqlmodel import Field, Session, SQLModel, col, select

from agents.net.errors import MessageRefused, NetError
from agents.net.mailbox import Outcome
from agents.protocols.messages import (
    Aggregate,
    AggregateTask,
    EvaluationReport,
    Receipt,
    TrainingTask,
    unpack_nanos,
)
from agents.roles.buying import Purchases
from agents.roles.desk import Desk, Plans, merge
from agents.roles.evidence import keep_round
from agents.roles.feed import Feed
from agents.roles.jobs import JobFile
from agents.roles.plan import plan_digest, plan_document
from agents.roles.rounds import RoundName, name_round
from agents.training.canonical import canonical_json
from agents.training.client import TrainingChild
from agents.training.errors import TrainingError
from agents.training.federated import RoundRequest
from agents.training.metrics import metric_code_digest
from agents.training.preprocessing import Preprocessing, derive_preprocessing
from agents.training.replay import RoundTotal, replay_rounds
from agents.training.task import OwnerRows
from agents.training.task import TrainingTask as Task
from governance.domain import evidence
from governance.domain.market import Address, AggregationPrivacy, IntegrationMode, JobTerms, Kind, PrivacyUnit
from governance.domain.release import Manifest, Stage, Status
from governance.errors import ContractRefused, FolkmootError
from governance.services import reading
from governance.services.market import AgreementRecord, AgreementState, JobState
from governance.services.releases import ReleaseRecord

LOGGER = logging.getLogger(__name__)
ROUND_S = 30
"""Chain time that a round waits for a silent owner."""
LEAST_OWNERS = 3
APPROVAL_DAYS_S = 40 * 86_400
"""From the proposal; delay, voting, extension and timelock take nine days."""


class JobRun(SQLModel, table=True):
    """One job of ours."""

    __tablename__ = "coordinator_job"

    name: str = Field(primary_key=True)
    job: str
    file: str
    terms: str
    state: str = "bargaining"
    note: str = ""


class RoundRun(SQLModel, table=True):
    """One round of a job: who was asked, and what came back."""

    __tablename__ = "coordinator_round"

    job: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    owners: str
    """JSON list of addresses."""
    compute: str
    sum_packed: str = ""
    leaves: str = ""
    """JSON list of owner and update digest."""
    posted: bool = False


class Coordinator:
    """Buys data, rows, compute and evaluation, and brings a job to a decision."""

    tables = (JobRun, RoundRun)

    def __init__(self, desk: Desk, purchases: Purchases, child: TrainingChild) -> None:
        self.desk = desk
        self.purchases = purchases
        self.child = child
        self._reveals = Feed(desk.chain, "EvaluatorCourt", ["Revealed"])
        desk.mailbox.handle(Aggregate, self._on_aggregate)
        desk.mailbox.handle(EvaluationReport, self._on_report)

    def step(self) -> Plans:
        """Take up new job files and bring every job one step further."""
        self._take_up_files()
        with self.desk.mailbox.reading() as session:
            runs = list(session.exec(select(JobRun).where(JobRun.state != "ended")))
        return merge([self._advance(run) for run in runs])

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
                LOGGER.error("%s is not started: %s", path.name, problem)  # noqa: TRY400 - a sentence for the operator
                path.rename(path.with_suffix(".refused"))
                continue
            with self.desk.mailbox.transaction() as session:
                if session.get(JobRun, job.name) is None:
                    session.add(self._new_run(job, path))

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
            deadline_s=self.desk.chain.now_s() + job.deadline_s,
            nonce=secrets.randbits(63),
        )
        key = self.desk.market.job_id(terms).hex()
        return JobRun(name=job.name, job=key, file=str(path), terms=_pack_terms(terms))

    def _advance(self, run: JobRun) -> Plans:
        job = bytes.fromhex(run.job)
        file = JobFile.read(Path(run.file), self.desk.policy)
        record = self.desk.market.job(job)
        if record.state is JobState.NONE:
            self.desk.market.open_job(self.desk.signer, _unpack_terms(run.terms))
            record = self.desk.market.job(job)
        if record.state is JobState.FINISHED or self.desk.chain.now_s() > record.deadline_s:
            self._collect_reports(job)
            return self._end(run, "finished" if record.state is JobState.FINISHED else "the deadline passed")
        if run.state == "bargaining":
            if not self.purchases.buy(job, _unpack_terms(run.terms)):
                return Plans(busy=f"{run.name}: bargaining")
            missing = self._missing(job)
            if missing:
                return self._end(run, f"not enough was bought: {missing}")
            self._set_state(run, "training")
        return self._decide(run, file)

    def _missing(self, job: bytes) -> str:
        found = self._active(job)
        needs = {Kind.DATA: LEAST_OWNERS, Kind.EVALUATION_ROWS: 1, Kind.COMPUTE: 1}
        lacks = [kind.word for kind, least in needs.items() if sum(a.kind is kind for a in found) < least]
        return ", ".join(lacks)

    def _decide(self, run: JobRun, file: JobFile) -> Plans:
        job = bytes.fromhex(run.job)
        releases = [self.desk.releases.release(key) for key in self.desk.releases.releases_of(job)]
        if releases and releases[-1].status is Status.CANDIDATE:
            return self._shepherd(run, releases[-1])
        index = len(releases)
        posted = self.desk.market.round_count(job)
        if posted < 1 + file.rounds_per_candidate * (index + 1):
            return self._round(run, file, posted)
        try:
            self._submit(run, file, index)
        except TrainingError as problem:
            return self._end(run, f"candidate {index} cannot be built: {problem}")
        return Plans(busy=f"{run.name}: candidate {index} is submitted")

    def _end(self, run: JobRun, note: str) -> Plans:
        LOGGER.info("%s ends: %s", run.name, note)
        self._set_state(run, "ended", note=note)
        return Plans()

    def _set_state(self, run: JobRun, state: str, *, note: str = "") -> None:
        with self.desk.mailbox.transaction() as session:
            run.state, run.note = state, note
            session.merge(run)

    # -- rounds

    def _active(self, job: bytes) -> list[AgreementRecord]:
        return [a for a in self.desk.agreements.of(job) if a.state is AgreementState.ACTIVE]

    def _task(self, job: bytes, file: JobFile) -> Task:
        data = [a for a in self.desk.agreements.of(job) if a.kind is Kind.DATA]
        return file.task(tuple(OwnerRows(self.desk.owner_name(a.seller), a.rows) for a in data))

    def _round(self, run: JobRun, file: JobFile, number: int) -> Plans:
        name = name_round(number, file.rounds_per_candidate)
        with self.desk.mailbox.reading() as session:
            row = session.get(RoundRun, (run.job, number))
            last = session.get(RoundRun, (run.job, number - 1))
        if last is not None and not last.posted:
            # We were killed after the posting and before the receipts.
            self._close_round(run, last)
        if row is None:
            self._open_round(run, file, name)
        elif row.leaves and not row.posted:
            return self._close_round(run, row)
        return Plans(busy=f"{run.name}: round {number}")

    def _open_round(self, run: JobRun, file: JobFile, name: RoundName) -> None:
        job, number = bytes.fromhex(run.job), name.number(file.rounds_per_candidate)
        task = self._task(job, file)
        active = self._active(job)
        compute = next(a.seller for a in active if a.kind is Kind.COMPUTE)
        owners = self._owners(run, number, [a.seller for a in active if a.kind is Kind.DATA])
        request = "" if name.kind == "statistics" else canonical_json(self._request(run, task, name).to_json()).decode()
        deadline = self.desk.chain.now_s() + ROUND_S
        task_json = canonical_json(task.to_json()).decode()
        common = {"job": "0x" + run.job, "candidate": name.candidate, "round_index": name.index, "kind": name.kind}
        with self.desk.mailbox.transaction() as session:
            session.add(RoundRun(job=run.job, number=number, owners=json.dumps(owners), compute=compute))
            opening = AggregateTask(
                msg_id=f"sum:{run.job[:16]}:{number}", owners=owners, task_json=task_json, deadline_s=deadline, **common
            )
            self.desk.mailbox.send(session, compute, opening)
            for owner in owners:
                message = TrainingTask(
                    msg_id=f"task:{run.job[:16]}:{number}",
                    task_json=task_json,
                    request_json=request,
                    compute_agent=compute,
                    deadline_s=deadline,
                    **common,
                )
                self.desk.mailbox.send(session, owner, message)

    def _owners(self, run: JobRun, number: int, sellers: list[Address]) -> list[Address]:
        # An owner that was silent in the last round is not waited for again.
        with self.desk.mailbox.reading() as session:
            last = session.get(RoundRun, (run.job, number - 1))
        if last is None:
            return sellers
        answered = {leaf["owner"] for leaf in json.loads(last.leaves)}
        return [owner for owner in sellers if owner in answered]

    def _request(self, run: JobRun, task: Task, name: RoundName) -> RoundRequest:
        totals = self._totals(run, task, name.candidate)
        state = replay_rounds(task, totals, candidate=name.candidate)
        return RoundRequest(
            candidate=name.candidate,
            round=name.index,
            weights_nanos=state.weights_nanos,
            preprocessing=self._preprocessing(run, task),
        )

    def _rows(self, run: JobRun) -> list[RoundRun]:
        with self.desk.mailbox.reading() as session:
            found = session.exec(select(RoundRun).where(RoundRun.job == run.job).order_by(col(RoundRun.number)))
            return [row for row in found if row.posted]

    def _names(self, row: RoundRun) -> tuple[str, ...]:
        return tuple(self.desk.owner_name(leaf["owner"]) for leaf in json.loads(row.leaves))

    def _totals(self, run: JobRun, task: Task, candidate: int) -> list[RoundTotal]:
        rounds = task.candidate(candidate).rounds
        wanted = range(1 + candidate * rounds, 1 + (candidate + 1) * rounds)
        rows = [row for row in self._rows(run) if row.number in wanted]
        return [RoundTotal(owners=self._names(row), total_nanos=unpack_nanos(row.sum_packed)) for row in rows]

    def _preprocessing(self, run: JobRun, task: Task) -> Preprocessing:
        first = self._rows(run)[0]
        return derive_preprocessing(unpack_nanos(first.sum_packed), task, owners=self._names(first))

    def _on_aggregate(self, session: Session, sender: Address, message: Aggregate) -> Outcome | None:
        job = bytes.fromhex(message.job[2:])
        name = RoundName(candidate=message.candidate, index=message.round_index, kind=message.kind)
        row = session.get(RoundRun, (job.hex(), name.number(self.desk.agreements.rounds_per_candidate(job))))
        if row is None or row.compute != sender:
            raise MessageRefused("this round was not given to the sender")
        if not {leaf.owner for leaf in message.leaves} <= set(json.loads(row.owners)):
            raise MessageRefused("the sum names owners that were not asked")
        if not row.leaves:
            row.sum_packed = message.sum_nanos
            row.leaves = json.dumps([{"owner": leaf.owner, "digest": leaf.update_digest} for leaf in message.leaves])
            session.add(row)
        return Outcome(after_commit=(self.desk.wake,))

    def _close_round(self, run: JobRun, row: RoundRun) -> Plans:
        job = bytes.fromhex(row.job)
        try:
            proof = self._round_evidence(row)
        except (NetError, FolkmootError) as problem:
            LOGGER.warning("round %s is not posted: %s", row.number, problem)
            return Plans(busy=f"{run.name}: waiting for the evidence of round {row.number}")
        if self.desk.market.round_count(job) == row.number:
            leaves = len(proof.leaves)
            try:
                self.desk.market.post_round(self.desk.signer, job, row.number, root=proof.root(), leaves=leaves)
            except ContractRefused as refusal:
                return self._end(run, f"round {row.number} was refused: {refusal}")
        with self.desk.mailbox.transaction() as session:
            keep_round(self.desk, session, proof)
            row.posted = True
            session.merge(row)
            self._send_receipts(session, proof)
        return Plans(busy=f"{run.name}: round {row.number} is posted")

    def _round_evidence(self, row: RoundRun) -> evidence.RoundEvidence:
        job, leaves, total = bytes.fromhex(row.job), [], None
        for entry in json.loads(row.leaves):
            digest = bytes.fromhex(entry["digest"])
            document = self.desk.fetch(row.compute, digest)
            values = evidence.numbers(evidence.read_document(document, "update")["update_nanos"])
            if evidence.update_document(job, row.number, entry["owner"], values) != document:
                raise MessageRefused(f"the update of {entry['owner']} is not what its leaf says")
            total = values if total is None else [a + b for a, b in zip(total, values, strict=True)]
            self.desk.store.put(document)
            leaves.append(evidence.Leaf(agent=entry["owner"], digest=digest))
        if tuple(total or ()) != unpack_nanos(row.sum_packed):
            raise MessageRefused("the updates do not add up to the sum")
        document = evidence.aggregate_document(
            job, row.number, row.compute, sum_nanos=unpack_nanos(row.sum_packed), owners=leaves
        )
        own = evidence.Leaf(agent=row.compute, digest=bytes.fromhex(self.desk.store.put(document)))
        return evidence.RoundEvidence(job=job, round_number=row.number, leaves=(*leaves, own))

    def _send_receipts(self, session: Session, proof: evidence.RoundEvidence) -> None:
        for leaf in proof.leaves[:-1]:
            _, siblings = proof.proof(leaf.agent)
            message = Receipt(
                msg_id=f"receipt:{proof.job.hex()[:16]}:{proof.round_number}",
                job="0x" + proof.job.hex(),
                round_number=proof.round_number,
                update_digest=leaf.digest.hex(),
                round_root="0x" + proof.root().hex(),
                proof=["0x" + node.hex() for node in siblings],
            )
            self.desk.mailbox.send(session, leaf.agent, message)

    # -- candidates

    def _submit(self, run: JobRun, file: JobFile, index: int) -> None:
        job = bytes.fromhex(run.job)
        task = self._task(job, file)
        totals = self._totals(run, task, index)
        state = replay_rounds(task, totals, candidate=index)
        names = tuple(entry.owner for entry in task.owners)
        artifact, card = self.child.build_artifact(
            task,
            candidate=index,
            weights_nanos=state.weights_nanos,
            preprocessing=self._preprocessing(run, task),
            statistics_owners=self._names(self._rows(run)[0]),
            owners_per_round=[total.owners for total in totals],
            seeded_owners=names if file.seeded_noise else (),
        )
        cited = [a.id for a in self._active(job) if a.kind in {Kind.DATA, Kind.EVALUATION_ROWS}]
        self.desk.store.put(canonical_json(task.to_json()))
        manifest = Manifest(
            job=job,
            candidate=file.candidates[index].name,
            candidate_index=index,
            artifact=bytes.fromhex(self.desk.store.put(artifact)),
            card=bytes.fromhex(self.desk.store.put(card)),
            licences=file.licences,
            agreements=tuple(cited),
            declared=(("energy_kwh", _energy_micros(len(totals), len(names))),),
        )
        self.desk.releases.submit(self.desk.signer, manifest)

    def _shepherd(self, run: JobRun, release: ReleaseRecord) -> Plans:
        if self.desk.court.case(release.id).stage is not Stage.FINAL:
            return Plans()
        self._collect_reports(release.job)
        if not release.proposal_id:
            self._propose(run, release)
        return Plans()

    def _propose(self, run: JobRun, release: ReleaseRecord) -> None:
        approval = self.desk.governor.approval(
            release,
            policy_hash=self.desk.releases.policy_hash(),
            facts_hash=self.desk.releases.facts_hash(release.id),
            deadline_s=self.desk.chain.now_s() + APPROVAL_DAYS_S,
        )
        name = _unpack_terms(run.terms).candidates[release.candidate_index]
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
            case = reading.raw(event.values["id"])
            digest = reading.raw(event.values["report"])
            if self.desk.court.case(case).job != job or self._has(digest):
                continue
            try:
                self.desk.store.put(self.desk.fetch(reading.address(event.values["juror"]), digest))
            except NetError as problem:
                LOGGER.warning("a report is not to be had: %s", problem)


def _energy_micros(rounds: int, owners: int) -> int:
    # Declared, not measured: one second of a 65 W processor for each owner and round.
    watt_seconds = 65 * rounds * owners
    return -(-watt_seconds * 1_000_000 // 3_600_000)


def _pack_terms(terms: JobTerms) -> str:
    values = asdict(terms)
    return json.dumps({k: v.hex() if isinstance(v, bytes) else v for k, v in values.items()})


def _unpack_terms(text: str) -> JobTerms:
    values = json.loads(text)
    return JobTerms(
        **{
            **values,
            "privacy_unit": PrivacyUnit(values["privacy_unit"]),
            "aggregation_privacy": AggregationPrivacy(values["aggregation_privacy"]),
            "integration_mode": IntegrationMode(values["integration_mode"]),
            "task": bytes.fromhex(values["task"]),
            "metric_code": bytes.fromhex(values["metric_code"]),
            "candidates": tuple(values["candidates"]),
        }
    )
