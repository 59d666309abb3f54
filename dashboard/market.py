"""Jobs, agreements, rounds and payments, as their contracts' events tell."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

from dashboard.entries import Entry, address, items, name, number, word
from governance.domain.market import (
    Address,
    AggregationPrivacy,
    IntegrationMode,
    JobTerms,
    Kind,
    PrivacyUnit,
    Terms,
)
from governance.errors import InvalidRecord

EVENTS: Final = ("JobOpened", "JobFinished", "AgreementCreated", "PaymentMade", "AgreementClosed", "ConsentWithdrawn")
ROUND_EVENTS: Final = ("RoundPosted",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One instalment."""

    to: Address
    amount_e18: int
    units: int
    next_unit: int
    """The round from which the next claim is paid."""
    time_s: int
    transaction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What both sides signed, and what came of it."""

    id: bytes
    terms: Terms
    made_at_s: int
    transaction: str
    payments: tuple[Payment, ...] = ()
    closed_at_s: int | None = None
    refunded_e18: int = 0
    fee_e18: int = 0
    """Went to the treasury at the end, of what was earned."""
    withdrawn_at_s: int | None = None

    @property
    def paid_e18(self) -> int:
        """Paid so far."""
        return sum(payment.amount_e18 for payment in self.payments)

    @property
    def paid_units(self) -> int:
        """Instalments paid so far."""
        return sum(payment.units for payment in self.payments)

    @property
    def state_word(self) -> str:
        """Say where it stands."""
        if self.withdrawn_at_s is not None:
            return "withdrawn"
        return "active" if self.closed_at_s is None else "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a coordinator announced."""

    id: bytes
    terms: JobTerms
    opened_at_s: int
    finished_at_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One Merkle root over the updates of a round."""

    job: bytes
    number: int
    root: bytes
    leaves: int
    time_s: int
    transaction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """All jobs and agreements, oldest first."""

    jobs: tuple[Job, ...]
    agreements: tuple[Agreement, ...]

    def agreement(self, key: bytes) -> Agreement | None:
        """Return an agreement by its id."""
        return next((a for a in self.agreements if a.id == key), None)

    def job(self, key: bytes) -> Job | None:
        """Return a job by its id."""
        return next((j for j in self.jobs if j.id == key), None)


def read_market(entries: Iterable[Entry]) -> Market:
    """Return all jobs and agreements from the book's events in order."""
    jobs: dict[bytes, Job] = {}
    agreements: dict[bytes, Agreement] = {}
    for entry in entries:
        match entry.name:
            case "JobOpened":
                key = entry.word("job")
                jobs[key] = Job(id=key, terms=read_job_terms(entry.items("terms")), opened_at_s=entry.time_s)
            case "JobFinished":
                key = entry.word("job")
                jobs[key] = replace(jobs[key], finished_at_s=entry.time_s)
            case "AgreementCreated":
                agreements[entry.word("id")] = _agreement(entry)
            case _:
                key = entry.word("id")
                agreements[key] = _settled(agreements[key], entry)
    return Market(jobs=tuple(jobs.values()), agreements=tuple(agreements.values()))


def read_rounds(entries: Iterable[Entry]) -> list[Round]:
    """Return the rounds from the ledger's events in order."""
    return [
        Round(
            job=entry.word("job"),
            number=entry.number("round"),
            root=entry.word("root"),
            leaves=entry.number("leaves"),
            time_s=entry.time_s,
            transaction=entry.transaction,
        )
        for entry in entries
    ]


def read_terms(values: Sequence[object]) -> Terms:
    """Return the terms from the fields of the contract's struct."""
    v = _fields(values, Terms)
    return Terms(
        kind=Kind(number(v[0])),
        buyer=address(v[1]),
        seller=address(v[2]),
        job=word(v[3]),
        price_e18=number(v[4]),
        units=number(v[5]),
        epsilon_micros=number(v[6]),
        delta_e12=number(v[7]),
        privacy_unit=PrivacyUnit(number(v[8])),
        aggregation_privacy=AggregationPrivacy(number(v[9])),
        rows=number(v[10]),
        data_root=word(v[11]),
        purposes=number(v[12]),
        compute_seconds=number(v[13]),
        bond_e18=number(v[14]),
        auditor=address(v[15]),
        withdrawal_blocks=bool(v[16]),
        deadline_s=number(v[17]),
        valid_until_s=number(v[18]),
        nonce=number(v[19]),
    )


def read_job_terms(values: Sequence[object]) -> JobTerms:
    """Return a job's terms from the fields of the contract's struct."""
    v = _fields(values, JobTerms)
    return JobTerms(
        coordinator=address(v[0]),
        purposes=number(v[1]),
        rounds_per_candidate=number(v[2]),
        epsilon_micros=number(v[3]),
        delta_e12=number(v[4]),
        privacy_unit=PrivacyUnit(number(v[5])),
        aggregation_privacy=AggregationPrivacy(number(v[6])),
        integration_mode=IntegrationMode(number(v[7])),
        task=word(v[8]),
        metric_code=word(v[9]),
        candidates=tuple(name(item) for item in items(v[10])),
        bonus_e18=number(v[11]),
        deadline_s=number(v[12]),
        nonce=number(v[13]),
    )


def _fields(values: Sequence[object], record: type[Terms | JobTerms]) -> Sequence[object]:
    if len(values) != len(fields(record)):
        raise InvalidRecord(f"the index holds {record.__name__} of {len(values)} fields; delete it to read again")
    return values


def _agreement(entry: Entry) -> Agreement:
    return Agreement(
        id=entry.word("id"),
        terms=read_terms(entry.items("terms")),
        made_at_s=entry.time_s,
        transaction=entry.transaction,
    )


def _settled(agreement: Agreement, entry: Entry) -> Agreement:
    if entry.name == "AgreementClosed":
        fee, back = entry.number("feeE18"), entry.number("refundedE18")
        return replace(agreement, closed_at_s=entry.time_s, refunded_e18=back, fee_e18=fee)
    if entry.name == "ConsentWithdrawn":
        return replace(agreement, withdrawn_at_s=entry.time_s)
    payment = Payment(
        to=entry.address("to"),
        amount_e18=entry.number("amountE18"),
        units=entry.number("units"),
        next_unit=entry.number("nextUnit"),
        time_s=entry.time_s,
        transaction=entry.transaction,
    )
    return replace(agreement, payments=(*agreement.payments, payment))
