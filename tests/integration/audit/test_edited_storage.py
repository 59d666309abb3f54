"""The operator of a development chain writes into its storage: the audit says what no longer fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from governance.adapters.evm.artifacts import artifact
from governance.domain.signing import short_text
from governance.services.amendments import Amendments
from governance.services.audit import CheckResult, ExitCode
from tests.audit_runs import Reading, audit, places
from tests.audit_story import CANDIDATES, OWNERS, Story, agent, member

pytestmark = pytest.mark.chain

BY_PROOF: Final = "storage behind the blocks"


def slot(contract: str, variable: str) -> int:
    layout = artifact(contract)["storageLayout"]["storage"]
    return next(int(entry["slot"]) for entry in layout if entry["label"] == variable)


def entry(place: int, kind: str, key: object) -> int:
    """Return the slot of a mapping's value."""
    return int.from_bytes(keccak(encode([kind, "uint256"], [key, place])), "big")


def element(place: int, index: int) -> int:
    """Return the slot of an element of a list whose elements take one slot each."""
    return int.from_bytes(keccak(encode(["uint256"], [place])), "big") + index


def write(story: Story, contract: str, place: int, change: Callable[[int], int]) -> None:
    address = story.deployment.contracts[contract]
    key = "0x" + place.to_bytes(32, "big").hex()
    before = int(str(story.call("eth_getStorageAt", address, key, "latest")), 16)
    after = change(before)
    assert after != before
    story.call("anvil_setStorageAt", address, key, "0x" + after.to_bytes(32, "big").hex())


def add_one(value: int) -> int:
    return value + 1


def last_release(story: Story) -> bytes:
    return story.releases[CANDIDATES[1]]


EDITS: Final[dict[str, tuple[str, Callable[[Story], int], Callable[[int], int], str]]] = {
    "head of the log": (
        "ReleaseRegistry",
        lambda _: slot("ReleaseRegistry", "_log"),
        lambda head: head + (1 << 32),
        "head of the log",
    ),
    "length of the log": ("ReleaseRegistry", lambda _: slot("ReleaseRegistry", "_log"), add_one, "length of the log"),
    "status of a refused candidate": (
        "ReleaseRegistry",
        lambda story: entry(slot("ReleaseRegistry", "_releases"), "bytes32", story.releases[CANDIDATES[0]]),
        lambda value: value & ~0xFF | 2,
        "status that stands",
    ),
    "file of a release": (
        "ReleaseRegistry",
        lambda story: entry(slot("ReleaseRegistry", "_releases"), "bytes32", last_release(story)) + 5,
        add_one,
        "artifact that stands",
    ),
    "a declared fact": (
        "ReleaseRegistry",
        lambda story: entry(
            entry(slot("ReleaseRegistry", "_declared"), "bytes32", last_release(story)),
            "bytes32",
            short_text("energy_kwh"),
        ),
        add_one,
        "value that stands",
    ),
    "votes for": (
        "ModelGovernor",
        lambda story: entry(slot("ModelGovernor", "_proposalVotes"), "uint256", story.proposals["plain"]) + 1,
        add_one,
        "sum of the votes",
    ),
    "a member's balance": (
        "MemberToken",
        lambda _: entry(slot("MemberToken", "_balances"), "address", member(OWNERS[0]).address),
        lambda _: 100,
        "votes owned by",
    ),
    "a head": (
        "RoundLedger",
        lambda story: entry(slot("RoundLedger", "_heads"), "bytes32", story.job),
        add_one,
        "head that stands",
    ),
    "a median": (
        "EvaluatorCourt",
        # The tenth word of its file is the list of medians, two in each word.
        lambda story: element(entry(slot("EvaluatorCourt", "_files"), "bytes32", last_release(story)) + 9, 0),
        add_one,
        "median of auc that stands",
    ),
    "a stake": (
        "EvaluatorCourt",
        lambda _: entry(slot("EvaluatorCourt", "_services"), "uint32", len(OWNERS) + 3),
        add_one,
        "its stake and record",
    ),
    "looks": (
        "EvaluatorCourt",
        lambda _: entry(slot("EvaluatorCourt", "_looks"), "bytes32", keccak(text=f"{OWNERS[0]} evaluation rows")),
        lambda value: value - 1,
        "looks taken",
    ),
    "what was paid": (
        "AgreementBook",
        lambda story: entry(slot("AgreementBook", "_agreements"), "bytes32", story.agreements[f"{OWNERS[0]} data"]),
        lambda value: value + (1 << 232),
        "what stands of it",
    ),
    "money": (
        "Credit",
        lambda story: entry(slot("Credit", "_balances"), "address", story.deployment.contracts["AgreementBook"]),
        lambda value: value // 2,
        "credit that it holds",
    ),
    "an agent's roles": (
        "AgentRegistry",
        lambda _: entry(slot("AgentRegistry", "_agents"), "address", agent(OWNERS[0]).address),
        lambda value: value | 0x1F << 32,
        "what stands of it",
    ),
    "a mandate's floor": (
        "AgentRegistry",
        lambda _: entry(slot("AgentRegistry", "_mandates"), "address", agent(OWNERS[0]).address) + 1,
        lambda _: 7,
        "as its operator set it",
    ),
    "the code pin of a staged change": (
        "Amendments",
        # The third word is the hash of its target's code.
        lambda story: entry(slot("Amendments", "_amendments"), "bytes32", Amendments(story.chain).ids()[0]) + 2,
        add_one,
        "code of its target when it was staged",
    ),
    "the wait of the timelock": ("Timelock", lambda _: slot("Timelock", "_delayS"), lambda _: 1, "getMinDelay"),
}
"""Contract, slot, change, and what the finding is about."""


