"""The compute provider adds the owners' updates up and says whose are in the sum.

It sees noised sums only, checks each against the signed task, and keeps the documents that stand
behind every leaf, so that anybody can add them up again.
"""

import json
import logging

from sqlmodel import Field, Session, SQLModel, col, select

from agents.net.errors import MessageRefused, NotYet
from agents.net.mailbox import Outcome
from agents.protocols.messages import Aggregate, AggregateTask, Leaf, Update, pack_nanos, unpack_nanos
from agents.roles.desk import Desk, Plans, each, merge
from agents.roles.evidence import is_signed, keep_round, ledger_of, sign_leaf
from agents.roles.plan import plan_digest
from agents.roles.rounds import RoundName
from agents.training.errors import TaskError, TrainingError
from agents.training.federated import aggregate, check_update
from agents.training.preprocessing import check_statistics
from agents.training.task import TrainingTask, parse_task
from governance.domain import evidence
from governance.domain.market import Address, Kind

LOGGER = logging.getLogger(__name__)


class OpenRound(SQLModel, table=True):
    """A round that a coordinator asked us to add up."""

    __tablename__ = "compute_round"

    job: str = Field(primary_key=True)
    round_number: int = Field(primary_key=True)
    coordinator: str
    candidate: int
    round_index: int
    kind: str
    owners: str
    """JSON list of addresses."""
    task_json: str
    deadline_s: int
    closed: bool = False


class HeldUpdate(SQLModel, table=True):
    """An owner's update, waiting for the others."""

    __tablename__ = "compute_update"

    job: str = Field(primary_key=True)
    round_number: int = Field(primary_key=True)
    owner: str = Field(primary_key=True)
    packed: str
    signature: str
    """Of the owner over its leaf, as the message brought it."""


