"""What the chain says about work that somebody complains of; with the evidence it is all that a judgement reads."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from governance.domain.market import Address, AggregationPrivacy, IntegrationMode, Kind
from governance.domain.signing import Domain

Fetch: TypeAlias = Callable[[bytes], bytes]
"""Gets the bytes of a SHA-256, or raises a FolkmootError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accusation:
    """A complaint about an update or a sum of updates under one agreement."""

    job: bytes
    seller: Address
    kind: Kind
    units: int
    """Rounds that the agreement is about."""
    mode: IntegrationMode
    privacy: AggregationPrivacy | None
    rounds_per_candidate: int
    plan: bytes
    """SHA-256 of the job's plan."""
    roots: Sequence[bytes]
    """Of the job's rounds so far."""
    rows: Mapping[Address, int]
    """Training rows that each owner sold to the job."""
    ledger: Domain
    """Under which agents sign their leaves."""
    evidence: bytes
    """SHA-256 of the round's document, as the complaint names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Whether a complaint is true, and why."""

    upheld: bool
    because: str


Judge: TypeAlias = Callable[[Accusation, Fetch], Judgement]
"""Judges a complaint from the bytes that can be had, or raises a FolkmootError where nobody could."""
