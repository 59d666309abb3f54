"""Releases after their decision: every suspension, recheck and withdrawal, and what may be used now."""

from governance.domain.policy import Phase
from governance.domain.release import Status
from governance.errors import PolicyError
from governance.policy.grace import evaluate_existing
from governance.policy.verdict import evaluate
from governance.ports import Event
from governance.services import reading
from governance.services.audit.checks.candidates import name_of, purposes_of
from governance.services.audit.checks.constitution import graces_at, policy_at
from governance.services.audit.checks.verdicts import facts_of
from governance.services.audit.context import Context, place
from governance.services.audit.report import Examination
from governance.services.audit.standing import STEPS, read_standings, stands
from governance.services.audit.timeline import moment_of

WHERE = "ReleaseRegistry"
SUSPENSION_S = 14 * 24 * 3600


def check_standing(context: Context, exam: Examination) -> None:
    """Replay what happened to releases after their decision, and compare it with what the registry answers."""
    suspended: set[bytes] = set()
    for event in context.events(WHERE, *STEPS, "NonCompliant"):
        key, where = reading.raw(event.values["id"]), place(event)
        release = context.records.releases.get(key)
        decided = release.decided if release else None
        released = decided is not None and decided.name == "Released" and moment_of(decided) < moment_of(event)
        exam.holds(where, "it concerns a release", condition=released, found=key)
        if event.name == "Suspended":
            exam.holds(where, "the guardian suspends a release once", condition=key not in suspended, found=key)
            suspended.add(key)
            expected = context.time_s(event) + SUSPENSION_S
            exam.equal(where, "end of the suspension", expected=expected, found=event.values["untilS"])
        elif event.name in ("Rechecked", "NonCompliant"):
            _check_verdict(context, exam, event)
    _check_now(context, exam)


def _check_verdict(context: Context, exam: Examination, event: Event) -> None:
    release = context.records.releases.get(reading.raw(event.values["id"]))
    if release is None:
        return
    where, policy = place(event), policy_at(context, event)
    facts = facts_of(context, release, before=moment_of(event))
    purposes, now_s = purposes_of(context, release), context.time_s(event)
    try:
        if event.name == "Rechecked":
            graces = graces_at(context, event)
            verdict = evaluate_existing(policy, graces, facts, purposes=purposes, now_s=now_s)
        else:
            verdict = evaluate(policy, facts, purposes=purposes, phase=Phase.RELEASE, now_s=now_s)
    except PolicyError as problem:
        exam.fault(where, "no verdict can be given", found=str(problem))
        return
    exam.equal(where, "rules that fail", expected=verdict.failed, found=event.values["failedRules"])
    exam.equal(where, "rules it was judged by", expected=policy.set_hash, found=event.values["policyHash"])
    if event.name == "Rechecked":
        exam.equal(where, "does it hold", expected=verdict.failed == 0, found=event.values["holds"])


def _check_now(context: Context, exam: Examination) -> None:
    standings, now_s = read_standings(context), context.history.head.time_s
    for release in context.records.releases.values():
        where, artifact = name_of(release), release.manifest.artifact
        status, reason = stands(standings, release.id, now_s)
        answer = (int(status), int(reason))
        context.state(exam, where, "how it stands", expected=answer, call=(WHERE, "standing", release.id))
        context.state(exam, where, "how its file stands", expected=answer, call=(WHERE, "status", artifact))
        usable = status is Status.RELEASED
        context.state(exam, where, "may its file be used", expected=usable, call=(WHERE, "isUsable", artifact))
