"""Appeals: whether the verdict changed, and what became of the bond."""

from governance.domain.policy import Phase
from governance.errors import PolicyError
from governance.policy.verdict import evaluate
from governance.ports import Event
from governance.services import reading
from governance.services.audit.cases import Case
from governance.services.audit.checks.constitution import policy_in_force
from governance.services.audit.checks.panel import kept_settings
from governance.services.audit.checks.verdicts import facts_of
from governance.services.audit.context import Context, place
from governance.services.audit.report import Examination

VAULT = "RewardVault"


def check_appeals(context: Context, exam: Examination) -> None:
    """Judge both results of every appeal by the same rules, and look where its bond went."""
    for case in context.records.cases.values():
        if len(case.sittings) == 1:
            continue
        opened, ended = case.sittings[1].opened, case.appeal_ended
        bond_e18, appellant = kept_settings(context, case).appeal_bond_e18, opened.values["appellant"]
        exam.equal(place(opened), "bond of the appeal", expected=bond_e18, found=opened.values["bondE18"])
        held = _moves(context, opened, "Held", case.id)
        exam.equal(place(opened), "who paid the bond in", expected=[(appellant, bond_e18)], found=held)
        if ended is None:
            continue
        changed = _changed(context, case, ended)
        exam.equal(place(ended), "the verdict changed", expected=changed, found=ended.values["changed"])
        name, to = ("GivenBack", appellant) if changed else ("Forfeited", context.address("Timelock"))
        moved = _moves(context, ended, name, case.id)
        exam.equal(place(ended), "where the bond went", expected=[(to, bond_e18)], found=moved)


def _moves(context: Context, event: Event, name: str, key: bytes) -> list[tuple[object, object]]:
    court, field = context.address("EvaluatorCourt"), "to" if name == "Forfeited" else "owner"
    return [
        (found.values[field], found.values["amountE18"])
        for found in context.events(VAULT, name)
        if found.transaction == event.transaction and found.values["holder"] == court and found.values["key"] == key
    ]


def _changed(context: Context, case: Case, ended: Event) -> bool:
    if len(case.finals) < len(case.sittings):
        return False
    if case.is_dispute:
        answers = [reading.items(final.values["medians"])[0] for final in case.finals]
        return answers[0] != answers[1]
    masks = [_failed(context, case, final, context.time_s(ended)) for final in case.finals]
    return masks[0] != masks[1]


def _failed(context: Context, case: Case, final: Event, time_s: int) -> int:
    """Return the rules that fail on a result; all of them when the set cannot judge the candidate."""
    release = context.records.releases.get(case.id)
    if release is None:
        return -1
    facts = facts_of(context, release, result=final)
    purposes = next(fact.value for fact in facts if fact.key == "purposes")
    try:
        return evaluate(policy_in_force(context), facts, purposes=purposes, phase=Phase.RELEASE, now_s=time_s).failed
    except PolicyError:
        return -1
