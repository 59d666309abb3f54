from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import Field, Session, SQLModel

from agents.net.errors import AgentAlreadyRuns, MessageRefused, NotYet
from agents.net.lock import KeyLock
from agents.net.mailbox import Letter, Mailbox, Outcome, Verdict
from agents.net.outbox import WINDOW, MessageTooLarge
from agents.protocols.messages import Ack, ArtifactTicket, EvaluationReport, EvaluationRows, Receipt
from tests.unit.desk_cases import BUYER_KEY, SELLER_KEY, address_of

PEER, OTHER = address_of(SELLER_KEY), address_of(BUYER_KEY)
ZERO = "0x" + "0" * 64


class Counted(SQLModel, table=True):
    __tablename__ = "counted"

    name: str = Field(primary_key=True)
    times: int = 0


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mailbox(tmp_path: Path, clock: Clock) -> Mailbox:
    opened = Mailbox.open(tmp_path / "mail.sqlite", [Counted])
    return Mailbox(opened._engine, clock=clock)


def report(msg_id: str, tx: str = ZERO) -> EvaluationReport:
    return EvaluationReport(msg_id=msg_id, case_id=ZERO, facts=[], tx=tx)


def count(session: Session, _sender: str, message: EvaluationReport) -> Outcome:
    row = session.get(Counted, "all") or Counted(name="all")
    row.times += 1
    session.add(row)
    return Outcome([Letter(PEER, ArtifactTicket(msg_id=f"reply:{message.msg_id}", sha256="0" * 64))])


def counted(mailbox: Mailbox) -> int:
    with mailbox.reading() as session:
        row = session.get(Counted, "all")
        return row.times if row else 0


def enqueue(mailbox: Mailbox, *ids: str, to: str = PEER) -> None:
    with mailbox.transaction() as session:
        for name in ids:
            mailbox.send(session, to, report(name))


def test_a_message_is_handled_once_and_answered_in_the_same_transaction(mailbox: Mailbox) -> None:
    mailbox.handle(EvaluationReport, count)

    verdicts = [mailbox.receive(PEER, report("one")) for _ in range(3)]

    assert verdicts == [Verdict.TAKEN, Verdict.REPEATED, Verdict.REPEATED]
    assert (counted(mailbox), mailbox.outbox.pending()) == (1, 1)


def test_an_id_belongs_to_its_sender(mailbox: Mailbox) -> None:
    mailbox.handle(EvaluationReport, count)

    assert mailbox.receive(PEER, report("one")) is Verdict.TAKEN
    assert mailbox.receive(OTHER, report("one")) is Verdict.TAKEN
    assert counted(mailbox) == 2


def test_another_body_under_a_known_id_is_not_acknowledged(mailbox: Mailbox) -> None:
    mailbox.handle(EvaluationReport, count)
    mailbox.receive(PEER, report("one"))

    verdict = mailbox.receive(PEER, report("one", tx="0x" + "1" * 64))

    assert verdict is Verdict.CONFLICT
    assert not verdict.is_acknowledged


@pytest.mark.parametrize(
    ("error", "verdict", "again"),
    [(MessageRefused("wrong"), Verdict.REFUSED, Verdict.REPEATED), (NotYet("early"), Verdict.NOT_YET, Verdict.NOT_YET)],
)
def test_what_a_handler_refuses_leaves_no_trace_of_its_writes(
    mailbox: Mailbox, error: Exception, verdict: Verdict, again: Verdict
) -> None:
    def refuse(session: Session, sender: str, message: EvaluationReport) -> Outcome:
        count(session, sender, message)
        raise error

    mailbox.handle(EvaluationReport, refuse)

    assert (mailbox.receive(PEER, report("one")), mailbox.receive(PEER, report("one"))) == (verdict, again)
    assert (counted(mailbox), mailbox.outbox.pending()) == (0, 0)
    assert verdict.is_acknowledged == (verdict is Verdict.REFUSED)


def test_a_bug_in_a_handler_rolls_everything_back(mailbox: Mailbox) -> None:
    def fail(session: Session, sender: str, message: EvaluationReport) -> Outcome:
        count(session, sender, message)
        raise KeyError("bug")

    mailbox.handle(EvaluationReport, fail)

    with pytest.raises(KeyError):
        mailbox.receive(PEER, report("one"))
    assert (counted(mailbox), mailbox.outbox.pending()) == (0, 0)


def test_what_follows_a_commit_runs_once(mailbox: Mailbox) -> None:
    woken: list[str] = []
    mailbox.handle(EvaluationReport, lambda _s, _w, message: Outcome((), [lambda: woken.append(message.msg_id)]))

    for _ in range(2):
        mailbox.receive(PEER, report("one"))

    assert woken == ["one"]


