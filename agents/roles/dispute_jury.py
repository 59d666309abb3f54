"""A juror's answer in a dispute about an invalid update: fetch the evidence, judge it, say why.

The evidence comes from whoever complains and from the job's parties, none of whom is trusted: bytes count by their
digest alone. Where they cannot be had nothing is judged; the juror abstains then, and the complaint lapses.
"""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from agents.net.errors import ArtifactError, NetError
from agents.roles.desk import Desk
from agents.roles.evidence import ledger_of
from agents.roles.invalid_updates import MAX_DOCUMENT_BYTES, judge
from agents.training.canonical import canonical_json
from agents.training.errors import TaskError
from governance.domain.accusation import Accusation
from governance.domain.market import Address, Kind
from governance.services.disputes import REPORT_TYPE, DisputeRecord, Disputes, Ground
from governance.services.market import AgreementRecord

LOGGER = logging.getLogger(__name__)
UPHELD_MICROS, REJECTED_MICROS = 1_000_000, 0
MAX_PEERS = 8
FETCH_S = 120.0
"""Wall time for one try at all the evidence: what came is kept, and the rest is asked for again later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a juror says about a complaint, and the report that says why."""

    upheld: bool
    report: bytes

    @property
    def values(self) -> tuple[int]:
        """Return the one value that the court asks for, in millionths."""
        return (UPHELD_MICROS if self.upheld else REJECTED_MICROS,)


@dataclass(slots=True)
class Evidence:
    """Gets documents by digest from our store or the parties', and keeps what came."""

    desk: Desk
    peers: list[Address]
    until: float = field(default_factory=lambda: time.monotonic() + FETCH_S)

    def fetch(self, digest: bytes) -> bytes:
        """Return the bytes behind a digest.

        Raises
        ------
        ArtifactError
            If none of the peers serves them now.
        """
        try:
            return self.desk.store.read(digest.hex())
        except ArtifactError:
            return self._ask(digest)

    def _ask(self, digest: bytes) -> bytes:
        for peer in list(self.peers):
            if time.monotonic() > self.until:
                break
            try:
                found = self.desk.fetch(peer, digest)
            except NetError as problem:
                LOGGER.info("evidence %s: %s", digest.hex()[:8], problem)
                continue
            if len(found) <= MAX_DOCUMENT_BYTES:
                # So that other jurors and auditors find it, too.
                self.desk.store.put(found)
            return found
        raise ArtifactError(f"nobody serves the evidence {digest.hex()[:8]}")


def answer_dispute(desk: Desk, case: bytes) -> Answer:
    """Judge a dispute.

    Raises
    ------
    NetError
        If a document cannot be had now.
    TaskError, DataError, PrivacyError
        If nobody can judge it.
    InvalidRecord
        If the node lags behind.
    """
    complaint = Disputes(desk.chain).dispute(case)
    agreement = desk.market.agreement(complaint.agreement) if complaint else None
    if complaint is None or agreement is None or complaint.ground is not Ground.INVALID_UPDATE:
        raise TaskError("this case belongs to no complaint that a jury judges")
    found = judge(_accusation(desk, complaint, agreement), Evidence(desk, _peers(desk, complaint, agreement)).fetch)
    word = "upheld" if found.upheld else "rejected"
    LOGGER.info("dispute %s: %s: %s", case.hex()[:8], word, found.because)
    report = canonical_json(
        {
            "type": REPORT_TYPE,
            "dispute": "0x" + case.hex(),
            "evidence": "0x" + complaint.evidence.hex(),
            "upheld": int(found.upheld),
            "because": found.because,
        }
    )
    return Answer(upheld=found.upheld, report=report)


def _accusation(desk: Desk, complaint: DisputeRecord, agreement: AgreementRecord) -> Accusation:
    job = agreement.job
    return Accusation(
        job=job,
        seller=agreement.seller,
        kind=agreement.kind,
        units=agreement.units,
        mode=agreement.mode,
        privacy=desk.agreements.aggregation_privacy(job),
        rounds_per_candidate=desk.agreements.rounds_per_candidate(job),
        plan=desk.agreements.task_digest(job),
        # Read here, once: a node that lags behind must not look like a false complaint.
        roots=[each.root for each in desk.market.rounds(job)],
        rows={each.seller: each.rows for each in desk.agreements.of(job) if each.kind is Kind.DATA},
        ledger=ledger_of(desk),
        evidence=complaint.evidence,
    )


def _peers(desk: Desk, complaint: DisputeRecord, agreement: AgreementRecord) -> list[Address]:
    """Return who may hold the evidence: the job's parties, then the agents of whoever complains."""
    providers = [a.seller for a in desk.agreements.of(agreement.job) if a.kind is Kind.COMPUTE]
    parties = (agreement.buyer, agreement.seller, *providers)
    return _first((*_agents_of(desk, complaint.challenger), *parties))


def _agents_of(desk: Desk, operator: Address) -> list[Address]:
    agents = [agent for agent in desk.registry.agents() if agent.active]
    # A complainant of many agents must not push the parties out of the list.
    return [a.address for a in agents if desk.registry.operator_of(a.address) == operator][: MAX_PEERS // 2]


def _first(agents: Iterable[Address]) -> list[Address]:
    return list(dict.fromkeys(agents))[:MAX_PEERS]
