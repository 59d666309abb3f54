"""Juries: the draw, commitments against reveals, medians, windows, appeals and looks."""

from collections.abc import Sequence
from typing import Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from governance.domain.policy import Tier
from governance.domain.release import MISSING, Stage, jury_commitment
from governance.domain.signing import read_short_text, short_text
from governance.errors import PolicyError
from governance.policy.verdict import tier_of
from governance.ports import Event
from governance.services import reading
from governance.services.audit.cases import Case, Sitting
from governance.services.audit.checks.candidates import purposes_of
from governance.services.audit.checks.constitution import policy_in_force
from governance.services.audit.checks.panel import able_at, eligible_at, evaluator_of, kept_settings
from governance.services.audit.context import Context, place, short
from governance.services.audit.report import Examination
from governance.services.audit.timeline import moment_of

WHERE = "EvaluatorCourt"
REMEMBERED_BLOCKS = 256
"""How far back a contract can ask for a block's hash."""
QUESTION: Final = ((short_text("upheld"), True, 0),)
"""What a case about evidence measures: yes or no, and a tie is no."""


def check_juries(context: Context, exam: Examination) -> None:
    """Draw every jury again and recompute what it said."""
    for case in context.records.cases.values():
        known = case.is_dispute or case.id in context.records.releases
        exam.holds(name_of(case), "it belongs to a candidate or to a dispute", condition=known)
        _check_opening(context, exam, case)
        for number, sitting in enumerate(case.sittings):
            _check_draw(context, exam, case, number)
            _check_reveals(context, exam, case, sitting)
            _check_windows(context, exam, case, sitting)
            _check_result(context, exam, case, sitting)
        _check_end(context, exam, case)
        _check_record(context, exam, case)
    _check_looks(context, exam)


def name_of(case: Case) -> str:
    """Return how findings name a case."""
    return f"case {short(case.id)} ({place(case.opened)})"


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


def metrics_of(context: Context, case: Case) -> tuple[tuple[bytes, bool, int], ...]:
    """Return key, direction and tolerance of all that a case measures."""
    if case.is_dispute:
        return QUESTION
    rows = context.world.court_versions[case.version][1] if case.version < len(context.world.court_versions) else ()
    return tuple((reading.raw(key), reading.flag(better), reading.number(near)) for key, better, near in rows)


def _check_opening(context: Context, exam: Examination, case: Case) -> None:
    moment = moment_of(case.opened)
    changes = [event for event in context.events(WHERE, "SettingsChanged") if moment_of(event) < moment]
    exam.equal(name_of(case), "version of its settings", expected=len(changes) - 1, found=case.version)
    settings = kept_settings(context, case)
    size, release = settings.jury_size, context.records.releases.get(case.id)
    if release is not None:
        try:
            high = tier_of(policy_in_force(context), purposes_of(context, release)) is Tier.HIGH
        except PolicyError:
            high = False
        size = settings.high_jury_size if high else size
    exam.equal(name_of(case), "seats of its jury", expected=size, found=case.jury_size)


def _pool(context: Context, case: Case, number: int) -> tuple[list[int], int]:
    """Return who may be drawn for a jury of a case, and how many seats it has at most."""
    moment = moment_of(case.sittings[number].opened)
    everybody = eligible_at(context, case, moment, but=case.excluded)
    if number == 0:
        return everybody, case.jury_size
    sat = context.world.seats.get((case.id, 0), [])
    others, size = eligible_at(context, case, moment, but=(*case.excluded, *sat)), 2 * len(sat) + 1
    return (others, size) if len(others) >= size else (everybody, len(everybody))