def test_only_the_recipient_can_acknowledge(mailbox: Mailbox) -> None:
    enqueue(mailbox, "one")

    mailbox.outbox.acknowledge(OTHER, "one")
    still = mailbox.outbox.pending()
    mailbox.outbox.acknowledge(PEER, "one")

    assert (still, mailbox.outbox.pending()) == (1, 0)


def test_the_first_body_under_an_id_stays(mailbox: Mailbox) -> None:
    with mailbox.transaction() as session:
        mailbox.send(session, PEER, report("one"))
        mailbox.send(session, PEER, report("one", tx="0x" + "1" * 64))

    assert [row.message.tx for row in mailbox.outbox.due()] == [ZERO]  # type: ignore[attr-defined]


def test_a_peer_has_a_window_and_a_dead_one_blocks_nobody(mailbox: Mailbox) -> None:
    enqueue(mailbox, *(f"dead:{index}" for index in range(3 * WINDOW)))
    first = mailbox.outbox.due()
    for row in first:
        mailbox.outbox.sent(row.number)
    enqueue(mailbox, "alive", to=OTHER)

    assert len(first) == WINDOW
    assert [row.message.msg_id for row in mailbox.outbox.due()] == ["alive"]


def test_later_phases_leave_first(mailbox: Mailbox) -> None:
    receipt = Receipt(msg_id="receipt", job=ZERO, round_number=0, update_digest="0" * 64, round_root=ZERO, proof=[])
    with mailbox.transaction() as session:
        mailbox.send(session, PEER, ArtifactTicket(msg_id="ticket", sha256="0" * 64))
        mailbox.send(session, PEER, receipt)
        mailbox.send(session, PEER, report("report"))

    assert [row.message.msg_id for row in mailbox.outbox.due()] == ["report", "receipt", "ticket"]


def test_unacknowledged_mail_is_sent_again_ever_more_slowly(mailbox: Mailbox, clock: Clock) -> None:
    enqueue(mailbox, "one")
    waits = []
    for _ in range(6):
        row = mailbox.outbox.due()[0]
        mailbox.outbox.sent(row.number)
        waits.append(mailbox.outbox.next_due_s())
        clock.now += waits[-1]

    assert waits == [2, 4, 8, 16, 30, 30]


def test_mail_leaves_soon_when_its_peer_is_heard_of(mailbox: Mailbox, clock: Clock) -> None:
    enqueue(mailbox, "one")
    for _ in range(5):
        mailbox.outbox.sent(mailbox.outbox.due()[0].number)
        clock.now += mailbox.outbox.next_due_s()
    mailbox.outbox.sent(1)
    assert mailbox.outbox.due() == []

    mailbox.outbox.peer_is_alive(PEER)

    assert len(mailbox.outbox.due()) == 1


def test_mail_is_given_up_after_its_time(mailbox: Mailbox, clock: Clock) -> None:
    with mailbox.transaction() as session:
        mailbox.send(session, PEER, report("one"), keep_s=60)
    clock.now += 61

    assert mailbox.outbox.give_up() == ["one"]
    assert mailbox.outbox.pending() == 0


def test_a_message_that_no_peer_would_take_is_refused_at_once(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = EvaluationRows(msg_id="rows", case_id=ZERO, evaluation_root=ZERO, ciphertext="A" * 44_000, artifact="")
    monkeypatch.setattr("agents.net.outbox.MAX_BODY_BYTES", 44_000)

    with pytest.raises(MessageTooLarge, match="by artifact digest"), mailbox.transaction() as session:
        mailbox.send(session, PEER, rows)


def test_a_role_reads_while_another_transaction_writes(mailbox: Mailbox) -> None:
    with mailbox.transaction() as session:
        session.add(Counted(name="all", times=1))
        session.flush()

        assert counted(mailbox) == 0


def test_a_model_has_one_handler(mailbox: Mailbox) -> None:
    mailbox.handle(EvaluationReport, count)

    with pytest.raises(ValueError, match="already has a handler"):
        mailbox.handle(EvaluationReport, count)


def test_a_message_without_a_handler_is_refused(mailbox: Mailbox) -> None:
    assert mailbox.receive(PEER, Ack(msg_id="x")) is Verdict.REFUSED


def test_a_failed_transaction_enqueues_nothing(mailbox: Mailbox) -> None:
    def interrupted(act: Callable[[Session], None]) -> None:
        with mailbox.transaction() as session:
            act(session)
            raise RuntimeError("killed here")

    with pytest.raises(RuntimeError):
        interrupted(lambda session: mailbox.send(session, PEER, report("one")))
    assert mailbox.outbox.pending() == 0


def test_a_key_runs_once(tmp_path: Path) -> None:
    with KeyLock(tmp_path, PEER):
        with pytest.raises(AgentAlreadyRuns, match="already runs this agent"), KeyLock(tmp_path, PEER.lower()):
            pass
        with KeyLock(tmp_path, OTHER):
            pass
    with KeyLock(tmp_path, PEER):
        pass
