"""Whether anything can satisfy all rules of a set at once: the mirror of ``PolicyConflicts.sol``."""

from collections.abc import Sequence
from itertools import product

from governance.domain.policy import FactRange, Op, Phase, Rule, Source, Tier
from governance.errors import PolicyError

_CELLS = tuple(product(Tier, Phase, list(Source)[1:]))


def check_room(facts: Sequence[FactRange], rules: Sequence[Rule]) -> None:
    """Refuse rules that ask for what their fact can never be, alone or together.

    Raises
    ------
    PolicyError
        For the first contradiction found; the message names the rules and the fact.
    """
    ranges = {fact.key: fact for fact in facts}
    for rule in rules:
        if rule.fact not in ranges:
            raise PolicyError(f"rule {rule.id}: {rule.fact} is not in the table of facts; add it there")
        if not is_within(ranges[rule.fact], rule):
            raise PolicyError(f"rule {rule.id}: its limit is nothing that {rule.fact} can be")
    for fact in facts:
        same = [rule for rule in rules if rule.fact == fact.key]
        for tier, phase, source in _CELLS if same else ():
            met = [rule for rule in same if rule.concerns(tier, phase) and rule.accepts(source)]
            if is_contradiction(fact, met):
                raise PolicyError(
                    f"{', '.join(rule.id for rule in met)}: no {fact.key} satisfies all of them"
                    f" (tier {tier.name.lower()}, phase {phase.name.lower()}, {source.name.lower()})"
                )


def is_within(fact: FactRange, rule: Rule) -> bool:
    """Say whether a fact can reach a rule's limit."""
    if rule.op.is_set != fact.is_set:
        return False
    return rule.bound & ~fact.largest == 0 if fact.is_set else fact.least <= rule.bound <= fact.largest


def is_contradiction(fact: FactRange, rules: Sequence[Rule]) -> bool:
    """Say whether nothing that a fact can be satisfies all rules, which are asked together."""
    if not fact.is_set:
        lower = [rule.bound for rule in rules if rule.op in (Op.MIN, Op.EQUAL)]
        upper = [rule.bound for rule in rules if rule.op in (Op.MAX, Op.EQUAL)]
        return max([fact.least, *lower]) > min([fact.largest, *upper])
    left, needed = fact.largest, 0
    for rule in rules:
        match rule.op:
            case Op.SUBSET_OF:
                left &= rule.bound
            case Op.NONE_OF:
                left &= ~rule.bound
            case _:
                needed |= rule.bound
    return left == 0 or needed & ~left != 0
