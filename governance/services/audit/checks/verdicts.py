"""Candidates and decisions: ids, cited agreements, facts, and the verdict at the block of the decision."""

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak

from governance.domain.market import Kind
from governance.domain.policy import Fact, Phase, PolicySet, Source, Verdict
from governance.domain.release import MANIFEST_TYPE, MISSING, ProposalState, RefusalReason, Status, facts_hash
from governance.domain.signing import read_short_text, short_text
from governance.errors import PolicyError
from governance.policy.verdict import evaluate, rule_ids
from governance.services import reading
from governance.services.audit.ballots import Power, Proposal, read_power, read_proposals
from governance.services.audit.checks.constitution import policy_in_force
from governance.services.audit.context import Context, place, short
from governance.services.audit.records import Agreement, Case, Release
from governance.services.audit.report import Examination
from governance.services.audit.timeline import moment_of

MILLION = 1_000_000
WHERE = "ReleaseRegistry"
ALL_SOURCES = 0x7E


def check_candidates(context: Context, exam: Examination) -> None:
    """Recompute ids, cited agreements and everything that stands of each candidate."""
    for release in context.records.releases.values():
        where = name_of(release)
        digest = keccak(encode([MANIFEST_TYPE], [release.fields]))
        exam.equal(where, "hash of its manifest", expected=digest, found=release.manifest_hash)
        chain = context.history.chain_id
        own = encode(["uint256", "address", "bytes32"], [chain, context.address(WHERE), digest])
        exam.equal(where, "its id", expected=keccak(own), found=release.id)
        _check_turn(context, exam, release)
        _check_citations(context, exam, release)
        _check_record(context, exam, release)
    for job in context.records.jobs:
        ids = tuple(release.id for release in context.records.releases.values() if release.manifest.job == job)
        context.state(exam, f"job {short(job)}", "its candidates", expected=ids, call=(WHERE, "releasesOf", job))


def check_verdicts(context: Context, exam: Examination) -> None:
    """Judge every candidate again from its facts, at the time when it was decided."""
    policy = policy_in_force(context)
    power, proposals = read_power(context), read_proposals(context)
    for release in context.records.releases.values():
        where = name_of(release)
        facts = facts_of(context, release)
        noted = proposals.get(reading.number(release.proposals[-1].values["proposalId"])) if release.proposals else None
        for proposed in release.proposals:
            _check_proposed(context, exam, release, proposals.get(reading.number(proposed.values["proposalId"])))
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
        _check_stored_facts(context, exam, release, facts)


def name_of(release: Release) -> str:
    """Return how findings name a candidate."""
    return f"candidate {release.manifest.candidate!r}, release {short(release.id)} ({place(release.submitted)})"


def facts_of(context: Context, release: Release) -> list[Fact]:
    """Return all evidence about a candidate, from events alone, as the rules read it."""
    cited = _data_agreements(context, release)
    purposes = purposes_of(context, release)
    epsilon = max((agreement.terms.epsilon_micros for agreement in cited), default=0)
    facts = [
        Fact("purposes", purposes, Source.PROMISED),
        Fact("dp_epsilon", epsilon, Source.PROMISED),
        Fact("licences", release.manifest.licences, Source.DECLARED),
        Fact("distinct_organisations", _contributors(context, release) * MILLION, Source.COMPUTED),
    ]
    # The contract answers "licences" from the manifest's own field, whatever the declared list says.
    facts += [Fact(key, value, Source.DECLARED) for key, value in release.manifest.declared if key != "licences"]
    case = context.records.cases.get(release.id)
    if case is not None and case.final is not None:
        facts.append(Fact("evaluators", reading.number(case.final.values["reveals"]) * MILLION, Source.COMPUTED))
        facts += _measured(case)
    return facts


def purposes_of(context: Context, release: Release) -> int:
    """Return the purposes that every cited data agreement allows."""
    purposes = (1 << 128) - 1
    for agreement in _data_agreements(context, release):
        purposes &= agreement.terms.purposes
    return purposes


def _measured(case: Case) -> list[Fact]:
    if case.final is None:
        return []
    keys = [read_short_text(reading.raw(key)) for key in reading.items(case.final.values["keys"])]
    values = [reading.number(value) for value in reading.items(case.final.values["medians"])]
    pairs = zip(keys, values, strict=False)
    return [Fact(key, value, Source.MEASURED) for key, value in pairs if value != MISSING]


def _data_agreements(context: Context, release: Release) -> list[Agreement]:
    found = (context.records.agreements.get(key) for key in release.manifest.agreements)
    return [agreement for agreement in found if agreement is not None and agreement.terms.kind is Kind.DATA]


def _contributors(context: Context, release: Release) -> int:
    moment = moment_of(release.submitted)
    sellers = (agreement.terms.seller for agreement in _data_agreements(context, release))
    return len({context.world.organisation_of(seller, moment) for seller in sellers})


def _judge(
    exam: Examination, where: str, policy: PolicySet, *, facts: list[Fact], release: Release, time_s: int
) -> Verdict | None:
    purposes = next(fact.value for fact in facts if fact.key == "purposes")
    try:
        return evaluate(policy, facts, purposes=purposes, phase=Phase.RELEASE, now_s=time_s)
    except PolicyError as problem:
        exam.fault(where, f"no verdict can be given about {release.manifest.candidate!r}", found=str(problem))
        return None


