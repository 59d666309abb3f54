"""The rounds of a job: asks the owners, takes the compute provider's sum, anchors it, sends receipts."""

import json
import logging
from collections.abc import Sequence

from sqlmodel import Session, col, select

from agents.net.errors import MessageRefused
from agents.net.mailbox import Outcome
from agents.protocols.messages import Aggregate, AggregateTask, Receipt, SignedReceipt, TrainingTask, unpack_nanos
from agents.roles.desk import Desk, Plans
from agents.roles.evidence import is_signed, keep_round, ledger_of
from agents.roles.job_runs import JobRun, RoundRun
from agents.roles.jobs import JobFile
from agents.roles.rounds import RoundName, name_round
from agents.roles.veto import Unlawful, round_veto
from agents.training.canonical import canonical_json
from agents.training.errors import TaskError
from agents.training.federated import RoundRequest, aggregate, check_update
from agents.training.preprocessing import Preprocessing, check_statistics, derive_preprocessing
from agents.training.replay import RoundTotal, replay_rounds
from agents.training.task import OwnerRows
from agents.training.task import TrainingTask as Task
from governance.domain import evidence
from governance.domain.market import Address, Kind
from governance.domain.receipt import UpdateReceipt
from governance.errors import FolkmootError, InvalidRecord
from governance.services.market import AgreementRecord, AgreementState

LOGGER = logging.getLogger(__name__)
RECEIPT_S = 86_400
"""Chain time within which an acknowledged update stands in its round."""
ROUND_S = 30
"""Chain time that a round waits for a silent owner."""


class WrongSum(FolkmootError):
    """The compute provider's evidence contradicts itself or the task; no waiting mends that."""


