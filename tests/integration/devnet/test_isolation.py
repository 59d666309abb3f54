"""Homes do not disturb each other, and one home has one owner."""

from __future__ import annotations

import json
import socket
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from eth_account import Account

from folkmoot.devnet import Devnet, NotRunning
from folkmoot.devnet.rpc import RpcClient, RpcRefused
from folkmoot.home import Home

pytestmark = pytest.mark.chain


@pytest.fixture
def other(tmp_path: Path) -> object:
    chain = Devnet(Home.create(tmp_path / "other"))
    chain.start()
    yield chain
    chain.stop()


def test_two_homes_have_their_own_chain_and_time(devnet: Devnet, other: Devnet) -> None:
    before = other.status().timestamp_s

    devnet.advance(100_000)
    devnet.stop()

    assert other.status().timestamp_s - before < 50
    assert other.info().chain_id != json.loads((devnet.home.chain / "chain.json").read_text())["chain_id"]


def test_a_signature_from_one_home_is_refused_in_the_other(devnet: Devnet, other: Devnet) -> None:
    payer = Account.create()
    for chain in (devnet, other):
        chain.fund([payer.address], 10**18)
    signed = payer.sign_transaction(
        {
            "type": 2,
            "chainId": devnet.info().chain_id,
            "nonce": 0,
            "to": payer.address,
            "value": 1,
            "gas": 21_000,
            "maxFeePerGas": 10**11,
            "maxPriorityFeePerGas": 1,
        }
    )

    with pytest.raises(RpcRefused, match="chain id"):
        RpcClient(other.info().rpc_url).call("eth_sendRawTransaction", "0x" + signed.raw_transaction.hex())


def test_starting_twice_returns_the_chain_that_runs(devnet: Devnet) -> None:
    first = devnet.info()

    second = Devnet(devnet.home).start()

    assert second == first


def test_two_starts_at_once_make_one_chain(home: Home) -> None:
    with ThreadPoolExecutor(2) as pool:
        infos = list(pool.map(lambda _: Devnet(home).start(), range(2)))

    assert infos[0] == infos[1]
    Devnet(home).stop()


def test_a_port_in_use_is_left_to_its_owner(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        info = Devnet(home).start(port=port)

        assert info.rpc_url != f"http://127.0.0.1:{port}"
        assert RpcClient(info.rpc_url).number("eth_chainId") == info.chain_id
    Devnet(home).stop()


def test_the_node_has_no_unlocked_account_and_listens_on_loopback_only(shared_devnet: Devnet) -> None:
    info = shared_devnet.info()

    assert RpcClient(info.rpc_url).call("eth_accounts") == []
    assert info.rpc_url.startswith("http://127.0.0.1:")


def test_secrets_of_a_home_are_for_its_user_only(shared_devnet: Devnet) -> None:
    home = shared_devnet.home
    secrets = [home.keys / "password", home.keys / "faucet.json", Path(shared_devnet.info().control)]

    assert [oct(stat.S_IMODE(path.stat().st_mode)) for path in secrets] == ["0o600"] * 3


def test_funding_is_a_transfer_that_the_journal_can_replay(devnet: Devnet) -> None:
    addresses = [Account.create().address for _ in range(13)]

    devnet.fund(addresses, 5)
    devnet.stop()
    devnet.start()

    client = RpcClient(devnet.info().rpc_url)
    assert [client.number("eth_getBalance", each, "latest") for each in addresses] == [5] * 13


def test_what_was_funded_can_pay_at_once(shared_devnet: Devnet) -> None:
    client = RpcClient(shared_devnet.info().rpc_url)
    addresses = [Account.create().address for _ in range(20)]

    for address in addresses:
        shared_devnet.fund([address], 7)
        assert client.number("eth_getBalance", address, "latest") == 7


def test_a_chain_that_is_down_says_how_to_start_it(home: Home) -> None:
    with pytest.raises(NotRunning, match="folkmoot up"):
        Devnet(home).advance(1)
