"""Decisions: the facts, what was voted on, and the verdict at the block of the decision."""

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak

from governance.domain.policy import Fact, Phase, PolicySet, Source, Verdict
from governance.domain.release import CALL_S, MISSING, ProposalState, RefusalReason, Stage, facts_hash
from governance.domain.signing import read_short_text, short_text
from governance.errors import PolicyError
from governance.policy.verdict import evaluate, rule_ids
from governance.ports import Event
from governance.services import reading
from governance.services.audit.ballots import Power, Proposal, read_power, read_proposals
from governance.services.audit.checks.candidates import contributors_of, data_agreements, name_of, purposes_of
from governance.services.audit.checks.constitution import policy_at, policy_in_force
from governance.services.audit.checks.juries import stage_of
from governance.services.audit.consents import endorsed_before, objections_before, sign_offs_before, was_withdrawn
from governance.services.audit.context import END, Context, place
from governance.services.audit.records import Release
from governance.services.audit.report import Examination
from governance.services.audit.timeline import Moment, moment_of

MILLION = 1_000_000
WHERE = "ReleaseRegistry"
LOST = (ProposalState.DEFEATED, ProposalState.EXPIRED)


def check_verdicts(context: Context, exam: Examination) -> None:
    """Judge every candidate again from its facts, at the time when it was decided."""
    power, proposals = read_power(context), read_proposals(context)
    for release in context.records.releases.values():
        where = name_of(release)
        decided = release.decided
        facts = facts_of(context, release, before=moment_of(decided) if decided else END)
        policy = policy_at(context, decided) if decided else policy_in_force(context)
        noted = proposals.get(reading.number(release.proposals[-1].values["proposalId"])) if release.proposals else None
        for proposed in release.proposals:
            proposal = proposals.get(reading.number(proposed.values["proposalId"]))
            _check_proposed(context, exam, release, proposal, voted_on=policy_at(context, proposed))
        if release.decided is None:
            verdict = _judge(exam, where, policy, facts=facts, release=release, time_s=context.history.head.time_s)
            if verdict is not None:
                masks = (verdict.failed, verdict.applied, int(verdict.tier))
                context.state(exam, where, "verdict now", expected=masks, call=(WHERE, "check", release.id))
            continue
        time_s = context.time_s(release.decided)
        verdict = _judge(exam, where, policy, facts=facts, release=release, time_s=time_s)
        if verdict is None:
            continue
        _check_hashes(context, exam, release, policy)
        if release.decided.name == "Released":
            _check_released(context, exam, release, policy=policy, verdict=verdict)
        else:
            _check_refused(context, exam, release, verdict=verdict, vote=noted, power=power)
        _check_stored_facts(context, exam, release, facts_of(context, release))


def facts_of(context: Context, release: Release, *, before: Moment = END, result: Event | None = None) -> list[Fact]:
    """Return all evidence about a candidate, from events alone, as the rules read it.

    ``before`` is the moment up to which people's word counts. ``result`` is the jury's that counts; by default the
    one that stands, or that stood at the decision.
    """
    cited = data_agreements(context, release)
    purposes = purposes_of(context, release)
    epsilon = max((agreement.terms.epsilon_micros for agreement in cited), default=0)
    facts = [
        Fact("purposes", purposes, Source.PROMISED),
        Fact("dp_epsilon", epsilon, Source.PROMISED),
        Fact("licences", release.manifest.licences, Source.DECLARED),
        Fact("distinct_organisations", contributors_of(context, release) * MILLION, Source.COMPUTED),
        *_said(context, release, before),
    ]
    # The contract answers "licences" from the manifest's own field, whatever the declared list says.
    facts += [Fact(key, value, Source.DECLARED) for key, value in release.manifest.declared if key != "licences"]
    result = result or _result_of(context, release)
    if result is not None:
        facts.append(Fact("evaluators", reading.number(result.values["reveals"]) * MILLION, Source.COMPUTED))
        facts += _measured(result)
    return facts


