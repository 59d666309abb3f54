"""Cases, juries and medians."""

from collections.abc import Sequence
from dataclasses import dataclass

from governance.domain.market import Address
from governance.domain.release import Stage
from governance.domain.signing import read_short_text, short_text
from governance.ports import Chain, Receipt, Signer
from governance.services import reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What a jury measures."""

    key: str
    higher_is_better: bool


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


class Court:
    """EvaluatorCourt with types."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def case(self, case: bytes) -> CaseRecord:
        """Return a case; an unknown one has stage NONE."""
        values = reading.row(self._chain.read("EvaluatorCourt", "courtCase", case), 7)
        return CaseRecord(
            stage=Stage(reading.number(values[0])),
            job=reading.raw(values[1]),
            artifact=reading.raw(values[2]),
            opened_at_block=reading.number(values[3]),
            window_end_s=reading.number(values[4]),
            commits=reading.number(values[5]),
            reveals=reading.number(values[6]),
        )

    def metrics(self) -> list[Metric]:
        """Return the metrics in the order in which jurors reveal them."""
        rows = (reading.row(item, 2) for item in reading.items(self._chain.read("EvaluatorCourt", "metrics")))
        return [
            Metric(key=read_short_text(reading.raw(key)), higher_is_better=reading.flag(better)) for key, better in rows
        ]

    def jury(self, case: bytes) -> list[Address]:
        """Return the drawn jurors."""
        return [reading.address(item) for item in reading.items(self._chain.read("EvaluatorCourt", "jury", case))]

    def evaluation_roots(self, case: bytes) -> list[bytes]:
        """Return the roots whose rows the case measures."""
        return [
            reading.raw(item) for item in reading.items(self._chain.read("EvaluatorCourt", "evaluationRoots", case))
        ]

    def has_revealed(self, case: bytes, juror: Address) -> bool:
        """Return whether a juror opened its commitment."""
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

    def reveal(self, juror: Signer, case: bytes, *, values: Sequence[int], report: bytes, salt: bytes) -> Receipt:
        """Open a commitment; values in millionths."""
        return self._chain.send(juror, "EvaluatorCourt", "reveal", (case, list(values), report, salt))

    def finalise(self, sender: Signer, case: bytes) -> Receipt:
        """Settle the medians."""
        return self._chain.send(sender, "EvaluatorCourt", "finalise", (case,))
