"""``folkmoot key make`` and what commands say in sentences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import pytest
from typer.testing import CliRunner

from folkmoot.cli import load_commands
from folkmoot.home import Home
from folkmoot.keystore import open_keystore
from folkmoot.operators import OperatorError, stake_for
from folkmoot.options import utc
from folkmoot.rotating import ask_operator
from folkmoot.settings import read_settings
from governance.adapters.evm import KeySigner
from governance.errors import KeystoreUnusable
from governance.ports import Chain


def make(home: Path, name: str) -> tuple[int, str, Exception | None]:
    result = CliRunner().invoke(load_commands(), ["key", "make", name, "--home", str(home)])
    return result.exit_code, result.output, cast("Exception | None", result.exception)


def test_a_key_is_made_encrypted_and_its_address_said(tmp_path: Path) -> None:
    code, said, _ = make(tmp_path, "deployer")

    assert code == 0
    keys = open_keystore(Home.at(tmp_path), read_settings())
    address = keys.address("deployer")
    assert said.startswith(f"{address} is the address of ")
    assert keys.signer("deployer").address == address
    sealed = json.loads((keys.folder / "deployer.json").read_text())
    assert sealed["version"] == 3
    assert "ciphertext" in sealed["crypto"]


@pytest.mark.parametrize("name", ["deployer", "../deployer", "Deployer", ""])
def test_no_key_is_overwritten_and_none_lies_elsewhere(tmp_path: Path, name: str) -> None:
    home = tmp_path / "home"
    make(home, "deployer")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    code, _, problem = make(home, name)

    assert code != 0
    assert isinstance(problem, KeystoreUnusable)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "address", ["", "0x12", "cleveland", "0x" + "g" * 40, "0xAb5801a7D398351b8bE11C439e05C5B3259aeC9b"]
)
def test_an_operator_that_is_no_address_is_refused_before_anything_is_sent(address: str) -> None:
    signer, nothing = KeySigner.from_secret(b"\x07" * 32), cast("Chain", None)

    with pytest.raises(OperatorError, match="write 0x and 40 hexadecimal digits"):
        ask_operator(nothing, signer, address)


def test_nothing_is_staked_for_an_agent_that_is_no_evaluator(tmp_path: Path) -> None:
    config = tmp_path / "agent.yaml"
    config.write_text(
        "name: hospital\nroles: [owner]\nnetwork: .\nkey: key.json\nsealing_key: sealing.json\n"
        "password_file: password\nlisten: 127.0.0.1:8101\nmandate: mandate.yaml\n"
        "data: {schema: schema.yaml, directory: data}\n"
    )

    with pytest.raises(OperatorError, match="no evaluator"):
        stake_for(cast("Chain", None), KeySigner.from_secret(b"\x07" * 32), config)


@pytest.mark.parametrize(
    ("moment_s", "said"),
    [(0, "1970-01-01 00:00:00 UTC"), (1_819_796_121, "2027-09-01 10:55:21 UTC"), (2**64 - 1, "after the year 3000")],
)
def test_moments_are_said_as_dates_whatever_the_chain_holds(moment_s: int, said: str) -> None:
    assert utc(moment_s) == said
