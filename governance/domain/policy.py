"""The words of the constitution: rules, facts and what a verdict says about them.

The numbers of the enums are those of ``contracts/src/types/Policy.sol``; both sides hash them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum

MICROS = 1_000_000
"""Fixed point of every number that a rule judges: value × 10⁶, an integer."""


class Op(IntEnum):
    """How a rule compares a fact with its bound."""

    MIN = 0
    MAX = 1
    EQUAL = 2
    NONE_OF = 3
    ALL_OF = 4
    SUBSET_OF = 5

    @property
    def is_set(self) -> bool:
        """Say whether the fact and the bound are bit sets rather than numbers."""
        return self >= Op.NONE_OF


class Entrenchment(IntEnum):
    """How hard a rule is to loosen."""

    ORDINARY = 0
    CONSTITUTIONAL = 1
    ETERNAL = 2


class Direction(IntEnum):
    """Which way an amendment, or the change of one rule, goes; larger waits longer."""

    NONE = 0
    TIGHTEN = 1
    """Nothing that failed can pass now."""
    LOOSEN = 2
    """Something that failed may pass now."""
    CONSTITUTIONAL = 3
    """A rule that is harder to loosen is loosened, or how hard a rule is to loosen changes."""
    FORBIDDEN = 4
    """An eternal rule is loosened."""


class Tier(IntEnum):
    """Strictness of the duties that a purpose brings; larger is stricter."""

    MINIMAL = 1
    LIMITED = 2
    HIGH = 3


class Source(IntEnum):
    """Where a fact comes from. A set, not a ladder: every rule lists what it accepts."""

    MISSING = 0
    DECLARED = 1
    PROMISED = 2
    COUNTED = 3
    MEASURED = 4
    SIGNED_OFF = 5
    COMPUTED = 6


class Phase(IntEnum):
    """When the constitution is asked; each is one bit, a rule's phases are their sum."""

    AGREEMENT = 1
    ROUND = 2
    RELEASE = 4


class Unit(Enum):
    """What the number of a fact counts; it decides the range of a bound and how it is shown."""

    RATIO = "ratio"
    """From 0 to 1."""
    COUNT = "count"
    """Whole things, none or more."""
    NUMBER = "number"
    """Zero or more; the unit is in the name of the fact."""
    SET = "set"
    """Bits of a vocabulary."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule in the form that the contract holds; field for field the struct ``Rule``."""

    id: str
    """ASCII, at most 31 characters, unique in a set."""
    fact: str
    """Key of the fact it judges; ASCII, at most 31 characters."""
    bound: int
    """Millionths for numbers, the raw bits (0 to 126) for sets."""
    op: Op
    tiers: int
    """Bit t is set when the rule applies to tier t."""
    sources: int
    """Bit s is set when the rule accepts evidence from source s."""
    phases: int
    """Sum of the phases it is checked in."""
    entrenchment: Entrenchment
    applies_from_s: int = 0
    """Seconds since the epoch; before that moment the rule is not enforced."""

    def concerns(self, tier: int, phase: int) -> bool:
        """Say whether the rule is meant for this tier and phase, in force already or not."""
        return bool(self.tiers >> tier & 1) and bool(self.phases & phase)

    def is_in_force(self, now_s: int) -> bool:
        """Say whether the rule is enforced at this moment, chain time in seconds."""
        return now_s >= self.applies_from_s

    def accepts(self, source: int) -> bool:
        """Say whether evidence from this source counts; a missing fact never does."""
        return source != Source.MISSING and bool(self.sources >> source & 1)


@dataclass(frozen=True, slots=True)
class TierEntry:
    """Which tier a purpose belongs to."""

    purpose: int
    """Bit number of the purpose, 0 to 126."""
    tier: Tier


@dataclass(frozen=True, slots=True)
class FactRange:
    """What a fact can be, so that no rule asks for what cannot be."""

    key: str
    is_set: bool
    least: int
    """Millionths; zero for sets."""
    largest: int
    """Millionths, or all bits that the set may have."""


