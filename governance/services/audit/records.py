"""Jobs, agreements, rounds, cases and releases as their events tell them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from governance.domain.market import Address, AggregationPrivacy, IntegrationMode, JobTerms, Kind, PrivacyUnit, Terms
from governance.domain.release import MANIFEST_FIELDS, Manifest
from governance.domain.signing import read_short_text
from governance.errors import FolkmootError, InvalidRecord
from governance.ports import Event
from governance.services import reading
from governance.services.audit.cases import Case, Sitting
from governance.services.audit.report import Examination
from governance.services.audit.sources import UNFOLLOWABLE
from governance.services.audit.timeline import Moment, moment_of
from governance.services.releases import read_manifest

R = TypeVar("R")
JOB_FIELDS: Final = 14


@dataclass(slots=True, kw_only=True)
class Job:
    """A job from its announcement on."""

    id: bytes
    coordinator: Address
    terms: JobTerms
    fields: Sequence[object]
    """The terms exactly as the event holds them; a hostile name of a candidate may be no text."""
    opened: Event
    finished: Event | None = None
    rounds: list[Event] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Agreement:
    """A signed agreement and what was paid for it."""

    id: bytes
    terms: Terms
    signatures: tuple[bytes, bytes]
    """The buyer's and the seller's."""
    created: Event
    payments: list[Event] = field(default_factory=list)
    closed: Event | None = None
    withdrawn: Event | None = None

    def is_active(self, before: Moment) -> bool:
        """Say whether it was made and not yet closed just before a moment."""
        return moment_of(self.created) < before and (self.closed is None or moment_of(self.closed) >= before)


@dataclass(slots=True, kw_only=True)
class Release:
    """A candidate up to its decision."""

    id: bytes
    manifest: Manifest
    fields: Sequence[object]
    """The manifest exactly as the event holds it."""
    manifest_hash: bytes
    """As the event says it."""
    proposer: Address
    submitted: Event
    proposals: list[Event] = field(default_factory=list)
    decided: Event | None = None
    """Released or Refused."""


@dataclass(slots=True)
class Records:
    """Everything that was agreed, done and decided."""

    jobs: dict[bytes, Job] = field(default_factory=dict)
    agreements: dict[bytes, Agreement] = field(default_factory=dict)
    cases: dict[bytes, Case] = field(default_factory=dict)
    releases: dict[bytes, Release] = field(default_factory=dict)
    looks: list[Event] = field(default_factory=list)


def collect(events: list[Event], examination: Examination) -> Records:
    """Return the records behind all events; an event that points at nothing is a finding."""
    records = Records()
    for event in events:
        step = STEPS.get((event.contract, event.name))
        if step is None:
            continue
        try:
            step(records, event)
        except (FolkmootError, *UNFOLLOWABLE) as problem:
            examination.fault(f"block {event.block}, {event.name}", "an impossible event", found=str(problem))
    return records


def read_terms(value: object) -> Terms:
    """Return the terms behind the contract's struct."""
    row = reading.row(value, 20)
    return Terms(
        kind=Kind(reading.number(row[0])),
        buyer=reading.address(row[1]),
        seller=reading.address(row[2]),
        job=reading.raw(row[3]),
        price_e18=reading.number(row[4]),
        units=reading.number(row[5]),
        epsilon_micros=reading.number(row[6]),
        delta_e12=reading.number(row[7]),
        privacy_unit=PrivacyUnit(reading.number(row[8])),
        aggregation_privacy=AggregationPrivacy(reading.number(row[9])),
        rows=reading.number(row[10]),
        data_root=reading.raw(row[11]),
        purposes=reading.number(row[12]),
        compute_seconds=reading.number(row[13]),
        bond_e18=reading.number(row[14]),
        auditor=reading.address(row[15]),
        withdrawal_blocks=reading.flag(row[16]),
        deadline_s=reading.number(row[17]),
        valid_until_s=reading.number(row[18]),
        nonce=reading.number(row[19]),
    )


def read_job_terms(value: object) -> JobTerms:
    """Return the job's terms behind the contract's struct."""
    row = reading.row(value, JOB_FIELDS)
    return JobTerms(
        coordinator=reading.address(row[0]),
        purposes=reading.number(row[1]),
        rounds_per_candidate=reading.number(row[2]),
        epsilon_micros=reading.number(row[3]),
        delta_e12=reading.number(row[4]),
        privacy_unit=PrivacyUnit(reading.number(row[5])),
        aggregation_privacy=AggregationPrivacy(reading.number(row[6])),
        integration_mode=IntegrationMode(reading.number(row[7])),
        task=reading.raw(row[8]),
        metric_code=reading.raw(row[9]),
        candidates=tuple(read_short_text(reading.raw(name)) for name in reading.items(row[10])),
        bonus_e18=reading.number(row[11]),
        deadline_s=reading.number(row[12]),
        nonce=reading.number(row[13]),
    )


def _key(event: Event, name: str = "id") -> bytes:
    return reading.raw(event.values[name])


def _job_opened(records: Records, event: Event) -> None:
    key = _key(event, "job")
    if key in records.jobs:
        raise InvalidRecord(f"job 0x{key.hex()} was opened twice")
    records.jobs[key] = Job(
        id=key,
        coordinator=reading.address(event.values["coordinator"]),
        terms=read_job_terms(event.values["terms"]),
        fields=reading.row(event.values["terms"], JOB_FIELDS),
        opened=event,
    )


