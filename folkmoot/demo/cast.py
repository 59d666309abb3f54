"""Who takes part in the demonstration: thirteen organisations, one vote each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from folkmoot.settings import CHECKOUT

EXAMPLE: Final = CHECKOUT / "examples" / "heart"
DATA: Final = CHECKOUT / "data" / "heart_disease_uci.csv"
SCHEMA: Final = CHECKOUT / "data" / "heart.schema.yaml"
LABORATORIES: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One organisation of the demonstration and its agent."""

    name: str
    slug: str
    roles: tuple[str, ...]
    mandate: str
    """Name of its file in ``examples/heart/mandates``."""


def cast() -> tuple[Party, ...]:
    """Return the thirteen founders in the order of their numbers."""
    owners = (("Cleveland", "cleveland"), ("Hungary", "hungary"), ("Switzerland", "switzerland"))
    hospitals = (*owners, ("VA Long Beach", "va-long-beach"))
    laboratories = [f"Laboratory {letter}" for letter in "ABCDEFG"[:LABORATORIES]]
    return (
        *(Party(name=name, slug=slug, roles=("owner",), mandate=slug) for name, slug in hospitals),
        Party(name="Moot Institute", slug="institute", roles=("coordinator",), mandate="institute"),
        Party(name="North Data Centre", slug="data-centre", roles=("compute", "keeper"), mandate="data-centre"),
        *(
            Party(name=name, slug=name.lower().replace(" ", "-"), roles=("evaluator",), mandate="laboratory")
            for name in laboratories
        ),
    )


COORDINATOR: Final = "institute"
GUARDIAN: Final = "guardian"
"""The key of whoever may stop proposals and suspend a release; no organisation's."""
FUNDS_WEI: Final = 10 * 10**18
SUPPLY_E18: Final = 1_000_000 * 10**18