def _said(context: Context, release: Release, before: Moment) -> list[Fact]:
    objecting, of = objections_before(context, release.id, before), contributors_of(context, release)
    found = [Fact("objection_ratio", -(-objecting * MILLION // max(of, 1)), Source.COMPUTED)]
    offices = sign_offs_before(context, release.id, before)
    return [*found, Fact("signoffs", offices, Source.SIGNED_OFF)] if offices else found


def _result_of(context: Context, release: Release) -> Event | None:
    case = context.records.cases.get(release.id)
    finals = case.finals if case else []
    if release.decided is not None:
        # A candidate whose time is over may be refused while an appeal runs.
        finals = [event for event in finals if moment_of(event) < moment_of(release.decided)]
    return finals[-1] if finals else None


def _measured(result: Event) -> list[Fact]:
    keys = [read_short_text(reading.raw(key)) for key in reading.items(result.values["keys"])]
    values = [reading.number(value) for value in reading.items(result.values["medians"])]
    pairs = zip(keys, values, strict=False)
    return [Fact(key, value, Source.MEASURED) for key, value in pairs if value != MISSING]


def _judge(
    exam: Examination, where: str, policy: PolicySet, *, facts: list[Fact], release: Release, time_s: int
) -> Verdict | None:
    purposes = next(fact.value for fact in facts if fact.key == "purposes")
    try:
        return evaluate(policy, facts, purposes=purposes, phase=Phase.RELEASE, now_s=time_s)
    except PolicyError as problem:
        exam.fault(where, f"no verdict can be given about {release.manifest.candidate!r}", found=str(problem))
        return None


def _check_proposed(
    context: Context, exam: Examination, release: Release, proposal: Proposal | None, *, voted_on: PolicySet
) -> None:
    where = name_of(release)
    if not exam.holds(where, "its proposal was made", condition=proposal is not None) or proposal is None:
        return
    try:
        types = ["bytes32", "bytes32", "bytes32", "bytes32", "uint64"]
        key, manifest, policy, facts, _ = decode(types, proposal.calldatas[0][4:])
    except (DecodingError, IndexError, OverflowError):
        exam.fault(where, "an approval that does not decode", found=proposal.calldatas[:1])
        return
    exam.equal(where, "release that is voted on", expected=release.id, found=key)
    exam.equal(where, "manifest that is voted on", expected=release.manifest_hash, found=manifest)
    exam.equal(where, "rules that are voted on", expected=voted_on.set_hash, found=policy)
    exam.equal(where, "facts that are voted on", expected=_facts_hash(context, release), found=facts)


def _facts_hash(context: Context, release: Release) -> bytes:
    final, result = _result_of(context, release), b"\0" * 32
    if final is not None:
        values = final.values
        result = keccak(
            encode(["bytes32[]", "int128[]", "uint8"], [values["keys"], values["medians"], values["reveals"]])
        )
    return facts_hash(release.manifest_hash, result)


def _check_hashes(context: Context, exam: Examination, release: Release, policy: PolicySet) -> None:
    if release.decided is None:
        return
    where = place(release.decided)
    exam.equal(where, "rules it was judged by", expected=policy.set_hash, found=release.decided.values["policyHash"])
    digest = _facts_hash(context, release)
    exam.equal(where, "facts it was judged by", expected=digest, found=release.decided.values["factsHash"])
    context.state(exam, where, "facts that stand", expected=digest, call=(WHERE, "factsHash", release.id))


def _check_released(
    context: Context, exam: Examination, release: Release, *, policy: PolicySet, verdict: Verdict
) -> None:
    if release.decided is None:
        return
    where = f"{name_of(release)}, released in {place(release.decided)}"
    exam.equal(where, "rules that fail", expected=(), found=rule_ids(policy, verdict.failed))
    moment = moment_of(release.decided)
    exam.holds(where, "the deployment was endorsed before", condition=endorsed_before(context, moment))
    withdrawn = was_withdrawn(context, release.id, moment)
    exam.holds(where, "no consent was withdrawn before", condition=not withdrawn)
    exam.equal(where, "rules that were asked", expected=verdict.applied, found=release.decided.values["appliedRules"])
    exam.equal(where, "its file", expected=release.manifest.artifact, found=release.decided.values["artifact"])
    last = release.proposals[-1].values["proposalId"] if release.proposals else None
    executed = [
        event
        for event in context.events("ModelGovernor", "ProposalExecuted")
        if event.transaction == release.decided.transaction and event.values["proposalId"] == last
    ]
    exam.holds(where, "its proposal was executed in the same transaction", condition=bool(executed))


def _check_refused(
    context: Context, exam: Examination, release: Release, *, verdict: Verdict, vote: Proposal | None, power: Power
) -> None:
    if release.decided is None:
        return
    where = f"{name_of(release)}, refused in {place(release.decided)}"
    reason = RefusalReason(reading.number(release.decided.values["reason"]))
    failed = verdict.failed if reason is RefusalReason.POLICY else 0
    exam.equal(where, "rules that fail", expected=failed, found=release.decided.values["failedRules"])
    case = context.records.cases.get(release.id)
    lapsed = case is not None and case.lapsed is not None and moment_of(case.lapsed) < moment_of(release.decided)
    exam.equal(where, "refused for want of a jury", expected=lapsed, found=reason is RefusalReason.JURY)
    withdrawn = not lapsed and was_withdrawn(context, release.id, moment_of(release.decided))
    exam.equal(where, "refused for withdrawn consent", expected=withdrawn, found=reason is RefusalReason.WITHDRAWAL)
    if reason is RefusalReason.POLICY:
        exam.holds(where, "a rule fails", condition=verdict.failed != 0)
        state = vote.state_at(context.time_s(release.decided), power) if vote else None
        passed = state in (ProposalState.SUCCEEDED, ProposalState.QUEUED)
        exam.holds(where, "the vote had passed", condition=passed, found=state.name if state else "no vote")
    if reason is RefusalReason.VOTE:
        late = _is_given_up(context, release, vote, context.time_s(release.decided))
        lost = vote is not None and vote.state_at(context.time_s(release.decided), power) in LOST
        exam.holds(where, "the vote was lost, or its time was over", condition=lost or late)


def _is_given_up(context: Context, release: Release, vote: Proposal | None, time_s: int) -> bool:
    """Whether a candidate could no longer be released at a time, whatever happened."""
    if vote is not None and vote.canceled is None:
        return time_s > vote.approval_deadline_s
    job, case = context.records.jobs.get(release.manifest.job), context.records.cases.get(release.id)
    if job is None or case is None:
        return False
    stage, final_s = stage_of(context, case)
    # A vote that was stopped may be asked for again until its approval would have been too late.
    last_s = max(job.terms.deadline_s, final_s + CALL_S, vote.approval_deadline_s if vote else 0)
    return stage is Stage.FINAL and time_s > last_s


def _check_stored_facts(context: Context, exam: Examination, release: Release, facts: list[Fact]) -> None:
    for fact in facts:
        where = f"fact {fact.key} of {name_of(release)}"
        try:
            call = (WHERE, "facts", release.id, (short_text(fact.key),), (1 << fact.source,))
        except ValueError:
            # A hostile declaration may have a name that is no text; no rule can ask for it.
            continue
        context.state(exam, where, "value that stands", expected=((fact.value,), (int(fact.source),)), call=call)
