"""Disputes: who complained of what, what the judge said, and what it cost."""

from governance.domain import payouts
from governance.domain.market import NOBODY, Kind
from governance.ports import Event
from governance.services import reading
from governance.services.audit.context import Context, place
from governance.services.audit.records import Agreement
from governance.services.audit.report import Examination
from governance.services.audit.timeline import Moment, moment_of
from governance.services.disputes import SLASH_BPS, DisputeState, Ground, dispute_id

WHERE = "Disputes"
VAULT = "RewardVault"
AUDITOR_WINDOW_S = 14 * 86_400
YES = 1_000_000
MOST_COMPLAINTS = 2
"""Of one organisation on one ground of an agreement; the second only after one that lapsed."""


def check_disputes(context: Context, exam: Examination) -> None:
    """Recompute every complaint and verdict, and where deposit and bond went."""
    raised: dict[bytes, Event] = {}
    decided: dict[bytes, Event] = {}
    for event in context.events(WHERE):
        key = reading.raw(event.values["id"])
        if event.name == "DisputeRaised":
            exam.holds(place(event), "raised once", condition=key not in raised)
            _check_raised(context, exam, event)
            _check_heard(context, exam, event, raised=raised, decided=decided)
            raised[key] = event
        else:
            exam.holds(
                place(event), "decided once, after it was raised", condition=key in raised and key not in decided
            )
            first = not _is_upheld(raised[key], raised=raised, decided=decided)
            decided[key] = event
            _check_decided(context, exam, raised[key], event, first=first)
    _check_standing(context, exam, raised, decided)


def _check_raised(context: Context, exam: Examination, event: Event) -> None:
    where, values = place(event), event.values
    agreement, ground = context.records.agreements[reading.raw(values["agreement"])], Ground(_number(event, "ground"))
    evidence, terms = reading.raw(values["evidence"]), agreement.terms
    own = dispute_id(context.history.chain_id, context.address(WHERE), agreement.id, ground=ground, evidence=evidence)
    exam.equal(where, "its id", expected=own, found=values["id"])
    exam.holds(where, "evidence is named", condition=any(evidence))
    exam.holds(where, "it is work", condition=terms.kind in {Kind.DATA, Kind.COMPUTE}, found=terms.kind)
    seller = context.world.organisation_of(terms.seller, moment_of(agreement.created))
    challengers = _organisation(context, values["challenger"], moment_of(event))
    fits = challengers not in {0, seller}
    exam.holds(where, "raised by another organisation's operator", condition=fits, found=values["challenger"])
    by_auditor = ground is Ground.FAILED_REEXECUTION
    named = ground is Ground.INVALID_UPDATE or (by_auditor and terms.auditor != NOBODY)
    exam.holds(where, "somebody judges this ground", condition=named, found=ground.name)
    expected = context.time_s(event) + AUDITOR_WINDOW_S if by_auditor else 0
    exam.equal(where, "end of the auditor's time", expected=expected, found=values["decideByS"])
    held = _moves(context, event, "Held", own, holder=WHERE)
    exam.equal(where, "deposit", expected=[(values["challenger"], values["depositE18"])], found=held)
    if ground is Ground.INVALID_UPDATE:
        case = context.records.cases.get(own)
        parties = (context.world.organisation_of(terms.buyer, moment_of(event)), seller, challengers)
        found = (case.artifact, case.excluded) if case else None
        exam.equal(where, "the jury's question, and who may not sit", expected=(evidence, parties), found=found)


def _check_heard(
    context: Context, exam: Examination, event: Event, *, raised: dict[bytes, Event], decided: dict[bytes, Event]
) -> None:
    """Require that nothing was upheld on this ground, and that its organisation was heard before at most in vain."""
    where = place(event)
    upheld = _is_upheld(event, raised=raised, decided=decided)
    exam.holds(where, "nothing was upheld on this ground before", condition=not upheld)
    challengers = _organisation(context, event.values["challenger"], moment_of(event))
    earlier = [
        decided.get(key)
        for key, each in raised.items()
        if _is_about_the_same(each, event)
        and _organisation(context, each.values["challenger"], moment_of(each)) == challengers
    ]
    lapsed = all(end is not None and _number(end, "state") == DisputeState.LAPSED for end in earlier)
    heard = lapsed and len(earlier) < MOST_COMPLAINTS
    exam.holds(where, "its organisation was not heard on it, or once and in vain", condition=heard, found=len(earlier))


def _is_about_the_same(one: Event, other: Event) -> bool:
    return all(one.values[name] == other.values[name] for name in ("agreement", "ground"))


