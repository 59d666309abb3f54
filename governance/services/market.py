"""Jobs, agreements, rounds and payments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from governance.domain.line import PostedRound, count_of, head_of, line_from
from governance.domain.market import NOBODY, Address, IntegrationMode, JobTerms, Kind, Terms
from governance.domain.signing import Domain, book_domain, hash_job, hash_terms, job_tuple, read_short_text, terms_tuple
from governance.errors import InvalidRecord
from governance.ports import Chain, Receipt, Signer
from governance.services import reading


class JobState(IntEnum):
    """Where a job stands."""

    NONE = 0
    OPEN = 1
    FINISHED = 2


class AgreementState(IntEnum):
    """Where an agreement stands."""

    NONE = 0
    ACTIVE = 1
    CLOSED = 2
    WITHDRAWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """A job as the book knows it."""

    state: JobState
    coordinator: Address
    purposes: int
    rounds_per_candidate: int
    candidates: int
    deadline_s: int
    finished_at_s: int
    metric_code: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementRecord:
    """An agreement as the book knows it."""

    id: bytes
    state: AgreementState
    kind: Kind
    mode: IntegrationMode
    seller: Address
    units: int
    next_unit: int
    """The round from which the next claim is paid."""
    paid_units: int
    price_e18: int
    organisation: int
    rows: int
    epsilon_micros: int
    job: bytes
    buyer: Address
    deadline_s: int
    purposes: int
    data_root: bytes
    fee_bps: int = 0
    """The treasury's part of each payment."""
    withdrawal_blocks: bool = True
    cited_by: int = 0
    """The last candidate that cites it, counted from one."""
    bond_e18: int = 0
    """What was locked; what is left of it is the vault's to say."""
    auditor: Address = NOBODY

    @property
    def paid_e18(self) -> int:
        """Paid so far with the treasury's part, 1e-18 credit."""
        return self.price_e18 * self.paid_units // (self.units * self.parts)

    @property
    def parts(self) -> int:
        """Parts in which a unit is counted: hundredths where scores set how much of a round is paid."""
        return 100 if self.mode is IntegrationMode.OVERLAPPED and self.kind is Kind.DATA else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundClaim:
    """Proof that an agent's leaf is in a posted round."""

    round_number: int
    digest: bytes
    proof: tuple[bytes, ...]


