"""Answers of jurors in disputes: their reports, and the same judgement from the evidence in the store."""

from governance.domain.accusation import Accusation, Judgement
from governance.domain.market import Kind
from governance.domain.receipt import ledger_domain
from governance.errors import FolkmootError, StoreDamaged
from governance.ports import Event
from governance.services import reading
from governance.services.audit.cases import Case, is_abstention
from governance.services.audit.context import Context, place, short
from governance.services.audit.library import fields_of
from governance.services.audit.report import Examination
from governance.services.disputes import REPORT_TYPE, Ground

YES = 1_000_000


def check_answers(context: Context, exam: Examination) -> None:
    """Judge every complaint again on which a juror gave an answer, and compare answers and reports."""
    for raised in context.events("Disputes", "DisputeRaised"):
        case = context.records.cases.get(reading.raw(raised.values["id"]))
        if case is None or reading.number(raised.values["ground"]) != Ground.INVALID_UPDATE:
            continue
        given = [event for event in case.reveals if not is_abstention(event)]
        if not given:
            # Evidence that no juror had is nobody's to keep.
            continue
        judgement = _judge_again(context, exam, raised, case)
        for event in given:
            if judgement is not None:
                expected = YES if judgement.upheld else 0
                exam.equal(place(event), "answer, from the evidence", expected=expected, found=_answer(event))
            _check_report(context, exam, case, event)


def _judge_again(context: Context, exam: Examination, raised: Event, case: Case) -> Judgement | None:
    what = f"the evidence of dispute {short(case.id)}"
    accusation = _accusation(context, raised)
    if context.judge is None or context.store is None or accusation is None:
        exam.lacking(f"what it takes to judge dispute {short(case.id)} again: its job, the store, or a judge")
        return None
    try:
        return context.judge(accusation, context.store.get)
    except StoreDamaged as damage:
        exam.fault(what, "its bytes hash to their names", found=str(damage))
    except FolkmootError as problem:
        exam.lacking(f"{what}: {problem}")
    return None


def _accusation(context: Context, raised: Event) -> Accusation | None:
    agreement = context.records.agreements.get(reading.raw(raised.values["agreement"]))
    job = context.records.jobs.get(agreement.terms.job) if agreement else None
    if agreement is None or job is None:
        return None
    sold = [each.terms for each in context.records.agreements.values()]
    return Accusation(
        job=job.id,
        seller=agreement.terms.seller,
        kind=agreement.terms.kind,
        units=agreement.terms.units,
        mode=job.terms.integration_mode,
        privacy=job.terms.aggregation_privacy,
        rounds_per_candidate=job.terms.rounds_per_candidate,
        plan=job.terms.task,
        roots=[reading.raw(event.values["root"]) for event in job.rounds],
        rows={terms.seller: terms.rows for terms in sold if terms.job == job.id and terms.kind is Kind.DATA},
        ledger=ledger_domain(context.history.chain_id, context.address("RoundLedger")),
        evidence=reading.raw(raised.values["evidence"]),
    )


def _check_report(context: Context, exam: Examination, case: Case, event: Event) -> None:
    digest = reading.raw(event.values["report"])
    where = f"report {digest.hex()} of juror {event.values['juror']} ({place(event)})"
    data = context.evidence(exam, digest, f"the report of juror {event.values['juror']} in dispute {short(case.id)}")
    if data is None:
        return
    report = fields_of(data, REPORT_TYPE)
    if not exam.holds(where, "it is a report of a dispute", condition=report is not None) or report is None:
        return
    exam.equal(where, "its dispute", expected="0x" + case.id.hex(), found=report.get("dispute"))
    exam.equal(where, "its evidence", expected="0x" + case.artifact.hex(), found=report.get("evidence"))
    exam.equal(where, "the answer as it was revealed", expected=_answer(event) // YES, found=report.get("upheld"))


def _answer(event: Event) -> int:
    return reading.number(reading.items(event.values["values"])[0])
