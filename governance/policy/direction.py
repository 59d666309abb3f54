"""Which way an amendment goes: the mirror of ``PolicyDirection.sol`` and ``PolicyAmendment.sol``."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from governance.domain.policy import (
    Direction,
    Entrenchment,
    FactRange,
    Op,
    PolicySet,
    Rule,
    Tier,
    TierEntry,
)
from governance.domain.policy_changes import PolicyChanges, RuleChange
from governance.errors import PolicyError
from governance.policy.encoding import hash_set

_ALL_TIERS = sum(1 << tier for tier in Tier)
_LOSS = {
    Entrenchment.ORDINARY: Direction.LOOSEN,
    Entrenchment.CONSTITUTIONAL: Direction.CONSTITUTIONAL,
    Entrenchment.ETERNAL: Direction.FORBIDDEN,
}


def changes_of(before: PolicySet, since: PolicySet) -> PolicyChanges:
    """Return what a set changes, as ``PolicyRegistry.changesOf`` does.

    Raises
    ------
    PolicyError
        If a fact of the table is changed or taken out.
    """
    rules = (*_changed(before, since), *_removed(before, since))
    tiers = _direction_of_tiers(before, since)
    facts = _direction_of_facts(before.facts, since.facts)
    # Other words for the same rules: what they mean is in the document alone.
    words = Direction.TIGHTEN if before.document_hash != since.document_hash else Direction.NONE
    return PolicyChanges(
        direction=max(tiers, facts, words, *(change.direction for change in rules), Direction.NONE),
        tiers=tiers,
        facts=facts,
        rules=rules,
    )


def as_version(policy: PolicySet, version: int) -> PolicySet:
    """Return a set as it is hashed once it is the version that the chain gives it."""
    digest = hash_set(version, policy.document_hash, policy.tiers, policy.rules, facts=policy.facts)
    return replace(policy, version=version, set_hash=digest)


def direction_of_change(before: Rule, since: Rule) -> Direction:
    """Class the change of a rule that keeps its name."""
    tighter, looser = compare(before, since)
    same_rank = before.entrenchment == since.entrenchment
    if not tighter and not looser and same_rank:
        return Direction.NONE
    if looser:
        return max(_LOSS[before.entrenchment], Direction.NONE if same_rank else Direction.CONSTITUTIONAL)
    if before.entrenchment is Entrenchment.ETERNAL:
        return Direction.CONSTITUTIONAL if same_rank else Direction.FORBIDDEN
    return Direction.TIGHTEN if same_rank else Direction.CONSTITUTIONAL


def direction_of_addition(since: Rule) -> Direction:
    """Class a new rule: one that is hard to get rid of is not added by the short way either."""
    return Direction.TIGHTEN if since.entrenchment is Entrenchment.ORDINARY else Direction.CONSTITUTIONAL


def compare(before: Rule, since: Rule) -> tuple[bool, bool]:
    """Say whether something that passed may fail now, and whether something that failed may pass now."""
    if (before.fact, before.op) != (since.fact, since.op):
        return True, True
    parts = [
        _compare_bounds(before.op, before.bound, since.bound),
        _compare_sources(before.sources, since.sources),
        (bool(since.tiers & ~before.tiers), bool(before.tiers & ~since.tiers)),
        (bool(since.phases & ~before.phases), bool(before.phases & ~since.phases)),
        (since.applies_from_s < before.applies_from_s, since.applies_from_s > before.applies_from_s),
    ]
    return any(tighter for tighter, _ in parts), any(looser for _, looser in parts)


def _compare_bounds(op: Op, before: int, since: int) -> tuple[bool, bool]:
    match op:
        case Op.MIN:
            return since > before, since < before
        case Op.MAX:
            return since < before, since > before
        case Op.EQUAL:
            return since != before, since != before
        case Op.SUBSET_OF:
            return bool(before & ~since), bool(since & ~before)
        case _:
            return bool(since & ~before), bool(before & ~since)


def _compare_sources(before: int, since: int) -> tuple[bool, bool]:
    # Of several accepted sources the highest that has the fact is read: one may be dropped only below all that stay.
    added, dropped = since & ~before, before & ~since
    return bool(dropped) or added > (before & -before), bool(added) or dropped > (since & -since)


def _changed(before: PolicySet, since: PolicySet) -> Iterator[RuleChange]:
    known = {rule.id: rule for rule in before.rules}
    for rule in since.rules:
        old = known.get(rule.id)
        direction = direction_of_addition(rule) if old is None else direction_of_change(old, rule)
        if direction is not Direction.NONE:
            yield RuleChange(rule.id, direction)


def _removed(before: PolicySet, since: PolicySet) -> Iterator[RuleChange]:
    kept = {rule.id for rule in since.rules}
    return (RuleChange(rule.id, _LOSS[rule.entrenchment]) for rule in before.rules if rule.id not in kept)


def _direction_of_tiers(before: PolicySet, since: PolicySet) -> Direction:
    moves = set(tier_moves(before.tiers, since.tiers))
    directions = {Direction.TIGHTEN if to > from_ > 0 else Direction.LOOSEN for from_, to in moves}
    known = {rule.id: rule for rule in since.rules}
    for rule in before.rules:
        if rule.id in known and any(_loses(move, rule.tiers, known[rule.id].tiers) for move in moves):
            directions.add(_LOSS[rule.entrenchment])
    return max(directions, default=Direction.NONE)


def tier_moves(before: Sequence[TierEntry], since: Sequence[TierEntry]) -> Iterator[tuple[int, int]]:
    """Yield the tier before and since of each purpose whose tier changes; 0 is none."""
    old = {entry.purpose: int(entry.tier) for entry in before}
    new = {entry.purpose: int(entry.tier) for entry in since}
    for purpose in old.keys() | new.keys():
        move = (old.get(purpose, 0), new.get(purpose, 0))
        if move[0] != move[1]:
            yield move


def _loses(move: tuple[int, int], before: int, since: int) -> bool:
    # A model has several purposes and the tier of the strictest, so a move up lifts those between as well, and a move
    # down leaves models at any tier between. A purpose that is taken out may come back at any tier.
    from_, to = move
    if from_ == 0:
        return False
    asked = sum(1 << tier for tier in range(from_, max(to, from_ + 1)))
    needed = sum(1 << tier for tier in range(to, max(from_, to + 1)))
    if to == 0:
        asked, needed = 1 << from_, _ALL_TIERS
    return bool(before & asked) and bool(needed & ~since)


def _direction_of_facts(before: Sequence[FactRange], since: Sequence[FactRange]) -> Direction:
    known = {fact.key: fact for fact in since}
    grown = False
    for fact in before:
        kept = known.get(fact.key)
        widened = replace(fact, largest=fact.largest | kept.largest) if kept and fact.is_set else fact
        if kept != widened:
            raise PolicyError(f"fact {fact.key}: it stays as it was voted on; only bits and further facts may be added")
        grown = grown or kept != fact
    if grown:
        return Direction.LOOSEN
    return Direction.TIGHTEN if len(since) > len(before) else Direction.NONE