class Market:
    """AgreementBook and RoundLedger with types."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._rounds: dict[bytes, tuple[PostedRound, ...]] = {}

    @property
    def domain(self) -> Domain:
        """The EIP-712 domain of the agreements."""
        return book_domain(self._chain.chain_id, self._chain.address("AgreementBook"))

    def terms_digest(self, terms: Terms) -> bytes:
        """Return what both sides sign; it is the agreement's id."""
        return hash_terms(terms, self.domain)

    def job_id(self, job: JobTerms) -> bytes:
        """Return the id that a job will have."""
        return hash_job(job, self.domain)

    def open_job(self, coordinator: Signer, job: JobTerms) -> Receipt:
        """Announce a job."""
        return self._chain.send(coordinator, "AgreementBook", "openJob", (job_tuple(job),))

    def job(self, job: bytes) -> JobRecord:
        """Return a job."""
        values = reading.row(self._chain.read("AgreementBook", "job", job), 9)
        return JobRecord(
            state=JobState(reading.number(values[0])),
            coordinator=reading.address(values[1]),
            purposes=reading.number(values[3]),
            rounds_per_candidate=reading.number(values[4]),
            candidates=reading.number(values[5]),
            deadline_s=reading.number(values[6]),
            finished_at_s=reading.number(values[7]),
            metric_code=reading.raw(values[8]),
        )

    def candidates(self, job: bytes) -> list[str]:
        """Return the names of a job's candidates in order."""
        names = reading.items(self._chain.read("AgreementBook", "candidates", job))
        return [read_short_text(reading.raw(name)) for name in names]

    def create_agreement(
        self, sender: Signer, terms: Terms, *, buyer_signature: bytes, seller_signature: bytes
    ) -> Receipt:
        """Make an agreement that both agents signed."""
        arguments = (terms_tuple(terms), buyer_signature, seller_signature)
        return self._chain.send(sender, "AgreementBook", "createAgreement", arguments)

    def agreement(self, agreement: bytes) -> AgreementRecord | None:
        """Return an agreement, or None when there is none of this id."""
        values = reading.row(self._chain.read("AgreementBook", "agreement", agreement), 22)
        state = AgreementState(reading.number(values[0]))
        if state is AgreementState.NONE:
            return None
        return AgreementRecord(
            id=agreement,
            state=state,
            kind=Kind(reading.number(values[1])),
            mode=IntegrationMode(reading.number(values[2])),
            seller=reading.address(values[3]),
            units=reading.number(values[4]),
            next_unit=reading.number(values[5]),
            paid_units=reading.number(values[6]),
            price_e18=reading.number(values[7]),
            organisation=reading.number(values[8]),
            epsilon_micros=reading.number(values[9]),
            fee_bps=reading.number(values[10]),
            withdrawal_blocks=reading.flag(values[11]),
            cited_by=reading.number(values[12]),
            job=reading.raw(values[13]),
            buyer=reading.address(values[14]),
            deadline_s=reading.number(values[15]),
            rows=reading.number(values[16]),
            purposes=reading.number(values[17]),
            bond_e18=reading.number(values[18]),
            data_root=reading.raw(values[19]),
            auditor=reading.address(values[20]),
        )

    def is_paid(self, agreement: bytes, unit: int) -> bool:
        """Return whether an agreement was paid for this round or look."""
        return reading.flag(self._chain.read("AgreementBook", "isPaid", agreement, unit))

    def claim_rounds(self, sender: Signer, agreement: bytes, claims: Sequence[RoundClaim], *, job: bytes) -> Receipt:
        """Pay one instalment per proven round, in rising order; only the seller may pass over one."""
        line = line_from(job, self.rounds(job), min(claim.round_number for claim in claims))
        rows = [(claim.round_number, claim.digest, list(claim.proof)) for claim in claims]
        return self._chain.send(sender, "RoundLedger", "claimRounds", (agreement, line.as_tuple(), rows))

    def claim_for_all(self, sender: Signer, job: bytes, claims: Mapping[bytes, Sequence[RoundClaim]]) -> Receipt:
        """Claim rounds for several agreements of one job at once."""
        first = min(claim.round_number for each in claims.values() for claim in each)
        line = line_from(job, self.rounds(job), first)
        rows = [(key, [(c.round_number, c.digest, list(c.proof)) for c in each]) for key, each in claims.items()]
        return self._chain.send(sender, "RoundLedger", "claimForAll", (job, line.as_tuple(), rows))

    def claim_looks(self, sender: Signer, agreement: bytes, releases: Sequence[bytes]) -> Receipt:
        """Pay one instalment per measured case."""
        return self._chain.send(sender, "AgreementBook", "claimLooks", (agreement, list(releases)))

    def epsilon_granted(self, seller: Address) -> int:
        """Return the privacy loss that an agent granted for life so far, millionths."""
        return reading.number(self._chain.read("AgreementBook", "epsilonGranted", seller))

    def closable_from_s(self, agreement: bytes) -> int:
        """Return the chain time from which anyone may close an agreement."""
        return reading.number(self._chain.read("AgreementBook", "closableFrom", agreement))

    def close(self, sender: Signer, agreement: bytes) -> Receipt:
        """End an agreement and refund what is left."""
        return self._chain.send(sender, "AgreementBook", "close", (agreement,))

    def expire(self, sender: Signer, agreement: bytes) -> Receipt:
        """End an agreement after its time, and free what is left of its bond."""
        return self._chain.send(sender, "AgreementBook", "expire", (agreement,))

    def withdraw(self, seller: Signer, agreement: bytes) -> Receipt:
        """Take the seller's consent back; its agent's key or its operator's."""
        return self._chain.send(seller, "AgreementBook", "withdraw", (agreement,))

    def is_withdrawn(self, job: bytes, candidate_index: int) -> bool:
        """Return whether a seller whose terms give a veto took consent back from what stands behind a candidate."""
        return reading.flag(self._chain.read("AgreementBook", "isWithdrawn", job, candidate_index))

    def bond_left_e18(self, agreement: bytes) -> int:
        """Return what is left of an agreement's bond, 1e-18 credit."""
        book = self._chain.address("AgreementBook")
        return reading.number(reading.row(self._chain.read("RewardVault", "held", book, agreement), 2)[1])

    def post_round(self, coordinator: Signer, job: bytes, round_number: int, *, root: bytes, leaves: int) -> Receipt:
        """Anchor the next round of a job."""
        return self._chain.send(coordinator, "RoundLedger", "post", (job, round_number, root, leaves))

    def round_count(self, job: bytes) -> int:
        """Return how many rounds of a job are posted."""
        return count_of(self.round_head(job))

    def round_head(self, job: bytes) -> bytes:
        """Return the head of a job's chain of rounds, or zeros."""
        return reading.raw(self._chain.read("RoundLedger", "head", job))

    def rounds(self, job: bytes) -> tuple[PostedRound, ...]:
        """Return what was posted for each round of a job.

        Raises
        ------
        InvalidRecord
            If the events do not lead to the head that stands; a node that lags behind gives such an answer.
        """
        head, known = self.round_head(job), self._rounds.get(job, ())
        if not count_of(head) or head == head_of(job, known):
            return known if count_of(head) else ()
        events = self._chain.events("RoundLedger", ["RoundPosted"], from_block=self._chain.first_block)
        known = tuple(
            PostedRound(root=reading.raw(event.values["root"]), leaves=reading.number(event.values["leaves"]))
            for event in events
            if event.values["job"] == job
        )[: count_of(head)]
        if head_of(job, known) != head:
            raise InvalidRecord(f"the rounds of job 0x{job.hex()} do not lead to the head on chain; ask again")
        self._rounds[job] = known
        return known

    def round_root(self, job: bytes, round_number: int) -> bytes:
        """Return the root of a round, or zeros."""
        rounds = self.rounds(job)
        return rounds[round_number].root if round_number < len(rounds) else bytes(32)

    def recorded_rounds(self, job: bytes) -> int:
        """Return how many rounds of a job stand in the log."""
        return reading.number(self._chain.read("RoundLedger", "recordedCount", job))

    def record_rounds(self, sender: Signer, job: bytes) -> Receipt:
        """Put the rounds so far into the log."""
        return self._chain.send(sender, "RoundLedger", "record", (job,))
