"""What existing releases need not keep yet: the mirror of ``PolicyRegistry.evaluateExisting``."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from governance.domain.policy import Fact, Grace, Op, Phase, PolicySet, Rule, Tier, TierEntry, Verdict
from governance.errors import PolicyError, UnknownTierError
from governance.policy.direction import compare, tier_moves
from governance.policy.verdict import evaluate, holds, read_fact, tier_of

GRACE_S: Final = 30 * 86_400


@dataclass(frozen=True, slots=True)
class Graces:
    """What goes with a set in force: the graces of its rules, and of its table of tiers."""

    rules: tuple[Grace, ...] = ()
    tiers: tuple[TierEntry, ...] = ()
    """The table that went before; it excuses until ``tiers_until_s``."""
    tiers_until_s: int = 0


def graces_after(before: PolicySet, running: Graces, since: PolicySet, *, now_s: int) -> Graces:
    """Return the graces that begin or go on with an amendment.

    Raises
    ------
    PolicyError
        If a rule, or the table of tiers, is tightened while its grace runs: many small steps would put off the first
        one for ever.
    """
    found = [_grace(before, running, since, index=index, now_s=now_s) for index in range(len(since.rules))]
    rules = tuple(grace for grace in found if grace is not None and grace.until_s > now_s)
    moved = any(left for left, _ in tier_moves(before.tiers, since.tiers))
    runs = running.tiers_until_s > now_s
    if moved and runs:
        raise PolicyError(f"the table of tiers has a grace until {running.tiers_until_s}; move purposes after it")
    if runs:
        return replace(running, rules=rules)
    return Graces(rules, before.tiers, now_s + GRACE_S) if moved else Graces(rules)


def evaluate_existing(
    policy: PolicySet, graces: Graces, facts: Iterable[Fact], *, purposes: int, now_s: int
) -> Verdict:
    """Judge a release that was there before the set, as ``PolicyRegistry.evaluateExisting`` does.

    A purpose that the table has no tier for any more counts as one of the strictest tier there is.
    The verdict's ``failed`` leaves out what the grace excuses; its findings say what the rules say now.
    """
    facts = tuple(facts)
    judged = _purposes_to_judge(policy, purposes)
    verdict = evaluate(policy, facts, purposes=judged, phase=Phase.RELEASE, now_s=now_s)
    tier = _tier_before(policy, graces, purposes, now_s) or verdict.tier
    running = {grace.rule: grace for grace in graces.rules if grace.until_s > now_s}
    failed = verdict.failed
    for index, rule in enumerate(policy.rules):
        if not failed >> index & 1 or rule.op is Op.NONE_OF:
            continue
        earlier = running[index].earlier if index in running else rule
        if earlier is None or not _fails(earlier, facts, tier=tier, now_s=now_s):
            failed &= ~(1 << index)
    return replace(verdict, failed=failed, purposes=purposes)


def _purposes_to_judge(policy: PolicySet, purposes: int) -> int:
    # With a purpose that the table has no tier for any more, a release is judged by the strictest tier there is.
    table = sum(1 << entry.purpose for entry in policy.tiers)
    return table if purposes & ~table else purposes


def _grace(before: PolicySet, running: Graces, since: PolicySet, *, index: int, now_s: int) -> Grace | None:
    rule = since.rules[index]
    if rule.op is Op.NONE_OF:
        return None
    found = _predecessor(before.rules, since.rules, rule)
    if found is None:
        return Grace(index, now_s + GRACE_S, None)
    earlier = before.rules[found]
    tighter, _ = compare(earlier, rule)
    for grace in running.rules:
        if grace.rule != found or grace.until_s <= now_s:
            continue
        if tighter:
            raise PolicyError(
                f"rule {earlier.id} has a grace until {grace.until_s}; tighten it after that, or add a rule beside it"
            )
        return replace(grace, rule=index)
    return Grace(index, now_s + GRACE_S, earlier) if tighter else None


def _predecessor(before: Sequence[Rule], since: Sequence[Rule], rule: Rule) -> int | None:
    # A rule under another name is the same rule, if it asks the same of the same fact.
    kept = {each.id for each in since}
    named = [index for index, each in enumerate(before) if each.id == rule.id]
    alike = [
        index
        for index, each in enumerate(before)
        if (each.fact, each.op) == (rule.fact, rule.op) and each.id not in kept
    ]
    return next(iter(named or alike), None)


def _tier_before(policy: PolicySet, graces: Graces, purposes: int, now_s: int) -> Tier | None:
    if graces.tiers_until_s <= now_s:
        return None
    try:
        return tier_of(replace(policy, tiers=graces.tiers), purposes)
    except UnknownTierError:
        return None


def _fails(rule: Rule, facts: Iterable[Fact], *, tier: Tier, now_s: int) -> bool:
    if not rule.concerns(tier, Phase.RELEASE) or not rule.is_in_force(now_s):
        return False
    value, source = read_fact(rule, facts)
    return value is None or not holds(rule, value, source)
