"""The evaluator judges when it is drawn: the same rows or evidence, the same code, commit, then reveal."""

import base64
import json
import logging
import secrets
import time
from dataclasses import dataclass

from sqlmodel import Field, Session, SQLModel, select

from agents.net.errors import MessageRefused, NetError, NotYet
from agents.net.mailbox import Outcome
from agents.net.sealed import Binding, open_sealed
from agents.protocols.messages import EvaluationReport, EvaluationRows, MeasuredFact
from agents.roles.desk import Desk, Plans, each, merge
from agents.roles.dispute_jury import answer_dispute
from agents.roles.feed import Feed
from agents.roles.owner_shares import measure_shares
from agents.roles.plan import schema_of_plan
from agents.training.canonical import canonical_json, parse_document
from agents.training.client import TrainingChild
from agents.training.commitment import SaltedRows
from agents.training.errors import DataError, TrainingError
from agents.training.rows import Row
from agents.training.schema import DataSchema
from governance.domain.income import Share, share_root
from governance.domain.market import Address
from governance.domain.release import MISSING, Stage, jury_commitment
from governance.errors import FolkmootError, InvalidRecord
from governance.services import reading
from governance.services.court import CaseRecord
from governance.services.shares import SHARES, share_entries

LOGGER = logging.getLogger(__name__)
ROWS_S = 90.0
"""Wall time after which missing rows no longer hold up a development clock."""

LONGEST_PAUSE_S = 300.0
ABSTAIN_S = 3600
"""Chain time before the end of the window at which a juror without rows says that it can give nothing: who is silent
loses a part of its stake."""


class SealedRows(SQLModel, table=True):
    """Evaluation rows of one owner for one case, still sealed; opened in memory only."""

    __tablename__ = "evaluator_rows"

    case: str = Field(primary_key=True)
    root: str = Field(primary_key=True)
    owner: str
    box: str
    """Base64; empty while only the digest is known."""
    artifact: str
    """SHA-256 of the box at the owner's endpoint; empty when it came in the message."""


class Ballot(SQLModel, table=True):
    """What we measured; kept before the commitment goes out, or it could never be opened."""

    __tablename__ = "evaluator_ballot"

    case: str = Field(primary_key=True)
    values: str
    """JSON list of millionths."""
    report: str
    """SHA-256 of the report in our public store, hex."""
    salt: str
    contributions: str = "00" * 32
    """Root of the owners' shares in the report, hex; zeros where it holds none."""
    reported: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Values in the order of the court's metrics, and the report behind them."""

    values: tuple[int, ...]
    report: bytes
    contributions: bytes = bytes(32)


