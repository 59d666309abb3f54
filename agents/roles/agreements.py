"""Agreements of a job, found by their events and read as they stand now."""

from collections.abc import Sequence

from agents.roles.feed import Feed
from governance.domain.market import Address, AggregationPrivacy, Kind
from governance.ports import Chain
from governance.services import reading
from governance.services.market import AgreementRecord, AgreementState, JobRecord, Market

JOB_FIELDS = 14
DELTA_FIELD = 4
AGGREGATION_FIELD = 6
TASK_FIELD = 8
"""Places of delta, aggregation privacy and the task's digest among the fields of ``JobTerms``."""


class Agreements:
    """All agreements on the chain, with an index that grows by what is new."""

    def __init__(self, chain: Chain, market: Market) -> None:
        self._market = market
        self._feed = Feed(chain, "AgreementBook", ["AgreementCreated"])
        self._jobs = Feed(chain, "AgreementBook", ["JobOpened"])
        self._rounds: dict[bytes, int] = {}

    def of(self, job: bytes, *, seller: Address | None = None) -> list[AgreementRecord]:
        """Return the agreements of a job, of one seller or of all, in the order in which they were made."""
        ids = [
            reading.raw(event.values["id"])
            for event in self._feed.read()
            if event.values["job"] == job and seller in {None, event.values["seller"]}
        ]
        return [record for key in ids if (record := self._market.agreement(key)) is not None]

    def active(self, job: bytes, kind: Kind, *, seller: Address) -> AgreementRecord | None:
        """Return the seller's agreement of this kind that is in force for the job, or None."""
        for record in self.of(job, seller=seller):
            if record.kind is kind and record.state is AgreementState.ACTIVE:
                return record
        return None

    def job(self, job: bytes) -> JobRecord:
        """Return the job as it stands now."""
        return self._market.job(job)

    def task_digest(self, job: bytes) -> bytes:
        """Return the SHA-256 of the plan that a job announced, or zeros when there is no such job."""
        terms = self._terms(job)
        return reading.raw(terms[TASK_FIELD]) if terms else bytes(32)

    def delta_e12(self, job: bytes) -> int:
        """Return the delta of a job, in 1e-12, which all its data agreements share; 0 when there is no such job."""
        terms = self._terms(job)
        return reading.number(terms[DELTA_FIELD]) if terms else 0

    def aggregation_privacy(self, job: bytes) -> AggregationPrivacy | None:
        """Return who may see single updates of a job, or None when there is no such job."""
        terms = self._terms(job)
        return AggregationPrivacy(reading.number(terms[AGGREGATION_FIELD])) if terms else None

    def rounds_per_candidate(self, job: bytes) -> int:
        """Return the rounds of one candidate; 0 when there is no such job yet."""
        # Only what is known is kept: somebody may ask for a job before it is opened.
        if job not in self._rounds:
            rounds = self._market.job(job).rounds_per_candidate
            if not rounds:
                return 0
            self._rounds[job] = rounds
        return self._rounds[job]

    def _terms(self, job: bytes) -> Sequence[object]:
        for event in self._jobs.read():
            if event.values["job"] == job:
                return reading.row(event.values["terms"], JOB_FIELDS)
        return ()