def _is_upheld(event: Event, *, raised: dict[bytes, Event], decided: dict[bytes, Event]) -> bool:
    """Say whether a complaint on the same ground of the same agreement was upheld so far."""
    return any(
        _number(end, "state") == DisputeState.UPHELD and _is_about_the_same(raised[key], event)
        for key, end in decided.items()
    )


def _check_decided(context: Context, exam: Examination, raised: Event, event: Event, *, first: bool) -> None:
    where, key = place(event), reading.raw(event.values["id"])
    agreement = context.records.agreements[reading.raw(raised.values["agreement"])]
    ground, state = Ground(_number(raised, "ground")), DisputeState(_number(event, "state"))
    if ground is Ground.INVALID_UPDATE:
        exam.equal(where, "the jury's verdict", expected=_verdict(context, key), found=state)
    else:
        in_time = context.time_s(event) <= _number(raised, "decideByS")
        exam.equal(
            where, "an auditor answers in time, or never", expected=in_time, found=state is not DisputeState.LAPSED
        )
    cost = SLASH_BPS[ground] if state is DisputeState.UPHELD and first else 0
    exam.equal(where, "part of the bond that it costs", expected=cost, found=event.values["slashBps"])
    accused, deposit = _seller(context, agreement, moment_of(event)), raised.values["depositE18"]
    rejected = state is DisputeState.REJECTED
    name, to = ("Forfeited", accused) if rejected else ("GivenBack", raised.values["challenger"])
    exam.equal(
        where, "where the deposit went", expected=[(to, deposit)], found=_moves(context, event, name, key, holder=WHERE)
    )
    _check_slash(context, exam, agreement, event, challenger=raised.values["challenger"], bps=cost)


def _check_slash(
    context: Context, exam: Examination, agreement: Agreement, event: Event, *, challenger: object, bps: int
) -> None:
    """Divide the bond's loss again; what was lost before is lost."""
    lost = sum(
        reading.number(each.values["amountE18"])
        for each in context.events(VAULT, "Forfeited")
        if each.values["key"] == agreement.id and each.transaction != event.transaction and each.block <= event.block
    )
    part = min(payouts.part(agreement.terms.bond_e18, bps), agreement.terms.bond_e18 - lost)
    parts = payouts.slash(part, challenged=True)
    buyer = context.world.operator_of(agreement.terms.buyer, moment_of(event))
    owed = [(buyer, parts.injured_e18), (challenger, parts.challenger_e18)]
    owed.append((context.address("Timelock"), parts.treasury_e18))
    found = _moves(context, event, "Forfeited", agreement.id, holder="AgreementBook")
    wanted = [entry for entry in owed if entry[1]]
    exam.equal(place(event), "what the bond lost, and to whom", expected=wanted, found=found)


def _check_standing(
    context: Context, exam: Examination, raised: dict[bytes, Event], decided: dict[bytes, Event]
) -> None:
    for key, event in raised.items():
        state = _number(decided[key], "state") if key in decided else int(DisputeState.OPEN)
        names = ("ground", "challenger", "decideByS", "agreement", "evidence")
        expected = (state, *(event.values[name] for name in names))
        where = f"dispute 0x{key.hex()[:8]}"
        context.state(exam, where, "what stands", expected=expected, call=(WHERE, "dispute", key))
    for agreement in {reading.raw(event.values["agreement"]) for event in raised.values()}:
        left = sum(event.values["agreement"] == agreement and key not in decided for key, event in raised.items())
        where = f"agreement 0x{agreement.hex()[:8]}"
        context.state(exam, where, "open disputes", expected=left, call=(WHERE, "openDisputes", agreement))


def _verdict(context: Context, key: bytes) -> DisputeState:
    case = context.records.cases.get(key)
    if case is None or case.final is None:
        return DisputeState.LAPSED
    answer = reading.number(reading.items(case.final.values["medians"])[0])
    if answer == YES:
        return DisputeState.UPHELD
    return DisputeState.REJECTED if answer == 0 else DisputeState.LAPSED


def _moves(context: Context, event: Event, name: str, key: bytes, *, holder: str) -> list[tuple[object, object]]:
    field = "to" if name == "Forfeited" else "owner"
    return [
        (each.values[field], each.values["amountE18"])
        for each in context.events(VAULT, name)
        if each.transaction == event.transaction
        and each.values["holder"] == context.address(holder)
        and each.values["key"] == key
    ]


def _organisation(context: Context, operator: object, moment: Moment) -> int:
    for number in context.world.organisations:
        found = context.world.organisations.before(moment, number)
        if found is not None and found.active and found.operator == operator:
            return number
    return 0


def _seller(context: Context, agreement: Agreement, moment: Moment) -> object:
    return context.world.operator_of(agreement.terms.seller, moment)


def _number(event: Event, name: str) -> int:
    return reading.number(event.values[name])
