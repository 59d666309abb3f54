"""Juries: the draw, commitments against reveals, medians, windows and looks."""

from collections.abc import Sequence

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from governance.domain.market import Address
from governance.domain.release import MISSING, Stage, jury_commitment
from governance.domain.signing import read_short_text
from governance.services import reading
from governance.services.audit.ballots import NOBODY
from governance.services.audit.context import END, Context, place, short
from governance.services.audit.records import Case
from governance.services.audit.report import Examination
from governance.services.audit.timeline import Moment, moment_of

WHERE = "EvaluatorCourt"
EVALUATOR = 8
REMEMBERED_BLOCKS = 256
"""How far back a contract can ask for a block's hash."""


def check_juries(context: Context, exam: Examination) -> None:
    """Draw every jury again and recompute what it said."""
    _check_settings(context, exam)
    for case in context.records.cases.values():
        known = case.id in context.records.releases
        exam.holds(name_of(case), "it belongs to a candidate", condition=known)
        _check_draw(context, exam, case)
        _check_reveals(context, exam, case)
        _check_windows(context, exam, case)
        _check_result(context, exam, case)
        _check_record(context, exam, case)
    _check_looks(context, exam)


def name_of(case: Case) -> str:
    """Return how findings name a case."""
    return f"case {short(case.id)} ({place(case.opened)})"


def evaluator_of(context: Context, organisation: int, before: Moment) -> Address | None:
    """Return the organisation's first active evaluator agent just before a moment."""
    for agent in context.world.agent_order:
        known = context.world.agents.before(before, agent)
        if known is None or known.organisation != organisation or known.roles & EVALUATOR == 0:
            continue
        if context.world.is_active(agent, before):
            return agent
    return None


def shuffled(organisations: Sequence[int], seed: bytes) -> list[int]:
    """Return the organisations in the order of the draw (Fisher-Yates, libraries/Jury.sol)."""
    order = list(organisations)
    for i in range(len(order)):
        lot = int.from_bytes(keccak(encode(["bytes32", "uint256"], [seed, i])), "big")
        j = i + lot % (len(order) - i)
        order[i], order[j] = order[j], order[i]
    return order


