"""``folkmoot deploy`` on two clients: planned, refused, interrupted, carried on; then a release by vote."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from eth_utils.crypto import keccak

from folkmoot.home import Home
from folkmoot.keystore import open_keystore
from folkmoot.settings import CHECKOUT, read_settings
from governance.adapters.evm import EvmChain
from governance.adapters.evm.creations import matches
from governance.adapters.store import FileStore
from governance.domain.deployment import CONTRACTS, Deployment
from governance.domain.release import Status
from governance.errors import ContractRefused
from governance.services.releases import Consent, Releases
from tests import audit_story
from tests.audit_cast import CENTRE, GUARDIAN, INSTITUTE, LABORATORIES, OFFICE, ROLES, Story, agent, member, operator
from tests.audit_nodes import ask, fund, running_node
from tests.audit_runs import audit

pytestmark = pytest.mark.chain
RICH, POOR = hex(10**20), hex(10**15)


@pytest.fixture(scope="module", params=["anvil", pytest.param("edr", marks=pytest.mark.second_client)])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with running_node(request.param) as where:
        yield where


def founding(folder: Path, **changes: object) -> Path:
    fields = {
        "organisations": [
            {"name": name, "member": member(name).address, "operator": operator(name).address} for name in ROLES
        ],
        "panel": list(LABORATORIES),
        "guardian": GUARDIAN.address,
        "officers": {OFFICE: member(CENTRE).address},
        "credit": {"treasury": operator(INSTITUTE).address, "supply": 1_000},
    }
    path = folder / "founding.yaml"
    path.write_text(yaml.safe_dump(fields | changes))
    return path


def prepared(tmp_path: Path, url: str, *, wei: str = RICH) -> tuple[Home, str]:
    """Return a home with a deployer's key of its own, and its address."""
    home = Home.create(tmp_path / "home")
    address = open_keystore(home, read_settings()).create("deployer")
    fund(url, address, wei)
    return home, address


def deploy(home: Home, url: str, *options: str, file: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "folkmoot", "deploy", str(file or founding(home.root)), "--network", url]
    command += ["--key", "deployer", "--home", str(home.root), *options]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=300, check=False)


def test_a_network_is_deployed_and_releases_a_model_by_vote(tmp_path: Path, url: str) -> None:
    home, _ = prepared(tmp_path, url)
    # Before the first block that the audit reads: a balance that a node is told is no transaction.
    for name in (*ROLES, "Newcomer"):
        for make in (member, operator, agent):
            fund(url, make(name).address, RICH)
    fund(url, GUARDIAN.address, RICH)

    done = deploy(home, url, "--yes", "--json")

    assert done.returncode == 0, done.stderr
    deployment = Deployment.from_json(home.deployment_file.read_text())
    assert json.loads(done.stdout)["contracts"] == deployment.contracts
    for name in CONTRACTS:
        code = bytes.fromhex(str(ask(url, "eth_getCode", deployment.contracts[name], "latest"))[2:])
        assert matches(name, code), name
    story = Story(url, EvmChain(url, deployment), deployment, FileStore(tmp_path / "store"))
    assert Consent(story.chain).deployment_digest() == deployment.digest()
    audit_story.prepare(story)
    audit_story.tell_first_job(story)
    releases = Releases(story.chain)
    decided = {name: releases.release(each).status for name, each in story.releases.items()}
    assert decided == {"plain": Status.REFUSED, "reweighed": Status.RELEASED}
    with pytest.raises(ContractRefused) as refusal:
        story.chain.send(operator(INSTITUTE), "MemberToken", "admit", (operator(INSTITUTE).address,))
    assert refusal.value.name == "MemberTokenOnlyController"
    if str(ask(url, "web3_clientVersion")).startswith("anvil"):
        # EDR hands out no raw transactions, without which the audit proves no event.
        assert audit(story).findings == ()


def test_a_member_endorses_what_the_deployment_file_says_and_nothing_else(tmp_path: Path, url: str) -> None:
    home, _ = prepared(tmp_path, url)
    done = deploy(home, url, "--yes")
    assert done.returncode == 0
    deployment = Deployment.from_json(home.deployment_file.read_text())
    assert f"the digest that members endorse: 0x{deployment.digest().hex()}" in done.stdout
    founder = member(LABORATORIES[0])
    open_keystore(home, read_settings()).create(
        "laboratory", private_key=bytes(keccak(text=f"story {LABORATORIES[0]} member"))
    )
    fund(url, founder.address, RICH)

    wrong = endorse(home, url, "--digest", "0x" + "11" * 32)
    right = endorse(home, url, "--digest", f"0x{deployment.digest().hex()}", "--json")
    again = endorse(home, url)

    assert (wrong.returncode, right.returncode, again.returncode) == (2, 0, 1), right.stderr
    assert json.loads(right.stdout)["digest"] == f"0x{deployment.digest().hex()}"
    assert json.loads(right.stdout)["complete"] is False
    assert "ConsentGivenBefore" in again.stderr
    # A file that names other code than stands: the contract compares.
    home.deployment_file.write_text(home.deployment_file.read_text().replace(deployment.code["Consent"][2:], "22" * 32))
    assert "ConsentWrongDeployment" in endorse(home, url).stderr


def endorse(home: Home, url: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "folkmoot", "endorse", "--key", "laboratory", "--home", str(home.root), *options]
    environment = {**os.environ, "FOLKMOOT_RPC": url}
    return subprocess.run(
        command, cwd=CHECKOUT, capture_output=True, text=True, timeout=300, check=False, env=environment
    )


