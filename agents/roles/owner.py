"""The owner trains on its own rows, once per round, and seals evaluation rows to drawn jurors.

The rows are read by a child process without keys; what leaves is a noised sum of constant size.
An answer is kept before it is sent: to draw fresh noise for the same round would spend the
privacy twice.
"""

import base64
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session, col, select

from agents.net.errors import MessageRefused, NetError, NotYet
from agents.net.mailbox import Outcome
from agents.net.sealed import Binding, seal
from agents.protocols.messages import EvaluationRows, Receipt, TrainingTask, Update, pack_nanos, unpack_nanos
from agents.roles.desk import Desk, Plans
from agents.roles.evidence import sign_leaf
from agents.roles.feed import Feed
from agents.roles.owner_records import PrivacySpent, RoundReceipt, RowsSent, TaskReceived, answer_digest
from agents.roles.plan import plan_digest
from agents.roles.rounds import RoundName
from agents.roles.veto import round_veto
from agents.training.canonical import canonical_json, parse_document
from agents.training.client import TrainingChild
from agents.training.commitment import load_salted
from agents.training.errors import TaskError, TrainingError
from agents.training.federated import RoundRequest
from agents.training.schema import DataSchema
from agents.training.task import parse_task
from governance.domain import evidence, merkle
from governance.domain.market import Address, Kind
from governance.domain.release import Stage
from governance.services import reading

