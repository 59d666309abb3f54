"""A juror that is drawn for a dispute fetches evidence, commits, reveals, and goes on where it stopped."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from agents.net.artifacts import PublicStore
from agents.net.errors import ArtifactError
from agents.roles import evaluator
from agents.roles.desk import Desk, Plans
from agents.roles.dispute_jury import MAX_PEERS, Answer, answer_dispute
from agents.roles.evaluator import ABSTAIN_S, Evaluator
from agents.roles.invalid_updates import MAX_DOCUMENT_BYTES
from agents.roles.plan import plan_document
from agents.training.client import TrainingChild
from agents.training.federated import update_length
from governance.domain import evidence
from governance.domain.evidence import Leaf, RoundEvidence
from governance.domain.market import Address, AggregationPrivacy, IntegrationMode, Kind
from governance.domain.record import parse_canonical_json, sha256
from governance.domain.release import MISSING, Stage, jury_commitment
from governance.errors import InvalidRecord
from governance.ports import Event
from governance.services.disputes import DisputeState, Ground
from governance.services.market import PostedRound
from tests.unit.roles.role_cases import (
    CLEVELAND,
    COMPUTE,
    COORDINATOR,
    HUNGARY,
    JOB,
    KEYS,
    LEDGER,
    ROUNDS,
    ROWS,
    ZURICH,
    Chain,
    agreements,
    desk_of,
    sent,
    signed,
    task,
)

CASE, DEAL, NUMBER = b"\x05" * 32, b"\x06" * 32, 1
OPERATOR = "0x00000000000000000000000000000000000000D1"
WINDOW_END_S = 86_400
YES, NO = (1_000_000,), (0,)
NOBODY = "nobody"


@dataclass
class Dispute(Chain):
    """A dispute whose jury was drawn, and a court that remembers what its jurors say."""

    served: dict[bytes, bytes] = field(default_factory=dict)
    complained: bytes = b""
    accused: Address = CLEVELAND
    kind: Kind = Kind.DATA
    mode: IntegrationMode = IntegrationMode.COUPLED
    privacy: AggregationPrivacy = AggregationPrivacy.CLEAR
    stage: Stage = Stage.COMMITTING
    asked: list[Address] = field(default_factory=list)
    commitments: list[bytes] = field(default_factory=list)
    revealed: list[tuple[tuple[int, ...], bytes, bytes]] = field(default_factory=list)
    round_number: int = 0

    def read(self, contract: str, function: str, *_: object) -> object:
        assert (contract, function) == ("Disputes", "dispute")
        return (int(DisputeState.OPEN), int(Ground.INVALID_UPDATE), OPERATOR, 0, DEAL, self.complained)

    def put(self, document: bytes) -> bytes:
        self.served[sha256(document)] = document
        return sha256(document)

    def fetch(self, agent: Address, digest: bytes) -> bytes:
        self.asked.append(agent)
        if digest not in self.served:
            raise ArtifactError(f"{agent} does not serve {digest.hex()}")
        return self.served[digest]

    def add(self, name: str, **values: object) -> None:
        values = {"id": CASE, "juror": ZURICH, "round": self.round_number, **values}
        self.seen.append(
            Event(contract="EvaluatorCourt", name=name, values=values, block=1, log_index=0, transaction="0x")
        )

    def commit(self, _signer: object, _case: bytes, commitment: bytes) -> None:
        self.commitments.append(commitment)
        self.add("Committed", commitment=commitment)

    def reveal(self, _signer: object, _case: bytes, **opened: object) -> SimpleNamespace:
        assert opened["contributions"] == bytes(32)
        said = (opened["values"], opened["report"], opened["salt"])
        self.revealed.append(cast("tuple[tuple[int, ...], bytes, bytes]", said))
        self.add("Revealed")
        return SimpleNamespace(transaction="0x")

    def court(self) -> SimpleNamespace:
        return SimpleNamespace(
            case=lambda _case: SimpleNamespace(
                stage=self.stage,
                window_end_s=WINDOW_END_S,
                round_number=self.round_number,
                is_dispute=True,
                artifact=self.complained,
            ),
            jury=lambda _case: [ZURICH],
            is_conclusive=lambda _case: False,
            commit=self.commit,
            reveal=self.reveal,
        )

    def desk(self, home: Path) -> Desk:
        known = agreements(self)
        known.aggregation_privacy = lambda _job: self.privacy
        compute = SimpleNamespace(kind=Kind.COMPUTE, seller=COMPUTE, rows=0)
        owners = known.of(JOB)
        known.of = lambda _job: [*owners, compute]
        desk = desk_of(
            home,
            ZURICH,
            self,
            court=self.court(),
            agreements=known,
            fetch=self.fetch,
            registry=SimpleNamespace(agents=list, operator_of=lambda _agent: OPERATOR),
        )
        deal = SimpleNamespace(
            job=JOB, seller=self.accused, kind=self.kind, units=1 + ROUNDS, buyer=COORDINATOR, mode=self.mode
        )
        desk.market.agreement = lambda _id: deal  # type: ignore[method-assign, assignment, return-value]
        return desk


def raised(*, first: int = 0, document: bytes = b"", key: str = "", **changes: object) -> Dispute:
    """Return a dispute about an owner's update that begins with this number, in nanos.

    The accused's leaf is signed by it, or by whose key is named, or by nobody.
    """
    court = Dispute(**changes)  # type: ignore[arg-type]
    numbers = (first, *[0] * (update_length(task(), 0) - 1))
    updates = {CLEVELAND: numbers, HUNGARY: (0,) * len(numbers)}
    documents = {agent: evidence.update_document(JOB, NUMBER, agent, values) for agent, values in updates.items()}
    documents[CLEVELAND] = document or documents[CLEVELAND]
    owners = [signed(Leaf(agent=agent, digest=court.put(found)), NUMBER) for agent, found in documents.items()]
    owners[0] = _signed_by(owners[0], key)
    total = tuple(map(sum, zip(*updates.values(), strict=True)))
    own = court.put(evidence.aggregate_document(JOB, NUMBER, COMPUTE, sum_nanos=total, owners=owners))
    played = RoundEvidence(
        job=JOB, round_number=NUMBER, leaves=(*owners, _signed_by(Leaf(agent=COMPUTE, digest=own), key))
    )
    court.complained = court.put(played.document())
    court.put(plan_document(court.plan))
    court.posted = [b"\x08" * 32, played.root()]
    court.seen.append(
        Event(
            contract="EvaluatorCourt",
            name="JuryDrawn",
            values={"id": CASE, "jurors": [ZURICH], "round": 0},
            block=1,
            log_index=0,
            transaction="0x",
        )
    )
    return court


def _signed_by(leaf: Leaf, key: str) -> Leaf:
    if key == NOBODY:
        return Leaf(agent=leaf.agent, digest=leaf.digest)
    return signed(leaf, NUMBER, key=KEYS[key or leaf.agent])


def juror(court: Dispute, home: Path) -> Evaluator:
    return Evaluator(court.desk(home), cast("TrainingChild", None))


def step(court: Dispute, home: Path) -> Plans:
    """Let a juror that has just been started do what is due."""
    return juror(court, home).step()


BAD = ROWS * 10**12


@pytest.mark.parametrize(("first", "values"), [(0, NO), (BAD, YES)])
@pytest.mark.parametrize("restarted", [False, True])
def test_a_juror_commits_and_reveals_what_the_evidence_shows(
    tmp_path: Path, first: int, values: tuple[int], *, restarted: bool
) -> None:
    court = raised(first=first)
    role = juror(court, tmp_path)
    assert role.step() == Plans()
    court.stage = Stage.REVEALING
    # A process that died in between knows only its files and the chain.
    role = juror(court, tmp_path) if restarted else role

    plans = [role.step(), role.step()]

    assert plans == [Plans(), Plans()], "no trouble"
    assert len(court.commitments) == len(court.revealed) == 1
    said, report, salt = court.revealed[0]
    assert said == values
    assert court.commitments[0] == jury_commitment(
        values, report, salt, chain_id=7, court=LEDGER, case=CASE, artifact=court.complained, juror=ZURICH
    )
    assert sent(role.desk) == [], "nobody submitted what a dispute is about"


def test_a_crash_before_the_commitment_went_out_changes_no_answer(tmp_path: Path) -> None:
    court = raised(first=BAD)
    stopped = juror(court, tmp_path)
    kept = stopped._judge(CASE)
    court.served.clear()

    step(court, tmp_path)
    court.stage = Stage.REVEALING
    step(court, tmp_path)

    assert court.revealed == [(YES, bytes.fromhex(kept.report), bytes.fromhex(kept.salt))]


def test_the_report_says_what_was_judged_and_why(tmp_path: Path) -> None:
    court = raised(first=BAD)

    answer = answer_dispute(court.desk(tmp_path), CASE)

    report = parse_canonical_json(answer.report)
    assert isinstance(report, dict)
    assert (report["evidence"], report["upheld"]) == ("0x" + court.complained.hex(), 1)
    assert "are possible" in str(report["because"])


@pytest.mark.parametrize("key", [NOBODY, COORDINATOR, HUNGARY])
@pytest.mark.parametrize(("accused", "kind"), [(CLEVELAND, Kind.DATA), (COMPUTE, Kind.COMPUTE)])
def test_nobody_answers_for_work_that_it_did_not_sign(tmp_path: Path, key: str, accused: str, kind: Kind) -> None:
    assert answer_dispute(raised(first=BAD, accused=accused, kind=kind).desk(tmp_path / "own"), CASE).upheld

    framed = answer_dispute(raised(first=BAD, accused=accused, kind=kind, key=key).desk(tmp_path / "framed"), CASE)

    assert not framed.upheld
    assert b"no signature of " + accused.encode() in framed.report


@pytest.mark.parametrize(
    "document", [b"\xff", b"[" * 10**6, bytes(MAX_DOCUMENT_BYTES + 1)], ids=["no text", "deep", "long"]
)
def test_an_update_of_hostile_bytes_is_upheld(tmp_path: Path, document: bytes) -> None:
    assert answer_dispute(raised(document=document).desk(tmp_path), CASE).upheld


@pytest.mark.parametrize(("off_by", "upheld"), [(0, False), (BAD, True)])
def test_a_provider_that_counts_what_had_to_be_left_out_answers_for_it(
    tmp_path: Path, off_by: int, *, upheld: bool
) -> None:
    court = raised(first=off_by, accused=COMPUTE, kind=Kind.COMPUTE)

    assert answer_dispute(court.desk(tmp_path), CASE).upheld is upheld


@pytest.mark.parametrize(
    "evidence_document", [b"\xff", b"{}", bytes(MAX_DOCUMENT_BYTES + 1)], ids=["no text", "empty", "long"]
)
def test_evidence_that_shows_nothing_is_the_complainants_loss(tmp_path: Path, evidence_document: bytes) -> None:
    court = raised(first=BAD)
    court.complained = court.put(evidence_document)

    assert not answer_dispute(court.desk(tmp_path), CASE).upheld


def test_a_round_that_was_never_posted_convicts_nobody(tmp_path: Path) -> None:
    court = raised(first=BAD)
    court.posted[NUMBER] = b"\x09" * 32

    assert not answer_dispute(court.desk(tmp_path), CASE).upheld


def test_a_node_that_lags_behind_is_no_false_complaint(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    court = raised(first=BAD)
    desk = court.desk(tmp_path)

    def lagging(_job: bytes) -> tuple[PostedRound, ...]:
        raise InvalidRecord("the rounds do not lead to the head on chain; ask again")

    desk.market.rounds = lagging  # type: ignore[method-assign]
    plans = Evaluator(desk, cast("TrainingChild", None)).step()

    assert plans.busy == "waiting for evidence"
    assert "ask again" in caplog.text
    assert court.commitments == []


MISSING_PARTS = ("evidence", "plan", "update", "owner's update")


@pytest.mark.parametrize("part", MISSING_PARTS)
def test_what_nobody_serves_is_waited_for_and_then_abstained_from(tmp_path: Path, part: str) -> None:
    court = raised(first=BAD)
    if part == "owner's update":
        court.accused, court.kind = COMPUTE, Kind.COMPUTE
    played = RoundEvidence.read(court.served[court.complained])
    digests = (court.complained, sha256(plan_document(court.plan)), played.leaves[0].digest, played.leaves[0].digest)
    lost = digests[MISSING_PARTS.index(part)]
    court.served.pop(lost)
    court.time_s = WINDOW_END_S - ABSTAIN_S - 1
    early = step(court, tmp_path)
    assert (early.busy, early.due_at_s) == ("waiting for evidence", WINDOW_END_S - ABSTAIN_S)
    assert court.commitments == []

    court.time_s += 1
    step(court, tmp_path)
    court.stage = Stage.REVEALING
    step(court, tmp_path)

    assert [values for values, _, _ in court.revealed] == [(MISSING,)]


@pytest.mark.parametrize(
    "change",
    [{"mode": IntegrationMode.DECOUPLED}, {"privacy": AggregationPrivacy.MASKED}, {"plan": "unreadable"}],
    ids=["decoupled", "masked", "plan"],
)
def test_what_nobody_can_judge_is_abstained_from(tmp_path: Path, change: dict[str, object]) -> None:
    court = raised(first=BAD, time_s=WINDOW_END_S - ABSTAIN_S, **{k: v for k, v in change.items() if k != "plan"})
    if "plan" in change:
        court.served[sha256(plan_document(court.plan))] = b"[]"

    step(court, tmp_path)
    court.stage = Stage.REVEALING
    step(court, tmp_path)

    assert [values for values, _, _ in court.revealed] == [(MISSING,)]


@pytest.mark.parametrize("fault", [InvalidRecord("no record"), RecursionError(), ZeroDivisionError()])
def test_a_fault_that_the_evidence_causes_in_us_ends_in_an_abstention(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def fail(*_: object) -> Answer:
        raise fault

    monkeypatch.setattr(evaluator, "answer_dispute", fail)
    court = raised(first=BAD, time_s=WINDOW_END_S - ABSTAIN_S - 1)
    role = juror(court, tmp_path)
    role.step()
    assert court.commitments == []

    court.time_s += 1
    role.step()
    court.stage = Stage.REVEALING
    role.step()

    assert [values for values, _, _ in court.revealed] == [(MISSING,)]


def test_evidence_that_came_once_is_kept_and_served_on(tmp_path: Path) -> None:
    court = raised(first=BAD)
    answer_dispute(court.desk(tmp_path), CASE)
    documents = dict(court.served)
    court.served.clear()

    assert answer_dispute(court.desk(tmp_path), CASE).upheld
    kept = PublicStore(tmp_path / "store")
    assert kept.read(court.complained.hex()) == documents[court.complained]


def test_a_complainant_of_many_agents_crowds_nobody_out(tmp_path: Path) -> None:
    court = raised(first=BAD)
    desk = court.desk(tmp_path)
    crowd = [SimpleNamespace(address=f"0x{n:040x}", active=True) for n in range(100)]
    desk.registry.agents = lambda: crowd  # type: ignore[method-assign, assignment, return-value]
    court.served.pop(court.complained)

    with pytest.raises(ArtifactError, match="nobody serves"):
        answer_dispute(desk, CASE)

    assert {COORDINATOR, CLEVELAND, COMPUTE} <= set(court.asked)
    assert len(court.asked) <= MAX_PEERS


def test_a_jury_of_an_appeal_hears_the_dispute_again(tmp_path: Path) -> None:
    court = raised(first=BAD)
    step(court, tmp_path)
    court.seen.append(replace(court.seen[0], values={**court.seen[0].values, "round": 1}))
    court.round_number = 1

    step(court, tmp_path)
    court.stage = Stage.REVEALING
    step(court, tmp_path)

    assert len(court.commitments) == 2
    assert [values for values, _, _ in court.revealed] == [YES]
