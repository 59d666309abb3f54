"""Going back in time costs the chain its name."""

from __future__ import annotations

import json

import pytest

from folkmoot.devnet import Devnet, DevnetError
from folkmoot.devnet.rpc import RpcClient
from folkmoot.files import write_json

pytestmark = pytest.mark.chain

FIRST, SECOND = "0x" + "44" * 20, "0x" + "55" * 20


def balance(devnet: Devnet, address: str) -> int:
    return RpcClient(devnet.info().rpc_url).number("eth_getBalance", address, "latest")


def test_restoring_takes_a_new_chain_id_and_the_old_state(devnet: Devnet) -> None:
    devnet.fund([FIRST], 1)
    name = devnet.snapshot()
    devnet.fund([SECOND], 1)
    old = devnet.info().chain_id

    restored = devnet.restore(name)

    assert restored.old_chain_id == old
    assert restored.chain_id == devnet.info().chain_id != old
    assert (balance(devnet, FIRST), balance(devnet, SECOND)) == (1, 0)


def test_a_restored_chain_survives_its_own_restart(devnet: Devnet) -> None:
    devnet.fund([FIRST], 1)
    devnet.restore(devnet.snapshot())
    devnet.fund([SECOND], 1)
    chain_id = devnet.info().chain_id

    devnet.stop()
    after = devnet.start()

    assert after.chain_id == chain_id
    assert "after the restored snapshot: every block hash came out the same" in after.history
    assert (balance(devnet, FIRST), balance(devnet, SECOND)) == (1, 1)


def test_a_chain_that_is_down_is_restored_and_stays_down(devnet: Devnet) -> None:
    devnet.fund([FIRST], 1)
    name = devnet.snapshot()
    devnet.stop()

    restored = devnet.restore(name)

    assert not devnet.home.devnet_file.exists()
    assert devnet.start().chain_id == restored.chain_id


def test_the_deployment_follows_the_chain_only_if_it_was_there(devnet: Devnet) -> None:
    chain_id = devnet.info().chain_id
    name = devnet.snapshot()
    number = devnet.snapshots()[-1].number
    deployment = devnet.home.deployment_file
    write_json(deployment, {"chain_id": chain_id, "first_block": number})

    restored = devnet.restore(name)
    assert json.loads(deployment.read_text())["chain_id"] == restored.chain_id

    write_json(deployment, {"chain_id": restored.chain_id, "first_block": number + 1})
    devnet.restore(name)
    assert not deployment.exists()


def test_an_unknown_snapshot_is_refused_and_nothing_changes(devnet: Devnet) -> None:
    before = devnet.info()

    with pytest.raises(DevnetError, match="no snapshot 'nonsense'"):
        devnet.restore("nonsense")

    assert devnet.info() == before
