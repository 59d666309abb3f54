"""Rounds: order and roots on chain, and the updates behind them added up again."""

from collections.abc import Mapping
from dataclasses import dataclass

from governance.domain import evidence
from governance.domain.evidence import Leaf, RoundEvidence
from governance.domain.line import PostedRound, head_of
from governance.domain.market import IntegrationMode, Kind
from governance.domain.policy import Fact, Phase, PolicySet, Source
from governance.domain.record import Record
from governance.domain.signing import read_short_text
from governance.errors import FolkmootError, PolicyError
from governance.policy.verdict import evaluate
from governance.ports import Event
from governance.services import reading
from governance.services.audit.checks.constitution import policy_at
from governance.services.audit.context import Context, place, short
from governance.services.audit.records import Job
from governance.services.audit.report import Examination
from governance.services.audit.timeline import moment_of

WHERE = "RoundLedger"
MILLION = 1_000_000


def check_rounds(context: Context, exam: Examination) -> None:
    """Compare every posted round with what stands, and judge it again."""
    for job in context.records.jobs.values():
        rounds = [_posted(event) for event in job.rounds]
        call = (WHERE, "head", job.id)
        context.state(exam, f"job {short(job.id)}", "head that stands", expected=head_of(job.id, rounds), call=call)
        for number, event in enumerate(job.rounds):
            where = name_of(event)
            exam.equal(where, "rounds come in order", expected=number, found=event.values["round"])
            exam.holds(where, "no more rounds than agreed", condition=number < _most(job))
            in_time = context.time_s(event) <= job.terms.deadline_s
            exam.holds(where, "posted before the job's deadline", condition=in_time)
            _check_law(context, exam, job, policy=policy_at(context, event), event=event)
    _check_recorded(context, exam)


def _most(job: Job) -> int:
    decoupled = job.terms.integration_mode is IntegrationMode.DECOUPLED
    return len(job.terms.candidates) if decoupled else job.terms.rounds


def _posted(event: Event) -> PostedRound:
    return PostedRound(root=reading.raw(event.values["root"]), leaves=reading.number(event.values["leaves"]))


def _check_recorded(context: Context, exam: Examination) -> None:
    """Compare each entry for all rounds so far with those rounds, and require one wherever a job was judged by them."""
    recorded: dict[bytes, int] = {}
    ends = {("ReleaseRegistry", "CandidateSubmitted"), ("AgreementBook", "JobFinished")}
    for event in context.history.events:
        key = event.values.get("job")
        job = context.records.jobs.get(key) if isinstance(key, bytes) else None
        if job is None:
            continue
        before = [_posted(each) for each in job.rounds if moment_of(each) < moment_of(event)]
        if (event.contract, event.name) == (WHERE, "RoundsRecorded"):
            found = (event.values["count"], event.values["head"])
            expected = (len(before), head_of(job.id, before))
            where = f"rounds of job {short(job.id)} in {place(event)}"
            exam.equal(where, "number and head that are logged", expected=expected, found=found)
            recorded[job.id] = len(before)
        elif (event.contract, event.name) in ends:
            where = f"{event.name} of job {short(job.id)} in {place(event)}"
            later = event.name == "JobFinished"
            known = _recorded_by(context, job, event) if later else recorded.get(job.id, 0)
            exam.equal(where, "rounds that the log has by then", expected=len(before), found=known)


def _recorded_by(context: Context, job: Job, event: Event) -> int:
    """Return how many rounds are in the log at the end of an event's transaction."""
    recorded = [each for each in context.events(WHERE, "RoundsRecorded") if each.values["job"] == job.id]
    known = [e for e in recorded if moment_of(e) < moment_of(event) or e.transaction == event.transaction]
    return max((reading.number(each.values["count"]) for each in known), default=0)


def check_updates(context: Context, exam: Examination) -> None:
    """Rebuild every root from its leaves, hash every update, and add the updates up again."""
    for job in context.records.jobs.values():
        for turn, event in enumerate(job.rounds):
            rounds = rounds_behind(context, job, event)
            if rounds is None:
                exam.lacking(f"the document with the leaves of {name_of(event)}")
                continue
            # An anchor stands for all its rounds with the number of leaves of the one with the fewest.
            where, leaves = name_of(event), min((len(found.leaves) for found in rounds), default=0)
            exam.equal(where, "number of leaves", expected=event.values["leaves"], found=leaves)
            subjects = [(found.job, found.round_number) for found in rounds]
            wanted = [(job.id, number) for number in _covered(job, turn)]
            exam.equal(where, "job and round of its leaves", expected=wanted, found=subjects)
            for found in rounds:
                _check_leaves(context, exam, job, event=event, found=found)
                _check_sum(context, exam, event, found)


def rounds_behind(context: Context, job: Job, event: Event) -> tuple[RoundEvidence, ...] | None:
    """Return the rounds whose leaves stand behind a posted root, or None when the store does not tell."""
    root = reading.raw(event.values["root"])
    if job.terms.integration_mode is IntegrationMode.DECOUPLED:
        anchor = context.library.anchors.get(root)
        return anchor.rounds if anchor else None
    found = context.library.rounds.get(root)
    return (found,) if found else None


