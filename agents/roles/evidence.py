"""Rounds that this agent knows the leaves of, and where their documents lie."""

import logging
from collections.abc import Iterator
from dataclasses import replace

from sqlmodel import Field, Session, SQLModel, select

from agents.net.signing import recover
from agents.roles.desk import Desk
from governance.domain.evidence import Leaf, RoundEvidence
from governance.domain.receipt import ledger_domain
from governance.domain.signing import Domain
from governance.errors import FolkmootError

LOGGER = logging.getLogger(__name__)


class KnownRound(SQLModel, table=True):
    """Digest of the document of one round in this agent's public store."""

    __tablename__ = "known_round"

    job: str = Field(primary_key=True)
    round_number: int = Field(primary_key=True)
    document: str
    """SHA-256, 64 hex digits."""


def ledger_of(desk: Desk) -> Domain:
    """Return the domain under which leaves are signed."""
    return ledger_domain(desk.chain.chain_id, desk.chain.address("RoundLedger"))


def sign_leaf(desk: Desk, job: bytes, round_number: int, digest: bytes) -> Leaf:
    """Return our leaf of a round, signed: nobody can show other bytes as our work."""
    leaf = Leaf(agent=desk.address, digest=digest)
    return replace(leaf, signature=desk.signer.sign_digest(leaf.signed_digest(job, round_number, ledger_of(desk))))


def is_signed(leaf: Leaf, job: bytes, round_number: int, ledger: Domain) -> bool:
    """Whether the agent of a leaf says that it is its work."""
    return recover(leaf.signed_digest(job, round_number, ledger), leaf.signature) == leaf.agent


def keep_round(desk: Desk, session: Session, evidence: RoundEvidence) -> str:
    """Store the document of a round and remember its digest; return it as hex."""
    digest = desk.store.put(evidence.document())
    session.merge(KnownRound(job=evidence.job.hex(), round_number=evidence.round_number, document=digest))
    return digest


def known_rounds(desk: Desk, job: bytes) -> Iterator[RoundEvidence]:
    """Yield the rounds of a job whose leaves we know and whose root is the one on chain."""
    with desk.mailbox.reading() as session:
        statement = select(KnownRound).where(KnownRound.job == job.hex()).order_by("round_number")
        rows = list(session.exec(statement))
    for row in rows:
        try:
            evidence = RoundEvidence.read(desk.store.read(row.document))
        except FolkmootError as problem:
            LOGGER.error("round %s of job %s: %s", row.round_number, job.hex()[:8], problem)  # noqa: TRY400 - for the operator
            continue
        if evidence.root() == desk.market.round_root(job, row.round_number):
            yield evidence