def _check_draw(context: Context, exam: Examination, case: Case, number: int) -> None:
    sitting = case.sittings[number]
    pool, size = _pool(context, case, number)
    where = f"jury {number} of {name_of(case)}"
    if number:
        exam.equal(where, "seats of the larger jury", expected=size, found=sitting.opened.values["jurySize"])
    if sitting.drawn is None:
        return
    opened = sitting.opened.block
    first, second = context.history.hashes.get(opened + 1), context.history.hashes.get(opened + 2)
    in_time = opened + 2 < sitting.drawn.block <= opened + 1 + REMEMBERED_BLOCKS
    exam.holds(where, "drawn while the two blocks were known", condition=in_time, found=sitting.drawn.block)
    if first is None or second is None:
        exam.lacking(f"blocks {opened + 1} and {opened + 2}, which decided the {where}")
        return
    mixed = bytes(left ^ right for left, right in zip(first, second, strict=True))
    seed = keccak(encode(["bytes32", "bytes32"], [case.id, mixed]))
    exam.equal(where, "seed, from two block hashes", expected=seed, found=sitting.drawn.values["seed"])
    at_draw = moment_of(sitting.drawn)
    # Who asked to leave after the opening is drawn all the same.
    present = set(able_at(context, case, at_draw))
    seated = [evaluator_of(context, number, at_draw) for number in shuffled(pool, seed) if number in present]
    jurors = tuple(juror for juror in seated if juror is not None)[:size]
    exam.equal(where, "jurors, from the seed", expected=jurors, found=sitting.drawn.values["jurors"])
    if number == len(case.sittings) - 1:
        context.state(exam, where, "jurors that stand", expected=jurors, call=(WHERE, "jury", case.id))


def _check_reveals(context: Context, exam: Examination, case: Case, sitting: Sitting) -> None:
    for juror in sitting.commits:
        exam.holds(f"{name_of(case)}, juror {juror}", "drawn before it committed", condition=juror in sitting.jurors)
        call = (WHERE, "hasRevealed", case.id, juror)
        context.state(exam, name_of(case), f"values of {juror}", expected=juror in case.served, call=call)
    for juror, event in sitting.reveals.items():
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
            contributions=reading.raw(event.values["contributions"]),
        )
        committed = sitting.commits[juror].values["commitment"] if juror in sitting.commits else None
        exam.equal(place(event), "what the juror committed to before", expected=commitment, found=committed)


def _windows(context: Context, case: Case, sitting: Sitting) -> tuple[int, int]:
    """Return the end of the commit window and of the reveal window, chain time."""
    if sitting.drawn is None:
        return (0, 0)
    settings = kept_settings(context, case)
    commit_end = context.time_s(sitting.drawn) + settings.commit_window_s
    if _all_in(sitting):
        return (commit_end, context.time_s(list(sitting.commits.values())[-1]) + settings.reveal_window_s)
    return (commit_end, commit_end + settings.reveal_window_s)


def _all_in(sitting: Sitting) -> bool:
    return sitting.drawn is not None and len(sitting.commits) == len(sitting.jurors)


def _check_windows(context: Context, exam: Examination, case: Case, sitting: Sitting) -> None:
    commit_end, reveal_end = _windows(context, case, sitting)
    for event in sitting.commits.values():
        in_time = context.time_s(event) <= commit_end
        exam.holds(place(event), "committed in time", condition=in_time, found=context.time_s(event))
    commits = [moment_of(event) for event in sitting.commits.values()]
    for event in sitting.reveals.values():
        time_s = context.time_s(event)
        sealed = (_all_in(sitting) and max(commits) < moment_of(event)) or time_s > commit_end
        exam.holds(place(event), "revealed when nobody could commit any more", condition=sealed)
        exam.holds(place(event), "revealed in time", condition=time_s <= reveal_end, found=time_s)


def _check_result(context: Context, exam: Examination, case: Case, sitting: Sitting) -> None:
    if sitting.final is None:
        return
    where, found = place(sitting.final), sitting.final.values
    enough = 2 * len(sitting.reveals) > len(sitting.jurors)
    exam.holds(where, "more than half of the jurors revealed", condition=enough, found=len(sitting.reveals))
    exam.equal(where, "number of reveals", expected=len(sitting.reveals), found=found["reveals"])
    metrics = metrics_of(context, case)
    exam.equal(where, "metrics", expected=tuple(key for key, _, _ in metrics), found=found["keys"])
    given = [reading.items(event.values["values"]) for event in sitting.reveals.values()]
    medians = [
        median([reading.number(row[index]) for row in given if index < len(row)], higher_is_better=better)
        for index, (_, better, _) in enumerate(metrics)
    ]
    exam.equal(where, "medians, from the reveals", expected=tuple(medians), found=found["medians"])
    roots = [reading.raw(event.values["contributions"]) for event in sitting.reveals.values()]
    shares = next((root for root in roots if any(root) and 2 * roots.count(root) > len(roots)), bytes(32))
    exam.equal(where, "shares that more than half gave", expected=shares, found=found["contributions"])
    if sitting.final is case.final:
        _check_standing(context, exam, case, medians=medians, reveals=len(sitting.reveals), shares=shares)


