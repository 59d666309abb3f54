"""How much noise a job needs: sigma from epsilon, delta and the releases of all its rounds.

Everything an owner sends is a sum with Gaussian noise. Gaussian mechanisms compose exactly:
noise multipliers σ₁, σ₂, … together are as private as one mechanism with multiplier
σ = (Σ σᵢ⁻²)^(−1/2) (Dong, Roth, Su 2022, "Gaussian differential privacy", Corollary 2).
So the total multiplier for (ε, δ) is split by shares of 1/σ²: a share for the sums of
preprocessing, one for the counts of reweighing, and the rest evenly over all rounds of all
candidates, whether they run or not. The total comes from dp-accounting's analytic Gaussian
(Balle and Wang 2018, Theorem 8).

The guarantee is per record, under zero-out neighbours: one record's values are replaced by
"contributes nothing", while the number of rows of each owner, a term of its agreement, stays
public. A patient with several records is protected once per record only.
"""

import math
from dataclasses import dataclass

from agents.training.canonical import Document, Json, expect_keys, read_integer
from agents.training.errors import PrivacyError, TaskError

MICROS = 10**6
NANOS = 10**9
MAX_EPSILON_MICROS = 100 * MICROS
DELTA_UNITS = 10**12
# What rounding of shares and sigmas up to micros may cost; never in the owner's disfavour.
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Budget:
    """The privacy terms of a job, in integers."""

    epsilon_micros: int
    """Total epsilon over everything that any owner sends in the job, in millionths."""
    delta_e12: int
    """Total delta, in units of 1e-12."""
    statistics_share_micros: int
    """Share of the budget for the sums of preprocessing, in millionths."""
    counts_share_micros: int
    """Share of the budget for the (group, label) counts of reweighing; 0 if none reweighs."""
    rounds: int
    """Rounds of all candidates together."""

    def __post_init__(self) -> None:
        shares = self.statistics_share_micros + self.counts_share_micros
        if not (0 < self.statistics_share_micros <= shares < MICROS):
            raise PrivacyError(f"preprocessing cannot take {shares} millionths of the budget")
        if not 0 < self.epsilon_micros <= MAX_EPSILON_MICROS:
            raise PrivacyError(f"epsilon of {self.epsilon_micros} millionths is out of range")
        if not 0 < self.delta_e12 < DELTA_UNITS // 1000:
            raise PrivacyError(f"delta of {self.delta_e12}e-12 is not between 0 and 0.001")
        if self.rounds < 1:
            raise PrivacyError("a job has at least one round")


@dataclass(frozen=True, slots=True)
class Sigmas:
    """Noise multipliers in millionths: standard deviation divided by sensitivity."""

    statistics_micros: int
    counts_micros: int
    """0 if the job releases no counts."""
    round_micros: int


def sigmas_for(budget: Budget) -> Sigmas:
    """Return the smallest noise multipliers that keep a whole job within its budget.

    Anyone can repeat this from the model card alone. Multipliers are rounded up.

    Raises
    ------
    PrivacyError
        If the budget is so small that no usable noise reaches it.
    """
    total = 1 / _smallest_sigma(budget.epsilon_micros, budget.delta_e12) ** 2
    rest = MICROS - budget.statistics_share_micros - budget.counts_share_micros
    return Sigmas(
        statistics_micros=_multiplier(total * budget.statistics_share_micros / MICROS),
        counts_micros=_multiplier(total * budget.counts_share_micros / MICROS),
        round_micros=_multiplier(total * rest / MICROS / budget.rounds),
    )


def delta_of(epsilon: float, sigmas: Sigmas, *, rounds: int) -> float:
    """Return the exact delta at ``epsilon`` of a job with these multipliers.

    δ = Φ(μ/2 − ε/μ) − e^ε Φ(−μ/2 − ε/μ) with μ² = Σ σᵢ⁻² (Balle and Wang 2018, Theorem 8).
    Needs no library, so an owner's agent can check a task before it loads one.
    """
    mu = math.sqrt(_precision(sigmas, rounds))
    return _normal(mu / 2 - epsilon / mu) - math.exp(epsilon) * _normal(-mu / 2 - epsilon / mu)