class TrainingRounds:
    """Drives the rounds of a coordinator's jobs."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        desk.mailbox.handle(Aggregate, self._on_aggregate)

    def active(self, job: bytes) -> list[AgreementRecord]:
        """Return the agreements of a job that are in force."""
        return [a for a in self.desk.agreements.of(job) if a.state is AgreementState.ACTIVE]

    def task(self, job: bytes, file: JobFile) -> Task:
        """Return the task with the owners whose data the job bought."""
        data = [a for a in self.desk.agreements.of(job) if a.kind is Kind.DATA]
        return file.task(tuple(OwnerRows(self.desk.owner_name(a.seller), a.rows) for a in data))

    def drive(self, run: JobRun, file: JobFile, number: int) -> Plans:
        """Open the round of this number, or post it once its sum is there.

        Raises
        ------
        ContractRefused
            If the chain does not take the round.
        WrongSum
            If the sum can never be posted.
        Unlawful
            If the rules in force forbid it.
        """
        name = name_round(number, file.rounds_per_candidate)
        task = self.task(bytes.fromhex(run.job), file)
        if not self.is_kept(run, task, number - 1):
            return Plans(busy=f"{run.name}: waiting for the evidence of round {number - 1}")
        with self.desk.mailbox.reading() as session:
            row = session.get(RoundRun, (run.job, number))
        if row is None:
            self._open_round(run, task, name, file.rounds_per_candidate)
        elif row.leaves and not row.posted:
            return self._close_round(run, row, task)
        return Plans(busy=f"{run.name}: round {number}")

    def is_kept(self, run: JobRun, task: Task, number: int) -> bool:
        """Say whether a round that is on chain is in our tables, too; put it there if we were killed in between.

        Without its sum the next weights, or the candidate, would be wrong; without its receipts
        nobody answers again.
        """
        with self.desk.mailbox.reading() as session:
            row = session.get(RoundRun, (run.job, number))
        if row is not None and not row.posted:
            self._close_round(run, row, task)
        return row is None or row.posted

    def _open_round(self, run: JobRun, task: Task, name: RoundName, rounds_per_candidate: int) -> None:
        job, number = bytes.fromhex(run.job), name.number(rounds_per_candidate)
        active = self.active(job)
        compute = next(a.seller for a in active if a.kind is Kind.COMPUTE)
        owners = self._owners(run, number, [a.seller for a in active if a.kind is Kind.DATA])
        self._require_lawful(job, number, contributors=len(owners))
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

    def _require_lawful(self, job: bytes, number: int, *, contributors: int) -> None:
        """Stop a round that the ledger would refuse, before it costs anybody's privacy or gas."""
        desk = self.desk
        purposes = desk.agreements.job(job).purposes
        broken = round_veto(desk.policy, purposes=purposes, contributors=contributors, now_s=desk.chain.now_s())
        if broken:
            raise Unlawful(f"round {number} with {contributors} owners, by the rules in force now: {broken}")

    def _owners(self, run: JobRun, number: int, sellers: list[Address]) -> list[Address]:
        # An owner that was silent in the last round is not waited for again.
        with self.desk.mailbox.reading() as session:
            last = session.get(RoundRun, (run.job, number - 1))
        if last is None:
            return sellers
        answered = {leaf["owner"] for leaf in json.loads(last.leaves)}
        return [owner for owner in sellers if owner in answered]

    def _request(self, run: JobRun, task: Task, name: RoundName) -> RoundRequest:
        totals = self.totals(run, task, name.candidate)
        state = replay_rounds(task, totals, candidate=name.candidate)
        return RoundRequest(
            candidate=name.candidate,
            round=name.index,
            weights_nanos=state.weights_nanos,
            preprocessing=self.preprocessing(run, task),
        )

    def rows(self, run: JobRun) -> list[RoundRun]:
        """Return the rounds that are posted, in order."""
        with self.desk.mailbox.reading() as session:
            found = session.exec(select(RoundRun).where(RoundRun.job == run.job).order_by(col(RoundRun.number)))
            return [row for row in found if row.posted]

    def names(self, row: RoundRun) -> tuple[str, ...]:
        """Return the owners behind a round's sum, as the task names them."""
        return tuple(self.desk.owner_name(leaf["owner"]) for leaf in json.loads(row.leaves))

    def totals(self, run: JobRun, task: Task, candidate: int) -> list[RoundTotal]:
        """Return the sums of a candidate's rounds so far."""
        rounds = task.candidate(candidate).rounds
        wanted = range(1 + candidate * rounds, 1 + (candidate + 1) * rounds)
        rows = [row for row in self.rows(run) if row.number in wanted]
        return [RoundTotal(owners=self.names(row), total_nanos=unpack_nanos(row.sum_packed)) for row in rows]

    def preprocessing(self, run: JobRun, task: Task) -> Preprocessing:
        """Return what the statistics round gave."""
        first = self.rows(run)[0]
        return derive_preprocessing(unpack_nanos(first.sum_packed), task, owners=self.names(first))

    def _on_aggregate(self, session: Session, sender: Address, message: Aggregate) -> Outcome | None:
        job = bytes.fromhex(message.job[2:])
        name = RoundName(candidate=message.candidate, index=message.round_index, kind=message.kind)
        row = session.get(RoundRun, (job.hex(), name.number(self.desk.agreements.rounds_per_candidate(job))))
        if row is None or row.compute != sender:
            raise MessageRefused("this round was not given to the sender")
        named = [leaf.owner for leaf in message.leaves]
        if not named or len(set(named)) < len(named) or not set(named) <= set(json.loads(row.owners)):
            raise MessageRefused("the sum names nobody, somebody twice, or owners that were not asked")
        if not row.leaves:
            row.sum_packed, row.signature = message.sum_nanos, message.signature
            row.leaves = json.dumps(
                [
                    {"owner": leaf.owner, "digest": leaf.update_digest, "signature": leaf.signature}
                    for leaf in message.leaves
                ]
            )
            self._require_signed(job, row)
            session.add(row)
            self._acknowledge(session, job, row)
        return Outcome(after_commit=(self.desk.wake,))

    def _require_signed(self, job: bytes, row: RoundRun) -> None:
        """Refuse work that its agents could deny: we post it."""
        ledger, owners = ledger_of(self.desk), _owners_leaves(row)
        own = _providers_leaf(row, evidence.digest(_sum_document(job, row, owners)))
        for leaf in (*owners, own):
            if not is_signed(leaf, job, row.number, ledger):
                raise MessageRefused(f"{leaf.agent} did not sign its leaf of round {row.number}")

    def _acknowledge(self, session: Session, job: bytes, row: RoundRun) -> None:
        """Sign for every update in the sum, before the round is posted: from here on leaving one out costs us."""
        domain = ledger_of(self.desk)
        deadline_s = self.desk.chain.now_s() + RECEIPT_S
        for leaf in json.loads(row.leaves):
            receipt = UpdateReceipt(
                job=job,
                round_number=row.number,
                owner=leaf["owner"],
                digest=bytes.fromhex(leaf["digest"]),
                deadline_s=deadline_s,
            )
            message = SignedReceipt(
                msg_id=f"signed:{row.job[:16]}:{row.number}",
                job="0x" + row.job,
                round_number=row.number,
                update_digest=leaf["digest"],
                deadline_s=deadline_s,
                signature="0x" + self.desk.signer.sign_digest(receipt.signed_digest(domain)).hex(),
            )
            self.desk.mailbox.send(session, leaf["owner"], message)

    def _close_round(self, run: JobRun, row: RoundRun, task: Task) -> Plans:
        job = bytes.fromhex(row.job)
        try:
            proof = self._round_evidence(row, task)
        except (WrongSum, Unlawful):
            raise
        except FolkmootError as problem:
            LOGGER.warning("round %s is not posted: %s", row.number, problem)
            return Plans(busy=f"{run.name}: waiting for the evidence of round {row.number}")
        if self.desk.market.round_count(job) == row.number:
            leaves = len(proof.leaves)
            self._require_lawful(job, row.number, contributors=leaves - 1)
            self.desk.market.post_round(self.desk.signer, job, row.number, root=proof.root(), leaves=leaves)
        with self.desk.mailbox.transaction() as session:
            keep_round(self.desk, session, proof)
            row.posted = True
            session.merge(row)
            self._send_receipts(session, proof)
        return Plans(busy=f"{run.name}: round {row.number} is posted")

    def _round_evidence(self, row: RoundRun, task: Task) -> evidence.RoundEvidence:
        job, leaves, updates = bytes.fromhex(row.job), _owners_leaves(row), []
        for leaf in leaves:
            document = self.desk.fetch(row.compute, leaf.digest)
            updates.append(_update_in(document, job, row.number, leaf.agent))
            self._check(updates[-1], task, row, leaf.agent)
            self.desk.store.put(document)
        if aggregate(updates) != unpack_nanos(row.sum_packed):
            raise WrongSum(f"round {row.number}: the updates do not add up to the sum")
        own = _providers_leaf(row, bytes.fromhex(self.desk.store.put(_sum_document(job, row, leaves))))
        return evidence.RoundEvidence(job=job, round_number=row.number, leaves=(*leaves, own))

    def _check(self, update: tuple[int, ...], task: Task, row: RoundRun, owner: Address) -> None:
        try:
            if row.number == 0:
                check_statistics(update, task, owner=self.desk.owner_name(owner))
            else:
                candidate = name_round(row.number, task.candidates[0].rounds).candidate
                check_update(update, task, candidate=candidate, owner=self.desk.owner_name(owner))
        except TaskError as problem:
            raise WrongSum(f"round {row.number}: {problem}") from problem

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


