"""Candidates: ids, turns, the agreements they cite, and what stands of them."""

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from governance.domain.market import IntegrationMode, Kind
from governance.domain.release import MANIFEST_TYPE
from governance.services import reading
from governance.services.audit.ballots import read_proposals
from governance.services.audit.checks.panel import settings_at
from governance.services.audit.context import Context, place, short
from governance.services.audit.records import Agreement, Release
from governance.services.audit.report import Examination
from governance.services.audit.standing import read_standings
from governance.services.audit.timeline import moment_of

WHERE = "ReleaseRegistry"


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
        _check_metric_code(context, exam, release)
        _check_citations(context, exam, release)
        _check_record(context, exam, release)
    for job in context.records.jobs:
        ids = tuple(release.id for release in context.records.releases.values() if release.manifest.job == job)
        context.state(exam, f"job {short(job)}", "its candidates", expected=ids, call=(WHERE, "releasesOf", job))


def name_of(release: Release) -> str:
    """Return how findings name a candidate."""
    return f"candidate {release.manifest.candidate!r}, release {short(release.id)} ({place(release.submitted)})"


def data_agreements(context: Context, release: Release) -> list[Agreement]:
    """Return the data agreements that a candidate cites."""
    found = (context.records.agreements.get(key) for key in release.manifest.agreements)
    return [agreement for agreement in found if agreement is not None and agreement.terms.kind is Kind.DATA]


def purposes_of(context: Context, release: Release) -> int:
    """Return the purposes that every cited data agreement allows."""
    purposes = (1 << 128) - 1
    for agreement in data_agreements(context, release):
        purposes &= agreement.terms.purposes
    return purposes


def contributors_of(context: Context, release: Release) -> int:
    """Return the number of organisations behind the cited data agreements."""
    moment = moment_of(release.submitted)
    sellers = (agreement.terms.seller for agreement in data_agreements(context, release))
    return len({context.world.organisation_of(seller, moment) for seller in sellers})


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
    turns = manifest.candidate_index + 1
    decoupled = job.terms.integration_mode is IntegrationMode.DECOUPLED
    needed = turns if decoupled else 1 + turns * job.terms.rounds_per_candidate
    exam.holds(where, "all its rounds were posted", condition=len(rounds) >= needed, found=len(rounds))


def _check_metric_code(context: Context, exam: Examination, release: Release) -> None:
    """Code that was replaced in between would have measured something else."""
    job, decided = context.records.jobs.get(release.manifest.job), release.decided
    if job is None:
        return
    released = [decided] if decided is not None and decided.name == "Released" else []
    for event in (release.submitted, *release.proposals, *released):
        now = settings_at(context, moment_of(event)).metric_code
        exam.equal(place(event), "the court's metric code, from the job's", expected=job.terms.metric_code, found=now)


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
    where = name_of(release)
    record = _record(context, release)
    found = reading.row(context.read(WHERE, "release", release.id), len(record))
    for (name, expected), value in zip(record.items(), found, strict=True):
        exam.equal(where, f"{name} that stands", expected=expected, found=value)
    artifact = release.manifest.artifact
    context.state(exam, where, "release of its file", expected=release.id, call=(WHERE, "releaseOf", artifact))


def _record(context: Context, release: Release) -> dict[str, object]:
    manifest, decided = release.manifest, release.decided
    standing = read_standings(context)[release.id]
    epsilons = (agreement.terms.epsilon_micros for agreement in data_agreements(context, release))
    proposal = reading.number(release.proposals[-1].values["proposalId"]) if release.proposals else 0
    noted = read_proposals(context).get(proposal)
    # In the order of the contract's struct.
    return {
        "status": int(standing.status),
        "reason": int(standing.refusal),
        "turn": manifest.candidate_index,
        "proposer": release.proposer,
        "time of submission": context.time_s(release.submitted),
        "contributors": contributors_of(context, release),
        "epsilon": max(epsilons, default=0),
        "time of decision": context.time_s(decided) if decided else 0,
        "deadline of its approval": noted.approval_deadline_s if noted else 0,
        "does it fail rules that bind it": standing.fails_policy,
        "purposes": purposes_of(context, release),
        "licences": manifest.licences,
        "manifest hash": release.manifest_hash,
        "job": manifest.job,
        "artifact": manifest.artifact,
        "proposal": proposal,
        "parent": manifest.parent,
        "end of the guardian's suspension": standing.suspended_until_s,
    }
