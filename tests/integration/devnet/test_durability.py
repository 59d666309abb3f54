"""Nothing that reached the journal is lost, whoever is killed, whenever."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount

from folkmoot.devnet import Devnet
from folkmoot.devnet.rpc import RpcClient
from folkmoot.files import write_atomically

pytestmark = pytest.mark.chain

SINK = "0x" + "22" * 20
ETHER = 10**18


@pytest.fixture
def payer(devnet: Devnet) -> LocalAccount:
    account: LocalAccount = Account.create()
    devnet.fund([account.address], ETHER)
    return account


def pay(devnet: Devnet, payer: LocalAccount, nonce: int) -> None:
    info = devnet.info()
    signed = payer.sign_transaction(
        {
            "type": 2,
            "chainId": info.chain_id,
            "nonce": nonce,
            "to": SINK,
            "value": 1,
            "gas": 21_000,
            "maxFeePerGas": 10**11,
            "maxPriorityFeePerGas": 1,
        }
    )
    client = RpcClient(info.rpc_url)
    name = client.call("eth_sendRawTransaction", "0x" + signed.raw_transaction.hex())
    while client.call("eth_getTransactionReceipt", name) is None:
        time.sleep(0.002)


def received(devnet: Devnet) -> int:
    return RpcClient(devnet.info().rpc_url).number("eth_getBalance", SINK, "latest")


def block_hash(devnet: Devnet, number: int) -> str:
    fields = RpcClient(devnet.info().rpc_url).fields("eth_getBlockByNumber", hex(number), False)
    return str(fields["hash"])


def gone(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    # What was killed stays listed as a zombie until its parent asks for the exit code.
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"


def wait_until_gone(*pids: int) -> None:
    deadline = time.monotonic() + 10
    while not all(map(gone, pids)):
        assert time.monotonic() < deadline, f"{pids} still run"
        time.sleep(0.02)


def wait_for_other_anvil(devnet: Devnet, old_pid: int) -> None:
    deadline = time.monotonic() + 20
    while devnet.info().anvil_pid == old_pid:
        assert time.monotonic() < deadline, "anvil did not come back"
        time.sleep(0.05)


def test_down_and_up_keep_chain_id_blocks_and_port(devnet: Devnet, payer: LocalAccount) -> None:
    before = devnet.info()
    pay(devnet, payer, 0)
    last = devnet.flush()
    last_hash = block_hash(devnet, last)

    devnet.stop()
    after = devnet.start()

    assert (after.chain_id, after.rpc_url, after.genesis) == (before.chain_id, before.rpc_url, before.genesis)
    assert block_hash(devnet, last) == last_hash
    assert received(devnet) == 1
    assert "every block hash came out the same" in after.history


def test_kill_of_the_supervisor_loses_no_journaled_block(devnet: Devnet, payer: LocalAccount) -> None:
    for nonce in range(10):
        pay(devnet, payer, nonce)
    last = devnet.flush()
    last_hash = block_hash(devnet, last)
    info = devnet.info()

    os.kill(info.pid, signal.SIGKILL)
    wait_until_gone(info.pid, info.anvil_pid)
    after = devnet.start()

    assert received(devnet) == 10
    assert block_hash(devnet, last) == last_hash
    assert after.chain_id == info.chain_id
    assert "every block hash came out the same" in after.history


def test_kill_of_anvil_brings_it_back_at_the_same_address(devnet: Devnet, payer: LocalAccount) -> None:
    for nonce in range(3):
        pay(devnet, payer, nonce)
    last = devnet.flush()
    last_hash = block_hash(devnet, last)
    info = devnet.info()

    os.kill(info.anvil_pid, signal.SIGKILL)
    wait_for_other_anvil(devnet, info.anvil_pid)

    assert devnet.info().rpc_url == info.rpc_url
    assert block_hash(devnet, last) == last_hash
    pay(devnet, payer, 3)
    assert received(devnet) == 4


def test_kill_of_a_supervisor_that_lags_loses_nothing_either(devnet: Devnet, payer: LocalAccount) -> None:
    info = devnet.info()
    os.kill(info.pid, signal.SIGSTOP)
    for nonce in range(20):
        pay(devnet, payer, nonce)
    head = RpcClient(info.rpc_url).number("eth_blockNumber")
    head_hash = block_hash(devnet, head)

    os.kill(info.pid, signal.SIGKILL)
    devnet.start()

    assert received(devnet) == 20
    assert block_hash(devnet, head) == head_hash


def test_what_a_kill_swallowed_can_be_sent_again(devnet: Devnet, payer: LocalAccount) -> None:
    info = devnet.info()
    for nonce in range(20):
        pay(devnet, payer, nonce)
    # No flush: the last of them may not be on disk yet.
    os.kill(info.pid, signal.SIGKILL)
    os.kill(info.anvil_pid, signal.SIGKILL)
    wait_until_gone(info.pid, info.anvil_pid)

    devnet.start()
    found = RpcClient(devnet.info().rpc_url).number("eth_getTransactionCount", payer.address, "latest")
    for nonce in range(found, 20):
        pay(devnet, payer, nonce)

    assert received(devnet) == 20


def test_a_torn_journal_line_is_cut_and_the_rest_replayed(devnet: Devnet, payer: LocalAccount) -> None:
    pay(devnet, payer, 0)
    last = devnet.flush()
    last_hash = block_hash(devnet, last)
    devnet.stop()
    journal = devnet.home.chain / "epoch-0" / "journal.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(whole + whole.splitlines()[-1][:40])

    after = devnet.start()

    assert "every block hash came out the same" in after.history
    assert block_hash(devnet, last) == last_hash


def test_a_long_journal_is_replayed_after_the_newest_snapshot(
    devnet: Devnet, payer: LocalAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOLKMOOT_CHAIN_HISTORY", "3")
    for nonce in range(4):
        pay(devnet, payer, nonce)
    name = devnet.snapshot()
    pay(devnet, payer, 4)
    last = devnet.flush()
    last_hash = block_hash(devnet, last)
    info = devnet.info()
    os.kill(info.pid, signal.SIGKILL)
    wait_until_gone(info.pid, info.anvil_pid)

    after = Devnet(devnet.home).start()

    assert f"after snapshot {name}: every block hash came out the same" in after.history
    assert block_hash(devnet, last) == last_hash
    assert received(devnet) == 5


def test_a_damaged_snapshot_falls_back_to_an_older_start(
    devnet: Devnet, payer: LocalAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOLKMOOT_CHAIN_HISTORY", "1")
    pay(devnet, payer, 0)
    devnet.snapshot()
    devnet.stop()
    for snapshot in devnet.snapshots():
        write_atomically(snapshot.path, snapshot.path.read_bytes()[:-20])

    after = Devnet(devnet.home).start()

    assert "did not work" in after.history
    assert "after genesis: every block hash came out the same" in after.history
    assert received(devnet) == 1


def test_a_changed_journal_is_said_to_give_other_hashes(devnet: Devnet, payer: LocalAccount) -> None:
    pay(devnet, payer, 0)
    pay(devnet, payer, 1)
    devnet.flush()
    devnet.stop()
    for snapshot in devnet.snapshots():
        snapshot.path.unlink()
    journal = devnet.home.chain / "epoch-0" / "journal.jsonl"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    lines[-1]["t"] += 1
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines))

    after = devnet.start()

    assert f"block hashes differ from block {lines[-1]['n']} on" in after.history
    devnet.stop()
    assert "every block hash came out the same" in devnet.start().history


def test_only_three_snapshots_are_kept(devnet: Devnet) -> None:
    names = []
    for _ in range(5):
        devnet.advance(1)
        names.append(devnet.snapshot())

    kept = devnet.status().snapshots

    assert list(kept) == names[-3:]