def _check_turn(context: Context, exam: Examination, release: Release) -> None:
    where, manifest, moment = name_of(release), release.manifest, moment_of(release.submitted)
    job = context.records.jobs.get(manifest.job)
    if not exam.holds(where, "its job was opened before", condition=job is not None) or job is None:
        return
    exam.equal(where, "submitted by the job's coordinator", expected=job.coordinator, found=release.proposer)
    names = job.terms.candidates
    named = manifest.candidate_index < len(names) and names[manifest.candidate_index] == manifest.candidate
    exam.holds(where, "its name and turn are those of the job's terms", condition=named, found=manifest.candidate)
    earlier = [
        other
        for other in context.records.releases.values()
        if other.manifest.job == manifest.job and moment_of(other.submitted) < moment
    ]
    exam.equal(where, "its turn", expected=len(earlier), found=manifest.candidate_index)
    refused = all(
        other.decided and other.decided.name == "Refused" and moment_of(other.decided) < moment for other in earlier
    )
    exam.holds(where, "all candidates before it were refused", condition=refused)
    rounds = [event for event in job.rounds if moment_of(event) < moment]
    needed = 1 + (manifest.candidate_index + 1) * job.terms.rounds_per_candidate
    exam.holds(where, "all its rounds were posted", condition=len(rounds) >= needed, found=len(rounds))


def _check_citations(context: Context, exam: Examination, release: Release) -> None:
    where, moment = name_of(release), moment_of(release.submitted)
    roots: list[bytes] = []
    job = context.records.jobs.get(release.manifest.job)
    organisations = [context.world.organisation_of(job.coordinator, moment)] if job else []
    ids = release.manifest.agreements
    exam.equal(where, "agreements cited once each", expected=len(set(ids)), found=len(ids))
    for key in ids:
        agreement = context.records.agreements.get(key)
        fits = (
            agreement is not None
            and agreement.is_active(moment)
            and agreement.terms.job == release.manifest.job
            and agreement.terms.kind in (Kind.DATA, Kind.EVALUATION_ROWS)
        )
        exam.holds(where, f"agreement {short(key)} was active and of this job", condition=fits)
        if agreement is None:
            continue
        organisations.append(context.world.organisation_of(agreement.terms.seller, moment))
        if agreement.terms.kind is Kind.EVALUATION_ROWS:
            roots.append(agreement.terms.data_root)
    case = context.records.cases.get(release.id)
    if exam.holds(where, "its case was opened", condition=case is not None) and case is not None:
        exam.equal(where, "rows that the jury measures", expected=tuple(roots), found=case.roots)
        exam.equal(where, "excluded from the jury", expected=tuple(dict.fromkeys(organisations)), found=case.excluded)
        subject = (release.manifest.job, release.manifest.artifact)
        exam.equal(where, "job and file of its case", expected=subject, found=(case.job, case.artifact))


def _check_record(context: Context, exam: Examination, release: Release) -> None:
    where, manifest, decided = name_of(release), release.manifest, release.decided
    status = Status.CANDIDATE if decided is None else Status[decided.name.upper()]
    reason = decided.values["reason"] if decided is not None and status is Status.REFUSED else 0
    noted = release.proposals[-1].values["proposalId"] if release.proposals else 0
    epsilon = max((agreement.terms.epsilon_micros for agreement in _data_agreements(context, release)), default=0)
    record = (
        int(status),
        reason,
        release.manifest_hash,
        manifest.job,
        manifest.candidate_index,
        manifest.artifact,
        release.proposer,
        purposes_of(context, release),
        manifest.licences,
        _contributors(context, release),
        epsilon,
        noted,
        context.time_s(release.submitted),
        context.time_s(decided) if decided else 0,
    )
    names = (
        "status",
        "reason",
        "manifest hash",
        "job",
        "turn",
        "artifact",
        "proposer",
        "purposes",
        "licences",
        "contributors",
        "epsilon",
        "proposal",
        "time of submission",
        "time of decision",
    )
    found = reading.row(context.read(WHERE, "release", release.id), len(record))
    for name, expected, value in zip(names, record, found, strict=True):
        exam.equal(where, f"{name} that stands", expected=expected, found=value)
    artifact = manifest.artifact
    context.state(exam, where, "release of its file", expected=release.id, call=(WHERE, "releaseOf", artifact))
    usable = status is Status.RELEASED
    context.state(exam, where, "may its file be used", expected=usable, call=(WHERE, "isUsable", artifact))


def _check_proposed(context: Context, exam: Examination, release: Release, proposal: Proposal | None) -> None:
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
    exam.equal(where, "rules that are voted on", expected=policy_in_force(context).set_hash, found=policy)
    exam.equal(where, "facts that are voted on", expected=_facts_hash(context, release), found=facts)


def _facts_hash(context: Context, release: Release) -> bytes:
    case = context.records.cases.get(release.id)
    result = b"\0" * 32
    if case is not None and case.final is not None:
        values = case.final.values
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
    if reason is RefusalReason.POLICY:
        exam.holds(where, "a rule fails", condition=verdict.failed != 0)
        state = vote.state_at(context.time_s(release.decided), power) if vote else None
        passed = state in (ProposalState.SUCCEEDED, ProposalState.QUEUED)
        exam.holds(where, "the vote had passed", condition=passed, found=state.name if state else "no vote")


def _check_stored_facts(context: Context, exam: Examination, release: Release, facts: list[Fact]) -> None:
    for fact in facts:
        where = f"fact {fact.key} of {name_of(release)}"
        try:
            call = (WHERE, "fact", release.id, short_text(fact.key), 1 << fact.source)
        except ValueError:
            # A hostile declaration may have a name that is no text; no rule can ask for it.
            continue
        context.state(exam, where, "value that stands", expected=(fact.value, int(fact.source)), call=call)
