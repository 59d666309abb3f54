"""Rounds: order and roots on chain, and the updates behind them added up again."""

from collections.abc import Mapping

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from governance.domain import evidence
from governance.domain.evidence import Leaf, RoundEvidence
from governance.domain.market import Kind
from governance.domain.policy import Fact, Phase, PolicySet, Source
from governance.domain.record import Record
from governance.errors import FolkmootError, PolicyError
from governance.policy.verdict import evaluate
from governance.ports import Event
from governance.services import reading
from governance.services.audit.checks.constitution import policy_in_force
from governance.services.audit.context import Context, place, short
from governance.services.audit.records import Job
from governance.services.audit.report import Examination
from governance.services.audit.timeline import moment_of

WHERE = "RoundLedger"
MILLION = 1_000_000


def check_rounds(context: Context, exam: Examination) -> None:
    """Compare every posted round with what stands, and judge it again."""
    policy = policy_in_force(context)
    for job in context.records.jobs.values():
        count = len(job.rounds)
        counted = (WHERE, "roundCount", job.id)
        context.state(exam, f"job {short(job.id)}", "number of rounds", expected=count, call=counted)
        for number, event in enumerate(job.rounds):
            where = name_of(event)
            exam.equal(where, "rounds come in order", expected=number, found=event.values["round"])
            exam.holds(where, "no more rounds than agreed", condition=number < job.terms.rounds)
            root = event.values["root"]
            context.state(exam, where, "root that stands", expected=root, call=(WHERE, "root", job.id, number))
            in_time = context.time_s(event) <= job.terms.deadline_s
            exam.holds(where, "posted before the job's deadline", condition=in_time)
            _check_law(context, exam, job, policy=policy, event=event)


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
    subject = keccak(encode(["bytes32", "uint32"], [job.id, event.values["round"]]))
    context.state(
        exam,
        name_of(event),
        "number of leaves that stands",
        expected=((contributors * MILLION,), (int(Source.DECLARED),)),
        call=(WHERE, "facts", subject, (b"round_contributors".ljust(32, b"\0"),), (1 << Source.DECLARED,)),
    )
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
