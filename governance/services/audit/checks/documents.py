"""Files behind the digests of a decision: plan, metric code, model file, model card, jurors' reports."""

from __future__ import annotations

from collections.abc import Mapping

from governance.domain.income import WHOLE_PPB, share_root
from governance.domain.market import Kind
from governance.domain.naming import owner_name
from governance.domain.record import Record, canonical_json, sha256
from governance.domain.release import MISSING
from governance.domain.signing import read_short_text
from governance.errors import FolkmootError, InvalidRecord
from governance.ports import Event
from governance.services import reading
from governance.services.audit.cases import Case, is_abstention
from governance.services.audit.checks.candidates import name_of
from governance.services.audit.checks.rounds import rounds_behind
from governance.services.audit.context import Context, place, short
from governance.services.audit.library import fields_of
from governance.services.audit.records import Agreement, Job, Release
from governance.services.audit.report import Examination
from governance.services.audit.timeline import moment_of
from governance.services.shares import read_shares

COURT = "EvaluatorCourt"


def check_documents(context: Context, exam: Examination) -> None:
    """Open every file that a job or candidate names, and compare what it says with the chain."""
    for job in context.records.jobs.values():
        _check_plan(context, exam, job)
        _find_metric_code(context, exam, job)
    for release in context.records.releases.values():
        context.evidence(exam, release.manifest.artifact, f"the model file of {name_of(release)}")
        card = context.evidence(exam, release.manifest.card, f"the model card of {name_of(release)}")
        if card is not None:
            exam.holds(name_of(release), "its card is there and hashes to its digest", condition=True)
            _check_card(context, exam, release, card)


def check_reports(context: Context, exam: Examination) -> None:
    """Open every juror's report and compare its figures with what the juror revealed."""
    for case in context.records.cases.values():
        for event in case.reveals:
            # Who could give nothing has nothing to report.
            if case.is_dispute or is_abstention(event):
                continue
            if case.final is None and not _is_at_hand(context, reading.raw(event.values["report"])):
                # Reports are collected when the case is final.
                continue
            _check_report(context, exam, case, event)


def _is_at_hand(context: Context, digest: bytes) -> bool:
    try:
        return context.store is not None and bool(context.store.get(digest))
    except FolkmootError:
        return False


def _find_metric_code(context: Context, exam: Examination, job: Job) -> None:
    digest = job.terms.metric_code
    if digest in context.shipped:
        exam.holds(f"job {short(job.id)}", "its metric code is the one of this installation", condition=True)
    else:
        context.evidence(exam, digest, "the metric code")


def _check_plan(context: Context, exam: Examination, job: Job) -> None:
    where = f"plan {job.terms.task.hex()} of job {short(job.id)} ({place(job.opened)})"
    data = context.evidence(exam, job.terms.task, f"the plan of job {short(job.id)}")
    if data is None:
        return
    plan = fields_of(data)
    if not exam.holds(where, "it is a document", condition=plan is not None) or plan is None:
        return
    candidates = _objects(plan.get("candidates"))
    names = tuple(candidate.get("name") for candidate in candidates)
    exam.equal(where, "candidates in order", expected=job.terms.candidates, found=names)
    rounds = {candidate.get("rounds") for candidate in candidates}
    exam.equal(where, "rounds of a candidate", expected={job.terms.rounds_per_candidate}, found=rounds)
    privacy = _object(plan.get("privacy"))
    promised = (job.terms.epsilon_micros, job.terms.delta_e12)
    found = (privacy.get("epsilon_micros"), privacy.get("delta_e12"))
    exam.equal(where, "epsilon and delta", expected=promised, found=found)


def _check_card(context: Context, exam: Examination, release: Release, data: bytes) -> None:
    where = f"card {release.manifest.card.hex()} of {name_of(release)}"
    card = fields_of(data)
    if not exam.holds(where, "it is a document", condition=card is not None) or card is None:
        return
    manifest = release.manifest
    exam.equal(where, "its model file", expected=manifest.artifact.hex(), found=card.get("artifact_sha256"))
    subject = (manifest.candidate_index, manifest.candidate)
    exam.equal(where, "its candidate", expected=subject, found=(card.get("candidate"), card.get("candidate_name")))
    task = _object(card.get("task"))
    exam.equal(where, "digest of its task", expected=sha256(canonical_json(task)).hex(), found=card.get("task_digest"))
    job = context.records.jobs.get(manifest.job)
    if job is None:
        return
    plan = canonical_json({"type": "plan", **{key: value for key, value in task.items() if key != "owners"}})
    exam.equal(where, "the plan that its task follows", expected=job.terms.task, found=sha256(plan))
    owners = sorted((str(owner.get("owner")), owner.get("rows")) for owner in _objects(task.get("owners")))
    exam.equal(where, "owners and their rows", expected=sorted(_agreed_rows(context, release)), found=owners)
    given = [_names(owners) for owners in _lists(card.get("owners_per_round"))]
    expected = _owners_per_round(context, release, job)
    if expected is not None:
        exam.equal(where, "owners of each of its rounds", expected=expected, found=given)


