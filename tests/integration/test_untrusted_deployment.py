"""A node that stammers or changes its chain costs a deployment nothing but time."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import rlp

from folkmoot import constitution
from folkmoot.deploying import Undertaking
from folkmoot.founding_file import FoundingPlan, Place, read_founding
from folkmoot.home import Home
from governance.adapters.evm import KeySigner
from governance.adapters.evm.deployer import Deployer, MemoryJournal
from governance.domain.deployment import CONTRACTS
from governance.errors import ChainUnreachable, DeploymentRefused, FolkmootError
from tests.integration.contracts.test_deploying import founding

SIGNER = KeySigner.from_secret(b"\x07" * 32)
BLOCK = {"number": "0x1", "hash": "0x" + "11" * 32, "timestamp": "0x10", "baseFeePerGas": "0x1"}
CHAIN_ID, OTHER_CHAIN = 7, 1
HONEST: dict[str, Any] = {
    "eth_chainId": hex(CHAIN_ID),
    "eth_getBlockByNumber": BLOCK,
    "eth_getTransactionCount": "0x0",
    "eth_estimateGas": "0x5208",
    "eth_gasPrice": "0x1",
    "eth_getBalance": hex(10**24),
    "eth_maxPriorityFeePerGas": "0x1",
    "eth_sendRawTransaction": "0x" + "22" * 32,
    "eth_getTransactionReceipt": {"status": "0x1", "blockNumber": "0x1", "gasUsed": "0x1", "contractAddress": None},
    "eth_getCode": "0x",
}
NONSENSE = [None, {}, ["x"], "zz", "0x" + "f" * 5000, 5]


@dataclass
class Node:
    """Answers as it is told to, and keeps what it was sent."""

    url: str = ""
    answers: dict[str, Any] = field(default_factory=lambda: dict(HONEST))
    page_for: str = ""
    """Method at whose call a balancer answers with a page."""
    sent: list[bytes] = field(default_factory=list)

    def answer(self, asked: dict[str, Any]) -> bytes:
        method = asked["method"]
        if method == self.page_for:
            return b"<html>bad gateway</html>"
        if method == "eth_sendRawTransaction":
            self.sent.append(bytes.fromhex(asked["params"][0][2:]))
        found = self.answers.get(method)
        return json.dumps(
            {"jsonrpc": "2.0", "id": asked["id"], "result": found() if callable(found) else found}
        ).encode()


@pytest.fixture
def node() -> Iterator[Node]:
    told = Node()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = told.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        told.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield told
        server.shutdown()


@pytest.fixture
def plan(tmp_path: Path) -> FoundingPlan:
    return read_founding(founding(tmp_path))


def deploy(
    node: Node,
    plan: FoundingPlan,
    *,
    journal: MemoryJournal | None = None,
    chain_id: int | None = None,
    most_wei: int | None = None,
) -> None:
    deployer = Deployer(node.url, SIGNER, chain_id=chain_id, timeout_s=0.05, most_wei=most_wei)
    deployer.deploy(constitution.arguments(plan.founding), progress=lambda _: None, journal=journal)


@pytest.mark.parametrize("method", HONEST)
def test_whatever_a_node_answers_an_operator_reads_a_sentence(node: Node, plan: FoundingPlan, method: str) -> None:
    node.page_for = method
    for nonsense in NONSENSE:
        with pytest.raises(FolkmootError):
            deploy(node, plan)
        node.page_for = ""
        node.answers[method] = nonsense


@pytest.mark.parametrize("method", ["eth_chainId", "eth_getBlockByNumber"])
@pytest.mark.parametrize("nonsense", NONSENSE[:-1])
def test_a_network_without_identity_is_not_begun_with(
    tmp_path: Path, node: Node, plan: FoundingPlan, method: str, nonsense: object
) -> None:
    node.answers[method] = nonsense

    with pytest.raises(FolkmootError):
        Undertaking.prepare(
            Home.create(tmp_path / "home"), Place(rpc_url=node.url, chain_id=None), plan, signer=SIGNER
        ).journal(resume=False)


def chain_of(raw: bytes) -> int:
    return int.from_bytes(rlp.decode(raw[1:])[0])


def test_a_node_that_changes_its_chain_gets_no_signature_for_it(node: Node, plan: FoundingPlan) -> None:
    for honest_turns in range(1, 15):
        told: list[str] = []

        def chain_id(told: list[str] = told, honest_turns: int = honest_turns) -> str:
            told.append(hex(CHAIN_ID if len(told) < honest_turns else OTHER_CHAIN))
            return told[-1]

        node.answers["eth_chainId"] = chain_id
        with pytest.raises(FolkmootError):
            deploy(node, plan)

    assert {chain_of(raw) for raw in node.sent} == {CHAIN_ID}


def test_a_deployment_is_for_the_chain_that_its_plan_named(node: Node, plan: FoundingPlan) -> None:
    with pytest.raises(DeploymentRefused, match=f"serves chain {CHAIN_ID}, not {OTHER_CHAIN}"):
        deploy(node, plan, chain_id=OTHER_CHAIN)

    assert node.sent == []


def test_a_node_that_lags_is_waited_for_and_nothing_is_thrown_away(node: Node, plan: FoundingPlan) -> None:
    journal = MemoryJournal(start=3, transactions={CONTRACTS[0]: "0x" + "22" * 32})

    with pytest.raises(ChainUnreachable, match="nothing is lost: run the command again with --resume"):
        deploy(node, plan, journal=journal)

    assert node.sent == []


@pytest.mark.parametrize("dear", ["eth_maxPriorityFeePerGas", "eth_getBlockByNumber", "eth_gasPrice"])
def test_a_node_that_asks_far_more_than_the_plan_said_is_sent_nothing(
    node: Node, plan: FoundingPlan, dear: str
) -> None:
    block = dict(node.answers["eth_getBlockByNumber"])
    if dear == "eth_getBlockByNumber":
        node.answers[dear] = {**block, "baseFeePerGas": hex(10**12)}
    else:
        node.answers[dear] = hex(10**12)
    if dear == "eth_gasPrice":
        del block["baseFeePerGas"]
        node.answers["eth_getBlockByNumber"] = block

    with pytest.raises(DeploymentRefused, match=r"asks .* gwei for a unit of gas"):
        deploy(node, plan, most_wei=10**11)

    assert node.sent == []
