"""By what name tasks, cards and the audit call an organisation: the same in all, whatever it is written in."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from agents.roles.desk import Desk
from governance.domain.naming import owner_name

NUMBER, AGENT = 7, "0x" + "00" * 19 + "01"


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("VA Long Beach", "va-long-beach"),
        ("St. Anna's", "st-anna-s"),
        ("Κλινική", "organisation-7"),
        ("Klinik Ärzte", "klinik-rzte"),
        ("---", "organisation-7"),
        ("x" * 80, "x" * 60),
    ],
)
def test_agents_and_the_audit_call_an_owner_alike(name: str, called: str) -> None:
    registry = SimpleNamespace(
        organisation_of={AGENT: NUMBER}.__getitem__,
        organisation={NUMBER: SimpleNamespace(name=name)}.__getitem__,
    )
    desk = cast("Desk", SimpleNamespace(registry=registry))

    assert Desk.owner_name(desk, AGENT) == called
    assert owner_name(name, NUMBER) == called