def median(values: Sequence[int], *, higher_is_better: bool) -> int:
    """Return the median of the values that are not missing, or MISSING; of two middle values the worse one."""
    known = sorted(value for value in values if value != MISSING)
    if 2 * len(known) <= len(values):
        return MISSING
    odd = len(known) % 2 == 1
    return known[len(known) // 2 - (0 if odd or not higher_is_better else 1)]


def _settings(context: Context) -> tuple[int, int, int, int, int]:
    row = reading.row(context.read(WHERE, "settings"), 6)
    jury, reveals, looks, commit, reveal = (reading.number(value) for value in row[:5])
    return (jury, reveals, looks, commit, reveal)


def _check_settings(context: Context, exam: Examination) -> None:
    panel = tuple(context.world.panel)
    context.state(exam, WHERE, "panel", expected=panel, call=(WHERE, "panel"))
    for organisation in context.world.organisations:
        chosen = evaluator_of(context, organisation, END) or NOBODY
        call = ("AgentRegistry", "evaluatorOf", organisation)
        context.state(exam, f"organisation {organisation}", "its evaluator", expected=chosen, call=call)
    creation = context.history.creations.get(WHERE)
    if creation is None:
        return
    _, settings, metrics, organisations = creation[1]
    context.state(exam, WHERE, "settings, as deployed", expected=settings, call=(WHERE, "settings"))
    context.state(exam, WHERE, "metrics, as deployed", expected=metrics, call=(WHERE, "metrics"))
    executed = {event.transaction for event in context.events("Timelock", "CallExecuted")}
    founding = set(reading.items(organisations))
    for event in context.events(WHERE, "PanelJoined"):
        joined = event.values["organisation"] in founding or event.transaction in executed
        exam.holds(place(event), "on the panel from the start, or by vote", condition=joined)


def _check_draw(context: Context, exam: Examination, case: Case) -> None:
    if case.drawn is None:
        return
    where = f"jury of {name_of(case)}"
    opened = case.opened.block
    first, second = context.history.hashes.get(opened + 1), context.history.hashes.get(opened + 2)
    in_time = opened + 2 < case.drawn.block <= opened + 1 + REMEMBERED_BLOCKS
    exam.holds(where, "drawn while the two blocks were known", condition=in_time, found=case.drawn.block)
    if first is None or second is None:
        exam.lacking(f"blocks {opened + 1} and {opened + 2}, which decided the {where}")
        return
    mixed = bytes(left ^ right for left, right in zip(first, second, strict=True))
    seed = keccak(encode(["bytes32", "bytes32"], [case.id, mixed]))
    exam.equal(where, "seed, from two block hashes", expected=seed, found=case.drawn.values["seed"])
    at_opening, at_draw = moment_of(case.opened), moment_of(case.drawn)
    panel = [number for number, since in context.world.panel.items() if since < at_opening]
    eligible = [
        number
        for number in panel
        if number not in case.excluded and evaluator_of(context, number, at_opening) is not None
    ]
    seated = [evaluator_of(context, number, at_draw) for number in shuffled(eligible, seed)]
    jurors = tuple(juror for juror in seated if juror is not None)[: _settings(context)[0]]
    exam.equal(where, "jurors, from the seed", expected=jurors, found=case.drawn.values["jurors"])
    context.state(exam, where, "jurors that stand", expected=jurors, call=(WHERE, "jury", case.id))


def _check_reveals(context: Context, exam: Examination, case: Case) -> None:
    jurors = set(reading.items(case.drawn.values["jurors"])) if case.drawn else set()
    for juror in case.commits:
        exam.holds(f"{name_of(case)}, juror {juror}", "drawn before it committed", condition=juror in jurors)
        call = (WHERE, "hasRevealed", case.id, juror)
        context.state(exam, name_of(case), f"reveal of {juror}", expected=juror in case.reveals, call=call)
    for juror, event in case.reveals.items():
        values = tuple(reading.number(value) for value in reading.items(event.values["values"]))
        commitment = jury_commitment(
            values,
            reading.raw(event.values["report"]),
            reading.raw(event.values["salt"]),
            chain_id=context.history.chain_id,
            court=context.address(WHERE),
            case=case.id,
            artifact=case.artifact,
            juror=juror,
        )
        committed = case.commits[juror].values["commitment"] if juror in case.commits else None
        exam.equal(place(event), "what the juror committed to before", expected=commitment, found=committed)


def _windows(context: Context, case: Case) -> tuple[int, int]:
    """Return the end of the commit window and of the reveal window, chain time."""
    if case.drawn is None:
        return (0, 0)
    _, _, _, commit_s, reveal_s = _settings(context)
    commit_end = context.time_s(case.drawn) + commit_s
    if len(case.commits) == len(reading.items(case.drawn.values["jurors"])):
        return (commit_end, context.time_s(list(case.commits.values())[-1]) + reveal_s)
    return (commit_end, commit_end + reveal_s)


def _check_windows(context: Context, exam: Examination, case: Case) -> None:
    commit_end, reveal_end = _windows(context, case)
    for event in case.commits.values():
        in_time = context.time_s(event) <= commit_end
        exam.holds(place(event), "committed in time", condition=in_time, found=context.time_s(event))
    commits = [moment_of(event) for event in case.commits.values()]
    all_in = case.drawn is not None and len(commits) == len(reading.items(case.drawn.values["jurors"]))
    for event in case.reveals.values():
        time_s = context.time_s(event)
        sealed = (all_in and max(commits) < moment_of(event)) or time_s > commit_end
        exam.holds(place(event), "revealed when nobody could commit any more", condition=sealed)
        exam.holds(place(event), "revealed in time", condition=time_s <= reveal_end, found=time_s)


def _check_result(context: Context, exam: Examination, case: Case) -> None:
    _, min_reveals, _, _, _ = _settings(context)
    if case.lapsed is not None:
        undrawn = case.drawn is None and case.lapsed.block > case.opened.block + 1 + REMEMBERED_BLOCKS
        short_of = case.drawn is not None and len(case.reveals) < min_reveals
        exam.holds(place(case.lapsed), "it had to lapse", condition=undrawn or short_of, found=len(case.reveals))
    if case.final is None:
        return
    where = place(case.final)
    exam.holds(where, "enough jurors revealed", condition=len(case.reveals) >= min_reveals, found=len(case.reveals))
    exam.equal(where, "number of reveals", expected=len(case.reveals), found=case.final.values["reveals"])
    metrics = [reading.row(item, 2) for item in reading.items(context.read(WHERE, "metrics"))]
    exam.equal(where, "metrics", expected=tuple(key for key, _ in metrics), found=case.final.values["keys"])
    given = [reading.items(event.values["values"]) for event in case.reveals.values()]
    medians: list[int] = []
    for index, (key, better) in enumerate(metrics):
        values = [reading.number(row[index]) for row in given if index < len(row)]
        value = median(values, higher_is_better=reading.flag(better))
        medians.append(value)
        expected = (0, False) if value == MISSING else (value, True)
        name = read_short_text(reading.raw(key))
        context.state(
            exam, where, f"median of {name} that stands", expected=expected, call=(WHERE, "median", case.id, key)
        )
    exam.equal(where, "medians, from the reveals", expected=tuple(medians), found=case.final.values["medians"])
    result = keccak(
        encode(["bytes32[]", "int128[]", "uint8"], [[key for key, _ in metrics], medians, len(case.reveals)])
    )
    context.state(exam, where, "hash of the result", expected=result, call=(WHERE, "resultHash", case.id))


def _check_record(context: Context, exam: Examination, case: Case) -> None:
    where = name_of(case)
    stage, window_end = _stage(context, case)
    record = (
        int(stage),
        case.job,
        case.artifact,
        case.opened.block,
        window_end,
        len(case.commits),
        len(case.reveals),
    )
    context.state(exam, where, "what stands of it", expected=record, call=(WHERE, "courtCase", case.id))
    context.state(exam, where, "rows that it measures", expected=case.roots, call=(WHERE, "evaluationRoots", case.id))


def _stage(context: Context, case: Case) -> tuple[Stage, int]:
    if case.drawn is None:
        return (Stage.LAPSED if case.lapsed else Stage.DRAWING, 0)
    commit_end, reveal_end = _windows(context, case)
    if case.final is not None or case.lapsed is not None:
        return (Stage.FINAL if case.final else Stage.LAPSED, reveal_end)
    all_in = len(case.commits) == len(reading.items(case.drawn.values["jurors"]))
    if all_in or context.history.head.time_s > commit_end:
        return (Stage.REVEALING, reveal_end)
    return (Stage.COMMITTING, commit_end)


def _check_looks(context: Context, exam: Examination) -> None:
    limit = _settings(context)[2]
    taken: dict[bytes, set[bytes]] = {}
    for event in context.records.looks:
        root, case = reading.raw(event.values["root"]), reading.raw(event.values["id"])
        known = context.world.data_sets.get(root)
        if not exam.holds(place(event), "the rows were committed", condition=known is not None) or known is None:
            continue
        exam.holds(place(event), "they are evaluation rows", condition=known.evaluation)
        cases = taken.setdefault(known.family, set())
        cases.add(case)
        exam.equal(place(event), "looks at these rows so far", expected=len(cases), found=event.values["looks"])
        exam.holds(place(event), "looks are within the limit", condition=len(cases) <= limit, found=len(cases))
    for root, known in context.world.data_sets.items():
        looks = len(taken.get(known.family, set()))
        context.state(exam, f"data root 0x{root.hex()}", "looks taken", expected=looks, call=(WHERE, "looks", root))
    counted = {(reading.raw(event.values["root"]), reading.raw(event.values["id"])) for event in context.records.looks}
    for case_record in context.records.cases.values():
        missing = [root for root in case_record.roots if (root, case_record.id) not in counted]
        exam.equal(name_of(case_record), "a look was counted at all of its rows", expected=[], found=missing)
