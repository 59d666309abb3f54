"""Scores, receipts, challenges and anchors are recomputed, and a change of any of them is named."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from governance.ports import Event
from governance.services.audit import ExitCode
from tests.audit_modes import SHARES, running_modes
from tests.audit_runs import Reading, audit, places
from tests.audit_story import OWNERS, Story, agent
from tests.integration.audit.test_each_family import field, flip, plus_one
from tests.integration.audit.test_edited_storage import entry, slot, write

pytestmark = pytest.mark.chain

FAMILIES: Final = ("rounds on chain", "payments", "updates behind the rounds")


@pytest.fixture(scope="module")
def modes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with running_modes(tmp_path_factory.mktemp("modes")) as told:
        yield told


@pytest.fixture(scope="module")
def read(modes: Story) -> Reading:
    return Reading.of(modes)


def test_all_modes_and_challenges_are_recomputed_without_a_finding(modes: Story) -> None:
    report = audit(modes)

    assert places(report.findings) == ""
    assert report.unavailable == ()
    assert report.exit_code is ExitCode.CLEAN


def test_the_shares_of_the_story_are_those_counted_by_hand(read: Reading) -> None:
    found = [event.values["shares"] for event in read.context.events("RoundLedger", "RoundScored")]

    assert found == [SHARES, SHARES]


def later(value: int) -> int:
    return value + 7_200


LIES: Final[dict[str, tuple[str, str, Callable[[Any], Any], str]]] = {
    "another share": ("RoundScored", "shares", field(0, plus_one), "shares, from the scores"),
    "another participant": ("RoundScored", "agents", field(0, lambda _: agent("Institute").address), "agents, those"),
    "another score": ("ScoresRevealed", "scores", field(1, lambda score: score - 1), "the seal of its scores"),
    "another salt": ("ScoresRevealed", "salt", flip, "the seal of its scores"),
    "another seal": ("ScoresCommitted", "commitment", flip, "the seal of its scores"),
    "another update committed": ("UpdateCommitted", "digest", flip, "updates are those committed to"),
    "a participant that sold nothing": (
        "UpdateCommitted",
        "agent",
        lambda _: agent("Institute").address,
        "had agreed to sell data",
    ),
    "a receipt for another update": ("OmissionChallenged", "digest", flip, "the receipt that"),
    "an omission of another owner": (
        "OmissionChallenged",
        "owner",
        lambda _: agent(OWNERS[2]).address,
        "job, owner and kind",
    ),
    "less time to answer": ("OmissionChallenged", "untilS", lambda value: value - 1, "time to answer"),
    "an answer about another round": ("OmissionAnswered", "round", plus_one, "an open challenge, answered in time"),
    "an omission of another update": ("Omitted", "digest", flip, "job, owner and update"),
    "an omission nobody claimed": ("Omitted", "round", plus_one, "nobody answered in time"),
    "another stranger": (
        "RoundFlagged of a stranger",
        "agent",
        lambda _: agent(OWNERS[1]).address,
        "nobody answered in time",
    ),
    "twins of another agent": (
        "RoundFlagged of twins",
        "agent",
        lambda _: agent(OWNERS[1]).address,
        "two different leaves of one agent",
    ),
    "an agreement of somebody else": ("StrangerAnswered", "agreement", flip, "the named agreement is its own"),
    "more parts paid for scores": ("PaymentMade in hundredths", "units", plus_one, "parts, from the shares"),
    "leaves that were not there": ("RoundPosted of the last job", "leaves", plus_one, "number of leaves"),
}
"""Event, value, change, and what is said."""


def find(events: list[Event], name: str) -> int:
    plain, _, which = name.partition(" ")
    posted = [place for place, event in enumerate(events) if event.name == "RoundPosted"]
    rules: dict[str, Callable[[Event], bool]] = {
        "of a stranger": lambda event: bytes(event.values["reason"]).startswith(b"stranger"),  # type: ignore[call-overload]
        "of twins": lambda event: bytes(event.values["reason"]).startswith(b"equivocation"),  # type: ignore[call-overload]
        "in hundredths": lambda event: int(str(event.values["units"])) > 2,
        "of the last job": lambda event: event.values["job"] == events[posted[-1]].values["job"],
    }
    fits = rules.get(which, lambda _: True)
    found = [place for place, event in enumerate(events) if event.name == plain and fits(event)]
    return found[0]


@pytest.mark.parametrize("name", LIES)
def test_a_changed_fact_is_contradicted_and_named(read: Reading, name: str) -> None:
    event_name, value, change, about = LIES[name]
    events = [*read.context.history.events]
    place = find(events, event_name)
    before = events[place].values[value]
    assert change(before) != before
    events[place] = replace(events[place], values={**events[place].values, value: change(before)})

    results = read.with_events(events, *FAMILIES)

    said = places(finding for result in results for finding in result.findings)
    missed = "\n".join(text for result in results for text in result.unavailable)
    assert about in said + missed
    assert said, "a changed fact is a contradiction, not only a gap"


def test_a_share_changed_in_storage_is_found(modes: Story, read: Reading) -> None:
    job = next(iter(event.values["job"] for event in read.context.events("RoundLedger", "RoundScored")))
    papers = entry(entry(slot("RoundLedger", "_papers"), "bytes32", job), "uint32", 0)
    # The fourth word of a paper is the share.
    place = entry(papers, "address", agent(OWNERS[0]).address) + 3

    with modes.rewound():
        write(modes, "RoundLedger", place, plus_one)
        results = read.with_head(modes.rpc)

    assert f"share of {agent(OWNERS[0]).address}" in places(f for result in results for f in result.findings)


def test_an_outcome_changed_in_storage_is_found(modes: Story, read: Reading) -> None:
    place = entry(slot("RoundLedger", "_omissions"), "bytes32", modes.job)

    with modes.rewound():
        write(modes, "RoundLedger", place, plus_one)
        results = read.with_head(modes.rpc)

    assert "omissions that were upheld" in places(f for result in results for f in result.findings)


def test_an_anchor_whose_document_is_gone_or_changed_is_named(read: Reading, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(read.store, tmp_path / "copy"))
    [anchor] = [file for file in copy.iterdir() if b'"type":"anchor"' in file.read_bytes()]
    honest = anchor.read_bytes()

    anchor.unlink()
    gone = read.with_store(copy, "updates behind the rounds")
    anchor.write_bytes(honest.replace(b'"round":1', b'"round":2'))
    changed = read.with_store(copy, "updates behind the rounds")

    assert any("leaves of round 0" in text for result in gone for text in result.unavailable)
    assert anchor.name in places(finding for result in changed for finding in result.findings)
