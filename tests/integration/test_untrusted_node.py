"""A node that lies or stammers can neither have us sign for another chain nor end an agent."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from eth_utils.crypto import keccak

from agents.roles.desk import Plans
from agents.roles.process import Fetcher, RoleLoop, Waker
from agents.roles.still import StillChain
from folkmoot.devnet.rpc import RpcClient
from governance.adapters.evm import EvmChain
from governance.adapters.evm.deployer import Deployer
from governance.adapters.evm.witness import EvmWitness
from governance.domain.deployment import Deployment
from governance.errors import ChainUnreachable, ContractRefused, FolkmootError
from governance.ports import Signer

OUR_CHAIN, OTHER_CHAIN = 31_337, 1
BOOK = "0x000000000000000000000000000000000000bEEF"
BLOCK = {"number": "0x1", "timestamp": "0x10", "baseFeePerGas": "0x1", "gasLimit": "0xffffff", "gasUsed": "0x0"}
ANSWERS = {
    "eth_chainId": hex(OTHER_CHAIN),
    "eth_estimateGas": "0x5208",
    "eth_getTransactionCount": "0x0",
    "eth_maxPriorityFeePerGas": "0x1",
    "eth_gasPrice": "0x1",
    "eth_getBlockByNumber": BLOCK,
}


@contextmanager
def node(body: bytes | None = None) -> Iterator[EvmChain]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = {"jsonrpc": "2.0", "id": asked["id"], "result": ANSWERS.get(asked["method"])}
            raw = json.dumps(answer).encode() if body is None else body
            self.send_response(200)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        names = ("AgentRegistry", "AgreementBook")
        deployment = Deployment(
            chain_id=OUR_CHAIN, genesis="0x" + "0" * 64, first_block=0, contracts=dict.fromkeys(names, BOOK)
        )
        yield EvmChain(f"http://127.0.0.1:{server.server_address[1]}", deployment)
        server.shutdown()


class Signed(Exception):
    """A transaction was signed for some chain."""


class CountingSigner:
    """Says which chain it was asked to sign for."""

    address = BOOK
    public_key = bytes(64)

    def sign_digest(self, _digest: bytes) -> bytes:
        raise AssertionError("no digest is signed here")

    def sign_transaction(self, transaction: Mapping[str, object]) -> bytes:
        raise Signed(transaction["chainId"])


def test_a_node_of_another_chain_gets_no_signature_for_it() -> None:
    signer: Signer = CountingSigner()

    with node() as chain, pytest.raises((Signed, FolkmootError)) as caught:
        chain.send(signer, "AgentRegistry", "heartbeat", ())

    assert not isinstance(caught.value, Signed) or caught.value.args == (OUR_CHAIN,)


@pytest.mark.parametrize(
    "body", [b"<html>502 Bad Gateway</html>", b"", b"{}", b"[]", b'{"jsonrpc":"2.0","id":0,"result":"soon"}']
)
def test_nonsense_from_a_node_is_said_in_a_sentence(body: bytes) -> None:
    with node(body) as chain, pytest.raises(ChainUnreachable, match=r"127\.0\.0\.1"):
        chain.block_number()


def answer_with(**fields: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 0, **fields}).encode()


ENDED = keccak(text="AgentUnknownOrganisation(uint32)")[:4] + (7).to_bytes(32, "big")


@pytest.mark.parametrize(
    "fields",
    [
        {"result": "0x"},
        {"result": "0x12"},
        {"result": "soon"},
        {"result": None},
        {"result": 7},
        {"error": "busy"},
        {"error": {"code": -32000, "message": "header not found"}},
        {"error": {"code": 3, "message": "execution reverted", "data": "0x" + ENDED[:9].hex()}},
        {"error": {"code": 3, "message": "execution reverted", "data": "0xnothexatall"}},
    ],
)
def test_a_view_answered_with_nonsense_is_said_in_a_sentence(fields: dict[str, object]) -> None:
    with node(answer_with(**fields)) as chain, pytest.raises(ChainUnreachable, match=r"127\.0\.0\.1"):
        chain.read("AgentRegistry", "organisationCount")


def test_a_refused_view_names_its_error_and_values() -> None:
    error = {"code": 3, "message": "execution reverted", "data": "0x" + ENDED.hex()}

    named = pytest.raises(ContractRefused, match="AgentUnknownOrganisation")
    with node(answer_with(error=error)) as chain, named as it:
        chain.read("AgentRegistry", "organisationCount")

    assert it.value.values == {"organisation": 7}


def test_a_view_refused_without_a_reason_is_a_refusal() -> None:
    error = {"code": 3, "message": "execution reverted"}

    with node(answer_with(error=error)) as chain, pytest.raises(ContractRefused):
        chain.read("AgentRegistry", "organisationCount")


class BrokenChain:
    """Fails in a way that nobody foresaw."""

    def block_number(self) -> int:
        raise KeyError("result")


class Idle:
    """Has nothing to do."""

    def step(self) -> Plans:
        return Plans()


def loop_of(chain: object, status: Path) -> RoleLoop:
    still = StillChain(chain)  # type: ignore[arg-type]
    return RoleLoop(still, [Idle()], waker=Waker(), fetcher=Fetcher.__new__(Fetcher), status=status)


def test_an_unforeseen_answer_ends_no_agent(tmp_path: Path) -> None:
    status = tmp_path / "status.json"

    assert loop_of(BrokenChain(), status)._look(0) == -1
    assert json.loads(status.read_text())["busy"].startswith("trouble")


def test_a_status_that_cannot_be_written_ends_no_agent(tmp_path: Path) -> None:
    with node(b'{"jsonrpc":"2.0","id":0,"result":"0x7"}') as chain:
        assert loop_of(chain, tmp_path / "gone" / "status.json")._look(0) == 7


AWAY = "http://127.0.0.1:1/v3/0123456789abcdef"


@pytest.mark.parametrize(
    "ask",
    [
        lambda: EvmChain(AWAY, Deployment(chain_id=1, genesis="0x", first_block=0, contracts={})).now_s(),
        lambda: Deployer(AWAY, CountingSigner()).deploy({}, progress=lambda _: None),
        lambda: EvmWitness(AWAY).head(),
        lambda: RpcClient(AWAY).number("eth_chainId"),
    ],
    ids=["chain", "deployer", "witness", "client"],
)
def test_a_node_that_is_away_is_named_without_the_key_in_its_address(ask: Callable[[], object]) -> None:
    with pytest.raises(ChainUnreachable) as away:
        ask()

    assert "http://127.0.0.1:1/…" in str(away.value)
    assert "0123456789abcdef" not in str(away.value)