class Evaluator:
    """Sells measuring, and answers in disputes."""

    tables = (SealedRows, Ballot)

    def __init__(self, desk: Desk, child: TrainingChild) -> None:
        self.desk = desk
        self.child = child
        self._drawn = Feed(desk.chain, "EvaluatorCourt", ["JuryDrawn"])
        self._said = Feed(desk.chain, "EvaluatorCourt", ["Committed", "Revealed"])
        self._over: set[bytes] = set()
        self._failures: dict[bytes, tuple[int, float]] = {}
        """How often a case could not be measured, and when (on our own clock) it is tried again."""
        self._waiting_since: dict[bytes, float] = {}
        desk.mailbox.handle(EvaluationRows, self._on_rows)

    def step(self) -> Plans:
        """Do what is due in every case whose jury we sit on."""
        return merge(each(self._cases(), self._case, name=lambda case: f"case {case.hex()[:8]}"))

    def _cases(self) -> list[bytes]:
        found = []
        for event in self._drawn.read():
            case = reading.raw(event.values["id"])
            jurors = {reading.address(juror) for juror in reading.items(event.values["jurors"])}
            if self.desk.address in jurors and case not in self._over:
                found.append(case)
        return list(dict.fromkeys(found))

    def _case(self, case: bytes) -> Plans:
        record, ballot = self.desk.court.case(case), self._ballot(case)
        if record.stage is Stage.LAPSED or (record.stage is Stage.FINAL and self.desk.court.is_conclusive(case)):
            # Until then an appeal may seat us again, on the same rows.
            self._forget(case)
        elif self.desk.address not in self.desk.court.jury(case):
            return Plans()
        elif record.stage is Stage.COMMITTING:
            ballot = ballot or self._try_to_judge(case, record) or self._give_up(case, record)
            if ballot is None:
                return self._wait(case, record)
            if not self._has_said("Committed", case, record.round_number):
                self._commit(case, ballot)
        elif record.stage is Stage.REVEALING and ballot is not None:
            said = [self._has_said(what, case, record.round_number) for what in ("Committed", "Revealed")]
            if said == [True, False]:
                self._reveal(case, ballot, record)
        return Plans()

    def _wait(self, case: bytes, record: CaseRecord) -> Plans:
        since = self._waiting_since.setdefault(case, time.monotonic())
        # What is late by so much has no sender; then the case's window runs out.
        on_its_way = time.monotonic() - since < ROWS_S
        what = "evidence" if record.is_dispute else "evaluation rows"
        return Plans(busy=f"waiting for {what}" if on_its_way else "", due_at_s=record.window_end_s - ABSTAIN_S)

    def _give_up(self, case: bytes, record: CaseRecord) -> Ballot | None:
        """Abstain when the window is nearly over: neither paid nor slashed."""
        if self.desk.chain.now_s() < record.window_end_s - ABSTAIN_S:
            return None
        LOGGER.warning("case %s: nothing could be judged, so we abstain", case.hex()[:8])
        values = (MISSING,) * (1 if record.is_dispute else len(self.desk.court.metrics()))
        what = "evidence" if record.is_dispute else "evaluation rows"
        report = canonical_json({"abstained": f"the {what} did not come or could not be judged"})
        return self._keep(case, Measured(values=values, report=report))

    def _ballot(self, case: bytes) -> Ballot | None:
        with self.desk.mailbox.reading() as session:
            return session.get(Ballot, case.hex())

    def _has_said(self, what: str, case: bytes, round_number: int) -> bool:
        mine = {"id": case, "juror": self.desk.address, "round": round_number}
        return any(
            event.name == what and all(event.values[name] == value for name, value in mine.items())
            for event in self._said.read()
        )

    def _reveal(self, case: bytes, ballot: Ballot, record: CaseRecord) -> None:
        values = tuple(json.loads(ballot.values))
        report, salt = bytes.fromhex(ballot.report), bytes.fromhex(ballot.salt)
        contributions = bytes.fromhex(ballot.contributions)
        receipt = self.desk.court.reveal(
            self.desk.signer, case, values=values, report=report, salt=salt, contributions=contributions
        )
        # Nobody submitted what a dispute is about.
        if record.is_dispute or all(value == MISSING for value in values):
            return
        facts = [
            MeasuredFact(name=metric.key, value_micros=value)
            for metric, value in zip(self.desk.court.metrics(), values, strict=True)
        ]
        message = EvaluationReport(
            msg_id=f"report:{case.hex()[:16]}", case_id="0x" + case.hex(), facts=facts, tx=receipt.transaction
        )
        with self.desk.mailbox.transaction() as session:
            self.desk.mailbox.send(session, self.desk.releases.release(case).proposer, message)

    def _forget(self, case: bytes) -> None:
        # The rows belong to their owners; nothing of ours needs them any more.
        with self.desk.mailbox.transaction() as session:
            for row in session.exec(select(SealedRows).where(SealedRows.case == case.hex())):
                session.delete(row)
        self._over.add(case)

    def _on_rows(self, session: Session, sender: Address, message: EvaluationRows) -> Outcome | None:
        case = bytes.fromhex(message.case_id[2:])
        root = bytes.fromhex(message.evaluation_root[2:])
        # First what stays wrong: only an owner of rows may keep us asking whether we were drawn.
        if self.desk.registry.data_set(root).agent != sender:
            raise MessageRefused("these rows belong to another owner")
        if self.desk.address not in self.desk.court.jury(case):
            raise NotYet("we are not on the jury of this case")
        if not (message.ciphertext or message.artifact):
            raise MessageRefused("neither a box nor where it lies")
        if root not in self.desk.court.evaluation_roots(case):
            raise MessageRefused("the case does not measure these rows")
        box = SealedRows(
            case=case.hex(), root=root.hex(), owner=sender, box=message.ciphertext, artifact=message.artifact
        )
        session.merge(box)
        self._failures.pop(case, None)
        return Outcome(after_commit=(self.desk.wake,))

    def _try_to_judge(self, case: bytes, record: CaseRecord) -> Ballot | None:
        """Judge, or say why not and pause: a box or model made to fail slowly must not take all our time."""
        tries, again_at = self._failures.get(case, (0, 0.0))
        if time.monotonic() < again_at:
            return None
        try:
            return self._judge(case) if record.is_dispute else self._measure(case)
        except FolkmootError as problem:
            LOGGER.error("case %s cannot be judged: %s", case.hex()[:8], problem)  # noqa: TRY400 - a sentence for the operator
        except Exception:
            # Strangers wrote what is judged: a fault that it causes in us must end in an abstention, not in silence.
            LOGGER.exception("case %s cannot be judged: a fault", case.hex()[:8])
        self._failures[case] = (tries + 1, time.monotonic() + min(LONGEST_PAUSE_S, 2.0**tries))
        return None

    def _judge(self, case: bytes) -> Ballot:
        answer = answer_dispute(self.desk, case)
        return self._keep(case, Measured(values=answer.values, report=answer.report))

    def _measure(self, case: bytes) -> Ballot | None:
        schema = self._schema(case)
        rows = self._open_rows(case, schema)
        if rows is None:
            return None
        return self._keep(case, self._evaluate(case, rows, schema))

    def _keep(self, case: bytes, measured: Measured) -> Ballot:
        ballot = Ballot(
            case=case.hex(),
            values=json.dumps(measured.values),
            report=self.desk.store.put(measured.report),
            salt=secrets.token_bytes(32).hex(),
            contributions=measured.contributions.hex(),
        )
        with self.desk.mailbox.transaction() as session:
            session.add(ballot)
        return ballot

    def _open_rows(self, case: bytes, schema: DataSchema) -> list[SaltedRows] | None:
        with self.desk.mailbox.reading() as session:
            boxes = list(session.exec(select(SealedRows).where(SealedRows.case == case.hex())))
        if {root.hex() for root in self.desk.court.evaluation_roots(case)} - {box.root for box in boxes}:
            return None
        return [self._open(case, box, schema) for box in boxes]

    def _open(self, case: bytes, box: SealedRows, schema: DataSchema) -> SaltedRows:
        binding = Binding(case_id=case, sender=box.owner, recipient=self.desk.address)
        plain = open_sealed(self._box(box), private_key=self.desk.sealing_key(), binding=binding)
        rows = SaltedRows.from_json(parse_document(plain, "evaluation rows"), schema)
        if not rows.opens(bytes.fromhex(box.root)):
            raise DataError(f"the rows of {box.owner} are not those behind their root on chain")
        return rows

    def _box(self, rows: SealedRows) -> bytes:
        if not rows.box:
            return self.desk.fetch(rows.owner, bytes.fromhex(rows.artifact))
        try:
            return base64.b64decode(rows.box, validate=True)
        except ValueError as problem:
            raise DataError(f"the box of {rows.owner} is no base64: {problem}") from problem

    def _schema(self, case: bytes) -> DataSchema:
        job = self.desk.releases.release(case).job
        plan = self.desk.fetch(self.desk.agreements.job(job).coordinator, self.desk.agreements.task_digest(job))
        return schema_of_plan(plan)

    def _evaluate(self, case: bytes, rows: list[SaltedRows], schema: DataSchema) -> Measured:
        artifact = self.desk.fetch(self.desk.releases.release(case).proposer, self.desk.court.case(case).artifact)
        pooled = [row for salted in rows for row in salted.rows]
        report = self.child.evaluate(artifact, pooled, schema)
        facts = json.loads(report)["facts"]
        keys = [metric.key for metric in self.desk.court.metrics()]
        values = tuple(int(facts[key]["value_micros"]) if key in facts else MISSING for key in keys)
        shares = self._shares(case, pooled)
        if not shares:
            return Measured(values=values, report=report)
        report = canonical_json({**parse_document(report, "report"), SHARES: share_entries(shares)})
        return Measured(values=values, report=report, contributions=share_root(case, shares))

    def _shares(self, case: bytes, rows: list[Row]) -> tuple[Share, ...]:
        """Measure who contributed what; a candidate is judged without, where that cannot be measured."""
        try:
            return measure_shares(self.desk, self.child, case, rows)
        except NetError as problem:
            # What is only late makes all jurors agree if we wait for it; then the facts go first.
            if self.desk.chain.now_s() < self.desk.court.case(case).window_end_s - ABSTAIN_S:
                raise
            LOGGER.warning("case %s: no shares, since the updates are not to be had: %s", case.hex()[:8], problem)
        except (TrainingError, InvalidRecord) as problem:
            LOGGER.warning("case %s: no shares: %s", case.hex()[:8], problem)
        return ()

    def _commit(self, case: bytes, ballot: Ballot) -> None:
        commitment = jury_commitment(
            tuple(json.loads(ballot.values)),
            bytes.fromhex(ballot.report),
            bytes.fromhex(ballot.salt),
            chain_id=self.desk.chain.chain_id,
            court=self.desk.chain.address("EvaluatorCourt"),
            case=case,
            artifact=self.desk.court.case(case).artifact,
            juror=self.desk.address,
            contributions=bytes.fromhex(ballot.contributions),
        )
        self.desk.court.commit(self.desk.signer, case, commitment)
