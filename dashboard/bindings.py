"""Whether what a vote would release is still what stands on chain."""

from dataclasses import dataclass

from dashboard.actions import Approval
from dashboard.releases import Release
from dashboard.times import utc
from governance.domain.policy import PolicySet


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """One thing that an approval is bound to."""

    what: str
    holds: bool
    detail: str


def check_bindings(approval: Approval, release: Release, policy: PolicySet | None, *, now_s: int) -> list[Binding]:
    """Compare what a proposal binds the vote to with the candidate, the rules in force and the clock."""
    return [
        _same("the candidate's manifest", approval.manifest_hash, release.manifest_hash),
        _same("the measured facts", approval.facts_hash, release.facts_hash),
        _same("the rules in force", approval.policy_hash, b"" if policy is None else policy.set_hash),
        Binding(
            what="the deadline",
            holds=now_s <= approval.deadline_s,
            detail=f"may be carried out until {utc(approval.deadline_s)}",
        ),
    ]


def _same(what: str, bound: bytes, found: bytes) -> Binding:
    same = bound == found
    detail = "unchanged since the proposal" if same else f"voted on {bound.hex()[:8]}, stands now {found.hex()[:8]}"
    return Binding(what=what, holds=same, detail=detail)
