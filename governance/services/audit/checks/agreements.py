"""Jobs and agreements: ids, both signatures, and whether the terms were allowed when they were made."""

from collections.abc import Iterator

from coincurve import PublicKey
from eth_abi.abi import encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from governance.domain.market import Address, Kind, PrivacyUnit, Terms
from governance.domain.policy import Fact, Phase, Source
from governance.domain.signing import JOB_TYPE, Domain, book_domain, hash_terms
from governance.errors import PolicyError
from governance.policy.verdict import evaluate
from governance.services import reading
from governance.services.audit.checks.constitution import policy_at
from governance.services.audit.checks.fees import fee_bps_at
from governance.services.audit.checks.mandates import check_mandates
from governance.services.audit.consents import cited_by
from governance.services.audit.context import Context, place, short
from governance.services.audit.records import Agreement, Job
from governance.services.audit.report import Examination
from governance.services.audit.timeline import moment_of

WHERE = "AgreementBook"
MILLION = 1_000_000
COORDINATOR = 2
ROLE_OF = {Kind.DATA: 1, Kind.EVALUATION_ROWS: 1, Kind.COMPUTE: 4, Kind.EVALUATION: 8}
BY_ROUND = (Kind.DATA, Kind.COMPUTE)
WITH_ROWS = (Kind.DATA, Kind.EVALUATION_ROWS)


def check_jobs(context: Context, exam: Examination) -> None:
    """Recompute the id of every job, and what stands of it."""
    domain = _domain(context)
    for job in context.records.jobs.values():
        where = f"job {short(job.id)} ({place(job.opened)})"
        exam.equal(where, "its id", expected=_job_id(job, domain), found=job.id)
        exam.equal(where, "its coordinator", expected=job.terms.coordinator, found=job.coordinator)
        moment = moment_of(job.opened)
        agent = context.world.agents.before(moment, job.coordinator)
        able = (
            agent is not None and bool(agent.roles & COORDINATOR) and context.world.is_active(job.coordinator, moment)
        )
        exam.holds(where, "opened by an active coordinator", condition=able, found=job.coordinator)
        _check_finish(context, exam, job)
        record = (
            2 if job.finished else 1,
            job.coordinator,
            int(job.terms.integration_mode),
            job.terms.purposes,
            job.terms.rounds_per_candidate,
            len(job.terms.candidates),
            job.terms.deadline_s,
            context.time_s(job.finished) if job.finished else 0,
            job.terms.metric_code,
        )
        context.state(exam, where, "what stands of it", expected=record, call=(WHERE, "job", job.id))
        context.state(exam, where, "its candidates", expected=job.fields[10], call=(WHERE, "candidates", job.id))


def check_agreements(context: Context, exam: Examination) -> None:
    """Recover both signatures of every agreement, and check its terms against all limits of that moment."""
    for agreement in context.records.agreements.values():
        where = name_of(agreement)
        digest = hash_terms(agreement.terms, _domain(context))
        exam.equal(where, "its id", expected=digest, found=agreement.id)
        parties = (("buyer", agreement.terms.buyer), ("seller", agreement.terms.seller))
        for (role, party), signature in zip(parties, agreement.signatures, strict=True):
            _check_signer(context, exam, agreement, role=role, party=party, signature=signature)
        job = context.records.jobs.get(agreement.terms.job)
        if exam.holds(where, "its job was opened before", condition=job is not None) and job is not None:
            for what, fits in _terms_that_fit(context, agreement, job):
                exam.holds(where, what, condition=fits, found=agreement.terms)
        _check_law(context, exam, agreement)
        _check_record(context, exam, agreement)
    _check_one_each(context, exam)
    check_mandates(context, exam)


def _check_signer(
    context: Context, exam: Examination, agreement: Agreement, *, role: str, party: Address, signature: bytes
) -> None:
    """Recover the party's key or its operator's; what a contract wallet accepted, the book has asked it."""
    found = signer_of(agreement.id, signature)
    operator = context.world.operator_of(party, moment_of(agreement.created))
    if found == operator and operator is not None:
        return
    is_contract = operator is not None and bool(context.witness.code(operator, context.history.head.number))
    if found != party and is_contract:
        return
    exam.equal(name_of(agreement), f"who signed as {role}", expected=party, found=found)


