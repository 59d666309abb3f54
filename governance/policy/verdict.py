"""What the constitution says about a subject: the mirror of ``PolicyRegistry.evaluate``."""

from collections.abc import Callable, Iterable, Mapping

from governance.domain.policy import (
    Fact,
    Finding,
    Op,
    Phase,
    PolicySet,
    Rule,
    Source,
    Tier,
    Verdict,
)
from governance.errors import NoPurposeError, NoRuleAppliesError, PolicyError, UnknownTierError
from governance.policy.wording import put_into_words

PREFERENCE = tuple(sorted(set(Source) - {Source.MISSING}, reverse=True))
"""Which accepted source is read when several have a fact; the contracts read them in this order."""

PURPOSE_BITS = 128
_INT128 = 1 << 127

_COMPARISONS: Mapping[Op, Callable[[int, int], bool]] = {
    Op.MIN: lambda value, bound: value >= bound,
    Op.MAX: lambda value, bound: value <= bound,
    Op.EQUAL: lambda value, bound: value == bound,
    Op.NONE_OF: lambda value, bound: value & bound == 0,
    Op.ALL_OF: lambda value, bound: value & bound == bound,
    # The empty set is no permission.
    Op.SUBSET_OF: lambda value, bound: value != 0 and value & bound == value,
}


def holds(rule: Rule, value: int, source: int) -> bool:
    """Say whether a rule holds for a value from a source, as ``PolicyRegistry.holds`` does.

    Parameters
    ----------
    rule
        Any rule, of this set or not.
    value
        Millionths, or raw bits; within int128.
    source
        A ``Source``; evidence that the rule does not accept never holds.
    """
    return rule.accepts(source) and _COMPARISONS[rule.op](value, rule.bound)


def tier_of(policy: PolicySet, purposes: int) -> Tier:
    """Return the strictest tier over a set of purposes, as ``PolicyRegistry.tierOf`` does.

    Raises
    ------
    NoPurposeError
        If no bit is set.
    UnknownTierError
        If a bit has no entry in the tier table.
    """
    if not 0 < purposes < 1 << PURPOSE_BITS:
        raise NoPurposeError(f"purposes {purposes:#x}: name at least one purpose of the vocabulary")
    table = {entry.purpose: entry.tier for entry in policy.tiers}
    bits = [bit for bit in range(PURPOSE_BITS) if purposes >> bit & 1]
    for bit in bits:
        if bit not in table:
            raise UnknownTierError(f"purpose {bit} has no tier; use a purpose of the vocabulary")
    return max(table[bit] for bit in bits)


def evaluate(policy: PolicySet, facts: Iterable[Fact], *, purposes: int, phase: Phase, now_s: int) -> Verdict:
    """Judge a subject by every rule of its tier and phase, as ``PolicyRegistry.evaluate`` does.

    Parameters
    ----------
    policy
        The set in force.
    facts
        All evidence about the subject; a fact may come from several sources.
    purposes
        Bit set of the purposes asked for; it decides the tier.
    phase
        When the constitution is asked.
    now_s
        Chain time in seconds; rules whose date lies ahead are reported, not enforced.

    Returns
    -------
    Verdict
        Its masks equal those that the contract returns; a missing fact fails.

    Raises
    ------
    NoPurposeError, UnknownTierError, NoRuleAppliesError
        Where the contract reverts: no purposes, a purpose without tier, no rule in force.
    PolicyError
        If one source gives a fact twice or a value does not fit int128.
    """
    evidence = _by_key(facts)
    tier = tier_of(policy, purposes)
    failed = applied = 0
    findings = []
    for index, rule in enumerate(policy.rules):
        if not rule.concerns(tier, phase):
            continue
        finding = _judge(policy, rule, evidence.get(rule.fact, {}), now_s=now_s)
        findings.append(finding)
        if finding.enforced:
            applied |= 1 << index
            failed |= (not finding.holds) << index
    if not applied:
        raise NoRuleAppliesError(
            f"no rule of tier {tier.name.lower()} is in force in phase {phase.name.lower()}; a hole is no permission"
        )
    return Verdict(
        phase=phase,
        tier=tier,
        purposes=purposes,
        failed=failed,
        applied=applied,
        findings=tuple(findings),
    )


def read_fact(rule: Rule, facts: Iterable[Fact]) -> tuple[int | None, Source]:
    """Return the value that a rule reads, and its source: of several accepted ones the hardest to invent."""
    evidence = _by_key(facts).get(rule.fact, {})
    source = next((s for s in PREFERENCE if s in evidence and rule.accepts(s)), Source.MISSING)
    return (None if source is Source.MISSING else evidence[source]), source


def rule_ids(policy: PolicySet, mask: int) -> tuple[str, ...]:
    """Name the rules of a mask, as ``PolicyViolation(failed)`` carries one, in order.

    Raises
    ------
    PolicyError
        If the mask has a bit beyond the rules: it belongs to another set.
    """
    if mask < 0 or mask >> len(policy.rules):
        raise PolicyError(
            f"mask {mask:#x} names rules beyond the {len(policy.rules)} of this set;"
            " read the set that was in force then"
        )
    return tuple(rule.id for index, rule in enumerate(policy.rules) if mask >> index & 1)


def _by_key(facts: Iterable[Fact]) -> dict[str, dict[Source, int]]:
    evidence: dict[str, dict[Source, int]] = {}
    for fact in facts:
        sources = evidence.setdefault(fact.key, {})
        if fact.source in sources:
            raise PolicyError(f"fact {fact.key}: {fact.source.name.lower()} twice; keep one")
        if not -_INT128 <= fact.value < _INT128:
            raise PolicyError(f"fact {fact.key}: {fact.value} does not fit int128")
        sources[fact.source] = fact.value
    return evidence


def _judge(policy: PolicySet, rule: Rule, evidence: dict[Source, int], *, now_s: int) -> Finding:
    source = next((s for s in PREFERENCE if s in evidence and rule.accepts(s)), Source.MISSING)
    value = None if source is Source.MISSING else evidence[source]
    finding = Finding(
        rule=rule,
        value=value,
        source=source,
        margin=margin(rule, value),
        holds=value is not None and holds(rule, value, source),
        enforced=rule.is_in_force(now_s),
    )
    return put_into_words(finding, policy.texts.get(rule.id), unaccepted=tuple(evidence))


def margin(rule: Rule, value: int | None) -> int | None:
    """Return the millionths to spare, negative when the limit is missed; none for sets.

    For ``EQUAL`` it is zero or minus the distance.
    """
    if value is None or rule.op.is_set:
        return None
    match rule.op:
        case Op.MIN:
            return value - rule.bound
        case Op.MAX:
            return rule.bound - value
        case _:
            return -abs(value - rule.bound)
