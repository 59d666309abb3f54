"""A keeper writes a refusal down when the contract takes it, and not before."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from agents.roles.keeper import Keeper
from governance.domain.release import CALL_S, Stage, Status
from governance.ports import Event
from governance.services.market import JobState
from tests.unit.roles.role_cases import COORDINATOR, JOB, Chain, desk_of

DEADLINE_S = 10_000_000
FINAL_S = 9_000_000


class OneJob(Chain):
    """A chain with one job, of which everything is paid."""

    def read(self, *_: object) -> int:
        return 0

    def events(self, _contract: str, names: list[str], **_: int) -> list[Event]:
        return [cast("Event", SimpleNamespace(values={"job": JOB}, block=0))] if "JobOpened" in names else []


@dataclass
class Late:
    """A candidate without a vote."""

    stage: Stage = Stage.FINAL
    final_s: int = FINAL_S
    refused: list[bytes] = field(default_factory=list)

    def keeper(self, home: Path, *, now_s: int) -> Keeper:
        record = SimpleNamespace(
            id=JOB, job=JOB, status=Status.CANDIDATE, proposal_id=0, candidate_index=0, approval_deadline_s=0
        )
        market = SimpleNamespace(
            job=lambda _job: SimpleNamespace(deadline_s=DEADLINE_S, state=JobState.OPEN),
            is_withdrawn=lambda _job, _index: False,
            recorded_rounds=lambda _job: 0,
            round_count=lambda _job: 0,
        )
        court = SimpleNamespace(case=lambda _id: SimpleNamespace(stage=self.stage, window_end_s=self.final_s))
        releases = SimpleNamespace(
            releases_of=lambda _job: [JOB],
            release=lambda _id: record,
            refuse=lambda _signer, release: self.refused.append(release),
        )
        agreements = SimpleNamespace(of=lambda _job: [])
        chain = OneJob(time_s=now_s)
        parts = {"market": market, "court": court, "releases": releases, "agreements": agreements}
        return Keeper(desk_of(home, COORDINATOR, chain, **parts))


@pytest.mark.parametrize(
    ("stage", "final_s", "now_s", "refused"),
    [
        (Stage.FINAL, FINAL_S, DEADLINE_S, []),
        (Stage.FINAL, FINAL_S, DEADLINE_S + 1, [JOB]),
        (Stage.FINAL, DEADLINE_S, DEADLINE_S + CALL_S, []),
        (Stage.FINAL, DEADLINE_S, DEADLINE_S + CALL_S + 1, [JOB]),
        (Stage.REVEALING, FINAL_S, DEADLINE_S + CALL_S + 1, []),
        (Stage.DRAWING, 0, DEADLINE_S + CALL_S + 1, []),
        (Stage.LAPSED, FINAL_S, FINAL_S, [JOB]),
    ],
)
def test_a_candidate_without_a_vote_is_refused_in_its_time(
    tmp_path: Path, stage: Stage, final_s: int, now_s: int, refused: list[bytes]
) -> None:
    late = Late(stage=stage, final_s=final_s)

    late.keeper(tmp_path, now_s=now_s).step()

    assert late.refused == refused


def test_a_job_whose_work_is_paid_is_watched_until_its_candidate_is_decided(tmp_path: Path) -> None:
    late = Late(stage=Stage.REVEALING)
    keeper = late.keeper(tmp_path, now_s=DEADLINE_S + CALL_S + 1)
    keeper.step()
    late.stage = Stage.FINAL

    keeper.step()

    assert late.refused == [JOB]