LOGGER = logging.getLogger(__name__)
INLINE_BYTES = 30_000
"""A sealed box up to this size travels in the message, a larger one by its digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFile:
    """A file of rows and its committed root."""

    path: Path
    rows: int
    root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerSetup:
    """What an owner brings."""

    schema: DataSchema
    training: RowFile
    evaluation: tuple[RowFile, ...]
    """In the order in which jobs use them; each is used by one job only."""
    lifetime_epsilon_micros: int


class Owner:
    """Sells local training on its rows, and its evaluation rows."""

    tables = (TaskReceived, PrivacySpent, RoundReceipt, RowsSent)

    def __init__(self, desk: Desk, setup: OwnerSetup, child: TrainingChild) -> None:
        self.desk = desk
        self.setup = setup
        self.child = child
        self._drawn = Feed(desk.chain, "EvaluatorCourt", ["JuryDrawn"])
        self._committed = False
        self._serving = ""
        """Job whose answers the child remembers."""
        self._over: set[tuple[bytes, object]] = set()
        """Cases and juries that need nothing of us any more."""
        self._unsealable: set[tuple[bytes, Address]] = set()
        desk.mailbox.handle(TrainingTask, self._on_task)
        desk.mailbox.handle(Receipt, self._on_receipt)

    def step(self) -> Plans:
        """Commit to the data, answer waiting tasks, send evaluation rows to new jurors."""
        if not self._committed:
            self._commit_data()
        waiting = self._waiting()
        for key in waiting:
            self._answer(key)
        self._serve_juries()
        return Plans(busy="training" if waiting else "")

    def offer(self, kind: Kind) -> tuple[int, bytes]:
        """Return rows and root of what is for sale; evaluation rows that nobody has looked at yet."""
        if kind is Kind.DATA:
            return self.setup.training.rows, self.setup.training.root
        if kind is Kind.EVALUATION_ROWS:
            for rows in self.setup.evaluation:
                if rows.rows and not self.desk.court.looks(rows.root):
                    return rows.rows, rows.root
        return 0, bytes(32)

    def _commit_data(self) -> None:
        registry, training = self.desk.registry, self.setup.training
        if not registry.data_set(training.root).rows:
            registry.commit_training(self.desk.signer, training.root, training.rows)
        for rows in self.setup.evaluation:
            if rows.rows and not registry.data_set(rows.root).rows:
                registry.commit_evaluation(self.desk.signer, rows.root, rows.rows)
        self._committed = True

    def _on_task(self, session: Session, sender: Address, message: TrainingTask) -> Outcome | None:
        job = bytes.fromhex(message.job[2:])
        if self.desk.agreements.job(job).coordinator != sender:
            raise MessageRefused("only the job's coordinator sends its tasks")
        agreement = self.desk.agreements.active(job, Kind.DATA, seller=self.desk.address)
        if agreement is None:
            raise NotYet("no data agreement of ours is in force for this job")
        if self.desk.agreements.active(job, Kind.COMPUTE, seller=message.compute_agent) is None:
            raise MessageRefused("updates go to the job's compute provider only")
        if agreement.data_root != self.setup.training.root:
            raise MessageRefused("the agreement is about other rows")
        self._check_plan(job, message.task_json, agreement.epsilon_micros)
        name = RoundName(candidate=message.candidate, index=message.round_index, kind=message.kind)
        number = name.number(self.desk.agreements.rounds_per_candidate(job))
        if number >= agreement.units:
            raise MessageRefused(f"the agreement has {agreement.units} rounds")
        self._check_turn(session, job, number)
        self._check_law(job, message.task_json)
        self._charge(session, job, agreement.epsilon_micros)
        if session.get(TaskReceived, (job.hex(), number)) is None:
            session.add(
                TaskReceived(
                    job=job.hex(),
                    round_number=number,
                    candidate=message.candidate,
                    round_index=message.round_index,
                    kind=message.kind,
                    task_json=message.task_json,
                    request_json=message.request_json,
                    compute_agent=message.compute_agent,
                )
            )
        return Outcome(after_commit=(self.desk.wake,))

    def _check_turn(self, session: Session, job: bytes, number: int) -> None:
        # A round on chain is over: whoever asks for it again has lost our answer, or we our memory.
        posted = self.desk.market.round_count(job)
        if number < posted:
            raise MessageRefused("this round is on chain already; it is not answered again")
        if number > posted:
            raise NotYet("the round before this one is not on chain")
        before = session.get(TaskReceived, (job.hex(), number - 1))
        if before is not None and before.update and session.get(RoundReceipt, (job.hex(), number - 1)) is None:
            raise NotYet("we hold no receipt for our update in the round before")

    def _check_law(self, job: bytes, task_json: str) -> None:
        # Rules may have changed since the agreement: privacy is not spent on a round that cannot be posted.
        desk, contributors = self.desk, len(parse_task(task_json).owners)
        purposes = desk.agreements.job(job).purposes
        broken = round_veto(desk.policy, purposes=purposes, contributors=contributors, now_s=desk.chain.now_s())
        if broken:
            raise MessageRefused(f"the rules in force forbid this round: {broken}")

    def _check_plan(self, job: bytes, task_json: str, epsilon_micros: int) -> None:
        try:
            task = parse_task(task_json)
        except TrainingError as problem:
            raise MessageRefused(f"the task cannot be read: {problem}") from problem
        if plan_digest(task) != self.desk.agreements.task_digest(job):
            raise MessageRefused("the task is not the one that the job announced on chain")
        if task.budget.epsilon_micros > epsilon_micros:
            raise MessageRefused("the task spends more privacy than the agreement grants")
        if task.budget.delta_e12 > self.desk.agreements.delta_e12(job):
            raise MessageRefused("the task takes a larger delta than the terms that we signed")
        if task.schema.digest != self.setup.schema.digest:
            raise MessageRefused("the task is for tables of another shape")
        mine = {entry.owner: entry.rows for entry in task.owners}.get(self.desk.owner_name(self.desk.address))
        if mine != self.setup.training.rows:
            raise MessageRefused("the task counts our rows wrongly")

    def _charge(self, session: Session, job: bytes, epsilon_micros: int) -> None:
        root = self.setup.training.root.hex()
        rows = session.exec(select(PrivacySpent).where(PrivacySpent.table_root == root)).all()
        if any(row.job == job.hex() for row in rows):
            return
        spent = sum(row.epsilon_micros for row in rows)
        if spent + epsilon_micros > self.setup.lifetime_epsilon_micros:
            raise MessageRefused("the privacy of this table is spent; no round of this job runs")
        session.add(PrivacySpent(table_root=root, job=job.hex(), epsilon_micros=epsilon_micros))

    def _waiting(self) -> list[tuple[str, int]]:
        with self.desk.mailbox.reading() as session:
            rows = session.exec(
                select(TaskReceived).where(col(TaskReceived.update) == "", col(TaskReceived.failed) == "")
            )
            return [(row.job, row.round_number) for row in rows]

    def _answer(self, key: tuple[str, int]) -> None:
        with self.desk.mailbox.reading() as session:
            row = session.get(TaskReceived, key)
        if row is None:
            return
        try:
            packed = pack_nanos(self._train(row))
        except (TrainingError, OverflowError) as problem:
            LOGGER.error("round %s cannot be answered: %s", row.round_number, problem)  # noqa: TRY400 - for the operator
            with self.desk.mailbox.transaction() as session:
                row.failed = str(problem)[:200]
                session.merge(row)
            return
        with self.desk.mailbox.transaction() as session:
            row.update = packed
            session.merge(row)
            self.desk.mailbox.send(session, row.compute_agent, _update_of(self.desk, row))

    def _train(self, row: TaskReceived) -> Sequence[int]:
        task = parse_task(row.task_json)
        if row.job != self._serving:
            # The child remembers answers by the job's name, which two jobs may share; each is paid for.
            self.child.close()
            self._serving = row.job
        if row.kind == "statistics":
            return self.child.statistics(task).values_nanos
        request = RoundRequest.from_json(parse_document(row.request_json, "round request"), task)
        if (request.candidate, request.round) != (row.candidate, row.round_index):
            raise TaskError("the request is for another round than its message says")
        return self.child.update(task, request).values_nanos

    def _on_receipt(self, session: Session, sender: Address, message: Receipt) -> Outcome | None:
        job = bytes.fromhex(message.job[2:])
        if self.desk.agreements.job(job).coordinator != sender:
            raise MessageRefused("receipts come from the job's coordinator")
        answered = session.get(TaskReceived, (job.hex(), message.round_number))
        if answered is None or answer_digest(answered, self.desk.address).hex() != message.update_digest:
            raise MessageRefused("the receipt is for another update than ours")
        leaf = evidence.Leaf(agent=self.desk.address, digest=bytes.fromhex(message.update_digest))
        proof = [bytes.fromhex(node[2:]) for node in message.proof]
        root = self.desk.market.round_root(job, message.round_number)
        if not merkle.verify(root, leaf.hashed(job, message.round_number), proof):
            raise MessageRefused("this proof does not lead to the round's root on chain")
        receipt = RoundReceipt(
            job=job.hex(), round_number=message.round_number, root=root.hex(), proof=json.dumps(list(message.proof))
        )
        session.merge(receipt)
        return None

    def _serve_juries(self) -> None:
        for event in self._drawn.read():
            case = reading.raw(event.values["id"])
            jury = (case, event.values["round"])
            if jury in self._over:
                continue
            with self.desk.mailbox.reading() as session:
                served = {row.juror for row in session.exec(select(RowsSent).where(RowsSent.case == case.hex()))}
            jurors = [reading.address(juror) for juror in reading.items(event.values["jurors"])]
            missing = [juror for juror in jurors if juror not in served]
            if missing and self.desk.court.case(case).stage is Stage.COMMITTING:
                self._send_rows(case, missing)
            else:
                self._over.add(jury)

    def _send_rows(self, case: bytes, jurors: Sequence[Address]) -> None:
        roots = set(self.desk.court.evaluation_roots(case))
        for rows in self.setup.evaluation:
            if rows.root not in roots:
                continue
            plain = canonical_json(load_salted(rows.path, self.setup.schema).to_json())
            for juror in jurors:
                if (case, juror) not in self._unsealable:
                    self._try_to_seal(juror, case, rows, plain)

    def _try_to_seal(self, juror: Address, case: bytes, rows: RowFile, plain: bytes) -> None:
        try:
            self._seal_to(juror, case, rows, plain)
        except NetError as problem:
            # A juror whose key takes no box must not keep the others waiting.
            LOGGER.warning("no rows for juror %s: %s", juror, problem)
            self._unsealable.add((case, juror))

    def _seal_to(self, juror: Address, case: bytes, rows: RowFile, plain: bytes) -> None:
        key = self.desk.registry.agent(juror).encryption_key
        binding = Binding(case_id=case, sender=self.desk.address, recipient=juror)
        box = seal(plain, recipient_key=key, binding=binding)
        inline = len(box) <= INLINE_BYTES
        message = EvaluationRows(
            msg_id=f"rows:{case.hex()[:16]}:{rows.root.hex()[:16]}",
            case_id="0x" + case.hex(),
            evaluation_root="0x" + rows.root.hex(),
            ciphertext=base64.b64encode(box).decode() if inline else "",
            artifact="" if inline else self.desk.store.put(box),
        )
        with self.desk.mailbox.transaction() as session:
            self.desk.mailbox.send(session, juror, message)
            session.merge(RowsSent(case=case.hex(), juror=juror))


def _update_of(desk: Desk, row: TaskReceived) -> Update:
    leaf = sign_leaf(desk, bytes.fromhex(row.job), row.round_number, answer_digest(row, desk.address))
    return Update(
        msg_id=f"update:{row.job[:16]}:{row.round_number}",
        job="0x" + row.job,
        candidate=row.candidate,
        round_index=row.round_index,
        kind=row.kind,
        update_nanos=pack_nanos(unpack_nanos(row.update)),
        signature="0x" + leaf.signature.hex(),
    )
