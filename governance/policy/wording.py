"""The sentences in which a verdict is told: what was found, what is asked, how far apart."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType

from governance.domain.policy import (
    MICROS,
    Finding,
    Op,
    Rule,
    RuleText,
    Source,
    Unit,
    Verdict,
)

_BITS = 128


def format_micros(value: int, unit: Unit = Unit.NUMBER) -> str:
    """Write millionths as a decimal number: exact, a ratio with at least two decimals.

    ``format_micros(100_000, Unit.RATIO)`` is ``0.10``, ``format_micros(3_000_000)`` is ``3``.
    """
    whole, fraction = divmod(abs(value), MICROS)
    digits = f"{fraction:06d}".rstrip("0")
    if unit is Unit.RATIO:
        digits = digits.ljust(2, "0")
    sign = "-" if value < 0 else ""
    return f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}"


def source_name(source: Source) -> str:
    """Name a source as people and policy files write it, e.g. ``signed-off``."""
    return source.name.lower().replace("_", "-")


def bit_names(value: int, names: Mapping[int, str]) -> tuple[str, ...]:
    """Name the bits of a set in order; a bit without a name is called by its number."""
    return tuple(names.get(bit, f"bit {bit}") for bit in range(_BITS) if value >> bit & 1)


def explain(verdict: Verdict) -> str:
    """Tell a verdict in lines of text for a terminal, every rule with its reason.

    The first line says the outcome and, in brackets, the ids of the rules that fail.
    """
    asked = verdict.applied.bit_count()
    head = f"{verdict.tier.name.lower()} tier, {verdict.phase.name.lower()} phase: "
    if verdict.passes:
        head += f"all {asked} rules hold"
    else:
        failed = verdict.failed_rules
        verb = "fails" if len(failed) == 1 else "fail"
        head += f"{len(failed)} of {asked} rules {verb} [{', '.join(failed)}]"
    return "\n".join([head, *(line for finding in verdict.findings for line in _lines(finding))])


def put_into_words(finding: Finding, text: RuleText | None, *, unaccepted: Iterable[Source]) -> Finding:
    """Return the finding with its sentences, from the rule's words or, without them, its keys.

    Parameters
    ----------
    finding
        What was found, without words.
    text
        The rule's words; none for a set read from the chain alone.
    unaccepted
        Sources that have the fact but that the rule does not accept; told when it is missing.
    """
    unit = text.unit if text else Unit.SET if finding.rule.op.is_set else Unit.NUMBER
    names = text.names if text else {}
    in_words = replace(
        finding,
        value_text=_value(finding.value, unit, names),
        limit_text=_limit(finding.rule, unit, names),
        rationale=text.rationale if text else "",
        refs=text.refs if text else (),
    )
    title = text.fact_title if text else finding.rule.fact
    if finding.value is None:
        reason = _missing(finding.rule, unaccepted)
        needed = reason
    elif finding.rule.op.is_set:
        reason, needed = _set_sentences(in_words, finding.value, names)
    else:
        reason, needed = _number_sentences(in_words, unit)
    early = "" if finding.enforced else f"not in force before {_day(finding.rule)}; "
    return replace(in_words, reason=f"{early}{title}: {reason}", counterfactual=needed)


def _lines(finding: Finding) -> list[str]:
    outcome = "ok" if finding.holds else "FAILS"
    mark = outcome if finding.enforced else "later"
    lines = [f"{mark:>6}  {finding.rule.id}: {finding.reason}"]
    if finding.enforced and not finding.holds:
        refs = "; ".join(f"{ref.source} {ref.at}" for ref in finding.refs)
        lines += [f"        {part}" for part in (finding.rationale, refs) if part]
    return lines


def _value(value: int | None, unit: Unit, names: Mapping[int, str]) -> str:
    if value is None:
        return ""
    if unit is Unit.SET:
        return ", ".join(bit_names(value, names)) or "none"
    return format_micros(value, unit)


def limit_in_words(rule: Rule, names: Mapping[int, str] = MappingProxyType({})) -> str:
    """Return the limit of a rule that was read from the chain alone, such as "at most 0.10".

    Parameters
    ----------
    names
        Of the bits, where the rule's fact is a set; a bit without one goes by its number.
    """
    return _limit(rule, Unit.SET if rule.op.is_set else Unit.NUMBER, names)


def _limit(rule: Rule, unit: Unit, names: Mapping[int, str]) -> str:
    word = {
        Op.MIN: "at least",
        Op.MAX: "at most",
        Op.EQUAL: "exactly",
        Op.NONE_OF: "none of",
        Op.ALL_OF: "all of",
        Op.SUBSET_OF: "only",
    }[rule.op]
    return f"{word} {_value(rule.bound, unit, names)}"


def _missing(rule: Rule, unaccepted: Iterable[Source]) -> str:
    accepted = " or ".join(source_name(s) for s in Source if rule.accepts(s)) or "accepted"
    others = ", ".join(sorted(source_name(source) for source in unaccepted))
    unused = f" (what is {others} does not count here)" if others else ""
    return f"no {accepted} evidence{unused}, and a missing fact fails"


def _number_sentences(finding: Finding, unit: Unit) -> tuple[str, str]:
    given = f"{finding.value_text} ({source_name(finding.source)})"
    gap = format_micros(abs(finding.margin or 0), unit)
    bound = format_micros(finding.rule.bound, unit)
    short, passing = {
        Op.MIN: ("short", f"{bound} or more"),
        Op.MAX: ("above", f"{bound} or less"),
    }.get(finding.rule.op, ("off", f"exactly {bound}"))
    distance = f"{gap} to spare" if finding.holds else f"{gap} {short}"
    verb = "holds at" if finding.holds else "would pass at"
    return (
        f"{given}; limit: {finding.limit_text}; {distance}",
        f"{verb} {passing}; is {finding.value_text}, {distance}",
    )


def _set_sentences(finding: Finding, value: int, names: Mapping[int, str]) -> tuple[str, str]:
    given = f"{finding.value_text} ({source_name(finding.source)})"
    asked = f"{given}; limit: {finding.limit_text}"
    if finding.holds:
        return asked, "holds as it is"
    bound = finding.rule.bound
    if finding.rule.op is Op.ALL_OF:
        lacking = ", ".join(bit_names(bound & ~value, names))
        return f"{asked}; missing: {lacking}", f"would pass with {lacking}"
    if value == 0:
        return f"{asked}; none is named", f"would pass with {finding.limit_text}"
    surplus = value & bound if finding.rule.op is Op.NONE_OF else value & ~bound
    offending = ", ".join(bit_names(surplus, names))
    return f"{asked}; not allowed: {offending}", f"would pass without {offending}"


def _day(rule: Rule) -> str:
    try:
        return datetime.fromtimestamp(rule.applies_from_s, tz=UTC).date().isoformat()
    except (OverflowError, ValueError, OSError):
        # A date read from the chain may lie beyond any calendar.
        return f"second {rule.applies_from_s}"
