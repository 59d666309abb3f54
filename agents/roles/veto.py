"""The constitution's word on terms, before anything else is weighed."""

from governance.domain.market import Kind, Terms
from governance.domain.policy import MICROS, Fact, Phase, PolicySet, Source
from governance.policy import evaluate


def veto(policy: PolicySet, terms: Terms, *, now_s: int) -> str:
    """Return the names of the rules that terms break, or empty.

    The contract asks the same of data and evaluation rows when the agreement is made.
    """
    if terms.kind not in {Kind.DATA, Kind.EVALUATION_ROWS}:
        return ""
    facts = (
        Fact(key="purposes", value=terms.purposes, source=Source.PROMISED),
        Fact(key="dp_epsilon", value=terms.epsilon_micros, source=Source.PROMISED),
        Fact(key="cohort_rows", value=terms.rows * MICROS, source=Source.PROMISED),
    )
    verdict = evaluate(policy, facts, purposes=terms.purposes, phase=Phase.AGREEMENT, now_s=now_s)
    return ", ".join(verdict.failed_rules)
