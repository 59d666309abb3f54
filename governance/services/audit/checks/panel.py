"""The court's settings, panel and stakes, and what settlement took from whom."""

from collections.abc import Collection, Sequence
from typing import Final

from governance.domain.market import Address
from governance.domain.release import MISSING, Outcome
from governance.services import reading
from governance.services.audit.ballots import NOBODY
from governance.services.audit.cases import Case, Sitting, is_abstention
from governance.services.audit.context import END, Context, place, short
from governance.services.audit.report import Examination
from governance.services.audit.timeline import Moment, moment_of
from governance.services.audit.world import NOTHING_AT_STAKE
from governance.services.court import CourtSettings

WHERE = "EvaluatorCourt"
SLASH_BPS: Final = 2_000
NO_SETTINGS: Final = CourtSettings(
    jury_size=0,
    high_jury_size=0,
    max_looks=0,
    commit_window_s=0,
    reveal_window_s=0,
    appeal_window_s=0,
    unstake_delay_s=0,
    stake_e18=0,
    appeal_bond_e18=0,
    metric_code=bytes(32),
)


def check_panel(context: Context, exam: Examination) -> None:
    """Replay settings, panel and stakes, and judge every juror again."""
    _check_settings(context, exam)
    _check_members(context, exam)
    _check_services(context, exam)
    for case in context.records.cases.values():
        for number, sitting in enumerate(case.sittings):
            if sitting.settled is not None:
                _check_settled(context, exam, case, number)


def kept_settings(context: Context, case: Case) -> CourtSettings:
    """Return the settings that a case was opened with."""
    versions = context.world.court_versions
    return versions[case.version][0] if case.version < len(versions) else NO_SETTINGS


def settings_at(context: Context, moment: Moment) -> CourtSettings:
    """Return the settings in force at a moment."""
    changes = sum(moment_of(event) < moment for event in context.events(WHERE, "SettingsChanged"))
    return context.world.court_versions[changes - 1][0] if changes else NO_SETTINGS


def evaluator_of(context: Context, organisation: int, before: Moment) -> Address | None:
    """Return who is drawn for an organisation just before a moment; None while it is suspended or removed."""
    world = context.world
    return world.evaluators.before(before, organisation) if world.works(organisation, before) else None


def eligible_at(context: Context, case: Case, moment: Moment, *, but: Collection[int]) -> list[int]:
    """Return who may be drawn of those that a case finds just before a moment: able to sit, staying, not excluded."""
    services = context.world.services
    return [
        number
        for number in able_at(context, case, moment)
        if number not in but and not (services.before(moment, number) or NOTHING_AT_STAKE).leaves_at_s
    ]


def able_at(context: Context, case: Case, moment: Moment) -> list[int]:
    """Return who could take a seat just before a moment: on the panel, staked, and once with an evaluator."""
    needed_e18 = kept_settings(context, case).stake_e18
    found = []
    for number in context.world.panels.before(moment, "panel") or ():
        service = context.world.services.before(moment, number) or NOTHING_AT_STAKE
        if service.stake_e18 >= needed_e18 and evaluator_of(context, number, moment) is not None:
            found.append(number)
    return found


def _decided(context: Context) -> set[str]:
    """Return the transactions in which something that was voted on was carried out."""
    voted = {event.transaction for event in context.events("Timelock", "CallExecuted")}
    return voted | {event.transaction for event in context.events("Amendments")}


def _check_settings(context: Context, exam: Examination) -> None:
    creation, versions = context.history.creations.get(WHERE), context.world.court_versions
    if creation is None or not exam.holds(WHERE, "it has settings", condition=bool(versions)):
        return
    _, settings, metrics, _ = creation[1]
    changes = list(context.events(WHERE, "SettingsChanged"))
    first = changes[0].values
    exam.equal(WHERE, "settings, as deployed", expected=settings, found=first["settings"])
    exam.equal(WHERE, "metrics, as deployed", expected=metrics, found=first["metrics"])
    for number, event in enumerate(changes):
        exam.equal(place(event), "version of the settings", expected=number, found=event.values["version"])
        by_vote = number == 0 or event.transaction in _decided(context)
        exam.holds(place(event), "settings from the start, or by amendment", condition=by_vote)
    last = changes[-1].values
    context.state(exam, WHERE, "settings now", expected=last["settings"], call=(WHERE, "settings"))
    context.state(exam, WHERE, "metrics now", expected=last["metrics"], call=(WHERE, "metrics"))


