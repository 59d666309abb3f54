"""Noise: exact discrete Gaussians from the operating system, or from a seed that says so.

The noise is drawn in whole nanos with integer arithmetic only, by Algorithm 3 of Canonne,
Kamath and Steinke 2020 ("The discrete Gaussian for differential privacy", arXiv:2004.00010),
and added to a sum of whole nanos. So the attack of Mironov 2012 on the low bits of floating
point noise has nothing to hold on to. At a billion steps to the unit the discrete Gaussian
cannot be told from the continuous one that the accountant assumes.

What it is not: constant in time. Whoever can measure how long a single draw takes learns
something about it; a draw happens inside the owner's own child process.
"""

import hashlib
import math
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

Uniform: TypeAlias = Callable[[int], int]
"""Draws an integer from 0 up to, not including, its argument."""


class NoiseSource(Protocol):
    """Where an owner's noise comes from."""

    @property
    def is_seeded(self) -> bool:
        """Whether anybody who knows the seed can subtract the noise: then there is no privacy."""

    def stream(self, purpose: str) -> Uniform:
        """Return a source of uniform integers for one message, e.g. ``job|candidate|round``."""


@dataclass(frozen=True, slots=True)
class SystemNoise:
    """Randomness of the operating system: cannot be repeated, belongs in no receipt."""

    @property
    def is_seeded(self) -> bool:
        return False

    def stream(self, purpose: str) -> Uniform:  # noqa: ARG002 - every draw is fresh
        return secrets.randbelow


@dataclass(frozen=True, slots=True)
class SeededNoise:
    """Reproducible noise for demonstrations and tests. It protects nobody."""

    seed: int
    owner: str

    @property
    def is_seeded(self) -> bool:
        return True

    def stream(self, purpose: str) -> Uniform:
        text = f"folkmoot noise|{self.seed}|{self.owner}|{purpose}"
        key = hashlib.sha256(text.encode()).digest()
        return random.Random(int.from_bytes(key, "big")).randrange  # noqa: S311 - says is_seeded


def discrete_gaussian(sigma: int, uniform: Uniform) -> int:
    """Draw an integer with probability proportional to exp(−x² / 2σ²).

    Algorithm 3 of Canonne, Kamath and Steinke 2020, in integers throughout.

    Parameters
    ----------
    sigma
        Scale, a positive integer (here in nanos).
    uniform
        Source of uniform integers.
    """
    if sigma < 1:
        raise ValueError(f"sigma is at least 1, not {sigma}")
    scale = sigma + 1
    while True:
        draw = _discrete_laplace(scale, uniform)
        # Accept with probability exp(−(|x| − σ²/t)² / 2σ²), as one fraction.
        excess = abs(draw) * scale - sigma * sigma
        if _bernoulli_exp(excess * excess, 2 * sigma * sigma * scale * scale, uniform):
            return draw


def noise_vector(sigma: int, length: int, uniform: Uniform) -> tuple[int, ...]:
    """Draw ``length`` independent discrete Gaussians of scale ``sigma``."""
    return tuple(discrete_gaussian(sigma, uniform) for _ in range(length))


def _discrete_laplace(scale: int, uniform: Uniform) -> int:
    # Algorithm 2 of the paper with s = 1.
    while True:
        low = uniform(scale)
        if not _bernoulli_exp(low, scale, uniform):
            continue
        high = 0
        while _bernoulli_exp(1, 1, uniform):
            high += 1
        magnitude = low + scale * high
        if uniform(2) == 0:
            return magnitude
        # A negative zero would count zero twice.
        if magnitude:
            return -magnitude


def _bernoulli_exp(numerator: int, denominator: int, uniform: Uniform) -> bool:
    # True with probability exp(−numerator / denominator); Algorithm 1 of the paper.
    for _ in range(numerator // denominator):
        if not _bernoulli_exp_below_one(1, 1, uniform):
            return False
    return _bernoulli_exp_below_one(numerator % denominator, denominator, uniform)


def _bernoulli_exp_below_one(numerator: int, denominator: int, uniform: Uniform) -> bool:
    common = math.gcd(numerator, denominator)
    numerator, denominator = numerator // common, denominator // common
    tries = 1
    while uniform(denominator * tries) < numerator:
        tries += 1
    return tries % 2 == 1
