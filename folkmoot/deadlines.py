"""The next moment at which something on chain becomes possible, or is too late."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from governance.domain.release import ProposalState, Stage
from governance.ports import Chain
from governance.services.amendments import Amendments
from governance.services.court import Court
from governance.services.reading import number, raw
from governance.services.releases import Governor

_OPEN_STAGES = (Stage.DRAWING, Stage.COMMITTING, Stage.REVEALING)


@dataclass(frozen=True, slots=True, order=True)
class Deadline:
    """A moment in chain time, and what happens at it."""

    timestamp_s: int
    what: str


def next_deadline(chain: Chain) -> Deadline | None:
    """Return the nearest future deadline of the open proposals, changes and cases, ``None`` if there is none."""
    now_s = chain.now_s()
    future = (each for each in (*_proposals(chain), *_cases(chain), *_amendments(chain)) if each.timestamp_s > now_s)
    return min(future, default=None)


def _proposals(chain: Chain) -> Iterator[Deadline]:
    governor = Governor(chain)
    for event in chain.events("ModelGovernor", ["ProposalCreated"], from_block=chain.first_block):
        proposal = number(event.values["proposalId"])
        state, name = governor.state(proposal), str(proposal)[:8]
        # One second past: votes count after the snapshot, and the last moment still counts.
        if state is ProposalState.PENDING:
            yield Deadline(governor.snapshot_s(proposal) + 1, f"voting on proposal {name} opens")
        elif state is ProposalState.ACTIVE:
            yield Deadline(governor.deadline_s(proposal) + 1, f"voting on proposal {name} closes")
        elif state is ProposalState.QUEUED:
            yield Deadline(governor.eta_s(proposal), f"proposal {name} may be executed")


def _amendments(chain: Chain) -> Iterator[Deadline]:
    amendments = Amendments(chain)
    for identifier in amendments.ids():
        record, name = amendments.amendment(identifier), identifier.hex()[:8]
        if record.waits_for_activation:
            yield Deadline(record.from_s, f"the staged change {name} may be activated")
        elif record.waits_for_its_vote:
            yield Deadline(record.from_s, f"the second vote on the staged change {name} may be opened")


def _cases(chain: Chain) -> Iterator[Deadline]:
    court = Court(chain)
    for event in chain.events("EvaluatorCourt", ["CaseOpened"], from_block=chain.first_block):
        identifier = raw(event.values["id"])
        case = court.case(identifier)
        if case.stage in _OPEN_STAGES:
            stage = case.stage.name.lower()
            yield Deadline(case.window_end_s + 1, f"{stage} in case {identifier.hex()[:8]} ends")
        elif case.stage is Stage.FINAL:
            yield Deadline(case.window_end_s + 1, f"the result of case {identifier.hex()[:8]} can be appealed no more")