def _check_members(context: Context, exam: Examination) -> None:
    panel = context.world.panels.last("panel") or ()
    context.state(exam, WHERE, "panel", expected=panel, call=(WHERE, "panel"))
    for organisation in context.world.organisations:
        chosen = evaluator_of(context, organisation, END) or NOBODY
        call = ("AgentRegistry", "evaluatorOf", organisation)
        context.state(exam, f"organisation {organisation}", "its evaluator", expected=chosen, call=call)
    creation, executed = context.history.creations.get(WHERE), _decided(context)
    founding = set(reading.items(creation[1][3])) if creation else set()
    for event in context.events(WHERE, "PanelJoined", "PanelLeft"):
        known = event.name == "PanelJoined" and event.values["organisation"] in founding
        exam.holds(
            place(event), "on the panel from the start, or by vote", condition=known or event.transaction in executed
        )


def _check_services(context: Context, exam: Examination) -> None:
    for organisation in context.world.organisations:
        service = context.world.services.last(organisation) or NOTHING_AT_STAKE
        record = (
            service.stake_e18,
            service.leaves_at_s,
            service.open_seats,
            service.seated,
            service.revealed,
            service.absent,
            service.deviated,
            service.slashed_e18,
        )
        where = f"organisation {organisation}"
        context.state(exam, where, "its stake and record", expected=record, call=(WHERE, "service", organisation))
    for event in context.events(WHERE, "UnstakeAsked"):
        delay_s = settings_at(context, moment_of(event)).unstake_delay_s
        leaves_at_s = context.time_s(event) + delay_s
        exam.equal(place(event), "when its stake may leave", expected=leaves_at_s, found=event.values["leavesAtS"])
    for event in context.events(WHERE, "Unstaked"):
        organisation, moment = reading.number(event.values["organisation"]), moment_of(event)
        before = context.world.services.before(moment, organisation) or NOTHING_AT_STAKE
        over = 0 < before.leaves_at_s <= context.time_s(event)
        exam.holds(place(event), "asked for long enough ago", condition=over, found=before.leaves_at_s)
        exam.equal(place(event), "open seats of who leaves", expected=0, found=before.open_seats)
        exam.equal(place(event), "all of the stake", expected=before.stake_e18, found=event.values["amountE18"])


def _outcome(sitting: Sitting, juror: Address, *, medians: Sequence[int], tolerances: Sequence[int]) -> Outcome:
    event = sitting.reveals.get(juror)
    if event is None:
        return Outcome.ABSENT
    if is_abstention(event):
        return Outcome.ABSTAINED
    values = [reading.number(value) for value in reading.items(event.values["values"])]
    for value, middle, near in zip(values, medians, tolerances, strict=False):
        if middle != MISSING and (value == MISSING or abs(value - middle) > near):
            return Outcome.DEVIATED
    return Outcome.HELD


def _check_settled(context: Context, exam: Examination, case: Case, number: int) -> None:
    sitting = case.sittings[number]
    if sitting.settled is None:
        return
    where = f"jury {number} of case {short(case.id)}, settled in {place(sitting.settled)}"
    final, ended = case.final, case.appeal_ended
    settings = kept_settings(context, case)
    appealed = len(case.sittings) > 1
    undecided = ended is not None and not reading.flag(ended.values["decided"])
    medians = [reading.number(value) for value in reading.items(final.values["medians"])] if final else []
    rows = context.world.court_versions[case.version][1]
    tolerances = [0] if case.is_dispute else [reading.number(row[2]) for row in rows]
    judged = [] if undecided else medians
    outcomes = [_outcome(sitting, juror, medians=judged, tolerances=tolerances) for juror in sitting.jurors]
    exam.equal(
        where, "how each juror served", expected=tuple(map(int, outcomes)), found=sitting.settled.values["outcomes"]
    )
    over_s = context.time_s(final) + settings.appeal_window_s if final else 0
    conclusive = ended is not None if appealed else case.lapsed is not None or context.time_s(sitting.settled) > over_s
    exam.holds(where, "settled only when no appeal could change the result any more", condition=conclusive)
    due = _slashes(context, sitting, outcomes, full_e18=settings.stake_e18 * SLASH_BPS // 10_000)
    what = "a fifth of the stake from who was absent or deviated"
    exam.equal(where, what, expected=due, found=tuple(reading.items(sitting.settled.values["slashedE18"])))


def _slashes(context: Context, sitting: Sitting, outcomes: Sequence[Outcome], *, full_e18: int) -> tuple[int, ...]:
    """Return what each juror owed at the settlement; less where less was at stake."""
    if sitting.settled is None:
        return ()
    moment, due = moment_of(sitting.settled), []
    for juror, outcome in zip(sitting.jurors, outcomes, strict=True):
        organisation = context.world.organisation_of(juror, moment)
        service = context.world.services.before(moment, organisation) or NOTHING_AT_STAKE
        guilty = outcome in {Outcome.ABSENT, Outcome.DEVIATED}
        due.append(min(full_e18, service.stake_e18) if guilty else 0)
    return tuple(due)
