"""By what name tasks, cards and the audit call an organisation: the same in all, and each another."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.roles.desk import Desk
from governance.domain.naming import owner_name
from governance.services.registry import Registry

if TYPE_CHECKING:
    from governance.ports import Chain

AGENT = "0x" + "00" * 19 + "01"


@pytest.mark.parametrize(
    ("names", "called"),
    [
        (["VA Long Beach"], "va-long-beach"),
        (["Cleveland", "St. Anna's"], "st-anna-s"),
        (["Klinik Ärzte"], "klinik-rzte"),
        (["x" * 80], "x" * 60),
        (["Cleveland", "Κλινική"], "organisation--2"),
        (["---"], "organisation--1"),
        (["St. Anna", "Cleveland", "st-anna!"], "st-anna--3"),
        (["Organisation 2", "Κλινική"], "organisation--2"),
    ],
)
def test_agents_and_the_audit_call_an_owner_alike(names: list[str], called: str) -> None:
    registry = Registry(cast("Chain", ManyNames(names)))
    desk = cast("Desk", SimpleNamespace(registry=registry))

    assert Desk.owner_name(desk, AGENT) == called
    assert owner_name(names[-1], len(names), names[:-1]) == called


def test_an_agent_that_nobody_bound_has_a_name_that_no_owner_has() -> None:
    assert Registry(cast("Chain", ManyNames([]))).owner_name(0) == "organisation--0"


@given(st.lists(st.text(alphabet="aB1 -é", max_size=5), max_size=12))
def test_no_two_organisations_are_called_alike(names: list[str]) -> None:
    called = [owner_name(name, number, names[: number - 1]) for number, name in enumerate(names, start=1)]

    assert len(set(called)) == len(called)


class ManyNames:
    """A chain on which the last of these organisations has the agent."""

    def __init__(self, names: list[str]) -> None:
        self._names = names

    def read(self, contract: str, view: str, *arguments: object) -> object:
        assert contract == "AgentRegistry"
        if view == "organisationOf":
            return len(self._names)
        assert view == "organisation"
        (number,) = cast("tuple[int]", arguments)
        return (self._names[number - 1], AGENT, AGENT, 0, True)
