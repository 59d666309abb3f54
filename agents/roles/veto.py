"""The constitution's word on terms and rounds, by the set in force, before anything else is weighed."""

from governance.domain.market import Kind, Terms
from governance.domain.policy import MICROS, Fact, Phase, PolicySet, Source
from governance.errors import FolkmootError, PolicyError
from governance.policy import evaluate


class Unlawful(FolkmootError):
    """The set in force forbids a round; it came into force after the agreements, or too few take part."""


def veto(policy: PolicySet, terms: Terms, *, now_s: int) -> str:
    """Return what terms break: names of rules, or why no rule can be asked; empty when nothing.

    The contract asks the same of data and evaluation rows when the agreement is made.
    """
    if terms.kind not in {Kind.DATA, Kind.EVALUATION_ROWS}:
        return ""
    facts = (
        Fact(key="purposes", value=terms.purposes, source=Source.PROMISED),
        Fact(key="dp_epsilon", value=terms.epsilon_micros, source=Source.PROMISED),
        Fact(key="cohort_rows", value=terms.rows * MICROS, source=Source.PROMISED),
    )
    return _broken(policy, facts, purposes=terms.purposes, phase=Phase.AGREEMENT, now_s=now_s)


def round_veto(policy: PolicySet, *, purposes: int, contributors: int, now_s: int) -> str:
    """Return what a round of this many owners breaks, or empty; the ledger asks the same when it is posted."""
    facts = (Fact(key="round_contributors", value=contributors * MICROS, source=Source.DECLARED),)
    return _broken(policy, facts, purposes=purposes, phase=Phase.ROUND, now_s=now_s)


def job_veto(policy: PolicySet, *, purposes: int, licences: int, epsilon_micros: int, now_s: int) -> str:
    """Return what a job breaks whatever comes of it, in sentences; empty when nothing.

    Agreements and releases are asked for it later, when bonus and prices are locked already.
    """
    facts = (
        Fact(key="purposes", value=purposes, source=Source.PROMISED),
        Fact(key="dp_epsilon", value=epsilon_micros, source=Source.PROMISED),
        Fact(key="licences", value=licences, source=Source.DECLARED),
    )
    known, broken = {fact.key for fact in facts}, {}
    for phase in (Phase.AGREEMENT, Phase.RELEASE):
        try:
            verdict = evaluate(policy, facts, purposes=purposes, phase=phase, now_s=now_s)
        except PolicyError as problem:
            return str(problem)
        for finding in verdict.findings:
            if finding.rule.fact in known and finding.enforced and not finding.holds:
                broken[finding.rule.id] = finding.reason
    return "; ".join(f"{rule}: {reason}" for rule, reason in broken.items())


def _broken(policy: PolicySet, facts: tuple[Fact, ...], *, purposes: int, phase: Phase, now_s: int) -> str:
    try:
        verdict = evaluate(policy, facts, purposes=purposes, phase=phase, now_s=now_s)
    except PolicyError as problem:
        # An amendment may take a purpose out of the table; the contract reverts then.
        return str(problem)
    return ", ".join(verdict.failed_rules)
