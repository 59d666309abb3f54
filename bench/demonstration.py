"""One run of the demonstration by the wall clock, and the gas of its whole job."""

import json
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from eth_utils.crypto import keccak
from web3 import HTTPProvider, Web3

from bench.figures import Call, Demonstration, Measured
from bench.models import measured_rules
from folkmoot.demo import run
from folkmoot.devnet import Devnet
from folkmoot.home import Home
from folkmoot.settings import read_settings
from governance.adapters.evm import EvmChain
from governance.adapters.evm.artifacts import abi
from governance.domain.deployment import Deployment

ANCHORED = re.compile(r"^round (\d+) is anchored")
"""How the demonstration says that a round stands on chain."""
SEED = 0


@dataclass(slots=True)
class Stopwatch:
    """Notes when each round was anchored, to the third of a second at which the story looks."""

    pass_on: Callable[[str], None]
    seen: dict[int, float] = field(default_factory=dict)

    def tell(self, line: str) -> None:
        """Take one line of the demonstration."""
        if found := ANCHORED.match(line):
            self.seen[int(found[1])] = time.monotonic()
        self.pass_on(line)

    def round_millis(self, candidate_of: dict[int, str]) -> list[int]:
        """Return the milliseconds between neighbouring rounds of one candidate."""
        return [
            round(1000 * (self.seen[index] - self.seen[index - 1]))
            for index in sorted(self.seen)
            if index - 1 in self.seen and candidate_of[index] == candidate_of[index - 1]
        ]


def demonstrate(folder: Path, tell: Callable[[str], None]) -> Demonstration:
    """Run the demonstration with its default seed in ``folder`` and take its measure."""
    settings = read_settings()
    home = Home.at(folder)
    watch, load = Stopwatch(tell), os.getloadavg()[0]
    try:
        told = run.Demonstration(root=folder, settings=settings, seed=SEED, tell=watch.tell).run(keep=True)
        report = json.loads(home.report_file.read_text())
        calls = job_calls(Devnet(home, settings).info().rpc_url, report)
    finally:
        run.stop(home, Devnet(home, settings))
    return Demonstration(
        outcome=told.outcome.name.lower(),
        job=[_measured(candidate) for candidate in report["candidates"]],
        round_millis=watch.round_millis({r["index"]: r["candidate"] for r in report["rounds"]}),
        load_milli=round(1000 * load),
        total_millis=round(1000 * report["seconds"]["everything"]),
        founding_millis=round(1000 * report["seconds"]["founding"]),
        job_millis=round(1000 * report["seconds"]["job"]),
        calls=calls,
    )


def job_calls(rpc_url: str, report: dict[str, Any]) -> list[Call]:
    """Add up the gas of every transaction from the opening of the job to the last payment."""
    genesis, contracts = report["chain"]["genesis"], report["contracts"]
    deployment = Deployment(chain_id=report["chain"]["chain_id"], genesis=genesis, first_block=1, contracts=contracts)
    chain = EvmChain(rpc_url, deployment)
    first = chain.events("AgreementBook", ["JobOpened"], from_block=1)[0].block
    last = max(event.block for event in chain.events("AgreementBook", ["AgreementClosed"], from_block=first))
    names = _function_names(contracts)
    count: Counter[str] = Counter()
    gas: Counter[str] = Counter()
    for to, selector, used in _transactions(rpc_url, first, last):
        name = names.get((to, selector), "other")
        count[name] += 1
        gas[name] += used
    return [Call(name=name, count=count[name], gas=gas[name]) for name, _ in gas.most_common()]


def _transactions(rpc_url: str, first: int, last: int) -> Iterator[tuple[str, bytes, int]]:
    web3 = Web3(HTTPProvider(rpc_url, request_kwargs={"timeout": 30}))
    for number in range(first, last + 1):
        sent = cast("list[dict[str, Any]]", web3.eth.get_block(number, full_transactions=True)["transactions"])
        receipts = web3.eth.get_block_receipts(number) if sent else []
        for transaction, receipt in zip(sent, receipts, strict=True):
            yield str(transaction.get("to")), bytes(transaction["input"][:4]), int(receipt["gasUsed"])


def _function_names(contracts: dict[str, str]) -> dict[tuple[str, bytes], str]:
    return {
        (address, keccak(text=f"{entry['name']}({','.join(_types(entry['inputs']))})")[:4]): f"{name}.{entry['name']}"
        for name, address in contracts.items()
        for entry in abi(name)
        if entry["type"] == "function"
    }


def _types(inputs: Sequence[dict[str, Any]]) -> list[str]:
    return [
        f"({','.join(_types(part['components']))}){part['type'][5:]}" if "components" in part else str(part["type"])
        for part in inputs
    ]


def _measured(candidate: dict[str, Any]) -> Measured:
    juries = {rule.fact for rule in measured_rules()}
    facts = {name: fact for name, fact in candidate["facts"].items() if name in juries}
    return Measured(
        name=candidate["name"],
        facts_micros={name: fact["value_micros"] for name, fact in facts.items()},
        intervals_micros={name: (fact["interval"][0], fact["interval"][1]) for name, fact in facts.items()},
        failed=candidate["failed_rules"],
    )
