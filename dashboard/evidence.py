"""What the rules say about a candidate, recomputed here from history and compared with the contract."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast

from dashboard.market import Market
from dashboard.people import People
from dashboard.releases import LATEST, Release
from governance.domain.market import Kind, Terms
from governance.domain.policy import MICROS, Fact, Phase, PolicySet, Source, Verdict
from governance.errors import PolicyError
from governance.policy import evaluate

Documents: TypeAlias = Callable[[bytes], bytes | None]
"""Returns the bytes behind a SHA-256 where this machine has them."""

LONGEST_DOCUMENT = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A 90 % interval that a juror reported beside its value, millionths."""

    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A candidate before its rules."""

    verdict: Verdict | None
    """None when no law could be chosen; ``problem`` says why."""
    problem: str
    intervals: Mapping[str, Interval]
    """By fact."""


def purposes_of(release: Release, market: Market) -> int:
    """Return the purposes of a candidate: those on which all data agreements behind it agree."""
    purposes = -1
    for agreement in _cited(release, market):
        if agreement.kind is Kind.DATA:
            purposes &= agreement.purposes
    return max(purposes, 0)


def facts_of(release: Release, market: Market, people: People) -> list[Fact]:
    """Return all evidence about a candidate, each with its source, as ReleaseRegistry would answer.

    The table "Facts by phase" in ``docs/encodings.md`` says where each comes from.
    """
    data = [terms for terms in _cited(release, market) if terms.kind is Kind.DATA]
    sellers = {people.agents[terms.seller].organisation for terms in data if terms.seller in people.agents}
    facts = [
        Fact("purposes", purposes_of(release, market), Source.PROMISED),
        Fact("licences", release.manifest.licences, Source.DECLARED),
        Fact("dp_epsilon", max((terms.epsilon_micros for terms in data), default=0), Source.PROMISED),
        Fact("distinct_organisations", len(sellers) * MICROS, Source.COMPUTED),
    ]
    # What was said after the decision did not count in it.
    place = LATEST if release.decision is None else release.decision.place
    objecting, offices = len(release.objecting(place)), release.offices(place)
    facts.append(Fact("objection_ratio", -(-objecting * MICROS // max(len(sellers), 1)), Source.COMPUTED))
    if offices:
        facts.append(Fact("signoffs", offices, Source.SIGNED_OFF))
    reserved = {fact.key for fact in facts} | {"evaluators", "signoffs"}
    if release.case is not None and release.case.final_at_s is not None:
        facts.append(Fact("evaluators", release.case.standing * MICROS, Source.COMPUTED))
        facts += [Fact(key, value, Source.MEASURED) for key, value in release.case.medians.items()]
    declared = {key: value for key, value in release.manifest.declared if key not in reserved}
    return facts + [Fact(key, value, Source.DECLARED) for key, value in declared.items()]


def judge(
    release: Release, policy: PolicySet, *, market: Market, people: People, documents: Documents, now_s: int
) -> Judged:
    """Return what the rules say about a candidate at a moment of chain time."""
    try:
        verdict = evaluate(
            policy,
            facts_of(release, market, people),
            purposes=purposes_of(release, market),
            phase=Phase.RELEASE,
            now_s=now_s,
        )
    except PolicyError as problem:
        return Judged(verdict=None, problem=str(problem), intervals={})
    return Judged(verdict=verdict, problem="", intervals=intervals_of(release, documents))


def intervals_of(release: Release, documents: Documents) -> dict[str, Interval]:
    """Return the intervals from the first juror's report whose values are the medians."""
    if release.case is None:
        return {}
    for reveal in release.case.reveals:
        report = read_document(documents, reveal.report)
        found = _intervals(report, release.case.medians) if report else {}
        if found:
            return found
    return {}


def read_document(documents: Documents, digest: bytes) -> Mapping[str, object] | None:
    """Return a JSON document of the store if it is there and is what its digest says."""
    content = documents(digest)
    if content is None or len(content) > LONGEST_DOCUMENT or hashlib.sha256(content).digest() != digest:
        return None
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return cast("Mapping[str, object]", document) if isinstance(document, dict) else None


def _intervals(report: Mapping[str, object], medians: Mapping[str, int]) -> dict[str, Interval]:
    facts = report.get("facts")
    if not isinstance(facts, dict):
        return {}
    found = {}
    for key, median in medians.items():
        fact = facts.get(key)
        if isinstance(fact, dict) and fact.get("value_micros") == median:
            low, high = fact.get("low_micros"), fact.get("high_micros")
            if isinstance(low, int) and isinstance(high, int):
                found[key] = Interval(low=low, high=high)
    return found


def _cited(release: Release, market: Market) -> list[Terms]:
    found = (market.agreement(key) for key in release.manifest.agreements)
    return [agreement.terms for agreement in found if agreement is not None]
