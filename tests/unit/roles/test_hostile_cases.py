"""What one broken party of a case, or a damaged file, must not cost the others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from agents.net.mailbox import Verdict
from agents.net.sealed import generate_sealing_key, sealing_public_key
from agents.protocols.messages import (
    EvaluationRows,
)
from agents.roles.desk import Desk
from agents.roles.evaluator import ABSTAIN_S, Evaluator
from agents.roles.evidence import keep_round, known_rounds
from agents.roles.owner import Owner, OwnerSetup, RowFile
from agents.roles.plan import schema_of_plan
from agents.training.canonical import canonical_json
from agents.training.client import TrainingChild
from agents.training.commitment import seeded_salts
from agents.training.errors import TaskError
from governance.domain import evidence
from governance.domain.release import Stage
from governance.ports import Event
from tests.training_cases import heart_rows, heart_schema
from tests.unit.roles.role_cases import (
    CLEVELAND,
    COMPUTE,
    JOB,
    JOB_HEX,
    ROWS,
    ZURICH,
    Chain,
    desk_of,
    sent,
)


def drawn(*jurors: str) -> Event:
    return Event(
        contract="EvaluatorCourt",
        name="JuryDrawn",
        values={"id": JOB, "jurors": list(jurors), "round": 0},
        block=1,
        log_index=0,
        transaction="0x",
    )


def owner_of(tmp_path: Path, chain: Chain, **changes: object) -> tuple[Desk, Owner]:
    desk = desk_of(tmp_path, CLEVELAND, chain, **changes)
    rows = RowFile(path=tmp_path / "rows.csv", rows=ROWS, root=JOB)
    setup = OwnerSetup(schema=heart_schema(), training=rows, evaluation=(rows,), lifetime_epsilon_micros=10**8)
    return desk, Owner(desk, setup, cast("TrainingChild", None))


def test_a_juror_whose_key_takes_no_box_keeps_no_rows_from_the_others(tmp_path: Path) -> None:
    rows = heart_rows()["cleveland"][:3]
    write_rows(tmp_path / "rows.csv", [list(row) for row in rows])
    keys = {COMPUTE: bytes(32), ZURICH: sealing_public_key(generate_sealing_key())}
    desk, owner = owner_of(
        tmp_path,
        Chain(seen=[drawn(COMPUTE, ZURICH)]),
        court=SimpleNamespace(
            case=lambda _case: SimpleNamespace(stage=Stage.COMMITTING), evaluation_roots=lambda _case: [JOB]
        ),
        registry=SimpleNamespace(
            data_set=lambda _root: SimpleNamespace(rows=1),
            agent=lambda juror: SimpleNamespace(encryption_key=keys[juror]),
        ),
    )

    owner.step()
    owner.step()

    assert [type(message) for message in sent(desk)] == [EvaluationRows]


def write_rows(path: Path, rows: list[list[str | None]]) -> None:
    from agents.training.commitment import write_salts

    names = [column.name for column in heart_schema().columns]
    lines = [",".join(names), *(",".join(cell or "" for cell in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    write_salts(path, [seeded_salts(0)("x", place) for place in range(len(rows))])


def test_a_box_that_is_no_base64_stops_neither_the_juror_nor_its_other_cases(tmp_path: Path) -> None:
    court = SimpleNamespace(
        case=lambda _case: SimpleNamespace(
            stage=Stage.COMMITTING, window_end_s=86_400, round_number=0, is_dispute=False
        ),
        jury=lambda _case: [ZURICH],
        evaluation_roots=lambda _case: [JOB],
    )
    other = b"\x02" * 32
    seen = [drawn(ZURICH), replace(drawn(ZURICH), values={"id": other, "jurors": [ZURICH], "round": 0})]
    plan = canonical_json({"type": "plan", "schema": heart_schema().to_json()})
    desk = desk_of(
        tmp_path,
        ZURICH,
        Chain(seen=seen),
        court=court,
        registry=SimpleNamespace(data_set=lambda _root: SimpleNamespace(agent=CLEVELAND)),
        releases=SimpleNamespace(release=lambda _case: SimpleNamespace(job=JOB)),
        fetch=lambda _agent, _digest: plan,
        sealing_key=generate_sealing_key,
    )
    role = Evaluator(desk, cast("TrainingChild", None))
    box = EvaluationRows(
        msg_id="rows", case_id=JOB_HEX, evaluation_root="0x" + JOB.hex(), ciphertext="AAAAA", artifact=""
    )
    assert desk.mailbox.receive(CLEVELAND, box) is Verdict.TAKEN

    plans = role.step()

    assert "trouble" not in plans.busy
    assert plans.busy.count("waiting for evaluation rows") == 2


class CourtChain(Chain):
    """Knows where the court stands."""

    chain_id = 7

    def address(self, _contract: str) -> str:
        return COMPUTE


@pytest.mark.parametrize(("time_s", "commits"), [(80_000, 0), (86_400 - ABSTAIN_S, 1)])
def test_a_juror_whom_no_rows_reached_abstains_before_silence_costs_its_stake(
    tmp_path: Path, time_s: int, commits: int
) -> None:
    committed: list[bytes] = []
    court = SimpleNamespace(
        case=lambda _case: SimpleNamespace(
            stage=Stage.COMMITTING, window_end_s=86_400, round_number=0, is_dispute=False, artifact=bytes(32)
        ),
        jury=lambda _case: [ZURICH],
        evaluation_roots=lambda _case: [JOB],
        metrics=lambda: [SimpleNamespace(key="auc")],
        commit=lambda _signer, _case, commitment: committed.append(commitment),
    )
    chain = CourtChain(seen=[drawn(ZURICH)], time_s=time_s)
    plan = canonical_json({"type": "plan", "schema": heart_schema().to_json()})
    desk = desk_of(
        tmp_path,
        ZURICH,
        chain,
        court=court,
        releases=SimpleNamespace(release=lambda _case: SimpleNamespace(job=JOB)),
        fetch=lambda _agent, _digest: plan,
    )

    plans = Evaluator(desk, cast("TrainingChild", None)).step()

    assert len(committed) == commits
    assert plans.due_at_s == (0 if commits else 86_400 - ABSTAIN_S)


@pytest.mark.parametrize(("sender", "verdict"), [(COMPUTE, Verdict.REFUSED), (CLEVELAND, Verdict.NOT_YET)])
def test_only_the_owner_of_rows_is_heard_again_before_the_draw(tmp_path: Path, sender: str, verdict: Verdict) -> None:
    desk = desk_of(
        tmp_path,
        ZURICH,
        Chain(),
        court=SimpleNamespace(jury=lambda _case: [], evaluation_roots=lambda _case: []),
        registry=SimpleNamespace(data_set=lambda _root: SimpleNamespace(agent=CLEVELAND)),
    )
    Evaluator(desk, cast("TrainingChild", None))
    box = EvaluationRows(
        msg_id="rows", case_id=JOB_HEX, evaluation_root="0x" + JOB.hex(), ciphertext="AAAA", artifact=""
    )

    assert desk.mailbox.receive(sender, box) is verdict


@pytest.mark.parametrize("plan", [b"{}", b'{"type":"plan"}', b'{"type":"task","schema":{}}', b"[]", b"\xff"])
def test_a_plan_without_a_schema_is_refused_in_words(plan: bytes) -> None:
    with pytest.raises(TaskError):
        schema_of_plan(plan)


def test_a_damaged_round_document_hides_no_other_round(tmp_path: Path) -> None:
    chain = Chain()
    desk = desk_of(tmp_path, COMPUTE, chain)
    rounds = [
        evidence.RoundEvidence(
            job=JOB, round_number=number, leaves=(evidence.Leaf(agent=CLEVELAND, digest=bytes([number]) * 32),)
        )
        for number in range(2)
    ]
    with desk.mailbox.transaction() as session:
        names = [keep_round(desk, session, each) for each in rounds]
    chain.posted = [each.root() for each in rounds]
    (tmp_path / "store" / names[0]).write_bytes(b"altered")

    assert [found.round_number for found in known_rounds(desk, JOB)] == [1]
