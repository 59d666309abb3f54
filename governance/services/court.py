"""Cases, juries and medians."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from governance.domain.market import Address
from governance.domain.release import Stage
from governance.domain.signing import EvaluationCommit, court_domain, hash_commit, read_short_text, short_text
from governance.ports import Chain, Receipt, Signer
from governance.services import reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What a jury measures."""

    key: str
    higher_is_better: bool
    tolerance_micros: int
    """A juror farther from the median has deviated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CourtSettings:
    """What cases that are opened now go by."""

    jury_size: int
    high_jury_size: int
    """For candidates of the highest tier."""
    max_looks: int
    commit_window_s: int
    reveal_window_s: int
    appeal_window_s: int
    unstake_delay_s: int
    stake_e18: int
    appeal_bond_e18: int
    metric_code: bytes

    @classmethod
    def of(cls, value: object) -> Self:
        """Read the contract's struct."""
        row = reading.row(value, 10)
        return cls(
            jury_size=reading.number(row[0]),
            high_jury_size=reading.number(row[1]),
            max_looks=reading.number(row[2]),
            commit_window_s=reading.number(row[3]),
            reveal_window_s=reading.number(row[4]),
            appeal_window_s=reading.number(row[5]),
            unstake_delay_s=reading.number(row[6]),
            stake_e18=reading.number(row[7]),
            appeal_bond_e18=reading.number(row[8]),
            metric_code=reading.raw(row[9]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What an organisation has at stake, and how its evaluators served."""

    stake_e18: int
    leaves_at_s: int
    open_seats: int
    seated: int
    revealed: int
    absent: int
    deviated: int
    slashed_e18: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRecord:
    """A case as the court knows it."""

    stage: Stage
    job: bytes
    artifact: bytes
    opened_at_block: int
    window_end_s: int
    commits: int
    reveals: int
    round_number: int
    """0 for the first jury, 1 for that of the appeal."""
    version: int
    is_dispute: bool
    is_settled: bool


class Court:
    """EvaluatorCourt with types."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def case(self, case: bytes) -> CaseRecord:
        """Return a case; an unknown one has stage NONE."""
        values = reading.row(self._chain.read("EvaluatorCourt", "courtCase", case), 11)
        return CaseRecord(
            stage=Stage(reading.number(values[0])),
            job=reading.raw(values[1]),
            artifact=reading.raw(values[2]),
            opened_at_block=reading.number(values[3]),
            window_end_s=reading.number(values[4]),
            commits=reading.number(values[5]),
            reveals=reading.number(values[6]),
            round_number=reading.number(values[7]),
            version=reading.number(values[8]),
            is_dispute=reading.flag(values[9]),
            is_settled=reading.flag(values[10]),
        )

    def settings(self) -> CourtSettings:
        """Return what cases that are opened now go by."""
        return CourtSettings.of(self._chain.read("EvaluatorCourt", "settings"))

    def service(self, organisation: int) -> Service:
        """Return stake and record of an organisation."""
        row = reading.row(self._chain.read("EvaluatorCourt", "service", organisation), 8)
        stake, leaves, seats, seated, revealed, absent, deviated, slashed = (reading.number(value) for value in row)
        return Service(
            stake_e18=stake,
            leaves_at_s=leaves,
            open_seats=seats,
            seated=seated,
            revealed=revealed,
            absent=absent,
            deviated=deviated,
            slashed_e18=slashed,
        )

    def is_conclusive(self, case: bytes) -> bool:
        """Return whether a case has a result that no appeal can change any more."""
        return reading.flag(self._chain.read("EvaluatorCourt", "isConclusive", case))

    def metrics(self) -> list[Metric]:
        """Return the metrics in the order in which jurors reveal them."""
        rows = (reading.row(item, 3) for item in reading.items(self._chain.read("EvaluatorCourt", "metrics")))
        return [
            Metric(
                key=read_short_text(reading.raw(key)),
                higher_is_better=reading.flag(better),
                tolerance_micros=reading.number(tolerance),
            )
            for key, better, tolerance in rows
        ]

    def jury(self, case: bytes) -> list[Address]:
        """Return the jury that was drawn last."""
        return [reading.address(item) for item in reading.items(self._chain.read("EvaluatorCourt", "jury", case))]

    def evaluation_roots(self, case: bytes) -> list[bytes]:
        """Return the roots whose rows the case measures."""
        return [
            reading.raw(item) for item in reading.items(self._chain.read("EvaluatorCourt", "evaluationRoots", case))
        ]

    def has_revealed(self, case: bytes, juror: Address) -> bool:
        """Return whether a juror revealed at least one value, in either jury."""
        return reading.flag(self._chain.read("EvaluatorCourt", "hasRevealed", case, juror))

    def median_micros(self, case: bytes, key: str) -> int | None:
        """Return the median of a metric, or None when it is not known."""
        value, known = reading.row(self._chain.read("EvaluatorCourt", "median", case, short_text(key)), 2)
        return reading.number(value) if reading.flag(known) else None

    def looks(self, root: bytes) -> int:
        """Return the looks taken at a root and at all that share rows with it."""
        return reading.number(self._chain.read("EvaluatorCourt", "looks", root))

    def draw(self, sender: Signer, case: bytes) -> Receipt:
        """Draw the jury."""
        return self._chain.send(sender, "EvaluatorCourt", "draw", (case,))

    def commit(self, juror: Signer, case: bytes, commitment: bytes) -> Receipt:
        """Commit to values."""
        return self._chain.send(juror, "EvaluatorCourt", "commit", (case, commitment))

    def commit_digest(self, case: bytes, juror: Address, commitment: bytes) -> bytes:
        """Return what a juror without gas signs in the commit window that runs."""
        record = self.case(case)
        commit = EvaluationCommit(
            case=case, artifact=record.artifact, juror=juror, commitment=commitment, deadline_s=record.window_end_s
        )
        return hash_commit(commit, court_domain(self._chain.chain_id, self._chain.address("EvaluatorCourt")))

    def commit_for(
        self, sender: Signer, case: bytes, juror: Address, *, commitment: bytes, signature: bytes
    ) -> Receipt:
        """Send the commitment of a juror that signed it."""
        values = (case, juror, commitment, self.case(case).window_end_s, signature)
        return self._chain.send(sender, "EvaluatorCourt", "commitFor", values)

    def reveal(
        self,
        sender: Signer,
        case: bytes,
        *,
        values: Sequence[int],
        report: bytes,
        salt: bytes,
        juror: Address = "",
        contributions: bytes = bytes(32),
    ) -> Receipt:
        """Open a commitment, the sender's own or another juror's; values in millionths."""
        opened = (case, juror or sender.address, list(values), report, contributions, salt)
        return self._chain.send(sender, "EvaluatorCourt", "reveal", opened)

    def finalise(self, sender: Signer, case: bytes) -> Receipt:
        """Settle the medians."""
        return self._chain.send(sender, "EvaluatorCourt", "finalise", (case,))

    def appeal(self, sender: Signer, case: bytes) -> Receipt:
        """Ask for another jury, against the bond."""
        return self._chain.send(sender, "EvaluatorCourt", "appeal", (case,))

    def settle(self, sender: Signer, case: bytes) -> Receipt:
        """Judge the jurors by the result that stands."""
        return self._chain.send(sender, "EvaluatorCourt", "settle", (case,))

    def stake(self, operator: Signer, agent: Address, amount_e18: int) -> Receipt:
        """Add to the stake of an agent's organisation; the RewardVault needs an allowance."""
        return self._chain.send(operator, "EvaluatorCourt", "stake", (agent, amount_e18))

    def ask_unstake(self, operator: Signer, agent: Address) -> Receipt:
        """End the service of an agent's organisation."""
        return self._chain.send(operator, "EvaluatorCourt", "askUnstake", (agent,))

    def unstake(self, sender: Signer, organisation: int) -> Receipt:
        """Give the stake back, once the delay is over."""
        return self._chain.send(sender, "EvaluatorCourt", "unstake", (organisation,))
