"""A node that alters what it tells is caught, and the place of the lie is named; no answer breaks the auditor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from governance.adapters.evm.codebook import ArtifactCodebook
from governance.adapters.evm.witness import EvmWitness
from governance.ports import Event
from governance.services.audit import ExitCode, verify
from governance.services.audit.blocks import BlockHeader, RawLog, ordered_root
from governance.services.audit.history import HistoryReader
from governance.services.audit.report import Examination
from tests.audit_runs import Reading, audit, evidence_of, places
from tests.audit_story import Story
from tests.lying_proxy import LyingProxy

pytestmark = pytest.mark.chain


def flipped(text: str) -> str:
    """Return 0x hex with its last half byte changed."""
    return text[:-1] + ("0" if text[-1] != "0" else "1")


def altered_logs(result: Any, turn: int, part: str) -> Any:
    """Alter the log of this number, counted over the whole block, in one part."""
    logs = [log for receipt in result for log in receipt["logs"]]
    if turn < len(logs):
        log = logs[turn]
        if part == "data" and len(log["data"]) > 2:
            log["data"] = flipped(log["data"])
        elif part == "address":
            log["address"] = flipped(log["address"])
        else:
            log["topics"][-1] = flipped(log["topics"][-1])
    return result


def test_no_log_can_be_altered_under_its_block(once: Reading, story: Story) -> None:
    witness, counted = once.context.witness, 0
    for number in range(story.deployment.first_block, story.chain.block_number() + 1):
        receipts = list(witness.receipts(number))
        root = once.context.history.receipts_roots[number]
        assert ordered_root([receipt.encoded() for receipt in receipts]) == root
        for place, receipt in enumerate(receipts):
            for turn, log in enumerate(receipt.logs):
                counted += 1
                for other in altered(log):
                    logs = (*receipt.logs[:turn], other, *receipt.logs[turn + 1 :])
                    told = [*receipts[:place], replace(receipt, logs=logs), *receipts[place + 1 :]]
                    assert ordered_root([each.encoded() for each in told]) != root

    assert counted > 350


def altered(log: RawLog) -> list[RawLog]:
    return [
        replace(log, data=log.data + b"\1"),
        replace(log, topics=(*log.topics[:-1], changed(log.topics[-1]))),
        replace(log, topics=log.topics[:-1]),
        replace(log, address="0x" + "12" * 20),
    ]


@pytest.mark.parametrize("part", ["data", "topics", "address"])
def test_altered_logs_are_found_in_their_blocks(story: Story, proxy: LyingProxy, part: str) -> None:
    def lie(method: str, _: list[Any], result: Any) -> Any:
        return altered_logs(result, 0, part) if method == "eth_getBlockReceipts" else result

    exam = Examination("blocks")
    with proxy.lying(lie) as url:
        HistoryReader(EvmWitness(url), ArtifactCodebook(), exam).read(story.registry, story.deployment.first_block)

    named = {finding.where for finding in exam.result().findings if "receipts" in finding.what}
    logged = {f"block {event.block}" for event in story.chain.history(0, story.chain.block_number())}
    assert len(logged) > 100
    assert logged <= named


HEADER_PARTS = ["timestamp", "stateRoot", "receiptsRoot", "transactionsRoot", "parentHash", "hash", "gasUsed", "miner"]


@pytest.mark.parametrize("part", HEADER_PARTS)
def test_every_altered_header_is_found(story: Story, proxy: LyingProxy, part: str) -> None:
    first, last = story.deployment.first_block, story.chain.block_number()

    def lie(method: str, parameters: list[Any], result: Any) -> Any:
        if method == "eth_getBlockByNumber" and int(parameters[0], 16) != last:
            result[part] = flipped(result[part])
        return result

    exam = Examination("blocks")
    with proxy.lying(lie) as url:
        HistoryReader(EvmWitness(url), ArtifactCodebook(), exam).read(story.registry, first)

    named = {finding.where for finding in exam.result().findings}
    assert {f"block {number}" for number in range(first, last)} <= named


def test_altered_status_and_transaction_are_found(story: Story, proxy: LyingProxy) -> None:
    def lie(method: str, _: list[Any], result: Any) -> Any:
        if method == "eth_getRawTransactionByHash":
            return flipped(result)
        return result

    with proxy.lying(lie) as url:
        report = audit(story, rpc=url)

    assert report.exit_code is ExitCode.FINDINGS
    assert "root of its transactions" in places(report.findings)


class EndlessWitness(EvmWitness):
    """Serves one block again and again, as high as anybody asks."""

    def __init__(self, rpc: str, height: int) -> None:
        super().__init__(rpc)
        self._height = height

    def head(self) -> int:
        return 1 << 60

    def headers(self, first: int, last: int) -> Sequence[BlockHeader]:
        return list(super().headers(self._height, self._height)) * (last - first + 1)

    def call(self, contract: str, address: str, function: str, *, arguments: Sequence[object], block: int) -> object:
        return super().call(contract, address, function, arguments=arguments, block=min(block, self._height))


def test_invented_blocks_without_end_are_not_read_to_their_end(story: Story) -> None:
    witness = EndlessWitness(story.rpc, story.chain.block_number())
    evidence = evidence_of(story.store.folder)

    report = verify(witness, ArtifactCodebook(), story.registry, evidence=evidence)

    assert report.exit_code is ExitCode.FINDINGS
    assert "not read to its end" in places(report.findings)


def test_altered_events_show_although_the_block_seems_right(once: Reading) -> None:
    """A node that rewrites its own blocks still contradicts the log."""
    events = once.context.history.events
    logged = [place for place, event in enumerate(events) if event.name == "Logged"]
    assert len(logged) > 100

    for entry, place in enumerate(logged, 1):
        part = ("payload", "subject", "kind", "writer", "head", "sequence")[entry % 6]
        told = [*events]
        told[place] = with_value(events[place], part)
        results = once.with_events(told, "log")
        assert f"log entry {entry} " in places(results[1].findings), (entry, part)


def with_value(event: Event, name: str) -> Event:
    """Return the event with one value changed."""
    return replace(event, values={**event.values, name: changed(event.values[name])})


def changed(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case bytes():
            return value[:-1] + bytes([value[-1] ^ 1]) if value else b"\1"
        case str() if value.startswith("0x"):
            return "0x" + "12" * 20
        case str():
            return value + "x"
        case tuple():
            return (changed(value[0]), *value[1:]) if value else (1,)
        case _:
            raise AssertionError(value)


def test_every_value_of_every_event_counts(once: Reading) -> None:
    """Alter one value of one event at a time: some check must contradict it."""
    missed = set()
    for place, name in one_of_each(once.context.history.events):
        events = [*once.context.history.events]
        events[place] = with_value(events[place], name)
        if not once.contradicts(events):
            missed.add((events[place].name, name))

    assert missed <= EXPENDABLE, missed - EXPENDABLE


EXPENDABLE = {
    ("Approval", "owner"),
    ("Approval", "spender"),
    ("Approval", "value"),
    ("CallSalt", "id"),
    ("CallSalt", "salt"),
    ("CallScheduled", "predecessor"),
    ("DelegateChanged", "fromDelegate"),
    ("DelegateVotesChanged", "previousVotes"),
    ("LateQuorumVoteExtensionSet", "oldVoteExtension"),
    ("MinDelayChange", "oldDuration"),
    ("ProposalCreated", "signatures"),
    ("ProposalThresholdSet", "oldProposalThreshold"),
    ("QuorumNumeratorUpdated", "oldQuorumNumerator"),
    ("RoleGranted", "sender"),
    ("RoleRevoked", "sender"),
    ("TimelockChange", "oldTimelock"),
    ("VoteCast", "reason"),
    ("VotingDelaySet", "oldVotingDelay"),
    ("VotingPeriodSet", "oldVotingPeriod"),
}
"""Said twice, or nothing follows from it."""


def one_of_each(events: list[Event]) -> Iterator[tuple[int, str]]:
    """Yield one event of each kind with each of its values."""
    seen = set()
    for place in reversed(range(len(events))):
        event = events[place]
        for name in event.values:
            if (event.contract, event.name, name) not in seen:
                seen.add((event.contract, event.name, name))
                yield place, name


NONSENSE: dict[str, Any] = {
    "null": None,
    "a huge number": "0x" + "f" * 5000,
    "an empty object": {},
    "a list of texts": ["\x1b[31mhello [bold]"],
    "32 bytes": "0x" + "ab" * 32,
}


METHODS = [
    "eth_chainId",
    "eth_blockNumber",
    "eth_getBlockByNumber",
    "eth_getBlockReceipts",
    "eth_getRawTransactionByHash",
    "eth_getCode",
    "eth_getProof",
    "eth_call",
]


@pytest.mark.parametrize("method", METHODS)
def test_no_nonsense_breaks_the_auditor(story: Story, proxy: LyingProxy, method: str) -> None:
    for what, told in NONSENSE.items():

        def lie(asked: str, _: list[Any], result: Any, told: Any = told) -> Any:
            return told if asked == method else result

        with proxy.lying(lie) as url:
            report = audit(story, rpc=url)

        assert report.exit_code is not ExitCode.CLEAN, f"{method} answered with {what}"
