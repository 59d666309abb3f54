"""What an amendment of the rules changes."""

from dataclasses import dataclass

from governance.domain.policy import Direction


@dataclass(frozen=True, slots=True)
class RuleChange:
    """Which way one rule goes."""

    rule_id: str
    direction: Direction


@dataclass(frozen=True, slots=True)
class PolicyChanges:
    """What an amendment does, as ``PolicyRegistry.changesOf`` says it."""

    direction: Direction
    """The strictest of the others."""
    tiers: Direction
    """Of the table of tiers, rules that it takes away from purposes included."""
    facts: Direction
    rules: tuple[RuleChange, ...]
    """In the order of the new set; then the removed ones, in the order of the old one."""