def _owners_leaves(row: RoundRun) -> list[evidence.Leaf]:
    return [
        evidence.Leaf(
            agent=entry["owner"],
            digest=bytes.fromhex(entry["digest"]),
            signature=bytes.fromhex(entry["signature"][2:]),
        )
        for entry in json.loads(row.leaves)
    ]


def _providers_leaf(row: RoundRun, digest: bytes) -> evidence.Leaf:
    return evidence.Leaf(agent=row.compute, digest=digest, signature=bytes.fromhex(row.signature[2:]))


def _sum_document(job: bytes, row: RoundRun, owners: Sequence[evidence.Leaf]) -> bytes:
    total = unpack_nanos(row.sum_packed)
    return evidence.aggregate_document(job, row.number, row.compute, sum_nanos=total, owners=owners)


def _update_in(document: bytes, job: bytes, number: int, owner: Address) -> tuple[int, ...]:
    try:
        values = evidence.numbers(evidence.read_document(document, "update").get("update_nanos"))
    except InvalidRecord as problem:
        raise WrongSum(f"round {number}: the document behind the leaf of {owner} is no update: {problem}") from problem
    if evidence.update_document(job, number, owner, values) != document:
        raise WrongSum(f"round {number}: the update of {owner} is not what its leaf says")
    return tuple(values)