def test_a_plan_sends_nothing_and_foresees_gas_and_addresses(tmp_path: Path, url: str) -> None:
    home, address = prepared(tmp_path, url)

    planned = deploy(home, url, "--dry-run")

    assert planned.returncode == 0, planned.stderr
    assert int(str(ask(url, "eth_getTransactionCount", address, "latest")), 16) == 0
    assert not (home.root / "deploying.json").exists()
    done = deploy(home, url, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert all(place in planned.stdout for place in json.loads(done.stdout)["contracts"].values())


def test_a_key_without_means_is_refused_before_anything_is_sent(tmp_path: Path, url: str) -> None:
    home, address = prepared(tmp_path, url, wei=POOR)

    done = deploy(home, url, "--yes")

    assert done.returncode == 1
    assert "cannot pay" in done.stderr
    assert int(str(ask(url, "eth_getTransactionCount", address, "latest")), 16) == 0


@pytest.mark.parametrize("after", [1, len(CONTRACTS) - 1])
def test_a_killed_deployment_is_carried_on(tmp_path: Path, url: str, after: int) -> None:
    home, address = prepared(tmp_path, url)
    command = [sys.executable, "-m", "folkmoot", "deploy", str(founding(home.root)), "--network", url]
    command += ["--key", "deployer", "--home", str(home.root), "--yes"]
    with subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as run:
        assert run.stderr is not None
        for line in run.stderr:
            if line.startswith(f"deploying {CONTRACTS[after]}"):
                break
        run.kill()

    again, resumed = deploy(home, url, "--yes"), deploy(home, url, "--yes", "--resume", "--json")

    assert again.returncode == 1
    assert "--resume" in again.stderr
    assert resumed.returncode == 0, resumed.stderr
    assert re.search(
        rf"carrying on: \d+ of {len(CONTRACTS)} contracts were sent before, \d+ are missing", resumed.stderr
    )
    assert int(str(ask(url, "eth_getTransactionCount", address, "latest")), 16) == len(CONTRACTS)
    assert not (home.root / "deploying.json").exists()


def test_a_foreign_transaction_in_between_is_refused(tmp_path: Path, url: str) -> None:
    home, _ = prepared(tmp_path, url)
    keys = open_keystore(home, read_settings())
    signer = keys.signer("deployer")
    command = [sys.executable, "-m", "folkmoot", "deploy", str(founding(home.root)), "--network", url]
    command += ["--key", "deployer", "--home", str(home.root), "--yes"]
    with subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as run:
        assert run.stderr is not None
        for line in run.stderr:
            if line.startswith(f"deploying {CONTRACTS[2]}"):
                break
        run.kill()
    journal = home.root / "deploying.json"
    fields = json.loads(journal.read_text())
    # As if the crash came before the last creation was sent, and the key was used elsewhere.
    count = int(str(ask(url, "eth_getTransactionCount", signer.address, "latest")), 16)
    last = CONTRACTS[count - 1 - fields["start"]]
    fields["transactions"].pop(last, None)
    journal.write_text(json.dumps(fields))

    resumed = deploy(home, url, "--yes", "--resume")

    assert resumed.returncode == 1
    assert "came between" in resumed.stderr
    assert "Traceback" not in resumed.stderr
    assert not home.deployment_file.exists()


def test_a_journal_of_another_founding_is_refused(tmp_path: Path, url: str) -> None:
    home, address = prepared(tmp_path, url)
    subject = {"chain_id": 1, "genesis": "0x", "deployer": address, "content": "", "start": 0, "transactions": {}}
    (home.root / "deploying.json").write_text(json.dumps(subject))

    resumed = deploy(home, url, "--yes", "--resume")

    assert resumed.returncode == 1
    assert "of another deployment" in resumed.stderr


def test_an_existing_token_takes_the_place_of_the_test_credit(tmp_path: Path, url: str) -> None:
    first, _ = prepared(tmp_path / "first", url)
    assert deploy(first, url, "--yes").returncode == 0
    token = Deployment.from_json(first.deployment_file.read_text()).contracts["Credit"]
    second, address = prepared(tmp_path / "second", url)

    done = deploy(second, url, "--yes", "--json", file=founding(second.root, credit={"token": token}))

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["contracts"]["Credit"] == token
    assert int(str(ask(url, "eth_getTransactionCount", address, "latest")), 16) == len(CONTRACTS) - 1


def test_a_wrong_chain_is_refused(tmp_path: Path, url: str) -> None:
    home, _ = prepared(tmp_path, url)
    network = home.root / "network.yaml"
    network.write_text(yaml.safe_dump({"rpc": url, "chain_id": 1}))

    done = deploy(home, str(network), "--yes")

    assert done.returncode == 1
    assert "not 1; nothing was sent" in done.stderr


def test_no_answer_to_the_question_sends_nothing(tmp_path: Path, url: str) -> None:
    home, address = prepared(tmp_path, url)
    command = [sys.executable, "-m", "folkmoot", "deploy", str(founding(home.root)), "--network", url]
    command += ["--key", "deployer", "--home", str(home.root)]

    done = subprocess.run(command, cwd=CHECKOUT, input="n\n", capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "not confirmed" in done.stderr
    assert int(str(ask(url, "eth_getTransactionCount", address, "latest")), 16) == 0