def _agreed_rows(context: Context, release: Release) -> list[tuple[str, int]]:
    moment = moment_of(release.submitted)
    rows: list[tuple[str, int]] = []
    for agreement in _cited(context, release, Kind.DATA):
        number = context.world.organisation_of(agreement.terms.seller, moment)
        rows.append((_called(context, number), agreement.terms.rows))
    return rows


def _called(context: Context, number: int) -> str:
    organisations = context.world.organisations
    names = {each: known.name for each in organisations if (known := organisations.last(each))}
    # What was never admitted is missed elsewhere.
    return owner_name(names.get(number, ""), number, (name for each, name in names.items() if each < number))


def _owners_per_round(context: Context, release: Release, job: Job) -> list[list[str]] | None:
    per = job.terms.rounds_per_candidate
    wanted = range(1 + release.manifest.candidate_index * per, 1 + (release.manifest.candidate_index + 1) * per)
    found: list[list[str]] = []
    for event in job.rounds:
        behind = rounds_behind(context, job, event)
        for known in behind or ():
            if known.round_number not in wanted:
                continue
            agents = [leaf.agent for leaf in known.leaves[:-1]]
            numbers = [context.world.organisation_of(agent, moment_of(event)) for agent in agents]
            found.append(sorted(_called(context, number) for number in numbers))
    # A round whose leaves nobody has is missed elsewhere.
    return found if len(found) == len(wanted) else None


def _check_report(context: Context, exam: Examination, case: Case, event: Event) -> None:
    digest = reading.raw(event.values["report"])
    where = f"report {digest.hex()} of juror {event.values['juror']} ({place(event)})"
    data = context.evidence(exam, digest, f"the report of juror {event.values['juror']} in case {short(case.id)}")
    if data is None:
        return
    report = fields_of(data)
    if not exam.holds(where, "it is a document", condition=report is not None) or report is None:
        return
    exam.equal(where, "the file that was measured", expected=case.artifact.hex(), found=report.get("artifact_sha256"))
    job = context.records.jobs.get(case.job)
    code = job.terms.metric_code.hex() if job else None
    exam.equal(where, "the metric code", expected=code, found=report.get("metric_code_sha256"))
    rows = sum(known.rows for root in case.roots if (known := context.world.data_sets.get(root)) is not None)
    exam.equal(where, "number of evaluation rows", expected=rows, found=report.get("rows"))
    facts = _object(report.get("facts"))
    metrics = [reading.row(item, 3)[0] for item in reading.items(context.read(COURT, "metrics"))]
    for key, value in zip(metrics, reading.items(event.values["values"]), strict=False):
        name = read_short_text(reading.raw(key))
        found = _object(facts.get(name)).get("value_micros", MISSING)
        exam.equal(where, f"{name} as it was revealed", expected=value, found=found)
    check_shares(exam, where, case, root=reading.raw(event.values["contributions"]), report=report)


def check_shares(exam: Examination, where: str, case: Case, *, root: bytes, report: Mapping[str, Record]) -> None:
    """Require that a root that a juror revealed follows from the shares in its report, which are a whole."""
    try:
        shares = read_shares(report)
        found = share_root(case.id, shares) if shares else bytes(32)
    except InvalidRecord as problem:
        exam.holds(where, "its shares can be read", condition=False, found=str(problem))
        return
    if not shares:
        exam.equal(where, "root of the shares that it does not hold", expected=bytes(32), found=root)
        return
    exam.equal(where, "root of its shares", expected=found, found=root)
    total = sum(share.share_ppb for share in shares)
    exam.equal(where, "sum of its shares", expected=WHOLE_PPB, found=total)


def _cited(context: Context, release: Release, kind: Kind) -> list[Agreement]:
    found = (context.records.agreements.get(key) for key in release.manifest.agreements)
    return [agreement for agreement in found if agreement is not None and agreement.terms.kind is kind]


def _object(value: Record | None) -> Mapping[str, Record]:
    return value if isinstance(value, Mapping) else {}


def _objects(value: Record | None) -> list[Mapping[str, Record]]:
    return [item for item in _lists_or_nothing(value) if isinstance(item, Mapping)]


def _lists(value: Record | None) -> list[list[Record]]:
    return [_lists_or_nothing(item) for item in _lists_or_nothing(value)]


def _lists_or_nothing(value: Record | None) -> list[Record]:
    return list(value) if isinstance(value, list | tuple) else []


def _names(owners: list[Record]) -> list[str]:
    return sorted(str(owner) for owner in owners)
