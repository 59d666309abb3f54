"""The constitution's verdict on a release, computed in Python from the facts that the contract reads."""

from governance.domain.policy import Fact, Phase, PolicySet, Source, Verdict
from governance.policy import evaluate
from governance.services.releases import ReleaseRecord, Releases


def release_facts(releases: Releases, policy: PolicySet, release: bytes) -> list[Fact]:
    """Return every fact that a rule of the release phase asks for, as the contract answers it now."""
    wanted = {(rule.fact, rule.sources) for rule in policy.rules if rule.phases & Phase.RELEASE}
    found = []
    for key, sources in sorted(wanted):
        value, source = releases.fact(release, key, sources)
        if source:
            found.append(Fact(key=key, value=value, source=Source(source)))
    return found


def release_verdict(releases: Releases, policy: PolicySet, release: ReleaseRecord, *, now_s: int) -> Verdict:
    """Return the verdict on a release at a moment, rule by rule."""
    facts = release_facts(releases, policy, release.id)
    return evaluate(policy, _once(facts), purposes=release.purposes, phase=Phase.RELEASE, now_s=now_s)


def _once(facts: list[Fact]) -> list[Fact]:
    return list({(fact.key, fact.source): fact for fact in facts}.values())
