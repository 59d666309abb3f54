"""A verdict of the constitution, rule by rule."""

from collections.abc import Mapping

import streamlit as st

from dashboard.components.marks import Mark, badge
from dashboard.evidence import Interval, Judged
from dashboard.releases import Release
from dashboard.text import clean
from dashboard.times import utc
from governance.domain.policy import MICROS, Finding, PolicySet, Source, Unit, Verdict
from governance.policy import format_micros, rule_ids, source_name

WIDTHS = (1.3, 2.6, 2.6, 3.2, 1.7, 1.7)
LIMIT_CHARACTERS = 60
HEADS = ("outcome", "rule", "found, and where it comes from", "limit", "margin", "90 % interval")


def show_verdict(judged: Judged, policy: PolicySet, release: Release) -> None:
    """Show what the rules say about a candidate, the failing ones first."""
    if judged.verdict is None:
        badge(("No law could be chosen", "error", "red"))
        st.text(clean(judged.problem, limit=400))
        return
    _headline(judged.verdict)
    _compare_with_contract(judged.verdict, policy, release)
    with st.container(border=True):
        for column, head in zip(st.columns(WIDTHS), HEADS, strict=True):
            column.caption(head)
        for finding in sorted(judged.verdict.findings, key=lambda f: (f.holds, not f.enforced)):
            _row(finding, judged.intervals, policy)


def _headline(verdict: Verdict) -> None:
    asked, failed = verdict.applied.bit_count(), verdict.failed_rules
    tier = f"{verdict.tier.name.lower()} tier"
    if verdict.passes:
        badge((f"The constitution allows it: all {asked} rules hold ({tier})", "verified", "green"))
        return
    rules = "1 rule fails" if len(failed) == 1 else f"{len(failed)} rules fail"
    badge((f"The constitution forbids it: {rules} of {asked} ({tier})", "block", "red"))
    st.text(f"Fails: {', '.join(clean(rule) for rule in failed)}. A vote cannot change this.")


def _compare_with_contract(verdict: Verdict, policy: PolicySet, release: Release) -> None:
    decision = release.decision
    if decision is None:
        st.caption("Computed here from the index; the contract asks again when the vote is carried out.")
        return
    if decision.failed == verdict.failed and decision.applied in {0, verdict.applied}:
        st.caption("Computed here from the index, and equal to what the contract decided.")
        return
    badge(("This page and the contract disagree; trust the contract", "warning", "red"))
    st.text(f"The contract named: {', '.join(rule_ids(policy, decision.failed)) or 'no failing rule'}.")


def _row(finding: Finding, intervals: Mapping[str, Interval], policy: PolicySet) -> None:
    status, rule, found, limit, margin, interval = st.columns(WIDTHS)
    with status:
        badge(_outcome(finding))
    rule.text(clean(finding.rule.id))
    found.text(f"{clean(finding.value_text, 200)}\n{source_name(finding.source)}" if finding.value_text else "missing")
    limit.text(clean(finding.limit_text, LIMIT_CHARACTERS))
    margin.text(_margin(finding, policy))
    interval.text(_interval(finding, intervals, policy))
    with st.container(key=f"quiet_{finding.rule.id}"):
        st.text(_reason(finding))


def _reason(finding: Finding) -> str:
    laws = "; ".join(f"{ref.source} {ref.at}" for ref in finding.refs)
    long = f" Limit in full: {finding.limit_text}." if len(finding.limit_text) > LIMIT_CHARACTERS else ""
    early = "" if finding.enforced else f" In force from {utc(finding.rule.applies_from_s)}."
    law = f" ({laws})" if laws else ""
    return clean(f"{finding.rationale or 'The reason stands in the policy document.'}{law}{long}{early}", 1_200)


def _outcome(finding: Finding) -> Mark:
    if not finding.enforced:
        return "Not yet", "event_upcoming", "gray"
    return ("Holds", "check_circle", "green") if finding.holds else ("Fails", "cancel", "red")


def _unit(finding: Finding, policy: PolicySet) -> Unit:
    text = policy.texts.get(finding.rule.id)
    return Unit.NUMBER if text is None else text.unit


def _margin(finding: Finding, policy: PolicySet) -> str:
    if finding.margin is None:
        return "—"
    amount = format_micros(abs(finding.margin), _unit(finding, policy))
    return f"{amount} to spare" if finding.holds else f"{amount} missed"


def _interval(finding: Finding, intervals: Mapping[str, Interval], policy: PolicySet) -> str:
    interval = intervals.get(finding.rule.fact)
    if interval is None or finding.value is None:
        return "not in store" if finding.source is Source.MEASURED else "—"
    unit = _unit(finding, policy)
    low, high = format_micros(_cent(interval.low), unit), format_micros(_cent(interval.high), unit)
    return f"{low} to {high}"


def _cent(micros: int) -> int:
    return round(micros * 100 / MICROS) * MICROS // 100
