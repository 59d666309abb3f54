"""Which rounds each payment was for: upwards, each once, by leaves that were posted, scores or upheld omissions."""

from governance.domain.market import IntegrationMode, Kind
from governance.domain.scores import WHOLE
from governance.ports import Event
from governance.services import reading
from governance.services.audit.checks.agreements import name_of
from governance.services.audit.checks.scores import scorings
from governance.services.audit.context import Context, place
from governance.services.audit.records import Agreement, Job
from governance.services.audit.report import Examination
from governance.services.audit.timeline import moment_of

LEDGER = "RoundLedger"


def parts_of(context: Context, agreement: Agreement) -> int:
    """Return in how many parts a unit is counted: hundredths where scores set how much of a round is paid."""
    job = context.records.jobs.get(agreement.terms.job)
    scored = job is not None and job.terms.integration_mode is IntegrationMode.OVERLAPPED
    return WHOLE if scored and agreement.terms.kind is Kind.DATA else 1


def check_rounds_paid(context: Context, exam: Examination, agreement: Agreement, paid: int) -> None:
    """Require that rounds were paid upwards, each once, and none before it was posted."""
    job = context.records.jobs.get(agreement.terms.job)
    following, parts = 0, parts_of(context, agreement)
    for event in agreement.payments:
        where = f"payment for {name_of(agreement)} in {place(event)}"
        count, after = reading.number(event.values["units"]), reading.number(event.values["nextUnit"])
        least = following + -(-count // parts)
        exam.holds(where, "rounds are paid upwards, each once", condition=after >= least, found=after)
        if _is_omission(context, agreement, event):
            # Paid by a receipt, whatever was posted.
            exam.equal(where, "parts of the round that was omitted", expected=parts, found=count)
        else:
            posted = _most_posted(agreement, job, event)
            exam.holds(where, "no round is paid before it was posted", condition=after <= posted, found=after)
            if parts == WHOLE:
                _check_parts(context, exam, agreement, event=event, first=following)
        following = after
    passed = following * parts
    exam.holds(name_of(agreement), "no more rounds paid than passed", condition=paid <= passed, found=paid)


def _is_omission(context: Context, agreement: Agreement, event: Event) -> bool:
    return any(
        each.transaction == event.transaction
        and each.values["agreement"] == agreement.id
        and reading.number(each.values["round"]) + 1 == event.values["nextUnit"]
        for each in context.events(LEDGER, "Omitted")
    )


def _most_posted(agreement: Agreement, job: Job | None, event: Event) -> int:
    if job is None:
        return 0
    posted = sum(moment_of(each) < moment_of(event) for each in job.rounds)
    # A leaf names its round, so any anchor may hold it.
    decoupled = job.terms.integration_mode is IntegrationMode.DECOUPLED
    return agreement.terms.units if decoupled and posted else posted


def _check_parts(context: Context, exam: Examination, agreement: Agreement, *, event: Event, first: int) -> None:
    """Require that what was paid is the sum of the shares of some of the rounds passed, the last among them."""
    where = f"payment for {name_of(agreement)} in {place(event)}"
    last = reading.number(event.values["nextUnit"]) - 1
    shares = {
        scoring.number: scoring.computed()[list(scoring.digests).index(agreement.terms.seller)]
        for scoring in scorings(context, Examination(exam.name))
        if scoring.job.id == agreement.terms.job and agreement.terms.seller in scoring.digests
    }
    sums = {shares.get(last, -1)}
    for number in range(first, last):
        sums |= {known + shares[number] for known in sums} if number in shares else set()
    count = event.values["units"]
    exam.holds(where, "parts, from the shares of its rounds", condition=count in sums, found=count)