@dataclass(frozen=True, slots=True)
class Grace:
    """Until when a new or tighter rule leaves releases alone that were there before it."""

    rule: int
    """Index of the rule in the set."""
    until_s: int
    earlier: Rule | None
    """The form that binds until then; none for a rule that is new."""


@dataclass(frozen=True, slots=True)
class LegalReference:
    """A place in a law or standard that a rule or purpose answers to."""

    source: str
    """Short name of a source of the set, e.g. AIA."""
    at: str
    """Article, point or control, e.g. Art. 10(2)(f)."""
    title: str
    """Full name of the law or standard."""
    applies_from: str
    """Day from which the law asks this, as YYYY-MM-DD; empty where no day is known."""
    checked: str
    """How the place was checked: ``copy``, ``secondary`` or ``unchecked`` (policies/README.md)."""


@dataclass(frozen=True, slots=True)
class RuleText:
    """What people read about a rule; hashed with the policy files, never judged by."""

    fact_title: str
    """What the fact is, in words."""
    unit: Unit
    names: Mapping[int, str]
    """Name of each bit, for facts that are sets; else empty."""
    rationale: str
    refs: tuple[LegalReference, ...]


@dataclass(frozen=True, slots=True)
class Purpose:
    """Something a model may be made for, and the law that follows from it."""

    name: str
    bit: int
    tier: Tier
    title: str
    refs: tuple[LegalReference, ...]


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence that a model may carry."""

    name: str
    bit: int
    title: str


@dataclass(frozen=True, slots=True)
class PolicySet:
    """A compiled set of rules; ``rules`` and ``tiers`` are exactly what the contract holds."""

    version: int
    document: bytes
    """Canonical JSON of the policy files; empty for a set read from the chain alone."""
    document_hash: bytes
    """keccak256 of ``document``, 32 bytes."""
    set_hash: bytes
    """keccak256(abi.encode(version, documentHash, facts, tiers, rules)), 32 bytes."""
    rules: tuple[Rule, ...]
    """In the contract's order; rule i is bit i of a mask."""
    tiers: tuple[TierEntry, ...]
    texts: Mapping[str, RuleText] = field(default_factory=dict)
    """By rule id; empty for a set read from the chain alone."""
    purposes: tuple[Purpose, ...] = ()
    licences: tuple[Licence, ...] = ()
    facts: tuple[FactRange, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """One piece of evidence about an agreement, a round or a release."""

    key: str
    value: int
    """Millionths, or raw bits."""
    source: Source


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says about one subject, and by how much."""

    rule: Rule
    value: int | None
    """Millionths or raw bits; none when no accepted source has the fact."""
    source: Source
    """``MISSING`` when no accepted source has the fact."""
    margin: int | None
    """Millionths to spare, negative when the limit is missed; none for sets and missing facts."""
    holds: bool
    enforced: bool
    """False while the rule's date lies ahead: reported, but no bit of the mask."""
    value_text: str = ""
    """The value as people read it: a decimal number, or names; empty when missing."""
    limit_text: str = ""
    """The limit as people read it, e.g. ``at most 0.10``."""
    reason: str = ""
    """One plain sentence: value, source, limit and margin."""
    counterfactual: str = ""
    """What would make a failing rule hold, or how far a holding one is from failing."""
    rationale: str = ""
    """Why the rule exists; empty for a set read from the chain alone."""
    refs: tuple[LegalReference, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the constitution says about one subject; the masks equal the contract's."""

    phase: Phase
    tier: Tier
    purposes: int
    failed: int
    """Bit i is set when rule i fails; a missing fact fails."""
    applied: int
    """Bit i is set when rule i was asked."""
    findings: tuple[Finding, ...]
    """In the order of the rules, those with a date ahead included."""

    @property
    def passes(self) -> bool:
        """Say whether every rule that was asked holds."""
        return self.failed == 0

    @property
    def failed_rules(self) -> tuple[str, ...]:
        """Ids of the rules that fail, in the order of the set."""
        return tuple(f.rule.id for f in self.findings if f.enforced and not f.holds)