def _job_finished(records: Records, event: Event) -> None:
    _known(records.jobs, _key(event, "job")).finished = event


def _agreed(records: Records, event: Event) -> None:
    key = _key(event)
    if key in records.agreements:
        raise InvalidRecord(f"agreement 0x{key.hex()} was made twice")
    signatures = (reading.raw(event.values["buyerSignature"]), reading.raw(event.values["sellerSignature"]))
    terms = read_terms(event.values["terms"])
    records.agreements[key] = Agreement(id=key, terms=terms, signatures=signatures, created=event)


def _paid(records: Records, event: Event) -> None:
    _known(records.agreements, _key(event)).payments.append(event)


def _closed(records: Records, event: Event) -> None:
    _known(records.agreements, _key(event)).closed = event


def _withdrawn(records: Records, event: Event) -> None:
    _known(records.agreements, _key(event)).withdrawn = event


def _posted(records: Records, event: Event) -> None:
    _known(records.jobs, _key(event, "job")).rounds.append(event)


def _case_opened(records: Records, event: Event) -> None:
    key = _key(event)
    records.cases[key] = Case(
        id=key,
        job=_key(event, "job"),
        artifact=_key(event, "artifact"),
        roots=tuple(reading.raw(root) for root in reading.items(event.values["evaluationRoots"])),
        excluded=tuple(reading.number(number) for number in reading.items(event.values["excluded"])),
        jury_size=reading.number(event.values["jurySize"]),
        version=reading.number(event.values["version"]),
        sittings=[Sitting(opened=event)],
    )


def _sitting(records: Records, event: Event) -> Sitting:
    case, number = _known(records.cases, _key(event)), reading.number(event.values["round"])
    if number >= len(case.sittings):
        raise InvalidRecord(f"case 0x{case.id.hex()} has no jury {number}")
    return case.sittings[number]


def _of_sitting(records: Records, event: Event) -> None:
    sitting = _sitting(records, event)
    match event.name:
        case "JuryDrawn":
            sitting.drawn = event
        case "Committed":
            sitting.commits[reading.address(event.values["juror"])] = event
        case "Revealed":
            sitting.reveals[reading.address(event.values["juror"])] = event
        case "CaseFinal":
            sitting.final = event
        case _:
            sitting.settled = event


def _appealed(records: Records, event: Event) -> None:
    case = _known(records.cases, _key(event))
    if len(case.sittings) != 1:
        raise InvalidRecord(f"case 0x{case.id.hex()} was appealed twice")
    case.sittings.append(Sitting(opened=event))


def _appeal_ended(records: Records, event: Event) -> None:
    _known(records.cases, _key(event)).appeal_ended = event


def _lapsed(records: Records, event: Event) -> None:
    _known(records.cases, _key(event)).lapsed = event


def _submitted(records: Records, event: Event) -> None:
    key = _key(event)
    records.releases[key] = Release(
        id=key,
        manifest=read_manifest(event.values["manifest"]),
        fields=reading.row(event.values["manifest"], MANIFEST_FIELDS),
        manifest_hash=_key(event, "manifestHash"),
        proposer=reading.address(event.values["proposer"]),
        submitted=event,
    )


def _proposed(records: Records, event: Event) -> None:
    _known(records.releases, _key(event)).proposals.append(event)


def _decided(records: Records, event: Event) -> None:
    release = _known(records.releases, _key(event))
    if release.decided is not None:
        raise InvalidRecord(f"release 0x{release.id.hex()} was decided twice")
    release.decided = event


def _known(table: Mapping[bytes, R], key: bytes) -> R:
    found = table.get(key)
    if found is None:
        raise InvalidRecord(f"0x{key.hex()} was never announced")
    return found


STEPS: Final[Mapping[tuple[str, str], Callable[[Records, Event], None]]] = {
    ("AgreementBook", "JobOpened"): _job_opened,
    ("AgreementBook", "JobFinished"): _job_finished,
    ("AgreementBook", "AgreementCreated"): _agreed,
    ("AgreementBook", "PaymentMade"): _paid,
    ("AgreementBook", "AgreementClosed"): _closed,
    ("AgreementBook", "ConsentWithdrawn"): _withdrawn,
    ("RoundLedger", "RoundPosted"): _posted,
    ("EvaluatorCourt", "CaseOpened"): _case_opened,
    ("EvaluatorCourt", "JuryDrawn"): _of_sitting,
    ("EvaluatorCourt", "Committed"): _of_sitting,
    ("EvaluatorCourt", "Revealed"): _of_sitting,
    ("EvaluatorCourt", "CaseFinal"): _of_sitting,
    ("EvaluatorCourt", "CaseLapsed"): _lapsed,
    ("EvaluatorCourt", "Appealed"): _appealed,
    ("EvaluatorCourt", "AppealEnded"): _appeal_ended,
    ("EvaluatorCourt", "JurySettled"): _of_sitting,
    ("EvaluatorCourt", "Looked"): lambda records, event: records.looks.append(event),
    ("ReleaseRegistry", "CandidateSubmitted"): _submitted,
    ("ReleaseRegistry", "ReleaseProposed"): _proposed,
    ("ReleaseRegistry", "Released"): _decided,
    ("ReleaseRegistry", "Refused"): _decided,
}