def check_sigmas(budget: Budget, sigmas: Sigmas) -> None:
    """Refuse multipliers that would spend more than the budget.

    Raises
    ------
    PrivacyError
        If the noise is too small; the message holds the delta that it would give.
    """
    if min(sigmas.statistics_micros, sigmas.round_micros) <= 0:
        raise PrivacyError(f"a task without noise is not private: {sigmas}")
    if budget.counts_share_micros > 0 and sigmas.counts_micros <= 0:
        raise PrivacyError(f"counts without noise are not private: {sigmas}")
    delta = delta_of(budget.epsilon_micros / MICROS, sigmas, rounds=budget.rounds)
    if delta > budget.delta_e12 / DELTA_UNITS * (1 + 1e-6):
        raise PrivacyError(
            f"at epsilon {budget.epsilon_micros / MICROS} this noise gives delta {delta:.3g}, "
            f"the terms allow {budget.delta_e12 / DELTA_UNITS:.3g}; sigma must be larger"
        )


def privacy_json(budget: Budget, sigmas: Sigmas) -> Document:
    """Return the privacy terms as they stand in a task and on a model card."""
    return {
        "unit": "record",
        "neighbours": "zero-out",
        "epsilon_micros": budget.epsilon_micros,
        "delta_e12": budget.delta_e12,
        "statistics_share_micros": budget.statistics_share_micros,
        "counts_share_micros": budget.counts_share_micros,
        "rounds": budget.rounds,
        "statistics_sigma_micros": sigmas.statistics_micros,
        "counts_sigma_micros": sigmas.counts_micros,
        "round_sigma_micros": sigmas.round_micros,
    }


def read_privacy(document: Json) -> tuple[Budget, Sigmas]:
    """Read privacy terms that somebody else wrote; the opposite of ``privacy_json``."""
    keys = tuple(privacy_json(Budget(1, 1, 1, 0, 1), Sigmas(1, 1, 1)))
    fields = expect_keys(document, keys, "privacy")
    if (fields["unit"], fields["neighbours"]) != ("record", "zero-out"):
        raise TaskError("privacy: only record-level zero-out neighbours are offered")
    budget = Budget(
        epsilon_micros=read_integer(fields, "epsilon_micros"),
        delta_e12=read_integer(fields, "delta_e12"),
        statistics_share_micros=read_integer(fields, "statistics_share_micros"),
        counts_share_micros=read_integer(fields, "counts_share_micros"),
        rounds=read_integer(fields, "rounds"),
    )
    sigmas = Sigmas(
        statistics_micros=read_integer(fields, "statistics_sigma_micros", maximum=10**12),
        counts_micros=read_integer(fields, "counts_sigma_micros", maximum=10**12),
        round_micros=read_integer(fields, "round_sigma_micros", maximum=10**12),
    )
    return budget, sigmas


def _smallest_sigma(epsilon_micros: int, delta_e12: int) -> float:
    from dp_accounting.pld import accountant, common

    parameters = common.DifferentialPrivacyParameters(epsilon_micros / MICROS, delta_e12 / DELTA_UNITS)
    try:
        return float(accountant.get_smallest_gaussian_noise(parameters, 1, 1.0))
    except (ValueError, OverflowError) as error:
        raise PrivacyError(f"no noise reaches {parameters}: {error}") from error


def _multiplier(precision: float) -> int:
    return math.ceil(MICROS / math.sqrt(precision) * (1 + ROUNDING)) if precision > 0 else 0


def _precision(sigmas: Sigmas, rounds: int) -> float:
    counts = (MICROS / sigmas.counts_micros) ** 2 if sigmas.counts_micros else 0.0
    return (MICROS / sigmas.statistics_micros) ** 2 + counts + rounds * (MICROS / sigmas.round_micros) ** 2


def _normal(x: float) -> float:
    return math.erfc(-x / math.sqrt(2)) / 2
