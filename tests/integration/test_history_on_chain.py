"""The index on a real node: everything is read, and what the node takes back is taken back."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from folkmoot.constitution import Founder, Founding, deploy
from folkmoot.devnet.anvil import Anvil, find_anvil
from folkmoot.settings import read_settings
from governance.adapters.evm import EvmChain, KeySigner
from governance.adapters.history import sync_once
from governance.adapters.tables import EventRow, IndexState, PolicyRow, open_for_writing, sqlite_url
from governance.policy import load_policies
from governance.services.registry import Registry
from governance.services.releases import Governor

pytestmark = pytest.mark.chain

MNEMONIC_KEY = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
MEMBER = KeySigner.from_secret(bytes.fromhex(MNEMONIC_KEY))
"""anvil's first account; a throw-away chain's only money."""


@dataclass(frozen=True)
class Running:
    node: Anvil
    chain: EvmChain
    engine: Engine


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    anvil = str(find_anvil(read_settings()))
    node = Anvil.start([anvil, "--accounts", "1", "--chain-id", "424242"], log=tmp_path / "anvil.log", port=None)
    node.begin_mining()
    names = ("One", "Two", "Three", "Four", "Five")
    founding = Founding(
        founders=tuple(
            Founder(
                name=name,
                member=MEMBER.address if name == "One" else f"0x{number:040x}",
                operator=f"0x{number + 100:040x}",
            )
            for number, name in enumerate(names, start=0x1000)
        ),
        panel=names,
        policy=load_policies(),
        guardian=f"0x{1:040x}",
        treasury=MEMBER.address,
        supply_e18=1,
    )
    deployed = deploy(node.url, MEMBER, founding, progress=lambda _: None)
    # Votes count from the second after they were given.
    node.advance(10)
    engine = open_for_writing(sqlite_url(tmp_path / "index.sqlite"))
    yield Running(node, EvmChain(node.url, deployed.deployment), engine)
    engine.dispose()
    node.kill()


def propose(running: Running, title: str) -> int:
    calldata = running.chain.encode("AgentRegistry", "remove", 2)
    receipt = Governor(running.chain).propose(MEMBER, target="AgentRegistry", calldata=calldata, description=title)
    return int(str(receipt.events[0].values["proposalId"]))


def subjects(running: Running, name: str) -> list[str]:
    with Session(running.engine) as session:
        rows = session.exec(
            select(EventRow).where(EventRow.name == name).order_by(col(EventRow.block), col(EventRow.log_index))
        )
        return [row.subject for row in rows]


def test_the_index_holds_every_event_since_the_deployment(running: Running) -> None:
    proposal = propose(running, "x")

    progress = sync_once(running.chain, running.engine)

    head = running.chain.block_number()
    assert progress.added == len(running.chain.history(0, head))
    assert subjects(running, "ProposalCreated") == [str(proposal)]
    assert subjects(running, "OrganisationAdmitted") == ["1", "2", "3", "4", "5"]
    with Session(running.engine) as session:
        state = session.get(IndexState, 1)
        policy = session.exec(select(PolicyRow)).one()
    assert state is not None
    header = running.chain.header(head)
    assert header is not None
    assert (state.head, state.head_hash) == (head, header.hash)
    assert len(policy.rules) == len(load_policies().rules)


def test_a_rewritten_chain_rewrites_the_index(running: Running) -> None:
    snapshot = running.node.rpc.call("evm_snapshot")
    propose(running, "taken back")
    sync_once(running.chain, running.engine)
    running.node.rpc.call("evm_revert", snapshot)
    running.node.advance(20)
    kept = propose(running, "stays")

    progress = sync_once(running.chain, running.engine)

    assert progress.removed > 0
    assert subjects(running, "ProposalCreated") == [str(kept)]
    assert len(Registry(running.chain).organisations()) == len(subjects(running, "OrganisationAdmitted"))


def test_a_title_that_is_no_utf8_does_not_stop_the_index(running: Running) -> None:
    body = running.chain.encode("ModelGovernor", "propose", *_proposal(running, "a" * 32))
    broken = body.replace(b"a" * 32, b"\xff\xfe" * 16)
    _send_raw(running, broken)

    sync_once(running.chain, running.engine)

    with Session(running.engine) as session:
        row = session.exec(select(EventRow).where(EventRow.name == "ProposalCreated")).one()
    assert row.contents["description"] == "\N{REPLACEMENT CHARACTER}" * 32


def _proposal(running: Running, title: str) -> tuple[object, ...]:
    calldata = running.chain.encode("AgentRegistry", "remove", 2)
    return [running.chain.address("AgentRegistry")], [0], [calldata], title


def _send_raw(running: Running, data: bytes) -> None:
    rpc = running.node.rpc
    transaction = {
        "to": running.chain.address("ModelGovernor"),
        "data": data,
        "value": 0,
        "nonce": int(str(rpc.call("eth_getTransactionCount", MEMBER.address, "latest")), 16),
        "gas": 1_000_000,
        "gasPrice": 10**10,
        "chainId": running.chain.chain_id,
    }
    digest = rpc.call("eth_sendRawTransaction", "0x" + MEMBER.sign_transaction(transaction).hex())
    # The node answers before it has mined.
    for _ in range(100):
        if rpc.call("eth_getTransactionReceipt", str(digest)) is not None:
            break
        time.sleep(0.1)
    assert rpc.fields("eth_getTransactionReceipt", str(digest))["status"] == "0x1"