def name_of(agreement: Agreement) -> str:
    """Return how findings name an agreement."""
    return f"agreement {short(agreement.id)} ({place(agreement.created)})"


def signer_of(digest: bytes, signature: bytes) -> Address | None:
    """Return who made a signature of 65 bytes r, s, v over a digest, or None when nobody can have."""
    if len(signature) != 65 or signature[64] not in (27, 28):
        return None
    recoverable = signature[:64] + bytes([signature[64] - 27])
    try:
        key = PublicKey.from_signature_and_message(recoverable, digest, hasher=None)
    except ValueError:
        return None
    return to_checksum_address(keccak(key.format(compressed=False)[1:])[12:])


def _domain(context: Context) -> Domain:
    return book_domain(context.history.chain_id, context.address(WHERE))


def _job_id(job: Job, domain: Domain) -> bytes:
    values = list(job.fields)
    values[10] = keccak(b"".join(reading.raw(name) for name in reading.items(values[10])))
    kinds = [field.split(" ")[0] for field in JOB_TYPE[JOB_TYPE.index("(") + 1 : -1].split(",")]
    types = ["bytes32", *("bytes32" if kind == "bytes32[]" else kind for kind in kinds)]
    return domain.digest(keccak(encode(types, [keccak(JOB_TYPE.encode()), *values])))


def _check_finish(context: Context, exam: Examination, job: Job) -> None:
    releases = [release for release in context.records.releases.values() if release.manifest.job == job.id]
    released = [release for release in releases if release.decided and release.decided.name == "Released"]
    refused = [release for release in releases if release.decided and release.decided.name == "Refused"]
    over = bool(released) or len(refused) == len(job.terms.candidates)
    where = f"job {short(job.id)} ({place(job.opened)})"
    exam.equal(
        where, "finished when a candidate was released or the last refused", expected=over, found=bool(job.finished)
    )
    if job.finished is not None:
        release = released[0].id if released else b"\0" * 32
        exam.equal(place(job.finished), "its release", expected=release, found=job.finished.values["release"])


def _terms_that_fit(context: Context, agreement: Agreement, job: Job) -> Iterator[tuple[str, bool]]:
    terms, announced = agreement.terms, job.terms
    moment, time_s = moment_of(agreement.created), context.time_s(agreement.created)
    world = context.world
    open_then = moment_of(job.opened) < moment and (job.finished is None or moment_of(job.finished) > moment)
    yield "its job was open", open_then and time_s <= announced.deadline_s
    yield "the signatures were still valid", time_s <= terms.valid_until_s
    yield "the buyer is the job's coordinator", terms.buyer == job.coordinator
    for party, role in ((terms.buyer, COORDINATOR), (terms.seller, ROLE_OF[terms.kind])):
        agent = world.agents.before(moment, party)
        able = agent is not None and agent.roles & role == role and world.is_active(party, moment)
        yield f"{party} was bound, active and of the right role", able
    buyer, seller = world.organisation_of(terms.buyer, moment), world.organisation_of(terms.seller, moment)
    yield "the parties are of two organisations", buyer != seller
    units = announced.rounds if terms.kind in BY_ROUND else len(announced.candidates)
    yield "its instalments are those of the job", terms.units == units
    wide = terms.purposes & announced.purposes == announced.purposes
    yield "its purposes cover those of the job", wide
    yield "aggregation privacy is that of the job", terms.aggregation_privacy == announced.aggregation_privacy
    is_data = terms.kind is Kind.DATA
    privacy = (announced.epsilon_micros, announced.delta_e12, announced.privacy_unit)
    promised = (terms.epsilon_micros, terms.delta_e12, terms.privacy_unit)
    yield "its privacy promise is that of the job", promised == (privacy if is_data else (0, 0, PrivacyUnit.NONE))
    yield "its rows were committed by the seller", _rows_fit(context, terms)
    yield "its deadline is within the job's", time_s < terms.deadline_s <= announced.deadline_s


