"""Rounds: order and roots on chain, and the updates behind them added up again."""

from collections.abc import Mapping

from governance.domain import evidence
from governance.domain.evidence import Leaf, RoundEvidence
from governance.domain.line import PostedRound, head_of
from governance.domain.market import IntegrationMode, Kind
from governance.domain.policy import Fact, Phase, PolicySet, Source
from governance.domain.record import Record
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
        for event in job.rounds:
            root = reading.raw(event.values["root"])
            found = context.library.rounds.get(root)
            if found is None:
                exam.lacking(f"the document with the leaves of {name_of(event)}")
                continue
            _check_leaves(context, exam, job, event=event, found=found)
            _check_sum(context, exam, event, found)


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
    where = name_of(event)
    subject = (job.id, event.values["round"])
    exam.equal(where, "job and round of its leaves", expected=subject, found=(found.job, found.round_number))
    exam.equal(where, "number of leaves", expected=event.values["leaves"], found=len(found.leaves))
    agents = [leaf.agent for leaf in found.leaves]
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
        exam.holds(where, f"{leaf.agent} had agreed to sell {kind.word}", condition=agreed)


def _check_sum(context: Context, exam: Examination, event: Event, found: RoundEvidence) -> None:
    *owners, provider = found.leaves
    updates = [_numbers(context, exam, event, leaf=leaf, kind="update") for leaf in owners]
    total = _numbers(context, exam, event, leaf=provider, kind="aggregate")
    if total is None or any(update is None for update in updates):
        return
    known = [update for update in updates if update is not None]
    where = f"aggregate {provider.digest.hex()} of {name_of(event)}"
    lengths = {len(update) for update in known} | {len(total)}
    if exam.equal(where, "length of updates and sum", expected=1, found=len(lengths)):
        added = [sum(column) for column in zip(*known, strict=True)]
        exam.equal(where, "sum of the updates", expected=added, found=total)


def _numbers(context: Context, exam: Examination, event: Event, *, leaf: Leaf, kind: str) -> list[int] | None:
    where = f"{kind} {leaf.digest.hex()} of {leaf.agent} in {name_of(event)}"
    data = context.evidence(exam, leaf.digest, f"the {kind} of {leaf.agent} in {name_of(event)}")
    if data is None:
        return None
    try:
        document = evidence.read_document(data, kind)
        named = (document.get("job"), document.get("round"), document.get("agent"))
        job = "0x" + reading.raw(event.values["job"]).hex()
        exam.equal(where, "job, round and agent", expected=(job, event.values["round"], leaf.agent), found=named)
        if kind == "aggregate":
            _check_owners(context, exam, event, named=evidence.objects(document.get("owners")))
        return evidence.numbers(document.get("update_nanos" if kind == "update" else "sum_nanos"))
    except FolkmootError as problem:
        exam.fault(where, f"it is an {kind} document", found=str(problem))
        return None


def _check_owners(context: Context, exam: Examination, event: Event, *, named: list[Mapping[str, Record]]) -> None:
    found = context.library.rounds[reading.raw(event.values["root"])]
    wanted = sorted((leaf.agent, "0x" + leaf.digest.hex()) for leaf in found.leaves[:-1])
    given = sorted((str(owner.get("agent")), str(owner.get("digest"))) for owner in named)
    exam.equal(name_of(event), "owners whose updates were added up", expected=wanted, found=given)