@pytest.mark.parametrize("name", EDITS)
def test_edited_storage_contradicts_the_events(story: Story, once: Reading, name: str) -> None:
    contract, place, change, about = EDITS[name]

    with story.rewound():
        write(story, contract, place(story), change)
        results = once.with_head(story.rpc)

    assert about in said(results, without=BY_PROOF)
    assert "the block's hash commits to its storage" in said(results, only=BY_PROOF)


def said(results: list[CheckResult], *, without: str = "", only: str = "") -> str:
    chosen = [result for result in results if result.name != without and (not only or result.name == only)]
    return places(finding for result in chosen for finding in result.findings)


def hidden_edit(story: Story) -> None:
    """Make a stranger a proposer of the timelock, which no view lists."""
    role = entry(slot("Timelock", "_roles"), "bytes32", keccak(text="PROPOSER_ROLE"))
    write(story, "Timelock", entry(role, "address", "0x" + "99" * 20), add_one)


def test_edit_that_no_view_shows_is_found_by_proof(story: Story, once: Reading) -> None:
    with story.rewound():
        hidden_edit(story)
        results = once.with_head(story.rpc)

    assert said(results, without=BY_PROOF) == ""
    assert "Timelock" in said(results, only=BY_PROOF)


def test_edit_before_later_blocks_is_found_by_proof(story: Story) -> None:
    with story.rewound():
        hidden_edit(story)
        story.advance(10)
        report = audit(story)

    assert report.exit_code is ExitCode.FINDINGS
    assert "the block's hash commits to its storage" in places(report.findings)


def test_edit_between_quiet_blocks_is_found_by_comparing_them(story: Story) -> None:
    with story.rewound():
        story.advance(10)
        hidden_edit(story)
        story.advance(10)
        report = audit(story)

    assert report.exit_code is ExitCode.FINDINGS
    assert any("Timelock, blocks" in finding.where for finding in report.findings)


def test_other_code_is_found(story: Story, once: Reading) -> None:
    address = story.deployment.contracts["PolicyRegistry"]
    code = str(story.call("eth_getCode", address, "latest"))

    with story.rewound():
        story.call("anvil_setCode", address, code[:-2] + "00")
        results = once.with_head(story.rpc)

    assert "its code is the one we build" in said(results, without=BY_PROOF)


BOUND_OF_RULE_3: Final = 1 + 64 + 3 * 96 + 95
"""Last byte of it in the code that holds the rules (docs/encodings.md)."""
SOME_TIER: Final = 1 + 30


@pytest.mark.parametrize(("place", "about"), [(BOUND_OF_RULE_3, "hash of its rules"), (SOME_TIER, "tier of")])
def test_edited_rules_are_found(story: Story, once: Reading, place: int, about: str) -> None:
    key = "0x" + slot("PolicyRegistry", "_code").to_bytes(32, "big").hex()
    stored = str(story.call("eth_getStorageAt", story.deployment.contracts["PolicyRegistry"], key, "latest"))
    rules = "0x" + stored[-40:]
    code = bytearray.fromhex(str(story.call("eth_getCode", rules, "latest"))[2:])
    code[place] ^= 1

    with story.rewound():
        story.call("anvil_setCode", rules, "0x" + code.hex())
        results = once.with_head(story.rpc)

    assert about in said(results, without=BY_PROOF)


def test_rewinding_leaves_nothing_behind(story: Story, once: Reading) -> None:
    results: Any = once.with_head(story.rpc)

    assert said(results) == ""
