"""Overlapped rounds: who committed an update, what each scored of the others, and the shares that follow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from governance.domain.market import Address, IntegrationMode, Kind
from governance.domain.scores import MAX_PARTICIPANTS, WHOLE, WINDOW_S, seal, share
from governance.errors import ContractRefused
from governance.ports import Event
from governance.services import reading
from governance.services.audit.checks.rounds import rounds_behind
from governance.services.audit.context import Context, place, short
from governance.services.audit.records import Job
from governance.services.audit.report import Examination
from governance.services.audit.timeline import moment_of

WHERE = "RoundLedger"
NAMES = ("UpdateCommitted", "RoundPosted", "ScoresCommitted", "ScoresRevealed", "RoundScored")


@dataclass(slots=True)
class Scoring:
    """One overlapped round, replayed."""

    job: Job
    number: int
    digests: dict[Address, bytes] = field(default_factory=dict)
    """In the order in which they were committed."""
    posted_at_s: int = 0
    seals: dict[Address, bytes] = field(default_factory=dict)
    opened: dict[Address, tuple[int, ...]] = field(default_factory=dict)
    shares: tuple[int, ...] | None = None

    @property
    def where(self) -> str:
        return f"scores of round {self.number} of job {short(self.job.id)}"

    def computed(self) -> tuple[int, ...]:
        """Return the shares that follow from what was opened."""
        opened = [self.opened.get(agent) for agent in self.digests]
        return tuple(share(index, opened) for index in range(len(opened)))


def check_scores(context: Context, exam: Examination) -> None:
    """Replay every overlapped round, compute its shares again, and compare them with what stands."""
    for scoring in scorings(context, exam):
        call = (WHERE, "participants", scoring.job.id, scoring.number)
        context.state(exam, scoring.where, "its participants", expected=tuple(scoring.digests), call=call)
        for agent, expected in zip(scoring.digests, scoring.computed(), strict=True):
            what = f"share of {agent}, in hundredths"
            view = (WHERE, "shareOf", scoring.job.id, scoring.number, agent)
            if scoring.shares is not None:
                context.state(exam, scoring.where, what, expected=expected, call=view)
            else:
                exam.holds(scoring.where, f"{what}, is not set yet", condition=_is_unset(context, view))


def scorings(context: Context, exam: Examination) -> list[Scoring]:
    """Return every overlapped round as its events tell it; what contradicts what came before is a finding."""
    found: dict[tuple[bytes, int], Scoring] = {}
    for job, event in _events(context):
        number = reading.number(event.values["round"])
        scoring = found.setdefault((job.id, number), Scoring(job, number))
        STEPS[event.name](context, exam, scoring, event)
    return list(found.values())


def _events(context: Context) -> Iterator[tuple[Job, Event]]:
    for event in context.events(WHERE, *NAMES):
        job = context.records.jobs.get(reading.raw(event.values["job"]))
        if job is not None and job.terms.integration_mode is IntegrationMode.OVERLAPPED:
            yield job, event


def _is_unset(context: Context, call: tuple[object, ...]) -> bool:
    contract, function, *arguments = call
    try:
        context.read(str(contract), str(function), *arguments)
    except ContractRefused as refusal:
        return refusal.name == "RoundNotScored"
    return False


def _committed(context: Context, exam: Examination, scoring: Scoring, event: Event) -> None:
    where, agent, moment = place(event), reading.address(event.values["agent"]), moment_of(event)
    digest = reading.raw(event.values["digest"])
    sells = any(
        agreement.terms.seller == agent
        and agreement.terms.kind is Kind.DATA
        and agreement.terms.job == scoring.job.id
        and agreement.is_active(moment)
        for agreement in context.records.agreements.values()
    )
    exam.holds(where, f"{agent} had agreed to sell data", condition=sells)
    bound = context.world.agents.before(moment, agent)
    exam.holds(where, f"{agent} was bound", condition=bound is not None and bound.active)
    posted = sum(moment_of(each) < moment for each in scoring.job.rounds)
    exam.equal(where, "the round that comes next", expected=posted, found=scoring.number)
    new = agent not in scoring.digests and digest not in scoring.digests.values()
    exam.holds(where, "an update of its own, once", condition=new, found=digest)
    exam.holds(where, "no more participants than may be", condition=len(scoring.digests) < MAX_PARTICIPANTS)
    scoring.digests[agent] = digest


def _posted(context: Context, exam: Examination, scoring: Scoring, event: Event) -> None:
    scoring.posted_at_s = context.time_s(event)
    leaves = len(scoring.digests) + 1
    exam.equal(place(event), "leaves, from the committed updates", expected=leaves, found=event.values["leaves"])
    for found in rounds_behind(context, scoring.job, event) or ():
        behind = {leaf.agent: leaf.digest for leaf in found.leaves[:-1]}
        exam.equal(place(event), "updates are those committed to", expected=scoring.digests, found=behind)


def _sealed(context: Context, exam: Examination, scoring: Scoring, event: Event) -> None:
    agent = _participant(exam, scoring, event)
    _require_time(context, exam, event, condition=_since(context, scoring, event) <= WINDOW_S)
    exam.holds(place(event), "sealed once", condition=agent not in scoring.seals)
    scoring.seals[agent] = reading.raw(event.values["commitment"])


def _opened(context: Context, exam: Examination, scoring: Scoring, event: Event) -> None:
    where, agent = place(event), _participant(exam, scoring, event)
    since, complete = _since(context, scoring, event), len(scoring.seals) == len(scoring.digests)
    _require_time(context, exam, event, condition=(complete or since > WINDOW_S) and since <= 2 * WINDOW_S)
    scores = tuple(reading.number(score) for score in reading.items(event.values["scores"]))
    commitment = seal(
        scores,
        reading.raw(event.values["salt"]),
        chain_id=context.history.chain_id,
        ledger=context.address(WHERE),
        place=(scoring.job.id, scoring.number, agent),
    )
    exam.equal(where, "the seal of its scores", expected=scoring.seals.get(agent), found=commitment)
    sound = len(scores) == len(scoring.digests) and all(
        0 <= score <= (0 if whose == agent else WHOLE) for whose, score in zip(scoring.digests, scores, strict=False)
    )
    exam.holds(where, "a score for each other participant", condition=sound, found=scores)
    exam.holds(where, "opened once", condition=agent not in scoring.opened)
    scoring.opened[agent] = scores


def _scored(context: Context, exam: Examination, scoring: Scoring, event: Event) -> None:
    where = place(event)
    complete = len(scoring.opened) == len(scoring.digests)
    _require_time(context, exam, event, condition=complete or _since(context, scoring, event) > 2 * WINDOW_S)
    agents = tuple(reading.address(agent) for agent in reading.items(event.values["agents"]))
    exam.equal(where, "agents, those that committed", expected=tuple(scoring.digests), found=agents)
    scoring.shares = tuple(reading.number(each) for each in reading.items(event.values["shares"]))
    exam.equal(where, "shares, from the scores", expected=scoring.computed(), found=scoring.shares)


def _participant(exam: Examination, scoring: Scoring, event: Event) -> Address:
    agent = reading.address(event.values["agent"])
    exam.holds(place(event), "it committed an update", condition=agent in scoring.digests, found=agent)
    return agent


def _since(context: Context, scoring: Scoring, event: Event) -> int:
    return context.time_s(event) - scoring.posted_at_s


def _require_time(context: Context, exam: Examination, event: Event, *, condition: bool) -> None:
    exam.holds(place(event), "done in its hour", condition=condition, found=context.time_s(event))


STEPS = {
    "UpdateCommitted": _committed,
    "RoundPosted": _posted,
    "ScoresCommitted": _sealed,
    "ScoresRevealed": _opened,
    "RoundScored": _scored,
}