def _rows_fit(context: Context, terms: Terms) -> bool:
    if terms.kind not in WITH_ROWS:
        return terms.rows == 0 and terms.data_root == b"\0" * 32
    known = context.world.data_sets.get(terms.data_root)
    if known is None:
        return False
    # A key that took another one's place sells what that one committed to.
    own = context.world.origin_of(known.agent) == context.world.origin_of(terms.seller)
    return own and (known.rows, known.evaluation) == (terms.rows, terms.kind is Kind.EVALUATION_ROWS)


def _check_law(context: Context, exam: Examination, agreement: Agreement) -> None:
    terms = agreement.terms
    if terms.kind not in WITH_ROWS:
        return
    facts = [
        Fact("purposes", terms.purposes, Source.PROMISED),
        Fact("dp_epsilon", terms.epsilon_micros, Source.PROMISED),
        Fact("cohort_rows", terms.rows * MILLION, Source.PROMISED),
    ]
    policy, time_s = policy_at(context, agreement.created), context.time_s(agreement.created)
    try:
        verdict = evaluate(policy, facts, purposes=terms.purposes, phase=Phase.AGREEMENT, now_s=time_s)
    except PolicyError as problem:
        exam.fault(name_of(agreement), "no verdict can be given about it", found=str(problem))
        return
    exam.equal(name_of(agreement), "rules that fail", expected=(), found=verdict.failed_rules)


def first_unit(agreement: Agreement, job: Job | None) -> int:
    """Return the first round that an agreement is paid for: those posted before it was made are not."""
    if job is None or agreement.terms.kind not in BY_ROUND:
        return 0
    return sum(moment_of(event) < moment_of(agreement.created) for event in job.rounds)


def _check_one_each(context: Context, exam: Examination) -> None:
    """Require one agreement about data for each organisation and job: base pay is per organisation."""
    firsts: dict[tuple[bytes, int], bytes] = {}
    for agreement in context.records.agreements.values():
        if agreement.terms.kind is not Kind.DATA:
            continue
        organisation = context.world.organisation_of(agreement.terms.seller, moment_of(agreement.created))
        first = firsts.setdefault((agreement.terms.job, organisation), agreement.id)
        exam.equal(name_of(agreement), "its organisation's first about data", expected=agreement.id, found=first)
    for (job, organisation), first in firsts.items():
        where = f"organisation {organisation} in job {short(job)}"
        call = (WHERE, "dataAgreement", job, organisation)
        context.state(exam, where, "its agreement about data", expected=first, call=call)


def _check_record(context: Context, exam: Examination, agreement: Agreement) -> None:
    terms = agreement.terms
    units = sum(reading.number(event.values["units"]) for event in agreement.payments)
    job = context.records.jobs.get(terms.job)
    first = first_unit(agreement, job)
    following = max((reading.number(event.values["nextUnit"]) for event in agreement.payments), default=first)
    organisation = context.world.agents.before(moment_of(agreement.created), terms.seller)
    record = (
        3 if agreement.withdrawn else 2 if agreement.closed else 1,
        int(terms.kind),
        int(job.terms.integration_mode) if job else 0,
        terms.seller,
        terms.units,
        following,
        units,
        terms.price_e18,
        organisation.organisation if organisation else 0,
        terms.epsilon_micros,
        fee_bps_at(context, moment_of(agreement.created)),
        terms.withdrawal_blocks,
        cited_by(context, agreement),
        terms.job,
        terms.buyer,
        terms.deadline_s,
        terms.rows,
        terms.purposes,
        terms.bond_e18,
        terms.data_root,
        terms.auditor,
        first,
    )
    context.state(
        exam, name_of(agreement), "what stands of it", expected=record, call=(WHERE, "agreement", agreement.id)
    )