class Compute:
    """Sells aggregation."""

    tables = (OpenRound, HeldUpdate)

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        desk.mailbox.handle(AggregateTask, self._on_task)
        desk.mailbox.handle(Update, self._on_update)

    def step(self) -> Plans:
        """Close every round that is complete or late."""
        now_s = self.desk.chain.now_s()
        with self.desk.mailbox.reading() as session:
            rounds = list(session.exec(select(OpenRound).where(col(OpenRound.closed).is_(False))))
        return merge(each(rounds, lambda row: self._close_if_due(row, now_s), name=lambda row: f"sum {row.job[:8]}"))

    def _on_task(self, session: Session, sender: Address, message: AggregateTask) -> Outcome | None:
        job = bytes.fromhex(message.job[2:])
        if self.desk.agreements.job(job).coordinator != sender:
            raise MessageRefused("only the job's coordinator opens its rounds")
        if self.desk.agreements.active(job, Kind.COMPUTE, seller=self.desk.address) is None:
            raise NotYet("no agreement of ours is in force for this job")
        self._check_plan(job, message.task_json)
        number = self._number(job, message)
        if session.get(OpenRound, (job.hex(), number)) is not None:
            # Summed anew over other owners it would take the place of what is posted, and of its proofs.
            raise MessageRefused("this round was opened before")
        session.add(
            OpenRound(
                job=job.hex(),
                round_number=number,
                coordinator=sender,
                candidate=message.candidate,
                round_index=message.round_index,
                kind=message.kind,
                owners=json.dumps(list(message.owners)),
                task_json=message.task_json,
                deadline_s=message.deadline_s,
            )
        )
        return Outcome(after_commit=(self.desk.wake,))

    def _check_plan(self, job: bytes, task_json: str) -> None:
        try:
            digest = plan_digest(parse_task(task_json))
        except TrainingError as problem:
            raise MessageRefused(f"the task cannot be read: {problem}") from problem
        if digest != self.desk.agreements.task_digest(job):
            raise MessageRefused("the task is not the one that the job announced on chain")

    def _on_update(self, session: Session, sender: Address, message: Update) -> Outcome | None:
        # It may come before the coordinator opens the round; whether it fits is judged at the sum.
        job = bytes.fromhex(message.job[2:])
        if self.desk.agreements.active(job, Kind.DATA, seller=sender) is None:
            raise MessageRefused("the sender has no data agreement in force for this job")
        number = self._number(job, message)
        row = session.get(OpenRound, (job.hex(), number))
        if row is not None and row.closed:
            raise MessageRefused("this round is closed")
        if not self._is_signed(job, number, sender, message):
            raise MessageRefused("the update is not signed by its owner")
        if session.get(HeldUpdate, (job.hex(), number, sender)) is None:
            session.add(
                HeldUpdate(
                    job=job.hex(),
                    round_number=number,
                    owner=sender,
                    packed=message.update_nanos,
                    signature=message.signature,
                )
            )
        return Outcome(after_commit=(self.desk.wake,))

    def _is_signed(self, job: bytes, number: int, owner: Address, message: Update) -> bool:
        """Whether its owner could not deny an update: else whoever adds it up answers for it alone."""
        document = evidence.update_document(job, number, owner, unpack_nanos(message.update_nanos))
        leaf = evidence.Leaf(
            agent=owner, digest=evidence.digest(document), signature=bytes.fromhex(message.signature[2:])
        )
        return is_signed(leaf, job, number, ledger_of(self.desk))

    def _number(self, job: bytes, message: AggregateTask | Update) -> int:
        record, name = self.desk.agreements.job(job), _name_of(message)
        is_update = message.kind == "update"
        if is_update and not (name.candidate < record.candidates and name.index < record.rounds_per_candidate):
            raise MessageRefused("the job has no such round")
        return name.number(record.rounds_per_candidate)

    def _close_if_due(self, row: OpenRound, now_s: int) -> Plans:
        owners, late = json.loads(row.owners), now_s > row.deadline_s
        held = self._sound_updates(row, owners)
        if len(held) < len(owners) and not (late and held):
            # Nobody waits for the owners of a late round; should one answer yet, it is summed.
            return Plans() if late else Plans(busy="adding up a round", due_at_s=row.deadline_s + 1)
        with self.desk.mailbox.transaction() as session:
            message = self._add_up(session, row, held)
            self.desk.mailbox.send(session, row.coordinator, message)
            row.closed = True
            session.merge(row)
        return Plans()

    def _sound_updates(self, row: OpenRound, owners: list[Address]) -> dict[Address, HeldUpdate]:
        task = parse_task(row.task_json)
        found = {}
        statement = select(HeldUpdate).where(HeldUpdate.job == row.job, HeldUpdate.round_number == row.round_number)
        with self.desk.mailbox.reading() as session:
            updates = list(session.exec(statement))
        for update in updates:
            try:
                if update.owner in owners:
                    _check(unpack_nanos(update.packed), task, row, self.desk.owner_name(update.owner))
                    found[update.owner] = update
            except TaskError as problem:
                LOGGER.warning("left out of round %s: %s", row.round_number, problem)
        return found

    def _add_up(self, session: Session, row: OpenRound, held: dict[Address, HeldUpdate]) -> Aggregate:
        job, number, me = bytes.fromhex(row.job), row.round_number, self.desk.address
        leaves, updates = [], []
        for owner in sorted(held):
            # Evidence first: a digest on chain must never point at missing bytes.
            updates.append(unpack_nanos(held[owner].packed))
            digest = bytes.fromhex(self.desk.store.put(evidence.update_document(job, number, owner, updates[-1])))
            signature = bytes.fromhex(held[owner].signature[2:])
            leaves.append(evidence.Leaf(agent=owner, digest=digest, signature=signature))
        total = aggregate(updates)
        document = evidence.aggregate_document(job, number, me, sum_nanos=total, owners=leaves)
        own = sign_leaf(self.desk, job, number, bytes.fromhex(self.desk.store.put(document)))
        keep_round(self.desk, session, evidence.RoundEvidence(job=job, round_number=number, leaves=(*leaves, own)))
        return Aggregate(
            msg_id=f"aggregate:{row.job[:16]}:{number}",
            job="0x" + row.job,
            candidate=row.candidate,
            round_index=row.round_index,
            kind=row.kind,
            sum_nanos=pack_nanos(total),
            leaves=[
                Leaf(owner=leaf.agent, update_digest=leaf.digest.hex(), signature="0x" + leaf.signature.hex())
                for leaf in leaves
            ],
            signature="0x" + own.signature.hex(),
        )


def _name_of(message: AggregateTask | Update) -> RoundName:
    return RoundName(candidate=message.candidate, index=message.round_index, kind=message.kind)


def _check(numbers: tuple[int, ...], task: TrainingTask, row: OpenRound, owner: Address) -> None:
    if row.kind == "update":
        check_update(numbers, task, candidate=row.candidate, owner=owner)
    else:
        check_statistics(numbers, task, owner=owner)