def _check_standing(
    context: Context, exam: Examination, case: Case, *, medians: Sequence[int], reveals: int, shares: bytes
) -> None:
    where, metrics = name_of(case), metrics_of(context, case)
    for (key, _, _), value in zip(metrics, medians, strict=True):
        expected = (0, False) if value == MISSING else (value, True)
        what = f"median of {read_short_text(key)} that stands"
        context.state(exam, where, what, expected=expected, call=(WHERE, "median", case.id, key))
    result = keccak(encode(["bytes32[]", "int128[]", "uint8"], [[key for key, _, _ in metrics], medians, reveals]))
    context.state(exam, where, "hash of the result", expected=result, call=(WHERE, "resultHash", case.id))
    context.state(exam, where, "shares that stand", expected=shares, call=(WHERE, "contributionRoot", case.id))


def _had_to_lapse(sitting: Sitting, end: Event) -> bool:
    if sitting.drawn is None:
        return end.block > sitting.opened.block + 1 + REMEMBERED_BLOCKS
    return 2 * len(sitting.reveals) <= len(sitting.jurors)


def _check_end(context: Context, exam: Examination, case: Case) -> None:
    if case.lapsed is not None:
        lapsed = _had_to_lapse(case.sittings[0], case.lapsed)
        exam.holds(place(case.lapsed), "it had to lapse", condition=lapsed, found=len(case.sittings[0].reveals))
    if len(case.sittings) < len(("first", "appeal")):
        return
    first, appeal = case.sittings
    end_s = context.time_s(first.final) + kept_settings(context, case).appeal_window_s if first.final else 0
    appealed_s = context.time_s(appeal.opened)
    exam.holds(place(appeal.opened), "appealed in time", condition=appealed_s <= end_s, found=appealed_s)
    if case.appeal_ended is not None:
        decided = reading.flag(case.appeal_ended.values["decided"])
        where = place(case.appeal_ended)
        exam.equal(where, "the appeal gave a result", expected=appeal.final is not None, found=decided)
        exam.holds(where, "or had to lapse", condition=decided or _had_to_lapse(appeal, case.appeal_ended))


def _check_record(context: Context, exam: Examination, case: Case) -> None:
    where, sitting = name_of(case), case.sittings[-1]
    stage, window_end = stage_of(context, case)
    undecided = case.appeal_ended is not None and sitting.final is None
    # After an appeal without a result the reveals behind the first one count again.
    reveals = case.sittings[0].reveals if undecided else sitting.reveals
    settled = case.sittings[0].settled is not None
    record = (
        int(stage),
        case.job,
        case.artifact,
        sitting.opened.block,
        window_end,
        len(sitting.commits),
        len(reveals),
        len(case.sittings) - 1,
        case.version,
        case.is_dispute,
        settled,
    )
    context.state(exam, where, "what stands of it", expected=record, call=(WHERE, "courtCase", case.id))
    context.state(exam, where, "rows that it measures", expected=case.roots, call=(WHERE, "evaluationRoots", case.id))


def stage_of(context: Context, case: Case) -> tuple[Stage, int]:
    """Return where a case stands in the end, and the end of its window, chain time."""
    sitting, settings = case.sittings[-1], kept_settings(context, case)
    if case.appeal_ended is not None:
        return (Stage.FINAL, context.time_s(case.appeal_ended))
    if sitting.final is not None:
        return (Stage.FINAL, context.time_s(sitting.final) + settings.appeal_window_s)
    if sitting.drawn is None:
        return (Stage.LAPSED if case.lapsed else Stage.DRAWING, 0)
    commit_end, reveal_end = _windows(context, case, sitting)
    if case.lapsed is not None:
        return (Stage.LAPSED, reveal_end)
    if _all_in(sitting) or context.history.head.time_s > commit_end:
        return (Stage.REVEALING, reveal_end)
    return (Stage.COMMITTING, commit_end)


def _check_looks(context: Context, exam: Examination) -> None:
    taken: dict[bytes, set[bytes]] = {}
    for event in context.records.looks:
        root, case = reading.raw(event.values["root"]), reading.raw(event.values["id"])
        known, opened = context.world.data_sets.get(root), context.records.cases.get(case)
        if not exam.holds(place(event), "the rows were committed", condition=known is not None) or known is None:
            continue
        limit = kept_settings(context, opened).max_looks if opened else 0
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