def _covered(job: Job, turn: int) -> range:
    """Return the rounds that the root posted in this turn stands for."""
    if job.terms.integration_mode is not IntegrationMode.DECOUPLED:
        return range(turn, turn + 1)
    per = job.terms.rounds_per_candidate
    # The statistics round stands in the first anchor.
    return range(1 + turn * per if turn else 0, 1 + (turn + 1) * per)


def name_of(event: Event) -> str:
    """Return how findings name a round."""
    return f"round {event.values['round']} of job {short(reading.raw(event.values['job']))} ({place(event)})"


def _check_law(context: Context, exam: Examination, job: Job, *, policy: PolicySet, event: Event) -> None:
    contributors = reading.number(event.values["leaves"]) - 1
    facts = [Fact("round_contributors", contributors * MILLION, Source.DECLARED)]
    try:
        purposes, time_s = job.terms.purposes, context.time_s(event)
        verdict = evaluate(policy, facts, purposes=purposes, phase=Phase.ROUND, now_s=time_s)
    except PolicyError as problem:
        exam.fault(name_of(event), "no verdict can be given about it", found=str(problem))
        return
    exam.equal(name_of(event), "rules that fail", expected=(), found=verdict.failed_rules)


def _check_leaves(context: Context, exam: Examination, job: Job, *, event: Event, found: RoundEvidence) -> None:
    where = _place_of(event, found)
    flagged = _flagged(context, found)
    agents = [leaf.agent for leaf in found.leaves if leaf.agent not in flagged["equivocation"]]
    exam.equal(where, "one leaf for each agent", expected=len(set(agents)), found=len(agents))
    for index, leaf in enumerate(found.leaves):
        kind = Kind.COMPUTE if index == len(found.leaves) - 1 else Kind.DATA
        agreed = any(
            agreement.terms.seller == leaf.agent
            and agreement.terms.kind is kind
            and agreement.terms.job == job.id
            and agreement.is_active(moment_of(event))
            for agreement in context.records.agreements.values()
        )
        excused = leaf.agent in flagged["stranger"]
        exam.holds(where, f"{leaf.agent} had agreed to sell {kind.word}", condition=agreed or excused)


def _flagged(context: Context, found: RoundEvidence) -> dict[str, set[object]]:
    """Return the agents for whom the chain itself says that this round is not as it should be."""
    agents: dict[str, set[object]] = {"equivocation": set(), "stranger": set()}
    for event in context.events(WHERE, "RoundFlagged"):
        if (event.values["job"], event.values["round"]) == (found.job, found.round_number):
            reason = read_short_text(reading.raw(event.values["reason"]))
            agents.setdefault(reason, set()).add(event.values["agent"])
    return agents


def _place_of(event: Event, found: RoundEvidence) -> str:
    number = found.round_number
    return name_of(event) if number == event.values["round"] else f"round {number} in the anchor {name_of(event)}"


def _check_sum(context: Context, exam: Examination, event: Event, found: RoundEvidence) -> None:
    *owners, provider = found.leaves
    updates = [_numbers(context, exam, _Task(event, found, leaf, "update")) for leaf in owners]
    total = _numbers(context, exam, _Task(event, found, provider, "aggregate"))
    if total is None or any(update is None for update in updates):
        return
    known = [update for update in updates if update is not None]
    where = f"aggregate {provider.digest.hex()} of {_place_of(event, found)}"
    lengths = {len(update) for update in known} | {len(total)}
    if exam.equal(where, "length of updates and sum", expected=1, found=len(lengths)):
        added = [sum(column) for column in zip(*known, strict=True)]
        exam.equal(where, "sum of the updates", expected=added, found=total)


@dataclass(frozen=True, slots=True)
class _Task:
    """One document behind a leaf."""

    event: Event
    found: RoundEvidence
    leaf: Leaf
    kind: str

    @property
    def subject(self) -> tuple[str, int, str]:
        return "0x" + self.found.job.hex(), self.found.round_number, self.leaf.agent


def _numbers(context: Context, exam: Examination, task: _Task) -> list[int] | None:
    leaf, kind, round_ = task.leaf, task.kind, _place_of(task.event, task.found)
    where = f"{kind} {leaf.digest.hex()} of {leaf.agent} in {round_}"
    data = context.evidence(exam, leaf.digest, f"the {kind} of {leaf.agent} in {round_}")
    if data is None:
        return None
    try:
        document = evidence.read_document(data, kind)
        named = (document.get("job"), document.get("round"), document.get("agent"))
        exam.equal(where, "job, round and agent", expected=task.subject, found=named)
        if kind == "aggregate":
            _check_owners(exam, round_, found=task.found, named=evidence.objects(document.get("owners")))
        return evidence.numbers(document.get("update_nanos" if kind == "update" else "sum_nanos"))
    except FolkmootError as problem:
        exam.fault(where, f"it is an {kind} document", found=str(problem))
        return None


def _check_owners(exam: Examination, where: str, *, found: RoundEvidence, named: list[Mapping[str, Record]]) -> None:
    wanted = sorted((leaf.agent, "0x" + leaf.digest.hex()) for leaf in found.leaves[:-1])
    given = sorted((str(owner.get("agent")), str(owner.get("digest"))) for owner in named)
    exam.equal(where, "owners whose updates were added up", expected=wanted, found=given)
